"""Live data against what a version was trained on: what moved, how much, and whether to train again.

>>> registry.data_drift("churn@production", live)
churn@1.0.0 · train, 800 rows → 600 live rows
the live data has drifted: age, city
column  verdict   PSI        gaps  what is different
age     drifted  2.56  0 % → 20 %  mean 39.74 → 52.72 · 4.6 % beyond all that was trained on
city    drifted  0.89           –  'Oslo' 72 % → 31 % · never seen: Bern (6.2 %)
3 columns stable

$ nbreg run train.ipynb --when-drifted churn@production live.parquet
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from retraining import TRAIN, notebook

from nbreg import Registry, jobs
from nbreg.capture.secrets import Redactor
from nbreg.capture.tabular import bins, data
from nbreg.cli import main
from nbreg.display.datadrift import DATA_DRIFT_MIME
from nbreg.errors import BadInputError, BadValueError, InputMismatchError
from nbreg.records import Column, DataDrift

TOWNS = ["Oslo", "Rome", "Łódź"]


def people(
    rows: int, seed: int = 0, *, older: float = 0, towns: tuple[float, ...] = (0.7, 0.25, 0.05)
) -> Any:
    """A frame of every kind of column that people train on."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": random.normal(40 + older, 10, rows),
            "visits": random.integers(0, 6, rows),
            "member": random.random(rows) < 0.05,
            "city": random.choice(TOWNS, rows, p=towns),
            "weight": random.random(rows).astype("f4"),
        }
    )


def trained(registry: Registry, X: object, **options: Any) -> None:
    registry.register("churn", {"weights": [1]}, data={"train": X}, **options)


@pytest.fixture
def churn(registry: Registry) -> Registry:
    """A registry with a version that was trained on 800 people."""
    trained(registry, people(800))
    return registry


def verdicts(found: DataDrift) -> dict[str, str]:
    return {each.name: each.verdict for each in found.columns}


# what moved


@pytest.mark.parametrize("seed", range(1, 9))
def test_other_rows_of_the_same_people_are_stable(churn: Registry, seed: int) -> None:
    """An alarm that rings every morning is switched off."""
    found = churn.data_drift("churn@1", people(600, seed))

    assert (found.verdict, set(verdicts(found).values())) == ("stable", {"stable"})
    assert (found.set, found.trained_rows, found.live_rows, found.ref) == ("train", 800, 600, "churn@1.0.0")


def test_what_moved_is_named_with_how_much(churn: Registry) -> None:
    """`Something is different` is no reason to train; `they are twelve years older` is one."""
    live = people(600, 1, older=12, towns=(0.3, 0.3, 0.4))
    live.loc[:59, "city"] = "Bern"
    found = churn.get("churn@1").data_drift(live)

    assert found.verdict == "drifted"
    assert verdicts(found) == {
        "age": "drifted", "city": "drifted", "member": "stable", "visits": "stable", "weight": "stable",
    }  # fmt: skip
    age, city = found.column("age"), found.column("city")
    assert age.mean_before is not None
    assert age.mean_now is not None
    assert age.mean_now - age.mean_before == pytest.approx(12, abs=1.5)
    assert age.outside is not None
    assert 0.01 < age.outside < 0.2
    assert (city.unseen, city.unseen_share) == (["Bern"], 0.1)
    assert (city.value, round(city.share_before or 0, 1), round(city.share_now or 0, 1)) == ("Oslo", 0.7, 0.3)


def test_a_rare_value_that_becomes_usual_is_seen(churn: Registry) -> None:
    """It is within the lowest tenth of nothing: where nine tenths are one value, tenths alone see no other."""
    live = people(600, 1)
    live["member"] = np.arange(600) % 2 == 0

    assert verdicts(churn.data_drift("churn@1", live))["member"] == "drifted"


