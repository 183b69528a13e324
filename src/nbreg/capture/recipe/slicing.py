"""From the executions and their traces to those that a value depends on, and how sure that is."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from nbreg.capture.recipe import ambient
from nbreg.capture.recipe.traces import Trace, is_by_count, is_user_name
from nbreg.records import Execution

Status = Literal["complete", "conservative", "incomplete"]

_BUILTIN: Final = frozenset(dir(builtins)) | {"get_ipython", "display", "exit", "quit", "__name__"}


@dataclass(slots=True)
class Ran:
    """One execution with its evidence."""

    execution: Execution
    trace: Trace
    refused: bool = False
    """Whether a magic refused its line: it is no failure of what it was to do."""

    @property
    def label(self) -> str:
        """How people find it: `[12]`."""
        return f"[{self.execution.execution_count or '·'}]"


@dataclass(slots=True)
class Slice:
    """What was kept, by position, with the reason for each; and what stands against it."""

    kept: dict[int, str] = field(default_factory=dict)
    status: Status = "complete"
    reasons: list[str] = field(default_factory=list)
    undefined: list[str] = field(default_factory=list)
    unseeded: list[str] = field(default_factory=list)
    held: dict[int, list[str]] = field(default_factory=dict)
    """The names of what it was asked for, by id."""
    needs_all: bool = False
    """Whether what is missing may be in the executions that were not kept."""


def slice_for(history: Sequence[Ran], need: Iterable[str], *, keep_last: bool = False) -> Slice:
    """The executions that the needed names depend on.

    Random state that no cell seeds is left out of the graph: what drew from it before cannot
    bring it back, and the reasons say that a replay gives another result.
    """
    first = _Walk(history, set(need), keep_last)
    unseeded = {
        state for state in first.need & ambient.RANDOM
        if not any(history[at].trace.may_seed and state in history[at].trace.writes for at in first.kept)
    }  # fmt: skip
    walk = _Walk(history, set(need), keep_last, without=unseeded) if unseeded else first
    return _judged(history, walk, unseeded)


class _Walk:
    """Backwards through the executions."""

    def __init__(
        self, history: Sequence[Ran], need: set[str], keep_last: bool, without: Iterable[str] = ()
    ) -> None:
        self.need = set(need)
        self.kept: dict[int, set[str]] = {}
        self.between: list[tuple[int, str]] = []
        without = set(without)
        wanted = self.need - without
        for at in range(len(history) - 1, -1, -1):
            trace = history[at].trace
            written = trace.writes.keys() & wanted
            if written or (trace.always and self.kept) or (keep_last and at == len(history) - 1):
                self.kept[at] = written
                self.need -= trace.kills
                self.need |= trace.reads
                wanted = self.need - without
            if trace.between:
                self.between += [(at, name) for name in sorted(trace.between & self.need)]
        self.need -= {name for name in self.need if name in _BUILTIN}


def _judged(history: Sequence[Ran], walk: _Walk, unseeded: set[str]) -> Slice:
    kept = dict(sorted(walk.kept.items()))
    found = Slice({at: _why(history[at].trace, written) for at, written in kept.items()})
    found.undefined = sorted(name for name in walk.need if is_user_name(name) and not is_by_count(name))
    seen = [history[at].trace for at in kept if not history[at].trace.from_text]
    found.unseeded = sorted(state for state in unseeded if any(state in trace.reads for trace in seen))
    unsure = _unsure(history, kept)
    gaps = _gaps(history, walk, found)
    found.needs_all = len(gaps) > sum(len(history[at].trace.outside) for at in kept)
    found.status = "incomplete" if gaps else "conservative" if unsure else "complete"
    found.reasons = [*gaps, *unsure, *_remarks(history, kept, found.unseeded)]
    return found


def _why(trace: Trace, written: set[str]) -> str:
    """Why an execution is kept, in words."""
    names = {why: [name for name in sorted(written) if trace.writes[name] == why] for why in _VERBS}
    words = [f"{verb} {_listed(names[why])}" for why, verb in _VERBS.items() if names[why]]
    words += trace.always
    if words and not any(names[why] for why in ("bound", "changed", "deleted")) and names["assumed"]:
        return f"kept to be safe: {'; '.join(words)}"
    return "; ".join(words) or "makes the model"


_VERBS: Final = {"bound": "sets", "changed": "changes", "deleted": "deletes", "assumed": "may change"}


def _unsure(history: Sequence[Ran], kept: dict[int, set[str]]) -> list[str]:
    reasons = []
    for at, written in kept.items():
        ran = history[at]
        if ran.trace.from_text:
            reasons.append(f"{ran.label} is known from its text only: it ran before nbreg was loaded")
        elif (
            written and all(ran.trace.writes[name] == "assumed" for name in written) and not ran.trace.always
        ):
            hidden = sorted({ran.trace.hidden.get(name, "") for name in written} - {""})
            what = f" ({_listed(hidden)})" if hidden else ""
            reasons.append(f"{ran.label} is kept to be safe: it may change {_listed(sorted(written))}{what}")
    return reasons


def _gaps(history: Sequence[Ran], walk: _Walk, found: Slice) -> list[str]:
    gaps = []
    for at, name in walk.between:
        after = history[at - 1].label if at else "the start"
        gaps.append(f"{name} changed between {after} and {history[at].label}, outside any cell")
    if found.undefined:
        gaps.append(f"no cell defines {_listed(found.undefined)}")
    for at in sorted(walk.kept):
        trace = history[at].trace
        gaps += [f"{history[at].label} {what}" for what in trace.outside]
        if by_count := sorted(name for name in trace.reads if is_by_count(name)):
            gaps.append(f"{history[at].label} uses {_listed(by_count)}, which follow the numbers of all runs")
    return gaps


def _remarks(history: Sequence[Ran], kept: dict[int, set[str]], unseeded: list[str]) -> list[str]:
    remarks = []
    for state in unseeded:
        remarks.append(f"no cell seeds the {state.strip('<>')}: a replay draws other numbers")
    for at in kept:
        remarks += [f"{history[at].label} {note}" for note in history[at].trace.notes]
    return remarks


def _listed(names: Sequence[str], most: int = 4) -> str:
    shown = [name.strip("<>") for name in names[:most]]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown) + more
