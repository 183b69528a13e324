"""What a front end asks the kernel between cells: what could be registered, what a line would register,
and the document as it stands when a cell that registers is sent.

Each is an expression of a request without code (`user_expressions`), so it names nothing in the user's
namespace, counts no cell and leaves no history; the answer is JSON beside the expression's text.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython

from nbreg.display.previews import foretold
from nbreg.errors import BadInputError, NbregError
from nbreg.families.describing.describe import is_model, is_trained, is_unfitted
from nbreg.kernel.arguments import HelpShown
from nbreg.kernel.drafter import is_measured, is_metric
from nbreg.kernel.magics import NbregMagics, one_line
from nbreg.kernel.objects import Candidate, last_trained
from nbreg.kernel.registering import Registering
from nbreg.records import Foretold, HeldModel, Holding, Record
from nbreg.registry.making.previewing import Preview

if TYPE_CHECKING:
    from nbreg.kernel.session import Session

ANSWER_MIME: Final = "application/vnd.nbreg.answer+json"

MOST_MODELS: Final = 50
MOST_NUMBERS: Final = 30

LARGE: Final = 8 * 1024 * 1024
"""Up to here it is found out which version a model is; that reads all of it."""

SECONDS: Final = 1.0
"""How long that may take in all: somebody waits for the form."""


class Answer:
    """A record as a front end reads it; in a terminal it says nothing."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __repr__(self) -> str:
        return type(self._record).__name__

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {ANSWER_MIME: msgspec.to_builtins(self._record), "text/plain": repr(self)}


def holding() -> Answer:
    """The models in this kernel, and what a form offers beside them."""
    shell = get_ipython()
    session = session_of(shell)
    if session is None:
        return Answer(Holding(loaded=False, models=_of_unwatched(shell)))
    return Answer(_holding(session))


def preview(line: str) -> Answer:
    """What `%register_model LINE` would register; a refusal is part of the answer."""
    magics = _magics_of(get_ipython())
    if magics is None:
        return Answer(Foretold(refusal="nbreg is not loaded in this kernel (%load_ext nbreg)"))
    try:
        args, words = magics.parse("register_model", line)
        args.preview = True
        found = Registering(magics.session, args, words).now()
        if not isinstance(found, Preview):  # a draft is registered as it is
            raise BadInputError("a draft has no preview")
        return Answer(foretold(found, found.parts))
    except NbregError as error:
        return Answer(Foretold(refusal=one_line(error)))
    except (UsageError, HelpShown) as error:
        return Answer(Foretold(refusal=str(error)))
    finally:
        magics.session.recorder.stir()  # what pickling asks of the user's classes may change them


def tell(cell: str, document: list[tuple[str, str | None]], alone: bool) -> None:
    """The notebook's code cells from its top, as a front end has them while it sends the cell of that id.

    Each is an id with its text, or without where that is not told. `alone` says that no other
    document shares this kernel, so that a cell that is in this one no more is nowhere.
    """
    session = session_of(get_ipython())
    if session is not None:
        session.recorder.told(cell, document, alone=alone)


def session_of(shell: Any) -> Session | None:
    """What nbreg holds for a shell; None where it is not loaded there."""
    magics = _magics_of(shell)
    return magics.session if magics is not None else None


def _magics_of(shell: Any) -> NbregMagics | None:
    found = shell.magics_manager.registry.get(NbregMagics.__name__) if shell is not None else None
    return found if isinstance(found, NbregMagics) else None


def _of_unwatched(shell: Any) -> list[HeldModel]:
    """Of a kernel that nbreg does not watch: the variables alone."""
    hidden, names = getattr(shell, "user_ns_hidden", {}), getattr(shell, "user_ns", {})
    visible = {
        name: value
        for name, value in list(names.items())
        if type(name) is str and not name.startswith("_") and hidden.get(name, names) is not value
    }
    return [_held(each) for each in _models(visible)]


def _holding(session: Session) -> Holding:
    found = _models(session.namespace)
    last = _last(session)
    try:
        registry = session.registry
        known = [row.name for row in registry.models()]
        refs = _registered(session, found)
        refusal, location, stages = "", str(registry.location), list(registry.stages)
    except NbregError as error:
        refusal, location, known, stages, refs = one_line(error), "", [], [], {}
    return Holding(
        loaded=True,
        registry=location,
        models=[_held(each, last=each.name == last, **refs.get(each.name, {})) for each in found],
        known=known,
        stages=stages,
        numbers=sorted(_numbers(session), key=lambda name: not is_metric(name))[:MOST_NUMBERS],
        refusal=refusal,
    )


def _models(namespace: Mapping[str, object]) -> list[Candidate]:
    """All variables that hold a model or what a fit gave, each object once, in the order they were set."""
    last: dict[int, Candidate] = {}
    for name, value in namespace.items():
        if is_model(value) or is_trained(value):
            last.pop(id(value), None)
            last[id(value)] = Candidate(name, value)
    return list(last.values())[-MOST_MODELS:]


def _held(candidate: Candidate, *, last: bool = False, **known: str) -> HeldModel:
    kind = type(candidate.value)
    return HeldModel(
        variable=candidate.name,
        type=f"{kind.__module__}.{kind.__qualname__}",
        fitted=not is_unfitted(candidate.value),
        last=last,
        **known,
    )


def _last(session: Session) -> str:
    """The variable that `%register_model` takes where none is named; empty where it would ask."""
    context = session.context
    try:
        return last_trained(context.executions, context.namespace, session.shell.transform_cell).name
    except BadInputError:
        return ""


def _numbers(session: Session) -> Iterator[str]:
    for name, value in reversed(list(session.namespace.items())):
        if is_measured(value):
            yield name


def _registered(session: Session, found: list[Candidate]) -> dict[str, dict[str, str]]:
    """Of each variable the version that has the same content, or why that is not known."""
    from nbreg import families
    from nbreg.registry.making import drafting

    told: dict[str, dict[str, str]] = {}
    deadline = time.monotonic() + SECONDS
    for candidate in reversed(found):
        if time.monotonic() > deadline:
            told[candidate.name] = {"unknown": "not compared: that would take too long"}
            continue
        kind = f"{type(candidate.value).__module__}.{type(candidate.value).__qualname__}"
        versions = drafting.registered_as(session.registry._desk, kind)
        if not versions:
            continue
        try:
            token = families.take("model", candidate.value, most=LARGE, on_host=True).artifact.token
        except families.NotTakenError as error:
            told[candidate.name] = {"unknown": f"not compared: {error}"}
            continue
        if entry := versions.get(token):
            told[candidate.name] = {"ref": f"{entry.model}@{entry.number}", "name": entry.ref}
    return told
