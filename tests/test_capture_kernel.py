"""Source and environment of a version registered in a real kernel, as a person would find them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel, running_kernel

CELL = '''
def clean(values, api_key="hunter2-hunter2"):
    """Without gaps."""
    return [each for each in values if each is not None]

class Plain:
    scale = 2.0
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a local package and an installed model library, and a change not committed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "churnlib").mkdir()
    (folder / "churnlib" / "__init__.py").write_text("from .steps import double\n")
    (folder / "churnlib" / "steps.py").write_text("def double(x):\n    return x * 2\n")
    site = folder / "site-packages"
    (site / "probelib-1.0.dist-info").mkdir(parents=True)
    (site / "probelib.py").write_text(
        "class Probe:\n    def fit(self, x):\n        self.x = x\n        return self\n"
    )
    (site / "probelib-1.0.dist-info" / "RECORD").write_text("probelib.py,sha256=x,1\n")
    (site / "probelib-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    (folder / "churnlib" / "__init__.py").write_text("from .steps import double\nTOKEN = 'hunter2-hunter2'\n")
    return folder


@pytest.fixture(scope="module")
def kernel(project: Path) -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good(
            f"%cd -q {project}\nimport sys; sys.path[:0] = [{str(project)!r}, {str(project / 'site-packages')!r}]"
        )
        kernel.good("%load_ext nbreg\n%use_registry registry")
        kernel.good(CELL)
        kernel.good(
            "import churnlib, nbreg\nfrom probelib import Probe\nmodel = Probe().fit(churnlib.double(1))"
        )
        kernel.good("%register_model churn model")
        yield kernel


def value(kernel: Kernel, expression: str) -> object:
    return ast.literal_eval(kernel.good(f"print({expression})").stdout)


def test_the_code_beside_the_cells_is_in_the_version(kernel: Kernel) -> None:
    """Notebook, helper package and uncommitted change together are what was run."""
    kernel.good("source = nbreg.Registry('registry').get('churn@latest').source")

    modules = value(kernel, "source.modules")
    assert isinstance(modules, dict)
    assert modules == {
        "churnlib": "from .steps import double\nTOKEN = '‹redacted: token›'\n",
        "churnlib.steps": "def double(x):\n    return x * 2\n",
    }
    definitions = value(kernel, "source.definitions")
    assert isinstance(definitions, dict)
    assert definitions["clean"].startswith('def clean(values, api_key="‹redacted: key›"):\n')
    assert definitions["Plain"] == "class Plain:\n    scale = 2.0\n"
    diff = kernel.good("print(source.git.diff)").stdout
    assert "+TOKEN = '‹redacted: token›'" in diff
    assert "registry" not in diff


def test_the_card_says_so_in_words(kernel: Kernel) -> None:
    """A person sees at a glance that there is more than a commit."""
    shown = kernel.good("%model churn@latest").text

    assert "with uncommitted changes · 1 changed line · 2 local modules · 2 definitions" in shown
    assert (
        value(kernel, "nbreg.Registry('registry').get('churn@latest').manifest.environment.summary['needed']")
        == 1
    )


def test_an_upgrade_is_shown_with_the_line_that_takes_it_back(kernel: Kernel, project: Path) -> None:
    """The upgrade was three weeks ago, and nobody remembers the version before."""
    folder = project / "site-packages" / "probelib-1.0.dist-info"
    folder.rename(folder.with_name("probelib-2.0.dist-info"))
    try:
        for line in ("%load_model churn@latest --trust", "%model churn@latest"):
            shown = kernel.good(line).text
            assert "probelib     1.0       2.0      major" in shown
            assert 'pip install "probelib==1.0"' in shown
    finally:
        folder.with_name("probelib-2.0.dist-info").rename(folder)


def test_the_environment_is_written_from_the_notebook(kernel: Kernel, project: Path) -> None:
    """What is needed is one line here, beside two hundred that were merely installed."""
    kernel.good(
        "nbreg.Registry('registry').get('churn@latest').export_environment('r.txt', needed_only=True)"
    )

    lines = (project / "r.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["probelib==1.0"]
