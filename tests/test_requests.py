"""Requests: one person asks that a version come into a stage, others approve or reject it.

`request = registry.request("churn@2", "production", message="lift 3 %")`, and somebody else's
`registry.approve(request)` promotes it, if all gates of the stage are passed. `approved(2)` as a
gate wants two of them. All of it stands in the model's journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from children import together

import nbreg
from nbreg import Registry
from nbreg.errors import (
    BadInputError,
    BadReferenceError,
    ConflictError,
    GateRefusedError,
    GateUnavailableError,
    NameTakenError,
    NbregError,
    RefusedError,
    StaleRequestError,
    TransitionError,
    UnknownModelError,
    UnknownRequestError,
    UnknownVersionError,
)
from nbreg.records import Actor
from nbreg.registry.stages import gatefunctions
from nbreg.settings import Settings

QUICK = Settings(capture=False)

As = Callable[[str], Registry]


@pytest.fixture
def acting(tmp_path: Path) -> As:
    """One registry with two versions, opened by whoever is named."""

    def opened(user: str) -> Registry:
        return Registry(tmp_path / "r", settings=QUICK, actor=Actor(user=user))

    ada = opened("ada")
    ada.register("churn", 1, metrics={"auc": 0.9})
    ada.register("churn", 2, metrics={"auc": 0.8})
    return opened


@pytest.fixture(autouse=True)
def _no_functions() -> Iterator[None]:
    yield
    gatefunctions._declared.clear()


def kinds(registry: Registry) -> list[str]:
    return [event.kind for event in registry.events("churn")]


def test_one_asks_and_another_approves(acting: As) -> None:
    """Nothing moves before, and who said yes stands in the line that moves it."""
    ada, bob = acting("ada"), acting("bob")
    asked = ada.request("churn@2", "production", reason="ABTest", message="lift 3 %")
    assert (asked.id, asked.ref, asked.to, asked.by, asked.state) == (
        "churn:r1", "churn@1.1.0", "production", "ada", "open",
    )  # fmt: skip
    assert asked.needs == ["approval by somebody else"]
    assert ada.get("churn@2").stage == "none"
    assert [each.id for each in bob.requests(state="open")] == ["churn:r1"]

    done = bob.approve("churn:r1", message="looked at the rows")
    assert (done.state, [each.by for each in done.approvals]) == ("promoted", ["bob"])
    assert done.closed is not None
    assert (done.closed.by, done.approvals[0].message) == ("bob", "looked at the rows")
    event = bob.events("churn")[0]
    assert (event.kind, event.by.user, event.reason, event.message) == (
        "promoted", "bob", "ABTest", "looked at the rows",
    )  # fmt: skip
    assert (event.facts["request"], event.facts["approved_by"], event.facts["stage"]) == (
        1,
        ["bob"],
        "production",
    )
    assert bob.get("churn@production").number == 2
    assert (bob.requests(state="open"), [each.state for each in bob.requests("churn")]) == ([], ["promoted"])
    assert bob.verify().ok


def test_nobody_approves_what_they_asked_for(acting: As) -> None:
    """Four eyes are not two eyes twice."""
    ada, bob = acting("ada"), acting("bob")
    asked = ada.request("churn@2", "production")
    for call in (lambda: ada.approve(asked), lambda: ada.reject(asked), lambda: bob.withdraw(asked)):
        with pytest.raises(RefusedError):
            call()
    assert kinds(ada)[0] == "requested"
    assert ada.withdraw(asked, message="not yet").state == "withdrawn"
    with pytest.raises(ConflictError, match="was withdrawn by ada"):
        bob.approve(asked)


def test_approvals_are_counted_by_who_gave_them(acting: As) -> None:
    """`approved(2)` is two others, each once, and the one who asked is none of them."""
    ada, bob, eve = acting("ada"), acting("bob"), acting("eve")
    ada.require("churn", "production", "approved(2)")
    with pytest.raises(GateRefusedError) as caught:
        bob.promote("churn@2", "production")
    assert "registry.request('churn@1.1.0', 'production')" in caught.value.hint
    asked = ada.request("churn@2", "production")
    assert asked.needs == ["approved(2) (nobody has so far)"]
    once = bob.approve(asked)
    assert (once.state, once.needs) == ("open", ["approved(2) (1 of 2 so far)"])
    before = len(kinds(ada))
    assert bob.approve(asked).needs == once.needs
    assert len(kinds(ada)) == before, "the same yes again writes nothing"
    with pytest.raises(GateRefusedError):
        ada.promote("churn@2", "production")
    assert eve.approve(asked).state == "promoted"
    assert kinds(ada)[:3] == ["promoted", "approved", "requested"]
    (gate,) = ada.events("churn")[0].facts["gates"]
    assert gate["saw"] == {"by": ["bob", "eve"]}


def test_an_approval_waits_for_the_other_gates(acting: As) -> None:
    """The yes is kept; what is missing is said; and whoever repairs it promotes."""
    ada, bob = acting("ada"), acting("bob")
    ada.require("churn", "production", "metrics.f1 > 0.7", "approved(1)")
    asked = ada.request("churn@2", "production")
    waits = bob.approve(asked)
    assert (waits.state, waits.needs) == ("open", ["metrics.f1 > 0.7 (metrics.f1 is not there)"])
    ada.update("churn@2", metrics={"f1": 0.9})
    assert bob.approve(asked).state == "promoted"

    asked = ada.request("churn@1", "production")
    bob.approve(asked)
    ada.update("churn@1", metrics={"f1": 0.9})
    assert ada.promote("churn@1", "production").stage == "production", "bob has said yes to it"
    assert ada.get_request(asked).state == "promoted"
    assert ada.events("churn")[0].facts["approved_by"] == ["bob"]


def test_a_gate_that_an_approver_cannot_ask_leaves_it_open(acting: As) -> None:
    """From a face without the function: the yes counts, nothing is moved, nothing is skipped."""
    ada, bob = acting("ada"), acting("bob")

    @nbreg.gate
    def strict(new: Any, old: Any, ctx: Any) -> bool:
        return True

    ada.require("churn", "production", strict, "approved(1)")
    asked = ada.request("churn@2", "production")
    known = dict(gatefunctions._declared)
    gatefunctions._declared.clear()  # another process
    waits = bob.approve(asked)
    assert waits.state == "open"
    assert "no function of that name is declared here" in waits.needs[0]
    with pytest.raises(GateUnavailableError):
        bob.promote("churn@2", "production")
    gatefunctions._declared.update(known)
    assert ada.promote("churn@2", "production").stage == "production"


def test_an_approval_does_what_was_shown_or_nothing(acting: As) -> None:
    """Whoever agreed to replace version 1 has not agreed to replace the hotfix that came meanwhile."""
    ada, bob = acting("ada"), acting("bob")
    ada.promote("churn@1", "production")
    asked = ada.request("churn@2", "production")
    shown = next(each for each in bob.moves("churn@2") if each.to == "production")
    ada.register("churn", 3)
    ada.promote("churn@3", "production")

    with pytest.raises(ConflictError) as refused:
        bob.approve(asked, expect=shown)
    told = "production of churn is held by 1.2.0 by now, not by 1.0.0 (ada)"
    assert (refused.value.code, refused.value.message) == ("conflict", told)
    assert ada.get_request(asked).approvals == []
    assert kinds(ada)[0] == "promoted"

    other = next(each for each in bob.moves("churn@2") if each.to == "staging")
    with pytest.raises(BadInputError, match="expect is another move: churn@2 promoted to staging"):
        bob.approve(asked, expect=other)

    now = next(each for each in bob.moves("churn@2") if each.to == "production")
    assert bob.approve(asked, expect=now).state == "promoted"


def test_a_stage_that_moves_while_gates_are_asked_is_not_taken(acting: As) -> None:
    """A gate may take minutes: what was shown has to hold when the line is written, not only before."""
    ada, bob, eve = acting("ada"), acting("bob"), acting("eve")
    ada.promote("churn@1", "production")
    ada.register("churn", 3)
    asked = ada.request("churn@2", "production")
    shown = next(each for each in bob.moves("churn@2") if each.to == "production")

    @nbreg.gate("production")
    def slow(new: Any, old: Any, ctx: Any) -> bool:
        if new.number == 2 and eve.get("churn@production").number == 1:
            eve.promote("churn@3", "production")
        return True

    with pytest.raises(ConflictError, match=r"held by 1\.2\.0 by now, not by 1\.0\.0 \(eve\)"):
        bob.approve(asked, expect=shown)
    assert ada.get("churn@production").number == 3


def test_a_no_ends_it(acting: As) -> None:
    """And it may be asked again."""
    ada, bob = acting("ada"), acting("bob")
    asked = ada.request("churn@2", "production")
    with pytest.raises(ConflictError, match="churn:r1"):
        bob.request("churn@2", "production")
    said = bob.reject(asked, message="the probe moved", reason="Probe")
    assert said.closed is not None
    assert (said.state, said.closed.by, said.closed.message) == ("rejected", "bob", "the probe moved")
    event = ada.events("churn")[0]
    assert (event.kind, event.number, event.reason, event.message) == (
        "rejected",
        2,
        "Probe",
        "the probe moved",
    )
    for call in (bob.approve, bob.reject):
        with pytest.raises(ConflictError, match="was rejected by bob"):
            call(asked)
    assert bob.request("churn@2", "production").id == "churn:r2"
    assert [each.state for each in ada.requests("churn")] == ["open", "rejected"]


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda reg: reg.promote("churn@2", "staging"), "went from none to staging"),
        (lambda reg: reg.delete("churn@2", "Gone"), "was deleted"),
        (lambda reg: reg.transfer("churn@2", "other"), "was transferred to other@1"),
    ],
)
def test_a_request_whose_version_moved_is_stale(
    acting: As, meanwhile: Callable[[Registry], object], why: str
) -> None:
    """What was asked for last week is not what would happen now."""
    ada, bob = acting("ada"), acting("bob")
    asked = ada.request("churn@2", "production")
    meanwhile(ada)
    before = kinds(ada)
    with pytest.raises(StaleRequestError, match=f"churn:r1 is stale: .* {why}"):
        bob.approve(asked)
    assert kinds(ada) == before
    now = bob.get_request(asked)
    assert (now.state, now.why) == ("stale", why)
    assert [each.id for each in bob.requests(state="stale")] == ["churn:r1"]
    assert bob.requests(state="open") == []
    assert bob.reject(asked).state == "rejected"
    assert bob.requests(state="stale") == []


def test_approvals_of_a_stale_request_count_no_more(acting: As) -> None:
    """Bob said yes to that move, and not to the next one."""
    ada, bob = acting("ada"), acting("bob")
    ada.require("churn", "production", "approved(1)", "metrics.f1 > 0")
    bob.approve(ada.request("churn@2", "production"))
    ada.update("churn@2", metrics={"f1": 1})
    ada.promote("churn@2", "staging")
    with pytest.raises(GateRefusedError, match="nobody has so far"):
        ada.promote("churn@2", "production")
    assert bob.approve(ada.request("churn@2", "production")).state == "promoted"
    assert ada.events("churn")[0].facts["approved_by"] == ["bob"]
    assert [each.state for each in ada.requests("churn")] == ["promoted", "promoted"]


@pytest.mark.parametrize("roundabout", ["retired", "rolled back"])
def test_approvals_stay_stale_where_the_version_comes_back(acting: As, roundabout: str) -> None:
    """It was taken out for a reason; a yes of before that is none to what happens after it."""
    ada, bob, eve = acting("ada"), acting("bob"), acting("eve")
    ada.promote("churn@1", "staging")
    if roundabout == "rolled back":
        ada.promote("churn@2", "staging")
        ada.retire("churn@1")
    ada.require("churn", "production", "approved(2)")
    asked = ada.request("churn@1", "production")
    assert bob.approve(asked).state == "open"
    if roundabout == "retired":
        ada.retire("churn@1", reason="Incident")
        ada.promote("churn@1", "staging")
    else:
        ada.rollback("churn", "staging")
        ada.retire("churn@1")
    again = ada.get("churn@1").stage
    assert ada.get_request(asked).state == "stale"
    with pytest.raises(StaleRequestError):
        eve.approve(asked)
    fresh = ada.request("churn@1", "production")
    assert (fresh.id, fresh.state) == ("churn:r2", "open")
    assert eve.approve(fresh).needs == ["approved(2) (1 of 2 so far)"]
    assert ada.get("churn@1").stage == again
    assert ada.verify().ok


def test_what_cannot_be_asked_for(acting: As) -> None:
    """Bad input changes nothing."""
    ada = acting("ada")
    ada.promote("churn@1", "staging")
    before = kinds(ada)
    wrong: list[tuple[Callable[[], object], type[NbregError]]] = [
        (lambda: ada.request("churn@1", "staging"), ConflictError),
        (lambda: ada.request("churn@1", "archived"), TransitionError),
        (lambda: ada.request("churn@1", "development"), TransitionError),
        (lambda: ada.request("churn", "production"), BadReferenceError),
        (lambda: ada.approve("churn"), BadReferenceError),
        (lambda: ada.approve("churn:r0"), BadReferenceError),
        (lambda: ada.approve(7), BadReferenceError),  # type: ignore[arg-type]
        (lambda: ada.approve("churn:r9"), UnknownRequestError),
        (lambda: ada.approve("chrun:r1"), UnknownModelError),
        (lambda: ada.requests(state="done"), BadInputError),
    ]
    for call, error in wrong:
        with pytest.raises(error):
            call()
    assert kinds(ada) == before


@pytest.mark.parametrize("needed", [1, 3])
def test_two_approvals_at_once_promote_once(tmp_path: Path, needed: int) -> None:
    """Eight people press the button in the same moment; where no gate counts them, one is enough."""
    folder = tmp_path / "r"
    ada = Registry(folder, settings=QUICK)
    ada.register("churn", 1)
    if needed > 1:
        ada.require("churn", "production", f"approved({needed})")
    asked = ada.request("churn@1", "production")
    outs = together(
        """
