"""A model's history page by page, and what may happen to a version next.

A face asks for a page of the timeline and goes on from its `rest`; it asks what moves a version may
make, shows what each would do, and gives the one that was chosen back as `expect`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nbreg import Registry
from nbreg.errors import BadInputError, BadQueryError, ConflictError, UnknownModelError, UnknownStageError
from nbreg.records import Move
from nbreg.store.journal import Journal


@pytest.fixture
def grown(registry: Registry) -> Registry:
    """Five versions; 1.0.0 held production, then 1.1.0 does."""
    for value in (1, 2, 3):
        registry.register("churn", {"w": value}, metrics={"auc": value / 10})
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "production", reason="Better")
    for value in (4, 5):
        registry.register("churn", {"w": value}, metrics={"auc": value / 10})
    return registry


def numbers(registry: Registry, **options: object) -> list[tuple[str, int | None]]:
    page = registry.timeline("churn", **options)  # type: ignore[arg-type]
    return [(each.event.kind, each.event.number) for each in page.items]


def test_pages_follow_on_each_other(grown: Registry) -> None:
    """Turning pages shows every line once, also while somebody writes new ones."""
    seen, rest = [], 0
    while True:
        page = grown.timeline("churn", before=rest, limit=3)
        seen += [each.event.seq for each in page.items]
        grown.update("churn@1", tags=[f"t{len(seen)}"])
        rest = page.rest
        if not rest:
            break

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_shows_versions_as_they_are_now(grown: Registry) -> None:
    """The line that registered a version says in which stage that is today."""
    first = grown.timeline("churn").items[-1]

    assert (first.event.kind, first.version and first.version.stage) == ("registered", "archived")


def test_a_query_chooses_by_version(grown: Registry) -> None:
    """All that happened to the versions that are meant, and to no others."""
    assert numbers(grown, query="metrics.auc == 0.2") == [("promoted", 2), ("registered", 2)]
    assert numbers(grown, query="stage == 'production'", limit=1) == [("promoted", 2)]
    assert numbers(grown, without=["registered"]) == [("promoted", 2), ("promoted", 1)]
    with pytest.raises(BadQueryError):
        grown.timeline("churn", "auc >")
    with pytest.raises(UnknownModelError):
        grown.timeline("chrun")
    with pytest.raises(BadInputError):
        grown.timeline("churn", limit=-1)


def test_a_version_has_its_own_lines(grown: Registry) -> None:
    """What happened to one version, the promotion that put it aside among it, without reading the others'."""
    assert numbers(grown, number=1) == [("promoted", 2), ("promoted", 1), ("registered", 1)]
    assert grown.timeline("churn", number=1, limit=1).rest == 5
    assert numbers(grown, number=1, before=5) == [("promoted", 1), ("registered", 1)]


def test_who_held_production_when(grown: Registry) -> None:
    """A plot draws the line of production from these; they join without gaps."""
    grown.rollback("churn")
    held = grown.tenures("churn")

    assert [(each.name, each.since, each.until) for each in held] == [
        ("1.0.0", 8, None),
        ("1.1.0", 5, 8),
        ("1.0.0", 4, 5),
    ]
    assert [each.name for each in grown.tenures("churn", since=6)] == ["1.0.0", "1.1.0"]
    grown.retire("churn@production")
    assert grown.tenures("churn")[0].until == 9
    with pytest.raises(UnknownStageError):
        grown.tenures("churn", "archived")


def test_versions_know_the_line_they_came_with(grown: Registry) -> None:
    """Versions and tenures stand on one axis: the lines of the journal."""
    assert [(each.version.number, each.seq) for each in grown.registered("churn", limit=3)] == [
        (3, 3),
        (4, 6),
        (5, 7),
    ]


def test_every_write_is_seen_cheaply(grown: Registry) -> None:
    """A panel looks every second or two; it reads the journal only when there is something new."""
    before = grown.seen("churn")
    grown.versions("churn")
    assert grown.seen("churn") == before

    Registry(grown.location).update("churn@1", tags=["t"])
    assert grown.seen("churn") != before
    assert grown.seen("none") == (0, 0, 0)


