"""Gates across faces: required in one notebook, checked or refused in every other place.

@nbreg.gate
def no_regression(new, old, ctx): …            notebook A
nbreg.Registry().require("churn", "production", no_regression)

%promote churn@2 production                     notebook B: refused with `gate-unavailable`
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry

GATE = """
@nbreg.gate
def no_regression(new, old, ctx):
    checked.append(ctx.namespace["threshold"])
    return new.metrics["accuracy"] >= ctx.namespace["threshold"], {"threshold": ctx.namespace["threshold"]}
"""


@pytest.fixture(scope="module")
def kernels() -> Iterator[tuple[Kernel, Kernel]]:
    """Two notebooks that are open side by side."""
    with running_kernel() as a, running_kernel() as b:
        yield a, b


@pytest.fixture
def notebooks(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> tuple[Kernel, Kernel]:
    """Both on one registry, which has a version that A registered."""
    for kernel, actor in zip(kernels, ("ada", "bob"), strict=True):
        kernel.good(f"%reset -f\nimport os, nbreg\nos.environ['NBREG_ACTOR'] = {actor!r}")
        kernel.good(f"os.chdir({str(tmp_path)!r})\n%load_ext nbreg")
        kernel.good(f"%use_registry {tmp_path / 'r'}\nfrom nbreg.registry.stages import gatefunctions")
        kernel.good("gatefunctions._declared.clear()")
        kernel.good("registry = nbreg.Registry('r')\nchecked, threshold = [], 0.8")
    a, _b = kernels
    a.good(MODEL + "clf = Mean().fit([1, 2, 3])\naccuracy = 0.9")
    a.good("%register_model churn clf --metrics accuracy")
    return kernels


def in_a_script(folder: Path, code: str) -> str:
    """What a plain process says: it knows no notebook."""
    script = folder / "script.py"
    script.write_text(
        "import nbreg\nregistry = nbreg.Registry('r')\n"
        f"try:\n    {code}\n    print('done')\nexcept nbreg.NbregError as error:\n    print(error.code)\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "NBREG_REGISTRY"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def on_the_command_line(folder: Path, *words: str) -> tuple[int, str]:
    """What the command line says, and how it ends."""
    command = [sys.executable, "-m", "nbreg.cli", *words]
    env = {**os.environ, "NBREG_REGISTRY": str(folder / "r"), "NBREG_ACTOR": "eve"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_gate_required_in_one_notebook_is_skipped_nowhere(
    notebooks: tuple[Kernel, Kernel], tmp_path: Path
) -> None:
    """Notebook A has the function; notebook B, a script and a shell have a name that means nothing to them."""
    a, b = notebooks
    a.good(GATE + "registry.require('churn', 'production', no_regression, reason='Team')")
    registry = Registry(tmp_path / "r")

    said = b.refused("%promote churn@1 production")
    assert "a required gate cannot be asked here" in said
    assert "__main__:no_regression" in said
    assert (
        "gate-unavailable"
        in b.good(
            "try:\n    registry.promote('churn@1', 'production')\n"
            "except nbreg.NbregError as error:\n    print(error.code)"
        ).stdout
    )
    assert in_a_script(tmp_path, "registry.promote('churn@1', 'production')") == "gate-unavailable"
    assert in_a_script(tmp_path, "registry.register('churn', 1, stage='production')") == "gate-unavailable"
    code, text = on_the_command_line(tmp_path, "promote", "churn@1", "production")
    assert (code != 0, "cannot be asked here" in text) == (True, True), text
    b.good(GATE.replace(">= ctx", "< ctx"))  # another function of the same name
    assert "another function here" in b.refused("%promote churn@1 production")
    assert registry.get("churn@1").stage == "none"
    assert "cannot be asked here" in b.good("%gates churn").text

    b.good(GATE)
    b.good("threshold = 0.95")
    said = b.refused("%promote churn@1 production")
    assert "churn@1.0.0 does not pass the gates of production: __main__:no_regression (it said no)" in said
    assert said.endswith("(--force with a reason overrules gates, and is recorded)")
    assert "[0.95]" in b.good("print(checked)").stdout, "asked with this notebook's live objects"

    shown = a.good("%promote churn@1 production --reason First").text
    assert shown == "churn 1.0.0 (#1): none → production · passed 1 gate\n"
    (gate,) = registry.events("churn")[0].facts["gates"]
    assert (gate["passed"], gate["saw"]["evidence"]) == (True, {"threshold": 0.8})


def test_all_gates_that_refuse_stand_in_one_line(notebooks: tuple[Kernel, Kernel]) -> None:
    """And force, on a line, with its reason."""
    a, _b = notebooks
    a.good(
        "registry.require('churn', 'production', 'metrics.f1 > 0.5', 'message_required', 'tagged(\"legal\")')"
    )
    said = a.refused("%promote churn@1 production")
    for gate in (
        "metrics.f1 > 0.5 (metrics.f1 is not there)",
        "message_required (no message was given)",
        "legal",
    ):
        assert gate in said
    assert "needs a reason" in a.refused("%promote churn@1 production --force")
    assert a.good("%promote churn@1 production --force --reason Incident").text == (
        "churn 1.0.0 (#1): none → production · "
        'forced past metrics.f1 > 0.5, message_required, tagged("legal")\n'
    )
    table = a.good("%model_events churn").text
    assert "gates required for production; metrics.f1 > 0.5" in table
    a.good("registry.require(None, 'candidate', 'metrics.f1 > 0.5')")
    said = a.refused("%register_model third clf --stage candidate")
    assert said.endswith("(third@1.0.0 is registered, in no stage; promote it when it passes)")
    assert "third" in a.good("%models").text
    a.good("%%register_model other --stage staging\nother = Mean().fit([7])")
    a.good("registry.require(None, 'production', 'message_required')")
    said = a.refused("%%register_model other --stage production\nthis = 'does not run'")
    assert "production wants a message" in said
    assert "does not run" not in a.good("print(globals().get('this'))").stdout


def test_requests_go_from_one_notebook_to_another(notebooks: tuple[Kernel, Kernel]) -> None:
    """Ada asks, Bob says yes, and production is what both saw."""
    a, b = notebooks
    a.good("registry.require('churn', 'production', 'approved(1)')")
    said = a.refused("%promote churn@1 production")
    assert said.endswith("(ask the others: `%request churn@1.0.0 production`)")
    asked = a.good("%request churn@1 production --message 'lift 3 %'").text
    assert asked == (
        "churn:r1: churn 1.0.0 (#1) to production, open; missing: approved(1) (nobody has so far)\n"
    )
    assert "somebody else has to approve it" in a.refused("%approve churn:r1")
    table = b.good("%requests --state open").text
    assert all(word in table for word in ("churn:r1", "ada", "open", "lift 3 %"))
    assert "%approve churn:r1" in b.complete("%approve ch")
    assert b.good("%approve churn:r1 --message seen").text == (
        "churn 1.0.0 (#1): none → production · approved by bob · passed 1 gate\n"
    )
    assert "was promoted by bob" in b.refused("%reject churn:r1")
    a.good("%retire churn@1\n%request churn@1 production")
    assert "rejected by bob: no" in b.good("%reject churn:r2 --message no").text
    a.good("%request churn@1 production")
    assert "withdrawn by ada" in a.good("%reject churn:r3").text


def test_hints_are_lines_that_can_be_typed(notebooks: tuple[Kernel, Kernel]) -> None:
    """What stands in brackets is what to type next."""
    a, _b = notebooks
    a.good("%promote churn@1 production")
    said = a.refused("%promote churn@1 staging")
    assert said == "'staging' is below 'production' (retire it with --to staging instead)"
    assert a.good("%retire churn@1 --to staging").text == "churn 1.0.0 (#1): production → staging\n"
    assert "did you mean 'production'?" in a.refused("%load_model churn@prodution")
    assert "did you mean 'production'?" in a.refused("%promote churn@1 prodution")
