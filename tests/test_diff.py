"""What people see of a difference: two versions, or a live object against one, before anything is written."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbreg import ModelVersion, Registry
from nbreg.changes import Side, sections, texts
from nbreg.display import DiffView
from nbreg.errors import BadInputError, BadReferenceError, DamagedObjectError, UnknownVersionError
from nbreg.families import arrays, dump
from nbreg.records import (
    Actor,
    Captured,
    Diff,
    DiffItem,
    DiffSection,
    DiffSide,
    Distribution,
    Environment,
    Execution,
    Git,
    Manifest,
    Recipe,
    Source,
    canonical,
    digest_of,
)

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
X, Y = X.iloc[:200, :4], Y.iloc[:200]


def fitted(rows: int = 200, **params: Any) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(**params)).fit(X[:rows], Y[:rows])


def registered(registry: Registry, rows: int = 200, accuracy: float = 0.9, **params: Any) -> ModelVersion:
    return registry.register(
        "m", fitted(rows, **params), data={"Xtr": X[:rows]}, metrics={"accuracy": accuracy}
    )


def names(section: DiffSection) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in section.items]


def written(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_live_object_is_compared_before_anything_is_written(registry: Registry) -> None:
    """Whoever trained it sees what registering would give: the name, why, and a draft of what to say."""
    base = registered(registry, C=0.5)
    before = written(registry.location)

    diff = registry.diff(
        fitted(150, C=0.5), base, called="clf", data={"Xtr": X[:150]}, metrics={"accuracy": 0.95}
    )

    assert written(registry.location) == before
    assert isinstance(diff, Diff)
    assert (diff.name, diff.bump) == ("1.1.0", "minor")
    assert diff.bump_reason == "minor: training data changed (200 → 150 rows), same architecture and features"
    assert diff.message == "Training data changed (200 → 150 rows); accuracy 0.9 → 0.95"
    assert (diff.after.said, diff.after.is_live, diff.before.ref) == (
        "clf, the live variable",
        True,
        "m@1.0.0",
    )
    (accuracy,) = diff.section("metrics").items
    assert (accuracy.before, accuracy.after, round(accuracy.delta or 0, 3)) == (0.9, 0.95, 0.05)
    again = registry.register("m", fitted(150, C=0.5), data={"Xtr": X[:150]}, metrics={"accuracy": 0.95})
    assert (again.name, again.bump_reason) == (diff.name, diff.bump_reason), "the dry run told the truth"


def test_equal_content_would_not_be_registered(registry: Registry) -> None:
    """A dry run says so rather than promising a number."""
    registered(registry)
    diff = registry.diff(fitted(), data={"Xtr": X}, metrics={"accuracy": 0.9})

    assert (diff.name, diff.bump, diff.differs) == ("", None, False)
    assert diff.bump_reason == "equal content is m@1.0.0 already"
    assert "nothing differs" in repr(diff)


def test_two_versions_section_by_section(registry: Registry) -> None:
    """Stage, metrics, parameters, data, arrays: what a reviewer would ask for, and no more."""
    registered(registry, C=0.5)
    registry.promote("m@1", "production")
    second = registered(registry, rows=150, accuracy=0.8, C=2.0)
    registry.update(second, tags=["new"])

    diff = second.diff()

    assert diff.before.said == "m@production, which is m@1.0.0"
    assert names(diff.section("stage")) == [("changed", "stage"), ("added", "tags")]
    assert [(e.name, e.before, e.after, e.delta) for e in diff.section("params").items] == [
        ("logisticregression__C", 0.5, 2.0, 1.5)
    ]
    data = diff.section("data").items
    assert (data[0].name, data[0].before, data[0].after) == ("Xtr", "200×4", "150×4")
    assert {each.name for each in data[1:]} == {f"Xtr.{name}" for name in X.columns}
    assert "mean" in str(data[1].before)
    moved = diff.section("artifacts").items
    coef = next(each for each in moved if each.name == "model.logisticregression.coef_")
    assert (coef.before, coef.after) == ("float64 1×4", "float64 1×4")
    assert coef.note.startswith("max |Δ| ")
    assert coef.note.endswith("all of it changed")
    assert not diff.section("architecture").differs
    assert not diff.section("signature").differs
    assert diff.section("predictions").missing == "their probes are of other rows"


def test_how_much_surer_one_is_than_the_other_is_told_where_both_are_proven(registry: Registry) -> None:
    """A row that keeps its class and loses its certainty is seen as well: by how much, and of whom."""
    few, answers = X[:60], Y[:60]
    one, other = (LogisticRegression(C=C, max_iter=5000).fit(few, answers) for C in (1.0, 0.0001))
    for model in (one, other):
        registry.register("m", model, data={"train": few})
    assert "Δp" not in registry.diff("m@2", "m@1").section("predictions").note
    for number in (1, 2):
        proof = registry.get(f"m@{number}").prove()
        assert proof.verdict == "equal"
    most = abs(one.predict_proba(few) - other.predict_proba(few)).max()

    stored, live = registry.diff("m@2", "m@1"), registry.diff(other, "m@1")

    assert stored.section("predictions").note.endswith(f"change class, max Δp {most:.2g}")
    assert live.section("predictions").note == stored.section("predictions").note
    assert registry.get("m@1").prove().chances == registry.get("m@1").prove().chances != []
    assert registry.verify().ok
    assert registry.purge().leftovers == []


def test_predictions_on_the_probe_are_compared(registry: Registry) -> None:
    """Who changes class, and which rows: what a model does is more than what it is."""
    registered(registry, C=0.5)
    registered(registry, C=0.0001)
    stored, alive = registry.diff("m@2", "m@1"), registry.diff(fitted(C=0.0001), "m@1")

    for diff in (stored, alive):
        section = diff.section("predictions")
        assert section.note.endswith("change class")
        assert section.items
        assert all(each.before != each.after for each in section.items)
    assert stored.section("predictions") == alive.section("predictions")
    assert registry.diff(fitted(C=0.5), "m@1").section("predictions").note == (
        "the same for all 64 rows of the probe"
    )


def test_numbers_that_are_predicted_are_compared_by_how_far_they_are(registry: Registry) -> None:
    """A regressor has no classes."""
    for alpha in (1.0, 100.0):
        registry.register("r", Ridge(alpha).fit(X, Y), data={"Xtr": X})
    section = registry.diff("r@2", "r@1").section("predictions")

    assert "come out otherwise, max |Δ| " in section.note
    assert section.items[0].delta is not None


def test_a_live_model_that_takes_other_inputs_is_said_not_to_be_compared(registry: Registry) -> None:
    """Never counted as equal."""
    registered(registry)
    other = LogisticRegression().fit(X.iloc[:, :2], Y)

    diff = registry.diff(other, "m@1")

    assert diff.section("predictions").missing.startswith("the live object does not take the recorded rows")
    assert diff.bump == "major"
    assert ("removed", f"input {X.columns[3]}") in names(diff.section("signature"))


def test_what_a_proof_found_is_compared(registry: Registry) -> None:
    """A booster predicts with threads of its own, so registering leaves its predictions to a clean process."""
    try:
        lightgbm = importlib.import_module("lightgbm")
    except (ImportError, OSError) as error:
        pytest.skip(f"lightgbm does not import here: {error}")
    for trees in (2, 30):
        model = lightgbm.LGBMClassifier(n_estimators=trees, verbose=-1).fit(X, Y)
        registry.register("b", model, data={"Xtr": X})
    missing = registry.diff("b@2", "b@1").section("predictions").missing
    for number in (1, 2):
        registry.prove(f"b@{number}")

    assert "`nbreg prove b@1.0.0`" in missing
    stored, alive = registry.diff("b@2", "b@1"), registry.diff(model, "b@1")
    assert "change class, max Δp 0." in stored.section("predictions").note
    assert stored.section("predictions") == alive.section("predictions")


class Mine(LogisticRegression):
    """A class of the user's: its predictions are the user's code."""

    def predict(self, X: Any) -> Any:
        raise AssertionError("nobody asked for it")


def test_predicting_runs_no_code_of_the_users(registry: Registry) -> None:
    """A look at a model must not count its calls, or draw from its random state."""
    registered(registry)

    assert "would run code of yours" in registry.diff(Mine().fit(X, Y), "m@1").section("predictions").missing


def test_a_live_diff_changes_no_state(registry: Registry) -> None:
    """Results with nbreg and without are the same bits."""
    registered(registry)
    np.random.seed(3)
    expected = np.random.get_state()[1].copy()

    registry.diff(fitted(C=2), "m@1", data={"Xtr": X})

    assert (np.random.get_state()[1] == expected).all()


def test_what_is_compared_with_where_nobody_says(registry: Registry) -> None:
    """Production, else the latest; a version in production with what it counted on from."""
    first = registered(registry, C=0.5)
    with pytest.raises(BadInputError, match="no other version"):
        first.diff()
    second = registered(registry, C=1.0)

    assert first.diff().before.ref == second.ref
    assert second.diff().before.ref == first.ref, "it is the latest itself: what it counted on from"
    registry.promote(second, "production")
    assert registry.diff(fitted(C=3)).before.ref == second.ref
    registry.register("other", 1)
    with pytest.raises(BadInputError, match="not clear which model"):
        registry.diff(fitted(C=3))


def test_what_is_no_version_is_refused(registry: Registry) -> None:
    """The live object comes first, and a word that means nothing is said to."""
    registered(registry)
    with pytest.raises(BadReferenceError):
        registry.diff("m@1", fitted())  # type: ignore[arg-type]
    with pytest.raises(UnknownVersionError):
        registry.diff("m@1", "m@9")


def test_everything_lists_what_is_the_same_too(registry: Registry) -> None:
    """`--all` is for those who want to see that nothing was overlooked."""
    registered(registry, C=0.5)
    registered(registry, C=2.0)
    brief, full = registry.diff("m@2", "m@1"), registry.diff("m@2", "m@1", everything=True)

    assert all(each.kind != "same" for section in brief.sections for each in section.items)
    assert ("same", "logisticregression__max_iter") in names(full.section("params"))
    assert brief.section("params").same == full.section("params").same > 5


def test_a_damaged_part_hides_nothing_else(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can still be read is what somebody in trouble needs."""
    registered(registry, C=0.5)
    registered(registry, C=2.0)

    def damaged(*args: Any, **how: Any) -> Any:
        raise DamagedObjectError("the recipe cannot be read")

    monkeypatch.setattr(texts, "recipe", damaged)
    diff = registry.diff("m@2", "m@1")

    assert diff.section("recipe").missing == "the recipe cannot be read"
    assert diff.section("params").differs


