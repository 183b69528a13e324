"""The pages of `docs/` do what they say: their Python runs, as it stands there and in order.

`expression  # → text` is held against what comes out, `line  # refused: code` against the error. A block that
begins with "```python notest" is an excerpt, and has a reason here. Lines of a shell and of a notebook are read by their own parsers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from nbreg.cli import COMMANDS
from nbreg.cli.base import Command
from nbreg.errors import NbregError
from nbreg.kernel.arguments import split
from nbreg.kernel.parsers import MAGICS, parser
from nbreg.registry.stages import gatefunctions

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TOLD = [
    *PAGES,
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")

# Pages whose Python is run somewhere else, and excerpts that nothing runs, with the reason.
ELSEWHERE = {"serving.md": "tests/test_serving.py runs its server, under load"}
EXCERPTS = {
    "loading.md": 1,  # makes an environment anew, which takes the network: tests/test_workers.py
    "gates.md": 1,  # waits for an answer by somebody else: tests/test_requests.py
    "serving.md": 1,  # prints what tests/test_data_drift.py holds it to
}

_CANCER = """
import nbreg
from pathlib import Path
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X / X.max()
Xtr, Xte, ytr, yte = X[:400], X[400:], y[:400], y[400:]
clf = LogisticRegression().fit(Xtr, ytr)
scaler = StandardScaler().fit(Xtr)
registry = nbreg.Registry()
"""
# What a page takes for granted.
GIVEN = {
    "capture.md": _CANCER + "tokenizer = {'<s>': 0}\n",
    "loading.md": _CANCER + "for C in (0.1, 1.0, 10.0):\n"
    "    model = LogisticRegression(C=C).fit(Xtr, ytr)\n"
    "    v = registry.register('cancer', model, artifacts={'scaler': scaler}, data={'train': Xtr})\n"
    "v = registry.promote('cancer@3', 'production')\n",
    "queries.md": "import nbreg\nregistry = nbreg.Registry()\n"
    "v = registry.register('churn', [1], metrics={'auc': 0.91}, tags=['baseline'], stage='staging')\n",
}


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
    exec(GIVEN.get(page, ""), namespace)
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


def executed() -> list[str]:
    return [page.name for page in PAGES if BLOCK.search(page.read_text()) and page.name not in ELSEWHERE]


@pytest.mark.parametrize("page", executed())
@pytest.mark.filterwarnings("ignore::nbreg.errors.ExistingVersionWarning")
def test_a_page_does_what_it_says(
    page: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody copies from a page works, and gives what the page promised."""
    monkeypatch.setattr(gatefunctions, "_declared", {})  # a page's gates are its own
    if page == "from-mlflow.md":
        request.getfixturevalue("from_mlflow")

    assert follow(page) == claimed(page) >= 2


