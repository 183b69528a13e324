"""Real processes, for what only several of them can do to each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
"""The user that tests become where they need one who is not root."""

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


def nobody() -> dict[str, object]:
    """Popen's options for a process of another user; nothing where this one is no root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def open_descriptors() -> int:
    """How many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))
