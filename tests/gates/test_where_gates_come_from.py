"""A required function is found where it is installed or declared, refuses everywhere else, and is never imported by its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from children import run
from refusals import QUICK, refused

from nbreg import Registry
from nbreg.errors import GateUnavailableError
from nbreg.records import GatesRow

GATE = """
import nbreg

@nbreg.gate
def no_regression(new, old, ctx):
    return {answer}
"""


def test_a_gate_of_one_process_is_unavailable_in_another(tmp_path: Path) -> None:
    """A required function is asked or refuses; it is never skipped."""
    folder = tmp_path / "r"
    script = tmp_path / "a.py"
    script.write_text(
        GATE.format(answer="new.metrics['auc'] > 0.9")
        + f"""
registry = nbreg.Registry({str(folder)!r}, settings=__import__("nbreg.settings").settings.Settings(capture=False))
registry.register("churn", 1, metrics={{"auc": 0.95}})
registry.require("churn", "production", no_regression)
"""
    )
    exec_script(script)
    registry = Registry(folder, settings=QUICK)
    with pytest.raises(GateUnavailableError) as caught:
        registry.promote("churn@1", "production")
    assert caught.value.code == "gate-unavailable"
    assert "__main__:no_regression" in caught.value.message
    (gate,) = registry.gates("churn")
    assert gate.unavailable
    with pytest.raises(GateUnavailableError):
        registry.register("churn", 2, stage="production")
    with pytest.raises(GateUnavailableError):
        registry.check("churn", stage="production")

    promote = f"\nnbreg.Registry({str(folder)!r}).promote('churn@1', 'production')"
    other = tmp_path / "b.py"
    other.write_text(GATE.format(answer="True") + promote)
    assert "another function here than the one that is required" in exec_script(other, fails=True)
    assert registry.get("churn@1").stage == "none"
    same = tmp_path / "c.py"
    same.write_text(GATE.format(answer="new.metrics['auc'] > 0.9") + promote)
    exec_script(same)
    assert registry.get("churn@1").stage == "production"


def exec_script(path: Path, *, fails: bool = False) -> str:
    import subprocess

    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)
    assert bool(done.returncode) == fails, done.stderr
    return done.stderr


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution with a gate among its entry points, as pip would have installed it."""
    site = tmp_path / "site"
    package = site / "ourteam_gates"
    info = site / "ourteam-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text(
        "def strict(new, old, ctx):\n    return new.metrics.get('auc', 0) > 0.89\n"
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ourteam\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[nbreg.gates]\nstrict = ourteam_gates:strict\nbroken = ourteam_gates:missing\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield site
    sys.modules.pop("ourteam_gates", None)


@pytest.mark.parametrize("name", ["strict", "ourteam_gates:strict"])
def test_an_installed_gate_is_found_by_its_entry_point(quick: Registry, installed: Path, name: str) -> None:
    """In every process that has the package; in others it refuses."""
    quick.require("churn", "production", name)
    assert refused(lambda: quick.promote("churn@2", "production")) == [name]
    promote = "Registry(sys.argv[1]).promote('churn@1', 'staging'); print(Registry(sys.argv[1]).get('churn@1').stage)"
    quick.retire("churn@1")
    quick.require("churn", "staging", name)
    assert run(promote, quick.location).strip() == "staging"
    (installed / "ourteam-1.0.dist-info" / "entry_points.txt").write_text("")
    assert "gate-unavailable" in run(
        "try:\n    Registry(sys.argv[1]).promote('churn@2', 'staging')\nexcept NbregError as error:\n"
        "    print(error.code)",
        quick.location,
    )


def test_a_gate_whose_package_is_broken_is_unavailable(quick: Registry, installed: Path) -> None:
    """An import that fails is no gate that was passed."""
    quick.require("churn", "production", "broken")
    with pytest.raises(GateUnavailableError, match="cannot be imported"):
        quick.promote("churn@2", "production")


def test_nothing_that_a_registry_names_is_imported(quick: Registry, tmp_path: Path) -> None:
    """Who can write to the folder must not thereby run code in everybody's kernel."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "evil_module.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\ndef gate(new, old, ctx):\n    return True\n"
    )
    database = quick._desk.model("churn")
    rule = {"rule": "function", "name": "evil_module:gate"}
    with quick._desk.transaction(database, "gates-required"):
        database.put("gates", "production", GatesRow(rules=[rule]))
    out = run(
        """
sys.path.insert(0, sys.argv[2])
registry = Registry(sys.argv[1], settings=QUICK)
for call in (lambda: registry.promote("churn@2", "production"), lambda: registry.gates("churn"),
             lambda: registry.register("churn", 9, stage="production")):
    try:
        call()
    except NbregError as error:
        print(error.code)
print("evil_module" in sys.modules)
""",
        quick.location,
        tmp_path / "site",
    )
    assert out.split() == ["gate-unavailable", "gate-unavailable", "False"]
    assert not (tmp_path / "ran").exists()
