"""What the kernel knows, taken for one version: environment, variables, recipe, source; model and data.

`look` asks the model, and reads the data that it is registered with. `begin` starts what runs
beside (git); `Pending.finish` returns the parts. Capture never loses a registration: a part that
fails is a word about why. And it never changes a result: it reads namespaces and modules, calls
no code of the user's but what pickling a model calls too, and imports nothing of anybody else's.

Its names are imported when they are first asked for: who opens a registry to look something up
wants what is secret, and neither recipes nor tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbreg.capture.parts import Capture as Capture
    from nbreg.capture.parts import Part as Part
    from nbreg.capture.pending import PARTS as PARTS
    from nbreg.capture.pending import Pending as Pending
    from nbreg.capture.pending import begin as begin
    from nbreg.capture.project.git import look_ahead as look_ahead
    from nbreg.capture.project.git import look_no_more as look_no_more
    from nbreg.capture.project.git import watched_by as watched_by
    from nbreg.capture.subject import Subject as Subject
    from nbreg.capture.subject import look as look

_HOMES = {
    "PARTS": "nbreg.capture.pending",
    "Capture": "nbreg.capture.parts",
    "Part": "nbreg.capture.parts",
    "Pending": "nbreg.capture.pending",
    "Subject": "nbreg.capture.subject",
    "begin": "nbreg.capture.pending",
    "look": "nbreg.capture.subject",
    "look_ahead": "nbreg.capture.project.git",
    "look_no_more": "nbreg.capture.project.git",
    "watched_by": "nbreg.capture.project.git",
}

__all__ = [
    "PARTS",
    "Capture",
    "Part",
    "Pending",
    "Subject",
    "begin",
    "look",
    "look_ahead",
    "look_no_more",
    "watched_by",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)  # asked for once
    return found
