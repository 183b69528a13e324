"""The process that answers for one model in the environment that it was made in.

    python -I -c BOOT PACKAGE CONNECTION LIFELINE

It has nbreg's own code from where its owner has it, and all else from its environment. It gets the
bytes that its owner verified, makes the model of them, and answers one request after the other;
it ends with its owner, whatever it is at.
"""

from __future__ import annotations

import fcntl
import inspect
import os
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from select import select
from typing import Any, Final, NoReturn

import msgspec

from nbreg import families
from nbreg.errors import BadInputError, NbregError
from nbreg.families.neutral import Buffer, Packed, pack, unpack
from nbreg.records import Artifact, Chunk
from nbreg.workers.channel import Channel, Raised, Reply, Request

BOOT: Final = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
_, package, connection, lifeline = sys.argv
spec = spec_from_file_location("nbreg", package + "/__init__.py", submodule_search_locations=[package])
sys.modules["nbreg"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["nbreg"])
from nbreg.workers.child import main
main(int(connection), int(lifeline))
"""
"""nbreg alone is found, and nothing that is installed beside it."""

_MOST_WARNINGS: Final = 20


def main(connection: int, lifeline: int) -> None:
    """Answer until the owner goes."""
    _keep_to_itself(connection, lifeline)
    _end_with(lifeline)
    del sys.argv[1:]
    channel = Channel(socket.socket(fileno=connection))
    model: Any = None
    while True:
        try:
            request, buffers = channel.receive(Request)
        except (EOFError, OSError):
            _end()
        model, reply, given = _answered(request, buffers, model)
        del request, buffers
        try:
            channel.send(reply, given)
        except BadInputError as error:
            channel.send(Reply(unsendable=error.message))
        del reply, given


def _keep_to_itself(*ends: int) -> None:
    """What the model forks has no end: with one, the owner would not see that this process is gone."""

    def let_go() -> None:
        for end in ends:
            with suppress(OSError):
                os.close(end)

    for end in ends:
        os.set_inheritable(end, False)
    os.register_at_fork(after_in_child=let_go)


def _end() -> NoReturn:
    """End, with all that the model left behind: threads and processes have nothing more to say."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


def _end_with(lifeline: int) -> None:
    """End when the other end of this pipe is closed, also inside of compiled code that never comes back.

    The whole group is told, so that what the model forked ends, too.
    """
    if sys.platform == "linux":
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        if select([lifeline], [], [], 0)[0]:  # it was closed before the system knew whom to tell
            os._exit(0)
    else:
        threading.Thread(target=_read_to_the_end, args=(lifeline,), daemon=True).start()


def _read_to_the_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    _end()


def _answered(request: Request, buffers: list[Buffer], model: Any) -> tuple[Any, Reply, list[Buffer]]:
    """The model from now on, the reply, and its buffers."""
    reply, packed = Reply(), Packed(None, [])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            if request.do == "load":
                model = _loaded(request, buffers)
                packed = _told(model)
            else:
                found = _found(request, buffers, model)
                reply.is_model = found is model
                packed = Packed(None, []) if reply.is_model else _packed(found)
        except _UnsendableError as error:
            reply.unsendable = str(error)
        except BaseException as error:
            reply.raised = _raised(error)
    reply.value = packed.tree
    reply.warnings = [(each.category.__name__, str(each.message)[:2000]) for each in warned[:_MOST_WARNINGS]]
    return model, reply, packed.buffers


class _UnsendableError(Exception):
    """What came out has no neutral form."""


def _packed(value: Any) -> Packed:
    try:
        return pack(value)
    except BadInputError as error:
        raise _UnsendableError(error.message) from None


def _loaded(request: Request, buffers: list[Buffer]) -> Any:
    artifact = msgspec.json.decode(request.artifact, type=Artifact)
    parts = {chunk.digest: data for chunk, data in zip(artifact.chunks, buffers, strict=True)}

    def read(chunk: Chunk, *, private: bool = False) -> bytearray | memoryview:
        part = parts[chunk.digest]
        return bytearray(part) if private or isinstance(part, bytes) else part

    opened: Any = families.open_artifact(artifact, read)
    if request.device:
        opened.device = request.device
    return opened.load()


def _told(model: Any) -> Packed:
    """What the owner has to know to stand for the model; the model itself where it can be passed on."""
    try:
        return _packed({"value": model})
    except _UnsendableError:
        methods, attributes = _public(model)
        kind = type(model)
        told = {"type": f"{kind.__module__}.{kind.__qualname__}", "callable": callable(model)}
        return pack({**told, "methods": methods, "attributes": attributes})


def _public(model: Any) -> tuple[list[str], list[str]]:
    """The names of its methods and of its other attributes; a property is not asked to find out."""
    methods: list[str] = []
    attributes: list[str] = []
    for name in dir(model):
        if name.startswith("_"):
            continue
        if isinstance(inspect.getattr_static(model, name, None), property):
            attributes.append(name)
            continue
        with suppress(Exception):  # a method that this model has not, as sklearn's `available_if` says it
            (methods if callable(getattr(model, name)) else attributes).append(name)
    return methods, attributes


def _found(request: Request, buffers: list[Buffer], model: Any) -> Any:
    if request.do == "read":
        return getattr(model, request.name)
    arguments, keywords = unpack(request.arguments, buffers), unpack(request.keywords, buffers)
    method: Callable[..., Any] = getattr(model, request.name) if request.name else model
    return method(*arguments, **keywords)


def _raised(error: BaseException) -> Raised:
    kind = type(error)
    given = error.args[0] if len(error.args) == 1 and type(error.args[0]) is str else str(error)
    is_ours = isinstance(error, NbregError)
    return Raised(
        kind=f"{kind.__module__}.{kind.__qualname__}",
        bases=[kind.__name__]
        if is_ours
        else [each.__name__ for each in kind.__mro__ if each.__module__ == "builtins"],
        message=given[:10_000],
        trace="" if is_ours else "".join(traceback.format_exception(error))[-20_000:],
        hint=error.hint if isinstance(error, NbregError) else "",
    )
