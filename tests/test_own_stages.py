"""A registry with other stages, which have none of the usual words: every face goes by them.

    nbreg init --stages testing,staging,serving,disabled

Versions begin in `testing`; `serving` is held by one, and `%rollback churn` gives it back; `%retire churn@1`
puts a version into `disabled`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import Kernel, running_kernel
from servers import Server

from nbreg import Model, Registry, step
from nbreg.errors import BadInputError, BadNameError, GateRefusedError, UnknownStageError, VersionInUseError
from nbreg.panels import History, Stages
from nbreg.settings import Settings

STAGES = ["testing", "staging", "serving", "disabled"]
USUAL = ("none", "development", "candidate", "production", "archived")


def chosen(path: Path) -> Registry:
    registry = Registry(path, settings=Settings(capture=False))
    registry.init(stages=STAGES)
    for number in (1, 2, 3):
        registry.register("churn", {"n": number}, metrics={"auc": number / 10})
    return registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three versions, which are where versions begin."""
    return chosen(tmp_path / "registry")


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


def holders(registry: Registry) -> list[str]:
    return [each.stage for each in Registry(registry.location).versions("churn")][::-1]


def test_python_goes_by_the_stages_that_were_chosen(registry: Registry) -> None:
    """From the first to the last, and no word of the usual ones is needed or known."""
    assert holders(registry) == ["testing"] * 3
    assert [registry.promote("churn@1").stage, registry.promote("churn@1").stage] == ["staging", "serving"]
    registry.promote("churn@2", "serving")
    assert holders(registry) == ["disabled", "serving", "testing"]
    assert registry.get("churn@serving").number == Model("churn", "serving", registry=registry).number == 2

    assert registry.rollback("churn").number == 1
    assert holders(registry) == ["serving", "disabled", "testing"]
    assert [each.number for each in registry.tenures("churn")] == [1, 2, 1]
    assert registry.retire("churn@1").stage == "disabled"
    assert registry.register("churn", {"n": 4}, stage="staging").stage == "staging"
    for word in USUAL:
        with pytest.raises(UnknownStageError):
            registry.promote("churn@3", word)
    for word in STAGES:
        with pytest.raises(BadNameError, match="reserved"):
            registry.register("churn", {"n": 5}, version=word)
    assert registry.verify().ok


def test_what_depends_on_stages_goes_by_the_chosen_ones(registry: Registry, tmp_path: Path) -> None:
    """Gates, comparing, copies, deleting and training: wherever nbreg itself has to know a stage."""
    registry.require("churn", "serving", "metrics.auc > 0.15")
    with pytest.raises(GateRefusedError):
        registry.promote("churn@1", "serving")
    registry.promote("churn@2", "serving")
    assert registry.diff("churn@3").before.ref == "churn@1.1.0"  # what serves, not what came last
    assert registry.copy("churn@2", "other").stage == "testing"
    with pytest.raises(VersionInUseError, match="is in serving"):
        registry.delete("churn@2")
    registry.delete("churn@2", "Wrong", include_protected=True)
    assert registry.restore("churn@2").stage == "disabled"
    registry.delete("churn@3", "Wrong")
    assert registry.restore("churn@3").stage == "testing"

    @step(model=Model("trained", registry=registry))
    def train() -> dict[str, int]:
        return {"n": 1}

    registry.register("trained", train())
    assert registry.get("trained@1").stage == "testing"
    assert registry.verify().ok


def test_what_comes_from_a_registry_of_other_stages_begins_in_the_first(
    registry: Registry, tmp_path: Path
) -> None:
    """A stage that is not here would be one that nothing leads out of."""
    usual = Registry(tmp_path / "usual")
    usual.register("churn", {"n": 1})
    usual.promote("churn@1", "production", reason="FirstRelease")
    usual.register("other", {"n": 2})

    imported = registry.import_(usual.export("churn@1", tmp_path / "churn.nbreg"), "brought")
    merged = registry.merge(usual)

    assert [each.stage for each in (imported, *merged)] == ["testing"] * 3
    assert registry.promote(imported, "serving").stage == "serving"
    assert registry.delete(merged[0], "Cleanup").row.deleted


