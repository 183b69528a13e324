"""Magics that show: lists, versions, differences, help; and that stand in nobody's way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from asking import registry_of, value
from kernels import Kernel

from nbreg.display import TABLE_MIME

MAGICS = [
    "register_model",
    "promote",
    "retire",
    "rollback",
    "load_model",
    "models",
    "model",
    "model_diff",
    "model_history",
    "model_events",
    "drafts",
    "use_registry",
]


def test_the_lists_show_themselves_and_are_sequences(trained: Kernel) -> None:
    """HTML for the notebook, text for everything else, records for the program."""
    trained.good("%register_model churn clf --metrics accuracy\n%promote churn@1 staging")

    models, history, events = (
        trained.good(f"%{name}") for name in ("models", "model_history churn", "model_events")
    )

    assert models.text.splitlines()[1].split() == ["churn", "1.0.0", "(#1)", "1", "staging", "#1"]
    assert history.text.splitlines()[0] == "churn · 1 version"
    assert [line.split()[5] for line in events.text.splitlines()[1:]] == ["promoted", "registered"]
    for ran in (models, history, events):
        assert {"text/html", "text/plain", TABLE_MIME} <= set(ran.bundles[-1])
    assert value(trained, "get_ipython().run_line_magic('model_history', 'churn')[0].ref") == "churn@1.0.0"


def test_model_shows_everything(trained: Kernel) -> None:
    """Stage, aliases, id and what was captured, on one card."""
    trained.good("%register_model churn clf --stage staging")
    trained.good(registry_of("set_alias('churn@1', 'champion')"))

    text = trained.good("%model churn@champion").text

    assert re.search(r"stage +staging", text)
    assert "champion" in text
    assert "sha256:" in text


@pytest.mark.parametrize("name", MAGICS)
def test_help_is_shown_and_does_not_fail(kernel: Kernel, name: str) -> None:
    """Both ways that people ask."""
    ran = kernel.good(f"%{name} --help")
    asked = kernel.run(f"%{name}?")

    assert ran.text.startswith(f"usage: %{name}")
    assert asked.ok


def test_another_registry_is_one_line(trained: Kernel) -> None:
    """What was registered in the old one no longer makes a bare name mean something."""
    trained.good("%register_model churn clf")

    ran = trained.good("%use_registry ./other")

    assert ran.text == "registry ./other · not there yet: the first version makes it\n"
    assert "no model named 'churn'" in trained.refused("%promote churn production")
    assert trained.good("%use_registry ./registry").text == "registry ./registry · 1 model\n"


def test_code_works_on_the_registry_that_was_chosen(trained: Kernel) -> None:
    """`nbreg.load` after `%use_registry` loaded another folder's model, or said that there was none."""
    trained.good("%use_registry ./other")
    trained.good(
        "import nbreg, os\nmade = nbreg.register('risk', {'a': 1})\nos.environ['NBREG_REGISTRY'] = 'third'"
    )

    assert "risk" in trained.good("%models").text
    assert value(trained, "[nbreg.load('risk@1'), nbreg.Registry().location.name]") == "[{'a': 1}, 'other']"
    assert value(trained, "nbreg.route('risk', {1: 1.0}, key='x').registry.location.name") == "other"
    trained.good("%use_registry ./registry")
    assert value(trained, "nbreg.Registry().location.name") == "registry"
    trained.good("%config Nbreg.registry = ''")
    assert value(trained, "nbreg.Registry().location.name") == "third"
    assert value(trained, "nbreg.Registry('fourth').location.name") == "fourth"


def test_a_registry_chosen_by_a_relative_path_stays_where_it_was(trained: Kernel) -> None:
    """Neither `os.chdir` nor a change of configuration moves the work to another folder."""
    trained.good("%register_model churn clf")
    trained.good("import os; os.mkdir('below'); os.chdir('below')\n%config Nbreg.retention_days = 31.0")

    text = trained.good("%models").text
    trained.good("%config Nbreg.retention_days = 30.0")

    assert "churn" in text


def test_no_result_is_lost_to_the_namespace(trained: Kernel) -> None:
    """Registering and looking leave the user's names alone."""
    before = value(trained, "sorted(n for n in globals() if n[0] != '_')")

    trained.good("%register_model churn clf\n%models\n%model churn\n%model_history churn")

    assert value(trained, "sorted(n for n in globals() if n[0] != '_')") == before


