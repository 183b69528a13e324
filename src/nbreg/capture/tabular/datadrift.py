"""Live data against what is recorded of the data that a version was trained on, column by column.

The measure is the population stability index over the recorded bins or texts. A gap is counted as a
value, and so are numbers beyond all that was trained on. It grows when rows are few, without anything
having moved: what chance alone brings about in one of a thousand columns is worked out beside it, and
below that nothing is said to have moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite, log, nan, prod, sqrt
from typing import Any, Final, NamedTuple

import msgspec

from nbreg.capture.secrets import Redactor
from nbreg.capture.tabular import bins, columns, rows
from nbreg.capture.tabular.data import rows_read
from nbreg.capture.tabular.tables import EVERY, ColumnOf, Table, Values, as_table
from nbreg.errors import BadInputError, InputMismatchError
from nbreg.records import Column, ColumnDrift, ColumnVerdict, Data, DataLink, DriftVerdict, Signature

_JUDGING: Final = ("test", "validation")
_MOVED: Final = 0.4
_SURE: Final = 3.09
"""Standard deviations: one column of a thousand that did not move is beyond."""

_SHOWN: Final = 5
_WORST: Final[tuple[ColumnVerdict, ...]] = (
    "missing", "retyped", "drifted", "moved", "unknown", "new", "stable",
)  # fmt: skip
_NUMBER: Final = ("int", "uint", "float", "bool", "double", "half", "Int", "UInt", "Float", "Bool")


class Reference(NamedTuple):
    """The recorded columns that a version's input is compared with."""

    link: DataLink
    columns: list[Column]

    @property
    def rows(self) -> int:
        """How many rows they tell of."""
        return rows_read(self.link.summary)

    @property
    def values(self) -> int:
        """How many values a column has: one a row, but where all of an array is one column."""
        shape = self.link.summary.get("shape") or [0]
        return self.rows * (prod(shape[1:]) if len(self.columns) == 1 and not self.columns[0].name else 1)

    @property
    def named(self) -> bool:
        """Whether the columns have names, rather than places."""
        return [each.name for each in self.columns] not in ([""], list(map(str, range(len(self.columns)))))


def reference(data: Data, signature: Signature | None) -> Reference | None:
    """The training set that goes into the model: the one that has most of its inputs, else the widest."""
    inputs = rows.names_of(signature)
    found = [
        Reference(each, _taken(data.columns[each.name], inputs))
        for each in data.sets
        if each.role not in _JUDGING and data.columns.get(each.name) and not _is_sparse(each.summary)
    ]
    known = [sum(column.name in inputs for column in each.columns) for each in found]
    places = sorted(range(len(found)), key=lambda at: (-known[at], -len(found[at].columns)))
    return found[places[0]] if places else None


def _taken(recorded: list[Column], inputs: Sequence[str]) -> list[Column]:
    """Those of the set that go in: the rest, such as the target, live data need not have."""
    return [each for each in recorded if each.name in inputs] or recorded


def _is_sparse(summary: dict[str, Any]) -> bool:
    return "sparse" in str(summary.get("kind", ""))


def compared(known: Reference, given: object, threshold: float, ref: str) -> tuple[int, list[ColumnDrift]]:
    """How many rows are given, and each column, the worst first.

    Raises `BadInputError` for what is no table, `InputMismatchError` where columns without names
    are more or fewer than those that were trained on.
    """
    table = live_table(given)
    redactor = Redactor.of_process()
    pairs, new = _paired(known, table, redactor, ref)
    found = [_column(max(1, known.values), old, live, threshold, redactor) for old, live in pairs]
    found += [ColumnDrift(name=name, verdict="new", live=live.dtype) for name, live in new]
    return table.rows, sorted(found, key=lambda each: (_WORST.index(each.verdict), -(each.psi or 0)))


def verdict(found: Sequence[ColumnDrift]) -> DriftVerdict:
    """What the columns say together: as bad as the worst; unknown where none could be compared."""
    all_of = {each.verdict for each in found}
    if all_of & {"missing", "retyped", "drifted"}:
        return "drifted"
    return "moved" if "moved" in all_of else "stable" if "stable" in all_of else "unknown"


def live_table(given: object) -> Table:
    """The rows as columns. Raises `BadInputError` for what is no table, or has no row."""
    import numpy as np  # noqa: F401 - tables are looked for where it is loaded

    if isinstance(given, list) and given and all(isinstance(row, dict) for row in given):
        names = dict.fromkeys(name for row in given for name in row)
        given = {str(name): [row.get(name) for row in given] for name in names}
    table = as_table(given)
    if table is None or _is_sparse({"kind": table.kind}):
        raise BadInputError(
            f"a {type(given).__name__} is no table", hint="a frame, an array, or a list of dictionaries"
        )
    if not table.rows:
        raise BadInputError("there are no rows to compare")
    return table


