"""What a caller asks of `register`, every word of it checked before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbreg import lifecycle
from nbreg.capture.context import current_context
from nbreg.errors import BadInputError, BadNameError
from nbreg.names import BUMPS, Bump, check_model_name, check_version_name, fill_template, template_values
from nbreg.records import Context, RunLink
from nbreg.registry import reading
from nbreg.registry.desk import Desk
from nbreg.registry.given import (
    checked_mapping,
    checked_metrics,
    checked_params,
    checked_tags,
    checked_text,
)


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
        run: RunLink | None = None,
        new: bool = False,
        force: bool = False,
        reason: str = "",
        message: str = "",
        allow_secrets: bool = False,
    ) -> Request:
        """Raises `BadInputError` in one of its kinds, or what a reference that is not there raises."""
        context = current_context()
        values: dict[str, object] = {**template_values(context.moment), **(substitutions or {})}
        rules = desk.lifecycle
        if not isinstance(model_name, str):
            raise BadNameError(f"a model's name is text, not {type(model_name).__name__}")
        model = check_model_name(fill_template(model_name, values))
        if bump is not None and bump not in BUMPS:
            raise BadInputError(f"{bump!r} is no bump", hint=f"one of {', '.join(BUMPS)}")
        if version is not None:
            version = check_version_name(fill_template(version, values), rules.stages)
            if bump is not None:
                raise BadInputError("both a version and a bump are given", hint="give one of them")
        if stage is not None and stage != lifecycle.first(rules):
            lifecycle.check_promotion(rules, lifecycle.first(rules), stage)
        if force and not reason:
            raise BadInputError("taking a name over needs a reason", hint="reason='…'")
        return cls(
            model=model,
            context=context,
            version=version,
            bump=bump,
            stage=None if stage == lifecycle.first(rules) else stage,
            description=checked_text(description, "the description"),
            tags=checked_tags(tags),
            metrics=checked_metrics(metrics),
            params=checked_params(params),
            content=checked_mapping(content, "content"),
            parent="" if parent is None else reading.get(desk, parent).row.id,
            base=None if base is None else _base(desk, model, base),
            run=run or context.run,
            new=new,
            force=force,
            reason=checked_text(reason, "the reason"),
            message=checked_text(message, "the message"),
            allow_secrets=allow_secrets,
        )


def _base(desk: Desk, model: str, base: str) -> int:
    entry = reading.get(desk, base)
    if entry.model != model:
        raise BadInputError(f"{entry.ref} is a version of another model", hint="a base is of the same model")
    return entry.number


def objects(model: object, artifacts: Mapping[str, object] | None) -> dict[str, object]:
    """All objects by artifact name; the model itself is `model`."""
    found: dict[str, object] = {} if model is None else {"model": model}
    for name, value in (artifacts or {}).items():
        if (
            not isinstance(name, str)
            or not name.isprintable()
            or not 0 < len(name) <= 128
            or "/" in name
            or name in (".", "..")
        ):
            raise BadNameError(f"{ascii(name)[:60]} is not the name of an artifact", hint="a short word")
        if name in found:
            raise BadInputError("two artifacts are named 'model'", hint="give one of them another name")
        found[name] = value
    if not found:
        raise BadInputError("there is nothing to register", hint="give the model, or artifacts={…}")
    return found