def test_values_that_are_no_longer_there_are_a_drift(churn: Registry) -> None:
    """A broken pipeline leaves gaps, and the mean of the rest looks as ever."""
    live = people(600, 1)
    live.loc[:149, ["age", "city"]] = None
    found = churn.data_drift("churn@1", live)

    assert (found.column("age").verdict, found.column("city").verdict) == ("drifted", "drifted")
    assert (found.column("age").gaps_before, found.column("age").gaps_now) == (0.0, 0.25)
    assert "0 % → 25 %" in repr(found)
    assert found.column("visits").verdict == "stable"


@pytest.mark.parametrize(
    ("before", "now"),
    [([1.0] * 400, [2.0] * 400), ([0, 1] * 200, [0, 5] * 200), ([True] * 400, [False] * 400)],
)
def test_a_value_beyond_all_that_was_trained_on_is_no_usual_one(
    registry: Registry, before: list[Any], now: list[Any]
) -> None:
    """A constant that is another one has drifted, and so has a flag of 0 and 1 that is 5."""
    trained(registry, pd.DataFrame({"flag": before}))
    found = registry.data_drift("churn@1", pd.DataFrame({"flag": now}))

    assert found.column("flag").verdict == "drifted"
    assert (found.column("flag").outside or 0) >= 0.5
    assert registry.data_drift("churn@1", pd.DataFrame({"flag": before})).verdict == "stable"


def test_columns_that_went_came_or_changed_their_type_are_told(churn: Registry) -> None:
    """A renamed column is the usual end of a model; one more column is none."""
    live = people(600, 1).rename(columns={"age": "years"})
    live["visits"] = live["visits"].astype(str) + " times"
    found = churn.data_drift("churn@1", live)

    assert found.verdict == "drifted"
    assert [each.verdict for each in found.columns] == ["missing", "retyped", "new", *["stable"] * 3]
    assert found.column("visits").why == "numbers before, texts now"
    only_new = churn.data_drift("churn@1", people(600, 1).assign(more=1))
    assert (only_new.verdict, verdicts(only_new)["more"]) == ("stable", "new")


def test_the_same_numbers_in_another_type_have_not_drifted(churn: Registry) -> None:
    """A CSV file knows no float32 and no int8, and a database gives objects."""
    live = people(600, 1)
    other = live.astype({"weight": "f8", "visits": "i1", "age": "f4", "city": "category", "member": object})
    other["weight"] = other["weight"].round(6)
    records = live.to_dict("records")

    for given in (other, records, live.astype({"age": object})):
        assert churn.data_drift("churn@1", given).verdict == "stable"


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_another_librarys_frame_is_compared_too(churn: Registry, kind: str) -> None:
    """Who serves need not use what was trained with."""
    library = pytest.importorskip(kind, reason=f"{kind} is not installed")
    make = library.DataFrame if kind == "polars" else library.table
    columns = {name: list(column) for name, column in people(600, 1).items()}

    assert churn.data_drift("churn@1", make(columns)).verdict == "stable"
    columns["age"] = [age + 30 for age in columns["age"]]
    found = churn.data_drift("churn@1", make(columns))
    assert (found.verdict, found.columns[0].name) == ("drifted", "age")


def test_arrays_are_compared_by_place(registry: Registry) -> None:
    """And one of another width is refused, for nobody knows which column is which."""
    random = np.random.default_rng(0)
    trained(registry, random.normal(size=(500, 3)))
    live = random.normal(size=(500, 3))

    assert registry.data_drift("churn@1", live).verdict == "stable"
    assert registry.data_drift("churn@1", pd.DataFrame(live, columns=["a", "b", "c"])).verdict == "stable"
    live[:, 1] += 2
    found = registry.data_drift("churn@1", live)
    assert [each.name for each in found.columns if each.verdict == "drifted"] == ["1"]
    with pytest.raises(InputMismatchError, match="rows of 3 columns, and these have 2"):
        registry.data_drift("churn@1", live[:, :2])


