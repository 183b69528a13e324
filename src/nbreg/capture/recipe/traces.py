"""What one execution did to the names of the graph: the evidence that a slice is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from nbreg.capture.recipe import ambient
from nbreg.capture.recipe.analysis import Analysis, analyse

Why = Literal["bound", "changed", "deleted", "assumed"]

MAGICS: Final = "<magics>"


def file_name(path: str) -> str:
    """The graph's name of a file or folder."""
    return f"<file {path}>"


def folder_name(path: str) -> str:
    """The graph's name of what lies in a folder."""
    return f"<contents of {path}>"


def module_name(name: str) -> str:
    """The graph's name of a submodule that some cell loads and another one reaches by its package."""
    return f"<module {name}>"


def library_name(root: str) -> str:
    """The graph's name of a library's own settings and registries."""
    return f"<library {root}>"


def is_user_name(name: str) -> bool:
    """Whether it is a name of the namespace, rather than state of the process."""
    return not name.startswith("<")


_BY_COUNT: Final = ("Out", "In", "_oh", "_ih")


def is_by_count(name: str) -> bool:
    """Whether the name means an input or output by its number: `Out`, `_12`, `_i12`."""
    return name in _BY_COUNT or (name.startswith("_") and name.lstrip("_i").isdigit())


@dataclass(slots=True)
class Trace:
    """One execution's evidence. It holds text and digests only, none of the user's objects."""

    reads: set[str] = field(default_factory=set)
    writes: dict[str, Why] = field(default_factory=dict)
    kills: set[str] = field(default_factory=set)
    """Written names that no longer depend on what they were."""
    tokens: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    """For an assumed change, the type that hides whether it happened."""
    always: list[str] = field(default_factory=list)
    """Why any later cell may depend on it."""
    between: set[str] = field(default_factory=set)
    """Names that changed before it, outside any cell."""
    outside: list[str] = field(default_factory=list)
    """What it took from where no replay can take it again."""
    notes: list[str] = field(default_factory=list)
    files_read: dict[str, tuple[int, int, int] | None] = field(default_factory=dict)
    """With what told each from another one when the cell ended."""
    may_seed: bool = False
    from_text: bool = False
    """Whether it is known from its text alone, and something is called in it."""


def from_text(source: str, known: Iterable[str] = (), namespace: Mapping[str, object] | None = None) -> Trace:
    """The trace of a cell that nobody saw run: whatever it calls something on may be changed."""
    cell = analyse(source)
    namespace = namespace or {}
    uncertain = cell.touched | cell.hard
    trace = Trace(reads=set(cell.reads), kills=cell.sure - cell.reads, outside=list(cell.outside))
    trace.writes.update(dict.fromkeys(uncertain, "assumed"))
    trace.writes.update(dict.fromkeys(cell.stores, "bound"))
    trace.from_text = cell.calls or bool(cell.hard or cell.magics)
    trace.reads |= cell.hinted & set(known)
    trace.may_seed = "seed" in source
    if cell.calls:
        trace.reads |= ambient.RANDOM
        trace.writes.update(dict.fromkeys(ambient.RANDOM, "assumed"))
        seeded = {state for chain in cell.leading for state in ambient.seeded_by(chain, namespace)}
        trace.reads -= seeded
        trace.kills |= seeded
    if cell.may_touch_all or any(name.endswith(".*") for name in cell.imports):
        trace.writes.update({name: "assumed" for name in known if name not in trace.writes})
        trace.from_text = True
    trace.always = _always(source, cell)
    return trace


def _always(source: str, cell: Analysis) -> list[str]:
    signs = {
        ambient.ENVIRONMENT: ("environ", "putenv", "'env'", "set_env", "dotenv"),
        ambient.FOLDER: ("chdir", "'cd'", "'pushd'"),
        ambient.PATH: ("sys.path", "site.addsitedir"),
    }
    if not cell.parses:
        return []
    return [ambient.ALWAYS[state] for state, words in signs.items() if any(word in source for word in words)]