def test_nothing_in_the_namespace_stands_in_the_way_or_leaks(trained: Kernel, tmp_path: Path) -> None:
    """Two gigabytes, an object that takes a minute to show itself, one that raises, and a cell full of secrets."""
    asked = tmp_path / "asked"
    trained.good(
        "import numpy\n"
        "big = numpy.zeros(250_000_000)\n"
        "text = 'x' * 50_000_000\n"
        "class Slow:\n"
        f"    def __repr__(self): open({str(asked)!r}, 'w').close(); import time; time.sleep(60)\n"
        "    __len__ = __iter__ = __str__ = __repr__\n"
        "class Rude:\n"
        f"    def __getattribute__(self, name): open({str(asked)!r}, 'w').close(); raise RuntimeError(name)\n"
        "slow, rude = Slow(), Rude()"
    )
    secrets = [
        "hunter2-9fQ1zKw",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "AKIA" + "QWERTYUIOPASDFGH",
    ]
    trained.good(
        f"db_password = {secrets[0]!r}\n"
        f"url = 'postgresql://ana:{secrets[0]}@db.example/x'\n"
        f"headers = {{'Authorization': 'Bearer {secrets[1]}'}}\n"
        f"connect = dict(aws_access_key_id={secrets[2]!r}, api_token={secrets[1]!r})"
    )

    trained.good("%register_model churn clf")

    assert not asked.exists()
    registry = Path(value(trained, registry_of("location")))
    stored = b"".join(path.read_bytes() for path in registry.rglob("*") if path.is_file())
    assert b"db_password" in stored
    assert [secret for secret in secrets if secret.encode() in stored] == []
    trained.good("del big, text, slow, rude, db_password, url, headers, connect")


def test_a_diff_says_which_was_taken_and_writes_nothing(trained: Kernel) -> None:
    """`clf` may be a variable and a model: with @ it is the model's version, without it the variable."""
    trained.good("%register_model clf clf --metrics accuracy")
    trained.good("clf.fit([1, 2, 9]); accuracy = 0.8")
    before = value(trained, "sorted(str(p) for p in __import__('pathlib').Path('registry').rglob('*'))")

    alive = trained.good("%model_diff clf").text.splitlines()
    stored = trained.good("%model_diff clf@1 clf@1").text.splitlines()

    assert alive[0] == "clf@latest, which is clf@1.0.0 → clf, the live variable"
    assert alive[1].startswith("would be 1.1.0: minor: ")
    assert "metrics · inferred: the variable accuracy" in alive
    assert "  ~ accuracy  0.9 → 0.8 (-0.1)" in alive
    assert stored[0] == "clf@1, which is clf@1.0.0 → clf@1, which is clf@1.0.0"
    assert "nothing differs in what was compared" in stored
    assert (
        value(trained, "sorted(str(p) for p in __import__('pathlib').Path('registry').rglob('*'))") == before
    )


def test_a_diff_takes_versions_that_variables_hold(trained: Kernel) -> None:
    """What a magic returned is as good as the word for it."""
    trained.good("one = %register_model churn clf")
    trained.good("clf.fit([7]); two = %register_model churn clf")

    shown = trained.good("%model_diff two one").text

    assert shown.startswith("churn@1, which is churn@1.0.0 → churn@2, which is churn@1.1.0\nminor: ")


def test_a_diff_that_means_nothing_is_refused(trained: Kernel) -> None:
    """One line with the next step."""
    trained.good("%register_model churn clf")

    assert "no variable 'clff'" in trained.refused("%model_diff clff")
    assert "the variable comes first" in trained.refused("%model_diff churn@1 clf")
    assert "--data is for a variable" in trained.refused("%model_diff churn@1 churn@1 --data clf")
    assert "no other version" in trained.refused("%model_diff churn@1")


def test_a_diff_completes_variables_and_versions(trained: Kernel) -> None:
    """Both may stand first."""
    trained.good("%register_model churn clf")

    assert "%model_diff clf" in trained.complete("%model_diff c")
    assert "%model_diff churn@" in trained.complete("%model_diff c")
    assert "%model_diff clf churn@1.0.0" in trained.complete("%model_diff clf churn@1")