def test_the_record_is_json_and_comes_back(registry: Registry) -> None:
    """The same record on the command line, on the wire and in TypeScript."""
    registered(registry, C=0.5)
    registered(registry, C=2.0)
    diff = registry.diff("m@2", "m@1")

    assert msgspec.json.decode(msgspec.json.encode(diff), type=Diff).sections == diff.sections


# parts that only a kernel has


def side(**parts: Any) -> Side:
    captured = {name: Captured(digest=digest_of(canonical(part))) for name, part in parts.items()}
    manifest = Manifest(
        created="2026-02-09T00:00:00.000000Z",
        actor=Actor(user="ada"),
        content_digest="",
        artifacts=[],
        **captured,
    )
    return Side(manifest, lambda name, kind: parts[name])


def test_cells_are_beside_the_ones_they_were() -> None:
    """A cell that was edited is one change, not one that went and one that came."""
    before = Recipe(cells=[Execution(source=each) for each in ("import a", "x = load()\ny = 1", "fit(x)")])
    after = Recipe(
        cells=[Execution(source=each) for each in ("import a", "import b", "x = load()\ny = 2", "fit(x)")]
    )
    found = texts.recipe(side(recipe=before), side(recipe=after), everything=False)

    assert [(each.kind, each.lines) for each in found.items] == [
        ("added", ["+import b"]),
        ("changed", ["@@ -1,2 +1,2 @@", " x = load()", "-y = 1", "+y = 2"]),
    ]
    assert found.same == 2


