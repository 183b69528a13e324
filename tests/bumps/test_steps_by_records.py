"""What real models cannot show in a script: steps by records, as a kernel leaves them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest
from compared import side

from nbreg import changes
from nbreg.changes import inputs
from nbreg.records import Data, DataLink, Execution, Git, Recipe, Signature, Source


def cells(*sources: str, status: Any = "complete", safe: str = "") -> Recipe:
    """A recipe; `safe` is a cell that is kept to be safe."""
    kept = [Execution(source=each, why="sets clf") for each in sources]
    kept += [Execution(source=safe, why="kept to be safe: may change clf")] if safe else []
    return Recipe(status=status, cells=kept)


DATA = Data(sets=[])
CODE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"recipe": cells("import x", "fit(1)")},
        {"recipe": cells("import x", "fit(2)")},
        "minor: code changed (1 cell of 2), and with it perhaps the data, same architecture and features; "
        "not compared: data (none recorded)",
    ),
    (
        {"recipe": cells("fit(1)", status="conservative", safe="show()")},
        {"recipe": cells("fit(1)", status="conservative", safe="promote()")},
        "minor: nothing but the weights changed, same architecture and features; not compared: data "
        "(none recorded), code (the recipe is conservative)",
    ),
    (
        {"source": Source(definitions={"Net": "class Net: 1"})},
        {"source": Source(definitions={"Net": "class Net: 2", "Other": ""})},
        "minor: code changed (Net), and with it perhaps the data",
    ),
    (
        {"recipe": cells("fit(1)"), "source": Source(definitions={"plot": "def plot(): 1"})},
        {"recipe": cells("fit(1)"), "source": Source(definitions={"plot": "def plot(): 2"})},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"source": Source(modules={"features": "x = 1"})},
        {"source": Source(modules={"features": "x = 2"})},
        "minor: code changed (module features), and with it perhaps the data",
    ),
    (
        {"recipe": cells("fit(1)", "v = %register_model m clf")},
        {"recipe": cells("%%register_model m\nfit(1)")},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"recipe": cells("fit(1)", status="conservative", safe="show()")},
        {"recipe": cells("fit(2)", status="conservative", safe="show()")},
        "minor: code changed (1 cell of 1), and with it perhaps the data, same architecture and features; "
        "not compared: data (none recorded)",
    ),
    (
        {"recipe": cells("fit(1)"), "source": Source(git=Git(commit="a" * 40))},
        {"recipe": cells("fit(1)"), "source": Source(git=Git(commit="b" * 40))},
        "minor: nothing but the weights changed, same architecture, features and code; not compared: data",
    ),
    (
        {"source": Source(git=Git(commit="a" * 40))},
        {"source": Source(git=Git(commit="b" * 40))},
        "minor: code changed (commit aaaaaaaa → bbbbbbbb), and with it perhaps the data",
    ),
    (
        {"recipe": Recipe(), "source": Source()},
        {"recipe": Recipe(), "source": Source()},
        "minor: nothing but the weights changed, same architecture and features; not compared: data and code "
        "(none recorded)",
    ),
]


@pytest.mark.parametrize(("first", "second", "said"), CODE, ids=[case[2][:60] for case in CODE])
def test_code(first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    """Cells, definitions and local modules tell what was done; cells that nobody depends on do not count."""
    reason = changes.implied(side(**first), side(token="b", **second)).reason

    assert reason.startswith(said)


def test_code_alone_is_a_patch_where_the_data_is_the_same() -> None:
    """A bug fix that was trained on the same rows."""
    data = msgspec.convert({"sets": [{"name": "X", "role": "train", "snapshot": "s"}]}, Data)
    base, new = (side(token=each, data=data, recipe=cells(f"fit({each})")) for each in "ab")

    assert changes.implied(base, new) == (
        "patch",
        "patch: code changed (1 cell of 1), same architecture, features and data",
    )


def test_data_that_was_inferred_is_compared_like_data_that_was_given() -> None:
    """Nobody typed `--data`: the sets are called by what stands in the cells, and that is another expression."""

    def inferred(cut: str, rows: int) -> Data:
        summary = {"scope": "whole"}
        sets = [
            {"name": f"Xtr{cut}", "snapshot": f"x{rows}", "summary": {"shape": [rows, 30], **summary}},
            {"name": f"ytr{cut}", "snapshot": f"y{rows}", "summary": {"shape": [rows], **summary}},
        ]
        return msgspec.convert({"sets": [{"role": "train", "inferred": True, **each} for each in sets]}, Data)

    base, new = side(data=inferred("", 426)), side(token="b", data=inferred(".iloc[:300]", 300))
    (frame, _) = inferred("", 426).sets
    given = side(data=Data(sets=[msgspec.structs.replace(frame, inferred=False)]))

    for before in (base, given):  # who named the frame did not say that there was no target
        assert changes.implied(before, new) == (
            "minor",
            "minor: training data changed (426 → 300 rows), same architecture and features",
        )


@pytest.mark.parametrize("is_first", [True, False])
def test_data_that_changed_before_it_could_be_read_is_not_said_to_be_other_data(is_first: bool) -> None:
    """A frame was written to after `fit`: nothing is known of what went in, its width least of all."""
    target = DataLink(name="y", role="train", snapshot="y", summary={"shape": [500], "scope": "whole"})
    link = DataLink(name="X", role="train", inferred=True)
    whole = msgspec.structs.replace(link, snapshot="x", summary={"shape": [500, 4], "scope": "whole"})
    gone = msgspec.structs.replace(link, summary={"since": "changed"})
    one, other = (
        side(token=token, data=Data(sets=[each, target])) for token, each in (("a", gone), ("b", whole))
    )

    bump, reason = changes.implied(one, other) if is_first else changes.implied(other, one)

    assert bump == "minor"
    assert reason.startswith("minor: nothing but the weights changed")
    assert "not compared: data (X changed since)" in reason
    assert "training data changed" not in reason


def test_the_code_is_not_read_where_something_else_tells_the_two_apart() -> None:
    """A registration does not wait for two hundred cells to be compared."""

    def refuse(name: str, kind: type) -> Any:
        raise AssertionError(f"{name} was read")

    base, new = (
        side(recipe=cells("a")),
        side(recipe=cells("b"), described={"architecture": {"class": "m.Other"}}),
    )

    assert changes.implied(base._replace(read=refuse), new._replace(read=refuse)).bump == "major"


def test_what_was_read_in_part_is_not_said_to_be_the_same() -> None:
    """Of a large frame every n-th row is read: other rows say nothing of the whole."""
    sets = [
        msgspec.convert(
            {
                "sets": [
                    {
                        "name": "X",
                        "role": "train",
                        "snapshot": scope,
                        "summary": {"shape": [9, 2], "scope": scope},
                    }
                ]
            },
            Data,
        )
        for scope in ("whole", "every 3th row")
    ]
    base, new = (side(token=scope.name, data=data) for scope, data in zip([_A, _B], sets, strict=True))

    assert "not compared: data (X cannot be told apart by content)" in changes.implied(base, new).reason


def test_a_reason_stays_a_sentence_whatever_names_are_in_it() -> None:
    """It stands in the journal's line, the card and every list of events."""
    base, new = (
        side(described={"architecture": {"class": "m.M"}, "features": [each * 5000]}) for each in "ab"
    )
    reason = changes.implied(base, new).reason

    assert len(reason) == 800
    assert reason.endswith("…")