def test_what_does_not_go_in_need_not_be_there(registry: Registry) -> None:
    """Live data has no target: that is what the model is asked for."""
    from sklearn.linear_model import LogisticRegression

    X = people(800).drop(columns="city")
    y = X["age"] > 40
    registry.register("churn", LogisticRegression().fit(X, y), data={"train": X.assign(target=y)})

    assert registry.data_drift("churn@1", people(600, 1).drop(columns="city")).verdict == "stable"


def test_large_data_is_compared_by_a_part_of_it(registry: Registry) -> None:
    """The record is as short, and the measure as good; sorted data is looked at from end to end."""
    random = np.random.default_rng(0)
    ages = np.sort(random.normal(40, 10, 50_000))
    gaps = ages.copy()
    gaps[::4] = np.nan
    trained(registry, pd.DataFrame({"age": ages, "gaps": gaps}))
    column = registry.get("churn@1").data.columns["train"][0]
    assert 2_000 < sum(column.counts) < 5_000

    live = pd.DataFrame({"age": random.normal(40, 10, 9_000), "gaps": random.normal(40, 10, 9_000)})
    live.loc[::4, "gaps"] = np.nan
    assert registry.data_drift("churn@1", live).verdict == "stable"
    live["gaps"] = live["age"]
    assert verdicts(registry.data_drift("churn@1", live)) == {"gaps": "drifted", "age": "stable"}


# what cannot be said


def test_a_few_rows_say_nothing(churn: Registry) -> None:
    """Neither that all is well nor that it is not: of five people some average is always another one."""
    found = churn.data_drift("churn@1", people(5, 1))

    assert (found.verdict, set(verdicts(found).values())) == ("unknown", {"unknown"})
    assert found.columns[0].why == "5 are too few to tell it from chance"
    assert "cannot be said" in repr(found)


def test_what_is_not_recorded_is_said(registry: Registry) -> None:
    """A column of names, times, or secrets is not said to be stable; its gaps are looked at all the same."""
    rows = 600
    X = pd.DataFrame(
        {
            "name": [f"person-{at}" for at in range(rows)],
            "since": pd.date_range("2026-01-01", periods=rows, freq="h"),
            "password": ["correct horse", "battery staple"] * (rows // 2),
            "odd": [1.0, np.inf] * (rows // 2),
        }
    )
    trained(registry, X)
    found = registry.data_drift("churn@1", X)

    assert (found.verdict, set(verdicts(found).values())) == ("unknown", {"unknown"})
    assert all(each.why for each in found.columns)
    assert "secret" in found.column("password").why
    X.loc[:299, "since"] = None
    assert verdicts(registry.data_drift("churn@1", X))["since"] == "drifted"


def test_a_version_without_recorded_data_says_why(registry: Registry) -> None:
    """Stable would be a lie."""
    registry.register("churn", {"weights": [1]})
    found = registry.data_drift("churn@1", people(60))

    assert (found.verdict, found.columns) == ("unknown", [])
    assert found.why
    assert found.why in repr(found)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (3, BadInputError),
        (people(0), BadInputError),
        ([], BadInputError),
        (Path("nowhere.csv"), BadInputError),
        (Path("nowhere.parquet"), BadInputError),
    ],
    ids=["a number", "no rows", "nothing", "no file", "no parquet file"],
)
def test_what_is_no_table_is_refused(churn: Registry, given: object, error: type[Exception]) -> None:
    """In words, rather than by what is deep inside."""
    with pytest.raises(error):
        churn.data_drift("churn@1", given)
    with pytest.raises(BadValueError):
        churn.data_drift("churn@1", people(60), threshold=-1)


def test_live_values_that_look_like_secrets_are_not_shown(churn: Registry) -> None:
    """What is shown stands in a saved notebook afterwards."""
    key = "AKIAIOSFODNN7EXAMPL3"
    live = people(600, 1)
    live.loc[:99, "city"] = key
    found = churn.data_drift("churn@1", live)

    assert found.column("city").verdict == "drifted"
    assert key not in str(found._repr_mimebundle_())  # type: ignore[attr-defined]


