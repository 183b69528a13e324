"""nbreg in a running kernel: `load` and `unload` are what `%load_ext` and `%unload_ext` come to."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from nbreg.kernel.completion import matcher
from nbreg.kernel.magics import NbregMagics
from nbreg.kernel.parsers import MAGICS
from nbreg.kernel.session import Session
from nbreg.kernel.telling import tell_identities, tell_no_identities
from nbreg.kernel.tracebacks import shorten, shorten_no_more

__all__ = ["load", "unload"]

_LOADED: WeakKeyDictionary[Any, tuple[Session, Any]] = WeakKeyDictionary()


def load(shell: Any) -> None:
    """Give the shell nbreg's magics, completion and hooks; loading twice is loading once."""
    if shell in _LOADED:
        return
    session = Session(shell)
    complete = matcher(session)
    shell.register_magics(NbregMagics(shell, session))
    shell.configurables.append(session.config)
    shell.Completer.custom_matchers.append(complete)
    session.start()
    tell_identities(shell)
    shorten()
    _LOADED[shell] = session, complete


def unload(shell: Any) -> None:
    """Take all of it away again; the registry's files and the user's variables stay."""
    loaded = _LOADED.pop(shell, None)
    if loaded is None:
        return
    session, complete = loaded
    session.stop()
    tell_no_identities(shell)
    shorten_no_more()
    shell.Completer.custom_matchers.remove(complete)
    shell.configurables.remove(session.config)
    magics = shell.magics_manager.registry.pop(NbregMagics.__name__, None)
    if magics in shell.configurables:
        shell.configurables.remove(magics)
    for kind in ("line", "cell"):
        for name in MAGICS:
            shell.magics_manager.magics[kind].pop(name, None)