class _Named(NamedTuple):
    name: str


_A, _B = _Named("a"), _Named("b")
TYPES = [
    ("float64", "int64", True),
    ("int64", "int32", True),
    ("int64", "uint32", True),
    ("Int64", "int64", True),
    ("float64", "bool", True),
    ("object", "str", True),
    ("int64", "float64", False),
    ("float32", "float64", False),
    ("int32", "uint32", False),
    ("int64", "Int64", False),
    ("category", "str", False),
    ("datetime64[ns]", "int64", False),
]


@pytest.mark.parametrize(("wide", "narrow", "takes"), TYPES, ids=[f"{a}-{b}" for a, b, _ in TYPES])
def test_a_type_is_wider_where_it_takes_all_the_other_holds(wide: str, narrow: str, takes: bool) -> None:
    """Consumers that send what they always sent must not fail."""
    assert inputs.takes(wide, narrow) is takes


def test_another_shape_of_an_array_is_a_break() -> None:
    """An image of another size does not fit."""
    shapes = ([-1, 3, 32, 32], [-1, 3, 64, 64])
    base, new = (
        side(signature=Signature(inputs=[{"name": "", "type": "float32", "shape": each}])) for each in shapes
    )

    assert changes.implied(base, new).reason.startswith(
        "major: inputs that used to work no longer do (3×32×32 → 3×64×64)"
    )
