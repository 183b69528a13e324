"""What the environment of a version has to hold so that its model answers: from the record alone."""

from __future__ import annotations

import platform
import re
import sys
from typing import Final

import msgspec

from nbreg.capture.surroundings.distributions import normal_name
from nbreg.capture.surroundings.export import requirement, why_not
from nbreg.errors import CannotRebuildError
from nbreg.records import Distribution, Environment, canonical, digest_of

_TABLES: Final = frozenset(("numpy", "scipy", "pandas", "polars"))
"""What arguments may be made of, whether the model needs it or not."""
_OURS: Final = frozenset(("nbreg", "msgspec"))
"""nbreg comes from where it runs now, and brings what it needs."""
_NOTEBOOK: Final = re.compile(
    r"ipython|ipykernel|ipywidgets|jupyter.*|notebook.*|nbconvert|nbclient|nbformat|debugpy|tornado|pyzmq|"
    r"traitlets|comm|tinydb|matplotlib-inline|prompt-toolkit|nest-asyncio|stack-data|jedi|parso|pytest.*|pip|uv"
)
"""What a notebook itself is made of: imported in each, and never by a model."""

_PLAIN_LINE: Final = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """An environment to be made; two versions with equal plans share one."""

    python: str
    """Implementation and minor, such as `cpython 3.12`."""
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    """What else was recorded: a dependency that has to come along comes in this version."""
    notes: tuple[str, ...] = ()
    """Why a line may not be had from an index."""
    machine: str = f"{sys.platform} {platform.machine()}"

    @property
    def digest(self) -> str:
        """What tells it from others."""
        return digest_of(canonical(msgspec.to_builtins(msgspec.structs.replace(self, notes=()))))

    @property
    def minor(self) -> str:
        """Python's version as far as it matters: `3.12`."""
        return self.python.rpartition(" ")[2]

    @property
    def suits_this_python(self) -> bool:
        """Whether this process's interpreter will do."""
        return self.python == _python(sys.implementation.name, platform.python_version())


def plan_of(environment: Environment, what: str) -> Plan:
    """The plan for a recorded environment; `what` is the version's name in errors.

    Raises `CannotRebuildError` where the record names no interpreter, or the model needs what no index has.
    """
    version = environment.python.get("version", "")
    if not re.match(r"\d+\.\d+", version):
        raise CannotRebuildError(
            f"no environment was recorded of {what}", hint="without one it can only be loaded here"
        )
    chosen = [each for each in environment.distributions if is_wanted(each)]
    if lost := [each for each in chosen if each.needed and not requirement(each)]:
        told = ", ".join(f"{each.name} {each.version} ({why_not(each)})" for each in lost[:3])
        raise CannotRebuildError(
            f"{what} needs what cannot be installed again: {told}",
            hint="load it where that is installed, with on_drift='show'",
        )
    lines = {line for each in chosen if (line := requirement(each))}
    recorded = {requirement(each) for each in environment.distributions if _key(each) not in _OURS}
    constraints = {line for line in recorded if _PLAIN_LINE.fullmatch(line)}
    if not any(line.startswith("cloudpickle") for line in lines):
        lines.add(
            next((line for line in constraints if line.startswith("cloudpickle==")), "cloudpickle>=3.1")
        )
    return Plan(
        python=_python(environment.python.get("implementation", ""), version),
        requirements=(*sorted(lines), "msgspec>=0.20"),
        constraints=tuple(sorted(constraints)),
        notes=tuple(f"{each.name} {each.version}: {why}" for each in chosen if (why := why_not(each))),
    )


def is_wanted(each: Distribution) -> bool:
    """Whether an environment for the model has to hold it."""
    name = _key(each)
    if name in _OURS:
        return False
    if each.needed is None:  # it was not found out: all that was imported, but for the notebook
        return each.imported and not _NOTEBOOK.fullmatch(name)
    return each.needed or (each.imported and name in _TABLES)


def _key(each: Distribution) -> str:
    return normal_name(each.name)


def _python(implementation: str, version: str) -> str:
    return f"{implementation.lower() or 'cpython'} {'.'.join(version.split('.')[:2])}"
