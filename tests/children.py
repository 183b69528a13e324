"""Real processes, for what only several of them can do to each other."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbreg

NOBODY = 65534
"""The user that tests become where they need one who is not root."""

HEAVY = {
    "asyncio",
    "cloudpickle",
    "IPython",
    "ipywidgets",
    "multiprocessing",
    "numpy",
    "pandas",
    "sklearn",
    "traitlets",
    "importlib.metadata",
}
"""What `import nbreg` and the registry must not bring into a plain script."""

PRELUDE = """
import os, sys, json, time
from pathlib import Path
from nbreg import Registry, NbregError
from nbreg.settings import Settings
QUICK = Settings(capture=False)
"""


def start(script: str, *args: object, **options: object) -> subprocess.Popen[str]:
    """A Python process that runs the script, with `sys.argv[1:]` as given; its output is piped."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[arg-type, call-overload]
    )


def run(script: str, *args: object, **options: object) -> str:
    """What the script prints; its errors are this test's."""
    child = start(script, *args, **options)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    return out


def together(script: str, count: int, *args: object) -> list[str]:
    """What `count` processes print that all go on at the same moment, after `go()`."""
    children = [start("def go():\n    print('ready', flush=True); sys.stdin.readline()\n" + script, i, *args)
                for i in range(count)]  # fmt: skip
    for child in children:
        assert child.stdout
        assert child.stdout.readline().strip() == "ready", child.communicate()[1]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    results = [child.communicate(timeout=200) for child in children]
    assert all(child.returncode == 0 for child in children), "\n".join(err for _, err in results)
    return [out for out, _ in results]


def open_descriptors() -> int:
    """How many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def as_nobody(work: Callable[[], Any]) -> Any:
    """What the work gives (as JSON can carry it) in a fork that is another user; this one where it is no root.

    A fork, since the interpreter itself may stand where only root may read.
    """
    for module in pkgutil.walk_packages(nbreg.__path__, "nbreg."):
        if module.name.split(".")[1] not in ("kernel", "cli", "autoload", "panels", "server"):
            importlib.import_module(module.name)
    importlib.import_module("cloudpickle")
    importlib.import_module("difflib")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            try:
                answer = {"result": work()}
            except BaseException as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            os.write(writing, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = json.loads(pipe.read())
    os.waitpid(pid, 0)
    assert "error" not in told, told["error"]
    return told["result"]
