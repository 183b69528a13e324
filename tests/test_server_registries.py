"""Which registry a key leads to, and where none may lead: nothing that a client says is joined unchecked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from children import run

from nbreg import NbregError, Registry
from nbreg.errors import BadInputError, NotFoundError, ReadOnlyError, RefusedError
from nbreg.server.registries import Configured, Registries
from nbreg.settings import Settings

QUICK = Settings(capture=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A server's root: a project with a registry, and a notebook's folder in it."""
    root = tmp_path / "root"
    (root / "project" / "notebooks").mkdir(parents=True)
    (root / "project" / "notebooks" / "a.ipynb").write_text("{}")
    Registry(root / "project" / ".nbreg", settings=QUICK).init()
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the root, with a registry that is nobody's business here."""
    outside = tmp_path / "outside"
    outside.mkdir()
    Registry(outside / ".nbreg", settings=QUICK).register("secret", {"w": 1})
    return outside


def served(root: Path | None, **configured: Configured) -> Registries:
    return Registries(root, configured)


@pytest.mark.parametrize(
    "path",
    ["../outside", "..", "project/../../outside", "./project", "project//notebooks", "a\0b", "project/.."],
)
def test_no_path_leads_out_by_dots(root: Path, outside: Path, path: str) -> None:
    """`..` in a path is how servers hand out files that they were never meant to."""
    with pytest.raises(BadInputError):
        served(root).opened(f"~{path}")


@pytest.mark.parametrize("path", ["/etc", "/", "//etc/passwd"])
def test_an_absolute_path_is_one_below_the_root(root: Path, path: str) -> None:
    """The contents API begins some paths with `/`, and means the root by it."""
    try:
        location = served(root).place(f"~{path}").location
    except BadInputError:
        return
    assert location.is_relative_to(root)


def test_a_folder_that_is_a_link_out_of_the_root_is_refused(root: Path, outside: Path) -> None:
    """A link is a path, too: a folder that somebody linked in is not thereby served."""
    (root / "linked").symlink_to(outside)

    with pytest.raises(RefusedError) as caught:
        served(root).opened("~linked")

    assert "NbregServer.registries" in caught.value.hint


def test_a_registry_that_is_a_link_out_of_the_root_is_refused(root: Path, outside: Path) -> None:
    """Nor is a registry, unless whoever runs the server named it."""
    (root / "own").mkdir()
    (root / "own" / ".nbreg").symlink_to(outside / ".nbreg")

    with pytest.raises(RefusedError):
        served(root).opened("~own")

    named = served(root, shared=Configured(outside / ".nbreg", False)).opened("~own").registry
    assert [row.name for row in named.models()] == ["secret"]


def test_a_link_within_the_root_is_followed(root: Path) -> None:
    """People link folders inside of a project, and their notebooks work there."""
    (root / "short").symlink_to(root / "project" / "notebooks")

    place = served(root).place("~short")

    assert (place.key, place.location) == ("~project", root / "project" / ".nbreg")


def test_a_loop_of_links_is_no_folder(root: Path) -> None:
    """A link to itself ends no server."""
    (root / "loop").symlink_to(root / "loop")

    with pytest.raises(NbregError):
        served(root).opened("~loop/a.ipynb")


@pytest.mark.parametrize(
    "near", ["project", "project/notebooks", "project/notebooks/a.ipynb", "project/notebooks/not-yet.ipynb"]
)
def test_a_notebook_has_the_registry_of_its_kernel(root: Path, near: str) -> None:
    """Kernel and sidebar look for it by the same rule, from the same folder."""
    folder = root / near if (root / near).is_dir() else (root / near).parent
    kernels = run("print(Registry().location)", cwd=folder).strip()

    place = served(root).place(f"~{near}")

    assert str(place.location) == kernels
    assert place.key == "~project"


def test_a_registry_above_the_root_is_found_as_a_kernel_finds_it(root: Path) -> None:
    """Whoever starts JupyterLab in `notebooks/` has the project's registry there, too."""
    place = served(root / "project" / "notebooks").place("~")

    assert (place.key, place.location) == ("~", root / "project" / ".nbreg")


def test_a_registry_that_the_environment_names_is_that_of_every_folder(
    root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels have the server's environment: `$NBREG_REGISTRY` is theirs."""
    monkeypatch.setenv("NBREG_REGISTRY", str(outside / ".nbreg"))

    assert served(root).place("~project").location == outside / ".nbreg"
    assert served(root).place("~project").key == "~"


def test_an_unknown_name_is_told_with_what_there_is(root: Path) -> None:
    """A slip of the pen is no empty list."""
    with pytest.raises(NotFoundError) as caught:
        served(root, team=Configured(root / "team", False)).opened("taem")

    assert caught.value.hint == "did you mean 'team'?"


def test_a_name_is_no_path(root: Path, outside: Path) -> None:
    """A key that is a path opens nothing, wherever it leads."""
    for key in (str(outside), f"{outside}/.nbreg", "../outside", ""):
        with pytest.raises(NotFoundError):
            served(root).opened(key)


def test_without_a_folder_of_notebooks_only_names_lead_anywhere(root: Path) -> None:
    """Some servers keep notebooks in a database: then there is no folder to look in."""
    registries = served(None, team=Configured(root / "project", False))

    assert [each.key for each in registries.list()] == ["team"]
    with pytest.raises(NotFoundError):
        registries.opened("~")


def test_reading_makes_nothing(root: Path) -> None:
    """To open a sidebar on a folder leaves no `.nbreg` in it."""
    (root / "empty").mkdir()

    info = served(root).list("empty")[0]

    assert (info.exists, info.writable, os.listdir(root / "empty")) == (False, True, [])


def test_a_server_that_only_reads_refuses_before_it_writes(root: Path) -> None:
    """Also in the registry of a notebook's folder, where the user may write."""
    registries = Registries(root, {}, read_only=True)

    with pytest.raises(ReadOnlyError):
        registries.to_write("~project")
    assert registries.opened("~project").registry.models() == []
    assert not registries.list("project")[0].writable


def test_what_cannot_be_opened_is_listed_with_why(root: Path, tmp_path: Path) -> None:
    """One broken registry takes no other away."""
    (tmp_path / "newer").mkdir()
    newer = Registry(tmp_path / "newer" / ".nbreg", settings=QUICK)
    newer.init()
    (newer.location / "registry.jsonl").write_text("not a journal\n")

    listed = served(root, newer=Configured(newer.location, False)).list()

    assert [(each.key, each.writable) for each in listed] == [("~", True), ("newer", False)]
    assert listed[1].why


def test_many_registries_keep_few_open(tmp_path: Path) -> None:
    """Somebody who opens a hundred notebooks keeps no hundred registries in the server's memory."""
    for number in range(40):
        Registry(tmp_path / str(number) / ".nbreg", settings=QUICK).register("churn", {"w": number})
    registries = served(tmp_path)

    for _ in range(2):
        for number in range(40):
            registry = registries.opened(f"~{number}").registry
            assert registry.get("churn@1").row.number == 1

    assert len(registries._open) <= 16
