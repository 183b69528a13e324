"""The frontend's view of the server: types, table and saved answers are those of this code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import wire

from nbreg.server import contract
from nbreg.server.answering import full
from nbreg.server.replies import VersionItem
from nbreg.server.routes import ROUTES, Route

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = (ROOT / "labextension" / "src" / "contract.ts").read_text()


def test_the_types_of_the_frontend_are_those_of_the_server() -> None:
    """A field that one side renamed is found here, not in a browser."""
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "contract.py", "--check"], capture_output=True, text=True
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_saved_answers_are_those_that_the_server_gives(tmp_path: Path) -> None:
    """The tests in TypeScript read these files: invented ones would be green while the wire differs."""
    # In a process of its own: what others have imported into this one is part of what a version captures.
    subprocess.run([sys.executable, wire.__file__, tmp_path / "wire"], check=True)
    made = {path.stem: path.read_bytes() for path in (tmp_path / "wire").glob("*.json")}
    saved = {path.stem: path.read_bytes() for path in wire.FOLDER.glob("*.json")}

    assert made.keys() == saved.keys(), wire.COMMAND
    for name, data in made.items():
        assert data.decode() == saved[name].decode(), f"{name} is not up to date: {wire.COMMAND}"


def test_the_saved_answers_are_good_ones() -> None:
    """Each is what it is there to show, and names nobody's machine."""
    for path in wire.FOLDER.glob("*.json"):
        saved = json.loads(path.read_text())
        refused = path.stem.startswith("refused-")
        assert (saved["status"] == 200) is not refused, path.name
        if refused:
            assert path.stem == f"refused-{saved['answer']['code']}"
    everything = "".join(path.read_text() for path in wire.FOLDER.glob("*.json"))
    assert not re.search(r"/(home|Users|tmp|root)/(?!project)", everything.replace("/srv/", ""))


@pytest.mark.parametrize(
    "route", [each for each in ROUTES if not each.is_download], ids=lambda each: each.path
)
def test_an_answer_has_every_field_that_its_type_promises(route: Route) -> None:
    """On disk empty fields are left out; on the wire TypeScript may count on each."""
    path = wire.FOLDER / f"{route.path.replace('/', '-')}.json"
    if not path.exists():
        assert route.path.endswith("-run")  # they answer with what `run` answers
        return

    answered = json.loads(path.read_text())["answer"]
    each = answered[0] if isinstance(answered, list) else answered
    kind = getattr(route.gives, "__args__", [route.gives])[0]
    optional = {field.name for field in contract.fields(kind) if field.may_miss}

    assert {field.name for field in contract.fields(kind)} - optional <= set(each)
    msgspec.convert(answered, route.gives)


def test_records_within_records_are_whole_as_well() -> None:
    """A version in a list has its tags, also where it has none."""
    saved = json.loads((wire.FOLDER / "versions.json").read_text())["answer"]["versions"][0]

    again = json.loads(msgspec.json.encode(full(msgspec.convert(saved, VersionItem))))

    assert again == saved
    assert saved["version"]["tags"] == []


def test_the_digest_is_that_of_the_shape() -> None:
    """A frontend and a server that do not fit find out at the first question, and only then."""
    assert f"CONTRACT = '{contract.contract_digest()}'" in CONTRACT
    before = contract.contract_digest()
    contract.contract_digest.cache_clear()

    assert contract.contract_digest() == before
    assert json.loads((wire.FOLDER / "hello.json").read_text())["answer"]["contract"] == before


def test_another_field_is_another_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handshake is worth what it notices."""
    before = contract.contract_digest()
    shape = contract.fields
    more = contract.Field("surprise", "string", False)
    monkeypatch.setattr(contract, "fields", lambda record: [*shape(record), more])
    contract.contract_digest.cache_clear()
    try:
        assert contract.contract_digest() != before
    finally:
        contract.contract_digest.cache_clear()


def test_no_two_records_have_one_name() -> None:
    """In TypeScript there is one namespace: the second of a name would be merged into the first."""
    names = [record.__name__ for record in contract.records()]

    assert len(names) == len(set(names))


def test_every_path_is_one_verb() -> None:
    """Paths are the names by which the frontend calls."""
    paths = [route.path for route in ROUTES]

    assert len(paths) == len(set(paths))
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*(/[a-z]+)?", path) for path in paths)
    assert all(route.told.endswith(".") for route in ROUTES)
    assert all(route.fresh == "" for route in ROUTES if route.permission == "write")
