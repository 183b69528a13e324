"""What a caller asks of `register`, every word of it checked before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbreg import lifecycle
from nbreg.capture.context import current_context, naming_scope, started_run
from nbreg.capture.knowing import redactor_of
from nbreg.capture.secrets import Redactor
from nbreg.errors import BadInputError, BadNameError, option, spelled
from nbreg.names import (
    BUMPS,
    LONGEST_NAME,
    Bump,
    check_model_name,
    check_version_name,
    fill_template,
    refuse_all_unused,
    template_values,
)
from nbreg.records import Context, RunLink
from nbreg.registry.belonging.datasets import Dataset, by_name, plain_values
from nbreg.registry.ground import reading
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import (
    checked_mapping,
    checked_metrics,
    checked_params,
    checked_substitutions,
    checked_tags,
    checked_text,
)
from nbreg.registry.making.runrecords import linked_run
from nbreg.registry.serving.stamped import unstamped


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked for, every word of it checked."""

    model: str
    context: Context
    version: str | None
    bump: Bump | None
    stage: str | None
    description: str
    tags: list[str]
    metrics: dict[str, float]
    params: dict[str, Any]
    content: dict[str, Any]
    parent: str
    base: int | None
    run: RunLink | None
    new: bool
    force: bool
    reason: str
    message: str
    allow_secrets: bool
    redactor: Redactor
    """Knows what is secret here; what it has withheld is of no account."""
    doubts: list[str] = []
    """What is doubtful about the objects themselves."""
    datasets: dict[str, tuple[str, str]] = {}
    """The data sets that given data is said to be, with where it comes from, by the data's name."""

    @classmethod
    def checked(
        cls,
        desk: Desk,
        model_name: str,
        *,
        version: str | None = None,
        bump: Bump | None = None,
        stage: str | None = None,
        description: str = "",
        tags: Iterable[str] = (),
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        parent: str | None = None,
        base: str | None = None,
        substitutions: Mapping[str, str] | None = None,
        run: object = None,
        new: bool = False,
        force: bool = False,
        reason: str = "",
        message: str = "",
        allow_secrets: bool = False,
    ) -> Request:
        """Raises `BadInputError` in one of its kinds, or what a reference that is not there raises."""
        context = current_context()
        redactor = redactor_of(context)
        scope = naming_scope()
        own = checked_substitutions(substitutions)
        values = {**template_values(scope.moment), **scope.substitutions, **own}
        rules = desk.lifecycle
        if not isinstance(model_name, str):
            raise BadNameError(
                f"a model's name is text, not {type(model_name).__name__}",
                hint="the name comes first: register('churn', model)",
            )
        model = check_model_name(fill_template(model_name, values))
        filled = None if version is None else fill_template(version, values)
        refuse_all_unused(own, model_name, version)
        if bump is not None and bump not in BUMPS:
            raise BadInputError(f"{bump!r} is no bump", hint=f"one of {', '.join(BUMPS)}")
        if filled is not None:
            filled = check_version_name(filled, rules.stages)
            if bump is not None:
                raise BadInputError("both a version and a bump are given", hint="give one of them")
        if stage is not None and stage != lifecycle.first(rules):
            lifecycle.check_promotion(rules, lifecycle.first(rules), stage)
        if force and not reason:
            raise BadInputError("taking a name over needs a reason", hint=option("reason", "…"))
        return cls(
            model=model,
            context=context,
            version=filled,
            bump=bump,
            stage=None if stage == lifecycle.first(rules) else stage,
            description=checked_text(description, "the description", redactor),
            tags=checked_tags(tags, redactor),
            metrics=checked_metrics(metrics, redactor),
            params=checked_params(params, redactor),
            content=checked_mapping(content, "content", redactor),
            parent="" if parent is None else reading.get(desk, parent).row.id,
            base=None if base is None else _base(desk, model, base),
            run=(started_run() or context.run) if run is None else _run(desk, run),
            new=new,
            force=force,
            reason=checked_text(reason, "the reason", redactor),
            message=checked_text(message, "the message", redactor),
            allow_secrets=allow_secrets,
            redactor=redactor,
        )

    def with_datasets(self, data: object) -> Request:
        """With the names of data sets that the data was given with; see `nbreg.Dataset`."""
        named = {name: each for name, each in _by_name(data).items() if isinstance(each, Dataset)}
        told = {
            name: (each.name, checked_text(each.origin, "the origin", self.redactor))
            for name, each in named.items()
        }
        return msgspec.structs.replace(self, datasets=told) if told else self


def _run(desk: Desk, given: object) -> RunLink:
    """A run as it is linked: the run itself, its link, or its id."""
    link = getattr(given, "link", given)
    if isinstance(link, RunLink):
        return link
    if not isinstance(link, str):
        raise BadInputError(
            f"a run is a Run or its id, not {type(given).__name__}", hint="leave it out: it is known"
        )
    return linked_run(desk, link)


def linked(data: object) -> dict[str, object]:
    """Data by name, as it is linked to the version."""
    return plain_values(_by_name(data))


def _by_name(data: object) -> dict[str, object]:
    if data is None:
        return {}
    given = by_name(data)
    if not isinstance(given, Mapping):
        raise BadInputError(f"data is given as {type(data).__name__}", hint="data={'train': X}")
    return {_short_word(name, "data"): value for name, value in given.items()}


def _base(desk: Desk, model: str, base: str) -> int:
    entry = reading.get(desk, base)
    if entry.model != model:
        raise BadInputError(f"{entry.ref} is a version of another model", hint="a base is of the same model")
    return entry.number


def objects(model: object, artifacts: object) -> dict[str, object]:
    """All objects by artifact name; the model itself is `model`."""
    found: dict[str, object] = {} if model is None else {"model": unstamped(model)}
    given = {} if artifacts is None else artifacts
    if not isinstance(given, Mapping):
        raise BadInputError(
            f"artifacts are given as {type(artifacts).__name__}", hint="artifacts={'scaler': scaler}"
        )
    for name, value in given.items():
        if name in found:
            raise BadInputError("two artifacts are named 'model'", hint="give one of them another name")
        found[_short_word(name, "an artifact")] = unstamped(value)
    if not found:
        hint = spelled("give the model, or artifacts={…}", "name a variable or a file, or --artifacts")
        raise BadInputError("there is nothing to register", hint=hint)
    return found


def _short_word(name: object, what: str) -> str:
    """Return the name if it is one that a folder could have, too. Raises `BadNameError`."""
    is_word = isinstance(name, str) and name.isprintable() and 0 < len(name) <= LONGEST_NAME
    if isinstance(name, str) and is_word and "/" not in name and name not in (".", ".."):
        return name
    raise BadNameError(f"{ascii(name)[:60]} is not the name of {what}", hint="a short word")
