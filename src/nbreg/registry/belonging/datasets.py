"""Data sets: named series of snapshots, each told from the others by its content.

They have a journal of their own, since a data set belongs to no model. A snapshot gets its place
there after the bytes of the version that used it are stored, and before that version's line: whoever
is killed between leaves a data set that was seen, which is true. Which versions used a snapshot stands
in the models' journals, in the line that made each version (`registry/belonging/uses.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from nbreg.errors import BadInputError, BadReferenceError, UnknownDatasetError, did_you_mean
from nbreg.names import SHORTEST_DIGEST, check_model_name
from nbreg.records import DataLink, DatasetRow, NamedSnapshot, Snapshot
from nbreg.registry.ground.desk import Desk
from nbreg.store.tiny import JournalDB

MOST_ORIGINS: Final = 20
LONGEST_ORIGIN: Final = 10_000
"""Characters of an origin; a query may be long."""

_DIGEST: Final = re.compile("[0-9a-f]{64}")


class Dataset:
    """Data with a name: `register("churn", clf, data={"train": nbreg.Dataset("customers", X)})`.

    Each content is a version of the data set; the same content is the same version, whoever
    registers it. `origin` says where it comes from (a path, a URL, the text of a query): it is
    recorded as it is given, credentials taken out, and never looked at.
    """

    def __init__(self, name: str, value: object, *, origin: str = "") -> None:
        self.name = check_dataset_name(name)
        self.value = value
        if not isinstance(origin, str):
            raise BadInputError(f"an origin is text, not {type(origin).__name__}", hint="origin='s3://…'")
        if len(origin) > LONGEST_ORIGIN:
            raise BadInputError(
                f"the origin has {len(origin):,} characters", hint=f"up to {LONGEST_ORIGIN:,}"
            )
        self.origin = origin

    def __repr__(self) -> str:
        return f"<Dataset {self.name} of {type(self.value).__name__}>"


def check_dataset_name(name: str) -> str:
    """Data sets are named as models are. Raises `BadNameError`."""
    return check_model_name(name, what="data set")


def plain_values(data: Mapping[str, object]) -> dict[str, object]:
    """Data by name, without the names of data sets."""
    return {name: each.value if isinstance(each, Dataset) else each for name, each in data.items()}


def by_name(data: object) -> object:
    """A lone `Dataset`, or several, as data by name; anything else as it is."""
    if isinstance(data, Dataset):
        data = [data]
    if isinstance(data, list | tuple) and data and all(isinstance(each, Dataset) for each in data):
        found = {each.name.rpartition("/")[2]: each for each in data}
        if len(found) != len(data):
            raise BadInputError("two data sets have one name", hint="data={'train': …, 'test': …}")
        return found
    return data


def told(links: Iterable[DataLink], given: Mapping[str, tuple[str, str]]) -> list[DataLink]:
    """The links with the data sets that the caller said they are; `given` are name and origin by link.

    Raises `BadInputError` for what has no content to be told by, such as a connection.
    """
    links = list(links)
    for link in links:
        if link.name in given and not link.snapshot:
            kind = link.summary.get("kind", "value")
            raise BadInputError(
                f"{given[link.name][0]!r} has no content that could be digested: it is a {kind}",
                hint="give the rows, or a Path of the file",
            )
    return [
        msgspec.structs.replace(link, dataset=given[link.name][0], origin=given[link.name][1])
        if link.name in given
        else link
        for link in links
    ]


def checked(links: Iterable[DataLink]) -> list[DataLink]:
    """Links of another registry as far as what they name is a data set: they are as untrusted as the rest."""
    from nbreg.registry.ground.given import checked_text

    found = []
    for link in links:
        with suppress(BadInputError):
            if link.dataset and _DIGEST.fullmatch(link.snapshot):
                origin = checked_text(link.origin[:LONGEST_ORIGIN], "the origin")
                check_dataset_name(link.dataset)
                found.append(msgspec.structs.replace(link, origin=origin))
    return found


# writing


def note(desk: Desk, links: Iterable[DataLink], *, reason: str = "", message: str = "") -> list[Snapshot]:
    """Give each link that names a data set its version there; what is there already is not written."""
    wanted = [link for link in links if link.dataset and link.snapshot]
    known = [find(desk, link.dataset, link.snapshot) for link in wanted]
    if all(_is_told(each, link) for each, link in zip(known, wanted, strict=True)):
        return [each for each in known if each is not None]
    database = desk.folder.data_to_write()
    with desk.transaction(database, "data-seen", reason=reason, message=message) as draft:
        noted = [_noted(database, draft.at, desk.actor.user, link) for link in wanted]
        draft.facts["data"] = [ref_of(each) for each in noted]
    return noted


def _is_told(known: Snapshot | None, link: DataLink) -> bool:
    return known is not None and (not link.origin or link.origin in known.origins)


def _noted(database: JournalDB, at: str, by: str, link: DataLink) -> Snapshot:
    series = database.row("datasets", link.dataset, DatasetRow)
    series = series or DatasetRow(name=link.dataset, created=at, by=by)
    known = _find(database, link.dataset, link.snapshot)
    if known is None:
        known = Snapshot(
            dataset=link.dataset,
            number=series.count + 1,
            snapshot=link.snapshot,
            at=at,
            by=by,
            summary=link.summary,
        )
        _name_it(database, known)
    if link.origin and link.origin not in known.origins:
        known = msgspec.structs.replace(known, origins=[*known.origins, link.origin][-MOST_ORIGINS:])
    database.put("dataset-versions", ref_of(known), known)
    count = max(series.count, known.number)
    database.put("datasets", series.name, msgspec.structs.replace(series, count=count))
    return known


def _name_it(database: JournalDB, made: Snapshot) -> None:
    row = database.row("snapshots", made.snapshot, NamedSnapshot) or NamedSnapshot()
    database.put("snapshots", made.snapshot, NamedSnapshot(named=[*row.named, ref_of(made)]))


# reading


def ref_of(snapshot: Snapshot) -> str:
    """`customers@2`."""
    return f"{snapshot.dataset}@{snapshot.number}"


def all_latest(desk: Desk) -> list[Snapshot]:
    """The newest version of each data set, by name."""
    database = desk.folder.data.refresh()
    series = (database.row("datasets", name, DatasetRow) for name in sorted(database.ids("datasets")))
    found = (_version(database, each.name, each.count) for each in series if each is not None)
    return [each for each in found if each is not None]


def series(desk: Desk, name: str) -> list[Snapshot]:
    """The versions of a data set, newest first."""
    database = desk.folder.data.refresh()
    row = _series(database, name)
    found = (_version(database, name, number) for number in range(row.count, 0, -1))
    return [each for each in found if each is not None]


def get(desk: Desk, ref: str) -> Snapshot:
    """`customers` (the newest), `customers@2` or `customers@sha256:…`. Raises `UnknownDatasetError`."""
    if not isinstance(ref, str):
        raise BadReferenceError(
            f"a data set is named by text, not {type(ref).__name__}", hint="'customers@2'"
        )
    name, _, selector = ref.strip().partition("@")
    database = desk.folder.data.refresh()
    row = _series(database, check_dataset_name(name))
    if selector.startswith("sha256:"):
        digest = full_digest(database, "snapshots", selector)
        found = _find(database, name, digest) if digest else None
    elif selector in ("", "latest"):
        found = _version(database, name, row.count)
    elif selector.isascii() and selector.isdigit():
        found = _version(database, name, int(selector))
    else:
        raise BadReferenceError(
            f"{ascii(selector)[:60]} is no version of a data set", hint=f"{name}@{row.count}"
        )
    if found is None:
        numbers = f"its numbers go from 1 to {row.count}"
        raise UnknownDatasetError(f"{name!r} has no version {selector[:80]}", hint=numbers)
    return found


def names_of(desk: Desk, snapshot: str) -> list[str]:
    """What a snapshot is called, as `customers@2`."""
    row = desk.folder.data.refresh().row("snapshots", snapshot, NamedSnapshot) if snapshot else None
    return list(row.named) if row else []


def find(desk: Desk, name: str, snapshot: str) -> Snapshot | None:
    """The version of a data set that has this content."""
    return _find(desk.folder.data.refresh(), name, snapshot)


def _find(database: JournalDB, name: str, snapshot: str) -> Snapshot | None:
    row = database.row("snapshots", snapshot, NamedSnapshot)
    named = [each.rpartition("@") for each in (row.named if row else ())]
    numbers = [number for series, _, number in named if series == name]
    return database.row("dataset-versions", f"{name}@{numbers[0]}", Snapshot) if numbers else None


def full_digest(database: JournalDB, table: str, text: str) -> str:
    """The one digest of a table that begins so; empty where there is none. Raises `BadReferenceError`."""
    beginning = checked_digest(text)
    found = database.completions(table, beginning)
    if len(found) > 1:
        raise BadReferenceError(f"{text[:20]} could be {len(found)} snapshots", hint="give more digits")
    return found[0] if found else ""


def checked_digest(text: str) -> str:
    """The hex digits of a digest or of its beginning. Raises `BadReferenceError`."""
    beginning = text.removeprefix("sha256:").lower()
    is_hex = all(each in "0123456789abcdef" for each in beginning)
    if not is_hex or not SHORTEST_DIGEST <= len(beginning) <= 64:
        raise BadReferenceError(
            f"{ascii(text)[:60]} is not a digest", hint=f"sha256: and {SHORTEST_DIGEST} to 64 hex digits"
        )
    return beginning


def _series(database: JournalDB, name: str) -> DatasetRow:
    row = database.row("datasets", name, DatasetRow)
    if row is None:
        known = database.ids("datasets")
        raise UnknownDatasetError(
            f"no data set named {name!r}", hint=did_you_mean(name, known, "`nbreg datasets` lists them")
        )
    return row


def _version(database: JournalDB, name: str, number: int) -> Snapshot | None:
    return database.row("dataset-versions", f"{name}@{number}", Snapshot)


def as_facts(snapshot: Snapshot) -> dict[str, Any]:
    """One as JSON: what a list gives."""
    told: dict[str, Any] = msgspec.to_builtins(snapshot)
    return {"ref": ref_of(snapshot), "origins": [], "summary": {}, **told}
