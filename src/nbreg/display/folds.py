"""All that was captured of a version, folded: a line for each part, which opens to what is in it.

`<details>` folds without a script, in notebooks, on GitHub and in converted pages alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.tables import what
from nbreg.display.text import NOTHING, brief, count, escaped, listed, moment, number, pairs, size
from nbreg.records import (
    Artifact,
    Data,
    Environment,
    Event,
    Execution,
    Recipe,
    Signature,
    Source,
    Variables,
)

MOST_ROWS: Final = 60
MOST_CODE: Final = 12_000
"""Characters of all code that is shown; the whole of it is in the version."""
MOST_CELL: Final = 4_000


class Fold(NamedTuple):
    """One part: what it is, how much there is of it, and what opens."""

    title: str
    told: str
    body: str


class Unreadable(NamedTuple):
    """A part that is damaged, or of another release; the others are shown all the same."""

    why: str


def folded(folds: Sequence[Fold]) -> str:
    """The parts, each closed; what is in one scrolls by itself, and by keyboard."""
    return "".join(
        f'<details class="nbreg-fold"><summary><b>{escaped(each.title)}</b> '
        f'<span class="nbreg-quiet">{escaped(each.told, 300)}</span></summary>'
        f'<div class="nbreg-room" tabindex="0">{each.body}</div></details>'
        for each in folds
    )


def version_folds(parts: Mapping[str, Any]) -> list[Fold]:
    """A fold for each part that is there, in the order in which a reader asks."""
    found = []
    for title, value in parts.items():
        if isinstance(value, Unreadable):
            found.append(Fold(title, f"not readable: {brief(value.why)}", ""))
        elif value and (told := _FOLDERS[title](value)) is not None:
            found.append(Fold(title, *told))
    return found


Told = tuple[str, str] | None


def _artifacts(artifacts: Sequence[Artifact]) -> Told:
    rows = [[a.name, a.kind, a.type or NOTHING, f"{a.family}, {a.form}", size(a.size)] for a in artifacts]
    columns = (
        Column("name", "key"),
        Column("kind"),
        Column("class"),
        Column("stored as"),
        Column("size", "right"),
    )
    return listed(a.name for a in artifacts), _table(columns, rows)


def _values(values: Mapping[str, Any]) -> Told:
    rows = [
        (name, number(each) if isinstance(each, int | float) else brief(each))
        for name, each in values.items()
    ]
    return pairs(values, 3), html.facts(rows[:MOST_ROWS]) + _more(len(rows))


def _data(data: Data) -> Told:
    sets = [
        [
            link.name,
            link.role or NOTHING,
            "×".join(map(str, link.summary.get("shape") or ())) or NOTHING,
            f"sha256:{link.snapshot[:12]}" if link.snapshot else "not digested",
            "inferred" if link.inferred else "named",
        ]
        for link in data.sets
    ]
    columns = (Column("set", "key"), Column("role"), Column("shape"), Column("snapshot"), Column("how"))
    body = _table(columns, sets)
    for name, described in data.columns.items():
        body += _named(name) + _table(_OF_COLUMNS, [_column(each) for each in described])
    files = [[brief(each.get("path", "")), size(int(each.get("size") or 0))] for each in data.files]
    if files:
        body += _named("files read") + _table((Column("file", "key"), Column("size", "right")), files)
    return listed(link.name for link in data.sets), body


_OF_COLUMNS: Final = (
    Column("column", "key"),
    Column("type"),
    Column("empty", "right"),
    Column("distinct", "right"),
    Column("least", "right"),
    Column("most", "right"),
    Column("mean", "right"),
)


def _column(each: Any) -> list[str]:
    values = (each.nulls, each.distinct, each.min, each.max, each.mean)
    return [each.name, each.dtype, *(NOTHING if value is None else number(value) for value in values)]


def _signature(signature: Signature) -> Told:
    sides = (("inputs", signature.inputs), ("outputs", signature.outputs))
    body = "".join(
        _named(name) + html.facts(_fields(side)) + _more(len(side)) for name, side in sides if side
    )
    inferred = ", inferred" if signature.inferred else ""
    return (
        f"{count(len(signature.inputs), 'input')}, {count(len(signature.outputs), 'output')}{inferred}",
        body,
    )


def _fields(side: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [
        (str(each.get("name", "")), pairs({k: v for k, v in each.items() if k != "name" and v is not None}))
        for each in side[:MOST_ROWS]
    ]


def _environment(environment: Environment) -> Told:
    python, system = environment.python, environment.os
    machine = [
        ("Python", pairs(python)),
        ("system", pairs(system)),
        ("processor", pairs(environment.cpu)),
        ("accelerators", listed(pairs(each) for each in environment.accelerators)),
    ]
    used = [each for each in environment.distributions if each.imported]
    rows = [[each.name, each.version, each.origin] for each in used]
    body = html.facts([each for each in machine if each[1]])
    body += _named(f"{len(used)} of {count(len(environment.distributions), 'distribution')} imported")
    body += _table((Column("distribution", "key"), Column("version"), Column("from")), rows)
    return f"Python {brief(python.get('version', ''), 40)}, {len(used)} distributions imported", body


def _variables(variables: Variables) -> Told:
    rows = [[each.name, each.type.rpartition(".")[2], _variable(each)] for each in variables.variables]
    columns = (Column("name", "key"), Column("type"), Column("value", "long"))
    return count(len(rows), "variable"), _table(columns, rows)


def _variable(each: Any) -> str:
    if each.redacted:
        return f"withheld: {each.redacted}"
    return pairs(each.summary) if each.value is None and each.summary else brief(each.value)


def _recipe(recipe: Recipe) -> Told:
    reasons = "".join(map(html.quiet, recipe.reasons[:10]))
    return f"{count(len(recipe.cells), 'cell')}, {recipe.status}", reasons + "".join(_cells(recipe.cells))


def _cells(cells: Sequence[Execution]) -> Iterator[str]:
    left = MOST_CODE
    for index, cell in enumerate(cells):
        if left <= 0:
            yield html.quiet(f"and {count(len(cells) - index, 'cell')} more: .recipe has them all")
            return
        source = cell.source[: min(left, MOST_CELL)]
        left -= len(source)
        yield f'<div class="nbreg-cell">{escaped(cell_name(cell))}</div>{_code(source, len(cell.source))}'


def cell_name(cell: Execution) -> str:
    """`cell [5] · id 3f2a`: what finds it again in its notebook."""
    run = f"cell [{cell.execution_count}]" if cell.execution_count is not None else "cell"
    return f"{run} · id {cell.cell_id}" if cell.cell_id else run


def _code(source: str, whole: int) -> str:
    lines = "\n".join(escaped(line, 400) for line in source.split("\n"))
    return f"<pre>{lines}{' …' if whole > len(source) else ''}</pre>"


def _source(source: Source) -> Told:
    git = source.git
    rows = [
        ("commit", git.commit if git else source.git_missing),
        ("branch", git.branch if git else ""),
        ("changed", listed(git.changed, 20) if git else ""),
        ("notebook", source.notebook),
        ("script", source.script),
        ("modules", listed(source.modules, 20)),
        ("edited since the import", listed(source.edited, 20)),
        ("definitions", listed(source.definitions, 20)),
    ]
    body = html.facts([each for each in rows if each[1]])
    if git and git.diff:
        body += _named("uncommitted") + _code(git.diff[:MOST_CELL], len(git.diff))
    return brief(git.commit, 12) if git and git.commit else "", body


def _events(events: Sequence[Event]) -> Told:
    columns = (Column("when, UTC"), Column("event", "key"), Column("by"), Column("message", "long"))
    rows = [
        [
            moment(each.at),
            what(each),
            each.by.user,
            each.message or str(each.facts.get("why") or "") or NOTHING,
        ]
        for each in events
    ]
    return listed((what(each) for each in events), 2), _table(columns, rows)


def _links(links: Sequence[Any]) -> Told:
    rows = [[each.kind, each.title or each.target, each.target, each.by] for each in links]
    columns = (Column("kind"), Column("link", "key"), Column("target", "long"), Column("by"))
    return listed((each.title or each.target for each in links), 2), _table(columns, rows)


def _deployments(deployments: Sequence[Any]) -> Told:
    rows = [
        [
            each.where,
            "ended" if each.ended else each.status,
            moment(each.since),
            moment(each.ended) or NOTHING,
            each.by,
        ]
        for each in deployments
    ]
    columns = (
        Column("where", "key"), Column("status"), Column("since, UTC"), Column("ended, UTC"), Column("by")
    )  # fmt: skip
    return listed((each.where for each in deployments), 3), _table(columns, rows)


_FOLDERS: Final[dict[str, Callable[[Any], Told]]] = {
    "artifacts": _artifacts,
    "metrics": _values,
    "params": _values,
    "content": _values,
    "data": _data,
    "signature": _signature,
    "environment": _environment,
    "variables": _variables,
    "recipe": _recipe,
    "source": _source,
    "evidence": _events,
    "links": _links,
    "deployments": _deployments,
}
"""The order of the card, and what opens each part."""

ORDER: Final = tuple(_FOLDERS)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    return (html.table(columns, rows[:MOST_ROWS]) if rows else "") + _more(len(rows))


def _more(amount: int) -> str:
    return html.quiet(f"and {amount - MOST_ROWS} more") if amount > MOST_ROWS else ""


def _named(text: str) -> str:
    return f'<div class="nbreg-part">{escaped(text)}</div>'
