"""The rules that ARCHITECTURE.md and CONTRIBUTING.md state, held by reading the source."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import HEAVY

import nbreg
from nbreg import errors

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "nbreg"
SOURCES = sorted(SRC.rglob("*.py"))

# Each line may import from the lines above it, and from nothing else of nbreg.
# Modules on one line do not know each other.
LAYERS = [
    ["errors"],
    ["names", "settings"],
    ["records"],
    ["lifecycle", "changes", "query", "rules", "access", "words"],
    ["display"],
    ["progress"],
    ["store", "trust"],
    ["families"],
    ["capture"],
    ["workers"],
    ["registry"],
    ["evidence"],
    ["runs"],
    ["jobs"],
    ["config", "autoload"],
    ["panels"],
    ["kernel", "server", "cli"],
]
# Packages that are large enough to have rooms, which import like layers do. What stands beside them in the package
# is built on them, so they do not know it, except for the modules that are named here.
ROOMS = {
    "families": [["pickles", "describing"]],
    "capture": [["secrets"], ["tabular", "surroundings"], ["recipe"], ["project"]],
    "registry": [
        ["ground"],
        ["belonging", "stages", "opening", "serving"],
        ["making"],
        ["exchange"],
        ["housekeeping"],
    ],
}
BELOW_ROOMS = {
    "families": {"tables", "wire"},
    "capture": {"context", "parts", "summaries", "texts"},
    "registry": set[str](),
}
OVER_ROOMS = {"verbs"}  # stands over the package's own modules, as those stand over its rooms
WITH_PARTS = {"nbreg", *(f"nbreg.{package}" for package in ROOMS)}  # from these a module is imported, mostly
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}
PACKAGE_ITSELF = {"__init__", "__main__"}  # the front door: names, fetched when asked for; `python -m nbreg`

# The only modules that may import a foreign library; what is not listed here nobody may import.
OWNERS = {
    "msgspec": set(RANK),  # typed records are the language all modules speak
    "tinydb": {"store"},
    "click": {"cli"},
    "cloudpickle": {"families"},
    "numpy": {"families", "capture"},
    "pandas": {"families", "capture"},
    "scipy": {"families"},
    "sklearn": {"families"},
    "traitlets": {"config", "server"},  # the server's own class is one of jupyter_server's
    "IPython": {"kernel", "autoload", "panels"},
    "ipywidgets": {"panels"},
    "skops": {"families"},
    "nbclient": {"jobs"},
    "nbformat": {"jobs"},
    "yaml": {"registry"},
    "tornado": {"server"},
    "jupyter_server": {"server"},
}

# Commands that a hint names already. Whoever adds one takes it out of here.
COMMANDS_TO_COME: set[str] = set()
OTHERS_MAGICS = {
    "load_ext",
    "unload_ext",
    "reload_ext",
    "capture",
    "config",
    "time",
    "magic",
    "debug",
    "xmode",
}

LONGEST_FILE = 500
LONGEST_TEST = 600
LONG_ON_PURPOSE = {
    "errors.py",  # declarations only; the tree is read as a whole, with its picture
}
PRINTERS = {"cli/__init__.py"}
MACHINE_PATHS = re.compile(
    r"/(?:home|Users|root|tmp|private|mnt|work(?:spaces?)?)/[A-Za-z0-9_.-]+|[A-Z]:\\\\Users"
)
PLACES_OF_PATHS = (".ipynb", ".lock", "lock.json", ".jsonl", ".cfg", ".toml")


def layer_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """All absolute imports, at whatever depth; those for the type checker alone are left out."""
    exempt: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            exempt.update(below for each in node.body for below in ast.walk(each))
        if node in exempt:
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            base = node.module or ""
            inside = base in WITH_PARTS
            yield from (f"{base}.{each.name}" if inside else base for each in node.names)


def nbreg_imports(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "nbreg" and len(parts) > 1}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SRC)))
def test_imports_point_one_way(path: Path) -> None:
    """The layer picture is true, so a module can be understood from what stands before it."""
    me = layer_of(path)
    if me in PACKAGE_ITSELF:
        return
    assert me in RANK, f"{me} has no layer: give it one here and in ARCHITECTURE.md"

    wrong = {you for you in nbreg_imports(path) - {me} if you in RANK and RANK[you] >= RANK[me]}

    assert not wrong, f"{me} may not import {sorted(wrong)}"


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_know_only_the_rooms_before_them(package: str) -> None:
    """A large package can be read a room at a time, from its ground up."""
    rank = {room: rank for rank, line in enumerate(ROOMS[package]) for room in line}
    folders = {path.name for path in (SRC / package).iterdir() if (path / "__init__.py").exists()}
    assert set(rank) == folders - OVER_ROOMS

    wrong = []
    for path in sorted((SRC / package).glob("*/**/*.py")):
        room = path.relative_to(SRC / package).parts[0]
        if room in OVER_ROOMS:
            continue
        for name in imports(path):
            parts = name.split(".")
            if (
                parts[:2] != ["nbreg", package]
                or len(parts) == 2
                or parts[2] in BELOW_ROOMS[package] | {room}
            ):
                continue
            if rank.get(parts[2], len(rank)) >= rank[room]:
                wrong.append(f"{path.relative_to(SRC)} imports {name}")

    assert not wrong


def test_each_foreign_library_has_one_owner() -> None:
    """A library can be replaced, or its next release survived, in one place."""
    wrong = []
    for path in SOURCES:
        for name in {each.partition(".")[0] for each in imports(path)} - {"nbreg"} - sys.stdlib_module_names:
            if layer_of(path) not in OWNERS.get(name, set()):
                wrong.append(f"{path.relative_to(SRC)} imports {name}")

    assert not wrong


def test_the_layers_of_the_test_are_those_of_the_page() -> None:
    """The page that people read and the list that is checked cannot come apart."""
    page = (ROOT / "ARCHITECTURE.md").read_text()
    tree = page.split("```")[1]
    places = [re.search(rf"(?m)(?:^ *|· ){layer[0]}\b", tree) for layer in LAYERS]

    assert None not in places
    starts = [place.start() for place in places if place]
    assert starts == sorted(starts)


@pytest.mark.parametrize("package", ROOMS)
def test_the_picture_has_the_rooms_in_order(package: str) -> None:
    """Who reads a package from its ground up follows the picture."""
    tree = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    inside = re.search(rf"(?m)^  {package}/.*\n((?:    .*\n)+)", tree)
    assert inside is not None
    rank = {room: rank for rank, line in enumerate(ROOMS[package]) for room in line}
    drawn = [rank[room] for room in re.findall(r"(\w+)/", inside[1]) if room in rank]

    assert drawn == sorted(rank.values())


def test_every_note_is_in_the_list_in_order() -> None:
    """A decision that nobody finds is made again."""
    listed = re.findall(r"(?m)^- \[\d{4}\]\(docs/notes/(.*?)\)", (ROOT / "ARCHITECTURE.md").read_text())

    assert listed == sorted(path.name for path in (ROOT / "docs" / "notes").glob("*.md"))


def test_every_package_is_in_the_picture() -> None:
    """Who is new looks for a part where the picture says that it is."""
    tree = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    parts = {layer_of(path) for path in SOURCES} - PACKAGE_ITSELF

    assert {part for part in parts if not re.search(rf"(?m)(?:^ *|· ){part}\b", tree)} == set()
    assert parts - set(RANK) == set()


def test_all_lists_exactly_the_public_names() -> None:
    """`from nbreg import *`, the documentation and the lazy loader agree on what there is."""
    assert sorted(nbreg.__all__) == sorted(nbreg._HOMES)
    assert nbreg.__all__ == sorted(nbreg.__all__)
    for name, home in nbreg._HOMES.items():
        assert getattr(nbreg, name) is getattr(importlib.import_module(home), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`hasattr` and `from nbreg import typo` behave as with any module."""
    with pytest.raises(AttributeError, match="no attribute 'regsiter'"):
        nbreg.regsiter  # noqa: B018


