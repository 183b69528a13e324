"""A recorded environment is written so that the tools that read it really take it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from nbreg import Registry
from nbreg.capture.secrets import Redactor
from nbreg.capture.surroundings import export
from nbreg.capture.surroundings.environment import capture_environment, drift
from nbreg.display import DriftTable
from nbreg.errors import BadInputError, CannotLoadError, ConflictError
from nbreg.records import Distribution, DriftItem, Environment

UV = Path(sys.executable).with_name("uv")
needs_uv = pytest.mark.skipif(not UV.exists(), reason="uv is not installed")

EVERY_ORIGIN = [
    Distribution(name="six", version="1.16.0", origin="index", imported=True, needed=True),
    Distribution(name="idna", version="3.7", origin="index", needed=False),
    Distribution(name="mine", version="0.1", origin="editable", url="file:///srv/mine", needed=True),
    Distribution(name="built", version="3.0", origin="local", url="file:///srv/built", needed=False),
    Distribution(
        name="forked",
        version="2.0",
        origin="vcs",
        url="git+https://github.com/o/forked.git",
        commit="a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        needed=False,
    ),
    Distribution(
        name="linked",
        version="4.0",
        url="https://host.example/linked-4.0-py3-none-any.whl",
        commit="sha256:" + "ab" * 32,
        needed=False,
    ),
    Distribution(name="private-thing-nobody-has", version="1.0", origin="index", needed=False),
]


def recorded(*distributions: Distribution, conda: list[str] | None = None) -> Environment:
    return Environment(
        python={"version": "3.11.7", "implementation": "cpython"},
        os={"system": "Linux", "machine": "x86_64"},
        distributions=list(distributions),
        conda=conda or [],
    )


def tool(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def index() -> None:
    """An index that can be asked."""
    asked = subprocess.run(
        [str(UV), "pip", "compile", "-", "--no-deps", "-q"],
        input="six==1.16.0",
        text=True,
        capture_output=True,
    )
    if asked.returncode:
        pytest.skip("no package index can be reached")


def test_requirements_say_what_no_index_has() -> None:
    """A line that looks installable and is not costs an hour; a comment costs nothing."""
    assert export.requirements(recorded(*EVERY_ORIGIN)).splitlines() == [
        "# recorded by nbreg on cpython 3.11.7, Linux x86_64",
        "# built 3.0: not rebuildable from an index: built from a local folder or file",
        "# not from an index: from a repository",
        "forked @ git+https://github.com/o/forked.git@a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        "idna==3.7",
        "# not from an index: from an address",
        "linked @ https://host.example/linked-4.0-py3-none-any.whl",
        "# mine 0.1: not rebuildable from an index: an editable install",
        "private-thing-nobody-has==1.0",
        "six==1.16.0",
    ]


def test_only_what_the_model_needs_where_that_was_found_out() -> None:
    """A service installs seven packages rather than two hundred; guessing which is not on offer."""
    lines = export.requirements(recorded(*EVERY_ORIGIN), needed_only=True).splitlines()
    assert [line for line in lines if line[0] != "#"] == ["six==1.16.0"]

    with pytest.raises(BadInputError, match="was not found out"):
        export.requirements(recorded(Distribution(name="six", version="1.16.0")), needed_only=True)


@needs_uv
@pytest.mark.parametrize("tool_name", ["uv", "pip"])
def test_pip_and_uv_take_the_requirements_of_this_environment(tool_name: str, tmp_path: Path) -> None:
    """All that is installed here is found to be installed: nothing would change."""
    environment = capture_environment(Redactor())
    here = [each for each in environment.distributions if each.origin == "index"]
    (tmp_path / "requirements.txt").write_text(export.requirements(recorded(*here)))

    if tool_name == "uv":
        said = tool(str(UV), "pip", "install", "--dry-run", "--no-deps", "--offline", "--python", sys.executable,
                    "-r", "requirements.txt", cwd=tmp_path)  # fmt: skip
        assert "Would make no changes" in said
    else:
        said = tool(sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index",
                    "-r", "requirements.txt", cwd=tmp_path)  # fmt: skip
        assert said.count("Requirement already satisfied") == len(here)
        assert "Would install" not in said


@needs_uv
@pytest.mark.usefixtures("index")
def test_uv_takes_the_lock_and_would_install_exactly_what_was_recorded(tmp_path: Path) -> None:
    """A lock that no tool accepts is a text about a lock."""
    found = [
        each for each in EVERY_ORIGIN if each.name in ("six", "idna", "mine", "private-thing-nobody-has")
    ]
    lock = export.pylock(recorded(*found))
    (tmp_path / "pylock.toml").write_text(lock)
    tool(str(UV), "venv", "--quiet", "--python", sys.executable, "venv", cwd=tmp_path)

    said = tool(
        str(UV), "pip", "sync", "--dry-run", "--python", "venv/bin/python", "pylock.toml", cwd=tmp_path
    )

    assert sorted(re.findall(r"(?m)^ \+ (\S+)$", said)) == ["idna==3.7", "six==1.16.0"]
    assert "# mine 0.1: not rebuildable from an index: an editable install\n" in lock
    assert "# private-thing-nobody-has 1.0: the index has no such version\n" in lock
    parsed = tomllib.loads(lock)
    assert (parsed["lock-version"], parsed["requires-python"]) == ("1.0", "==3.11.*")
    assert all(wheel["hashes"] for package in parsed["packages"] for wheel in package["wheels"])


def test_a_lock_names_repositories_and_archives_as_the_standard_does() -> None:
    """Commit and digest are what makes these exact; no index has to be asked for them."""
    lock = tomllib.loads(
        export.pylock(recorded(*(each for each in EVERY_ORIGIN if each.name in ("forked", "linked"))))
    )

    forked, linked = lock["packages"]
    assert forked["vcs"] == {
        "type": "git",
        "url": "https://github.com/o/forked.git",
        "commit-id": "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
    }
    assert linked["archive"] == {
        "url": "https://host.example/linked-4.0-py3-none-any.whl",
        "hashes": {"sha256": "ab" * 32},
    }


def test_a_lock_without_uv_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lock without digests would be refused by every tool, so none is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(CannotLoadError) as caught:
        export.pylock(recorded(EVERY_ORIGIN[0]))

    assert caught.value.hint == "pip install uv, or format='requirements'"


def test_conda_yaml_has_condas_packages_exactly_and_pips_below() -> None:
    """Conda's build of numpy is not the wheel of the same version."""
    environment = recorded(
        Distribution(name="numpy", version="2.4.6", origin="conda"),
        *EVERY_ORIGIN[:3],
        conda=["conda-forge::numpy=2.4.6=py311_0", "conda-forge::openssl=3.3.1=h4ab18f5_0"],
    )

    assert export.conda(environment) == (
        "# recorded by nbreg on cpython 3.11.7, Linux x86_64\n"
        "name: nbreg\n"
        "channels:\n"
        "  - conda-forge\n"
        "dependencies:\n"
        "  - conda-forge::numpy=2.4.6=py311_0\n"
        "  - conda-forge::openssl=3.3.1=h4ab18f5_0\n"
        "  - pip:\n"
        "      - idna==3.7\n"
        "      # mine 0.1: not rebuildable from an index: an editable install\n"
        "      - six==1.16.0\n"
    )


