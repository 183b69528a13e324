"""What is installed is read from the folders that installers leave, and is never out of date."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import pytest

from nbreg.capture.secrets import Redactor
from nbreg.capture.surroundings.distributions import Installed, normal_name, read_listing, signature
from nbreg.capture.surroundings.environment import (
    capture_environment,
    drift,
    environment_summary,
    warm_up_in_background,
)
from nbreg.capture.surroundings.numerics import accelerators
from nbreg.records import Distribution, Environment, canonical


def install(
    site: Path, name: str, version: str, *files: str, direct_url: object = None, installer: str = "pip"
) -> None:
    """What an installer leaves of a distribution."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
    if installer:
        (folder / "INSTALLER").write_text(f"{installer}\n")
    if direct_url:
        (folder / "direct_url.json").write_text(json.dumps(direct_url))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "env" / "lib" / "site-packages"
    site.mkdir(parents=True)
    return site


def listed(site: Path) -> dict[str, Installed]:
    listing = read_listing(signature([str(site)], str(site.parents[1])))
    return {each.name: each for each in listing.installed}


def test_every_origin_is_told_apart(site: Path, tmp_path: Path) -> None:
    """Only what came from an index can be installed again by name and version."""
    project = tmp_path / "my project"
    install(site, "scikit_learn", "1.9.1", "sklearn/__init__.py")
    install(
        site, "mine", "0.1", "_mine.pth", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}}
    )
    vcs = {"vcs": "git", "commit_id": "a94a8fe5", "requested_revision": "main"}
    install(
        site, "forked", "2.0", direct_url={"url": "https://bob:pw@github.com/o/forked.git", "vcs_info": vcs}
    )
    install(site, "built", "3.0", direct_url={"url": "file:///srv/built", "dir_info": {}})
    digest = {"hashes": {"sha256": "ab12"}}
    install(site, "linked", "4.0", direct_url={"url": "https://host/linked.whl", "archive_info": digest})
    install(site, "handmade", "5.0", installer="")

    found = listed(site)

    assert {name: each.origin for name, each in found.items()} == {
        "scikit-learn": "index",
        "mine": "editable",
        "forked": "vcs",
        "built": "local",
        "linked": "unknown",
        "handmade": "unknown",
    }
    assert (found["forked"].url, found["forked"].commit) == (
        "git+https://github.com/o/forked.git",
        "a94a8fe5",
    )
    assert found["linked"].commit == "sha256:ab12"
    assert found["mine"].project == str(project.resolve())


def test_what_conda_installed_is_condas_and_its_channel_carries_no_token(site: Path) -> None:
    """A conda package is not the wheel of the same version."""
    meta = site.parents[1] / "conda-meta"
    meta.mkdir()
    channel = {"build": "py_0", "channel": "https://conda.anaconda.org/t/ab-12345678/conda-forge/linux-64"}
    (meta / "numpy-2.4.6-py311_0.json").write_text(json.dumps(channel))
    (meta / "requests-2.0-py_0.json").write_text(json.dumps(channel))
    install(site, "numpy", "2.4.6", "numpy/__init__.py", installer="conda")
    install(site, "requests", "2.5", "requests/__init__.py", installer="pip")

    found = listed(site)

    assert (found["numpy"].origin, found["numpy"].url) == (
        "conda",
        "https://conda.anaconda.org/conda-forge/linux-64",
    )
    assert found["requests"].origin == "index", "pip has replaced what conda still lists"


def test_old_and_broken_folders_are_read_as_far_as_they_go(site: Path) -> None:
    """One damaged folder must not hide the other three hundred."""
    (site / "legacy-1.2-py3.11.egg-info").mkdir()
    (site / "legacy-1.2-py3.11.egg-info" / "top_level.txt").write_text("legacy\n")
    (site / "develop.egg-info").mkdir()
    (site / "develop.egg-info" / "PKG-INFO").write_text("Name: develop\nVersion: 0.3\n")
    (site / "~umpy-1.0.dist-info").mkdir()
    install(site, "broken", "1.0", installer="pip")
    (site / "broken-1.0.dist-info" / "direct_url.json").write_text("{not json")

    found = listed(site)

    assert {name: each.version for name, each in found.items()} == {
        "legacy": "1.2",
        "develop": "0.3",
        "broken": "1.0",
    }
    assert found["legacy"].tops == {"legacy"}


