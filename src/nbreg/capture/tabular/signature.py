"""What goes into a model and what comes out: from the data that was given, else from the model.

Outputs come from predicting on the rows of the probe, where the model's family vouches that it changes
nothing and takes a moment. Random states and the warnings that were shown stay as they are.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from nbreg.capture.secrets import Redactor
from nbreg.capture.tabular.data import DataSet
from nbreg.capture.tabular.tables import Table, as_table
from nbreg.families.describing.describe import Description
from nbreg.records import Signature

_MOST: Final = 2_000


def input_of(sets: list[DataSet], described: Description) -> tuple[Table, Any] | None:
    """The table that the model takes, with a function that takes rows of it as the model wants them."""
    training = sorted(sets, key=lambda each: each.link.role != "train")
    tables = [each.table for each in training if each.table and each.table.rows]
    for table in tables:
        if described.features and table.pick and set(described.features) <= {c.name for c in table.columns}:
            return _picked(table, described.features)
    fitting = [table for table in tables if len(table.shape) >= 2 and _fits(table, described)]
    return (fitting[0], fitting[0].take) if fitting else None


def _picked(table: Table, names: list[str]) -> tuple[Table, Any]:
    """The table with the model's features alone, in the model's order."""
    assert table.pick is not None
    by_name = {column.name: column for column in table.columns}
    if names == [column.name for column in table.columns]:
        return table, table.take
    chosen = table._replace(
        columns=[by_name[name] for name in names], shape=[table.rows, len(names)], block=None
    )
    picked = as_table(table.pick(names))
    take = (picked or table).take
    return chosen, take


def _fits(table: Table, described: Description) -> bool:
    return described.width is None or table.shape[1] == described.width


def inputs(table: Table | None, described: Description, redactor: Redactor) -> list[dict[str, Any]]:
    """Each column by name and type; an array by type and shape; else what the model remembers."""
    if table is not None:
        return _columns(table, redactor)
    if described.features:
        return [{"name": redactor.text(name)} for name in described.features[:_MOST]]
    return [{"name": "", "shape": [-1, described.width]}] if described.width else []


def _columns(table: Table, redactor: Redactor) -> list[dict[str, Any]]:
    if table.named:
        return [{"name": redactor.text(each.name), "type": each.dtype} for each in table.columns[:_MOST]]
    kind = table.columns[0].dtype if table.columns else ""
    return [{"name": "", "type": kind, "shape": [-1, *table.shape[1:]]}]


def outputs(predicted: Any, redactor: Redactor) -> list[dict[str, Any]]:
    """What came out, in the same words."""
    table = as_table(predicted)
    return _columns(table, redactor) if table else []


def signature(
    table: Table | None, described: Description, predicted: Any, redactor: Redactor
) -> Signature | None:
    """The signature; None where nothing is known of the inputs."""
    found = inputs(table, described, redactor)
    if not found:
        return None
    return Signature(inputs=found, outputs=[] if predicted is None else outputs(predicted, redactor))


def signature_summary(signature: Signature) -> dict[str, Any]:
    """How much goes in and what comes out."""
    given = signature.inputs[0]
    width = given["shape"][-1] if "shape" in given else len(signature.inputs)
    kinds = [str(each.get("type", "")) for each in signature.outputs[:3]]
    return {"inputs": width, **({"outputs": kinds} if kinds else {})}


def predict(use: Callable[[Any], Any], rows: Any) -> Any:
    """The prediction; None where it fails, since the data given need not be what the model takes."""
    try:
        with _undisturbed():
            return use(rows)
    except Exception:
        return None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Nothing is warned of, and random states are afterwards what they were.

    The filters are swapped rather than changed: a change would let warnings be shown again
    that Python knows were shown.
    """
    numpy = sys.modules.get("numpy.random")
    before = random.getstate(), numpy.get_state(legacy=False) if numpy else None
    filters = warnings.filters
    warnings.filters = [("ignore", None, Warning, None, 0)]
    try:
        yield
    finally:
        warnings.filters = filters
        random.setstate(before[0])
        if numpy:
            numpy.set_state(before[1])