def test_conda_yaml_is_yaml_and_says_what_it_should() -> None:
    """Requirements hold colons and signs that YAML has its own opinion of."""
    yaml = pytest.importorskip("yaml")

    parsed = yaml.safe_load(export.conda(recorded(*EVERY_ORIGIN)))

    python, pip, below = parsed["dependencies"]
    assert (python, pip, parsed["channels"]) == ("python=3.11.7", "pip", ["conda-forge"])
    assert below["pip"] == [
        "forked @ git+https://github.com/o/forked.git@a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        "idna==3.7",
        "linked @ https://host.example/linked-4.0-py3-none-any.whl",
        "private-thing-nobody-has==1.0",
        "six==1.16.0",
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        Distribution(name="a\n--index-url https://evil.example", version="1", origin="index"),
        Distribution(name="a", version='1" ; rm -rf ~ ; "', origin="index"),
        Distribution(name="a", version="1", origin="vcs", url="git+https://x/$(id)", commit="abcdef0"),
        Distribution(name="a", version="1", origin="vcs", url="git+https://x/r", commit="main\n-e ."),
    ],
    ids=["name", "version", "address", "commit"],
)
def test_a_hostile_record_reaches_no_line_that_a_tool_acts_on(hostile: Distribution) -> None:
    """A registry may be somebody else's; its words are pasted into a shell."""
    environment = recorded(hostile)

    for text in (export.requirements(environment), export.pylock(environment), export.conda(environment)):
        acting = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        assert not re.search(r"evil|rm -rf|\$\(|-e \.", "\n".join(acting))
    needed = recorded(msgspec.structs.replace(hostile, needed=True))
    assert [each.install for each in drift(needed, recorded())][:1] == [""]