def test_a_cell_keeps_its_partner_by_its_id() -> None:
    """Also where all of its text is another one."""
    before = Recipe(cells=[Execution(source="aaa", cell_id="1"), Execution(source="bbb", cell_id="2")])
    after = Recipe(cells=[Execution(source="xxx", cell_id="2")])
    found = texts.recipe(side(recipe=before), side(recipe=after), everything=False)

    assert [(each.kind, each.lines) for each in found.items] == [
        ("removed", ["-aaa"]),
        ("changed", ["@@ -1 +1 @@", "-bbb", "+xxx"]),
    ]


def test_code_beside_the_cells_is_compared_line_by_line() -> None:
    """Which module, which definition, which commit."""
    before = Source(
        git=Git(commit="a" * 40, branch="main"), modules={"f": "x = 1"}, definitions={"g": "def g(): 1"}
    )
    after = Source(git=Git(commit="b" * 40, branch="main"), modules={"f": "x = 2"}, definitions={})
    found = texts.source(side(source=before), side(source=after), everything=False)

    assert names(found) == [("changed", "git commit"), ("changed", "module f"), ("removed", "definition g")]
    assert found.items[1].lines == ["@@ -1 +1 @@", "-x = 1", "+x = 2"]


def test_a_text_of_many_lines_is_cut_and_says_so() -> None:
    """A module of a library pasted into a cell must not hang a notebook."""
    long = texts.lines("", "\n".join(map(str, range(10_000))))
    wide = texts.lines("a", "\n".join(map(str, range(1_000))))

    assert long == ["@@ 0 and 10000 lines: too long to be compared line by line @@"]
    assert len(wide) == texts.LINES + 1
    assert "more lines" in wide[-1]


