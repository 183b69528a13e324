"""Gates that are functions: declared in this process, or installed under the entry points `nbreg.gates`.

Nothing that a registry says is ever imported. A name in it is looked for among the functions
that were declared here, and among what installed packages themselves declare.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, overload

import msgspec

from nbreg.errors import BadInputError, UnknownGateError, UnknownStageError, did_you_mean
from nbreg.names import check_model_name
from nbreg.records import Actor, FunctionRule
from nbreg.rules import NAMES

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from nbreg.registry.core import Registry

GROUP: Final = "nbreg.gates"

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class GateContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate function is told beside the two versions; nothing in it is to be changed."""

    model: str
    stage: str
    actor: Actor
    reason: str
    message: str
    registry: Registry
    namespace: Mapping[str, object]
    """The names of the notebook or script where the move is made: live objects."""


class Declared(NamedTuple):
    """A function that was declared as a gate in this process."""

    function: Function
    moves: tuple[tuple[str, str | None], ...]
    """The stage of each, and the model, or None for all models."""

    def applies(self, model: str, stage: str) -> bool:
        """Whether it was declared for every move of that kind."""
        return any(to == stage and of in (None, model) for to, of in self.moves)


_declared: dict[str, Declared] = {}


@overload
def gate(stage: F) -> F: ...
@overload
def gate(stage: str | None = None, *, model: str | None = None) -> Callable[[F], F]: ...
def gate(stage: Any = None, *, model: str | None = None) -> Any:
    """Declare a function `(new, old, ctx)` as a gate.

        @nbreg.gate("production")
        def no_regression(new, old, ctx):
            return old is None or new.metrics["auc"] >= old.metrics["auc"]

    `new` is the version to be moved, `old` the stage's present holder or None, both as
    `ModelVersion`; `ctx` is a `GateContext`. It passes with True, or with None: so a gate may be
    made of asserts. It refuses with False, or by raising. `(passed, evidence)` says more, and
    the evidence is kept in the event. It runs without any lock, and may run more than once.

    With a stage it is asked at each promotion to it in this process (of one model, if one is
    named); `registry.require(model, stage, no_regression)` makes it required of everybody, and
    who does not have it is refused. It may be declared for several stages; another function of
    that module and name replaces it.
    """
    if callable(stage):
        return _declare(stage, None, None)
    if stage is not None and not isinstance(stage, str):
        raise BadInputError(f"a gate is declared for a stage, not a {type(stage).__name__}")
    if model is not None:
        check_model_name(model)
        if stage is None:
            raise BadInputError(
                "a gate for a model needs a stage", hint=f"nbreg.gate('production', model={model!r})"
            )

    def declare(function: F) -> F:
        return _declare(function, stage, model)

    return declare


def _declare(function: F, stage: str | None, model: str | None) -> F:
    if not callable(function) or not hasattr(function, "__qualname__"):
        raise BadInputError(f"a gate is a function, not {type(function).__name__}")
    name = name_of(function)
    known = _declared.get(name)
    moves = dict.fromkeys(known.moves if known is not None and known.function is function else ())
    if stage is not None:
        moves[stage, model] = None
    _declared[name] = Declared(function, tuple(moves))
    return function


def name_of(function: Function) -> str:
    """`module:function`, as entry points are written."""
    module = getattr(function, "__module__", None) or "?"
    return f"{module}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def digest_of_text(function: Function) -> str:
    """The digest of the function's text; empty where that is not known."""
    try:
        text = textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError, IndentationError, SyntaxError):
        return ""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def declared_for(model: str, stage: str, stages: Sequence[str]) -> list[Function]:
    """The functions that this process declared for such a move, in the order of their names.

    One that was declared for a stage that is not there would never be asked: so it is refused.
    """
    for name, each in _declared.items():
        for to, _model in each.moves:
            if to not in stages:
                raise UnknownStageError(
                    f"the gate {name} was declared for {to[:60]!r}, which is no stage",
                    hint=did_you_mean(to, stages),
                )
    return [each.function for _, each in sorted(_declared.items()) if each.applies(model, stage)]


def rule_of(gate: object) -> FunctionRule:
    """The rule that requires a function, which has to be known here: by itself or by a name.

    One of a notebook or script is required with the digest of its text, since another notebook
    may have another function of that name.
    """
    if isinstance(gate, str):
        if _entry_points(gate):
            return FunctionRule(name=gate)
        names = [name for name in _declared if gate in (name, name.partition(":")[2])]
        if not names:
            known = [*_declared, *(each.name for each in _entry_points()), *NAMES]
            raise UnknownGateError(
                f"no gate {gate[:80]!r} is known here",
                hint=did_you_mean(
                    gate, known, "a function is declared with @nbreg.gate, or is an entry point"
                ),
            )
        gate = _declared[names[-1]].function
    assert callable(gate)
    name = name_of(gate)
    if name not in _declared or _declared[name].function is not gate:
        raise BadInputError(f"{name} was not declared as a gate", hint="@nbreg.gate above it")
    digest = digest_of_text(gate) if _is_of_main(name) else ""
    if _is_of_main(name) and not digest:
        raise BadInputError(
            f"the text of {name} is not known, so nobody else could tell that it is the same",
            hint="put it into a module, or into a cell",
        )
    return FunctionRule(name=name, digest=digest)


def _is_of_main(name: str) -> bool:
    return name.partition(":")[0] == "__main__"


def find(rule: FunctionRule) -> tuple[Function | None, str]:
    """The function that a rule means, or why there is none here."""
    if ":" in rule.name and (known := _declared.get(rule.name)) is not None:
        if rule.digest and digest_of_text(known.function) != rule.digest:
            return None, f"{rule.name} is another function here than the one that is required"
        return known.function, ""
    for point in _entry_points(rule.name):
        try:
            function = point.load()
        except Exception as error:  # the package's own code
            return None, f"{point.value} cannot be imported: {type(error).__name__}: {error}"[:300]
        if callable(function):
            return function, ""
    if rule.digest:
        return None, "a function of another notebook or script"
    return None, "no function of that name is declared here, or installed"


def _entry_points(wanted: str | None = None) -> list[EntryPoint]:
    """What installed packages declare as gates: all, or those of that name or value."""
    from importlib.metadata import entry_points

    found = entry_points(group=GROUP)
    return [each for each in found if wanted is None or wanted in (each.name, each.value)]


def namespace_here() -> Mapping[str, object]:
    """The live names of the notebook or script."""
    from nbreg.capture.context import current_context

    try:
        return current_context().namespace
    except Exception:  # a kernel's own objects
        return dict(vars(sys.modules["__main__"]))


def told(answer: object) -> tuple[bool, object, str]:
    """What a function's answer means: whether it passed, its evidence, and why not."""
    evidence: object = None
    if isinstance(answer, tuple) and len(answer) == 2:
        answer, evidence = answer
    if answer is not None and not isinstance(answer, bool):
        inner = getattr(answer, "item", None)  # a bool of numpy
        answer = inner() if callable(inner) and getattr(answer, "ndim", 0) == 0 else answer
    if answer is None:
        return True, evidence, ""
    if isinstance(answer, bool):
        return answer, evidence, "" if answer else "it said no"
    return False, evidence, f"it gave {answer!r:.60}, which is no yes and no no"
