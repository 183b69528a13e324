"""Stages and the moves between them: pure rules on a registry's `Lifecycle`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from nbreg.errors import BadInputError, TransitionError, UnknownStageError, did_you_mean, spelled
from nbreg.records import Lifecycle

OTHER_WORDS: Final = {
    "dev": "development",
    "testing": "candidate",
    "test": "candidate",
    "rc": "candidate",
    "prod": "production",
    "serving": "production",
    "live": "production",
    "disabled": "archived",
    "retired": "archived",
}
"""What others call these stages. They are no references, and are answered with the word that is."""

_STAGE: Final = re.compile(r"[a-z][a-z-]{0,31}")


def chosen(stages: Iterable[str]) -> Lifecycle:
    """The rules for stages that somebody chose. Raises `BadInputError`.

    The first is where versions begin, the last is out of use, and those between are held. One of them
    has a single holder: `production`, if it is there, else the highest. `none`, `production` and
    `archived` mean the same in every registry, so they stand nowhere but in their places.
    """
    if not isinstance(stages, Iterable):
        raise BadInputError(
            f"the stages are names, not {type(stages).__name__}",
            hint="for example none, testing, staging, production, archived",
        )
    names = [stages] if isinstance(stages, str) else list(stages)
    for name in names:
        if not isinstance(name, str) or not _STAGE.fullmatch(name) or name == "latest":
            raise BadInputError(
                f"{ascii(name)[:60]} is no name of a stage", hint="small letters and '-'; 'latest' is taken"
            )
    if "none" in names[1:] or "archived" in names[:-1] or "production" in (*names[:1], *names[-1:]):
        raise BadInputError(
            "'none' can only be the first stage, 'archived' the last, and 'production' one in between",
            hint="for example none, testing, staging, production, archived",
        )
    single = "production" if "production" in names else "".join(names[-2:-1])
    return check_lifecycle(Lifecycle(stages=names, single=[single]))


def first(lifecycle: Lifecycle) -> str:
    """The stage where versions begin."""
    return lifecycle.stages[0]


def last(lifecycle: Lifecycle) -> str:
    """The stage of what is out of use."""
    return lifecycle.stages[-1]


def held(lifecycle: Lifecycle) -> list[str]:
    """The stages that a version can hold, so that a reference may name them."""
    return lifecycle.stages[1:-1]


def serving(lifecycle: Lifecycle) -> str:
    """The stage of what is at work: the highest one with a single holder."""
    return max(lifecycle.single, key=lifecycle.stages.index, default=held(lifecycle)[-1])


def is_above(lifecycle: Lifecycle, stage: str, other: str) -> bool:
    """Whether a stage that is held is higher than another."""
    return stage in held(lifecycle) and lifecycle.stages.index(stage) > lifecycle.stages.index(other)


def meant_by(lifecycle: Lifecycle, word: str) -> str:
    """The stage that others call by that word; empty where there is none."""
    stage = OTHER_WORDS.get(word.casefold(), "")
    return stage if stage in lifecycle.stages else ""


def check_stage(lifecycle: Lifecycle, stage: str) -> str:
    """Return the stage if the registry has it. Raises `UnknownStageError`."""
    if stage not in lifecycle.stages:
        name = str(stage)[:60]
        meant = meant_by(lifecycle, name)
        raise UnknownStageError(
            f"no stage named {name!a}",
            hint=f"did you mean {meant!r}?" if meant else did_you_mean(name, lifecycle.stages),
        )
    return stage


def check_held(lifecycle: Lifecycle, stage: str) -> str:
    """Return the stage if versions hold it, one after the other. Raises `UnknownStageError`."""
    check_stage(lifecycle, stage)
    if stage not in held(lifecycle):
        raise UnknownStageError(
            f"no single version holds {stage!r}", hint=f"stages to refer to: {', '.join(held(lifecycle))}"
        )
    return stage


def next_up(lifecycle: Lifecycle, stage: str) -> str:
    """One stage up, never past the highest one that is held. Raises `TransitionError`."""
    if stage == last(lifecycle):
        raise TransitionError(f"from {stage!r} it is not clear where to", hint="name the stage")
    rank = lifecycle.stages.index(stage)
    if rank + 1 >= len(lifecycle.stages) - 1:
        raise TransitionError(f"{stage!r} is the highest stage", hint="retire it, or promote another version")
    return lifecycle.stages[rank + 1]


def check_promotion(lifecycle: Lifecycle, stage: str, to: str) -> None:
    """Allow moves up, and back from the last stage. Raises `TransitionError`."""
    check_stage(lifecycle, to)
    if to not in held(lifecycle):
        raise TransitionError(
            f"{to!r} is no stage to promote to", hint="to take a version out of use, retire it"
        )
    stages = lifecycle.stages
    if stage != last(lifecycle) and stages.index(to) < stages.index(stage):
        instead = spelled(f"retire it to {to!r}", f"retire it with --to {to}")
        raise TransitionError(f"{to!r} is below {stage!r}", hint=f"{instead} instead")


def check_retirement(lifecycle: Lifecycle, stage: str, to: str) -> None:
    """Allow moves down, and to the last stage. Raises `TransitionError`."""
    check_stage(lifecycle, to)
    stages = lifecycle.stages
    if to != last(lifecycle) and (stage == last(lifecycle) or stages.index(to) > stages.index(stage)):
        instead = f"promote it to {to!r} instead" if to in held(lifecycle) else "nothing goes back there"
        raise TransitionError(f"{to!r} is not below {stage!r}", hint=instead)


def check_lifecycle(lifecycle: Lifecycle) -> Lifecycle:
    """Return the lifecycle if its stages can be used. Raises `BadInputError`."""
    stages = lifecycle.stages
    if len(stages) < 3 or len(set(stages)) != len(stages):
        raise BadInputError("a lifecycle has at least three stages, each once")
    if not set(lifecycle.single) <= set(held(lifecycle)):
        raise BadInputError("only stages between the first and the last can have a single holder")
    return lifecycle
