"""Whatever is given in place of what is meant is refused in a sentence, and nothing is changed.

>>> registry.init(stages=5)
BadValueError: the stages are names, not int

Every public verb is called once for each of its arguments and each thing of another kind than that
argument says that it takes. A flag may be anything: Python asks what is true of it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import nbreg
from nbreg import ModelVersion, NbregError, Registry, Run
from nbreg.settings import Settings

WRONG: tuple[Any, ...] = (None, 5, 1.5, True, b"", object(), [], {}, [5], {5: 5})
"""One of these is no text, no number, no flag, no list and no record."""

EXAMPLES: dict[str, Any] = {
    "model_name": "churn", "model": "churn", "ref": "churn@2", "b": "churn@1", "to": "staging", "stage": "staging",
    "alias": "other", "reason": "Because", "where": "prod", "name": "churn", "query": "number == 1", "data": "rows@1",
    "request": "churn:r1", "gate": "proven", "metric": "auc", "format": "requirements", "target": "ticket",
    "stages": ["none", "live", "archived"], "path": "out", "number": 1, "value": 1.0, "note": "a note", "X": [[1]],
    "rows": [[1]], "key": "k", "weights": {"1": 1.0}, "artifact": "model", "metrics": {"auc": 1.0},
}  # fmt: skip
"""What is right for an argument that has to be given while another one is wrong."""

ALIASES = {"Expected": "Mapping | Iterable | str", "Reference": "str | ModelVersion"}


class Case(NamedTuple):
    """A verb, and how to get it from a registry."""

    name: str
    of: Callable[[Registry], Callable[..., Any]]


def _methods(kind: type, of: Callable[[Registry], Any]) -> Iterator[Case]:
    for name in dir(kind):
        if name.startswith("_") or not inspect.isfunction(inspect.getattr_static(kind, name)):
            continue
        yield Case(f"{kind.__name__}.{name}", lambda registry, name=name: getattr(of(registry), name))


CASES = [
    *_methods(Registry, lambda registry: registry),
    *_methods(ModelVersion, lambda registry: registry.get("churn@2")),
    *_methods(Run, lambda registry: registry.run(registry.runs()[0].id)),
    *(
        Case(f"nbreg.{name}", lambda registry, name=name: getattr(nbreg, name))
        for name in nbreg.__all__
        if name not in ("NbregError", "ModelVersion", "Run", "GateContext")  # these others make
    ),
]


def is_meant(annotation: str, value: object) -> bool:
    """Whether an argument that says this of itself takes the value, as far as one can tell from outside."""
    kinds = [each for part in _either(annotation) for each in _either(ALIASES.get(part, part))]
    return kinds == ["bool"] or any(_is_one(each, value) for each in kinds)


def _either(annotation: str) -> list[str]:
    """The parts of `str | Mapping[str, int | None] | None`."""
    while (plainer := re.sub(r"\[[^\[\]]*\]", "", annotation)) != annotation:
        annotation = plainer
    return annotation.split(" | ")


def _is_one(kind: str, value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    known = {
        "None": value is None,
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and is_number,
        "float": is_number,
        "object": True,
        "Any": True,
        "Mapping": value == {},
        **dict.fromkeys(("Iterable", "Sequence", "Collection"), value in ([], {})),
        "Callable": False,
    }
    return known.get(kind, False)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with something of everything."""
    registry = Registry(tmp_path_factory.mktemp("kinds") / "registry", settings=Settings(capture=False))
    with registry.start_run("first"):
        registry.register("churn", {"n": 1}, metrics={"auc": 0.9})
    registry.register("churn", {"n": 2})
    registry.promote("churn@1", "production", reason="First")
    registry.set_alias("churn@1", "champion")
    registry.register_dataset("rows", [1, 2, 3])
    registry.request("churn@2", "staging")
    return registry


def written(registry: Registry) -> dict[str, int]:
    """Every line that there is, in few words."""
    found = registry.location.rglob("*.jsonl")
    return {str(path): path.stat().st_size for path in found}


def calls(verb: Callable[..., Any]) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """A call for each argument and each thing that it does not take."""
    taken = [each for each in inspect.signature(verb).parameters.values() if each.kind != each.VAR_KEYWORD]
    for one in taken:
        for value in WRONG:
            if is_meant(str(one.annotation), value):
                continue
            given = [each for each in taken if each is one or each.default is each.empty]
            named = {each.name: value if each is one else EXAMPLES.get(each.name, "x") for each in given}
            places = given if one.kind in (one.VAR_POSITIONAL, one.POSITIONAL_ONLY) else []
            first = [named.pop(each.name) for each in places if each.kind != each.KEYWORD_ONLY]
            named = {
                each.name: named[each.name]
                for each in given
                if each.name in named and each.kind != each.VAR_POSITIONAL
            }
            yield f"{one.name}={value!r}", first, named


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_of_another_kind_is_refused_in_a_sentence(
    registry: Registry, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list where a name is meant ends in `'list' object has no attribute …` a page below, in whose code?"""
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    before = written(registry)
    wrong = []

    for told, positional, options in calls(case.of(registry)):
        try:
            got = case.of(registry)(*positional, **options)
        except NbregError as error:
            if not error.message or "\n" in error.line or len(error.line) > 600:
                wrong.append(f"{told}: {error.line}")
        except Exception as error:
            wrong.append(f"{told}: {type(error).__name__}: {error}")
        else:
            wrong.append(f"{told}: taken, {got!r:.60}")

    assert wrong == []
    assert written(registry) == before


def test_numbers_of_numpy_are_numbers(registry: Registry) -> None:
    """A column of pandas has no others, and what is taken out of one is passed on as it is."""
    one, days = np.int64(1), np.float32(30)

    assert [each.number for each in registry.versions("churn", limit=one)] == [2]
    assert registry.timeline("churn", number=one) == registry.timeline("churn", number=1)
    assert registry.purge(older_than=days) == registry.purge(older_than=30)
    assert registry.isolated("churn@1", timeout=days) == {"n": 1}
    assert registry.prove("churn@1", seconds=days * 10, memory=np.int64(2**31)).verdict == "loads"
