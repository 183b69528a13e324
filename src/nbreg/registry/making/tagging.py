"""A git tag for a version: all that would refuse it is asked before anything is registered."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nbreg.capture.context import current_context
from nbreg.capture.project import tags
from nbreg.errors import BadInputError, NbregError
from nbreg.records import Source, VersionRow
from nbreg.registry.ground import bookkeeping, parts
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.stages import cautions


class Wanted(NamedTuple):
    """A tag that was asked for, and where it is going to stand."""

    at: tags.Commit
    name: str
    """Empty where it is named after the version."""


def asked(
    desk: Desk, given: bool | str, model: str, version: str | None, *, allow_dirty: bool
) -> Wanted | None:
    """What was asked for. Raises what stands in the way of it."""
    if given is False or given is None:
        return None
    if given is not True and not isinstance(given, str):
        raise BadInputError(f"git_tag is a {type(given).__name__}", hint="True, or the tag's name")
    at = tags.clean_commit(current_context().folder, desk.folder.path, allow_dirty=allow_dirty)
    name = "" if given is True else given
    if name or version:
        tags.check_free(at.top, name or named(model, version or ""), _mark(model))
    return Wanted(at, name)


def named(model: str, version: str) -> str:
    """`churn-v1.0.0`; git allows `/` in it."""
    return f"{model}-v{version}"


def tag(desk: Desk, entry: Entry, wanted: Wanted) -> Entry:
    """Make the tag, and say on the version what it is called, or why there is none."""
    row = entry.row
    if row.git_tag and wanted.name in ("", row.git_tag):
        return entry
    name = wanted.name or named(entry.model, row.name or str(row.number))
    try:
        if row.git_tag:
            raise NbregError(f"{entry.ref} has the tag {row.git_tag} already")
        _refuse_other_commit(desk, entry, wanted)
        tags.make(wanted.at, name, _message(entry.row) or entry.ref, f"{_mark(entry.model)}{row.id}")
    except NbregError as error:
        told = f"the git tag {name} was not made: {error.message}"
        return _said(desk, entry, "not-tagged", name, wanted, told)
    return _said(desk, entry, "tagged", name, wanted, "")


def _refuse_other_commit(desk: Desk, entry: Entry, wanted: Wanted) -> None:
    """Equal content, a draft or what a run logged may have been made long ago, from other code."""
    manifest = parts.manifest(desk, entry)
    git = parts.captured(desk, entry, manifest.source, Source).git
    is_of_now = not (entry.existing or manifest.draft)
    if git is None and is_of_now:
        return  # it was not captured, and there was no time for another commit
    if git is None or git.commit != wanted.at.commit:
        raise NbregError(f"{entry.ref} was made from {git.commit[:10] if git else 'an unknown commit'}")


def _message(row: VersionRow) -> str:
    return row.message or row.description or row.bump_reason


def _mark(model: str) -> str:
    """What a tag of a version of the model says; the version's id follows."""
    return f"nbreg: {model}@sha256:"


def _said(desk: Desk, entry: Entry, kind: str, name: str, wanted: Wanted, told: str) -> Entry:
    database = entry.database
    with desk.transaction(database, kind) as draft:
        row = bookkeeping.version_row(database, entry.number, deleted=True)
        bookkeeping.note(database, draft, row, tag=name, commit=wanted.at.commit)
        said = cautions.add(draft, told)
        stands = row.git_tag if said else name
        after = msgspec.structs.replace(row, git_tag=stands, warnings=[*row.warnings, *said])
        database.put("versions", row.number, after)
    return msgspec.structs.replace(entry, row=database.row("versions", row.number, VersionRow) or after)
