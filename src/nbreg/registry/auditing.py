"""Audit: all that is recorded of a model, read once and told as it stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from nbreg import __version__ as nbreg_version
from nbreg import lifecycle
from nbreg.display.audit import AuditView
from nbreg.errors import BadInputError, ConflictError, NbregError, option
from nbreg.records import (
    About,
    Audit,
    AuditedTenure,
    AuditedVersion,
    Data,
    Manifest,
    Problem,
    Tenure,
    UsedDataset,
    VerifyReport,
    VersionRow,
)
from nbreg.registry.belonging import datasets, deployments, links, uses
from nbreg.registry.ground import parts, proofs, reading, rights
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.housekeeping import verifying
from nbreg.registry.verbs import history
from nbreg.store.files import refused
from nbreg.store.tiny import JournalDB

T = TypeVar("T")

_FORMATS: Final = (".html", ".md")


def audit(desk: Desk, model: str, path: Path | None, *, verify: bool, overwrite: bool) -> AuditView:
    """Tell of a model, and write it where that is asked for; see `Registry.audit`."""
    target = None if path is None else _target(path, overwrite=overwrite)
    told = AuditView.of(collect(desk, model, verify=verify))
    if target is not None:
        _write(target, told.to_html() if target.suffix.lower() == ".html" else told.to_markdown())
    return told


def collect(desk: Desk, model: str, *, verify: bool) -> Audit:
    """The record of it; what cannot be read is said to be unreadable, and hides nothing else."""
    database, odd = desk.model(model), _Unreadable()
    numbers = sorted(map(int, database.ids("versions")), reverse=True)
    rows = [_row(odd, model, database, number) for number in numbers]
    none: list[AuditedTenure] = []
    return Audit(
        model=model,
        registry=desk.id,
        at=desk.folder.now(),
        by=desk.actor,
        tool=f"nbreg {nbreg_version}",
        about=odd.or_else(model, About(), lambda: rights.about(database)),
        stages=desk.stages,
        heads={model: database.journal.head},
        verified=_verified(desk, model) if verify else None,
        whole=desk.sees_all,
        versions=[_version(desk, odd, Entry(model, database, row)) for row in rows if row is not None],
        tenures=[
            each
            for stage in lifecycle.held(desk.lifecycle)[::-1]
            for each in odd.or_else(model, none, partial(_tenures, odd, model, database, stage))
        ],
        deployments=odd.or_else(model, [], lambda: deployments.everything(database)),
        events=odd.or_else(model, [], lambda: reading.events(desk, model, since=None, limit=None)),
        unreadable=odd.problems(),
    )


class _Unreadable:
    """What was to be told and could not be read: each thing once, whoever asked for it."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def or_else(self, where: str, other: T, read: Callable[[], T]) -> T:
        """What is read; in place of what cannot be, the other, and a problem."""
        try:
            return read()
        except NbregError as error:
            self._found[Problem(code=error.code, where=where, message=error.message)] = None
            return other

    def problems(self) -> list[Problem]:
        """All of it, in the order in which it was found."""
        return list(self._found)


def _row(odd: _Unreadable, model: str, database: JournalDB, number: int) -> VersionRow | None:
    return odd.or_else(f"{model}@{number}", None, lambda: database.row("versions", number, VersionRow))


def _verified(desk: Desk, model: str) -> VerifyReport:
    """As much read anew as is there for whoever asks."""
    if desk.sees_all:
        return verifying.verify(desk, expect=None, repair=False)
    return verifying.verify_model(desk, model)


def _version(desk: Desk, odd: _Unreadable, entry: Entry) -> AuditedVersion:
    database, number, where = entry.database, entry.number, f"{entry.model}@{entry.number}"
    manifest: Manifest | None = None
    unreadable, digest = "", ""
    try:
        manifest = parts.manifest(desk, entry)
        digest = parts.captured(desk, entry, manifest.data, Data).feature_set
    except NbregError as error:
        unreadable = error.message
    return AuditedVersion(
        row=entry.row,
        manifest=manifest,
        unreadable=unreadable,
        data=used_data(desk, manifest) if manifest else [],
        feature_set=odd.or_else(where, None, lambda: uses.feature_set(database, digest)),
        proof=odd.or_else(where, None, lambda: proofs.proof_of(entry)),
        links=odd.or_else(where, [], lambda: links.of(database, number)),
        deployments=odd.or_else(where, [], lambda: deployments.of(database, number)),
        aliases=odd.or_else(where, [], lambda: entry.aliases),
    )


def used_data(desk: Desk, manifest: Manifest) -> list[UsedDataset]:
    """The data that a version saw, with what it is called by now."""
    return [
        UsedDataset(
            name=link.name,
            role=link.role,
            snapshot=link.snapshot,
            datasets=datasets.names_of(desk, link.snapshot),
            origin=link.origin,
            inferred=link.inferred,
            summary=dict(link.summary),
        )
        for link in manifest.links
    ]


def _tenures(odd: _Unreadable, model: str, database: JournalDB, stage: str) -> list[AuditedTenure]:
    """Who held a stage when, and what began it; latest first."""

    def told(tenure: Tenure) -> AuditedTenure:
        began = database.journal.line(tenure.since - 1)
        version = _row(odd, model, database, tenure.number)
        return AuditedTenure(
            stage=stage,
            number=tenure.number,
            name=(version.name or version.superseded_name) if version else "",
            since=began.at,
            until=database.journal.line(tenure.until - 1).at if tenure.until else "",
            began_by=reading.event(model, began),
        )

    return [told(tenure) for tenure in history.tenures(database, stage)]


def _target(path: Path, *, overwrite: bool) -> Path:
    target = path.expanduser().absolute()
    if target.suffix.lower() not in _FORMATS:
        raise BadInputError(f"{path.name} is neither HTML nor Markdown", hint=f"{path.stem}.html or .md")
    if target.exists() and (not overwrite or not target.is_file()):
        raise ConflictError(f"{target} is there already", hint=f"another name, or {option('overwrite')}")
    return target


def _write(target: Path, text: str) -> None:
    """All at once: who opens it sees a whole report."""
    unfinished = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("x", encoding="utf-8") as file:
            file.write(text)
        unfinished.replace(target)
    except OSError as error:
        raise refused(error, target) from error
    finally:
        unfinished.unlink(missing_ok=True)
