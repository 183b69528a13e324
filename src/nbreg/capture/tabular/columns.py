"""The content of a column as a digest, what a person wants to know of its values, and its rows as numbers."""

from __future__ import annotations

import struct
import sys
from array import array as packed
from collections import Counter
from hashlib import sha256
from itertools import islice
from math import isfinite, nan
from typing import Any, Final

from nbreg import families
from nbreg.capture import secrets
from nbreg.capture.secrets import Redactor, secret_kind
from nbreg.capture.tabular import bins
from nbreg.capture.tabular.tables import EVERY, ColumnOf, Table, Values
from nbreg.records import Column, canonical, digest_of

DISTINCT: Final = 1_000
"""Distinct values that are counted."""

TOP: Final = 20
"""Texts that are recorded with their counts."""

_TRIED: Final = 4_096
LONGEST: Final = 80
_SCANNED: Final = 200
_PLAIN: Final = frozenset((bool, int, float, str, bytes, type(None)))
_MIX: Final = 0x9E3779B97F4A7C15


def records(table: Table, rows: slice, redactor: Redactor, *, sketched: bool = True) -> list[Column]:
    """What is recorded of each column."""
    if table.block is not None and rows == EVERY and len(table.block) <= _TRIED:
        return _of_block(table, redactor, sketched=sketched)
    return [record(column, rows, redactor, sketched=sketched) for column in table.columns]


def _of_block(table: Table, redactor: Redactor, *, sketched: bool) -> list[Column]:
    """The same of many columns of numbers at once: numpy takes as long for one as for thirty."""
    import numpy as np

    lying = np.ascontiguousarray(table.block.T)
    sketches = _block_sketches(lying) if sketched else [{}] * len(lying)
    prefix = sha256(f"{lying.dtype.str}{lying.shape[1:]}".encode())
    found = []
    for column, values, sketch in zip(table.columns, lying.view("u1"), sketches, strict=True):
        hasher = prefix.copy()
        hasher.update(values.data)
        told = _array_sketch(Values(array=values.view(lying.dtype)), redactor) if sketch is None else sketch
        name = redactor.text(column.name)[:200]
        found.append(Column(name=name, dtype=column.dtype, digest=hasher.hexdigest(), **told))
    return found


def _block_sketches(lying: Any) -> list[dict[str, Any] | None]:
    """The sketch of each row; None where one has gaps or no end."""
    import numpy as np

    with np.errstate(all="ignore"):
        means = lying.mean(axis=1, dtype=float)
    ordered = np.sort(lying, axis=1)
    changed = ordered[:, 1:] != ordered[:, :-1]
    distinct = changed.sum(axis=1) + 1
    with np.errstate(all="ignore"):  # of a row with gaps nothing is used
        spread = bins.of_ordered(ordered, changed)
    facts = zip(
        means.tolist(),
        distinct.tolist(),
        ordered[:, 0].tolist(),
        ordered[:, -1].tolist(),
        spread,
        strict=True,
    )
    return [
        {
            "nulls": 0,
            "distinct": count if count <= DISTINCT else None,
            "min": low,
            "max": high,
            "mean": mean,
            **each,
        }
        if isfinite(mean) and -(2**63) <= low <= high < 2**63
        else None
        for mean, count, low, high, each in facts
    ]


def record(column: ColumnOf, rows: slice, redactor: Redactor, *, sketched: bool = True) -> Column:
    """What is recorded of a column: digest and sketch, or why there are none."""
    name = redactor.text(column.name)[:200]
    values = column.read(rows)
    if withheld := secret_of(column.name, values):
        redactor.named(withheld)
        return Column(name=name, dtype=column.dtype, withheld=withheld)
    if not sketched:
        return Column(name=name, dtype=column.dtype, digest=digest(values))
    sketch = _listed_sketch if values.array is None or values.categories is not None else _array_sketch
    return Column(name=name, dtype=column.dtype, digest=digest(values), **sketch(values, redactor))


def secret_of(name: str, values: Values) -> str:
    """The kind of secret that a column of text holds, by its name or by a look at its values."""
    texts = [each for each in _some(values) if type(each) is str]
    if not texts:
        return ""
    if kind := secret_kind(name):
        return kind
    return min(secrets.find("\n".join(texts).encode(errors="replace")), default="")


