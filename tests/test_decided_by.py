"""How much a version decided, since when, and its newest answers; and so in its lineage.

    registry.decided_by("churn@production")       # churn@1.0.0 · 12,408 decisions since …, and a table
    nbreg decided-by churn@production             # the same in a shell

An audit asks first whether a version decided at all. That is answered at once, a million decisions later, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import run as run_child
from deciders import SMALL, decide

from nbreg import ModelVersion, Registry
from nbreg.cli import main
from nbreg.errors import BadInputError
from nbreg.records import Actor, SegmentRow, Tally
from nbreg.store import ledger, segments
from nbreg.store.ledgerlines import Begun, Decided, Deciding, encode, to_text

CHILD = """
def rule(rows):
    return [sum(row) for row in rows]
version = Registry(sys.argv[1], settings=Settings(capture=False)).get('sum@1')
"""


def rule(rows: Any) -> list[Any]:
    return [sum(row) for row in rows]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry", settings=SMALL)
    for times in (1, 2):
        registry.register("sum", rule, params={"times": times})
    yield registry
    registry.close()


@pytest.fixture
def version(registry: Registry) -> ModelVersion:
    return registry.get("sum@1")


def unsealed(registry: Registry) -> list[Path]:
    return list(registry._desk.folder.ledger.unsealed())


def test_all_decisions_of_a_version_are_counted(registry: Registry, version: ModelVersion) -> None:
    """Row by row or ten thousand at once, sealed or still being written, and nobody else's."""
    assert repr(registry.decided_by("sum@1")).startswith("sum@1.0.0 · 0 decisions")
    registry.promote("sum@1", "production")
    decide(version, 60)
    version.predict([[number, 0] for number in range(500)], request="batch")
    registry.get("sum@2").predict([[1, 1]])
    assert len(list((registry.location / "decisions" / "sealed").iterdir())) >= 1
    assert len(unsealed(registry)) == 1

    found = registry.decided_by("sum@1", limit=3)
    assert (found.tally.decisions, found.is_whole) == (560, True)
    assert [(each.request, each.rows, each.stage) for each in found.answers] == [
        ("batch", 500, "production"), ("59", 1, "production"), ("58", 1, "production"),
    ]  # fmt: skip
    assert found.tally.first <= found.answers[-1].at <= found.answers[0].at == found.tally.last
    assert registry.decided_by("sum@2").tally.decisions == 1
    assert [len(registry.decided_by("sum@1", limit=each).answers) for each in (0, 50, 100)] == [0, 50, 61]

    registry.close()
    assert Registry(registry.location).decided_by("sum@1", limit=3) == found


def test_another_process_counts_while_it_goes_on(registry: Registry, version: ModelVersion) -> None:
    """A server answers all day; what it wrote since the last look is what a look costs."""
    version.predict([[0, 0]])
    book = registry._desk.folder.ledger
    other = Registry(registry.location, actor=Actor(user="eve"))
    assert other.decided_by("sum@1").tally.decisions == 1
    counting = other._desk.folder.ledger
    before = dict(counting._counted)
    decide(version, 5)

    assert other.decided_by("sum@1").tally.decisions == 6
    (path,) = book.unsealed()
    data = path.read_bytes()
    (counted,) = counting._counted.values()
    assert counted.end == len(data) > before[path.stem].end
    told = before[path.stem]._replace(tallies={version.id: Tally(decisions=1000, first="a", last="a")})
    assert segments.counted(data, told).tallies[version.id].decisions == 1005  # of the rest alone


def test_what_is_sealed_is_counted_without_being_read(registry: Registry, version: ModelVersion) -> None:
    """A million decisions are one row of the ledger's journal; and what a policy removed was decided all the same."""
    decide(version, 100)
    registry.close()
    shutil.rmtree(registry.location / "decisions" / "sealed")

    found = Registry(registry.location).decided_by("sum@1")
    assert found.tally.decisions == 100
    assert found.answers == []
    assert len(found.unread) >= 1


def test_a_killed_process_s_decisions_are_counted(registry: Registry) -> None:
    """They are counted before its file is sealed, by whoever comes next, and no more after."""
    run_child(CHILD + "version.predict([[i, 1] for i in range(7)])\nos._exit(0)", registry.location)
    assert len(unsealed(registry)) == 1
    assert registry.decided_by("sum@1").tally.decisions == 7

    registry.verify(repair=True)
    assert unsealed(registry) == []
    found = registry.decided_by("sum@1")
    assert (found.tally.decisions, [each.rows for each in found.answers]) == (7, [7])
    assert registry.verify().ok


