"""Make `docs/python.md`: every public name, its signature, and what its docstring says.

`tools/reference.py` writes it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import msgspec
from contract import told_of_fields

import nbreg
from nbreg import access, jobs, panels, records, settings
from nbreg.registry.belongings import BelongingsOfVersion
from nbreg.registry.making.drafting import Draft
from nbreg.registry.making.previewing import Preview
from nbreg.registry.making.recipes import VersionRecipe
from nbreg.registry.verbs import (
    carrying,
    decisions,
    defining,
    drifting,
    entering,
    finding,
    governing,
    history,
    isolation,
    lineage,
    run,
    staging,
    upkeep,
    watching,
)

WIDTH = 100

HEADING = """\
# Python

Made by `tools/reference.py` from the docstrings; `help(nbreg.Registry.promote)` says the same.

    import nbreg

- A `Reference` is text (`churn@production`, [all forms](versions.md#references)) or a `ModelVersion`.
- What is refused raises an [`NbregError`](errors.md) with `code`, `message` and `hint`. Bad input changes
  nothing.
- `reason` is a short word for machines, `message` a sentence for people; both stand in the event, with who
  and when.
- Times are text, ISO 8601 in UTC; sizes are bytes; digests lower-case hex; lists are newest first unless
  they say otherwise.
- A `ModelVersion` reads what can change (stage, tags, metrics …) anew each time it is asked.
- The methods that need a library (`load`, `predict`, `data_drift`) import it when they are called.
"""

# Every public verb of `Registry`, by what a reader wants: the classes that define them.
VERBS: dict[str, tuple[type, ...]] = {
    "Making versions": (entering.EnterVerbs, defining.DefineVerbs),
    "Finding versions, and what is in them": (finding.FindVerbs,),
    "Stages, aliases, labels": (staging.StageVerbs,),
    "Gates, requests, rights": (governing.GovernVerbs,),
    "Runs": (run.RunVerbs,),
    "Data, lineage, deployments, owners": (lineage.LineageVerbs,),
    "Serving": (decisions.DecisionVerbs, drifting.DriftVerbs, isolation.IsolationVerbs),
    "Other models, folders, registries": (carrying.CarryVerbs,),
    "Checking and keeping": (upkeep.UpkeepVerbs,),
    "For those who keep looking": (history.HistoryVerbs, watching.WatchVerbs),
    "The registry itself": (nbreg.Registry,),
}

FUNCTIONS = ("register", "load", "route", "start_run", "current_run", "step", "pipeline", "gate")
CLASSES: dict[str, tuple[type, ...]] = {
    "version": (nbreg.ModelVersion, BelongingsOfVersion),
    "run": (nbreg.Run,),
    "handle": (nbreg.Model,),
    "dataset": (nbreg.Dataset, lineage.DatasetVersion),
    "draft": (Draft,),
    "recipe": (VersionRecipe,),
    "watch": (watching.Watch,),
}
MODULES = {
    "nbreg.panels": (panels, ("History", "Stages", "Version", "Lineage", "Drift", "Drafts")),
    "nbreg.jobs": (jobs, ("run", "Job")),
    "nbreg.access": (access, ("Person",)),
    "nbreg.settings": (settings, ("Settings",)),
}


def page() -> str:
    """The whole page."""
    parts = [HEADING, _contents(), "## Functions", *(_named(nbreg, "nbreg", name) for name in FUNCTIONS)]
    parts += ["## Registry", _signature("nbreg.Registry", nbreg.Registry), _told(nbreg.Registry)]
    for title, classes in VERBS.items():
        parts.append(f"### {title}")
        parts += [text for each in classes for text in _members("registry", each)]
    for called, (first, *more) in CLASSES.items():
        parts += [f"## {first.__name__}", *_class(called, first)]
        for each in more:
            parts += [f"### {each.__name__}", _told(each)] if each is lineage.DatasetVersion else []
            parts += _members(called, each)
    for name, (module, names) in MODULES.items():
        parts += [f"## {name}", *(_named(module, name, each) for each in names)]
    parts += ["## What comes back", _INTRODUCTION, *(_record(each) for each in returned())]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


_INTRODUCTION = """\
Records are frozen and compared by value; `msgspec.json.encode` writes one as JSON. What ends in `View`, and
versions, runs and drafts, show themselves in a notebook."""


def _contents() -> str:
    titles = ["Functions", "Registry", *VERBS, *(each[0].__name__ for each in CLASSES.values()), *MODULES]
    return " · ".join(f"[{title}](#{_anchor(title)})" for title in [*titles, "What comes back"])


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


# functions and classes


def _named(module: ModuleType, prefix: str, name: str) -> str:
    value = getattr(module, name)
    full = f"{prefix}.{name}"
    fields = _fields(value) if inspect.isclass(value) and issubclass(value, msgspec.Struct) else ""
    signature = "" if fields else _signature(full, value)
    return "\n\n".join(part for part in (f"### {full}", signature, _told(value), fields) if part)


def _class(called: str, cls: type) -> Iterator[str]:
    if cls in (nbreg.Model, nbreg.Dataset):
        yield _signature(f"nbreg.{cls.__name__}", cls)
    yield _told(cls)
    yield from _members(called, cls)


def _members(called: str, cls: type) -> list[str]:
    """The properties of a class as one table, and each of its methods; those it has itself."""
    own = {name: each for name, each in vars(cls).items() if not name.startswith("_")}
    rows = [
        f"| `{called}.{name}` | {_code(_type(each.fget))} | {_cell(_told(each))} |"
        for name, each in own.items()
        if isinstance(each, property)
    ]
    table = "\n".join(["| | | |", "|---|---|---|", *rows]) if rows else ""
    methods = [
        _method(f"nbreg.{cls.__name__}" if isinstance(each, classmethod) else called, cls, name)
        for name, each in own.items()
        if inspect.isfunction(each) or isinstance(each, classmethod)
    ]
    return [table, *methods]


def _method(called: str, cls: type, name: str) -> str:
    method = getattr(cls, name)
    return f"#### {called}.{name}\n\n{_signature(f'{called}.{name}', method)}\n\n{_told(method)}"


def _signature(called: str, function: Callable[..., Any]) -> str:
    """A call, on a line if that is short enough, else an argument a line."""
    signature = inspect.signature(function)
    given = [each for each in signature.parameters.values() if each.name not in ("self", "cls")]
    arguments = [_argument(each) for each in given]
    named = [i for i, each in enumerate(given) if each.kind is each.KEYWORD_ONLY]
    if named and not any(each.kind is each.VAR_POSITIONAL for each in given):
        arguments.insert(named[0], "*")
    gives = "" if inspect.isclass(function) else f" -> {_annotation(signature.return_annotation)}"
    line = f"{called}({', '.join(arguments)}){gives}"
    if len(line) <= WIDTH:
        return f"    {line}"
    return "\n".join([f"    {called}(", *(f"        {each}," for each in arguments), f"    ){gives}"])


def _argument(parameter: inspect.Parameter) -> str:
    text = str(parameter.replace(annotation=parameter.empty, default=parameter.empty))  # with its stars
    if parameter.annotation is not parameter.empty:
        text += f": {_annotation(parameter.annotation)}"
    return text if parameter.default is parameter.empty else f"{text} = {_default(parameter.default)}"


def _default(value: object) -> str:
    return f"{value:_}" if isinstance(value, int) and value > 9999 else repr(value)


def _annotation(annotation: object) -> str:
    if annotation is inspect.Signature.empty:
        return "Any"
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _type(getter: Callable[..., Any] | None) -> str:
    assert getter is not None
    return _annotation(inspect.signature(getter).return_annotation)


def _told(value: object) -> str:
    return inspect.cleandoc(getattr(value, "__doc__", "") or "")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# records


def returned() -> list[type[msgspec.Struct]]:
    """The records that public methods give, and those that stand in their fields, by name."""
    classes = [*(each for group in VERBS.values() for each in group)]
    classes += [each for group in CLASSES.values() for each in group]
    given = {
        _annotation(inspect.signature(each).return_annotation)
        for cls in classes
        for each in (member.fget if isinstance(member, property) else member for member in _public(cls))
        if inspect.isfunction(each)
    }
    found: dict[str, type[msgspec.Struct]] = {}
    ahead = [_records_in(text) for text in given] + [[nbreg.GateContext, jobs.Job, Preview]]
    while ahead:
        for each in ahead.pop():
            if each.__name__ not in found:
                found[each.__name__] = each
                ahead += [_records_in(str(kind)) for kind in _annotations(each).values()]
    return [found[name] for name in sorted(found)]


def _public(cls: type) -> Iterator[Any]:
    return (each for name, each in vars(cls).items() if not name.startswith("_"))


def _records_in(annotation: str) -> list[type[msgspec.Struct]]:
    return [_RECORDS[name] for name in re.findall(r"\w+", annotation) if name in _RECORDS]


def _all_records() -> dict[str, type[msgspec.Struct]]:
    named = {name: getattr(records, name) for name in records.__all__}
    for module in _view_modules():
        named |= {name: each for name, each in vars(module).items() if name.endswith("View")}
    return {
        name: each
        for name, each in named.items()
        if inspect.isclass(each) and issubclass(each, msgspec.Struct) and each is not records.Record
    }


def _view_modules() -> list[ModuleType]:
    from nbreg.display import audit, datadrift, decisions, diffs, graph

    return [audit, datadrift, decisions, diffs, graph]


_RECORDS = _all_records()


def _annotations(cls: type) -> dict[str, object]:
    """The fields of a record with their types as they are written, those that were inherited first."""
    found: dict[str, object] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("nbreg."):
            found |= inspect.get_annotations(each)
    return {name: kind for name, kind in found.items() if "ClassVar" not in str(kind)}


def _fields(cls: type) -> str:
    told = told_of_fields(cls)
    rows = [
        f"| `{name}` | {_code(_annotation(kind))} | {_cell(told.get(name, ''))} |"
        for name, kind in _annotations(cls).items()
    ]
    return "\n".join(["| | | |", "|---|---|---|", *rows]) if rows else ""


def _record(cls: type[msgspec.Struct]) -> str:
    return f"### {cls.__name__}\n\n{_told(cls)}\n\n{_fields(cls)}"