def _some(values: Values) -> list[Any]:
    listed = values.categories if values.categories is not None else values.listed
    if listed is None:
        return values.array.reshape(-1)[:_SCANNED].tolist() if values.array.dtype.kind == "U" else []
    return listed[:: max(1, len(listed) // _SCANNED)]


# digests


def digest(values: Values) -> str:
    """The digest of the values in their order; empty where they do not tell their value."""
    if values.array is None:
        return _digest_of_list(values.listed or [])
    import numpy as np

    array = np.ascontiguousarray(values.array)
    hasher = sha256(f"{array.dtype.str}{array.shape}".encode())
    if array.size:
        hasher.update(array.reshape(-1).view("u1").data)
    if values.missing is not None and values.missing.any():
        hasher.update(np.packbits(values.missing).data)
    if values.categories is not None:
        hasher.update(_digest_of_list(values.categories).encode())
    return hasher.hexdigest()


def _digest_of_list(values: list[Any]) -> str:
    kinds = set(map(type, values))
    if kinds <= {str}:
        return _digest_of_texts(values, packed("q", map(len, values)))
    if _is_text_with_gaps(kinds, values):
        lengths = packed("q", [len(each) if type(each) is str else -1 for each in values])
        return _digest_of_texts([each for each in values if type(each) is str], lengths)
    if kinds <= _PLAIN:
        spelled = [f"{type(each).__name__}:{each!r}" for each in values]
        return _digest_of_texts(spelled, packed("q", map(len, spelled)), "mixed")
    return families.snapshot(values)


def _is_text_with_gaps(kinds: set[type], values: list[Any]) -> bool:
    if str not in kinds or not all(kind in _missing_types() for kind in kinds - {str}):
        return False
    return float not in kinds or all(each != each for each in values if type(each) is float)


def gaps(values: list[Any]) -> int:
    """How many of these are no value: None, NaN, and what pandas has for it."""
    missing = _missing_types()
    return sum(type(each) is not float or each != each for each in values if type(each) in missing)


def _missing_types() -> set[type]:
    absent = getattr(sys.modules.get("pandas"), "NA", None)
    return {type(None), float, type(absent)}


def _digest_of_texts(texts: list[str], lengths: Any, tag: str = "text") -> str:
    hasher = sha256(f"{tag}{len(lengths)}:".encode())
    hasher.update(lengths.tobytes())
    hasher.update("".join(texts).encode("utf-8", "surrogatepass"))
    return hasher.hexdigest()


# sketches


def _array_sketch(values: Values, redactor: Redactor) -> dict[str, Any]:
    import numpy as np

    array = values.array.reshape(-1)
    missing = np.isnat(array) if array.dtype.kind in "Mm" else values.missing
    if array.dtype.kind in "fc" and missing is None and array.size and _may_have_nan(array):
        missing = np.isnan(array)
    present = array if missing is None else array[~missing]
    ordered = _sample(present)
    changed = ordered[1:] != ordered[:-1]
    found: dict[str, Any] = {
        "nulls": int(array.size - present.size),
        "distinct": _distinct(present, changed),
    }
    if ordered.size and array.dtype.kind in "biuf" and isfinite(ordered[0]) and isfinite(ordered[-1]):
        found |= bins.of_ordered(ordered[None], changed[None])[0]
    if present.size and array.dtype.kind in "biufMm":
        found |= {"min": _spelled(present.min()), "max": _spelled(present.max())}
    if present.size and array.dtype.kind in "biuf":
        found["mean"] = mean_of(present)
    return found


def mean_of(numbers: Any) -> float | None:
    """The mean; None where it has no end. numpy would warn of that in whatever cell is run."""
    import numpy as np

    with np.errstate(all="ignore"):
        mean = float(numbers.mean(dtype=float))
    return mean if isfinite(mean) else None


def _may_have_nan(array: Any) -> bool:
    """Quick; true also where the numbers add up to none, as two infinite ones do."""
    import numpy as np

    with np.errstate(all="ignore"):
        return bool(np.isnan(array.sum()))


def _sample(array: Any) -> Any:
    """Some of the values, from all over the column and in order; all of them where they are few."""
    import numpy as np

    return np.sort(array[:: -(-array.size // _TRIED) or 1]) if array.dtype.kind != "V" else array[:0]


def _distinct(array: Any, changed: Any) -> int | None:
    """How many values differ; a column of which a part has too many already is not counted to its end.

    `changed` says where that part, in order, steps up.
    """
    import numpy as np

    if array.dtype.kind == "V":
        return None
    counted = int(changed.sum()) + 1 if array.size else 0
    if array.size > _TRIED and counted <= DISTINCT:
        unique = getattr(sys.modules.get("pandas"), "unique", np.unique)
        counted = len(unique(array))
    return counted if counted <= DISTINCT else None


def _spelled(value: Any) -> Any:
    if value.dtype.kind in "Mm":
        return str(value)
    plain = value.item()
    fits = isfinite(plain) if type(plain) is float else -(2**63) <= plain < 2**63
    return plain if fits else str(plain)


def _listed_sketch(values: Values, redactor: Redactor) -> dict[str, Any]:
    """Counts; and the most frequent values, where they are short texts that repeat."""
    if values.categories is not None:
        return _category_sketch(values, redactor)
    listed = values.listed or []
    all_text = set(map(type, listed)) == {str}
    if not all_text and (numbers := as_numbers(values)) is not None:
        return _array_sketch(numbers, redactor)
    texts = listed if all_text else [each for each in listed if type(each) is str]
    others = listed if len(texts) < len(listed) else []
    found: dict[str, Any] = {"nulls": gaps(others)}
    if len(texts) + found["nulls"] != len(listed) or len(set(islice(texts, _TRIED))) > DISTINCT:
        return found
    return found | _counted(Counter(texts), redactor)


def as_numbers(values: Values) -> Values | None:
    """A list of nothing but numbers and gaps as an array of floats; None where it is another one."""
    import numpy as np

    listed = values.listed
    if not listed or values.categories is not None:
        return None
    kinds = set(map(type, listed))
    if not kinds & {bool, int, float} or not kinds <= {bool, int, float, type(None)}:
        return None
    try:
        return Values(array=np.array(listed, dtype=float))  # None becomes NaN
    except OverflowError:
        return None


def _category_sketch(values: Values, redactor: Redactor) -> dict[str, Any]:
    import numpy as np

    codes, names = values.array, values.categories or []
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    found = {"nulls": int((codes < 0).sum())}
    if not all(type(name) is str for name in names):
        return found | {"distinct": sum(count > 0 for count in counts)}
    counted = Counter({name: count for name, count in zip(names, counts, strict=True) if count})
    return found | _counted(counted, redactor)


def _counted(counts: Counter[str], redactor: Redactor) -> dict[str, Any]:
    if len(counts) > DISTINCT:
        return {}
    top = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    if len(counts) > TOP:  # the rest is among many: one that stands there once is of one person, perhaps
        top = [pair for pair in top if pair[1] > 1]
    before = redactor.counts.copy()
    shown = [[redactor.value(text), count] for text, count in top]
    short = all(len(text) <= LONGEST for text, _ in top) and top and top[0][1] > 1
    return {"distinct": len(counts), "top": shown if short and redactor.counts == before else []}


# rows as numbers


def row_hashes(columns: list[ColumnOf], rows: slice, block: Any = None) -> Any:
    """A number for each row: equal rows, equal numbers, and unequal ones differ but for chance.

    Numbers are compared as floats, so `1` is `1.0`, and rows of a frame are found in an array.
    `block` is the columns as one array, where there is one.
    """
    import numpy as np

    if block is not None and columns:
        return _mixed(_bits(block[rows]), np.arange(1, block.shape[1] + 1, dtype="u8")).sum(axis=1)
    total, at = np.zeros(0, "u8"), 0
    for column in columns:
        for codes in _codes(column.read(rows)):
            at += 1
            mixed = _mixed(codes, np.uint64(at))
            total = total + mixed if at > 1 else mixed
    return total


def _mixed(codes: Any, places: Any) -> Any:
    """Numbers that look random, and depend on the place of the column; their sum stands for a row."""
    import numpy as np

    with np.errstate(over="ignore"):
        mixed = codes + places * np.uint64(_MIX)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return mixed


def shared(first: Any, second: Any) -> int:
    """How many of the second's numbers are among the first's; of random numbers faster than `isin`."""
    import numpy as np

    known = np.sort(first)
    if not known.size:
        return 0
    places = np.minimum(np.searchsorted(known, second), known.size - 1)
    return int((known[places] == second).sum())


def _codes(values: Values) -> list[Any]:
    import numpy as np

    if values.array is None:
        return [_hashed(values.listed or [])]
    array = values.array
    if values.categories is not None:
        return [np.append(_hashed(values.categories), np.uint64(0))[array]]
    if array.ndim > 1:  # a few cells of each row, evenly spread
        flat = array.reshape(len(array), -1)
        step = max(1, flat.shape[1] // 64)
        return [_bits(flat[:, at]) for at in range(0, flat.shape[1], step)]
    return [_bits(array)]


def _bits(array: Any) -> Any:
    import numpy as np

    if array.dtype.kind in "Mm":
        return array.astype("i8").view("u8")
    if array.dtype.kind not in "biuf":
        return _hashed(array.tolist())
    floats = array.astype("f8") + 0.0  # one zero, and below one NaN
    if _may_have_nan(floats):
        floats[np.isnan(floats)] = np.nan
    return floats.view("u8")


def _hashed(values: list[Any]) -> Any:
    import numpy as np

    try:
        known = {each: _hash(each) for each in set(values)}
        return np.fromiter(map(known.__getitem__, values), "u8", len(values))
    except TypeError:  # what has no hash of its own is of no plain type
        return np.fromiter(map(_hash, values), "u8", len(values))


def _hash(value: Any) -> int:
    kind = type(value)
    if kind in (bool, int, float):
        return _number_bits(float(value))
    return int.from_bytes(sha256(repr(value).encode()).digest()[:8]) if kind in _PLAIN else 1


def _number_bits(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", (value if value == value else nan) + 0.0))[0]
    return bits


def of_columns(columns: list[Column], shape: list[int], scope: str) -> str:
    """The snapshot: a digest over the columns, their names and types. The index is no part of it."""
    told = [[each.name, each.dtype, each.digest or each.withheld] for each in columns]
    return digest_of(canonical([shape, scope, told]))
