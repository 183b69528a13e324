"""A version that is written down: by a mapping, a JSON file, or `nbreg define churn version.json`.

registry.define("churn", {"version": "1.0.5", "tags": ["eu"], "content": {"threshold": 0.4}})
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry
from nbreg.cli import main
from nbreg.errors import BadInputError, BadNameError, NameTakenError, NbregError

WHOLE: dict[str, Any] = {
    "version": "1.0.5",
    "description": "by hand",
    "tags": ["eu", "baseline"],
    "metrics": {"auc": 0.9},
    "params": {"C": 0.5, "deep": {"layers": [4, 4]}},
    "content": {"key": "val", "env": ["package1", "package2"]},
    "stage": "staging",
    "model": {"weights": [1.0, 2.0]},
    "artifacts": {"labels": ["no", "yes"]},
    "files": {"card": "card.md", "tokenizer": "tokenizer"},
    "reason": "Imported",
    "message": "from the old system",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the definition and its files are, which is not where anybody works."""
    folder = tmp_path / "exported"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "tokenizer" / "words.txt").write_text("a b")
    (folder / "card.md").write_text("hello")
    (folder / "version.json").write_text(json.dumps(WHOLE))
    return folder


def test_all_that_register_takes_can_be_written_down(registry: Registry, folder: Path) -> None:
    """What another system knows of a version comes in by one file, and no script is written for it."""
    version = registry.define("acme/churn", folder / "version.json")

    assert (version.ref, version.number, version.stage) == ("acme/churn@1.0.5", 1, "staging")
    assert (version.description, version.tags, version.metrics) == (
        "by hand",
        ["eu", "baseline"],
        {"auc": 0.9},
    )
    assert (version.params, version.content) == (WHOLE["params"], WHOLE["content"])
    assert (version.load(), version.load("labels")) == ({"weights": [1.0, 2.0]}, ["no", "yes"])
    assert version.load("card").read_text() == "hello"
    assert (version.load("tokenizer") / "words.txt").read_text() == "a b"
    assert (version.events[0].reason, version.events[0].message) == ("Imported", "from the old system")
    assert registry.define("acme/churn", folder / "version.json") == version, (
        "again is the version that is there"
    )
    assert registry.verify().ok


def test_a_mapping_of_content_alone_is_a_version(registry: Registry) -> None:
    """A raw version: nothing was trained here, and what is known of it is kept, found and loaded."""
    version = registry.define("rules", {"content": {"threshold": 0.4}, "tags": ["raw"]})

    assert (version.name, version.content, version.load()) == (
        "1.0.0",
        {"threshold": 0.4},
        {"threshold": 0.4},
    )
    assert registry.versions("rules", "content.threshold == 0.4") == [version]


def test_what_is_given_in_the_call_wins(registry: Registry, folder: Path) -> None:
    """One file for every night, and the stage by whoever runs it."""
    version = registry.define("churn", folder / "version.json", stage="production", version="2.0.0")
    assert (version.name, version.stage, version.tags) == ("2.0.0", "production", ["eu", "baseline"])


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"tag": ["x"]}, BadInputError, "a definition does not say 'tag' (did you mean 'tags'?)"),
        ({"force": True}, BadInputError, "a definition does not say 'force'"),
        ({"files": {"card": "gone.md"}}, BadInputError, "gone.md for 'card'"),
        ({"files": {"card": "~nobody-of-that-name/card.md"}}, BadInputError, "there is no file ~nobody"),
        ({"files": {"card": "x" * 5000}}, BadInputError, "there is no file xxx"),
        ({"files": ["card.md"]}, BadInputError, "the files of a definition are paths by name"),
        ({"files": {"model": "card.md"}}, BadInputError, "two artifacts are named 'model'"),
        ({"artifacts": ["a"]}, BadInputError, "the artifacts of a definition are data by name"),
        ({"version": "production"}, BadNameError, "is reserved"),
        ({"stage": "nowhere"}, NbregError, "no stage named 'nowhere'"),
        ({"metrics": {"auc": "high"}}, BadInputError, "auc"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_makes_nothing(
    registry: Registry, folder: Path, wrong: dict[str, Any], error: type[NbregError], said: str
) -> None:
    """A word that is misspelled is no word that was left out."""
    path = folder / "version.json"
    path.write_text(json.dumps({**WHOLE, **wrong}))

    with pytest.raises(error) as caught:
        registry.define("churn", path)

    assert said in caught.value.line
    assert registry.models() == []


@pytest.mark.parametrize(
    "text",
    [b"", b"[1]", b'{"metrics": {"auc": NaN}}', b"{", b'{"content": {"a": "\xff"}}', b"[" * 99_999],
)
def test_a_file_that_is_no_definition_is_refused(registry: Registry, tmp_path: Path, text: bytes) -> None:
    """In one line, with what it should look like."""
    (tmp_path / "d.json").write_bytes(text)
    for path in (tmp_path / "d.json", tmp_path / "nowhere.json"):
        with pytest.raises(BadInputError):
            registry.define("churn", path)
    assert registry.models() == []


def test_a_shell_defines_a_version(
    registry: Registry, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`nbreg define churn version.json` in a pipeline, from anywhere."""
    words = ["define", "churn", str(folder / "version.json"), "--registry", str(registry.location)]

    assert main([*words, "--stage", "candidate", "--reason", "Nightly", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["stage"], told["tags"]) == ("1.0.5", "candidate", ["eu", "baseline"])
    event = registry.events("churn")[0]
    assert (event.reason, event.message) == ("Nightly", "from the old system")

    (folder / "version.json").write_text(json.dumps({**WHOLE, "model": {"weights": [3.0]}}))
    assert main(words) == 1
    assert "churn@1.0.5 is there already" in capsys.readouterr().err
    with pytest.raises(NameTakenError):
        registry.define("churn", folder / "version.json")
    assert main([*words, "--force", "--reason", "Corrected"]) == 0
    assert registry.load("churn@1.0.5") == {"weights": [3.0]}