def _paired(
    known: Reference, table: Table, redactor: Redactor, ref: str
) -> tuple[list[tuple[Column, ColumnOf | None]], list[tuple[str, ColumnOf]]]:
    if not (known.named and table.named):
        if len(known.columns) != len(table.columns):
            raise InputMismatchError(
                f"{ref} was trained on rows of {len(known.columns)} columns, and these have "
                f"{len(table.columns)}",
                hint="without names, columns are compared by their places",
            )
        return list(zip(known.columns, table.columns, strict=True)), []
    live = {redactor.text(each.name)[:200]: each for each in table.columns}
    names = {each.name for each in known.columns}
    new = [(name, column) for name, column in live.items() if name not in names]
    return [(each, live.get(each.name)) for each in known.columns], new


# one column


class _Live(NamedTuple):
    """The values of a live column: numbers, or texts with how often each stands there; or neither."""

    kind: str
    rows: int
    gaps: int
    numbers: Any = None
    texts: Counter[str] = Counter()


class _Measured(NamedTuple):
    """How many fell into each bin, then and now, the gaps last; and what else is told of the column."""

    before: list[int]
    now: list[int]
    facts: dict[str, Any]


def _column(
    trained: int, old: Column, live: ColumnOf | None, threshold: float, redactor: Redactor
) -> ColumnDrift:
    told = ColumnDrift(name=old.name, verdict="unknown", recorded=old.dtype)
    if live is None:
        return msgspec.structs.replace(told, verdict="missing")
    told = msgspec.structs.replace(told, live=live.dtype)
    if old.withheld:
        return msgspec.structs.replace(told, why="its values looked like secrets, so nothing is recorded")
    now, before = _read(live), _kind_recorded(old)
    if {before, now.kind} == {"numbers", "texts"}:
        return msgspec.structs.replace(told, verdict="retyped", why=f"{before} before, {now.kind} now")
    told = msgspec.structs.replace(told, gaps_before=old.nulls / trained, gaps_now=now.gaps / now.rows)
    return _judged(told, _measured(old, now, before, trained, redactor), threshold)


def _measured(old: Column, now: _Live, before: str, trained: int, redactor: Redactor) -> _Measured:
    if old.counts and now.kind in ("numbers", "empty"):
        return _numbers(old, now, trained)
    if old.top and now.kind in ("texts", "empty"):
        return _texts(old, now, trained, redactor)
    gaps_alone = {"why": f"{_why_unknown(before)}; its gaps alone are compared"}
    return _Measured([trained - old.nulls, old.nulls], [now.rows - now.gaps, now.gaps], gaps_alone)


def _why_unknown(before: str) -> str:
    known = {"numbers": "how its numbers are spread is not recorded", "times": "times move on"}
    return known.get(before, "its values are not recorded, for they are long, many or of no plain type")


def _numbers(old: Column, now: _Live, trained: int) -> _Measured:
    numbers, looked_at = now.numbers, sum(old.counts)
    gaps = round(old.nulls * looked_at / max(1, trained - old.nulls))  # bins are of some of the rows, perhaps
    facts: dict[str, Any] = {"mean_before": old.mean}
    beyond = 0  # in a bin of their own: the first and the last recorded one would take them for usual
    if numbers.size:
        facts["mean_now"] = columns.mean_of(numbers)
        low, high = _bound(old.min), _bound(old.max)
        if low is not None and high is not None:
            near = 1e-6 * max(abs(low), abs(high))  # a narrower type rounds
            outside = (numbers < low - near) | (numbers > high + near)
            facts["outside"] = float(outside.mean())
            beyond, numbers = int(outside.sum()), numbers[~outside]
    return _Measured([*old.counts, 0, gaps], [*bins.counted(old.edges, numbers), beyond, now.gaps], facts)


def _bound(recorded: Any) -> float | None:
    """The smallest or largest number of a column; what no reader's integers hold is recorded as text."""
    bound = float(recorded) if isinstance(recorded, int | float | str) else nan
    return bound if isfinite(bound) else None


def _texts(old: Column, now: _Live, trained: int, redactor: Redactor) -> _Measured:
    """The recorded texts have a bin each, and all others one together."""
    known: dict[str, int] = dict(old.top)
    live = Counter({_shown(text, redactor): count for text, count in now.texts.items()})
    others = sum(count for text, count in live.items() if text not in known)
    rest = max(0, trained - old.nulls - sum(known.values()))
    present, present_now = max(1, trained - old.nulls), max(1, now.rows - now.gaps)
    facts: dict[str, Any] = {}
    if old.distinct == len(known) and others:
        unseen = [text for text, _ in live.most_common() if text not in known]
        facts = {"unseen": unseen[:_SHOWN], "unseen_share": others / present_now}
    shares = {text: (count / present, live[text] / present_now) for text, count in known.items()}
    value = max(shares, key=lambda text: abs(shares[text][1] - shares[text][0]))
    facts |= {"value": value, "share_before": shares[value][0], "share_now": shares[value][1]}
    then = [*known.values(), rest, old.nulls]
    return _Measured(then, [*(live[text] for text in known), others, now.gaps], facts)