def test_imported_are_those_whose_modules_are_loaded(site: Path, tmp_path: Path) -> None:
    """What was merely installed cannot have made the model; namespace packages are told apart below the top."""
    project = tmp_path / "project"
    install(site, "scikit_learn", "1.9.1", "sklearn/__init__.py", "sklearn/svm/__init__.py")
    install(site, "six", "1.17", "six.py")
    install(site, "cffi_like", "1.0", "_cffi_like.cpython-311-x86_64-linux-gnu.so")
    install(site, "google_auth", "2.0", "google/auth/__init__.py")
    install(site, "google_storage", "3.0", "google/cloud/storage/__init__.py")
    install(site, "unused", "1.0", "unused/__init__.py")
    install(site, "mine", "0.1", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}})
    install(
        site,
        "other",
        "0.1",
        direct_url={"url": (tmp_path / "other").as_uri(), "dir_info": {"editable": True}},
    )
    mine, nested = ModuleType("mine"), ModuleType("nested")
    mine.__file__ = str(project / "src" / "mine" / "__init__.py")
    nested.__file__ = str(tmp_path / "other" / ".venv" / "lib" / "site-packages" / "nested.py")
    names = ("sklearn", "sklearn.svm", "six", "_cffi_like", "google", "google.auth", "json")
    modules = {name: ModuleType(name) for name in names} | {"mine": mine, "nested": nested}

    listing = read_listing(signature([str(site)], str(site.parents[1])))

    assert listing.imported(modules) == {"scikit-learn", "six", "cffi-like", "google-auth", "mine"}


def test_a_module_that_runs_code_when_asked_is_not_asked(site: Path) -> None:
    """`sys.modules` holds lazy modules that would import a whole framework, and things that are no modules."""

    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    project = {"url": site.as_uri(), "dir_info": {"editable": True}}
    install(site, "mine", "0.1", direct_url=project)

    listing = read_listing(signature([str(site)], str(site.parents[1])))

    assert listing.imported({"lazy": Lazy("lazy"), "odd": object()}) == frozenset()


