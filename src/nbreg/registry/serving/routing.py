"""Which version answers which customer: weighted rendezvous hashing over a model's references.

Each reference draws a number from the key, and the lowest for its weight wins: `-log(u) / weight`,
with `u` from a hash of model, reference and key. So a key goes the same way everywhere, for as long
as the weights stay, and is moved by a change of weights only from A to B where B's weight grew
against A's. Nothing is stored for a key.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nbreg import lifecycle
from nbreg.errors import (
    BadReferenceError,
    BadValueError,
    NbregError,
    StoreError,
    UnknownVersionError,
    spelled,
)
from nbreg.names import parse_reference
from nbreg.records import SplitRow
from nbreg.registry.ground import bookkeeping, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import checked_kind
from nbreg.store.files import forgetful
from nbreg.store.tiny import JournalDB

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion

log = logging.getLogger("nbreg")

SPLIT: Final = ("splits", "split")
"""What was set: it alone decides for who routes without weights."""

_USED: Final = ("splits", "used")
"""What a process last brought along in its code, so that the next one with the same says nothing."""

_MOST_ARMS: Final = 64
_KINDS: Final = 256
_EXACT: Final = 1e-6


class Arm(NamedTuple):
    """One way that a key may go."""

    ref: str
    """The reference without its model, as it is hashed."""
    weight: float
    start: Any
    """The hash of all that comes before the key."""


# what is given


def checked_weights(model: str, weights: object) -> dict[str, float]:
    """The shares by reference, as parts of 1. Raises `BadValueError` or `BadReferenceError`."""
    if not isinstance(weights, Mapping) or not weights:
        raise BadValueError("a split is weights by reference", hint="{'production': 0.9, 'staging': 0.1}")
    if len(weights) > _MOST_ARMS:
        raise BadValueError(f"a split has {len(weights)} references", hint=f"at most {_MOST_ARMS}")
    found: dict[str, float] = {}
    for ref, weight in weights.items():
        name = selector(model, ref)
        if name in found:
            raise BadReferenceError(f"{name!r} stands twice in the split", hint="one weight for each")
        found[name] = _checked_weight(name, weight)
    total = math.fsum(found.values())
    for whole in (1.0, 100.0):
        if abs(total - whole) <= whole * _EXACT:
            return {name: weight / whole for name, weight in found.items()}
    raise BadValueError(f"the weights add up to {total:g}", hint="to 1, or to 100 as percents")


def _checked_weight(name: str, weight: object) -> float:
    number = getattr(weight, "item", lambda: weight)()
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise BadValueError(f"the weight of {name!r} is a {type(weight).__name__}", hint="a number from 0 on")
    if not math.isfinite(number) or number < 0:
        raise BadValueError(f"the weight of {name!r} is {number}", hint="a number from 0 on")
    return float(number)


def selector(model: str, ref: object) -> str:
    """A reference of the model without its name, spelled in one way: `churn@v1.2.0` is `1.2.0`."""
    if isinstance(ref, int) and not isinstance(ref, bool):
        ref = str(ref)
    if not isinstance(ref, str):
        raise BadReferenceError(f"a reference is text, not {type(ref).__name__}", hint="'production'")
    ref = ref.removeprefix("@")
    given = parse_reference(ref if ref.startswith(f"{model}@") else f"{model}@{ref}")
    if given.as_of is not None:
        raise BadReferenceError(f"{ref!r} speaks of the past", hint="pin a version by its number")
    return str(given)[len(model) + 1 :]


def key_bytes(key: object) -> bytes:
    """The key's one spelling: text as UTF-8, a whole number as its digits, bytes as they are.

    So `7`, `"7"` and `b"7"` are one customer: what is a number in one service is text in another.
    Raises `BadValueError`.
    """
    if isinstance(key, str):
        spelled = key.encode("utf-8", "surrogatepass")
    elif isinstance(key, bytes):
        spelled = key
    elif isinstance(key, bool) or not hasattr(type(key), "__index__"):
        raise BadValueError(
            f"a key is text, a whole number or bytes, not {type(key).__name__}", hint="str(key)"
        )
    else:
        spelled = str(key.__index__()).encode()  # type: ignore[attr-defined]
    if not spelled:
        raise BadValueError("the key is empty", hint="everybody without one would get the same version")
    return spelled


# where a key goes


def arms(model: str, weights: Mapping[str, float]) -> list[Arm]:
    """The ways that have a weight."""
    return [Arm(ref, weight, _start(model, ref)) for ref, weight in weights.items() if weight > 0]


def _start(model: str, ref: str) -> Any:
    start = blake2b(digest_size=8, person=b"nbreg route 1")
    for part in (model.encode(), ref.encode()):
        start.update(len(part).to_bytes(4, "big") + part)
    return start


def choose(ways: list[Arm], key: bytes) -> Arm:
    """The arm that a key goes to."""
    if len(ways) == 1:
        return ways[0]
    best, lowest = ways[0], math.inf
    for arm in ways:
        digest = arm.start.copy()
        digest.update(key)
        drawn = (int.from_bytes(digest.digest(), "big") >> 11) + 0.5  # of 2**53, and never 0 or all of them
        score = -math.log(drawn * 2.0**-53) / arm.weight
        if score < lowest:
            best, lowest = arm, score
    return best


# the split that is recorded


def split(desk: Desk, model: str) -> SplitRow | None:
    """The split that the model's journal has."""
    return desk.model(model).row(*SPLIT, SplitRow)


def set_split(desk: Desk, model: str, weights: object, *, reason: str, message: str) -> SplitRow | None:
    """Record how the traffic is shared out; see `Registry.set_split`."""
    database = desk.model(model)
    checked = None if weights is None else checked_weights(model, weights)
    for ref in checked or ():
        reading.get(desk, f"{model}@{ref}")
    return _record(desk, database, SPLIT, checked, reason=reason, message=message)


