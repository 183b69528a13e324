"""What is doubtful about what somebody is about to do, in a sentence: said once, and kept.

There are few of these on purpose. Each names something that teams regret later, says what would be
better, and comes at the moment when it can still be changed. It is read in notebooks, shells and
panels alike, whoever wrote it: it spells what all of them know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nbreg import lifecycle
from nbreg.names import parse_semantic
from nbreg.records import Lifecycle, Manifest, ModelRow, Pointer, VersionRow
from nbreg.store.tiny import Draft, JournalDB

if TYPE_CHECKING:
    from nbreg.changes import Implied
    from nbreg.registry.making.request import Request

_SWITCHED_OFF: Final = "switched off"
_INFORMAL: Final = re.compile(
    r"(?:^|[._-])(final|latest|newest|last|old|new|copy|backup|bak|tmp|temp|untitled)[._-]?\d*$",
    re.IGNORECASE,
)


def add(draft: Draft, *told: str) -> list[str]:
    """Say it on the line of what is done; returns what was said."""
    said = [each for each in told if each]
    if said:
        draft.facts["warnings"] = said
    return said


# registering


def informal(name: str, what: str) -> str:
    """`model_final` says what somebody felt on that day, and there is always another one."""
    found = _INFORMAL.search(name)
    if found is None:
        return ""
    better = "aliases and stages move, and names do not" if what == "version" else "its versions are counted"
    return f"the {what}'s name ends in {found[1]!r}: {better}"


def superseding(name: str, holder: int | None) -> str:
    """A name that meant one thing means another from now on."""
    if holder is None:
        return ""
    return f"{name} meant #{holder} before, which keeps its number and bytes: who noted the name gets another"


def naming(database: JournalDB, request: Request, model: ModelRow) -> list[str]:
    """What is doubtful about the names that were asked for."""
    name = request.version or ""
    holder = database.row("names", name, Pointer) if request.force and name else None
    return [
        informal(request.model, "model") if model.next_number == 1 else "",
        informal(name, "version"),
        superseding(name, holder.number if holder else None),
    ]


def understated(name: str, base: VersionRow | None, implied: Implied | None) -> str:
    """A name that promises less than what was changed: inputs that used to work no longer do."""
    if base is None or implied is None or implied.bump != "major":
        return ""
    before, now = parse_semantic(base.name), parse_semantic(name)
    if before is None or now is None:
        return ""
    if now.major > before.major or now.order < before.order:
        return ""
    step = "minor" if now.minor > before.minor else "patch"
    why = implied.reason.removeprefix("major: ")
    return f"{name} is a {step} step from {base.name}, and the change is major: {why}"


def paths(values: Mapping[str, object]) -> list[str]:
    """Texts that are the paths of files that are there: who gave one may have meant the file."""
    texts = {name: each for name, each in values.items() if isinstance(each, str) and 0 < len(each) <= 1024}
    return [
        ("" if name == "model" else f"{name}: ")
        + f"{text!r} was stored as text; pathlib.Path({text!r}) stores the file"
        for name, text in texts.items()
        if _is_path(text)
    ]


def classes(values: Mapping[str, object]) -> list[str]:
    """A class in the place of what was trained: whoever loads it gets what has learned nothing."""
    return [
        f"{each.__name__} is a class, and no object of it was registered"
        for each in values.values()
        if isinstance(each, type)
    ]


def _is_path(text: str) -> bool:
    if "\n" in text or not ("." in text or "/" in text or "\\" in text):
        return False
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def incomplete(manifest: Manifest) -> list[str]:
    """A model that is little more than its weights, or whose libraries nobody knows."""
    told = []
    environment = manifest.environment
    if not environment.is_there and _SWITCHED_OFF not in environment.missing:
        told.append("the versions of its libraries are not known: it may not load where they are others")
    known = manifest.described
    if isinstance(known, dict) and known.get("unfitted"):
        told.append("it was not fitted: it has learned nothing, and predicts nothing")
    is_model = isinstance(known, dict) and known.get("family", "plain") != "plain"
    by_itself = manifest.run is not None and manifest.run.kind == "pipeline"
    can_be_told = not (manifest.draft or by_itself)  # to these nobody can add it
    if is_model and can_be_told and not any(link.role in ("", "train") for link in manifest.links):
        alone = len(manifest.artifacts) == 1 and "Pipeline" not in manifest.artifacts[0].type
        beside = ", nor any preprocessing beside it" if alone else ""
        told.append(f"what it was trained on is not recorded{beside}: data={{'train': X}}, or --data X")
    return told


# moving and deleting


def unexplained(rules: Lifecycle, stage: str, reason: str, message: str) -> str:
    """Who asks later why this version serves finds nothing."""
    if stage not in rules.single or reason.strip() or message.strip():
        return ""
    return f"no reason was given for what is in {stage} now: a reason or a message tells who asks later"


def deleting(rules: Lifecycle, row: VersionRow) -> str:
    """What is archived is there to be gone back to, and to be asked about."""
    if row.stage != lifecycle.last(rules):
        return ""
    return "an archived version was deleted: nobody can roll back to it or look into it once it is purged"
