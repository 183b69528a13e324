"""The data a model saw: the same content is the same snapshot, and a person sees what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from nbreg import Registry
from nbreg.capture.secrets import Redactor
from nbreg.capture.tabular import data
from nbreg.errors import BadInputError
from nbreg.records import canonical


def read(**sets: object) -> list[data.DataSet]:
    return data.read(sets, Redactor())


def snapshot(value: object) -> str:
    [found] = read(X=value)
    assert found.link.snapshot
    return found.link.snapshot


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [31, 45, 52, 45],
            "income": [1.5, np.nan, 3.25, -0.5],
            "city": ["Łódź", "Oslo", None, "Oslo"],
            "grade": pd.Categorical(["a", "b", "a", None]),
            "since": pd.to_datetime(["2026-01-01", None, "2026-01-03", "2026-01-04"]),
            "visits": pd.array([1, None, 3, 4], dtype="Int64"),
            "member": [True, False, True, True],
        }
    )


def _tables() -> list[Any]:
    numbers = np.arange(12.0).reshape(4, 3)
    made: list[Any] = [
        numbers,
        frame(),
        pd.Series([1.0, 2.0], name="y"),
        [[1, 2.5], [3, 4.5]],
        ["a", None, "b"],
        {"a": [1, 2], "b": np.array([0.5, 1.5])},
        np.zeros((5, 2, 3), "f4"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    ]
    return [pytest.param(each, id=f"{type(each).__name__}-{at}") for at, each in enumerate(made)]


@pytest.mark.parametrize("value", _tables())
def test_a_copy_has_the_same_snapshot(value: Any) -> None:
    """Two people with the same data see that it is the same, whatever their copies look like in memory."""
    import copy

    assert snapshot(copy.deepcopy(value)) == snapshot(value)


@pytest.mark.parametrize("name", ["polars", "pyarrow", "scipy.sparse", "torch"])
def test_other_libraries_data_is_read_too(name: str) -> None:
    """Data does not have to be of pandas to be known again; one changed value is another snapshot."""
    library = pytest.importorskip(name, reason=f"{name} is not installed")
    rows = np.array([[1.0, 0.0], [0.0, 3.5], [2.0, 0.0]])
    other = rows.copy()
    other[2, 0] = 2.5
    make = {
        "polars": lambda each: library.DataFrame({"a": each[:, 0], "b": each[:, 1], "t": ["x", None, "y"]}),
        "pyarrow": lambda each: library.table({"a": each[:, 0], "b": each[:, 1], "t": ["x", None, "y"]}),
        "scipy.sparse": lambda each: library.csr_matrix(each),
        "torch": lambda each: library.tensor(each, requires_grad=True),
    }[name]
    [found] = read(X=make(rows))

    assert found.link.summary["shape"] == ([3, 3] if name in ("polars", "pyarrow") else [3, 2])
    assert found.columns
    assert snapshot(make(rows.copy())) == found.link.snapshot != snapshot(make(other))


def test_a_sparse_matrix_is_known_again_in_whatever_order_it_stands() -> None:
    """The order of the stored entries is an accident of how a matrix was built."""
    sparse = pytest.importorskip("scipy.sparse")
    straight = sparse.csr_matrix(([1.0, 2.0], ([0, 0], [0, 1])), shape=(1, 2))
    shuffled = sparse.csr_matrix(([2.0, 1.0], [1, 0], [0, 2]), shape=(1, 2))

    assert snapshot(shuffled) == snapshot(straight)
    assert shuffled.indices.tolist() == [1, 0], "the user's own stays as it was"


def test_it_shows_which_column_changed() -> None:
    """`The data is another one` is a search; `income is another one` is an answer."""
    before, after = frame(), frame()
    after.loc[2, "income"] = 3.5
    [one], [other] = read(X=before), read(X=after)

    changed = [a.name for a, b in zip(one.columns, other.columns, strict=True) if a.digest != b.digest]
    assert changed == ["income"]
    assert one.link.snapshot != other.link.snapshot


def test_a_frames_index_is_no_content() -> None:
    """A model does not see row labels, and a split shuffles them."""
    assert snapshot(frame().set_axis([9, 7, 5, 3])) == snapshot(frame())


def test_order_names_and_types_are_content() -> None:
    """Other rows first, another name or a narrower type can make another model."""
    base = frame()
    others = [base.iloc[::-1], base.rename(columns={"age": "Age"}), base.astype({"age": "int32"})]

    assert snapshot(base) not in {snapshot(other) for other in others}


def test_the_sketch_says_what_people_look_for() -> None:
    """How many are missing, from where to where, which values: without opening the data again."""
    [found] = read(X=frame())
    by_name = {column.name: column for column in found.columns}

    assert (by_name["age"].min, by_name["age"].max, by_name["age"].mean) == (31, 52, 43.25)
    assert (by_name["income"].nulls, by_name["visits"].nulls, by_name["since"].nulls) == (1, 1, 1)
    assert (by_name["city"].nulls, by_name["city"].top) == (1, [["Oslo", 2], ["Łódź", 1]])
    assert (by_name["grade"].nulls, by_name["grade"].distinct) == (1, 2)
    assert str(by_name["since"].max).startswith("2026-01-04")
    assert by_name["member"].distinct == 2


def test_many_values_are_not_counted_to_the_end() -> None:
    """A column of identifiers has no count, and none of them is recorded."""
    [found] = read(X=pd.DataFrame({"id": [f"person-{i}" for i in range(5000)], "n": range(5000)}))

    assert [column.distinct for column in found.columns] == [None, None]
    assert b"person-7" not in canonical(data.record([found]))


@pytest.mark.parametrize(
    "column",
    [
        {"password": ["correct horse", "battery staple"]},
        {"note": ["see AKIAIOSFODNN7EXAMPL3", "fine"]},
    ],
)
def test_nothing_is_recorded_of_a_column_that_holds_secrets(column: dict[str, list[str]]) -> None:
    """Neither values nor a digest, by which a guess could be checked."""
    [found] = read(X=pd.DataFrame({**column, "n": [1, 2]}))
    secret, plain = found.columns

    assert secret.withheld
    assert (secret.digest, secret.top, secret.distinct) == ("", [], None)
    assert plain.digest
    assert found.link.summary["without"] == [secret.name]


def test_numbers_under_a_secrets_name_are_numbers() -> None:
    """`token` counts tokens in every second notebook about language."""
    [found] = read(X=pd.DataFrame({"token": [1, 2]}))

    assert found.columns[0].digest


def test_what_is_too_large_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest of a part never passes for one of the whole."""
    monkeypatch.setattr(data, "WHOLE", 8_000)
    monkeypatch.setattr(data, "SAMPLED", 800)
    small, large = read(a=np.zeros((100, 2)), b=np.arange(20_000.0).reshape(-1, 2))

    assert small.link.summary["scope"] == "whole"
    assert large.link.summary["scope"] == "every 200th row"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Xtr", "train"), ("X_train", "train"), ("train", "train"), ("df", "train"), ("interval", "train"),
        ("Xte", "test"), ("x_test", "test"), ("test_df", "test"),
        ("X_val", "validation"), ("holdout", "validation"), ("valid", "validation"),
    ],
)  # fmt: skip
def test_the_role_of_a_set_is_read_from_its_name(name: str, role: str) -> None:
    """`trained on Xte` would be an accusation."""
    assert data.role_of(name) == role