def test_packages_that_the_model_needs_come_first() -> None:
    """One release of numpy matters more than forty of what was merely installed."""

    def environment(release: str, python: str) -> Environment:
        return Environment(
            python={"version": python},
            distributions=[
                Distribution(name="aaa", version=release),
                Distribution(name="pandas", version=release, imported=True),
                Distribution(name="scikit-learn", version=release, imported=True, needed=True),
            ],
        )

    found = sections.environment(
        side(environment=environment("1", "3.11")),
        side(environment=environment("2", "3.12")),
        everything=False,
    )

    assert [each.name for each in found.items] == ["scikit-learn", "pandas", "python version", "aaa"]
    assert [each.note for each in found.items] == ["the model needs it", "imported", "", ""]


def test_what_only_one_side_recorded_is_not_compared() -> None:
    """Silence is no equality."""
    found = texts.recipe(side(recipe=Recipe(cells=[Execution(source="a")])), side(), everything=False)

    assert (found.missing, found.items, found.same) == ("none recorded", [], 0)


# arrays


def named(value: object) -> dict[str, arrays.Array]:
    dumped = dump("model", value)
    held = {chunk.digest: part for chunk, part in dumped.parts}
    return arrays.arrays_of(dumped.artifact, lambda chunk: held[chunk.digest])


def test_arrays_are_named_by_the_path_to_them() -> None:
    """Which layer, which coefficient."""
    found = named({"a": [np.zeros(2)], "step": fitted()})

    assert found["a[0]"].said == "float64 2"
    assert found["step.logisticregression.coef_"].said == "float64 1×4"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (np.zeros(4), np.array([0, 0, 0, 2.5]), (0.25, 2.5)),
        (np.array([np.nan, 1]), np.array([np.nan, 1.0]), (0.0, None)),
        (np.array([np.inf, 1]), np.array([1.0, 1]), (0.5, None)),
        (np.array([1, 2], "u1"), np.array([1, 1], "u1"), (0.5, 1.0)),
        (np.array(["a", "b"]), np.array(["a", "c"]), (0.5, None)),
        (np.asfortranarray(np.eye(2)), np.asfortranarray(2 * np.eye(2)), (0.5, 1.0)),
        (np.array(1.0), np.array(3.0), (1.0, 2.0)),
    ],
    ids=["one of four", "NaN", "infinite", "unsigned", "text", "by columns", "scalar"],
)
def test_how_far_two_arrays_are_apart(before: Any, after: Any, expected: tuple[float, float | None]) -> None:
    """The largest difference and how much of it changed."""
    assert arrays.moved(named([before])["[0]"], named([after])["[0]"]) == expected


def test_arrays_of_other_shapes_are_not_subtracted() -> None:
    """A layer that is larger is said to be."""
    assert arrays.moved(named([np.zeros(2)])["[0]"], named([np.zeros(3)])["[0]"]) is None


def test_weights_of_torch_are_named_and_compared() -> None:
    """A layer that was frozen does not move."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        pytest.skip(f"torch does not import here: {error}")
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1).bfloat16())
    before = named(net)
    with torch.no_grad():
        net[0].weight[0, 0] += 1
    after = named(net)

    assert list(before) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert (before["0.weight"].said, before["1.weight"].said) == ("float32 3×2", "bfloat16 1×3")
    moved = arrays.moved(before["0.weight"], after["0.weight"])
    assert moved is not None
    assert moved.share == pytest.approx(1 / 6)
    assert moved.most == pytest.approx(1)
    assert before["1.weight"].digest == after["1.weight"].digest


class Evil:
    """Pickles as a command."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch evil",)


def test_reading_arrays_runs_nothing(tmp_path: Path) -> None:
    """A stranger's version can be compared before anybody trusts it."""
    found = named({"evil": Evil(), "w": np.ones(2)})

    assert found["w"].said == "float64 2"
    assert not Path("evil").exists()


def test_bytes_without_arrays_are_said_to_differ(registry: Registry) -> None:
    """A booster keeps its trees in a text."""
    for value in ("one", "two and more"):
        registry.register("t", {"text": value})
    (item,) = registry.diff("t@2", "t@1").section("artifacts").items

    assert item.name == "model"
    assert "no array" in item.note