from nbreg.records import Actor
registry = Registry(sys.argv[2], settings=QUICK, actor=Actor(user=f"user{sys.argv[1]}"))
registry.get_request("churn:r1")
go()
try:
    print(registry.approve("churn:r1").state)
except NbregError as error:
    print(error.code)
""",
        8,
        folder,
    )
    said = Counter(out.strip() for out in outs)
    assert said == +Counter({"open": needed - 1, "promoted": 1, "conflict": 8 - needed})
    assert Counter(kinds(ada))["promoted"] == 1
    assert Counter(kinds(ada))["approved"] == needed - 1
    now = ada.get_request(asked)
    assert (now.state, len({each.by for each in now.approvals})) == ("promoted", needed)
    assert len(now.approvals) == needed
    assert ada.verify().ok


@pytest.mark.parametrize("is_asked", [True, False])
def test_an_approval_that_comes_second_finds_the_first(acting: As, is_asked: bool) -> None:
    """Between the look and the line somebody says no; with a gate that is asked, and with none."""
    ada, bob, eve = acting("ada"), acting("bob"), acting("eve")
    asked = ada.request("churn@2", "production")

    def meanwhile(*_: Any) -> bool:
        if eve.get_request(asked).state == "open":
            eve.reject(asked, message="first")
        return is_asked

    class Declared(gatefunctions.Declared):
        """One that is asked whether it applies while nothing is locked."""

        applies = meanwhile

    gatefunctions._declared["here:meanwhile"] = Declared(meanwhile, ())
    with pytest.raises(ConflictError, match="was rejected by eve"):
        bob.approve(asked)
    assert kinds(ada)[0] == "rejected"
    assert ada.get("churn@2").stage == "none"


def test_requests_at_once_each_have_their_number(tmp_path: Path) -> None:
    """No id is given twice."""
    folder = tmp_path / "r"
    ada = Registry(folder, settings=QUICK)
    for i in range(6):
        ada.register("churn", i)
    outs = together(
        """