def test_rows_in_both_sets_are_found() -> None:
    """Evaluating on rows that were trained on is the commonest mistake, and shows nowhere else."""
    rows = np.random.default_rng(0).normal(size=(100, 4))
    table = pd.DataFrame(rows, columns=list("abcd")).assign(t=[f"r{i}" for i in range(100)])
    found = data.record(read(Xte=table.iloc[70:], Xtr=table.iloc[:80], ytr=table["a"].iloc[:80]))

    assert found.overlaps == [{"a": "Xtr", "b": "Xte", "rows": 10, "of": 30, "scope": "whole"}]
    assert data.data_summary(found)["shared_rows"] == 10


def test_the_card_says_what_it_was_trained_on(tmp_path: Path) -> None:
    """The first question about a model, answered in its first line; the test set is not an answer."""
    rows = np.random.default_rng(0).normal(size=(40, 3))
    model = LogisticRegression().fit(rows[:30], rows[:30, 0] > 0)
    registry = Registry(tmp_path / "r")
    named = registry.register("m", model, data={"Xtr": rows[:30], "Xte": rows[30:]})
    roled = registry.register("n", model, data={"train": rows[:30]})

    assert " · trained on Xtr 30×3 · " in named._repr_mimebundle_()["text/plain"]
    assert " · trained on 30×3 · " in roled._repr_mimebundle_()["text/plain"]
    assert [each.role for each in named.data.sets] == ["train", "test"]
    assert named.data.columns["Xtr"][0].digest
    assert named.data.overlaps[0]["rows"] == 0


def test_the_same_model_on_other_data_is_another_version(tmp_path: Path) -> None:
    """And on the same data it is the one that is there."""
    registry = Registry(tmp_path / "r")
    first = registry.register("m", {"w": 1}, data={"train": frame()})

    assert registry.register("m", {"w": 1}, data={"train": frame()}).existing
    assert registry.register("m", {"w": 1}, data={"train": frame().iloc[:3]}).number == first.number + 1


def test_data_has_to_have_names(tmp_path: Path) -> None:
    """A frame is iterated by its columns: it would be taken for many sets."""
    with pytest.raises(BadInputError, match="data is given as DataFrame"):
        Registry(tmp_path / "r").register("m", {"w": 1}, data=frame())  # type: ignore[arg-type]


class Touchy(pd.DataFrame):
    """A subclass may do anything when it is read."""

    @property
    def columns(self) -> Any:  # type: ignore[override]
        raise AssertionError("a subclass is not read as a table")


def test_a_subclass_is_not_read_as_a_table() -> None:
    """It may mean something else by every one of its methods."""
    assert data._table(Touchy.__new__(Touchy)) is None


def test_reading_leaves_the_data_as_it_was() -> None:
    """Flags, contents and layout are the user's."""
    table, array = frame(), np.asfortranarray(np.arange(6.0).reshape(3, 2))
    array.flags.writeable = False
    before = table.copy(deep=True)
    read(X=table, Z=array)

    pd.testing.assert_frame_equal(table, before)
    assert array.flags.f_contiguous
    assert not array.flags.writeable
