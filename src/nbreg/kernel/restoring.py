"""What `%load_model … --with` sets beside the model, and what of it may be set: all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

from nbreg.display.text import brief, count, listed
from nbreg.errors import BadInputError, ConflictError

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion

_SHOWN = 60


class Beside(NamedTuple):
    """Artifacts to load, and variables with the values that they had."""

    artifacts: list[str]
    variables: dict[str, Any]


def beside(
    version: ModelVersion,
    names: Iterable[str],
    namespace: Mapping[str, object],
    *,
    taken: str | None,
    overwrite: bool,
) -> Beside:
    """What the names mean in this version. Nothing is set, and of artifacts nothing is loaded yet.

    Raises `ConflictError` where a name holds something else, or is the one that the model is to
    be bound to; `NotRestorableError` where only a summary was recorded.
    """
    from nbreg.registry.opening import restoring  # it brings numpy's summaries: not before somebody restores

    if not names:
        return Beside([], {})
    found = restoring.find(version, names)
    for name in (*found.artifacts, *found.variables):
        if not is_name(name):
            raise BadInputError(
                f"{name!r} is no name of a variable", hint=f"registry.load('{version.ref}', {name!r})"
            )
        if name == taken:
            raise ConflictError(f"--with {name} and --as {name} are one name", hint="give --as another one")
    if not overwrite and (others := restoring.differing(version, found, namespace)):
        is_one = len(others) == 1
        what = "the variable" if is_one else "the variables"
        raise ConflictError(
            f"--with would overwrite {what} {listed(others)}: {'it holds' if is_one else 'they hold'} "
            "something else, so nothing was set",
            hint=f"--overwrite replaces {'it' if is_one else 'them'}, del makes room",
        )
    return Beside(found.artifacts, found.variables)


def is_name(text: str) -> bool:
    """Whether a variable can be called that."""
    return text.isidentifier() and not iskeyword(text)


def told(artifacts: Iterable[str], variables: Mapping[str, Any]) -> str:
    """` with scaler, threshold = 0.5, features (list of 30 items)`: what was set."""
    words = [*artifacts, *(_variable(name, value) for name, value in variables.items())]
    return f" with {listed(words, 12)}" if words else ""


def _variable(name: str, value: Any) -> str:
    kind = type(value)
    if kind in (list, tuple, set, frozenset, dict):
        return f"{name} ({kind.__name__} of {count(len(value), 'item')})"
    return f"{name} = {brief(repr(value), _SHOWN - len(name))}" if len(name) < _SHOWN - 10 else name
