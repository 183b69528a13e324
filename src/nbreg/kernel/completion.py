"""What Tab offers on the line of a magic: models, versions, stages, aliases, variables, flags.

Inside the strings of calls it is `calling` that knows; both are one matcher of IPython's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

from IPython.core.completer import SimpleCompletion, context_matcher

from nbreg.families.describing.describe import is_model
from nbreg.kernel import calling
from nbreg.kernel.arguments import split
from nbreg.kernel.parsers import MAGICS, parser
from nbreg.registry.offering import references

if TYPE_CHECKING:
    from nbreg.kernel.session import Session

Kind = Literal[
    "model",
    "reference",
    "request",
    "stage",
    "variable",
    "candidate",
    "bump",
    "artifact",
    "draft",
    "either",
    "nothing",
]

_LINE: Final = re.compile(rf"\s*(?:[\w\s.,\[\]'\"]+=\s*)?%%?({'|'.join(MAGICS)})\s(.*)", re.DOTALL)
_FLAGS: Final[dict[str, Kind]] = {
    "--from": "reference",
    "--stage": "stage",
    "--metrics": "variable",
    "--params": "variable",
    "--data": "variable",
    "--artifacts": "variable",
    "--bump": "bump",
    "--to": "stage",
    "--with": "artifact",
    "--draft": "draft",
    "--drop": "draft",
}
_POSITIONS: Final[dict[str, tuple[Kind, ...]]] = {
    "register_model": ("model", "candidate"),
    "promote": ("reference", "stage"),
    "retire": ("reference", "stage"),
    "rollback": ("model",),
    "request": ("reference", "stage"),
    "requests": ("model",),
    "approve": ("request",),
    "reject": ("request",),
    "gates": ("model",),
    "load_model": ("reference",),
    "model": ("reference",),
    "model_diff": ("either", "reference"),
    "model_history": ("model",),
    "model_events": ("model",),
}
_SWITCHES: Final = frozenset(
    (
        *("--new", "--force", "--all", "--trust", "--deleted", "--help", "--allow-secrets"),
        *("--preview", "--overwrite"),
    )
)


def matcher(session: Session) -> Callable[[Any], dict[str, Any]]:
    """The function to add to `Completer.custom_matchers`; lines of others cost it one test."""

    @context_matcher(identifier="nbreg", priority=60)  # type: ignore[untyped-decorator,unused-ignore]
    def nbreg_matcher(context: Any) -> dict[str, Any]:
        line = context.text_until_cursor
        found = _LINE.match(line) if "%" in line else None
        try:
            if found is not None:
                fragment, words = complete(session, found[1], found[2])
            elif "(" in line:
                fragment, words = calling.complete(session.namespace, line)
            else:
                return {"completions": []}
        except Exception:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(text=word, type="param") for word in words],
            "matched_fragment": fragment,
            "suppress": bool(words),
        }

    return nbreg_matcher  # type: ignore[no-any-return,unused-ignore]


def complete(session: Session, magic: str, rest: str) -> tuple[str, list[str]]:
    """What is completed, and with what: `rest` is the line between the magic and the cursor."""
    before = split(rest)  # raises inside quotes: what stands there is the user's
    fragment = "" if not before or rest[-1].isspace() else before.pop()
    if not rest.endswith(fragment):
        return "", []  # a word in quotes, or a comment
    if fragment.startswith("-"):
        flag, equals, value = fragment.partition("=")
        if not equals:
            return fragment, _starting(fragment, parser(magic).flags())
        return _values(session, _kind_of(magic, flag), value, before)
    previous = before[-1] if before else ""
    if previous.startswith("--") and previous not in _SWITCHES:
        return _values(session, _kind_of(magic, previous), fragment, before)
    position = sum(1 for i, word in enumerate(before) if word and not _belongs_to_flag(before, i))
    kinds = _POSITIONS.get(magic, ())
    if position >= len(kinds):
        return fragment, []
    return _values(session, kinds[position], fragment, before)


def _belongs_to_flag(words: list[str], i: int) -> bool:
    previous = words[i - 1] if i else ""
    takes_value = previous.startswith("--") and "=" not in previous and previous not in _SWITCHES
    return words[i].startswith("--") or takes_value


def _kind_of(magic: str, flag: str) -> Kind:
    if flag == "--to" and magic == "rollback":
        return "reference"
    return _FLAGS.get(flag, "nothing")


def _values(session: Session, kind: Kind, fragment: str, before: list[str]) -> tuple[str, list[str]]:
    """Of a list with commas only the last piece is completed, and of `name=variable` the variable."""
    if kind in ("variable", "artifact"):
        fragment = fragment.rpartition(",")[2].rpartition("=")[2]
    return fragment, _starting(fragment, _words(session, kind, fragment, before))


def _words(session: Session, kind: Kind, fragment: str, before: list[str]) -> Iterable[str]:
    if kind == "model":
        return (row.name for row in session.registry.models())
    if kind == "reference":
        return references(session.registry, fragment)
    if kind == "request":
        return (each.id for each in session.registry.requests(state="open"))
    if kind == "stage":
        return session.registry.stages
    if kind == "bump":
        return ("auto", "major", "minor", "patch")
    if kind == "variable":
        return session.namespace
    if kind == "either":
        return [*_words(session, "candidate", fragment, before), *references(session.registry, fragment)]
    if kind == "candidate":
        return (name for name, value in session.namespace.items() if is_model(value))
    if kind == "draft":
        return (str(each.number) for each in session.registry.drafts())
    if kind == "artifact":
        reference = next((word for word in before if word and not word.startswith("--")), "")
        return ["all", *_artifacts(session, reference)] if reference else ["all"]
    return ()


def _artifacts(session: Session, reference: str) -> list[str]:
    version = session.registry.get(reference)
    variables = (each.name for each in version.variables.variables if each.value is not None)
    return [*(name for name in version.artifacts if name != "model"), *variables]


def _starting(fragment: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(fragment) and word != fragment]