def test_a_shell_begins_moves_and_rolls_back(tmp_path: Path) -> None:
    """Nobody has to name a stage that is not there, and none is named in an answer."""

    def nbreg(*words: str) -> str:
        command = [sys.executable, "-m", "nbreg.cli", *words, "--registry", str(tmp_path / "r")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    nbreg("init", "--stages", ",".join(STAGES))
    for number in ("1", "2"):
        (tmp_path / number).write_text(number)
        nbreg("register", "churn", str(tmp_path / number))
    assert nbreg("promote", "churn@1") == "churn 1.0.0 (#1): testing → staging\n"
    assert nbreg("promote", "churn@1", "serving") == "churn 1.0.0 (#1): staging → serving\n"
    assert nbreg("promote", "churn@2", "serving") == (
        "churn 1.1.0 (#2): testing → serving · 1.0.0 (#1): serving → disabled\n"
    )
    nbreg("deploy", "churn@1", "prod-eu")
    assert "prod-eu serves churn #1, and #2 is in serving" in nbreg("deployments")
    assert "1.0.0 (#1) disabled" in nbreg("events", "churn", "--limit", "2", "--wide")
    assert nbreg("rollback", "churn") == (
        "churn 1.0.0 (#1): disabled → serving · 1.1.0 (#2): serving → disabled\n"
    )
    assert nbreg("retire", "churn@1") == "churn 1.0.0 (#1): serving → disabled\n"
    assert json.loads(nbreg("get", "churn@2", "--json"))["stage"] == "disabled"


def test_magics_move_and_roll_back(shared: Kernel, registry: Registry) -> None:
    """As in any notebook, with what Tab offers."""
    shared.good(f"%use_registry {registry.location}")

    assert (
        shared.good("%promote churn@1 serving --reason First").text == "churn 1.0.0 (#1): testing → serving\n"
    )
    moved = shared.good("%promote churn@2 serving --reason Better").text
    assert moved == "churn 1.1.0 (#2): testing → serving · 1.0.0 (#1): serving → disabled\n"
    assert "in serving is #2: churn@serving" in shared.good("m = %load_model churn@latest").text
    assert shared.complete("%promote churn@3 s") == ["%promote churn@3 serving", "%promote churn@3 staging"]
    assert "%promote churn@serving" in shared.complete("%promote churn@s")
    assert "serving" in shared.good("%rollback churn").text
    assert shared.good("%retire churn@1").text == "churn 1.0.0 (#1): serving → disabled\n"
    assert "did you mean" not in shared.refused("%promote churn@3 production")
    assert holders(registry) == ["disabled", "disabled", "testing"]


def test_panels_offer_and_make_the_moves_between_them(shared: Kernel, registry: Registry) -> None:
    """What a button says beforehand is what is done, and the plot has the line of what serves."""
    registry.promote("churn@1", "serving")
    panel = Stages("churn@2", registry)
    moves = {(each.kind, each.to): each for each in panel.moves()}

    assert set(moves) == {("promoted", "staging"), ("promoted", "serving"), ("retired", "disabled")}
    told = panel.make(moves["promoted", "serving"], reason="Better").text
    assert told == "churn 1.1.0 (#2): testing → serving · 1.0.0 (#1): serving → disabled"
    assert ("rolled-back", "serving") in {(each.kind, each.to) for each in panel.moves()}
    assert panel.twin()["text/plain"].splitlines()[1] == "testing → staging → [serving] → disabled"
    assert History("churn", registry).look().holders == [("serving", "1.1.0 (#2)")]

    shared.good(f"%use_registry {registry.location}")
    ran = shared.run_in_front("%model_history churn", "own-stages")
    assert ran.ok, ran.stderr
    assert "serving" in ran.bundles[-1]["text/html"]


def test_the_server_moves_without_a_stage_that_is_named(server: Server) -> None:
    """The sidebar reads the stages, and what it leaves out is what the registry has in its place."""
    (server.root / "own-stages").mkdir()
    registry = chosen(server.root / "own-stages" / ".nbreg")
    client = server.client()

    def post(route: str, **wish: Any) -> Any:
        reply = client.post(route, registry="~own-stages", **wish)
        assert reply.status == 200, reply.body
        return reply.json

    told = client.get("registries", near="own-stages/notebook.ipynb").json
    assert STAGES in [each["lifecycle"]["stages"] for each in told]
    post("promote", ref="churn@1", to="serving")
    post("promote", ref="churn@2", to="serving")
    held = client.get("tenures", registry="~own-stages", model="churn").json
    assert [each["number"] for each in held] == [2, 1]
    post("rollback", model="churn")
    assert holders(registry) == ["serving", "disabled", "testing"]
    post("retire", ref="churn@1")
    assert holders(registry) == ["disabled", "disabled", "testing"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("testing", "candidate"), ("Disabled", "archived"), ("serving", "production"), ("dev", "development")],
)
def test_anothers_word_for_a_usual_stage_is_answered_with_ours(tmp_path: Path, word: str, meant: str) -> None:
    """Who comes from another registry knows the stage, and only not its name: until it is one here."""
    usual = Registry(tmp_path / "usual", settings=Settings(capture=False))
    usual.register("churn", 1)
    for move in (usual.promote, usual.retire):
        with pytest.raises(UnknownStageError) as caught:
            move("churn@1", word)
        assert caught.value.hint == f"did you mean {meant!r}?"
    if word in STAGES:
        assert chosen(tmp_path / "own").promote("churn@1", "serving").stage == "serving"


@pytest.mark.parametrize(
    ("stages", "single"),
    [
        (["testing", "staging", "production", "disabled"], "production"),
        (["none", "production", "beyond", "archived"], "production"),
        (["new", "live", "gone"], "live"),
    ],
)
def test_one_stage_has_one_holder(tmp_path: Path, stages: list[str], single: str) -> None:
    """`production` where it is, else the highest: what serves is never two versions by accident."""
    registry = Registry(tmp_path / "r", settings=Settings(capture=False))
    registry.init(stages=stages)
    for number in (1, 2):
        registry.promote(registry.register("m", number), single)

    assert (registry.serving, registry.get(f"m@{single}").number) == (single, 2)
    assert registry.get("m@1").stage == stages[-1]


@pytest.mark.parametrize(
    "stages",
    [
        ["new", "none", "gone"], ["archived", "live", "gone"], ["new", "archived", "gone"],
        ["production", "live", "gone"], ["new", "live", "production"], ["new", "gone"],
    ],
)  # fmt: skip
def test_a_usual_word_in_another_place_is_refused(tmp_path: Path, stages: list[str]) -> None:
    """Whoever reads `production` of any registry thinks of the same."""
    with pytest.raises(BadInputError):
        Registry(tmp_path / "r").init(stages=stages)
    assert not (tmp_path / "r").exists()