def test_a_version_tells_of_itself_without_reading_of_the_others(
    grown: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version's events cost what happened since it came to be, and its evidence what was found out."""
    grown.set_alias("churn@5", "champion")
    version = grown.get("churn@5")
    version.update(tags=["t"])
    read: list[int] = []
    line = Journal.line
    monkeypatch.setattr(Journal, "line", lambda self, index: read.append(index) or line(self, index))

    told = version.events
    assert [each.kind for each in told] == ["updated", "alias-set", "registered"]
    assert told == [each for each in grown.events("churn") if each.number == 5]
    read.clear()
    assert len(version.events) == 3
    assert min(read) >= told[-1].seq - 1
    read.clear()
    assert version.evidence == []
    assert len(read) <= 1, "the version's own row"


# what may be done next


def said(move: Move) -> tuple[str, int, str, int | None]:
    return (move.kind, move.number, move.to, move.displaced)


def test_moves_are_those_that_would_be_accepted(grown: Registry) -> None:
    """A button is there exactly if pressing it works: each one is tried on a registry of its own."""
    moves = grown.moves("churn@2")
    assert [said(each) for each in moves] == [
        ("retired", 2, "none", None),
        ("retired", 2, "development", None),
        ("retired", 2, "candidate", None),
        ("retired", 2, "staging", None),
        ("retired", 2, "archived", None),
        ("rolled-back", 1, "production", 2),
    ]
    assert [said(each) for each in grown.moves("churn@3")] == [
        ("promoted", 3, "development", None),
        ("promoted", 3, "candidate", None),
        ("promoted", 3, "staging", None),
        ("promoted", 3, "production", 2),
        ("retired", 3, "archived", None),
    ]


def test_a_move_is_done_as_it_was_foreseen(grown: Registry) -> None:
    """What the preview said is what happens, the displaced version included."""
    [move] = [each for each in grown.moves("churn@3") if each.to == "production"]
    grown.promote("churn@3", "production", expect=move)
    assert (grown.get("churn@production").number, grown.get("churn@2").stage) == (3, "archived")

    [back] = [each for each in grown.moves("churn@3") if each.kind == "rolled-back"]
    assert said(back) == ("rolled-back", 2, "production", 3)
    grown.rollback("churn", expect=back)
    assert (grown.get("churn@production").number, grown.get("churn@3").stage) == (2, "archived")


def test_a_move_that_would_do_something_else_is_refused(grown: Registry, tmp_path: Path) -> None:
    """Between looking and pressing somebody was faster: nothing is written, and it says who did what."""
    promote = next(each for each in grown.moves("churn@3") if each.to == "production")
    retire = next(each for each in grown.moves("churn@3") if each.kind == "retired")
    back = next(each for each in grown.moves("churn@2") if each.kind == "rolled-back")
    Registry(grown.location).promote("churn@4", "production")
    Registry(grown.location).promote("churn@3", "staging")
    lines = len(grown.events("churn"))

    with pytest.raises(ConflictError, match=r"churn@1.2.0 is in staging by now, not in none \(ada\)"):
        grown.promote("churn@3", "production", expect=promote)
    with pytest.raises(ConflictError, match="is in staging by now"):
        grown.retire("churn@3", expect=retire)
    with pytest.raises(ConflictError, match=r"production would go back to churn@1.1.0 by now"):
        grown.rollback("churn", expect=back)
    held = next(each for each in grown.moves("churn@3") if each.to == "production")
    Registry(grown.location).promote("churn@5", "production")
    with pytest.raises(ConflictError, match=r"production of churn is held by 1.4.0 by now, not by 1.3.0"):
        grown.promote("churn@3", "production", expect=held)

    assert len(grown.events("churn")) == lines + 1
    assert grown.get("churn@production").number == 5


def test_what_was_foreseen_of_another_move_is_no_permission_for_this_one(grown: Registry) -> None:
    """Done as it was shown, or not at all: another stage or another version was not shown."""
    production = next(each for each in grown.moves("churn@3") if each.to == "production")
    retire = next(each for each in grown.moves("churn@3") if each.kind == "retired")
    lines = len(grown.events("churn"))

    for act in (
        lambda: grown.promote("churn@3", "staging", expect=production),
        lambda: grown.promote("churn@4", "production", expect=production),
        lambda: grown.retire("churn@2", expect=retire),
        lambda: grown.rollback("churn", expect=production),
    ):
        with pytest.raises(BadInputError, match="expect is another move: churn@3"):
            act()

    assert len(grown.events("churn")) == lines


def test_what_was_done_already_is_no_news(grown: Registry) -> None:
    """The same move made twice from two windows is made once; the second is told that it was late."""
    move = next(each for each in grown.moves("churn@3") if each.to == "staging")
    grown.promote("churn@3", "staging", expect=move)
    with pytest.raises(ConflictError, match="is in staging by now"):
        grown.promote("churn@3", "staging", expect=move)
    grown.promote("churn@3", "staging")  # without, it is as ever: there is nothing to do