def _record(
    desk: Desk,
    database: JournalDB,
    place: tuple[str, str],
    weights: dict[str, float] | None,
    *,
    reason: str,
    message: str = "",
) -> SplitRow | None:
    known = database.refresh().row(*place, SplitRow)
    if (known.weights if known else None) == weights:
        return known
    desk.ready()
    with desk.transaction(database, "split-set", reason=reason, message=message) as draft:
        known = database.row(*place, SplitRow)
        if (known.weights if known else None) == weights:
            return known
        row = None if weights is None else SplitRow(weights=weights, at=draft.at, by=desk.actor.user)
        draft.facts.update(weights=weights or {}, **({"before": known.weights} if known else {}))
        bookkeeping.brief(database, draft)
        database.put(*place, row)
    return row


# servers ask a thousand times a second


class _Way(NamedTuple):
    arm: Arm
    version: ModelVersion


class _Resolved(NamedTuple):
    """What a split meant when the journal had this end."""

    database: JournalDB
    head: str
    ways: list[Arm]
    versions: dict[str, ModelVersion]


class Router:
    """Remembers what references meant, for as long as the model's journal is as it was.

    Asking is a look at the file's times, a hash for each reference, and no more.
    """

    def __init__(
        self, desk: Desk, version: Callable[[Entry], ModelVersion], text: Callable[[Any], str]
    ) -> None:
        self._desk = desk
        self._version = version
        self._text = text
        self._lock = threading.Lock()
        self._checked: dict[tuple[Any, ...], dict[str, float]] = {}
        self._resolved: dict[tuple[str, tuple[tuple[str, float], ...] | None], _Resolved] = {}
        self._recorded: set[tuple[Any, ...]] = set()
        self._missing: set[tuple[str, str]] = set()
        forgetful.add(self)

    def forget_after_fork(self) -> None:
        """In a fork another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def route(self, model: str, weights: Mapping[Any, float] | None, key: object) -> ModelVersion:
        """The version for a key; see `Registry.route`."""
        spelled = key_bytes(key)
        checked_kind(model, str, "a model's name")
        checked = None if weights is None else self._check(model, weights)
        name = (model, None if checked is None else tuple(checked.items()))
        found = self._resolved.get(name)
        if found is None or found.database.refresh().journal.head_hash != found.head:
            with self._lock:
                found = self._resolve(name, model, checked)
        return found.versions[choose(found.ways, spelled).ref]

    def _check(self, model: str, weights: Mapping[Any, float]) -> dict[str, float]:
        """Weights that were given before are not looked at again: they are the same literal, call by call."""
        try:
            name = (model, *weights.items())
            found = self._checked.get(name)
        except (TypeError, AttributeError):
            return checked_weights(model, self.texts(weights))  # says what is wrong with them
        if found is None:
            found = checked_weights(model, self.texts(weights))
            self._checked = {**dict(list(self._checked.items())[-_KINDS:]), name: found}
        return found

    def texts(self, weights: Any) -> Any:
        """The same weights, versions among their references as text."""
        if not isinstance(weights, Mapping):
            return weights
        pairs = weights.items()
        return {ref if isinstance(ref, str | int) else self._text(ref): weight for ref, weight in pairs}

    def _resolve(
        self,
        name: tuple[str, tuple[tuple[str, float], ...] | None],
        model: str,
        weights: dict[str, float] | None,
    ) -> _Resolved:
        database = self._desk.model(model)
        head = database.refresh().journal.head_hash
        shares = weights if weights is not None else self._shares(database, model)
        known = {arm: self._get(model, arm.ref) for arm in arms(model, shares)}
        versions = {arm.ref: version for arm, version in known.items() if version is not None}
        ways = [arm for arm in known if arm.ref in versions]
        if not ways:
            raise UnknownVersionError(
                f"nobody holds any of {', '.join(map(repr, shares))} of {model!r}",
                hint=f"`nbreg promote {model}@… {lifecycle.serving(self._desk.lifecycle)}`",
            )
        if weights is not None:
            self._note(database, model, weights)
        found = _Resolved(database, head, ways, versions)
        if len(self._resolved) >= _KINDS:
            self._resolved.clear()
        self._resolved[name] = found
        return found

    def _shares(self, database: JournalDB, model: str) -> dict[str, float]:
        row = database.row(*SPLIT, SplitRow)
        if row is None:
            raise UnknownVersionError(
                f"{model!r} has no split",
                hint=spelled(
                    f"registry.set_split({model!r}, {{'production': 0.9, 'staging': 0.1}})",
                    f"`nbreg set-split {model} production=90 staging=10` makes one",
                ),
            )
        return row.weights

    def _get(self, model: str, ref: str) -> ModelVersion | None:
        """The version, or None for a stage that nobody is in: its keys go where they would without it."""
        try:
            version = self._version(reading.get(self._desk, f"{model}@{ref}"))
        except UnknownVersionError:
            if ref not in self._desk.stages:
                raise
            if (model, ref) not in self._missing:
                log.warning("no version of %s is in %s: its share goes to the others", model, ref)
                self._missing.add((model, ref))
            return None
        self._missing.discard((model, ref))
        return version

    def _note(self, database: JournalDB, model: str, weights: dict[str, float]) -> None:
        """Record weights of the code at their first use here; where that cannot be, traffic goes on."""
        name = (model, *weights.items())
        if name in self._recorded:
            return
        self._recorded.add(name)
        try:
            _record(self._desk, database, _USED, weights, reason="FirstUse")
        except StoreError as error:
            log.warning("the split of %s is not recorded: %s", model, error.message)
        except NbregError:
            self._recorded.discard(name)
            raise