@pytest.mark.parametrize("before", [0, 68])
def test_a_secret_in_a_long_live_text_is_not_shown(churn: Registry, before: int) -> None:
    """A text is cut where it is shown: what is left of a secret is no secret's form any more."""
    key = "AKIAIOSFODNN7EXAMPL3"
    live = people(600, 1)
    live.loc[:99, "city"] = " ".join(["x" * before, key, "and more" * 20])
    found = churn.data_drift("churn@1", live)

    assert found.column("city").unseen
    assert key[:8] not in str(found._repr_mimebundle_())  # type: ignore[attr-defined]


def test_numbers_without_a_mean_are_recorded_and_compared_in_silence(registry: Registry) -> None:
    """numpy would warn in the user's cell; and where a warning is an error, no column would be recorded."""
    X = people(400).assign(wide=[1e308, -1e308, 1e308, 1e308] * 100, endless=[np.inf, -np.inf] * 200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(registry, X)
        found = registry.data_drift("churn@1", X)

    assert len(found.columns) == 7
    assert found.verdict == "stable"


# what is recorded


def test_many_columns_at_once_are_binned_as_each_alone() -> None:
    """There are two ways through the code, and one meaning."""
    random = np.random.default_rng(0)
    columns = [random.normal(size=400), random.integers(0, 3, 400), random.integers(0, 60, 400)]
    columns += [np.zeros(400), np.where(random.random(400) < 0.6, 0, random.normal(size=400))]
    block = np.stack(columns, axis=1)
    [together] = data.read({"X": block}, Redactor())
    alone = [data.read({"X": column}, Redactor())[0].columns[0] for column in block.T]

    assert [(a.edges, a.counts) for a in together.columns] == [(b.edges, b.counts) for b in alone]
    for column, recorded in zip(block.T, together.columns, strict=True):
        assert bins.counted(recorded.edges, column) == recorded.counts
        assert sum(recorded.counts) == 400
    assert together.columns[1].edges == [0.0, 0.5, 1.5]


@pytest.mark.parametrize(
    "numbers",
    [
        2**60 + np.arange(400) % 10,
        2**53 + np.arange(400) % 30,
        np.uint64(2**63) + np.arange(400, dtype="u8"),
        np.nextafter(1.0, 2.0) ** np.arange(400),
        5e-324 * (np.arange(400) % 12),
    ],
)
def test_the_closest_of_neighbours_have_not_drifted_from_themselves(
    registry: Registry, numbers: np.ndarray
) -> None:
    """Ids and nanoseconds are beyond what a float tells apart, and every night they are the same ids."""
    for each in (pd.DataFrame({"id": numbers}), np.column_stack([numbers, numbers])):
        trained(registry, each, new=True)
        assert set(verdicts(registry.data_drift("churn@latest", each)).values()) == {"stable"}
    assert set(verdicts(registry.data_drift("churn@latest", each * 0)).values()) != {"stable"}


def test_a_text_that_stands_there_once_among_many_is_not_recorded() -> None:
    """It may be a person's; the twenty that are most frequent are no list of everybody."""
    names = [f"person-{at}" for at in range(100)] + ["Smith", "Jones"] * 50
    [found] = data.read({"X": pd.DataFrame({"name": names})}, Redactor())

    assert found.columns[0].top == [["Jones", 50], ["Smith", 50]]
    assert found.columns[0].distinct == 102


def test_a_record_of_before_there_were_bins_is_read() -> None:
    """It then says that it does not know."""
    from nbreg.capture.tabular import datadrift
    from nbreg.records import DataLink

    link = DataLink(name="X", role="train", summary={"shape": [400, 1], "scope": "whole"})
    known = datadrift.Reference(link, [Column(name="a", dtype="int64", digest="0", mean=1.0, min=0, max=2)])
    _, [found] = datadrift.compared(known, pd.DataFrame({"a": [0, 1, 2] * 100}), 0.25, "churn@1")

    assert (found.verdict, found.psi) == ("unknown", None)
    assert "not recorded" in found.why


# people and jobs


def test_it_shows_itself_as_text_html_and_json(churn: Registry) -> None:
    """The same in a terminal, a notebook and a program; what a column is called is no markup."""
    live = people(600, 1, older=12).assign(**{"<b>": 1})
    bundle = churn.data_drift("churn@1", live)._repr_mimebundle_()  # type: ignore[attr-defined]

    assert bundle["text/plain"].splitlines()[1] == "the live data has drifted: age"
    assert "4 columns stable" in bundle["text/plain"]
    assert "the live data has drifted: age" in bundle["text/html"]
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "<b>&lt;b" not in bundle["text/html"]
    assert "<td><b>" not in bundle["text/html"]
    told = json.loads(json.dumps(bundle[DATA_DRIFT_MIME]))
    assert (told["verdict"], told["columns"][0]["name"]) == ("drifted", "age")


@pytest.mark.parametrize("kind", ["live.parquet", "live.csv", "live.json"])
def test_a_shell_asks_about_a_file(
    churn: Registry, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its exit code answers."""
    where = ["--registry", str(churn.location)]
    for at, (older, code) in enumerate(((0, 0), (12, 1))):
        live, file = people(600, 1, older=older), tmp_path / f"{at}{kind}"
        if kind == "live.parquet":
            pytest.importorskip("pyarrow", reason="pyarrow is not installed")
            live.to_parquet(file)
        elif kind == "live.csv":
            live.to_csv(file, index=False)
        else:
            file.write_text(live.to_json(orient="records"))
        assert main(["data-drift", "churn@1", str(file), *where]) == code
        assert ("has drifted: age" in capsys.readouterr().out) == bool(code)
        assert main(["data-drift", "churn@1", str(file), "--json", *where]) == code
        assert json.loads(capsys.readouterr().out)["verdict"] == ("drifted" if code else "stable")
    assert main(["data-drift", "churn@1", str(tmp_path / "0live.csvv"), *where]) == 1
    assert main(["data-drift", "churn@1", str(file), "--threshold", "9", *where]) == 0


def test_a_crontab_trains_again_only_where_the_data_has_drifted(churn: Registry, tmp_path: Path) -> None:
    """Training costs hours, and a model is not better for being new."""
    churn.promote("churn@1", "production")
    train = notebook(tmp_path / "work" / "train.ipynb", TRAIN)
    live = tmp_path / "live.csv"
    words = ["run", str(train), "--when-drifted", "churn@production", str(live), "--json"]
    words += ["--registry", str(churn.location)]

    def run() -> tuple[int, Any]:
        done = subprocess.run([sys.executable, "-m", "nbreg", *words], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    code, told = run()
    assert (code, told.startswith(f"nbreg: there is no file {live}")) == (1, True)
    people(600, 1).to_csv(live, index=False)
    code, told = run()
    assert (code, told["run"], told["data_drift"]["verdict"]) == (0, "", "stable")
    people(5, 1).to_csv(live, index=False)
    code, told = run()
    assert code == 1
    assert told.startswith("nbreg: whether the data of churn@1.0.0 has drifted cannot be said")
    assert [each.number for each in churn.versions("churn")] == [1]

    people(600, 1, older=12).to_csv(live, index=False)
    code, told = run()
    assert (code, told["data_drift"]["verdict"]) == (0, "drifted")
    assert [(each["kind"], each["number"]) for each in told["events"]] == [("registered", 2), ("promoted", 2)]
    assert churn.get("churn@production").number == 2


def test_a_job_in_python_takes_a_frame(churn: Registry, tmp_path: Path) -> None:
    """An orchestrator has the rows in memory."""
    train = notebook(tmp_path / "train.ipynb", TRAIN)
    job = jobs.run(train, registry=churn, when_drifted=("churn@1", people(600, 1)))

    assert (job.ok, job.run, job.events) == (True, "", [])
    assert job.data_drift is not None
    assert job.data_drift.verdict == "stable"
