"""What is pressed and what is shown, panel by panel, with the widgets themselves and no browser.

Somebody filters, compares, turns pages, moves a version as it was foreseen, answers a request, loads, drops.
`tests/browser/` does the same with a mouse and keys; here each of it is tried in a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nbreg import Registry
from nbreg.panels import Drafts, Drift, History, Lineage, Stages, Version, watching
from nbreg.panels.front import Shown
from nbreg.panels.history import PAGE
from nbreg.records import Actor

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>\x1b[31m\u202e"
ALL = (History, Stages, Version, Lineage, Drift, Drafts)


@pytest.fixture
def grown(registry: Registry) -> Registry:
    """Three versions, the first in production."""
    for value in (0.91, 0.95, 0.93):
        registry.register("cancer", {"w": value}, metrics={"accuracy": value}, message=f"take {value}")
    registry.promote("cancer@1", "production", reason="FirstRelease")
    return registry


@pytest.fixture
def opened() -> Iterator[Callable[[Shown], Seen]]:
    """Opens panels, and closes them after the test."""
    made: list[Shown] = []

    def open_one(panel: Shown) -> Seen:
        made.append(panel)
        return Seen(panel)

    yield open_one
    for panel in made:
        panel.close()


class Seen:
    """A panel, as whoever looks at it has it before them."""

    def __init__(self, panel: Shown) -> None:
        self._root = panel.view()

    def _widgets(self) -> list[Any]:
        found = [self._root]
        for each in found:
            if each.layout.display != "none":
                found += getattr(each, "children", ())
        return [each for each in found if each.layout.display != "none"]

    @property
    def text(self) -> str:
        """All HTML that is shown, without the style."""
        pieces = [each.value for each in self._widgets() if type(each).__name__ == "HTML"]
        return "\n".join(piece.rpartition("</style>")[2] for piece in pieces)

    def named(self, name: str) -> Any:
        """What is called so: by its words, its label or its tooltip."""
        said = ("description", "tooltip", "placeholder")
        found = [each for each in self._widgets() if name in [getattr(each, trait, None) for trait in said]]
        assert found, f"nothing is called {name!r}"
        return found[0]

    def press(self, name: str) -> None:
        """Press a button, or one that stays pressed."""
        button = self.named(name)
        if hasattr(button, "click"):
            button.click()
        else:
            button.value = not button.value

    def confirm(self) -> None:
        """Press the button that does what was foretold."""
        next(each for each in self._widgets() if getattr(each, "button_style", "") == "primary").click()

    def enter(self, name: str, value: object) -> None:
        """Type or choose something."""
        self.named(name).value = value

    def has(self, name: str) -> bool:
        """Whether something of that name is shown."""
        try:
            return bool(self.named(name))
        except AssertionError:
            return False


Open = Callable[[Shown], Seen]

FILTER = "filter versions by a query"


async def until(is_so: Callable[[], bool]) -> None:
    """Let the kernel's loop go on until something is so."""
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never became so")


def test_a_filter_chooses_and_a_mistake_in_it_changes_nothing(grown: Registry, opened: Open) -> None:
    """Among hundreds of versions one asks for those that matter; half a query is no reason to lose the list."""
    panel = History("cancer", grown)
    seen = opened(panel)
    seen.enter(FILTER, "metrics.accuracy > 0.94")
    assert seen.has("1.1.0 (#2): show it")
    assert not seen.has("1.2.0 (#3): show it")

    seen.enter(FILTER, "metrics.accuracy >")
    assert "nbreg-error" in seen.text
    assert seen.has("1.1.0 (#2): show it")
    assert "where metrics.accuracy > 0.94" in panel.twin()["text/plain"]


def test_two_that_are_chosen_are_compared(grown: Registry, opened: Open) -> None:
    """The question after every training: what is different, from the older to the newer?"""
    panel = History("cancer", grown)
    seen = opened(panel)
    seen.press("1.1.0 (#2): show it")
    assert seen.has("promote to production")
    seen.press("1.0.0 (#1): show it")
    assert not seen.has("promote to production")
    assert "0.91 → 0.95" in seen.text
    assert "0.91 → 0.95" in panel.twin()["text/plain"]


def test_a_deleted_version_is_told_of_and_not_chosen(grown: Registry, opened: Open) -> None:
    """Its line is still there; a button that stays pressed would be compared with whatever is pressed next."""
    grown.delete("cancer@3", reason="TrainedOnTest")
    panel = History("cancer", grown)
    seen = opened(panel)
    seen.press("1.1.0 (#2): show it")
    seen.press("1.2.0 (#3): show it")
    assert "was deleted by" in seen.text
    assert panel.chosen == [2]
    assert seen.has("promote to production")


def test_what_cannot_be_read_leaves_all_that_was_chosen(grown: Registry, opened: Open) -> None:
    """Of two that are compared the older choice gives way to a third; where there is no third, both stay."""
    grown.delete("cancer@3", reason="TrainedOnTest")
    panel = History("cancer", grown)
    seen = opened(panel)
    seen.press("1.0.0 (#1): show it")
    seen.press("1.1.0 (#2): show it")
    seen.press("1.2.0 (#3): show it")
    assert "was deleted by" in seen.text
    assert panel.chosen == [1, 2]
    assert "0.91 → 0.95" in seen.text


