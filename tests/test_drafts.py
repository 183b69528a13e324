"""What a notebook trains and nobody registers, in real kernels: listed, kept, registered as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import MODEL, SECONDS, Kernel, running_kernel

import nbreg
from nbreg.display import TABLE_MIME
from nbreg.records import DraftRecord

LARGE = """
import numpy as np
class Big:
    def fit(self, size):
        self.weights = np.arange(size, dtype='u1')
        return self
    def predict(self, x):
        return x
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for the module: starting one takes longer than most tests."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """The kernel with an empty namespace, in a folder of its own where there is no registry yet."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    shared.good("%reset -f")
    shared.good(
        f"import os; os.chdir({str(work)!r}); os.environ['XDG_CACHE_HOME'] = {os.environ['XDG_CACHE_HOME']!r}"
    )
    shared.good(f"os.environ['XDG_CONFIG_HOME'] = {os.environ['XDG_CONFIG_HOME']!r}; del os")
    shared.good("%config Nbreg.implicit = 'off'")
    shared.good(f"{MODEL}\nlate = Mean()")
    shared.good("%config Nbreg.implicit = 'draft'\n%config Nbreg.draft_bytes = 67108864")
    return shared


def listed() -> list[DraftRecord]:
    """The drafts as a script in the same folder sees them."""
    return [draft.record for draft in nbreg.Registry().drafts()]


def settled(kernel: Kernel) -> list[DraftRecord]:
    """The drafts once what a next cell makes sure of is done."""
    kernel.good("pass")
    return listed()


def test_an_overwritten_model_is_listed_and_registered_as_it_was(kernel: Kernel) -> None:
    """Somebody sees only after the third try that the first one was the best."""
    kernel.good("clf = Mean(0.5).fit([1, 2])\nauc = 0.91\nthreshold = 0.5")
    kernel.good("auc = 0.7\nclf = Mean(2.0).fit([5])")
    ran = kernel.good("%drafts")

    assert [(each.number, each.variable, each.metrics) for each in listed()] == [
        (2, "clf", {"auc": 0.7}),
        (1, "clf", {"auc": 0.91}),
    ]
    assert ran.bundles[-1][TABLE_MIME]["rows"][1]["kept"] is True
    assert "Mean" in ran.bundles[-1]["text/html"]
    assert not Path(".nbreg").exists(), "nobody asked for a registry"

    kernel.good("v = %register_model churn --draft 1 --message rescued")
    version = nbreg.Registry().get("churn@1")
    said = kernel.good("v").text

    assert (version.load().mean, version.metrics, version.params["scale"]) == (0.75, {"auc": 0.91}, 0.5)
    cells = [each.source for each in version.recipe.cells]
    assert cells[-1].startswith("clf = Mean(0.5)")
    assert not any("Mean(2.0)" in each for each in cells)
    told = version.manifest.draft
    assert isinstance(told, dict)
    assert (told["number"], told["variable"]) == (1, "clf")
    assert told["execution_count"] == version.recipe.cells[-1].execution_count
    assert "was" in said
    assert "draft 1: clf of cell [" in said
    assert [each.number for each in listed()] == [2], "what is registered is no draft"
    assert "there is no draft 1" in kernel.refused("%register_model churn --draft 1")


def test_only_what_belongs_to_the_draft_is_taken_with_it(kernel: Kernel) -> None:
    """Today's `auc` is that of today's model."""
    kernel.good("clf = Mean().fit([1, 2])\nauc = 0.91")
    kernel.good("clf = late\nauc = 0.1")

    assert "a draft is registered as it was kept" in kernel.refused("%register_model churn clf --draft 1")
    assert "the draft has no 'loss'" in kernel.refused("%register_model churn --draft 1 --metrics loss")
    kernel.good("%register_model churn --draft 1 --metrics auc,lift=1.5")

    assert nbreg.Registry().get("churn@1").metrics == {"auc": 0.91, "lift": 1.5}


