"""What every transaction on a model keeps true: its row in brief, and who holds which stage.

These run inside a transaction, under the model's lock, and only read and put rows.
"""

from __future__ import annotations

import msgspec

from nbreg import lifecycle
from nbreg.errors import UnknownVersionError
from nbreg.names import SemanticVersion, parse_semantic
from nbreg.records import Lifecycle, ModelRow, Pointer, Protection, StageRow, VersionRow
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import Draft, JournalDB


def version_row(database: JournalDB, number: int, *, deleted: bool = False) -> VersionRow:
    """A version's row as it is under the lock. Raises `UnknownVersionError`."""
    row = database.row("versions", number, VersionRow)
    if row is None or (row.deleted is not None and not deleted):
        raise UnknownVersionError(f"version {number} was deleted meanwhile")
    return row


def brief(database: JournalDB, draft: Draft, *, new_model: str = "") -> ModelRow:
    """Bring the model's own row up to date with what the draft did; each line carries it."""
    row = database.row(*MODEL_ROW, ModelRow) or ModelRow(name=new_model, created=draft.at)
    row = msgspec.structs.replace(row, at=draft.at)
    database.put(*MODEL_ROW, row)
    draft.carried.add(MODEL_ROW)
    return row


def note(database: JournalDB, draft: Draft, row: VersionRow, **facts: object) -> None:
    """Say on the line which version it is about and what is done; the model's own row goes with it."""
    draft.facts.update(number=row.number, **({"name": row.name} if row.name else {}), was=row.stage, **facts)
    brief(database, draft)


def change(database: JournalDB, **fields: object) -> ModelRow:
    """Change fields of the model's own row."""
    row = database.row(*MODEL_ROW, ModelRow)
    assert row is not None
    row = msgspec.structs.replace(row, **fields)
    database.put(*MODEL_ROW, row)
    return row


def add(database: JournalDB, row: VersionRow, *, is_vouched_for: bool = True) -> None:
    """A new version: its row, all that leads to it, and the model's counts.

    What its manifest says of its content nobody can check without running it. So a version that
    nobody vouches for never stands for what is registered later.
    """
    pointer = Pointer(number=row.number)
    database.put("versions", row.number, row)
    if not _is_there(database, database.row("ids", row.id, Pointer)):  # a copy is the same version
        database.put("ids", row.id, pointer)
    if is_vouched_for:
        database.put("content", row.content_digest, pointer)
    if row.name:
        database.put("names", row.name, pointer)
    model = database.row(*MODEL_ROW, ModelRow)
    assert model is not None
    fields: dict[str, object] = {
        "next_number": row.number + 1,
        "versions": model.versions + 1,
        "latest": row.number,
        "latest_name": row.name,
    }
    mine, highest = semantic(row), parse_semantic(model.highest)
    if mine is not None and (highest is None or mine.order >= highest.order):
        fields |= {"highest": row.name, "highest_number": row.number}
    change(database, **fields)


def _is_there(database: JournalDB, pointer: Pointer | None) -> bool:
    row = database.row("versions", pointer.number, VersionRow) if pointer else None
    return row is not None and row.deleted is None


PROTECTED = "protected"
ARCHIVED = "archived"
"""What the last stage is called where nobody chose another word."""


def is_protected(database: JournalDB, alias: str) -> bool:
    """Whether an alias is protected; it need not be there yet."""
    return database.row(PROTECTED, alias, Protection) is not None


def is_taken(database: JournalDB, name: str) -> bool:
    """Whether a new version cannot have a name: a version or an alias has it, or a protected alias will."""
    there = any(database.row(table, name, Pointer) is not None for table in ("names", "aliases"))
    return there or is_protected(database, name)


# stages


def enter(
    database: JournalDB,
    draft: Draft,
    rules: Lifecycle,
    row: VersionRow,
    to: str,
    *,
    before: int | None = None,
) -> VersionRow:
    """Move a version to a stage; returns its new row.

    It leaves the stage where it was; the holder of a stage that takes only one goes to the
    last stage. `before` is the line to roll back to, if not the one of the present holder.
    """
    row = leave(database, draft, rules, row)
    if to in lifecycle.held(rules):
        stage = database.row("stages", to, StageRow) or StageRow()
        if before is None:
            before = _line_of_holder(database, to, stage)
        count = stage.count + 1
        if to in rules.single and stage.number is not None:
            _put_aside(database, rules, stage.number, draft)
            count = 1
        _put_stage(database, to, StageRow(number=row.number, at=draft.at, before=before, count=count))
        if to in rules.single and to not in row.stages_held:
            row = msgspec.structs.replace(row, stages_held=[*row.stages_held, to])
    row = msgspec.structs.replace(row, stage=to)
    database.put("versions", row.number, row)
    return row


