"""Exceptions of another process, raised here as what they are here: nothing of them but text comes over."""

from __future__ import annotations

import builtins
from typing import Final, NoReturn

from nbreg import errors
from nbreg.errors import NbregError, RemoteError
from nbreg.workers.channel import Raised

_RAISED_AGAIN: Final = (
    "ArithmeticError AssertionError AttributeError BufferError EOFError FileNotFoundError FloatingPointError "
    "ImportError IndexError KeyError LookupError MemoryError ModuleNotFoundError NotImplementedError OSError "
    "OverflowError PermissionError RecursionError RuntimeError TimeoutError TypeError ValueError "
    "ZeroDivisionError"
)
"""Those that can be made of their message alone."""


def raise_again(raised: Raised) -> NoReturn:
    """Raise nbreg's own and the built-in ones as what they were, all others as `RemoteError`."""
    for name in raised.bases:
        ours = getattr(errors, name, None)
        if raised.kind == f"nbreg.errors.{name}" and isinstance(ours, type) and issubclass(ours, NbregError):
            raise ours(raised.message, hint=raised.hint)
        if name in _RAISED_AGAIN.split():
            raise getattr(builtins, name)(raised.message) from _remote(raised)
    raise _remote(raised)


def _remote(raised: Raised) -> RemoteError:
    name = raised.kind.removeprefix("builtins.")
    return RemoteError(f"{name}: {raised.message}", kind=raised.kind, trace=raised.trace)
