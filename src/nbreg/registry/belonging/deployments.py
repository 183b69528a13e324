"""Deployments: where a version is at work, since when, and what took its place.

nbreg deploys nothing: people and pipelines say what they did. The deployments of a version are one row,
and who is at a place now is another, so that both are found without looking through history.
"""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from nbreg.errors import BadInputError, BadValueError, NotFoundError, did_you_mean
from nbreg.names import LONGEST_NAME
from nbreg.records import DeployedRow, Deployment, DeploymentStatus, PlaceRow, VersionRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_text
from nbreg.store.tiny import Draft, JournalDB

DEPLOYED: Final = "deployed"
PLACES: Final = "places"
STATUSES: Final = get_args(DeploymentStatus)


def deploy(
    desk: Desk,
    ref: str,
    where: str,
    *,
    url: str,
    status: str,
    alongside: bool,
    reason: str,
    message: str,
) -> Deployment:
    """Say that a version is at work somewhere; see `ModelVersion.deploy`."""
    where, url, status = _place(where), _url(url), _status(status)
    entry = reading.to_write(desk, ref)
    desk.ready()
    database = entry.database
    with desk.transaction(database, "deployed", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number)
        known = at_place(database, row.number, where)
        made = Deployment(
            id=known.id if known else draft.seq,
            model=entry.model,
            number=row.number,
            version_id=row.id,
            where=where,
            status=status,
            url=url or (known.url if known else ""),
            since=known.since if known else draft.at,
            by=known.by if known else desk.actor.user,
            reason=draft.reason or (known.reason if known else ""),
            message=draft.message or (known.message if known else ""),
        )
        others = [] if alongside else _others(database, row.number, where)
        if made == known and not others:
            return made
        facts: dict[str, object] = {
            "where": where,
            "status": status,
            **({"url": made.url} if made.url else {}),
        }
        if others:
            facts["replaced"] = others
        bookkeeping.note(database, draft, row, **facts)
        for number in others:
            _end(database, draft, desk.actor.user, number, where, replaced_by=row.number)
        _put(database, row.number, made)
        numbers = [*_there(database, where), row.number] if alongside else [row.number]
        database.put(PLACES, where, PlaceRow(numbers=sorted(set(numbers))))
    return made


def end(desk: Desk, ref: str, where: str, *, reason: str, message: str) -> Deployment:
    """Say that a version is no longer at work somewhere; see `ModelVersion.undeploy`."""
    where = _place(where)
    entry = reading.to_write(desk, ref, deleted=True)
    database = entry.database
    _refuse_absent(entry, where)
    desk.ready()
    with desk.transaction(database, "undeployed", reason=reason, message=message) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        _refuse_absent(entry, where)
        bookkeeping.note(database, draft, row, where=where)
        ended = _end(database, draft, desk.actor.user, row.number, where)
        left = [number for number in _there(database, where) if number != row.number]
        database.put(PLACES, where, PlaceRow(numbers=left) if left else None)
    return ended


def _refuse_absent(entry: Entry, where: str) -> None:
    if at_place(entry.database, entry.number, where) is None:
        places = [each.where for each in of(entry.database, entry.number) if not each.is_over]
        raise NotFoundError(
            f"{entry.ref} is not deployed at {where!r}", hint=did_you_mean(where, places, "it is nowhere")
        )


def _end(
    database: JournalDB, draft: Draft, by: str, number: int, where: str, *, replaced_by: int | None = None
) -> Deployment:
    known = at_place(database, number, where)
    assert known is not None
    over = msgspec.structs.replace(
        known, status="ended", ended=draft.at, ended_by=by, replaced_by=replaced_by
    )
    _put(database, number, over)
    return over


def _put(database: JournalDB, number: int, made: Deployment) -> None:
    others = [each for each in of(database, number) if each.id != made.id]
    deployments = sorted([*others, made], key=lambda each: each.id)
    database.put(DEPLOYED, str(number), DeployedRow(deployments=deployments))


def _there(database: JournalDB, where: str) -> list[int]:
    place = database.row(PLACES, where, PlaceRow)
    return list(place.numbers) if place else []


def _others(database: JournalDB, number: int, where: str) -> list[int]:
    return [each for each in _there(database, where) if each != number]


# reading


def of(database: JournalDB, number: int) -> list[Deployment]:
    """The deployments of a version, oldest first."""
    row = database.row(DEPLOYED, str(number), DeployedRow)
    return list(row.deployments) if row else []


def at_place(database: JournalDB, number: int, where: str) -> Deployment | None:
    """The deployment of a version at a place, if it has not ended."""
    return next((each for each in of(database, number) if each.where == where and not each.is_over), None)


def places_of(database: JournalDB, row: VersionRow) -> list[str]:
    """Where a version is deployed now."""
    return [each.where for each in of(database, row.number) if not each.is_over]


def current(database: JournalDB) -> list[Deployment]:
    """What is at work now, by place."""
    found = []
    for where in sorted(database.ids(PLACES)):
        at = (at_place(database, number, where) for number in _there(database, where))
        found += [each for each in at if each is not None]
    return found


def everything(database: JournalDB) -> list[Deployment]:
    """All deployments that there were, newest first."""
    numbers = sorted(int(each) for each in database.ids(DEPLOYED) if each.isdecimal())
    found = [each for number in numbers for each in of(database, number)]
    return sorted(found, key=lambda each: each.id, reverse=True)


# what is given


def _place(where: str) -> str:
    if not isinstance(where, str) or not where.strip():
        raise BadValueError("a deployment is somewhere", hint="deploy('prod-eu')")
    where = where.strip()
    if len(where) > LONGEST_NAME or not where.isprintable():
        raise BadValueError(f"{ascii(where)[:60]} is no place", hint=f"up to {LONGEST_NAME} characters")
    return checked_text(where, "the place")


def _url(url: str) -> str:
    from nbreg.registry.belonging.links import checked_target

    return checked_target(url) if checked_text(url, "the address") else ""


def _status(status: str) -> DeploymentStatus:
    if status not in STATUSES or status == "ended":
        raise BadInputError(
            f"{ascii(status)[:40]} is no status of a deployment",
            hint=f"{', '.join(STATUSES[:-1])}; undeploy ends one",
        )
    return status  # type: ignore[return-value]
