"""The recipe of a version as it is stored: bounded, and without secrets.

Which executions the model depends on is found by `capture.recipe`; where nobody watched the
cells, every execution is kept, which never leaves out what the model needs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from nbreg.capture.secrets import Redactor, secret_kind
from nbreg.records import Context, Execution, Recipe

log = logging.getLogger("nbreg")

RECIPE_BYTES: Final = 1024 * 1024
"""How much source a recipe holds; what is older is left out, and the reasons say so."""

CELL_BYTES: Final = 256 * 1024
"""How much of a single cell is held; a longer one is mostly pasted data."""

Order = Literal["linear", "re-run", "out of order"]


def capture_recipe(context: Context, redactor: Redactor, models: Sequence[object] = ()) -> Recipe:
    """The executions that the models depend on, and beside them all that ran.

    Oldest first, as executed, without secrets, each list within `RECIPE_BYTES`.
    """
    found = _found(context, models)
    if found is None:
        return keep_all(context.executions, redactor)
    cells, cut = _bounded([_redacted(each, redactor) for each in found.cells])
    history, _ = _bounded([_redacted(each, redactor) for each in found.history])
    return msgspec.structs.replace(
        found,
        status="incomplete" if cut else found.status,
        reasons=[*cut, *(redactor.text(reason) for reason in found.reasons)],
        cells=[_redacted_why(each, redactor) for each in cells],
        history=[] if len(history) == len(cells) else history,
    )


def _found(context: Context, models: Sequence[object]) -> Recipe | None:
    """What watching the cells has found. That it failed must not cost the registration its recipe."""
    try:
        return context.recipe_for(*models) if models else None
    except Exception:
        log.debug("the recipe is not known", exc_info=True)
        return None


def _redacted_why(execution: Execution, redactor: Redactor) -> Execution:
    return msgspec.structs.replace(execution, why=redactor.text(execution.why))


def _tokens(execution: Execution, source: str, redactor: Redactor) -> dict[str, str]:
    """Digests of what the cell wrote, but of nothing that may be or hold a secret.

    A short password can be found by trying digests; so a cell that held one tells none at all.
    """
    if source != execution.source:
        return {}
    return {
        name: token
        for name, token in execution.tokens.items()
        if name not in redactor.withheld and not secret_kind(name) and redactor.text(name) == name
    }


def keep_all(executions: Iterable[Execution], redactor: Redactor) -> Recipe:
    """All executions, oldest first, as executed, without secrets, within `RECIPE_BYTES`."""
    every = list(executions)
    cells, reasons = _bounded([_redacted(each, redactor) for each in every])
    unseen = sum(not each.seen for each in every)
    if not every:
        reasons.append("no cell was executed")
    elif unseen:
        reasons.append(f"{unseen} of {len(every)} cells are known from history only")
    complete = not reasons
    if every:
        reasons.append("every executed cell is kept")
    return Recipe(
        status="conservative" if complete else "incomplete",
        reasons=reasons,
        state={"order": order} if (order := execution_order(every)) else {},
        cells=cells,
    )


def _redacted(execution: Execution, redactor: Redactor) -> Execution:
    source = redactor.text(execution.source)
    tokens = _tokens(execution, source, redactor) if execution.tokens else {}
    if source == execution.source and len(tokens) == len(execution.tokens):
        return execution
    return msgspec.structs.replace(execution, source=source, tokens=tokens)


def _bounded(executions: list[Execution]) -> tuple[list[Execution], list[str]]:
    """The latest executions that fit, and what was left out to make them fit."""
    reasons = []
    cut = [each for each in executions if len(each.source) > CELL_BYTES]
    if cut:
        reasons.append(f"{len(cut)} cells are cut to {CELL_BYTES // 1024} KiB each")
        executions = [_cut(each) for each in executions]
    left = RECIPE_BYTES
    first = len(executions)
    while first and (left := left - _size(executions[first - 1])) >= 0:
        first -= 1
    if first:
        reasons.append(
            f"the first {first} of {len(executions)} cells are left out: over {RECIPE_BYTES // 1024} KiB"
        )
    return executions[first:], reasons


def _cut(execution: Execution) -> Execution:
    # Cut after redaction, so that no half of a secret escapes it.
    return msgspec.structs.replace(execution, source=execution.source[:CELL_BYTES])


def _size(execution: Execution) -> int:
    source = execution.source
    return 128 + (len(source) if source.isascii() else len(source.encode()))


def execution_order(executions: Sequence[Execution]) -> Order | None:
    """How the cells were run, as far as their ids or counts tell; None where they do not.

    A cell run again right after itself is a re-run; run again after others, it is out of order.
    """
    if not executions:
        return None
    if not all(each.cell_id for each in executions):
        return _order_by_count(executions)
    order: Order = "linear"
    seen: set[str] = set()
    before = ""
    for each in executions:
        if each.cell_id in seen:
            if each.cell_id != before:
                return "out of order"
            order = "re-run"
        seen.add(each.cell_id)
        before = each.cell_id
    return order


def _order_by_count(executions: Sequence[Execution]) -> Order | None:
    """Without ids (nbclient, papermill) only an unbroken count of different cells is telling."""
    counts = [each.execution_count for each in executions]
    sources = {each.source for each in executions}
    unbroken = counts == list(range(1, len(counts) + 1))
    return "linear" if unbroken and len(sources) == len(executions) else None


def recipe_summary(recipe: Recipe) -> dict[str, Any]:
    """What a card says of a recipe."""
    cells = {each.cell_id or f"#{index}" for index, each in enumerate(recipe.cells)}
    summary: dict[str, Any] = {"status": recipe.status, "cells": len(cells), "executions": len(recipe.cells)}
    if recipe.history:
        summary["history"] = len(recipe.history)
    if "order" in recipe.state:
        summary["state"] = recipe.state["order"]
    return summary | {each: recipe.state[each] for each in ("edited", "deleted") if each in recipe.state}
