"""Who acts: never empty, self-asserted on a folder, and shown as such."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Literal

from nbreg.records import Actor


def current_actor() -> Actor:
    """The JupyterHub user, else `$NBREG_ACTOR`, else the operating system's."""
    host = os.uname().nodename
    if user := os.environ.get("JUPYTERHUB_USER"):
        return Actor(user=_clean(user), source="jupyterhub", host=host)
    if user := os.environ.get("NBREG_ACTOR"):
        return Actor(user=_clean(user), source="environment", host=host)
    return Actor(user=_clean(_system_user()), source="system", host=host)


def named_actor(user: str, source: Literal["server", "jupyterhub"]) -> Actor:
    """Somebody whom a service knows by name, and acts for."""
    return Actor(user=_clean(user), source=source, host=os.uname().nodename)


def _clean(user: str) -> str:
    printable = "".join(each if each.isprintable() else "?" for each in user.strip()[:128])
    return printable.encode(errors="replace").decode() or "unknown"


def _system_user() -> str:
    uid = os.geteuid() if hasattr(os, "geteuid") else -1
    try:
        return _account(uid)
    except (ImportError, KeyError):
        return os.environ.get("USER") or os.environ.get("USERNAME") or f"uid {uid}"


@lru_cache(maxsize=4)
def _account(uid: int) -> str:
    """The name of a user, looked up once: each look reads a file, or asks a directory over the network.

    One that is not found is asked for again: a directory that is away for a moment is no reason to
    write another name down for as long as a kernel lives. Raises `ImportError` or `KeyError`.
    """
    import pwd

    return pwd.getpwuid(uid).pw_name
