"""The grammar of names: models, versions, aliases, semantic versions, templates, references.

Pure functions on text. `parse_reference` is the one reader of references; which version a
reference means is decided in one place too, `Registry.get`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Final, Literal, NamedTuple

import msgspec

from nbreg.errors import BadNameError, BadReferenceError, BadTemplateError, did_you_mean

Bump = Literal["major", "minor", "patch"]
BUMPS: Final[tuple[Bump, ...]] = ("major", "minor", "patch")

LATEST: Final = "latest"
LONGEST_NAME: Final = 128  # one part of a model name, a version name, an alias
SHORTEST_DIGEST: Final = 8  # hex digits

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_SEMANTIC = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?",
    re.ASCII,
)
_DIGEST = re.compile(rf"sha256:([0-9a-f]{{{SHORTEST_DIGEST},64}})")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:T.*)?", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WINDOWS_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)))
)


def _shown(text: str) -> str:
    """The text as an error may quote it: escaped, and never thousands of characters."""
    return ascii(text if len(text) <= 60 else text[:57] + "…")


def check_model_name(name: str, *, what: str = "model") -> str:
    """Return the name if a model, or what is named like one, may have it; up to three parts joined by `/`.

    Raises `BadNameError`.
    """
    if not isinstance(name, str) or not name:
        raise BadNameError(f"a {what} needs a name", hint="for example 'churn' or 'risk/churn'")
    if "@" in name:
        model = name.partition("@")[0]
        raise BadNameError(
            f"{_shown(name)} names a version, and a {what} is asked for", hint=f"{_shown(model)} by itself"
        )
    parts = name.split("/")
    if len(parts) > 3:
        raise BadNameError(f"{_shown(name)} has {len(parts)} parts", hint=f"a {what} name has up to 3")
    for part in parts:
        if len(part) > LONGEST_NAME:
            raise BadNameError(
                f"{_shown(part)} has {len(part)} characters", hint=f"up to {LONGEST_NAME} are allowed"
            )
        if not _PART.fullmatch(part):
            raise BadNameError(
                f"{_shown(name)} is not a {what} name",
                hint="letters, digits, '.', '_' and '-', starting with a letter or digit; "
                "up to three such parts joined by '/'",
            )
        if part.endswith(".") or part.partition(".")[0].casefold() in _WINDOWS_DEVICES:
            raise BadNameError(
                f"{_shown(name)} cannot be a folder on every system", hint="choose another name"
            )
        if part.casefold().endswith(".model"):
            raise BadNameError(
                f"{_shown(name)} ends in '.model'", hint="nbreg's own folders end so; leave it out"
            )
    return name


def check_version_name(name: str, stages: Iterable[str] = (), *, what: str = "version name") -> str:
    """Return the name as it is kept: a leading `v` before a semantic version is dropped.

    Names and aliases share this grammar. Digits only, stage names, `latest`, ISO dates and
    digests mean something else in a reference, so they are not names.

    Raises `BadNameError`.
    """
    if not isinstance(name, str) or not name:
        raise BadNameError(f"a {what} cannot be empty", hint="leave it out to get the next one")
    if len(name) > LONGEST_NAME:
        raise BadNameError(
            f"{_shown(name)} has {len(name)} characters", hint=f"up to {LONGEST_NAME} are allowed"
        )
    if name[0] in "vV" and parse_semantic(name[1:]):
        name = name[1:]
    if not _VERSION_NAME.fullmatch(name):
        raise BadNameError(
            f"{_shown(name)} is not a {what}",
            hint="letters, digits, '.', '_', '+' and '-', starting with a letter or digit",
        )
    if name.isdigit():
        raise BadNameError(f"{name!r} is a number, not a {what}", hint="numbers are given by the registry")
    if name.casefold() in {LATEST, *(stage.casefold() for stage in stages)}:
        raise BadNameError(f"{name!r} is reserved", hint="stage names and 'latest' are not names")
    if _ISO.fullmatch(name):
        raise BadNameError(f"{name!r} is a date", hint="in a reference a date means 'as of then'")
    return name


# semantic versions


class SemanticVersion(NamedTuple):
    """MAJOR.MINOR.PATCH with an optional pre-release; build metadata plays no part in order."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""

    @property
    def order(self) -> tuple[object, ...]:
        """The key to sort by: a pre-release comes before its release, numbers before words."""
        identifiers = tuple(
            (0, int(each), "") if each.isdigit() else (1, 0, each) for each in self.prerelease.split(".")
        )
        return (self.major, self.minor, self.patch, not self.prerelease, identifiers)

    def bumped(self, bump: Bump) -> SemanticVersion:
        """The next release; a pre-release is followed by its own release, where that is step enough."""
        if self.prerelease and (bump == "patch" or (not self.patch and (bump == "minor" or not self.minor))):
            return SemanticVersion(self.major, self.minor, self.patch)
        if bump == "major":
            return SemanticVersion(self.major + 1, 0, 0)
        if bump == "minor":
            return SemanticVersion(self.major, self.minor + 1, 0)
        return SemanticVersion(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        release = f"{self.major}.{self.minor}.{self.patch}"
        return f"{release}-{self.prerelease}" if self.prerelease else release


FIRST_VERSION: Final = SemanticVersion(1, 0, 0)


def parse_semantic(name: str | None) -> SemanticVersion | None:
    """The semantic version that the name spells, or None where it spells none."""
    match = _SEMANTIC.fullmatch(name or "")
    if match is None:
        return None
    major, minor, patch, prerelease, _build = match.groups()
    return SemanticVersion(int(major), int(minor), int(patch), prerelease or "")


def next_name(base: SemanticVersion | None, bump: Bump, taken: Callable[[str], bool]) -> str:
    """The next free semantic version after `base`; the first one where there is no base."""
    candidate = base.bumped(bump) if base else FIRST_VERSION
    while taken(str(candidate)):
        candidate = candidate.bumped(bump)
    return str(candidate)


# templates


def template_values(moment: datetime) -> dict[str, str]:
    """`{date}` and `{time}` for one moment; take it once per run, so that all names agree."""
    moment = moment.astimezone(UTC)
    return {"date": moment.strftime("%Y_%m_%d"), "time": moment.strftime("%H_%M_%S_%f")}


def fill_template(template: str, values: Mapping[str, object]) -> str:
    """Replace each `{placeholder}`; text without one is returned as it is.

    Raises `BadTemplateError` for an unknown placeholder or an empty result.
    """

    if not isinstance(template, str):
        raise BadTemplateError(f"a name is text, not {type(template).__name__}", hint="for example 'churn'")

    def value(match: re.Match[str]) -> str:
        key = match[1].strip()
        if key not in values:
            known = ", ".join(f"{{{each}}}" for each in sorted(values))
            raise BadTemplateError(
                f"unknown placeholder {{{_shown(key)[1:-1]}}} in {_shown(template)}",
                hint=did_you_mean(key, values) if len(values) > 8 else f"known: {known}",
            )
        return str(values[key])

    text = _PLACEHOLDER.sub(value, template)
    if not text:
        raise BadTemplateError(f"{_shown(template)} gives an empty name", hint="fill its placeholders")
    return text


def refuse_unused(given: Iterable[str], *templates: str | None) -> None:
    """Refuse what a line gives to fill a template and fills none: whoever typed it expects another name.

    Raises `BadTemplateError`.
    """
    used = _placeholders(templates)
    for name in given:
        if name not in used:
            shown = f"{{{_shown(name)[1:-1]}}}"
            raise BadTemplateError(
                f"the value given for {shown} is used nowhere", hint=f"write {shown} where it is to stand"
            )


def refuse_all_unused(given: Collection[str], *templates: str | None) -> None:
    """The same of a dictionary, where nothing of it is used: one for many names has more than each asks for.

    Raises `BadTemplateError`.
    """
    if _placeholders(templates).isdisjoint(given):
        refuse_unused(given)


def _placeholders(templates: Iterable[str | None]) -> set[str]:
    return {match[1].strip() for text in templates for match in _PLACEHOLDER.finditer(text or "")}


def fill_known(text: str, values: Mapping[str, object]) -> str:
    """Free text with the placeholders that are known; braces that mean something else stay."""
    return _PLACEHOLDER.sub(lambda match: str(values.get(match[1].strip(), match[0])), text)


# references


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference says, before any registry is asked.

    `kind` is `implicit` where the text names only a model, `word` where it names a stage,
    a version or an alias: those share one namespace, and only a registry can tell which.
    """

    model: str
    kind: Literal["implicit", "latest", "number", "digest", "word"]
    value: str = ""
    as_of: datetime | None = None

    @property
    def moves(self) -> bool:
        """Whether it may mean another version tomorrow; words are judged by the registry."""
        return self.kind in ("implicit", "latest")

    def __str__(self) -> str:
        selector = {"implicit": "", "digest": f"@sha256:{self.value}", "latest": f"@{LATEST}"}.get(
            self.kind, f"@{self.value}"
        )
        moment = f"@{self.as_of.isoformat()}" if self.as_of else ""
        return f"{self.model}{selector}{moment}"


def parse_moment(text: str) -> datetime:
    """A day means its last instant, in UTC; a time without a zone is UTC.

    Raises `BadReferenceError`.
    """
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadReferenceError(
            f"{_shown(text)} is not a date or time", hint="2026-02-09 or 2026-02-09T10:00Z"
        ) from None


def parse_reference(text: str) -> Reference:
    """Read `model`, `model@selector` and `model@selector@moment`.

    Raises `BadReferenceError` or `BadNameError`.
    """
    if not isinstance(text, str):
        raise BadReferenceError(f"a reference is text, not {type(text).__name__}", hint="'churn@production'")
    model, *rest = text.strip().split("@")
    if len(rest) > 2:
        raise BadReferenceError(f"{_shown(text)} has too many '@'", hint="model@version@date at most")
    check_model_name(model)
    as_of = None
    if rest and _ISO.fullmatch(rest[-1]):
        as_of = parse_moment(rest.pop())
    elif len(rest) == 2:
        parse_moment(rest[1])  # says what a moment looks like
    if not rest:
        return Reference(model=model, kind="implicit", as_of=as_of)
    selector = rest[0]
    if not selector:
        raise BadReferenceError(f"{_shown(text)} ends in '@'", hint=f"for example {model}@production")
    if selector == LATEST:
        return Reference(model=model, kind="latest", as_of=as_of)
    if selector.isascii() and selector.isdigit() and len(selector) < 19:
        return Reference(model=model, kind="number", value=str(int(selector)), as_of=as_of)
    if selector.startswith("sha256:"):
        digest = _DIGEST.fullmatch(selector.lower())
        if digest is None:
            raise BadReferenceError(
                f"{_shown(selector)} is not a digest", hint=f"sha256: and {SHORTEST_DIGEST} to 64 hex digits"
            )
        return Reference(model=model, kind="digest", value=digest[1], as_of=as_of)
    if not _VERSION_NAME.fullmatch(selector) or len(selector) > LONGEST_NAME:
        raise BadReferenceError(
            f"{_shown(text)} is not a reference",
            hint="model@number, model@name, model@stage, model@alias, model@latest or model@sha256:…",
        )
    if selector[0] in "vV" and parse_semantic(selector[1:]):
        selector = selector[1:]
    return Reference(model=model, kind="word", value=selector, as_of=as_of)