def test_an_install_in_a_running_kernel_is_seen(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%pip install` in the cell before is the commonest way an environment changes."""
    monkeypatch.syspath_prepend(str(site))
    before = capture_environment(Redactor())
    assert capture_environment(Redactor()) is before, "nothing changed, so nothing is read or built again"

    install(site, "nbreg_test_new", "1.0")
    after = capture_environment(Redactor())

    assert {each.name for each in after.distributions} - {each.name for each in before.distributions} == {
        "nbreg-test-new"
    }


def test_the_listing_agrees_with_importlib_metadata() -> None:
    """The short cut through folder names must give what the long way gives."""
    warm_up_in_background().join()
    slow: dict[str, str] = {}
    for each in distributions():
        slow.setdefault(normal_name(each.name), each.version)

    environment = capture_environment(Redactor())

    assert {each.name: each.version for each in environment.distributions} == slow
    assert {"pytest", "msgspec"} <= {each.name for each in environment.distributions if each.imported}
    assert "importlib.metadata" not in capture_environment.__globals__


def test_the_machine_is_described_and_only_listed_variables_are_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads and seeds change results; everything else of the environment is the user's own."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("MY_PRIVATE_SETTING", "do-not-record")

    environment = capture_environment(Redactor())

    assert environment.variables["OMP_NUM_THREADS"] == "3"
    assert b"do-not-record" not in canonical(environment)
    assert environment.python["version"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert environment.os["system"]
    assert environment.cpu["cores"] >= environment.cpu["usable"] >= 1
    summary = environment_summary(environment)
    assert summary["distributions"] >= summary["imported"] >= 1


def environment(python: str, *distributions: tuple[str, str], imported: bool = True) -> Environment:
    return Environment(
        python={"version": python, "implementation": "cpython"},
        distributions=[
            Distribution(name=name, version=version, imported=imported) for name, version in distributions
        ],
    )


def test_drift_names_the_worst_first() -> None:
    """A person reads the first line; it must be the one that breaks the load."""
    recorded = environment(
        "3.11.7", ("numpy", "1.26.4"), ("scikit-learn", "1.5.0"), ("gone", "1.0"), ("same", "1")
    )
    running = environment(
        "3.12.1", ("numpy", "2.0.0"), ("scikit_learn", "1.5.2"), ("same", "1"), ("new", "9")
    )

    items = drift(recorded, running)

    assert [(item.severity, item.name, item.recorded, item.running) for item in items] == [
        ("breaking", "gone", "1.0", "not installed"),
        ("breaking", "python", "3.11.7", "3.12.1"),
        ("major", "numpy", "1.26.4", "2.0.0"),
        ("minor", "scikit-learn", "1.5.0", "1.5.2"),
    ]


def test_what_was_merely_installed_does_not_drift() -> None:
    """Two hundred lines about packages the model never touched hide the one that matters."""
    recorded = environment("3.11.7", ("black", "24.1"), imported=False)

    assert drift(recorded, environment("3.11.7")) == []


def test_a_patch_of_python_is_minor_and_another_implementation_breaks() -> None:
    """Pickles survive 3.11.7 to 3.11.9; they need not survive CPython to PyPy."""
    recorded = environment("3.11.7")
    pypy = Environment(python={"version": "3.11.7", "implementation": "pypy"})

    assert [item.severity for item in drift(recorded, environment("3.11.9"))] == ["minor"]
    assert [(item.severity, item.running) for item in drift(recorded, pypy)] == [("breaking", "pypy 3.11.7")]


def test_what_the_model_needs_needs_its_own_requirements(site: Path) -> None:
    """A forest's predictions come from scipy and numpy as much as from scikit-learn itself."""
    install(site, "modelling", "1.0", "modelling/__init__.py")
    install(site, "sciencelike", "2.0", "sciencelike/__init__.py")
    install(site, "arrays", "3.0", "arrays/__init__.py")
    install(site, "plots", "4.0", "plots/__init__.py")
    install(site, "bystander", "5.0", "bystander/__init__.py")
    requires = {
        "modelling-1.0": ["Sciencelike>=1.0", "never_imported (>=2)", "plots; extra == 'plot'"],
        "sciencelike-2.0": ["arrays<4; python_version > '3'", "modelling"],
    }
    for name, lines in requires.items():
        headers = "".join(f"Requires-Dist: {line}\n" for line in lines)
        (site / f"{name}.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: x\n{headers}\nRequires-Dist: bystander\n"
        )
    listing = read_listing(signature([str(site)], str(site.parents[1])))
    imported = ("modelling", "sciencelike", "arrays", "plots", "bystander")

    assert listing.with_requirements(["modelling"], imported) == {"modelling", "sciencelike", "arrays"}
    assert listing.with_requirements(["bystander"], imported) == {"bystander"}


def test_condas_own_packages_are_kept_as_conda_spells_them(site: Path) -> None:
    """BLAS and CUDA come from conda without being Python packages; a build tells MKL from OpenBLAS."""
    meta = site.parents[1] / "conda-meta"
    meta.mkdir()
    channel = {"channel": "https://conda.anaconda.org/t/ab-12345678/conda-forge/linux-64"}
    (meta / "libblas-3.9.0-20_linux64_mkl.json").write_text(json.dumps(channel))
    (meta / "history").write_text("")

    listing = read_listing(signature([str(site)], str(site.parents[1])))

    assert [each.spec for each in listing.conda] == ["conda-forge::libblas=3.9.0=20_linux64_mkl"]


NUMERICS = """
import json, sys
from nbreg.capture.surroundings.numerics import numerics
before = numerics()
modules = set(sys.modules)
assert "numpy" not in modules and "ctypes" not in modules
import numpy, sklearn.svm
loaded = set(sys.modules)
found = numerics()
assert set(sys.modules) == loaded, set(sys.modules) - loaded
from threadpoolctl import threadpool_info, threadpool_limits
with threadpool_limits(1):
    limited = numerics()
told = [[each["user_api"], each["num_threads"], each["filepath"].rpartition("/")[2]] for each in threadpool_info()]
print(json.dumps([before, found, limited, told]))
"""


def test_numerical_libraries_are_those_that_threadpoolctl_finds() -> None:
    """The same model fitted with another BLAS or thread count differs in its last digits."""
    done = subprocess.run([sys.executable, "-c", NUMERICS], stdout=subprocess.PIPE, text=True, check=True)
    before, found, limited, told = json.loads(done.stdout)

    assert before == {}, "nothing is imported to find out"
    mine = [[each["api"], each["threads"], each["file"]] for each in found["libraries"]]
    assert sorted(mine) == sorted(told)
    assert {each["threads"] for each in limited["libraries"]} == {1}
    assert any(each["name"] == "openblas" and each["version"][:2] == "0." for each in found["libraries"])


def test_devices_are_read_from_the_drivers_files(tmp_path: Path) -> None:
    """Asking CUDA itself would take memory on the device and break a later fork."""
    (tmp_path / "gpus" / "0000:65:00.0").mkdir(parents=True)
    (tmp_path / "gpus" / "0000:65:00.0" / "information").write_text(
        "Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ:   \t\t 117\n"
    )
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5\n"
    )

    devices = [each for each in accelerators(str(tmp_path)) if each["kind"] == "cuda"]

    assert devices == [{"kind": "cuda", "name": "NVIDIA A100-SXM4-80GB", "driver": "550.54.15"}]
    assert [each for each in accelerators(str(tmp_path / "none")) if each["kind"] == "cuda"] == []
