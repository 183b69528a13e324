"""A version's recorded variables as values, and what stands in the way of setting them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nbreg import families
from nbreg.capture.restoring import restorable, restored
from nbreg.capture.secrets import Redactor
from nbreg.capture.variables import capture_variables
from nbreg.errors import NbregError, UnknownVariableError, did_you_mean
from nbreg.records import Artifact, Variable
from nbreg.registry.ground.given import checked_kind
from nbreg.settings import Settings

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion


def values(version: ModelVersion, names: Iterable[str] = ()) -> dict[str, Any]:
    """The values of all variables that have one, or of those named; see `Registry.variables`."""
    recorded = {each.name: each for each in version.variables.variables}
    chosen = list(names) or list(restorable(version.variables))
    for name in chosen:
        if checked_kind(name, str, "a variable's name") not in recorded:
            reason = version.manifest.variables.missing
            raise UnknownVariableError(
                f"{version.ref} recorded no variable {name[:80]!r}" + (f": {reason}" if reason else ""),
                hint=did_you_mean(name, recorded),
            )
    return {name: restored(recorded[name]) for name in chosen}


class Found(NamedTuple):
    """What comes back beside a model: names of artifacts, and values of variables."""

    artifacts: list[str]
    variables: dict[str, Any]


def find(version: ModelVersion, names: Iterable[str]) -> Found:
    """Artifacts by these names, and where there is none, variables; `all` is all that can come back."""
    artifacts = [name for name in version.artifacts if name != "model"]
    wanted = list(dict.fromkeys(names))
    if "all" in wanted:
        variables = values(version)
        return Found(artifacts, {name: each for name, each in variables.items() if name not in artifacts})
    known = [name for name in wanted if name in artifacts]
    others = [name for name in wanted if name not in artifacts]
    return Found(known, values_or_nearest(version, others, artifacts))


def values_or_nearest(version: ModelVersion, names: list[str], artifacts: list[str]) -> dict[str, Any]:
    """The variables; one that is not there may be meant for an artifact as well."""
    if not names:
        return {}
    try:
        return values(version, names)
    except UnknownVariableError as error:
        recorded = [each.name for each in version.variables.variables]
        missing = next(name for name in names if name not in recorded)
        error.args = (f"{version.ref} has neither an artifact nor a variable {missing[:80]!r}",)
        error.hint = did_you_mean(missing, [*artifacts, *recorded])
        raise


def differing(version: ModelVersion, found: Found, namespace: Mapping[str, object]) -> list[str]:
    """The names that are taken by something else; one that holds an equal value is not in the way."""
    artifacts = version.artifacts
    recorded = {each.name: each for each in version.variables.variables}
    taken = [
        name for name in found.artifacts if name in namespace and not _holds(namespace[name], artifacts[name])
    ]
    return taken + [
        name for name in found.variables if name in namespace and not _is(namespace[name], recorded[name])
    ]


def _holds(value: object, artifact: Artifact) -> bool:
    try:
        return families.snapshot(value) == artifact.token
    except NbregError:
        return False


def _is(value: object, recorded: Variable) -> bool:
    """Compared as they would be recorded: no code of the value's own runs, and `1` is not `True`."""
    settings = Settings(value_bytes=1 << 30, variable_bytes=1 << 30)
    live = capture_variables({recorded.name: value}, Redactor(), settings).variables
    return bool(live) and live[0] == recorded