registry = Registry(sys.argv[2], settings=QUICK)
go()
print(registry.request(f"churn@{int(sys.argv[1]) + 1}", "staging").id)
""",
        6,
        folder,
    )
    assert sorted(out.strip() for out in outs) == [f"churn:r{i}" for i in range(1, 7)]
    assert {each.version for each in ada.requests("churn", "open")} == set(range(1, 7))


def test_promoting_reads_no_request_that_was_ended(acting: As) -> None:
    """A model with a long history promotes as quickly as one without."""
    ada, bob = acting("ada"), acting("bob")
    for _ in range(3):
        bob.reject(ada.request("churn@2", "production"))
    read: list[tuple[str, str]] = []
    database = ada._desk.model("churn")
    real = database._storage.raw

    def raw(table: str, row_id: str, **options: Any) -> Any:
        read.append((table, row_id))
        return real(table, row_id, **options)

    database._storage.raw = raw  # type: ignore[method-assign]
    ada.promote("churn@2", "production")
    assert {row for table, row in read if table == "requests"} == {"all"}


# protected aliases


def test_a_protected_alias_moves_by_force_and_with_a_reason(acting: As) -> None:
    """`champion` is what others load by; it does not move by the slip of a hand."""
    from nbreg.errors import ProtectedAliasError, UnknownVersionError

    ada, bob = acting("ada"), acting("bob")
    ada.set_alias("churn@1", "champion")
    ada.protect("churn", "champion", reason="Serving")
    before = len(kinds(ada))
    ada.protect("churn", "champion", reason="Again")
    assert len(kinds(ada)) == before, "protecting what is protected writes nothing"
    assert {name: (row.by, row.reason) for name, row in bob.protected("churn").items()} == {
        "champion": ("ada", "Serving")
    }
    for call in (lambda: bob.set_alias("churn@2", "champion"), lambda: bob.drop_alias("churn", "champion")):
        with pytest.raises(ProtectedAliasError, match=r"protected by ada \(Serving\)") as caught:
            call()
    assert caught.value.code == "protected-alias"
    with pytest.raises(BadInputError, match="needs a reason"):
        bob.set_alias("churn@2", "champion", force=True)
    bob.set_alias("churn@1", "champion")
    assert len(kinds(ada)) == before, "where it points already it may be set"

    bob.set_alias("churn@2", "champion", force=True, reason="Incident")
    event = bob.events("churn")[0]
    assert (event.facts["alias"], event.facts["forced"], event.reason) == ("champion", True, "Incident")
    bob.drop_alias("churn", "champion", force=True, reason="Gone")
    with pytest.raises(ProtectedAliasError):
        bob.set_alias("churn@2", "champion")
    with pytest.raises(BadInputError):
        bob.unprotect("churn", "champion", reason="")
    bob.unprotect("churn", "champion", reason="Moved")
    with pytest.raises(UnknownVersionError):
        bob.unprotect("churn", "champion", reason="Moved")
    assert [kind for kind in kinds(ada) if "protected" in kind] == ["alias-unprotected", "alias-protected"]
    assert bob.set_alias("churn@2", "champion").aliases == ["champion"]
    assert "forced" not in bob.events("churn")[0].facts
    assert bob.verify().ok


def test_asking_runs_no_function_of_this_process(acting: As) -> None:
    """A request is a line in a journal; what takes an hour runs when somebody approves."""
    ran: list[int] = []

    @nbreg.gate("production")
    def slow(new: Any, old: Any, ctx: Any) -> None:
        ran.append(new.number)

    asked = acting("ada").request("churn@2", "production")
    assert (asked.state, ran) == ("open", [])
    assert acting("bob").approve(asked).state == "promoted"
    assert ran == [2]


def test_an_approval_that_moves_nothing_has_its_own_reason(acting: As) -> None:
    """Bob has not said what Ada said; the line that promotes is for the reason of both."""
    ada, bob, eve = acting("ada"), acting("bob"), acting("eve")
    ada.require("churn", "production", "approved(2)")
    asked = ada.request("churn@2", "production", reason="ABTest", message="lift 3 %")
    bob.approve(asked)
    first = ada.events("churn")[0]
    assert (first.kind, first.reason, first.message) == ("approved", "", "")
    eve.approve(asked)
    last = ada.events("churn")[0]
    assert (last.kind, last.reason, last.message) == ("promoted", "ABTest", "lift 3 %")


def test_a_protected_alias_is_no_name_of_a_version(acting: As, tmp_path: Path) -> None:
    """Whoever loads `churn@champion` trusts that it moves by force alone, also before it is there."""
    ada = acting("ada")
    ada.protect("churn", "champion")
    for name in (
        lambda: ada.register("churn", 3, version="champion"),
        lambda: ada.register("churn", 3, version="champion", force=True, reason="Mine"),
        lambda: ada.copy("churn@2", "churn", version="champion"),
        lambda: ada.copy("churn@2", "churn", version="champion", force=True, reason="Mine"),
    ):
        with pytest.raises(NameTakenError, match="alias"):
            name()
    other = Registry(tmp_path / "other", settings=QUICK)
    other.register("churn", 7, version="champion")
    other.export("churn@1", tmp_path / "seven.nbreg")
    assert ada.import_(tmp_path / "seven.nbreg").name is None
    ada.protect("churn", "best")
    other.register("churn", 8, version="best")
    ada.merge(other.location)
    assert [each.name for each in ada.versions("churn", limit=1)] == [None]
    for alias in ("champion", "best"):
        with pytest.raises(UnknownVersionError):
            ada.get(f"churn@{alias}")
    with pytest.raises(NameTakenError):
        ada.protect("churn", "1.0.0")
