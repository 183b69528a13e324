"""The pages of `docs/` do what they say: their Python runs, as it stands there and in order.

`expression  # → text` is held against what comes out, `line  # refused: code` against the error. A block that
begins with "```python notest" is an excerpt.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nbreg.errors import NbregError

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
EXECUTED = ["gates.md", "governance.md", "runs.md", "stages.md", "versions.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\"]+)\"")


class Line(NamedTuple):
    """A statement of a page, and what is claimed of it."""

    node: ast.stmt
    where: str
    claim: str
    text: str


def lines(page: str) -> Iterator[Line]:
    text = (DOCS / page).read_text()
    for block in BLOCK.finditer(text):
        before = text[: block.start()].count("\n") + 1
        source = block[1].splitlines()
        for node in ast.parse(block[1]).body:
            said = re.search(r"# (→|refused:) (.*)$", source[(node.end_lineno or 1) - 1])
            claim, told = said.groups() if said else ("", "")
            yield Line(node, f"docs/{page}:{before + node.lineno}", claim, told.strip())


def claimed(page: str) -> int:
    """How often a page's blocks say what comes out or what is refused."""
    return sum(
        len(re.findall(r"# (?:→|refused:) ", block[1])) for block in BLOCK.finditer((DOCS / page).read_text())
    )


def run(line: Line, namespace: dict[str, Any]) -> None:
    if isinstance(line.node, ast.Expr):
        value = eval(compile(ast.Expression(line.node.value), line.where, "eval"), namespace)
        if line.claim == "→":
            assert str(value) == line.text, line.where
    else:
        assert line.claim != "→", f"{line.where} is no expression"
        exec(compile(ast.Module([line.node], []), line.where, "exec"), namespace)


def follow(page: str) -> int:
    """Run a page. Returns how many of its lines claimed something."""
    namespace: dict[str, Any] = {"__name__": "page"}
    claims = 0
    for line in lines(page):
        claims += bool(line.claim)
        if line.claim == "refused:":
            with pytest.raises(NbregError) as caught:
                run(line, namespace)
            assert caught.value.code == line.text, line.where
        else:
            run(line, namespace)
    return claims


@pytest.mark.parametrize("page", EXECUTED)
@pytest.mark.filterwarnings("ignore::nbreg.errors.ExistingVersionWarning")
def test_a_page_does_what_it_says(page: str) -> None:
    """What somebody copies from a page works, and gives what the page promised."""
    assert follow(page) == claimed(page) >= 4


@pytest.mark.parametrize(
    "line",
    [
        "1 + 1  # → 3",
        "two = 1 + 1  # → 2",
        "len([])  # refused: bad-name",
        'nbreg.Model("m", 1).number  # refused: bad-name',
        "if True:\n    1 + 1  # → 3\n    1 + 1",
    ],
)
def test_a_page_that_says_something_else_fails(line: str, tmp_path: Path) -> None:
    """A claim is never passed over."""
    page = tmp_path / "page.md"
    page.write_text(f"```python\nimport nbreg\n\n{line}\n```\n")

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        assert follow(str(page)) == claimed(str(page))


def test_every_link_of_a_page_leads_somewhere() -> None:
    """A page that was renamed takes nobody to nothing."""
    pages = [
        *PAGES,
        *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for found in LINK.findall(page.read_text())
        for target in ["".join(found)]
        if not (page.parent / target).exists()
    ]

    assert dead == []


def test_the_index_has_every_page() -> None:
    """Who looks for something begins at one place."""
    index = (DOCS / "README.md").read_text()

    assert [page.name for page in PAGES if page.name != "README.md" and f"]({page.name})" not in index] == []


def test_every_notebook_is_checked_and_told_of() -> None:
    """A story that nobody runs stops being true."""
    made = (ROOT / "Makefile").read_text()
    index = (DOCS / "README.md").read_text()

    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        assert f"notebooks/{path.name}" in made
        assert f"notebooks/{path.name}" in index


def test_the_readme_is_short() -> None:
    """What nbreg is takes two minutes to read; the rest has its pages."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 140