def test_what_a_caller_writes_does_not_count(registry: Registry, version: ModelVersion) -> None:
    """The id of a request is the caller's; one that looks like the ledger's own text is one answer still."""
    version.predict([[1, 1]], request='x","v":1,"rows":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"')
    version.predict([[1, 1]], request='{"line":"decided","at":"2026-02-09T10:00:00.000000Z","v":1,"rows":""}')

    found = registry.decided_by("sum@1")
    assert found.tally.decisions == 2
    assert len(found.answers) == 2
    assert segments.counted(unsealed(registry)[0].read_bytes()).tallies[version.id].decisions == 2


def test_a_file_that_names_no_version_counts_for_none() -> None:
    """Whoever can write into the folder cannot make rows of any name; half a line is none."""
    me = Actor(user="ada")
    lines = [
        encode(Begun(id="0" * 32, registry="r", key="k", at="2026-02-09T10:00:00.000000Z")),
        encode(Deciding(v=1, model="m", number=1, id="../../evil", by=me)),
        encode(Decided(at="2026-02-09T10:00:00.000000Z", v=1, rows=to_text(bytes(15)))),
        encode(Decided(at="2026-02-09T10:00:00.000000Z", v=2, rows=to_text(bytes(15)))),
    ]
    assert segments.counted(b"\n".join(lines) + b"\n").tallies == {}
    named = encode(Deciding(v=2, model="m", number=1, id="a" * 64, by=me))
    whole = b"\n".join([lines[0], named, lines[3]]) + b"\n"
    assert segments.counted(whole + lines[3]).tallies["a" * 64].decisions == 1


def test_a_question_has_a_bound_and_says_so(
    registry: Registry, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred servers at once: each question counts so much, says `at least`, and the next one goes on."""
    version.predict([[0, 0]])
    room = unsealed(registry)[0].stat().st_size
    monkeypatch.setattr(ledger, "MOST_COUNTED", room)
    decide(version, 8)
    other = Registry(registry.location)
    first = other.decided_by("sum@1")
    assert not first.is_whole
    assert repr(first).startswith(f"sum@1.0.0 · at least {first.tally.decisions} decision")
    assert 1 <= first.tally.decisions < 9

    for _ in range(20):
        last = other.decided_by("sum@1")
    assert (last.tally.decisions, last.is_whole) == (9, True)


def test_answers_are_found_in_files_that_have_no_tallies(registry: Registry, version: ModelVersion) -> None:
    """A file that an earlier build sealed is looked into."""
    version.predict([[0, 0]], request="early")
    registry.close()
    book = registry._desk.folder.ledger
    (row,) = book.rows()
    assert row.tallies[version.id].decisions == 1
    with book.database.transaction("sealed", by=registry.actor):
        old = {each: getattr(row, each) for each in SegmentRow.__struct_fields__ if each != "tallies"}
        book.database.put("segments", row.id, SegmentRow(**old))

    assert [each.request for each in registry.decided_by("sum@1").answers] == ["early"]


@pytest.mark.parametrize("limit", [-1, 10_001, True, "5", 1.5])
def test_a_limit_that_is_none_is_refused(registry: Registry, limit: Any) -> None:
    """Before anything is read."""
    with pytest.raises(BadInputError, match="limit is a whole number from 0 to 10,000"):
        registry.decided_by("sum@1", limit=limit)


def test_decisions_end_a_lineage(registry: Registry, version: ModelVersion) -> None:
    """From the data to what came of it: a version that never decided has no such node."""
    assert registry.lineage("sum@1").of_kind("decisions") == []
    decide(version, 3)
    lineage = registry.lineage("sum@1")

    (node,) = lineage.of_kind("decisions")
    first = registry.decided_by("sum@1").tally.first[:10]
    assert (node.label, node.note) == ("3 decisions", f"since {first}")
    assert node.ref == f"sum@sha256:{version.id}"
    assert [(e.source, e.kind) for e in lineage.edges if e.target == node.id] == [
        (lineage.of_kind("version")[0].id, "decided")
    ]
    assert "decided" in repr(lineage)
    assert registry.lineage("sum@2").of_kind("decisions") == []


def test_a_damaged_ledger_takes_nothing_else_away(registry: Registry, version: ModelVersion) -> None:
    """`verify` says what is wrong with it; where the version comes from is known all the same."""
    decide(version, 3)
    registry.close()
    journal = registry.location / "decisions" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"decisions":3', b'"decisions":4'))

    again = Registry(registry.location)
    assert again.lineage("sum@1").of_kind("version")
    assert not again.verify().ok


def test_a_shell_tells_the_same(
    registry: Registry, version: ModelVersion, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    """For whoever has no notebook: as a table, and as JSON for the next tool."""
    decide(version, 3)
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))
    assert main(["decided-by", "sum@1", "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sum@1.0.0 · 3 decisions since ")
    assert len(out.splitlines()) == 4

    assert main(["decided-by", "sum@1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["tally"]["decisions"], [each["request"] for each in told["answers"]]) == (3, ["2", "1", "0"])
