"""What somebody puts where a registry has its own files: a clone of a project may bring a `.nbreg` along.

Whoever works in such a folder registers, lists and trains as ever. A link does not have a file of
theirs read, cut off or written to, and a pipe or a device keeps nobody waiting.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from deciders import decide
from sklearn.linear_model import LinearRegression
from victim import outcome

from nbreg import NbregError, Registry
from nbreg.records import DraftRecord
from nbreg.settings import Settings
from nbreg.store.drafts import DraftFolder

SETTINGS = Settings(capture=False, inline_bytes=4096)
RUN = "0" * 32
HEX = [f"{n:02x}" for n in range(256)]
OWN: dict[str, list[str]] = {
    "the registry's journal": ["registry.jsonl"],
    "a model's journal": ["models/sum.model/journal.jsonl"],
    "the journal of another model": ["models/other.model/journal.jsonl"],
    "the journal of data": ["data/journal.jsonl"],
    "the journal of decisions": ["decisions/journal.jsonl"],
    "the key of decisions": ["decisions/key"],
    "the cache of parts": [f"objects/parts/{each}" for each in HEX],
    "the cache of hints": [f"objects/hints/{each}" for each in HEX],
    "the last draft's number": ["drafts/last"],
    "what git ignores": [".gitignore", ".gitattributes"],
    "a run": [f"runs/{'f' * 32}.jsonl"],
    "what happened to a run": [f"runs/{RUN}.events.jsonl"],
    "a file of decisions": [f"decisions/{'f' * 32}.jsonl"],
    "sealed decisions": [f"decisions/sealed/{'f' * 32}.jsonl"],
}
PLANTED: dict[str, Callable[[Path, Path], None]] = {
    "a link to a file": lambda path, outside: path.symlink_to(outside / "mine"),
    "a link to nothing": lambda path, outside: path.symlink_to(outside / "nothing"),
    "a link to a device": lambda path, outside: path.symlink_to("/dev/zero"),
    "a pipe": lambda path, outside: os.mkfifo(path),
}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "clone" / ".nbreg", settings=SETTINGS)
    model = LinearRegression().fit([[0, 1], [1, 1], [2, 1]], [1, 2, 3])
    made.register("sum", model, data={"train": list(range(9))})
    made.register("other", {"n": list(range(500))})
    decide(made.get("sum@1"), 1)
    with made.start_run("r") as run:
        run.log_params({"C": 1})
    logged = made.location / "runs" / f"{run.id}.jsonl"
    logged.with_name(f"{RUN}.jsonl").write_text(logged.read_text().replace(run.id, RUN))
    made.close()
    return made


def put(registry: Registry, paths: list[str], plant: Callable[[Path, Path], None], outside: Path) -> None:
    for each in paths:
        path = registry.location / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        plant(path, outside)


def work_in(location: Path) -> None:
    """Everything that people and kernels do there; each may be refused, and none may hang."""
    mine = Registry(location, settings=SETTINGS)
    for each in (
        mine.models,
        lambda: mine.load("sum@1"),
        lambda: mine.register("sum", {"mine": list(range(900))}, artifacts={"large": np.arange(2000.0)}),
        lambda: mine.register("new", {"mine": 1}, data={"train": [1]}),
        lambda: DraftFolder(location / "drafts").add(DraftRecord(variable="m", type="t", at="", why="")),
        lambda: decide(mine.get("sum@1"), 2),
        lambda: mine.who_decided([[1, 1]]),
        lambda: mine.start_run("r").end(),
        lambda: mine.delete_run(RUN),
        mine.runs,
        lambda: mine.search("sum"),
        lambda: mine._desk.folder.allow_git(mine._desk.actor),
        mine.du,
        lambda: mine.verify(repair=True),
        lambda: mine.purge(dry_run=False, older_than=0),
        mine.close,
    ):
        with suppress(NbregError):
            each()


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("where", OWN)
def test_what_stands_in_place_of_an_own_file_is_no_way_out(
    registry: Registry, tmp_path: Path, where: str, what: str
) -> None:
    """The user's files are as they were, no file is made elsewhere, and nobody waits."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_bytes(b"no line feed")
    put(registry, OWN[where], PLANTED[what], outside)

    assert outcome(lambda: work_in(registry.location)) == "loaded"

    assert (outside / "mine").read_bytes() == b"no line feed"
    assert [each.name for each in outside.iterdir()] == ["mine"]


@pytest.mark.parametrize("what", PLANTED)
def test_an_object_of_the_other_side_is_a_file_of_theirs(
    registry: Registry, tmp_path: Path, what: str
) -> None:
    """Merging does not copy this user's files in, nor the zeros of a device until the disk is full."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_bytes(b"no line feed")
    bundle = registry.get("other@1").row.bundle
    put(registry, [f"objects/{bundle[:2]}/{bundle[2:]}"], PLANTED[what], outside)

    def merging() -> None:
        mine = Registry(tmp_path / "mine", settings=SETTINGS)
        mine.merge(Registry(registry.location, settings=SETTINGS))

    assert outcome(merging) == "object-damaged"
    assert Registry(tmp_path / "mine", settings=SETTINGS).du().size < 100_000