def test_a_version_exports_its_environment_and_overwrites_nothing(tmp_path: Path) -> None:
    """The file may be the project's own `requirements.txt`."""
    version = Registry(tmp_path / "registry").register("churn", {"threshold": 0.5})
    target = tmp_path / "requirements.txt"

    assert version.export_environment(target) == target
    assert target.read_text() == export.requirements(version.environment)
    target.write_text("mine\n")
    with pytest.raises(ConflictError, match="is there already"):
        version.export_environment(target)
    assert target.read_text() == "mine\n"
    version.export_environment(target, "conda", overwrite=True)
    assert target.read_text().startswith("# recorded by nbreg")
    with pytest.raises(BadInputError) as caught:
        version.export_environment(tmp_path / "x", "poetry")
    assert caught.value.hint == "one of requirements, pylock, conda"
    assert version.export_environment(tmp_path / "not" / "yet" / "x").is_file()
    with pytest.raises(BadInputError, match="cannot be written"):
        version.export_environment(target / "x")


# drift


def test_drift_comes_with_the_line_that_mends_it() -> None:
    """The next thing that somebody does is to copy a line; it must be there, and whole."""
    environment = recorded(*(each for each in EVERY_ORIGIN if each.name in ("six", "mine", "forked", "idna")))
    needed = [msgspec.structs.replace(each, needed=True) for each in environment.distributions]
    environment = msgspec.structs.replace(environment, distributions=needed)
    running = recorded(Distribution(name="six", version="1.15.0"), Distribution(name="idna", version="2.0"))
    running = Environment(python={"version": "3.12.0", "implementation": "cpython"},
                          distributions=running.distributions)  # fmt: skip

    table = DriftTable(drift(environment, running))

    line = (
        'pip install "forked @ git+https://github.com/o/forked.git@a94a8fe5ccb19ba61c4c0873d391e987982fbbd3" '
        '"idna==3.7" "six==1.16.0"'
    )
    assert repr(table).splitlines()[-4:] == [
        line,
        "forked: not from an index: from a repository",
        "mine: not rebuildable from an index: an editable install",
        "python: takes another interpreter",
    ]
    assert line.replace('"', "&quot;") in table._repr_mimebundle_()["text/html"]


def test_a_long_drift_is_a_line_that_can_be_read() -> None:
    """Eighty requirements in one line are no help to anybody."""
    items = [DriftItem(name=f"p{n}", recorded="1", running="2", severity="major", install=f"p{n}==1", note="odd")
             for n in range(80)]  # fmt: skip

    lines = repr(DriftTable(items)).splitlines()[-9:]

    assert lines[0].count("==") == 16
    assert lines[1] == "and 64 more: .export_environment(…) writes them all"
    assert lines[-1] == "and 74 more"


def test_no_drift_has_nothing_to_install() -> None:
    """What is as it was needs no remedy."""
    assert "pip install" not in repr(DriftTable([]))