def test_the_name_of_the_hundredth_version_is_not_cut(registry: Registry, opened: Open) -> None:
    """A button has room for a name; beside a long one the number gives way, and not the name's end."""
    registry.register("cancer", {"w": 1}, version="10.99.100")
    assert opened(History("cancer", registry)).named("10.99.100: show it").description == "10.99.100"


def test_pages_lead_to_what_is_older_and_back(registry: Registry, opened: Open) -> None:
    """A model of years is read page by page, and nobody is lost on the way."""
    for value in range(PAGE + 3):
        registry.register("cancer", {"w": value})
    seen = opened(History("cancer", registry))
    assert seen.named("newer").disabled
    seen.press("older")
    assert seen.has("1.0.0 (#1): show it")
    assert seen.named("older").disabled
    seen.press("newer")
    assert not seen.has("1.0.0 (#1): show it")


@pytest.mark.parametrize("kind", [History, Version, Lineage])
def test_what_another_kernel_writes_appears(
    grown: Registry, opened: Open, kind: type[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people look at one model; neither acts on what is no longer so."""
    monkeypatch.setattr(watching, "SECONDS", 0.01)

    async def look() -> str:
        panel: Any = kind
        seen = opened(panel("cancer" if kind is History else "cancer@2", grown))
        before = seen.text
        Registry(grown.location).promote("cancer@2", "staging")
        await until(lambda: seen.text != before)
        return seen.text

    assert "staging" in asyncio.run(look())


def test_the_moves_follow_what_another_kernel_wrote(
    grown: Registry, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buttons of a version are those of the stage that it is in now."""
    monkeypatch.setattr(watching, "SECONDS", 0.01)

    async def look() -> None:
        seen = opened(Stages("cancer@2", grown))
        assert seen.has("promote to staging")
        Registry(grown.location).promote("cancer@2", "staging")
        await until(lambda: not seen.has("promote to staging"))
        assert seen.has("retire to none")

    asyncio.run(look())


def test_nobody_looks_for_what_nobody_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that was closed is not told to its kernel: a panel that nobody touches looks no more, until touched."""
    monkeypatch.setattr(watching, "SECONDS", 0.001)
    looks: list[int] = []

    async def watched() -> None:
        watch = watching.Watch(lambda: looks.append(1), lambda: None)
        watch.start()
        await until(lambda: len(looks) > 3)
        monkeypatch.setattr(watching, "PATIENCE", 0.0)
        watch.touch()
        await until(lambda: not watch.is_on)
        amount = len(looks)
        monkeypatch.setattr(watching, "PATIENCE", 60.0)
        watch.touch()
        await until(lambda: len(looks) > amount)
        watch.close()
        assert not watch.is_on

    asyncio.run(watched())


def test_a_rollback_says_what_it_will_do_and_does_that(grown: Registry, opened: Open) -> None:
    """Complaints come in at night: one press shows what comes back, another brings it back."""
    grown.promote("cancer@2", "production")
    seen = opened(Stages("cancer@2", grown))
    seen.press("roll back production")
    assert "production goes back to 1.0.0 (#1); 1.1.0 (#2) goes to archived" in seen.text
    assert grown.get("cancer@production").number == 2
    seen.enter("reason", "Complaints")
    seen.confirm()

    assert grown.get("cancer@production").number == 1
    assert grown.events("cancer")[0].reason == "Complaints"
    assert "nbreg-done" in seen.text


def test_a_move_that_would_do_something_else_by_now_is_refused_and_shown_anew(
    grown: Registry, opened: Open
) -> None:
    """Nobody takes a colleague's version out of production by a button that promised to take another one."""
    seen = opened(Stages("cancer@2", grown))
    seen.press("promote to production")
    Registry(grown.location).promote("cancer@3", "production")
    seen.confirm()

    assert grown.get("cancer@production").number == 3
    assert "nbreg-error" in seen.text
    assert "nbreg-foretold" not in seen.text  # what was asked is let go


@pytest.mark.parametrize(
    ("word", "state", "stage"), [("approve", "promoted", "production"), ("reject", "rejected", "none")]
)
def test_a_request_is_answered_where_it_stands(
    grown: Registry, opened: Open, word: str, state: str, stage: str
) -> None:
    """Who is asked answers beside what was asked, with a comment that the journal keeps."""
    asked = Registry(grown.location, actor=Actor(user="grace")).request("cancer@2", "production")
    seen = opened(Stages("cancer@2", grown))
    assert "asked by grace" in seen.text
    assert not seen.has("withdraw")
    seen.enter("comment: why yes, or why not", "seen in the trial")
    seen.press(word)

    assert grown.requests("cancer", state)[0].id == asked.id
    assert grown.get("cancer@2").stage == stage
    assert "asked by grace" not in seen.text


def test_one_asks_the_others_and_takes_it_back(grown: Registry, opened: Open) -> None:
    """Where a stage has gates one asks instead of moving; nobody answers to what they asked themselves."""
    grown.require("cancer", "production", "metrics.accuracy > 0.99")
    seen = opened(Stages("cancer@2", grown))
    seen.press("promote to production")
    assert "metrics.accuracy &gt; 0.99" in seen.text
    seen.press("request it")
    assert [each.version for each in grown.requests("cancer", "open")] == [2]
    assert not seen.has("approve")
    seen.press("withdraw")
    assert grown.requests("cancer", "open") == []


@pytest.mark.parametrize(
    ("gate", "does_asking_help"), [("approved(1)", True), ("metrics.accuracy > 0.99", False)]
)
def test_a_refused_move_leads_to_the_others_where_they_can_help(
    grown: Registry, opened: Open, gate: str, does_asking_help: bool
) -> None:
    """Whoever is told to ask for approval of what no approval can mend waits for an answer in vain."""
    grown.require("cancer", "production", gate)
    seen = opened(Stages("cancer@2", grown))
    seen.press("promote to production")
    seen.confirm()
    assert "does not pass the gates of production" in seen.text
    assert ("the others are asked to approve" in seen.text) == does_asking_help
    assert ("overrules gates" in seen.text) == (not does_asking_help)


def test_a_taken_name_is_asked_about_before_it_is_replaced(grown: Registry, opened: Open) -> None:
    """An afternoon's work may be called `model`: loading a version does not end it by surprise."""
    names = vars(__import__("__main__"))
    seen = opened(Version("cancer@2", grown))
    names["nbreg_taken"] = "my work"
    try:
        seen.enter("name of a variable", "nbreg_taken")
        seen.press("load as")
        assert "there is a nbreg_taken already" in seen.text
        assert names["nbreg_taken"] == "my work"
        seen.press("load as")
        assert names["nbreg_taken"] == {"w": 0.95}
    finally:
        del names["nbreg_taken"]


def test_a_lineage_opens_the_card_of_a_version(grown: Registry, opened: Open) -> None:
    """From the picture to what a node is, in place."""
    seen = opened(Lineage("cancer", grown))
    choice = dict(seen.named("version or decisions to open").options)["cancer@1.1.0"]
    seen.enter("version or decisions to open", choice)
    assert "take 0.95" in seen.text.rpartition("nbreg-parting")[2]


@pytest.mark.parametrize("kind", ALL)
def test_what_a_stranger_wrote_is_text_in_each_panel_and_its_twin(
    registry: Registry, opened: Open, kind: type[Shown]
) -> None:
    """Who may write into a shared registry runs nothing in the pages of those who read it."""
    for value in (1.0, 2.0):
        registry.register(
            "cancer", {"w": value}, metrics={EVIL: value}, params={EVIL: EVIL}, tags=["t"],
            message=EVIL, description=EVIL, content={EVIL: EVIL},
        )  # fmt: skip
    registry.promote("cancer@2", "staging", reason=EVIL, message=EVIL)
    Registry(registry.location, actor=Actor(user=EVIL)).request("cancer@2", "production", message=EVIL)
    make: Any = kind
    panel = make(registry) if kind is Drafts else make("cancer" if kind is History else "cancer@2", registry)
    seen = opened(panel)
    if kind is History:
        seen.press("1.1.0 (#2): show it")
        seen.press("1.0.0 (#1): show it")

    for shown in (seen.text, panel.twin()["text/html"]):
        assert "<img" not in shown
        assert "<script" not in shown
        assert not set("\x1b\u202e") & set(shown)


def test_a_converted_page_runs_nothing_that_a_stranger_wrote(registry: Registry) -> None:
    """A report of a shared registry is mailed and archived: what is in its twins is text there, and a megabyte is cut."""
    from nbconvert import HTMLExporter
    from nbformat import v4
    from pandas import DataFrame

    for value in (1.0, 2.0):
        registry.register(
            "cancer", {"w": value}, metrics={EVIL: value}, params={EVIL: EVIL}, tags=["t"], message=EVIL,
            description=(EVIL * 20_000)[:1_000_000], content={EVIL: EVIL},
            data={"train": DataFrame({EVIL: [value]})},
        )  # fmt: skip
    history = History("cancer", registry)
    history.chosen = [1, 2]
    cards = [kind("cancer@2", registry) for kind in (Stages, Version, Lineage, Drift)]
    twins = [each.twin() for each in (history, *cards, Drafts(registry))]
    for mime in ("text/html", "text/plain"):
        outputs = [v4.new_output("display_data", data={mime: each[mime]}) for each in twins]
        assert all(len(each[mime]) < 200_000 for each in twins)

        page, _ = HTMLExporter().from_notebook_node(
            v4.new_notebook(cells=[v4.new_code_cell("", outputs=outputs)])
        )

        assert page.count("&lt;img src=x") > len(twins) / 2
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert not set("\x1b\u202e") & set(page)
