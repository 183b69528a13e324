"""Variables are recorded without calling their code, within bounds, and without secrets."""

from __future__ import annotations

import argparse
import math
import sys
from collections import OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbreg.capture.secrets import Redactor
from nbreg.capture.summaries import library_types
from nbreg.capture.variables import capture_variables, variables_summary
from nbreg.records import Variable, Variables, canonical
from nbreg.settings import Settings


def captured(namespace: dict[str, object], settings: Settings | None = None) -> Variables:
    return capture_variables(namespace, Redactor.of_process(namespace), settings or Settings())


def only(value: object, name: str = "x") -> Variable:
    [variable] = captured({name: value}).variables
    return variable


@pytest.mark.parametrize(
    ("value", "kind", "recorded"),
    [
        (None, "NoneType", None),
        (True, "bool", True),
        (3, "int", 3),
        (0.5, "float", 0.5),
        ("text", "str", "text"),
        (math.nan, "float", "nan"),
        (-math.inf, "float", "-inf"),
        (2**80, "int", str(2**80)),
        (1 + 2j, "complex", "(1+2j)"),
        ((1, "a", None), "tuple", [1, "a", None]),
        ([1, [2, [3]]], "list", [1, [2, [3]]]),
        ({"b", "a"}, "set", ["a", "b"]),
        ({"lr": 0.1, "layers": [1, 2]}, "dict", {"lr": 0.1, "layers": [1, 2]}),
        ({0: "cat", 1: "dog"}, "dict", {"$type": "dict", "items": [[0, "cat"], [1, "dog"]]}),
        ([math.nan], "list", [{"$type": "float", "value": "nan"}]),
        (range(3), "range", "0:3:1"),
        (Decimal("0.10"), "decimal.Decimal", "0.10"),
        (date(2026, 2, 9), "datetime.date", "2026-02-09"),
        (datetime(2026, 2, 9, 10, tzinfo=UTC), "datetime.datetime", "2026-02-09T10:00:00+00:00"),
        (PurePosixPath("a/b"), "pathlib.PurePosixPath", "a/b"),
        (OrderedDict(a=1), "collections.OrderedDict", {"$type": "dict", "items": [["a", 1]]}),
        (defaultdict(list, a=[1]), "collections.defaultdict", {"a": [1]}),
        (argparse.Namespace(lr=0.1), "argparse.Namespace", {"lr": 0.1}),
        (SimpleNamespace(lr=0.1), "types.SimpleNamespace", {"lr": 0.1}),
        (np.float64(0.5), "numpy.float64", 0.5),
        (np.bool_(True), "numpy.bool", True),
        (pd.Timestamp("2026-02-09"), "pandas.Timestamp", "2026-02-09T00:00:00"),
    ],
)
def test_small_plain_values_are_recorded_as_they_are(value: object, kind: str, recorded: object) -> None:
    """Thresholds, seeds and label maps are what people look for in an old version."""
    variable = only(value)

    assert (variable.type.removesuffix("_"), variable.value, variable.summary) == (kind, recorded, {})


def test_arrays_and_frames_are_recorded_by_shape() -> None:
    """The data is not the registry's to copy; that it had 30 columns is worth knowing."""
    frame = pd.DataFrame({"age": [1, 2], "city": ["a", "b"], 7: [0.5, 1.5]})

    assert only(np.zeros((3, 4), "float32")).summary == {"shape": [3, 4], "dtype": "float32", "bytes": 48}
    summary = only(frame).summary
    assert summary["shape"] == [2, 3]
    assert [name for name, _ in summary["columns"]] == ["age", "city", "7"]
    assert summary["columns"][0][1] == "int64"
    assert only(frame["age"]).summary == {"shape": [2], "dtype": "int64", "name": "age", "bytes": 16}
    assert only({"X": np.zeros(2)}).value == {
        "X": {"$type": "numpy.ndarray", "shape": [2], "dtype": "float64", "bytes": 16}
    }


def test_modules_private_names_and_the_bodies_of_functions_are_left_out() -> None:
    """Code is the recipe's; names with an underscore are nobody else's."""
    found = captured({"np": np, "_hidden": 1, "__name__": "x", "f": len, "g": only, "C": Variable, "n": 1})

    assert {each.name: (each.type, each.value) for each in found.variables} == {
        "f": ("builtin_function_or_method", None),
        "g": ("function", None),
        "C": ("msgspec._core.StructMeta", None),
        "n": ("int", 1),
    }