def test_files_are_compared_one_by_one(registry: Registry, tmp_path: Path) -> None:
    """Which file of a folder changed."""
    folder = tmp_path / "tok"
    folder.mkdir()
    (folder / "same").write_text("1")
    for text in ("a", "b"):
        (folder / "vocab").write_text(text)
        registry.register("f", folder)
        (folder / "merges").write_text("new")

    assert names(registry.diff("f@2", "f@1").section("artifacts")) == [
        ("changed", "model/vocab"),
        ("added", "model/merges"),
    ]


# displays

HOSTILE = '<script>alert(1)</script>\x1b[31m\u202e" onload=x $x$'


def hostile() -> DiffView:
    item = DiffItem(
        name=HOSTILE,
        before=HOSTILE,
        after=[HOSTILE],
        note=HOSTILE,
        lines=[f"+{HOSTILE}", f"-{HOSTILE}", HOSTILE],
    )
    section = DiffSection(name=HOSTILE, items=[item], note=HOSTILE)
    gap = DiffSection(name=HOSTILE, missing=HOSTILE)
    return DiffView(
        before=DiffSide(said=HOSTILE, ref=HOSTILE, stage=HOSTILE),
        after=DiffSide(said=HOSTILE),
        bump="minor",
        bump_reason=HOSTILE,
        name=HOSTILE,
        counted_from=HOSTILE,
        message=HOSTILE,
        sections=[section, gap],
    )


def test_hostile_text_shows_as_text() -> None:
    """A name of somebody else's must not run in the notebook, nor colour or reorder a terminal."""
    bundle = hostile()._repr_mimebundle_()

    assert "<script" not in bundle["text/html"]
    assert 'onload=x $x$"' not in bundle["text/html"].replace("&quot;", "")
    for text in (bundle["text/plain"], bundle["text/html"]):
        assert "\x1b" not in text
        assert "\u202e" not in text
    own = hostile().text(colour=True)
    assert set(re.findall("\x1b.{0,4}m", own)) <= {f"\x1b[{code}m" for code in (0, 1, 31, 32, 33, 36)}
    assert all(line.count("\x1b") in (0, 2) for line in own.splitlines()), "nbreg's own, around a line"


def test_a_hostile_column_and_cell_show_as_text(registry: Registry) -> None:
    """From a real frame, through the record, to the page."""
    for value in (1.0, 2.0):
        frame = pd.DataFrame({"<img src=x>": [value, 3.0], "b": [1.0, 2.0]})
        registry.register("m", LogisticRegression().fit(frame, [0, 1]), data={"<b>X": frame})
    html = registry.diff("m@2", "m@1")._repr_mimebundle_()["text/html"]

    assert "&lt;b&gt;X.&lt;img src=x&gt;" in html
    assert "<img" not in html


def test_colours_are_for_those_who_ask() -> None:
    """A file that text is written to holds no escapes."""
    diff = hostile()

    assert "\x1b" not in repr(diff)
    assert "\x1b[1m" in diff.text(colour=True)


def test_a_long_difference_is_bounded_and_says_where_the_rest_is(registry: Registry) -> None:
    """Thirty columns or three hundred packages must not bury what matters."""
    items = [DiffItem(name=f"p{i}", before=1, after=2) for i in range(300)]
    side_ = DiffSide(said="a", ref="a@1")
    view = DiffView(before=side_, after=side_, sections=[DiffSection(name="params", items=items)])

    assert len(repr(view).splitlines()) < 20
    assert "and 288 more, in .section('params').items" in repr(view)


def test_a_secret_in_a_live_object_is_withheld(registry: Registry) -> None:
    """What is compared went through the same capture as what is stored."""

    class Client(LogisticRegression):
        def __init__(self, api_key: str = "") -> None:
            super().__init__()
            self.api_key = api_key

    registered(registry)
    diff = registry.diff(Client("hunter2-Zq81kfjWm3").fit(X, Y), "m@1", allow_secrets=True)

    assert "hunter2" not in msgspec.json.encode(diff).decode()
    assert "hunter2" not in str(diff._repr_mimebundle_())  # type: ignore[attr-defined]


# the command line


def test_the_command_line_shows_the_same(registry: Registry) -> None:
    """Where a reviewer sits without a notebook."""
    registered(registry, C=0.5)
    registered(registry, C=2.0)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nbreg.cli", "diff", *words, "--registry", str(registry.location)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    shown, told = run("m@2", "m@1"), run("m@2", "m@1", "--json")

    assert shown.stdout == f"{registry.diff('m@2', 'm@1')!r}\n"
    assert json.loads(told.stdout)["bump"] == "patch"
    assert run("m@2", "m@7").returncode == 1
