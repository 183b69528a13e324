"""Watches one namespace from cell to cell: what each execution read, wrote and may have changed.

`before` and `after` enclose a cell. Between them and between cells nothing of the user's is
held: ids, digests and text only, so that no array stays in memory and no file stays open for
being watched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import ModuleType
from typing import Any, Final

from nbreg.capture.recipe import ambient, effects
from nbreg.capture.recipe.analysis import Analysis, analyse
from nbreg.capture.recipe.files import Watch, above, stamp
from nbreg.capture.recipe.traces import (
    MAGICS,
    Trace,
    file_name,
    folder_name,
    is_by_count,
    is_user_name,
    library_name,
    module_name,
)
from nbreg.capture.recipe.values import Look, Looker, teach

DEAR: Final = 0.02
"""Seconds of the processor from which an object is looked at before a cell only if something stirred."""

MOST_TOKENS: Final = 64

LAST_OUTPUTS: Final = frozenset(["_", "__", "___"])


@dataclass(slots=True)
class Pending:
    """A cell that has begun: what there was before it."""

    source: str
    cell: Analysis
    ids: dict[str, int]
    reads: set[str]
    touched: set[str]
    watched: dict[str, tuple[int, Look]]
    """Names that the cell may change, as they were."""
    libraries: set[str]
    between: set[str]
    modules: set[str]
    """Dotted imports of the cell that were not loaded."""
    ambient: dict[str, object]
    watch: Watch
    seconds: float = 0.0


@dataclass(slots=True)
class _Closure:
    """Names that a cell reads, grown by what the functions in them read."""

    reads: set[str] = field(default_factory=set)
    looks: dict[str, Look] = field(default_factory=dict)


class Tracker:
    """The evidence of one namespace; `visible` copies it, without the shell's own names."""

    def __init__(self, visible: Callable[[Mapping[str, object]], dict[str, object]] = dict) -> None:
        self._values = visible
        self._known: dict[str, tuple[int, Look]] = {}
        self._ids: dict[str, int] | None = None
        self._seeders: dict[str, list[str]] = {}
        self._stirred = False
        self.seconds: list[float] = []
        """What each cell cost, for those who measure it."""

    def stir(self) -> None:
        """Something ran outside any cell, such as a widget's callback: trust nothing seen before."""
        self._stirred = True

    def forget(self) -> None:
        """The end of a cell was missed: changes since then are nobody's and not held against anyone."""
        self._ids, self._known = None, {}

    # before

    def before(self, namespace: Mapping[str, object], source: str) -> Pending:
        """Note what the cell could change, as it is now."""
        start = time.perf_counter()
        teach()
        cell = analyse(source)
        values = self._values(namespace)
        looker = Looker(namespace)
        ids = _ids(values)
        between = self._rebound(ids)
        reads, touched = self._wanted(cell, values)
        closure = self._closed(reads, values, looker, between)
        touched |= closure.reads - reads
        watched = self._watched(cell, closure, values, looker)
        watch = Watch()
        pending = Pending(
            source=source,
            cell=cell,
            ids=ids,
            reads=closure.reads,
            touched=touched & set(values),
            watched=watched,
            libraries=_libraries(cell, closure.looks),
            between=between,
            modules={name for name in cell.imports if "." in name and name not in sys.modules},
            ambient=ambient.snapshot(),
            watch=watch,
        )
        self._stirred = False
        watch.begin([*cell.strings, *_paths(values[name] for name in closure.reads)])
        pending.seconds = time.perf_counter() - start
        return pending

    def _rebound(self, now: dict[str, int]) -> set[str]:
        """Names that are not what they were when the last cell ended."""
        if self._ids is None or now == self._ids:
            return set()
        changed = {name for name in {*now, *self._ids} if now.get(name) != self._ids.get(name)}
        return changed - LAST_OUTPUTS

    def _wanted(self, cell: Analysis, values: Mapping[str, object]) -> tuple[set[str], set[str]]:
        """The names that the text reads and those it gives to calls, of those that there are."""
        if cell.reads_all:
            return set(values) - LAST_OUTPUTS, set(values)
        reads, touched = cell.reads | cell.hinted, cell.touched | cell.hard
        for name in cell.executed:
            text = values.get(name)
            if type(text) is not str:
                return set(values) - LAST_OUTPUTS, set(values)
            inner = analyse(text)
            reads, touched = reads | inner.reads | inner.hinted, touched | inner.touched | inner.hard
        return reads & set(values), touched

    def _closed(
        self, reads: set[str], values: Mapping[str, object], looker: Looker, between: set[str]
    ) -> _Closure:
        """With the names that functions reached from them read, and so on."""
        closure = _Closure()
        todo = sorted(reads)
        while todo:
            name = todo.pop()
            if name in closure.reads or name not in values:
                continue
            closure.reads.add(name)
            look = self._verified(name, values[name], looker, between)
            closure.looks[name] = look
            todo += [each for each in look.names if each not in closure.reads]
        return closure

    def _verified(self, name: str, value: object, looker: Looker, between: set[str]) -> Look:
        """What the name holds now, and whether it changed since the last cell."""
        known = self._known.get(name)
        if known is not None and known[0] == id(value):
            if known[1].seconds > DEAR and not self._stirred:
                return known[1]
            look = looker.look(value)
            if not (look.opaque or known[1].opaque) and look.token != known[1].token:
                between.add(name)
        else:
            look = looker.look(value)
        self._known[name] = id(value), look
        return look

    def _watched(
        self, cell: Analysis, closure: _Closure, values: Mapping[str, object], looker: Looker
    ) -> dict[str, tuple[int, Look]]:
        """The names read, and every other one that shares something changeable with them."""
        reach: set[int] = set().union(*(look.reach for look in closure.looks.values()))
        watched = {name: (id(values[name]), look) for name, look in closure.looks.items()}
        for name, value in values.items():
            if name in watched:
                continue
            known = self._known.get(name)
            if known is None or known[0] != id(value):
                known = self._known[name] = id(value), looker.look(value)
            if cell.may_touch_all or not known[1].is_bounded or not known[1].reach.isdisjoint(reach):
                watched[name] = known
        return watched

    # after

    def after(
        self,
        pending: Pending,
        namespace: Mapping[str, object],
        *,
        failed: bool = False,
        displayed: bool = False,
        final: bool = True,
    ) -> Trace:
        """What the cell did. With `final=False` the cell goes on, and nothing is concluded for the next."""
        start = time.perf_counter()
        if final:
            pending.watch.end()
        teach()
        values = self._values(namespace)
        trace = Trace(reads=set(pending.reads), between=pending.between, outside=list(pending.cell.outside))
        trace.reads |= {name for name in pending.cell.reads if is_by_count(name)}
        self._bound(pending, values, trace, namespace=namespace, failed=failed)
        self._changed(pending, values, trace, namespace)
        self._ambient(pending, values, trace)
        self._files(pending, trace)
        self._libraries(pending, values, trace, displayed)
        inherited = {name for name, why in trace.writes.items() if why in ("changed", "assumed")}
        inherited = {name for name in inherited if is_user_name(name) or name in ambient.RANDOM}
        trace.reads |= inherited - LAST_OUTPUTS
        trace.reads -= trace.kills & (ambient.RANDOM | {file_name(path) for path in pending.watch.killed})
        if final:
            self._conclude(pending, values)
            self.seconds.append(pending.seconds + time.perf_counter() - start)
        return trace

    def _bound(
        self,
        pending: Pending,
        values: Mapping[str, object],
        trace: Trace,
        *,
        namespace: Mapping[str, object],
        failed: bool,
    ) -> None:
        """Names that were bound anew, or deleted."""
        cell, old = pending.cell, pending.ids
        ids = _ids(values)
        bound = set() if ids == old else {name for name, key in ids.items() if old.get(name) != key}
        if not failed:
            again = {name for name in cell.sure & set(values) if name not in bound}
            bound |= {name for name in again if type(values[name]) is not ModuleType}
        gone = old.keys() - values.keys()
        trace.writes |= dict.fromkeys(sorted(bound), "bound")
        trace.writes |= dict.fromkeys(sorted(gone), "deleted")
        trace.kills |= bound | gone
        looker = Looker(namespace)
        for name in sorted(bound):
            if name not in LAST_OUTPUTS:
                self._note(name, values[name], looker, trace)

    def _note(self, name: str, value: object, looker: Looker, trace: Trace) -> None:
        look = looker.look(value)
        self._known[name] = id(value), look
        if look.token and not look.opaque and len(trace.tokens) < MOST_TOKENS:
            trace.tokens[name] = look.token.hex()

    def _changed(
        self, pending: Pending, values: Mapping[str, object], trace: Trace, namespace: Mapping[str, object]
    ) -> None:
        """Names that are the same object with another content, or with one that cannot be seen."""
        looker = Looker(namespace)
        hidden: set[int] = set()
        same = {
            name: look
            for name, (key, look) in pending.watched.items()
            if name in values and id(values[name]) == key and name not in trace.kills
        }
        for name, old in same.items():
            new = looker.look(values[name])
            self._known[name] = id(values[name]), new
            if old.token != new.token and old.token and new.token:
                trace.writes[name] = "changed"
                if not new.opaque and len(trace.tokens) < MOST_TOKENS:
                    trace.tokens[name] = new.token.hex()
            elif (old.opaque or new.opaque) and name in pending.touched:
                trace.writes[name] = "assumed"
                trace.hidden[name] = new.opaque or old.opaque
            if name in trace.writes:
                hidden |= new.reach
        something_changed = any(name in trace.writes for name in same)
        for name, old in same.items():
            shares = not old.reach.isdisjoint(hidden) or (something_changed and not old.is_bounded)
            if old.opaque and name not in trace.writes and shares:
                trace.writes[name] = "assumed"
                trace.hidden[name] = old.opaque

    def _ambient(self, pending: Pending, values: Mapping[str, object], trace: Trace) -> None:
        cell = pending.cell
        changed = ambient.changed(pending.ambient, ambient.snapshot())
        seeded = self._seeded(cell.leading, values)
        trace.may_seed = "seed" in pending.source or "set_state" in pending.source or bool(seeded)
        trace.may_seed |= any("seed" in name for name in pending.reads)
        for state in sorted(changed & set(ambient.ALWAYS)):  # told in the same order by every process
            trace.always.append(ambient.ALWAYS[state])
        for state in changed - set(ambient.ALWAYS):
            trace.writes[state] = "changed"
        for state in seeded:
            trace.writes[state] = "bound"
            trace.kills.add(state)
        if any(chain.endswith(("get_state", "getstate", "get_rng_state")) for chain in cell.chains):
            trace.reads |= ambient.RANDOM - seeded
        self._seeders |= cell.seeders

    def _seeded(self, leading: list[str], values: Mapping[str, object], depth: int = 3) -> set[str]:
        """Random states that the cell sets anew before it can have drawn from them."""
        found: set[str] = set()
        for chain in leading:
            seeded = ambient.seeded_by(chain, values)
            if not seeded and chain in self._seeders and depth:
                seeded = self._seeded(self._seeders[chain], values, depth - 1)
            found |= seeded
            if not seeded and chain not in ("print", "display"):
                break
        return found

    def _files(self, pending: Pending, trace: Trace) -> None:
        watch = pending.watch
        for path in watch.written:
            trace.writes[file_name(path)] = "bound" if path in watch.killed else "changed"
            trace.writes[folder_name(str(PurePath(path).parent))] = "changed"
            trace.reads |= {file_name(each) for each in above(path)}
        trace.kills |= {file_name(path) for path in watch.killed}
        for path in watch.read:
            trace.reads |= {file_name(each) for each in (path, *above(path))}
        trace.reads |= {folder_name(path) for path in watch.listed}
        trace.files_read = {path: stamp(path) for path in watch.read if path not in watch.written}
        if watch.sockets:
            trace.notes.append("talks to the network")

    def _libraries(
        self, pending: Pending, values: Mapping[str, object], trace: Trace, displayed: bool
    ) -> None:
        """Settings and registries that live in libraries, and modules that come to be reachable."""
        cell = pending.cell
        explained = any(why != "bound" for why in trace.writes.values()) or bool(trace.always)
        for root, why in effects.on_libraries(cell, values, displayed, explained).items():
            if root == effects.INTERPRETER:
                trace.always.append(why)
            else:
                trace.writes.setdefault(library_name(root), "assumed")
                trace.hidden[library_name(root)] = why
        for name in pending.modules | cell.submodules:
            if name in sys.modules:
                trace.writes[module_name(name)] = "changed"
            if ".experimental" in name:
                trace.writes[library_name(name.partition(".")[0])] = "changed"
        trace.reads |= {library_name(root) for root in pending.libraries}
        trace.reads |= {module_name(name) for name in effects.modules_reached(cell.chains, values)}
        if cell.loads_magics:
            trace.writes[MAGICS] = "changed"
        if cell.magics:
            trace.reads.add(MAGICS)

    def _conclude(self, pending: Pending, values: Mapping[str, object]) -> None:
        self._ids = _ids(values)
        for name in self._known.keys() - values.keys():
            del self._known[name]

    # asked at registration

    def names_of(self, value: object, namespace: Mapping[str, object], prefer: set[str]) -> list[str]:
        """The names that hold the object, or else hold something that it is part of."""
        values = self._values(namespace)
        held = [name for name, each in values.items() if each is value]
        if not held:
            looker = Looker(namespace)
            held = [
                name for name in sorted(prefer & set(values)) if id(value) in looker.look(values[name]).reach
            ]
        if not held:
            held = [
                name for name, (_, look) in self._known.items() if id(value) in look.reach and name in values
            ]
        return held

    def is_as_seen(self, name: str, value: object) -> bool:
        """Whether the name holds the object that it was last seen to hold."""
        known = self._known.get(name)
        return known is None or known[0] == id(value)

    def needed_by(self, values: list[object], namespace: Mapping[str, object]) -> set[str]:
        """The names that functions inside these objects read when they are called."""
        looker, every = Looker(namespace), self._values(namespace)
        found: set[str] = set()
        todo = [name for value in values for name in looker.look(value).names]
        while todo:
            name = todo.pop()
            if name not in found and name in every:
                found.add(name)
                todo += looker.look(every[name]).names
        return found


def _ids(values: Mapping[str, object]) -> dict[str, int]:
    return dict(zip(values, map(id, values.values()), strict=True))


def _libraries(cell: Analysis, looks: Mapping[str, Look]) -> set[str]:
    roots = {name.partition(".")[0] for name in cell.imports}
    return roots.union(*(look.libraries for look in looks.values())) - {"builtins", "", "__main__"}


def _paths(values: Any) -> list[str]:
    """Variables that may name files."""
    found = [str(each) for each in values if type(each) is str or issubclass(type(each), PurePath)]
    return [each for each in found if len(each) < 512]
