"""What Tab offers inside the strings of calls: `nbreg.load("ch`, `registry.rollback("churn", to="churn@`.

What a string means is told by the name of the parameter that it is given to, so that a new verb is completed
without a word here. The function is found by looking names up, and nothing of the user's is called or asked.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from nbreg.registry.offering import references

if TYPE_CHECKING:
    from nbreg.registry import Registry

_Kind = Literal["model", "reference", "stage", "alias"]

_CALL: Final = re.compile(
    r"""(?P<called>[^\W\d][\w.]*)\(                        # the function
        (?P<before>(?:[^()'"]|'[^'\\]*'|"[^"\\]*")*)      # arguments, none of them a call
        (?<!\w)['"](?P<typed>[^'"\\]*)$                 # a string that is not ended yet, and no f-string
    """,
    re.VERBOSE,
)
_STRING: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_KEYWORD: Final = re.compile(r"\s*(\w+)\s*=\s*")

_PARAMETERS: Final[Mapping[str, _Kind]] = {
    "a": "reference",
    "alias": "alias",
    "b": "reference",
    "model": "model",
    "model_name": "model",
    "ref": "reference",
    "stage": "stage",
}
_OTHERWISE: Final[Mapping[tuple[str, str], _Kind | None]] = {
    ("Model", "name"): "model",
    ("ask_gates", "to"): "stage",
    ("dataset", "ref"): None,  # of data
    ("model", "name"): "model",
    ("preview", "model"): None,  # the object
    ("promote", "to"): "stage",
    ("register", "model"): None,
    ("request", "to"): "stage",
    ("retire", "to"): "stage",
    ("rollback", "to"): "reference",
    ("transfer", "to"): "model",
    ("copy", "to"): "model",
}


def complete(namespace: Mapping[str, object], line: str) -> tuple[str, list[str]]:
    """What is completed at the end of the line, and with what; nothing where no verb of nbreg is called."""
    found = _CALL.search(line) if "nbreg" in sys.modules else None
    if found is None:
        return "", []
    called, before, typed = found["called"], found["before"], found["typed"]
    function, registry = _called(namespace, called.split("."))
    kind = _kind(function, before) if function is not None else None
    if registry is None or kind is None:
        return "", []
    words = _words(registry, kind, before, typed)
    return typed, [word for word in words if word.startswith(typed) and word != typed]


def _called(namespace: Mapping[str, object], names: list[str]) -> tuple[Any, Registry | None]:
    """The function of nbreg that these names lead to, and the registry that it would ask."""
    import nbreg

    # The import may stand in the cell that is being written.
    value = namespace.get(names[0], nbreg if names[0] == "nbreg" else None)
    if issubclass(type(value), nbreg.Registry) and len(names) == 2:
        return getattr(type(value), names[1], None), cast("Registry", value)
    if value is nbreg and len(names) == 2 and names[1] in nbreg.__all__:
        return getattr(nbreg, names[1]), nbreg.Registry()
    is_ours = len(names) == 1 and any(value is getattr(nbreg, each) for each in ("load", "register", "Model"))
    return (value, nbreg.Registry()) if is_ours else (None, None)


def _kind(function: Any, before: str) -> _Kind | None:
    """What the string is that stands behind these arguments."""
    *earlier, last = _STRING.sub("''", before).split(",")
    names = [each for each in inspect.signature(function).parameters if each != "self"]
    keyword = _KEYWORD.fullmatch(last)
    if keyword is not None:
        name = keyword[1]
    elif last.strip() or len(earlier) >= len(names) or any(_KEYWORD.match(each) for each in earlier):
        return None
    else:
        name = names[len(earlier)]
    return _OTHERWISE.get((function.__name__, name), _PARAMETERS.get(name))


def _words(registry: Registry, kind: _Kind, before: str, typed: str) -> Iterable[str]:
    if kind == "model":
        return (row.name for row in registry.models())
    if kind == "reference":
        return references(registry, typed)
    if kind == "stage":
        return registry.stages
    first = _STRING.search(before)  # the model whose alias it is
    return registry.aliases(first[0][1:-1].partition("@")[0]) if first else ()