def leave(database: JournalDB, draft: Draft, rules: Lifecycle, row: VersionRow) -> VersionRow:
    """Take a version out of the stage it is in; the stage goes to who came before and is still there."""
    stage = database.row("stages", row.stage, StageRow)
    if stage is None or row.stage not in lifecycle.held(rules):
        return row
    count = max(0, stage.count - 1)
    if stage.number != row.number:
        _put_stage(database, row.stage, msgspec.structs.replace(stage, count=count))
        return row
    number, before = _who_is_still_there(database, row) if count else (None, None)
    if before is None:
        before = _line_of_holder(database, row.stage, stage)
    _put_stage(database, row.stage, StageRow(number=number, at=draft.at, before=before, count=count))
    return row


def _put_aside(database: JournalDB, rules: Lifecycle, number: int, draft: Draft) -> None:
    """The former holder of a stage that takes only one goes out of use."""
    holder = database.row("versions", number, VersionRow)
    if holder is not None:
        database.put("versions", number, msgspec.structs.replace(holder, stage=lifecycle.last(rules)))
        tell_archived(draft, rules, holder)


def tell_archived(draft: Draft, rules: Lifecycle, row: VersionRow) -> None:
    """Say on the line who went out of use, and where that is called otherwise, how."""
    draft.facts["archived"] = row.number
    if row.name:
        draft.facts["archived_name"] = row.name
    if lifecycle.last(rules) != ARCHIVED:
        draft.facts["archived_to"] = lifecycle.last(rules)


def _put_stage(database: JournalDB, name: str, stage: StageRow) -> None:
    database.put("stages", name, stage)
    model = database.row(*MODEL_ROW, ModelRow)
    assert model is not None
    stages = {key: number for key, number in model.stages.items() if key != name}
    if stage.number is not None:
        stages[name] = stage.number
    change(database, stages=stages)


def _line_of_holder(database: JournalDB, name: str, stage: StageRow) -> int:
    """The seq of the line that made the present holder hold; of the one before, where nobody does."""
    if stage.number is None:
        return stage.before
    written = database.history("stages", name)
    return written[-1] + 1 if written else 0


def holder(database: JournalDB, name: str) -> VersionRow | None:
    """The version that holds a stage now."""
    stage = database.row("stages", name, StageRow)
    return (
        None if stage is None or stage.number is None else database.row("versions", stage.number, VersionRow)
    )


def holders_before(database: JournalDB, name: str) -> list[tuple[int, StageRow]]:
    """Who held a stage before its present holder, latest first, with the row of that time."""
    stage = database.row("stages", name, StageRow)
    found: list[tuple[int, StageRow]] = []
    while stage is not None and stage.before:
        seq = stage.before
        stage = database.row("stages", name, StageRow, before=seq)
        if stage is not None and stage.number is not None:
            found.append((seq, stage))
    return found


def _who_is_still_there(database: JournalDB, row: VersionRow) -> tuple[int | None, int | None]:
    """Who came last of those that are still in the stage that a version leaves, and the line before."""
    for index in reversed(database.history("stages", row.stage)):
        stage = database.row("stages", row.stage, StageRow, before=index + 1)
        if stage is None or stage.number is None or stage.number == row.number:
            continue
        holder = database.row("versions", stage.number, VersionRow)
        if holder is not None and holder.stage == row.stage and not holder.deleted:
            return holder.number, stage.before
    return None, None


# the model in brief


def semantic(row: VersionRow) -> SemanticVersion | None:
    """The semantic version of a row's name."""
    return parse_semantic(row.name)


def uncount(database: JournalDB, number: int) -> None:
    """A version is there no longer."""
    model = _moved(database, -1)
    if number in (model.latest, model.highest_number):
        recount(database)


def count_again(database: JournalDB) -> None:
    """A version is there again."""
    _moved(database, +1)
    recount(database)


def _moved(database: JournalDB, step: int) -> ModelRow:
    model = database.row(*MODEL_ROW, ModelRow)
    assert model is not None
    return change(database, versions=model.versions + step, deleted=model.deleted - step)


def recount(database: JournalDB) -> None:
    """Find the latest and the highest version again, after one was deleted or restored.

    Reads few rows: down from the newest number, and down from the highest name of the index.
    """
    latest, highest = _newest(database), _highest(database)
    change(
        database,
        latest=latest.number if latest else None,
        latest_name=latest.name if latest else None,
        highest=(highest.name or "") if highest else "",
        highest_number=highest.number if highest else None,
    )


def _newest(database: JournalDB) -> VersionRow | None:
    model = database.row(*MODEL_ROW, ModelRow)
    for number in range(model.next_number - 1 if model else 0, 0, -1):
        row = database.row("versions", number, VersionRow)
        if row is not None and row.deleted is None:
            return row
    return None


def _highest(database: JournalDB) -> VersionRow | None:
    named = [(version.order, name) for name in database.ids("names") if (version := parse_semantic(name))]
    for _order, name in sorted(named, reverse=True):
        pointer = database.row("names", name, Pointer)
        row = database.row("versions", pointer.number, VersionRow) if pointer else None
        if row is not None and row.deleted is None:
            return row
    return None
