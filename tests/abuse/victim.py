"""Who opens what an attacker left: another home, little memory, little time, and a canary."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assembler import CANARY

from nbreg import families
from nbreg.errors import NbregError
from nbreg.records import Artifact, Chunk, digest_of

SECONDS = 30
BYTES = 1 << 30


def artifact_of(stream: bytes, buffers: list[bytes], **fields: Any) -> families.Dumped:
    """An artifact of bytes that no object gave."""
    parts = [(Chunk(digest=digest_of(data), size=len(data)), data) for data in (stream, *buffers)]
    told: dict[str, Any] = {
        "name": "model", "kind": "object", "family": "generic", "form": "pickle5", "type": "builtins.dict",
        "token": digest_of(stream), "chunks": [chunk for chunk, _ in parts], "globals": [],
    }  # fmt: skip
    return families.Dumped(Artifact(**{**told, **fields}), parts)


def outcome(work: Callable[[], Any]) -> str:
    """What comes of it in a process of its own: an error's code, `loaded`, or how the process died."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _limit()
            os.write(writing, json.dumps(_done(work)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return str(json.loads(told)) if told else "gone"


def _limit() -> None:
    signal.alarm(SECONDS)
    os.environ["XDG_CONFIG_HOME"] = str(Path.cwd() / "nobody-of-note")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _done(work: Callable[[], Any]) -> str:
    try:
        work()
    except NbregError as error:
        return error.code
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "loaded"


def canary_sings() -> bool:
    """Whether code of the attacker ran."""
    return Path(CANARY).exists() or CANARY in os.environ