class Hostile:
    """Raises, whatever it is asked."""

    def _refuse(self, *args: object, **kwargs: object) -> Any:
        raise AssertionError("the user's code was called")

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __bool__ = __getattr__ = __format__ = _refuse  # type: ignore[assignment]
    __sizeof__ = __reduce_ex__ = __dir__ = __array__ = __lt__ = __contains__ = __getitem__ = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:
        return 7

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


class Liar:
    __class__ = dict  # type: ignore[assignment]

    def items(self) -> Any:
        raise AssertionError("the user's code was called")


class HostileType(type):
    def __hash__(cls) -> int:
        raise AssertionError("the user's metaclass was called")

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("the user's metaclass was called")

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(f"the user's metaclass was asked for {name}")


class OfHostileType(metaclass=HostileType):
    pass


class MyDict(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise AssertionError("the user's code was called")

    __iter__ = __len__ = keys = values = __getitem__ = items  # type: ignore[assignment]


class MyText(str):
    __len__ = __str__ = __hash__ = MyDict.items  # type: ignore[assignment]


class MyArray(np.ndarray):  # type: ignore[type-arg]
    @property
    def shape(self) -> Any:
        raise AssertionError("the user's code was called")


class MyZone(tzinfo):
    def utcoffset(self, moment: object) -> timedelta:
        raise AssertionError("the user's code was called")


class MyColumn:
    def __repr__(self) -> str:
        raise AssertionError("the user's code was called")


def test_no_code_of_the_users_runs() -> None:
    """A `repr` may take a minute, move a cursor or train a model; capture must never be why."""
    hostile = Hostile()
    objects = np.empty(1, object)
    objects[0] = hostile
    namespace: dict[str, object] = {
        "hostile": hostile,
        "listed": [hostile, {"deep": hostile}],
        "key": {hostile: 1},
        "liar": Liar(),
        "typed": OfHostileType(),
        "cls": OfHostileType,
        "mapping": MyDict(a=1),
        "text": MyText("x"),
        "array": np.zeros(2).view(MyArray),
        "moment": datetime(2026, 2, 9, tzinfo=MyZone()),
        "queue": deque([hostile]),
        "frame": pd.DataFrame({MyColumn(): [1]}),
        "objects": pd.Series(objects, dtype=object),
    }

    found = {each.name: each for each in captured(namespace).variables}

    assert set(found) == set(namespace)
    assert found["hostile"] == Variable(name="hostile", type=f"{__name__}.Hostile")
    assert found["listed"].value[0] == {"$type": f"{__name__}.Hostile"}
    assert found["liar"].type == f"{__name__}.Liar"
    assert found["moment"].value == "2026-02-09T00:00:00"
    assert found["frame"].summary["columns"][0][0] == f"<{__name__}.MyColumn>"


def test_what_is_large_is_summarised_without_being_read() -> None:
    """Two gigabytes in the namespace must cost nothing; here memory that nobody has touched."""
    huge = np.zeros(2 * 1024**3, "uint8")
    loop: list[object] = [1]
    loop.append(loop)
    namespace: dict[str, object] = {
        "array": huge,
        "bytes": bytes(50_000_000),
        "text": "x" * 50_000_000,
        "numbers": [0] * 5_000_000,
        "mapping": dict.fromkeys(map(str, range(100_000)), 1),
        "integer": 1 << 10_000_000,
        "loop": loop,
    }

    found = {each.name: each.summary for each in captured(namespace).variables}

    assert found["array"]["bytes"] == 2 * 1024**3
    assert found["bytes"] == {"bytes": 50_000_000}
    assert found["text"] == {"length": 50_000_000}
    assert found["numbers"] == {"length": 5_000_000, "of": ["int"]}
    assert found["mapping"]["length"] == 100_000
    assert found["mapping"]["keys"][:2] == ["0", "1"]
    assert found["integer"] == {"bits": 10_000_001}
    assert found["loop"] == {"length": 2, "of": ["int", "list"]}


def test_the_record_keeps_to_its_budget_and_says_how_many_names_it_left_out() -> None:
    """A notebook with ten thousand names must not make a version of a hundred megabytes."""
    settings = Settings(variable_bytes=4096, value_bytes=1024)
    namespace: dict[str, object] = {f"text_{n:04}": "x" * 900 for n in range(500)} | {"seed": 42}

    found = captured(namespace, settings)

    assert len(canonical(found)) < 4096 + 500
    assert found.left_out == 501 - len(found.variables) > 0
    assert found.reason == "over 4096 bytes or 5000 names"
    assert Variable(name="seed", type="int", value=42) in found.variables, "the small ones stay"


def test_secrets_are_withheld_by_name_by_shape_and_inside_containers() -> None:
    """Neither the value nor anything computed from it is written."""
    secret = "hunter2-hunter2"
    namespace: dict[str, object] = {
        "password": secret,
        "auth": ("bob", secret),
        "credentials": {"user": "bob", "pin": 123456},
        "api_key": b"hunter2-hunter2",
        "url": f"postgresql://bob:{secret}@db/x",
        "copied": f"see {secret}",
        "config": {"lr": 0.1, "db": {"password": secret}, "url": f"https://bob:{secret}@h/"},
        "headers": [("Authorization", secret), ("Accept", "json")],
        "command": ["train", "--token", secret],
        "token_count": 5,
        "use_password": True,
    }

    found = captured(namespace)
    by_name = {each.name: each for each in found.variables}

    assert secret.encode() not in canonical(found)
    assert b"123456" not in canonical(found)
    for name, kind in (
        ("password", "password"),
        ("auth", "session"),
        ("credentials", "credentials"),
        ("api_key", "key"),
    ):
        assert by_name[name] == Variable(name=name, type=by_name[name].type, redacted=kind)
    assert by_name["url"].redacted
    assert by_name["copied"].redacted == "known-value"
    assert by_name["config"].value["lr"] == 0.1
    assert by_name["config"].value["db"] == {"password": "‹redacted: password›"}
    assert by_name["headers"].value[1] == {"$type": "tuple", "items": ["Accept", "json"]}
    assert (by_name["token_count"].value, by_name["use_password"].value) == (5, True)
    assert variables_summary(found)["redacted"] == 6


S = "hunter2-hunter2"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth", ("bob", S)),
        ("url", f"postgresql://bob:{S}@db/x"),
        ("config", {"db": {"password": S}}),
        ("config", {"password": S, 1: 2}),
        ("headers", [("Authorization", S)]),
        ("command", ["train", "--token", S]),
        ("dsn", f"host=db password={S} dbname=x"),
        ("dsns", [f"host=db password={S} dbname=x"]),
        ("settings", f"user: bob\napi_key: {S}\n"),
        ("line", f"train --password {S}"),
        ("environment", [{"name": "DB_PASSWORD", "value": S}]),
        ("db_password", SimpleNamespace(value=S)),
        ("credentials", OrderedDict(value=S)),
        ("credentials", argparse.Namespace(value=S)),
        ("credentials", np.array([S])),
    ],
    ids=lambda given: given if isinstance(given, str) and given.isidentifier() else "",
)
def test_a_secret_is_withheld_where_nothing_but_its_place_tells(name: str, value: object) -> None:
    """Each alone: a value that is known from elsewhere would be found wherever it stands."""
    assert S.encode() not in canonical(captured({name: value}))