def test_drafts_survive_the_kernel_and_are_registered_from_another(tmp_path: Path) -> None:
    """The kernel ran out of memory in the night; what it had trained until then is there."""
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(MODEL)
        kernel.good("clf = Mean(0.5).fit([1, 2])\nauc = 0.91")
        kernel.good("doomed = 1")
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)  # type: ignore[union-attr]

        (record,) = listed()
        assert (record.variable, record.is_kept, record.cell) == ("clf", True, {"execution_count": 3})
        command = [sys.executable, "-m", "nbreg.cli", "drafts", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert [each["number"] for each in json.loads(done.stdout)] == [1]

    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        assert "Mean" in kernel.good("%drafts").text
        kernel.good("%register_model churn --draft 1")

    version = nbreg.Registry().get("churn@1")
    assert version.recipe.cells[-1].source.startswith("clf = Mean(0.5)")
    assert version.load().mean == 0.75
    assert listed() == []


def test_a_kernel_killed_at_once_still_says_what_was_trained() -> None:
    """Between the reply and the first idle moment there is a file already."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n{MODEL}\nimport os, signal")
        kernel.good("import atexit, nbreg.kernel.drafter as d; d._SOON = 3600.0")
        kernel.good("clf = Mean().fit([1])")
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)  # type: ignore[union-attr]

    (record,) = listed()
    assert (record.variable, record.is_kept) == ("clf", False)
    with pytest.raises(nbreg.NbregError) as caught:
        nbreg.Registry().register("churn", nbreg.Registry().draft(1))
    assert caught.value.code == "unknown-draft"
    assert not Path(".nbreg").exists()


def test_equal_content_makes_no_second_draft(kernel: Kernel) -> None:
    """Running a notebook again, or giving a model a second name, is no news."""
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("best = clf")
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("clf = Mean().fit([7])\nclf = Mean().fit([1, 2])")

    assert [each.variable for each in settled(kernel)] == ["clf"]


def test_what_is_registered_or_loaded_is_no_draft(kernel: Kernel) -> None:
    """The list is of what could get lost."""
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("%register_model churn clf")
    kernel.good("clf = Mean().fit([5])\n%register_model churn clf")
    kernel.good("import nbreg\nother = Mean().fit([6])\nnbreg.register('churn', other)")
    kernel.good("again = %load_model churn@1\nnew = nbreg.load('churn@1')")

    assert settled(kernel) == []


def test_a_notebook_run_again_in_a_new_kernel_makes_no_draft_of_what_is_registered(kernel: Kernel) -> None:
    """Run All every morning is how people work."""
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("%register_model churn clf")
    with running_kernel() as other:
        other.good("%load_ext nbreg")
        other.good(MODEL)
        other.good("clf = Mean().fit([1, 2])")
        other.good("pass")

        assert listed() == []


def test_a_refit_in_place_is_another_draft(kernel: Kernel) -> None:
    """The object is the same and the model is not."""
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("print(clf.predict([1]))")
    kernel.good("clf.fit([5])")

    found = settled(kernel)

    assert [each.number for each in found] == [2, 1]
    assert [draft.load().mean for draft in nbreg.Registry().drafts()] == [5, 1.5]


def test_an_interrupted_training_is_a_draft_that_says_so(kernel: Kernel) -> None:
    """Whoever stops a training early often wants what there is."""
    kernel.run("clf = Mean().fit([1, 2])\nraise KeyboardInterrupt")

    (record,) = settled(kernel)

    assert record.is_kept
    assert record.cell["error"] == "KeyboardInterrupt"


def test_a_cell_magic_that_fails_leaves_a_draft(kernel: Kernel) -> None:
    """Hours of training are not lost with the last line of their cell."""
    kernel.run("%%register_model churn\nclf = Mean().fit([1, 2])\n1 / 0")
    kernel.good("clf = None")

    assert [(each.variable, each.is_kept) for each in listed()] == [("clf", True)]
    kernel.good("%register_model churn --draft 1")
    assert nbreg.Registry().get("churn@1").load().mean == 1.5


def test_a_secret_stops_the_version_and_is_not_in_the_draft_either(kernel: Kernel, tmp_path: Path) -> None:
    """The draft says that it is one; what it must not hold is nowhere on the disk."""
    secret = "AKIA" + "Q3EGRJZ4XW5YTBNP"
    line = kernel.run("%%register_model churn\nclf = Mean().fit([1])\nclf.key = 'AKIA' + 'Q3EGRJZ4XW5YTBNP'")

    (record,) = settled(kernel)

    assert "seems to hold a secret" in line.stderr
    assert record.why.startswith("it seems to hold a secret (1 ×")
    assert record.token == ""
    written = [path.read_bytes() for path in (tmp_path).rglob("*") if path.is_file()]
    assert any(b"nbreg draft" in each for each in written)
    assert not any(secret.encode() in each for each in written)


def test_a_secret_in_the_cell_is_withheld(kernel: Kernel) -> None:
    """A draft is written without anybody's asking, so it is redacted like everything captured."""
    kernel.good("api_token = 'hF82kdLs93mXq0'\nclf = Mean().fit([1])")

    (draft,) = settled(kernel) and nbreg.Registry().drafts()

    assert b"hF82kdLs93mXq0" not in draft._file.path.read_bytes()
    assert "clf = Mean" in draft._file.path.read_bytes().decode(errors="replace")


def test_a_large_model_is_described_and_not_copied(kernel: Kernel) -> None:
    """Two gigabytes of weights must not be felt, and are not filled into the disk."""
    kernel.good(f"{LARGE}\n%config Nbreg.draft_bytes = 1000000")
    kernel.good("big = Big().fit(20_000_000)")
    until(kernel, lambda found: bool(found) and found[0].why.startswith("larger"))

    (record,) = listed()
    assert record.why == "larger than 0 MiB"
    assert 20_000_000 < record.size < 20_100_000
    assert sum(path.stat().st_size for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("*")) < 1_000_000


def test_what_is_too_large_to_hold_up_a_cell_waits_until_the_kernel_is_idle(kernel: Kernel) -> None:
    """Nothing slowed; and where it is overwritten first, the list says so instead of nothing."""
    kernel.good(f"{LARGE}\nimport nbreg.kernel.drafter as d\nd._LATER = 3600.0")
    kernel.good("big = Big().fit(9_000_000)")
    assert "not yet: as soon as the kernel is idle" in kernel.good("%drafts").text
    kernel.good("big = None")
    assert [each.why for each in listed()] == ["overwritten before it could be saved"]

    kernel.good("d._LATER = 0.0\nbig = Big().fit(9_000_001)")
    until(kernel, lambda found: found[0].is_kept)
    kernel.good("d._LATER = 2.0")

    assert [each.is_kept for each in listed()] == [True, False]
    assert nbreg.Registry().drafts()[0].load().weights.size == 9_000_001


def until(kernel: Kernel, there: object) -> None:
    """Let the kernel come to rest, message by message, until its drafts are as wanted."""
    patience = time.monotonic() + SECONDS
    while time.monotonic() < patience:
        kernel.rest()
        if there(listed()):  # type: ignore[operator]
            return
    raise AssertionError(listed())


def test_what_cannot_be_kept_says_why_and_runs_none_of_the_users_code(kernel: Kernel) -> None:
    """A registration may call `__getstate__`, since somebody asked for it; a draft may not."""
    kernel.good(
        "import threading\ncalls = []\n"
        "class Own(Mean):\n"
        "    def __getstate__(self):\n        calls.append('getstate')\n        return {}\n"
        "    def __repr__(self):\n        calls.append('repr')\n        raise RuntimeError\n"
        "own = Own().fit([1])"
    )
    kernel.good("locked = Mean().fit([2])\nlocked.lock = threading.Lock()")
    kernel.good("nested = Mean().fit([3])\nnested.inner = [own]")

    found = settled(kernel)

    assert [each.why for each in found] == [
        "__getstate__ of Own runs only when you register it",
        "it cannot be pickled (TypeError)",
        "__getstate__ of Own runs only when you register it",
    ]
    assert kernel.good("print(calls)").stdout == "[]\n"


def test_nobodys_class_or_memory_is_held(kernel: Kernel) -> None:
    """What a user drops is gone, also before its draft was saved; the class is as it was."""
    kernel.good(
        f"{LARGE}\nimport weakref, gc, nbreg.kernel.drafter as d\nd._LATER = 3600.0\nbefore = sorted(vars(Big))"
    )
    kernel.good(
        "big = Big().fit(9_000_000)\nsmall = Big().fit(10)\nrefs = [weakref.ref(big), weakref.ref(small)]"
    )
    kernel.good("small.weights.resize(20)")
    kernel.good("del big, small\nprint([ref() for ref in refs], sorted(vars(Big)) == before)\nd._LATER = 2.0")

    assert [each.is_kept for each in listed()] == [True, True, False]


def test_two_kernels_give_different_numbers(kernel: Kernel) -> None:
    """A number means one model, whichever notebook of the project it came from."""
    with running_kernel() as other:
        other.good("%load_ext nbreg")
        for each in (kernel, other):
            each.good(MODEL)
        for number in range(3):
            kernel.good(f"clf = Mean().fit([{number}])")
            other.good(f"clf = Mean().fit([{number + 10}])")
        other.good("pass")
        assert sorted(each.number for each in settled(kernel)) == [1, 2, 3, 4, 5, 6]


def test_changing_the_folder_before_the_first_magic_still_chooses_the_registry(tmp_path: Path) -> None:
    """Training a model decides nothing about where it will be registered."""
    (tmp_path / "there").mkdir()
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        kernel.good(f"{MODEL}\nclf = Mean().fit([1])")
        kernel.good(f"import os; os.chdir({str(tmp_path / 'there')!r})")
        kernel.good("%register_model churn clf")

    assert (tmp_path / "there" / ".nbreg").is_dir()


def test_a_trained_model_can_be_a_version_by_itself(kernel: Kernel) -> None:
    """Some teams want every training in the registry."""
    kernel.good("%config Nbreg.implicit = 'version'")
    kernel.good("clf = Mean().fit([1, 2])\nauc = 0.9")
    kernel.good("clf = Mean().fit([1, 2])")
    kernel.good("clf = Mean().fit([3])")
    assert settled(kernel) == []

    found = nbreg.Registry().versions("clf")
    assert [(each.number, each.load().mean) for each in found] == [(2, 3), (1, 1.5)]
    assert [each.reason for each in nbreg.Registry().events("clf")] == ["Trained", "Trained"]

    kernel.good("%config Nbreg.implicit = 'off'")
    kernel.good("clf = Mean().fit([4])")
    assert settled(kernel) == []
    assert len(nbreg.Registry().versions("clf")) == 2


def test_a_draft_that_is_not_wanted_can_be_dropped(kernel: Kernel) -> None:
    """What was written unasked can be taken away."""
    kernel.good("clf = Mean().fit([1])")
    kernel.good("clf = Mean().fit([2])")

    assert kernel.complete("%register_model churn --draft ")[-2:] == [
        f"%register_model churn --draft {number}" for number in (1, 2)
    ]
    assert "#  variable" in kernel.good("%drafts --drop 2").text
    assert [each.number for each in listed()] == [1]
    kernel.good("clf = Mean().fit([3])")
    assert [each.number for each in settled(kernel)] == [3, 1], "no number is given twice"


def test_a_kernel_that_is_shut_down_saves_what_is_small() -> None:
    """Closing the notebook right after the last cell loses nothing."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n{MODEL}\nimport nbreg.kernel.drafter as d; d._SOON = 3600.0")
        kernel.good("clf = Mean().fit([1])")
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=False)
        assert [each.is_kept for each in listed()] == [True]