@pytest.mark.parametrize("name", nbreg.__all__)
def test_every_public_name_says_what_it_does(name: str) -> None:
    """`help(nbreg.…)` answers, for the name and for all public methods of it."""
    value = getattr(nbreg, name)
    undocumented = [] if _documented(value) else [name]
    if inspect.isclass(value):
        members = {each: member for each, member in vars(value).items() if not each.startswith("_")}
        undocumented += [f"{name}.{each}" for each, member in members.items() if not _documented(member)]

    assert not undocumented


def _documented(value: object) -> bool:
    # Fields and plain attributes have no docstring of their own; only what can be called must.
    if not (callable(value) or isinstance(value, property | classmethod | staticmethod)):
        return True
    return bool((value.__doc__ or "").strip())


def _all_errors(kind: type[errors.NbregError] = errors.NbregError) -> list[type[errors.NbregError]]:
    return [kind, *(below for each in kind.__subclasses__() for below in _all_errors(each))]


def test_every_error_has_a_code_of_its_own() -> None:
    """Scripts and the wire tell errors apart by code, so no two may share one."""
    codes = Counter(kind.__dict__.get("code", f"{kind.__name__} has none") for kind in _all_errors())

    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes), codes
    assert [code for code, count in codes.items() if count > 1] == []


def test_every_error_is_in_the_picture_of_its_module() -> None:
    """The tree at the top of errors.py is what people read to choose what to catch."""
    picture = errors.__doc__ or ""

    assert [kind.__name__ for kind in _all_errors() if not re.search(rf"\b{kind.__name__}\b", picture)] == []


