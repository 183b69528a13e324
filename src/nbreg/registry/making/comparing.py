"""Which step a registration is from its base: found out before the model's lock, held to under it.

Reading the base's parts takes no lock, and where a part is the same nothing is read. Under the
lock it is only asked whether the base is still the one that was compared.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final

import msgspec

from nbreg import changes
from nbreg.errors import NbregError
from nbreg.records import Manifest, VersionRow
from nbreg.registry.ground import parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.making import naming
from nbreg.registry.making.request import Request
from nbreg.store.tiny import JournalDB

log = logging.getLogger("nbreg")

TRIES = 3
"""How often a base that others move is compared again; then the last comparison says what it was with."""


_KEPT: Final = 16
_made_here: OrderedDict[str, Manifest] = OrderedDict()
"""Manifests that this process wrote, by id: a registration is mostly compared with the one before."""


def remember(version_id: str, manifest: Manifest) -> None:
    """Keep the manifest of a version that was just written, so that it is not read again."""
    _made_here[version_id] = manifest
    while len(_made_here) > _KEPT:
        with suppress(KeyError):  # another thread may have been quicker
            _made_here.popitem(last=False)


class BaseMoved(Exception):  # noqa: N818 - it says what happened, and never leaves `registering`
    """Another version became the base after the comparison."""


class Judged(msgspec.Struct, frozen=True):
    """The step that was found, and the id of the version that it counts from."""

    implied: changes.Implied | None = None
    """None where nobody needs to know: the caller said it, or versions have no names."""
    base_id: str = ""
    against: str = ""
    database: JournalDB | None = None
    """The model's journal, where it was looked at and is there."""

    def for_base(self, base: VersionRow | None, *, last: bool) -> changes.Implied | None:
        """The step, if this is the base that was compared. Raises `BaseMoved` unless it is the `last` try."""
        if self.implied is None or self.base_id == (base.id if base else ""):
            return self.implied
        if not last:
            raise BaseMoved
        bump, reason = self.implied
        if not self.base_id:
            return changes.not_compared("other versions came meanwhile")
        return changes.Implied(bump, f"{reason} (compared with {self.against})")


def judge(desk: Desk, request: Request, new: changes.Side) -> Judged:
    """Compare what is about to be registered with its base; never a reason not to register."""
    if not naming.counts_up(desk, request):
        return Judged()
    database = desk.model_if_any(request.model)
    base = naming.base_row(database, request) if database is not None else None
    if database is None or base is None or naming.counted_from(database, base) is None:
        return Judged(changes.FIRST, base.id if base else "", database=database)
    entry = Entry(request.model, database, base)
    implied = _implied(desk, entry, new)
    return Judged(implied, base.id, entry.ref, database)


def step_beside(desk: Desk, request: Request, new: changes.Side) -> changes.Implied | None:
    """The step that a registration is where the caller says another; None where nobody says one."""
    if request.version is None and request.bump is None:
        return None
    database = desk.model_if_any(request.model)
    base = naming.base_row(database, request) if database is not None else None
    if database is None or base is None:
        return None
    return _implied(desk, Entry(request.model, database, base), new)


def _implied(desk: Desk, base: Entry, new: changes.Side) -> changes.Implied:
    try:
        return changes.implied(stored_side(desk, base), new)
    except NbregError as error:
        return changes.not_compared(error.message)
    except Exception as error:
        log.debug("%s was not compared", base.ref, exc_info=True)
        return changes.not_compared(type(error).__name__)


def stored_side(desk: Desk, entry: Entry) -> changes.Side:
    """A version that is there, its parts read when they are asked for."""
    manifest = _made_here.get(entry.row.id) or parts.manifest(desk, entry)

    def read(name: str, kind: type[Any]) -> Any:
        return parts.captured(desk, entry, getattr(manifest, name), kind)

    return changes.Side(manifest, read)
