"""What a registration would store, shown before anything is: every variable, cell and artifact of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from nbreg.display import html
from nbreg.display.cards import gaps
from nbreg.display.summaries import summary_line
from nbreg.display.text import NOTHING, brief, count, grid, listed, pairs, size, telling_first
from nbreg.records import (
    Artifact,
    Captured,
    Execution,
    Foretold,
    Manifest,
    Recipe,
    ShownTable,
    Variable,
    Variables,
)

MOST_VARIABLES: Final = 200
MOST_CELLS: Final = 100

_HOW: Final = ("recorded", "summarised", "by type alone", "withheld")
_PARTS: Final = ("environment", "source", "data", "signature", "probe")
_VARIABLES: Final = (
    html.Column("variable", "key"),
    html.Column("type"),
    html.Column("what is recorded", "long"),
)
_CELLS: Final = (
    html.Column("cell", "right"),
    html.Column("begins with", "long"),
    html.Column("lines", "right"),
)


def preview_bundle(model: str, manifest: Manifest, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The preview as HTML and as text."""
    facts, tables, missing = _facts(manifest), _tables(parts), _missing(manifest)
    head = "what would be registered; nothing was written"
    body = html.heading(model, "preview", head) + html.facts(facts)
    body += "".join(
        html.quiet(title) + html.table(columns, rows) + _more(more) for title, columns, rows, more in tables
    )
    return {
        "text/plain": _text(model, head, facts, tables, missing),
        "text/html": html.view(body + "".join(html.note(gap, "gap") for gap in missing), card=True),
    }


def foretold(manifest: Manifest, parts: Mapping[str, Any]) -> Foretold:
    """The preview as a record, all of it text that can be shown."""
    return Foretold(
        facts=[[name, brief(text, 2000)] for name, text in _facts(manifest)],
        tables=[
            ShownTable(
                title=title,
                columns=[column.title for column in columns],
                rows=[[brief(cell) for cell in row] for row in rows],
                more=more,
            )
            for title, columns, rows, more in _tables(parts)
        ],
        gaps=_missing(manifest),
    )


def _tables(parts: Mapping[str, Any]) -> list[_Table]:
    variables, cells = parts.get("variables"), parts.get("recipe")
    return [
        *([_variables(variables)] if isinstance(variables, Variables) else []),
        *([_cells(cells)] if isinstance(cells, Recipe) else []),
    ]


def _missing(manifest: Manifest) -> list[str]:
    return [gap for gap in gaps(manifest) if gap.endswith(")")]


_Table = tuple[str, tuple[html.Column, ...], list[tuple[str, ...]], str]


def _more(more: str) -> str:
    return html.quiet(more) if more else ""


def _text(
    model: str, head: str, facts: list[tuple[str, str]], tables: list[_Table], missing: list[str]
) -> str:
    width = max((len(name) for name, _ in facts), default=0)
    lines = [f"{brief(model)} preview · {head}"]
    lines += [f"  {name.ljust(width)}  {brief(text, 2000)}" for name, text in facts]
    for title, columns, rows, more in tables:
        plain = [[brief(cell) for cell in row] for row in rows]
        right = [column.kind == "right" for column in columns]
        lines += ["", title, *([grid([column.title for column in columns], plain, right)] if rows else [])]
        lines += [more] if more else []
    return "\n".join(lines + missing)


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    lines = [("artifacts", " · ".join(map(_artifact, manifest.artifacts[:20])))]
    total = sum(each.size for each in manifest.artifacts)
    lines.append(("together", size(total) if len(manifest.artifacts) > 1 else ""))
    lines += [("metrics", pairs(manifest.metrics)), ("params", pairs(telling_first(manifest.params)))]
    if not manifest.data.is_there:
        lines.append(("data", listed(each.name for each in manifest.links)))
    for part in _PARTS:
        captured: Captured = getattr(manifest, part)
        if captured.is_there:
            lines.append((part, summary_line(part, captured.summary)))
    withheld = ", ".join(f"{brief(kind, 40)} {times}" for kind, times in manifest.redactions.items())
    lines.append(("withheld", withheld))
    return [(name, text) for name, text in lines if text]


def _artifact(artifact: Artifact) -> str:
    kind = artifact.type.removeprefix("builtins.")
    return f"{brief(artifact.name, 60)} {brief(kind, 80)} {size(artifact.size)}"


def _variables(variables: Variables) -> _Table:
    amounts = Counter(map(_how, variables.variables))
    title = f"variables: {', '.join(f'{amounts[how]} {how}' for how in _HOW if amounts[how]) or 'none'}"
    shown = variables.variables[:MOST_VARIABLES]
    rows: list[tuple[str, ...]] = [(each.name, each.type, _recorded(each)) for each in shown]
    more = max(0, len(variables.variables) - MOST_VARIABLES)
    words = [f"and {more} more" if more else ""]
    words.append(f"{variables.left_out} left out: {variables.reason}" if variables.left_out else "")
    return title, _VARIABLES, rows, " · ".join(word for word in words if word)


def _how(variable: Variable) -> str:
    if variable.redacted:
        return "withheld"
    if variable.value is not None or variable.type == "NoneType":
        return "recorded"
    return "summarised" if variable.summary else "by type alone"


def _recorded(variable: Variable) -> str:
    """The value, what stands in its place, or why there is nothing."""
    how = _how(variable)
    if how == "withheld":
        return (
            f"withheld: {'the settings exclude it' if variable.redacted == 'excluded' else variable.redacted}"
        )
    if how == "recorded":
        return brief(_spoken(variable.value), 80)
    told = pairs({key: _short(each) for key, each in variable.summary.items()}, 4)
    return f"summarised: {told}" if told else "its type alone"


def _spoken(value: Any) -> str:
    """A recorded value about as Python writes it; what has a type beside it, with that type."""
    if isinstance(value, list):
        return f"[{', '.join(map(_spoken, value))}]"
    if isinstance(value, dict) and "$type" in value:
        told = value.get("items", value.get("value"))
        return f"{value['$type']}({'…' if told is None else _spoken(told)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_spoken(each)}' for key, each in value.items())}}}"
    return repr(value)


def _short(value: object) -> str:
    if isinstance(value, list):
        return (
            "×".join(map(str, value))
            if all(isinstance(each, int) for each in value)
            else count(len(value), "item")
        )
    return str(value)


def _cells(recipe: Recipe) -> _Table:
    history = f" of {count(len(recipe.history), 'run')}" if recipe.history else ""
    title = f"recipe: {count(len(recipe.cells), 'run')}{history}, {recipe.status}"
    rows = [_cell(each) for each in recipe.cells[-MOST_CELLS:]]
    more = max(0, len(recipe.cells) - MOST_CELLS)
    return title, _CELLS, rows, f"and {more} before" if more else ""


def _cell(execution: Execution) -> tuple[str, ...]:
    lines = execution.source.strip().split("\n")
    number = str(execution.execution_count) if execution.execution_count else NOTHING
    return number, lines[0], str(len(lines))