@pytest.fixture
def from_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody has in MLflow: a model of two versions, and an alias."""
    mlflow = pytest.importorskip("mlflow")
    from sklearn.linear_model import LinearRegression

    monkeypatch.setenv(
        "MLFLOW_ALLOW_FILE_STORE", "true"
    )  # a database would need what the client alone has not
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path / 'mlruns'}")
    mlflow.set_tracking_uri(f"file:{tmp_path / 'mlruns'}")
    for slope, auc in ((1.0, 0.9), (2.0, 0.92)):
        with mlflow.start_run():
            mlflow.log_metric("auc", auc)
            model = LinearRegression().fit([[0.0], [1.0]], [0.0, slope])
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name="credit", pip_requirements=["scikit-learn"]
            )
    mlflow.MlflowClient().set_registered_model_alias("credit", "champion", "2")


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


def test_what_is_not_run_has_a_reason() -> None:
    """An excerpt is what nobody notices when it has stopped being true."""
    found = {page.name: page.read_text().count("```python notest") for page in PAGES}

    assert {name: count for name, count in found.items() if count} == EXCERPTS


# what is typed

TYPED = re.compile(r"^    ((?:nbreg|%%?[a-z_]+) .*)$", re.M)
MENTIONED = re.compile(r"`((?:nbreg|%%?[a-z_]+) [^`]*)`")
BY_NAME: dict[str, Command] = {
    str(each.name): each for family in COMMANDS.families for each in family.commands
}


def typed(text: str) -> list[str]:
    """The words of a line, up to a comment, what stands beside it, or what a shell does with it."""
    words = split(re.split(r" {2,}", text)[0])
    ends = [i for i, word in enumerate(words) if word in ("|", ">", "&&")]
    return words[: ends[0]] if ends else words


def check_command(line: str) -> None:
    """Raises for arguments that the command does not take."""
    _, name, *words = typed(line)
    BY_NAME[name].make_context(name, words)


def check_magic(line: str) -> None:
    name, *words = typed(line)
    parser(name.lstrip("%")).read(words)


@pytest.mark.parametrize("page", TOLD, ids=lambda page: page.name)
def test_every_line_to_type_is_understood(page: Path) -> None:
    """A line that somebody copies from a page is one that the command or the magic takes."""
    text = re.sub(r"^```(?!python).*?^```$", "", page.read_text(), flags=re.M | re.S)
    for line in TYPED.findall(text):
        if line.startswith("nbreg ") and "[OPTIONS]" not in line:
            check_command(line)
        elif line.split()[0].lstrip("%") in MAGICS and "[FLAGS]" not in line:
            check_magic(line)


@pytest.mark.parametrize("page", TOLD, ids=lambda page: page.name)
def test_every_option_that_is_mentioned_is_one(page: Path) -> None:
    """`nbreg purge --force` in a sentence is typed, too."""
    wrong = [
        text
        for text in MENTIONED.findall(page.read_text())
        for flag in re.findall(r"(?<=\s)--?[a-z][a-z-]*", text)
        if flag not in flags_of(text.split()[:2])
    ]

    assert wrong == []


def flags_of(words: list[str]) -> set[str]:
    first, second = words
    if first != "nbreg":
        name = first.lstrip("%")
        return {*parser(name).flags(), "-h"} if name in MAGICS else set(re.findall(r"--\S+", second))
    command = BY_NAME.get(second)
    if command is None:
        return {"--registry", "--version", "--json", "--help"}
    context = click.Context(command)
    return {flag for each in command.get_params(context) for flag in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("nbreg promote churn@3 production --raeson ABTestWon", check_command),
        ("nbreg rollback", check_command),
        ("%promote churn@3 production --raeson ABTestWon", check_magic),
        ("%register_model churn clf two", check_magic),
    ],
)
def test_a_line_that_is_wrong_is_found(text: str, check: Any) -> None:
    """The checks above can fail."""
    from IPython.core.error import UsageError

    with pytest.raises((click.UsageError, UsageError)):
        check(text)


def test_commands_of_jupyterlab_are_called_as_the_page_says() -> None:
    """Somebody types into the palette what the page calls it."""
    table = (DOCS / "jupyterlab.md").read_text().partition("| command | does | key |\n|---|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    named = [name.strip() for row in rows for name in row.strip("|").split(" | ")[0].split(" · ")]
    code = "\n".join(path.read_text() for path in (ROOT / "labextension" / "src").rglob("*.ts"))

    assert len(named) >= 8
    assert [name for name in named if f"'{name}'" not in code] == []


# where it leads


def test_every_link_of_a_page_leads_somewhere() -> None:
    """A page or a chapter that was renamed takes nobody to nothing."""
    dead = []
    for page in TOLD:
        for found in LINK.findall(page.read_text()):
            target, _, anchor = "".join(found).partition("#")
            there = page.parent / target if target else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                dead.append(f"{page.relative_to(ROOT)}: {''.join(found)}")

    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    titles = [re.sub(r"[*`]|\[(.*?)\]\(.*?\)", r"\1", each) for each in re.findall(r"(?m)^#+ (.*)$", text)]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_kind_of_event_is_told_of() -> None:
    """A job that looks for a kind of event finds it on the page; one that is only on the page never comes."""
    code = "\n".join(path.read_text() for path in (ROOT / "src" / "nbreg").rglob("*.py"))
    written = set(re.findall(r'(?:transaction|_change)\([^"()]*"([a-z]+(?:-[a-z]+)*)"', code)) - {"edited"}
    chapter = (DOCS / "governance.md").read_text().partition("## Events")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", chapter.partition("|---|")[2]))

    assert written - told == set()
    assert {kind for kind in told if f'"{kind}"' not in code} == set()


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
