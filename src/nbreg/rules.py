"""Gates as people write them, the same in Python, in a notebook and on a command line.

    metrics.auc > 0.9 and "reviewed" in tags      a query, as in every list
    not_worse("auc", tolerance=0.01)              than that of the stage's present holder
    proven · recipe("complete") · same_signature · no_warnings
    tagged("reviewed", "legal") · message_required · reason_required · approved(2)
    no_regression · ourteam.gates:no_regression   a function: an entry point, or one of this process

It is spelled as Python is, and it is no Python: a name, or a call with literals, of which the
above mean something and everything else is refused.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection
from typing import Any, Final

from nbreg.errors import BadInputError, did_you_mean
from nbreg.names import LONGEST_NAME
from nbreg.records import (
    AnyRule,
    ApprovedRule,
    FunctionRule,
    MessageRequiredRule,
    NotWorseRule,
    NoWarningsRule,
    ProvenRule,
    QueryRule,
    ReasonRequiredRule,
    RecipeRule,
    SameSignatureRule,
    TaggedRule,
)

LONGEST: Final = 4_000
MOST_APPROVALS: Final = 100
STATUSES: Final = ("incomplete", "conservative", "complete", "verified")
"""What a recipe can be, from the least to the best."""

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.]*)?")


def parse(text: str, fields: Collection[str]) -> AnyRule:
    """The rule that a text means; `fields` are those of queries.

    Raises `BadInputError`. A query is taken as it stands: who knows its fields reads it.
    """
    if not isinstance(text, str):
        raise BadInputError(f"a gate is text or a function, not {type(text).__name__}", hint=_EXAMPLE)
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise BadInputError(f"a gate of {len(text)} characters", hint=_EXAMPLE)
    match _tree(text):
        case ast.Name(id=name) if name in _MAKERS:
            return _made(name, [], {})
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if name not in _MAKERS:
                raise BadInputError(f"no gate is called {name[:60]!r}", hint=did_you_mean(name, _MAKERS))
            return _made(name, [_literal(each) for each in args], _by_name(keywords))
    if _FUNCTION.fullmatch(text) and re.split(r"[.:]", text)[0] not in fields:
        return FunctionRule(name=text)
    return QueryRule(text=text)


_EXAMPLE: Final = """for example 'metrics.auc > 0.9', 'proven' or 'not_worse("auc")'"""


def _tree(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadInputError(
            f"{ast.unparse(node)[:60]!r} in a gate is no text or number", hint=_EXAMPLE
        ) from None


def _by_name(keywords: list[ast.keyword]) -> dict[str, Any]:
    return {each.arg or "**": _literal(each.value) for each in keywords}


def _made(name: str, args: list[Any], options: dict[str, Any]) -> AnyRule:
    maker = _MAKERS[name]
    try:
        return maker(*args, **options)
    except (TypeError, ValueError, OverflowError):  # they do not fit, or are longer than Python spells
        raise BadInputError(f"{name} is not asked so", hint=f"for example {_EXAMPLES[name]}") from None


# the kinds, each made from what is written in its brackets


def _not_worse(metric: str, *, tolerance: float = 0.0, better: str = "higher") -> NotWorseRule:
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not is_number or not math.isfinite(tolerance) or tolerance < 0:
        raise BadInputError(f"a tolerance is a number from 0 on, not {tolerance!r:.60}")
    if better not in ("higher", "lower"):
        raise BadInputError(f"a metric is better 'higher' or 'lower', not {better!r:.60}")
    return NotWorseRule(
        metric=_word(metric, "a metric"),
        tolerance=float(tolerance),
        better="lower" if better == "lower" else "higher",
    )


def _recipe(status: str) -> RecipeRule:
    if status not in STATUSES[1:]:
        raise BadInputError(f"a recipe is not {status!r:.60}", hint=f"one of {', '.join(STATUSES[1:])}")
    return RecipeRule(status=status)  # type: ignore[arg-type]  # one of those, as was just checked


def _tagged(*tags: str) -> TaggedRule:
    if not tags:
        raise TypeError("no tag")
    return TaggedRule(tags=[_word(tag, "a tag") for tag in tags])


def _approved(by: int = 1) -> ApprovedRule:
    if isinstance(by, bool) or not isinstance(by, int) or not 1 <= by <= MOST_APPROVALS:
        raise BadInputError(f"approvals are counted from 1 to {MOST_APPROVALS}, not {by!r:.60}")
    return ApprovedRule(by=by)


def _word(word: object, what: str) -> str:
    if not isinstance(word, str) or not word.strip() or len(word) > LONGEST_NAME or not word.isprintable():
        raise BadInputError(f"{word!r:.60} is not the name of {what}")
    return word


_MAKERS: Final[dict[str, Callable[..., AnyRule]]] = {
    "approved": _approved,
    "message_required": lambda: MessageRequiredRule(),
    "no_warnings": lambda: NoWarningsRule(),
    "not_worse": _not_worse,
    "proven": lambda: ProvenRule(),
    "reason_required": lambda: ReasonRequiredRule(),
    "recipe": _recipe,
    "same_signature": lambda: SameSignatureRule(),
    "tagged": _tagged,
}
NAMES: Final = tuple(_MAKERS)
"""The rules that have a name."""

_EXAMPLES: Final = dict(zip(NAMES, NAMES, strict=True)) | {
    "approved": "approved(2)",
    "not_worse": 'not_worse("auc", tolerance=0.01, better="higher")',
    "recipe": 'recipe("complete")',
    "tagged": 'tagged("reviewed")',
}


def spelled(rule: AnyRule) -> str:
    """The one spelling of a rule; reading it gives the rule again."""
    match rule:
        case QueryRule():
            return rule.text
        case FunctionRule():
            return rule.name
        case NotWorseRule():
            tolerance = f", tolerance={rule.tolerance!r}" if rule.tolerance else ""
            better = ', better="lower"' if rule.better == "lower" else ""
            return f"not_worse({_quoted(rule.metric)}{tolerance}{better})"
        case RecipeRule():
            return f"recipe({_quoted(rule.status)})"
        case TaggedRule():
            return f"tagged({', '.join(map(_quoted, rule.tags))})"
        case ApprovedRule():
            return f"approved({rule.by})"
    return rule.__struct_config__.tag.replace("-", "_")  # type: ignore[union-attr]


def _quoted(text: str) -> str:
    """With double quotes where that is enough, so that a shell's single ones fit around it."""
    return repr(text) if '"' in text or "\\" in text or not text.isprintable() else f'"{text}"'
