"""In a notebook: the notebook itself, data with a name, git tags, and what a line has to say.

%register_model churn clf --data customers=Xtr --git-tag
%promote churn@1.0.0 production
  no reason was given for what is in production now: …
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import ModelVersion, Registry

SECRET = "AKIA" + "IOSFODNN7EXAMPLE"


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good("%load_ext nbreg")
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path) -> Kernel:
    """The kernel in a folder of its own, with a model trained."""
    (tmp_path / "work").mkdir()
    shared.good("%reset -f")
    shared.good(f"import os; os.chdir({str(tmp_path / 'work')!r}); os.environ.pop('JPY_SESSION_NAME', None)")
    shared.good("%use_registry ./registry")
    shared.good(MODEL)
    shared.good("X = [1.0, 2.0]\nclf = Mean().fit(X)")
    return shared


def registered(tmp_path: Path, ref: str = "churn@latest") -> ModelVersion:
    return Registry(tmp_path / "work" / "registry").get(ref)


def saved(folder: Path, *sources: str) -> Path:
    """A notebook as a frontend saves it: with outputs."""
    cells = [nbformat.v4.new_markdown_cell("# Why we do this"), *map(nbformat.v4.new_code_cell, sources)]
    for cell in cells[1:]:
        cell.outputs = [nbformat.v4.new_output("stream", text="a customer's row")]
    path = folder / "churn.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_the_saved_notebook_is_kept_without_outputs_and_secrets(kernel: Kernel, tmp_path: Path) -> None:
    """What the author wrote around the cells says why; outputs may show anybody's data."""
    saved(tmp_path / "work", "clf = Mean().fit(X)", f"key = '{SECRET}'")
    kernel.good("os.environ['JPY_SESSION_NAME'] = 'somewhere/below/the/server/churn.ipynb'")
    kernel.good("%register_model churn clf")
    version = registered(tmp_path)
    document = version.notebook.document

    nbformat.validate(nbformat.from_dict(document))
    assert [each["cell_type"] for each in document["cells"]] == ["markdown", "code", "code"]
    assert document["cells"][0]["source"] == "# Why we do this"
    assert "clf = Mean().fit(X)" in document["cells"][1]["source"]
    assert SECRET not in str(document)
    assert "a customer's row" not in str(document)
    assert version.notebook.path.endswith("churn.ipynb")
    assert "churn.ipynb · 3 cells" in kernel.good("%model churn@latest").text


def test_a_notebook_that_was_saved_anew_is_read_anew(kernel: Kernel, tmp_path: Path) -> None:
    """Two versions of an afternoon have two notebooks, and one where nothing was saved between."""
    saved(tmp_path / "work", "one = 1")
    kernel.good("os.environ['JPY_SESSION_NAME'] = 'churn.ipynb'")
    kernel.good("%register_model churn clf")
    kernel.good("clf = Mean(2.0).fit(X)\n%register_model churn clf")
    saved(tmp_path / "work", "one = 1", "two = 2")
    kernel.good("clf = Mean(3.0).fit(X)\n%register_model churn clf")
    digests = [registered(tmp_path, f"churn@{n}").manifest.notebook.digest for n in (1, 2, 3)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "not found"),
        ("[]", "no notebook"),
        ("{", "JSONDecodeError"),
        (" " * 9_000_000, "more than 8 MiB"),
    ],
)
def test_a_notebook_that_cannot_be_kept_says_why_and_loses_nothing(
    kernel: Kernel, tmp_path: Path, content: str | None, why: str
) -> None:
    """A broken file beside it is no reason to lose a model."""
    if content is not None:
        (tmp_path / "work" / "churn.ipynb").write_text(content)
    kernel.good("os.environ['JPY_SESSION_NAME'] = 'churn.ipynb'")
    kernel.good("%register_model churn clf")
    assert why in registered(tmp_path).manifest.notebook.missing


def test_a_kernel_that_knows_of_no_notebook_says_so(kernel: Kernel, tmp_path: Path) -> None:
    """Nothing is guessed: another notebook's text would be worse than none."""
    saved(tmp_path / "work", "other = 1")
    kernel.good("%register_model churn clf")
    assert registered(tmp_path).manifest.notebook.missing == "its file is not known to the kernel"


def test_data_gets_its_name_on_the_line(kernel: Kernel, tmp_path: Path) -> None:
    """`customers=X` is the data set customers, whatever the variable is called."""
    kernel.good("%register_model churn clf --data customers=X")
    assert [each.datasets for each in registered(tmp_path).datasets] == [["customers@1"]]
    kernel.good("clf = Mean(2.0).fit(X)\n%register_model churn clf --data X")
    assert [each.datasets for each in registered(tmp_path).datasets] == [["customers@1"]]
    assert "is not a data set name" in kernel.refused(
        "%%register_model churn --data a!b=X\nclf = Mean().fit(X)"
    )


def test_a_line_makes_a_git_tag_and_refuses_before_the_cell_runs(kernel: Kernel, tmp_path: Path) -> None:
    """Hours of training are not spent on a tag that cannot be made."""
    work = tmp_path / "work"
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"], ["tag", "taken"]):
        subprocess.run(["git", "-C", str(work), *words], check=True)
    refused = kernel.refused("%%register_model churn --git-tag taken\nran = True\nclf = Mean(9.0).fit(X)")
    assert "git has a tag 'taken' already" in refused
    assert kernel.good("'ran' in globals()").text.strip() == "False"

    assert "churn-v1.0.0" in kernel.good("%register_model churn clf --message ready --git-tag").text
    tags = subprocess.run(["git", "-C", str(work), "tag"], check=True, capture_output=True, text=True).stdout
    assert tags.split() == ["churn-v1.0.0", "taken"]


def test_a_promotion_without_a_reason_is_told_where_it_is_made(kernel: Kernel) -> None:
    """One quiet line, and none where a reason is given."""
    kernel.good("%register_model churn clf")
    assert "no reason was given" in kernel.good("%promote churn@1 production").text
    kernel.good("clf = Mean(2.0).fit(X)\n%register_model churn clf")
    assert "no reason" not in kernel.good("%promote churn@2 production --reason Better").text


def test_loading_the_latest_past_production_is_told(kernel: Kernel) -> None:
    """What was registered last is somebody's experiment."""
    kernel.good("%register_model churn clf")
    kernel.good("%promote churn@1 production --reason Release")
    assert "the latest version moves" not in kernel.good("%load_model churn").text
    kernel.good("clf = Mean(2.0).fit(X)\n%register_model churn clf")
    assert "in production is #1" in kernel.good("%load_model churn@latest").text
    assert "the latest version moves" not in kernel.good("%load_model churn@2").text
