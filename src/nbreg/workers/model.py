"""What a user holds in place of a model that another process has: its methods, its errors as they were."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from nbreg.errors import WorkerError, did_you_mean
from nbreg.families.neutral import Packer
from nbreg.workers.channel import Request
from nbreg.workers.process import Answer, Worker
from nbreg.workers.raising import raise_again

_CHANGING: Final = ("fit", "partial_fit", "set_")


class IsolatedModel:
    """A model that runs in the environment it was made in, in a process of its own.

    It has the public methods and attributes that the model has there. Arguments and results are
    passed on by value, and only what every environment can read: plain values, arrays, frames,
    sparse matrices. Errors are raised as the built-in ones that they are, with the traceback of
    the other process as their cause. A version never changes, so what trains it is left out.
    `close`, or the end of a `with` block, ends the process; the next call would start another one.
    """

    __slots__ = ("__weakref__", "_name", "_seconds", "_told", "_worker")

    def __init__(self, worker: Worker, name: str, told: str, seconds: float | None) -> None:
        self._worker = worker
        self._name = name
        self._told = told
        self._seconds = seconds

    def close(self) -> None:
        """End the process, whatever it is at; the next call, of whoever holds it, starts another one."""
        self._worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        kind = str(self._worker.loaded.get("type", "")).rpartition(".")[2] or "model"
        return f"<{self._name}: a {kind} in its own environment, {self._told}>"

    def __dir__(self) -> list[str]:
        return sorted({"close", *self._methods, *self._worker.loaded.get("attributes", ())})

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self._name} is in another process: load it there, too")

    def __getattr__(self, name: str) -> Any:
        if name in IsolatedModel.__slots__ or name.startswith("_"):
            raise AttributeError(f"an isolated model has no {name}")
        if name in self._methods:
            return self._method(name)
        attributes = self._worker.loaded.get("attributes", ())
        if name in attributes:
            return self._value(name, self._worker.ask(Request("read", name), seconds=self._seconds))
        if name.startswith(_CHANGING):
            raise AttributeError(
                f"{self._name} is a version, which does not change: {name} is not answered here"
            )
        near = did_you_mean(name, [*self._methods, *attributes])
        raise AttributeError(f"{self._name} has no {name!r} in its environment; {near}")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the model itself, where it can be called."""
        if not self._worker.loaded.get("callable"):
            raise TypeError(f"{self._name} cannot be called; `dir` names what it answers")
        return self._asked("", arguments, keywords)

    @property
    def _methods(self) -> list[str]:
        return [each for each in self._worker.loaded.get("methods", ()) if not each.startswith(_CHANGING)]

    def _method(self, name: str) -> Callable[..., Any]:
        def method(*arguments: Any, **keywords: Any) -> Any:
            return self._asked(name, arguments, keywords)

        method.__name__ = name
        method.__qualname__ = f"{self._name}.{name}"
        method.__doc__ = f"`{name}`, answered in the environment of {self._name}."
        return method

    def _asked(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        packer = Packer()
        request = Request("call", name, arguments=packer.tree(arguments), keywords=packer.tree(keywords))
        answer = self._worker.ask(request, packer.buffers, seconds=self._seconds)
        return self._value(name or "the model", answer)

    def _value(self, name: str, answer: Answer) -> Any:
        reply = answer.reply
        for kind, text in reply.warnings:
            category = getattr(builtins, kind, None)
            is_known = isinstance(category, type) and issubclass(category, Warning)
            warnings.warn(text, category if is_known else UserWarning, stacklevel=4)
        if reply.raised is not None:
            raise_again(reply.raised)
        if reply.unsendable:
            raise WorkerError(
                f"{name} of {self._name} answered, but not with a value: {reply.unsendable}",
                hint="load it in the environment that it needs, and ask there",
            )
        return self if reply.is_model else answer.value
