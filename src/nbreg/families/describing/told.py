"""Values in words: what JSON has no form for is told by its type, and never refused."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from nbreg.errors import BadValueError
from nbreg.records import is_plain, plain

_LONGEST_NUMBER = 10_000
"""In bits; Python refuses to spell numbers that are much longer."""


class Teller:
    """Says values in words where JSON has no form for them; asks no object for its own."""

    def __init__(self) -> None:
        self._left = 10_000  # lists may hold each other more often than anybody would read

    def told(self, value: Any, depth: int = 16) -> Any:
        """The value as JSON has it, or in words."""
        self._left -= 1
        if is_plain(value):
            return value
        if self._left > 0 and depth:
            if type(value) in (list, tuple):
                return [self.told(each, depth - 1) for each in value]
            if type(value) is dict and all(type(key) is str for key in value):
                return {self.told(key): self.told(each, depth - 1) for key, each in value.items()}
        if type(value) is str:
            return value.encode(errors="replace").decode()
        try:
            return plain(value, depth=1)
        except BadValueError:
            pass
        if type(value) is float or (type(value) is int and value.bit_length() <= _LONGEST_NUMBER):
            return str(value)
        return f"<{class_name(value)}>"


def told(value: Any) -> Any:
    """The value as JSON has it, or in words."""
    return value if is_plain(value) else Teller().told(value)


def class_name(value: object) -> str:
    """`module.qualname` of a class or function, or of the class of anything else."""
    kind = value if isinstance(value, type | FunctionType) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