def test_every_error_survives_pickling() -> None:
    """An error raised in a worker process arrives with its code and hint."""
    import pickle

    for kind in _all_errors():
        copy = pickle.loads(pickle.dumps(kind("a fact", hint="a step")))
        assert (type(copy), copy.message, copy.hint) == (kind, "a fact", "a step")


def test_the_library_never_prints() -> None:
    """What a verb has to say is a return value or an error; only the command line prints."""
    wrong = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path in SOURCES
        if path.relative_to(SRC).as_posix() not in PRINTERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "input", "breakpoint")
    ]

    assert not wrong


@pytest.mark.parametrize("module", ["nbreg", "nbreg.registry"])
def test_importing_is_cheap(module: str) -> None:
    """A script or a container pays for the registry alone, not for a notebook's libraries."""
    found = _loaded_by(f"import {module}") - _loaded_by("import msgspec, tinydb")

    assert found.isdisjoint(HEAVY), sorted(found & HEAVY)


def test_importing_nbreg_alone_loads_nothing_foreign() -> None:
    """`%load_ext nbreg` in everybody's start-up file must not be felt."""
    foreign = {name.partition(".")[0] for name in _loaded_by("import nbreg")} & set(OWNERS)

    assert foreign == set()


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_no_source_file_is_too_long() -> None:
    """A module that needs scrolling for minutes hides two modules."""
    lengths = {str(path.relative_to(SRC)): path.read_text().count("\n") for path in SOURCES}

    assert {name for name, lines in lengths.items() if lines > LONGEST_FILE} - LONG_ON_PURPOSE == set()


def test_no_test_file_is_too_long_nor_imports_another() -> None:
    """Whoever looks for a claim reads names of files; what tests share is a helper, and no test."""
    tests = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    long = [path.name for path, text in tests.items() if text.count("\n") > LONGEST_TEST]
    entangled = [
        path.name for path, text in tests.items() if re.search(r"^ *(from|import) test_", text, re.M)
    ]

    assert (long, entangled) == ([], [])


def test_every_module_says_what_it_is_for() -> None:
    """The first line of a file is the shortest documentation there is."""
    mute = [
        str(path.relative_to(SRC)) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert mute == []


def test_the_version_is_the_same_everywhere() -> None:
    """What pip installs and what `nbreg.__version__` says are one release, with a changelog entry."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == nbreg.__version__
    assert f"## {nbreg.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_commands_that_people_are_told_exist() -> None:
    """The first thing a newcomer types must not be a command that is gone."""
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tools/demo.py")]
    pages += ROOT.glob("docs/*.md")
    told = {
        word
        for page in pages
        for word in re.findall(r"(?:^ {4}|`|; |: +)make ([a-z]+)", page.read_text(), re.M)
    }

    assert {"demo", "lab", "test"} <= told
    assert told <= targets
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_lab_shows_what_its_notebook_registers() -> None:
    """The story goes to a folder of its own; its versions have to come up in the sidebar beside it."""
    told = subprocess.run(["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert f"NBREG_REGISTRY='{ROOT}/notebooks/run/.nbreg' .venv/bin/python -m jupyterlab" in told
    assert 'RUN / ".nbreg"' in (ROOT / "tools/demo.py").read_text()


def test_hints_name_commands_and_magics_that_exist() -> None:
    """A hint is the line that somebody in trouble types next."""
    told = [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *ROOT.glob("docs/*.md"),
    ]
    pages = [*SOURCES, *told]
    text = "\n".join(page.read_text() for page in pages)
    magics = (SRC / "kernel" / "parsers.py").read_text()
    commands = set(re.findall(r"`nbreg ([a-z]+(?:-[a-z]+)*)", text))
    usage = subprocess.run(
        [sys.executable, "-m", "nbreg.cli", "--help"], capture_output=True, text=True, check=True
    )

    missing = {command for command in commands if not re.search(rf"(?m)^ +{command}\b", usage.stdout)}
    unknown = {magic for magic in re.findall(r"`%%?([a-z_]+)", text) if f'"{magic}"' not in magics}

    assert missing == COMMANDS_TO_COME
    assert unknown <= OTHERS_MAGICS


def test_hints_leave_the_spelling_of_options_to_the_faces() -> None:
    """Whoever reads `force=True` in a shell has to guess; `option("force")` is `--force` there."""
    wrong = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg == "hint"
        if re.search(r"(?<!\()\b\w+=(True|False)\b", ast.unparse(node.value))
    ]

    assert wrong == []  # a whole call, such as `load(trust=True)`, is Python for everybody


def test_no_machine_paths_are_committed() -> None:
    """A notebook that shows somebody's folders leaks them, and passes on one machine only."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in tracked.stdout.split("\0") if name.endswith(PLACES_OF_PATHS)]

    leaks = {
        str(path.relative_to(ROOT)): sorted(set(found))
        for path in files
        if path.exists() and (found := MACHINE_PATHS.findall(path.read_text(errors="replace")))
    }

    assert leaks == {}