def test_a_name_in_a_dtype_is_withheld_like_any_other_text() -> None:
    """The fields of a structured array are named by whoever made it."""
    assert S.encode() not in canonical(captured({"db_password": S, "a": np.zeros(1, [(S, "f8")])}))


def test_what_only_looks_like_settings_stays() -> None:
    """A prompt or a note is what its version is about."""
    texts = [
        "max_tokens=100, temperature=0.2",
        "the token: a word",
        "key: age",
        "sort_key=name",
        "use --token-count 5",
    ]

    assert only(texts).value == texts


def test_capture_imports_no_library_to_recognise_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registration must not pull in a framework that the user never asked for."""
    frame = pd.DataFrame({"a": [1]})
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.setitem(sys.modules, "numpy", object())

    found = only(frame)

    assert "pandas" not in sys.modules
    assert found == Variable(name="x", type="pandas.DataFrame")


def test_a_library_is_known_as_soon_as_it_has_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module is in `sys.modules` before its names are in it: what was looked for too soon is looked for again."""
    polars = ModuleType("polars")
    monkeypatch.setitem(sys.modules, "polars", polars)
    frame = type("DataFrame", (), {})
    assert library_types() is library_types()
    assert frame not in library_types().summaries

    polars.DataFrame = frame  # type: ignore[attr-defined]
    assert frame in library_types().summaries

    monkeypatch.setitem(sys.modules, "polars", ModuleType("polars"))
    assert frame not in library_types().summaries
