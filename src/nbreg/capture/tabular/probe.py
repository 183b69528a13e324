"""A few frozen rows of the input, chosen so that anybody chooses the same, and bytes that bring them back.

The bytes are a JSON document, and for arrays their raw elements: reading them runs no code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

from nbreg.capture.tabular import columns
from nbreg.capture.tabular.tables import Table, Values, as_table
from nbreg.records import Chunk, Probe, canonical, digest_of

ROWS: Final = 64
MOST_BYTES: Final = 1024 * 1024
_CHOSEN_FROM: Final = 100_000
_FULL: Final = slice(None)

Read = Callable[[Chunk], bytes | bytearray | memoryview]


def choose(table: Table) -> Any:
    """The positions of the rows with the smallest hashes: the same rows in whatever order they come.

    Of a table of more than a hundred thousand rows every n-th is looked at.
    """
    import numpy as np

    step = -(-table.rows // _CHOSEN_FROM)
    rows = slice(None, None, step) if step > 1 else _FULL
    hashes = columns.row_hashes(table.columns, rows, table.block)
    if len(table.columns) != 1 and len(hashes) != -(-table.rows // max(1, step)):
        hashes = np.arange(-(-table.rows // step))  # of a sparse table: its first ones
    row = max(1, table.bytes // max(1, table.rows))
    wanted = max(1, min(ROWS, MOST_BYTES // row))
    return np.argsort(hashes, kind="stable")[:wanted] * step


def frozen(value: object) -> list[bytes] | None:
    """The value as bytes: a document, and the elements of its array; None where it has no such form."""
    table = as_table(value)
    if table is None:
        return None
    if table.kind == "numpy.ndarray" and not value.dtype.hasobject and not value.dtype.names:  # type: ignore[attr-defined]
        return _frozen_array(value, table.kind)
    if len(table.shape) > 2 or len(table.columns) != (table.shape[1] if len(table.shape) == 2 else 1):
        return None
    told = [{"name": each.name, "dtype": each.dtype, **_frozen(each.read(_FULL))} for each in table.columns]
    return [canonical({"kind": table.kind, "shape": table.shape, "columns": told})]


def _frozen_array(array: Any, kind: str) -> list[bytes]:
    head = {"kind": kind, "shape": list(array.shape), "dtype": array.dtype.str}
    return [canonical(head), array.tobytes()]


def _frozen(values: Values) -> dict[str, Any]:
    if values.array is None:
        return {"values": [_spelled(each) for each in values.listed or []]}
    array = values.array
    plain = (array.astype(str) if array.dtype.kind in "Mm" else array).tolist()
    told = [_spelled(each) for each in plain]
    if values.categories is not None:
        return {"values": told, "categories": [_spelled(each) for each in values.categories]}
    if values.missing is not None:
        told = [None if gone else each for each, gone in zip(told, values.missing.tolist(), strict=True)]
    return {"values": told}


def _spelled(value: Any) -> Any:
    """The value as JSON has it; a float that it has no form for, as `{"float": "nan"}`."""
    if type(value) is float:
        return value if value - value == 0 else {"float": str(value)}
    if type(value) in (bool, str, type(None)) or (type(value) is int and value.bit_length() < 63):
        return value
    return {"text": str(value)[:1000]} if type(value).__module__ != "__main__" else {"text": "…"}


def thawed(chunks: list[Chunk], read: Read) -> Any:
    """The rows again: an array as it was, a frame of pandas if that is loaded, else columns as lists."""
    document = msgspec.json.decode(bytes(read(chunks[0])))
    if "columns" not in document:
        import numpy as np

        flat = np.frombuffer(bytes(read(chunks[1])), dtype=np.dtype(document["dtype"]))
        return flat.reshape(document["shape"]).copy()
    values = {each["name"]: [_plain(cell) for cell in _decoded(each)] for each in document["columns"]}
    pandas = sys.modules.get("pandas")
    if document["kind"] != "pandas.DataFrame" or pandas is None:
        return values
    frame = pandas.DataFrame(values)
    return frame.astype({each["name"]: each["dtype"] for each in document["columns"]})


def _decoded(column: dict[str, Any]) -> list[Any]:
    names = column.get("categories")
    return column["values"] if names is None else [names[at] if at >= 0 else None for at in column["values"]]


def _plain(cell: Any) -> Any:
    if isinstance(cell, dict):
        return float(cell["float"]) if "float" in cell else cell["text"]
    return cell


def probe_of(inputs: list[bytes], outputs: list[bytes], rows: int, left: str) -> Probe:
    """The record; `left` says why there are no outputs."""
    summary: dict[str, Any] = {"rows": rows, "outputs": left or "taken"}
    return Probe(inputs=_chunks(inputs), outputs=_chunks(outputs), summary=summary)


def _chunks(parts: list[bytes]) -> list[Chunk]:
    return [Chunk(digest=digest_of(part), size=len(part)) for part in parts]


def rows_of(frozen: list[bytes]) -> int:
    """How many rows a frozen value has."""
    shape = msgspec.json.decode(frozen[0])["shape"] if frozen else []
    return int(shape[0]) if shape else 0