def _shown(text: str, redactor: Redactor) -> str:
    """As the recorded texts are written, which are short."""
    clean = redactor.value(text)  # before it is cut: half a secret is one that nobody recognizes
    return clean if len(clean) <= columns.LONGEST else clean[: columns.LONGEST] + "…"


def _judged(told: ColumnDrift, found: _Measured, threshold: float) -> ColumnDrift:
    told = msgspec.structs.replace(told, **found.facts)
    index = _psi(found.before, found.now)
    word = index.verdict(threshold)
    if told.why:  # nothing but the gaps was compared
        is_clear = word in ("moved", "drifted")
        return msgspec.structs.replace(told, verdict=word, why="", psi=index.value) if is_clear else told
    few = min(sum(found.before), sum(found.now))
    why = f"{few} are too few to tell it from chance" if word == "unknown" else ""
    return msgspec.structs.replace(told, verdict=word, psi=index.value, why=why)


class _Index(NamedTuple):
    """The index; how large it usually is where nothing has moved, and how large it seldom becomes."""

    value: float
    usual: float
    by_chance: float

    def verdict(self, threshold: float) -> ColumnVerdict:
        """Unknown where chance would show as much, and where a drift would not be noticed."""
        if self.value < _MOVED * threshold:
            return "unknown" if self.usual > threshold else "stable"
        if self.value <= self.by_chance:
            return "unknown"
        return "moved" if self.value < threshold else "drifted"


def _psi(before: Sequence[int], now: Sequence[int]) -> _Index:
    """Half a row is added to each bin, for an empty one would make the index infinite.

    Without a move it is spread as chi-squared over the number of rows.
    """
    held = [(a, b) for a, b in zip(before, now, strict=True) if a or b]
    old, new = sum(before), sum(now)
    shares = [((a + 0.5) / (old + 0.5 * len(held)), (b + 0.5) / (new + 0.5 * len(held))) for a, b in held]
    index = sum((b - a) * log(b / a) for a, b in shares)
    free, of_rows = max(1, len(held) - 1), 1 / max(1, old) + 1 / max(1, new)
    seldom = free * (1 - 2 / (9 * free) + _SURE * sqrt(2 / (9 * free))) ** 3  # Wilson and Hilferty
    return _Index(index, (free + sqrt(2 * free)) * of_rows, seldom * of_rows)


# values


def _kind_recorded(old: Column) -> str:
    if old.counts or old.mean is not None or old.dtype.startswith(_NUMBER):
        return "numbers"
    if "date" in old.dtype.lower() or "time" in old.dtype.lower():
        return "times"
    return "texts" if old.top else "empty"


def _read(live: ColumnOf) -> _Live:
    values = live.read(EVERY)
    if values.categories is not None:
        return _categories(values)
    if values.array is None and (found := columns.as_numbers(values)) is not None:
        values = found
    return _listed(values.listed or []) if values.array is None else _array(values)


def _array(values: Values) -> _Live:
    import numpy as np

    array = values.array.reshape(-1)
    kind = array.dtype.kind
    if kind == "U":
        return _listed(array.tolist())
    missing = values.missing if values.missing is not None else np.zeros(array.shape, bool)
    if kind in "Mm":
        missing = np.isnat(array)
    elif kind in "fc":
        missing = missing | np.isnan(array)
    present, gaps = array[~missing], int(missing.sum())
    if kind in "biuf":
        return _Live("numbers" if present.size else "empty", array.size, gaps, present)
    return _Live("times" if kind in "Mm" else "other", array.size, gaps)


def _listed(listed: list[Any]) -> _Live:
    import numpy as np

    gaps = columns.gaps(listed)
    texts = [each for each in listed if type(each) is str]
    if len(texts) + gaps < len(listed):
        return _Live("other", len(listed), gaps)
    return _Live("texts" if texts else "empty", len(listed), gaps, np.zeros(0), Counter(texts))


def _categories(values: Values) -> _Live:
    """Texts, or numbers where the categories are numbers."""
    import numpy as np

    codes, names = values.array, values.categories or []
    present = codes[codes >= 0]
    gaps = len(codes) - len(present)
    if all(type(name) is str for name in names):
        counts = np.bincount(present, minlength=len(names)).tolist()
        texts = Counter({name: count for name, count in zip(names, counts, strict=True) if count})
        return _Live("texts" if texts else "empty", len(codes), gaps, np.zeros(0), texts)
    numbers = columns.as_numbers(Values(listed=names))
    if numbers is None:
        return _Live("other", len(codes), gaps)
    return _Live("numbers", len(codes), gaps, numbers.array[present])
