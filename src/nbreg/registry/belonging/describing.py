"""What a model is and whose: owners and others, visibility, description, readme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec

from nbreg.errors import BadInputError, BadValueError, option
from nbreg.records import About, ModelRow, Visibility
from nbreg.registry.ground import bookkeeping
from nbreg.registry.ground.desk import Desk
from nbreg.registry.ground.given import checked_tags, checked_text
from nbreg.registry.ground.rights import ABOUT, about
from nbreg.store.folder import MODEL_ROW
from nbreg.store.tiny import JournalDB

PEOPLE: Final = ("owners", "editors", "readers")
VISIBILITIES: Final = get_args(Visibility)
_LONGEST_DESCRIPTION: Final = 2000


def update(
    desk: Desk,
    model: str,
    *,
    people: Mapping[str, Iterable[str] | None],
    visibility: str | None,
    description: str | None,
    readme: str | None,
    force: bool,
    reason: str,
    message: str,
) -> About:
    """Change what is given, `people` by their part of `PEOPLE`; see `Registry.update_model`."""
    changes = _checked(people, visibility, description, readme)
    if force and not reason:
        raise BadInputError("giving a model away needs a reason", hint=option("reason", "…"))
    database = desk.model(model)
    desk.ready()
    with desk.transaction(database, "model-updated", reason=reason, message=message) as draft:
        before = about(database)
        after = msgspec.structs.replace(before, **changes)
        changed = [name for name in changes if getattr(before, name) != getattr(after, name)]
        if not changed:
            return before
        if desk.rights is not None and not force:
            desk.rights.check_keeps(database, model, after, desk.actor)
        draft.facts["changed"] = changed
        for name in (*PEOPLE, "visibility"):  # who may see it and whose it is: told from and to
            if name in changed:
                draft.facts[name] = {"before": getattr(before, name), "after": getattr(after, name)}
        bookkeeping.brief(database, draft)
        database.put(*ABOUT, after)
    return after


def carry(desk: Desk, database: JournalDB, model: str, theirs: About) -> None:
    """Take over what another registry says of a model that is new here, as far as it may be said here."""
    if theirs == About():
        return
    try:
        people = {part: getattr(theirs, part) for part in PEOPLE}
        said = _checked(people, theirs.visibility, theirs.description, theirs.readme)
    except BadInputError:  # it is as untrusted as the rest of the other side
        return
    with desk.transaction(database, "model-updated", reason="Merged") as draft:
        if database.row(*MODEL_ROW, ModelRow) is not None:
            return  # somebody else made it meanwhile
        draft.facts["changed"] = [name for name, value in said.items() if value != getattr(About(), name)]
        bookkeeping.brief(database, draft, new_model=model)
        database.put(*ABOUT, About(**said))


def _checked(
    people: Mapping[str, Iterable[str] | None],
    visibility: str | None,
    description: str | None,
    readme: str | None,
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for part, names in people.items():
        if names is not None:
            changes[part] = checked_tags(names, what=part)
    if visibility is not None:
        if visibility not in VISIBILITIES:
            raise BadInputError(
                f"{ascii(visibility)[:40]} is no visibility", hint=f"one of {', '.join(VISIBILITIES)}"
            )
        changes["visibility"] = visibility
    if description is not None:
        if len(checked_text(description, "the description")) > _LONGEST_DESCRIPTION:
            raise BadValueError("the description is long", hint="what needs pages belongs in the readme")
        changes["description"] = checked_text(description, "the description")
    if readme is not None:
        changes["readme"] = checked_text(readme, "the readme")
    if not changes:
        raise BadInputError(
            "nothing is given to change",
            hint="owners=, editors=, readers=, visibility=, description= or readme=",
        )
    return changes
