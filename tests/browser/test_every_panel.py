"""What holds for all six panels at once, in a real JupyterLab: whoever looks on, whatever was written, however they press.

Somebody hears the page instead of seeing it, or has no mouse; a stranger's words stand in every field
of a shared registry. Each panel is a cell of one notebook here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Notebook, load
from playwright.sync_api import Locator, Page, expect

from nbreg import Registry
from nbreg.records import Actor

Open = Callable[..., Notebook]

ROOT = Path(__file__).resolve().parents[2]
PANELS = ("History", "Stages", "Version", "Lineage", "Drift", "Drafts")
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
EVIL = (
    "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script></style></textarea>"
    "\"'><svg onload=window.hacked=1>\x1b[31mred\x1b]8;;http://e\x07\u202egnirts\u2066"
)
LONG = (EVIL * 8000)[:1_000_000]
"""As long as a text may be: more than a megabyte of UTF-8."""

HIDDEN = "\x1b\x07\u202e\u2066"
PLAIN = "".join(each for each in EVIL if each not in HIDDEN)
"""For what takes no characters that nobody sees."""

TRAINED = (
    "from sklearn.tree import DecisionTreeClassifier\n"
    "clf = DecisionTreeClassifier(max_depth=3).fit([[0], [1]], [0, 1])\n"
    "import nbreg.panels"
)
SHOWN = (
    "%model_history cancer",
    "nbreg.panels.Stages('cancer@2')",
    "%model cancer@2",
    "nbreg.panels.Lineage('cancer')",
    "nbreg.panels.Drift('cancer@2')",
    "%drafts",
)


def older_release(folder: Path, version: str = "0.24.2") -> str:
    """A cell after which the kernel has another scikit-learn installed, to all appearances."""
    described = folder / f"scikit_learn-{version}.dist-info" / "METADATA"
    described.parent.mkdir()
    described.write_text(f"Metadata-Version: 2.1\nName: scikit-learn\nVersion: {version}\n")
    return f"import sys; sys.path.insert(0, {str(folder)!r})"


@pytest.fixture
def story(registry: Registry) -> Registry:
    """Two versions, one of them asked for; gates, a deployment and decisions."""
    from sklearn.tree import DecisionTreeClassifier

    for depth in (1, 2):
        model = DecisionTreeClassifier(max_depth=depth).fit([[0], [1]], [0, 1])
        registry.register(
            "cancer", model, metrics={"accuracy": 0.9 + depth / 100, "loss": 0.1}, params={"depth": depth}
        )
    registry.promote("cancer@1", "production", reason="FirstRelease")
    registry.deploy("cancer@1", "eu-west", url="https://example.org/eu")
    registry.get("cancer@1").predict([[0], [1]], request="screening")
    registry.close()
    registry.require("cancer", "production", "metrics.accuracy > 0.99")
    Registry(registry.location, actor=Actor(user="grace")).request("cancer@2", "production", message="look")
    return registry


def opened(notebook: Notebook) -> dict[str, Locator]:
    """Each panel, with all that it can show unfolded and asked."""
    expect(notebook.panel).to_have_count(len(PANELS))
    expect(notebook.page.locator(".nbreg-twin:visible")).to_have_count(0)
    found = {name: notebook.panel.nth(at) for at, name in enumerate(PANELS)}
    found["History"].locator("button.nbreg-name:visible").first.click()
    found["History"].locator('button[title="promote to production"]').click()
    found["Stages"].locator('button[title^="promote to "]').first.click()
    for each in found["Version"].locator("summary").all():
        each.click()
    expect(found["History"].locator(".nbreg-foretold")).to_be_visible()
    expect(found["Stages"].locator(".nbreg-foretold")).to_be_visible()
    return found


def twins(notebook: Notebook) -> dict[str, Locator]:
    """The static form of each panel, scrolled to; of the view that nothing backs any more nothing is seen."""
    view = ".jp-OutputArea-child:has(> .jp-OutputArea-output:not([data-mime-type])):visible"
    cells = notebook.page.locator(".jp-NotebookPanel:visible .jp-Notebook-cell")
    found: dict[str, Locator] = {}
    for at, name in enumerate(PANELS, start=len(notebook.cells) - len(PANELS)):
        # JupyterLab may keep a cell that is out of sight out of the page.
        notebook.page.evaluate("at => window.jupyterapp.shell.currentWidget.content.scrollToItem(at)", at)
        cell = cells.and_(notebook.page.locator(f"[data-windowed-list-index='{at}']"))
        found[name] = cell.locator(".nbreg-twin")
        expect(found[name], name).to_be_visible()
        expect(cell.locator(view), name).to_have_count(0)
    return found


@pytest.fixture
def light(page: Page) -> Iterator[Page]:
    """The page, with the light theme again after the test."""
    yield page
    _theme(page, THEMES[0])


def _theme(page: Page, theme: str) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
        theme,
    )
    page.wait_for_timeout(600)  # colours fade in


def test_every_panel_can_be_read_and_heard(
    story: Registry, open_notebook: Open, light: Page, tmp_path: Path
) -> None:
    """A name for each control, contrast in three themes, nothing that only a mouse can reach: axe finds nothing."""
    axe = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.exists(), "make extension"
    notebook = open_notebook(older_release(tmp_path), TRAINED, *SHOWN)
    panels = opened(notebook)
    panels["Lineage"].locator("select").select_option("what cancer@1.0.0 decided")
    expect(panels["Lineage"].locator(".nbreg-parting")).to_contain_text("screening")
    light.add_script_tag(path=axe)

    found: set[str] = set()
    for theme in THEMES:
        _theme(light, theme)
        panels["Lineage"].locator(".nbreg-is-version").first.focus()
        told: list[dict[str, Any]] = light.evaluate(
            "() => axe.run({include: [['.nbreg-panel']]}).then(found => found.violations)"
        )
        found |= {
            f"{theme}: {each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for each in told
            for node in each["nodes"]
        }
    assert found == set()


def told_by_a_stranger(registry: Registry) -> None:
    """Every field that takes text has it."""
    import pandas
    from sklearn.tree import DecisionTreeClassifier

    frame = pandas.DataFrame({EVIL: [0.0, 1.0]})
    for depth in (1, 2):
        registry.register(
            "cancer", DecisionTreeClassifier(max_depth=depth).fit(frame.to_numpy(), [0, 1]),
            metrics={EVIL: depth, "b": depth}, params={EVIL: LONG}, tags=[EVIL[:100]], description=LONG,
            message=EVIL, content={EVIL: LONG}, data={"train": frame},
        )  # fmt: skip
    registry.promote("cancer@2", "staging", reason=EVIL[:60], message=EVIL)
    registry.deploy("cancer@2", PLAIN[:60], message=EVIL)
    registry.get("cancer@2").link(PLAIN, PLAIN[:40], title=PLAIN[:150])
    registry.get("cancer@2").predict(frame, request=PLAIN[:150])
    registry.close()
    Registry(registry.location, actor=Actor(user="<b>eve</b>")).request(
        "cancer@2", "production", message=EVIL
    )


def test_what_a_stranger_wrote_is_text_in_every_panel(
    registry: Registry, open_notebook: Open, page: Page, tmp_path: Path
) -> None:
    """HTML, scripts, escapes of a terminal, marks that turn text around, a megabyte of it: shown, never run, hiding nothing."""
    told_by_a_stranger(registry)
    written = f"said = {EVIL!r}\n{TRAINED}\nclf.stranger = said"
    notebook = open_notebook(
        older_release(tmp_path, "0.24.2<img src=x onerror='window.hacked=1'>"), written, *SHOWN
    )
    panels = opened(notebook)
    panels["Lineage"].locator("select").select_option(f"what {registry.get('cancer@2').ref} decided")
    expect(panels["Lineage"].locator(".nbreg-parting")).to_contain_text("<img src=x")
    panels["Lineage"].locator(".nbreg-is-deployment").click()
    expect(panels["Lineage"].locator(".nbreg-detail:visible")).to_contain_text("<img src=x")

    for name, panel in panels.items():
        text = panel.text_content() or ""  # of cells that are scrolled out of sight, too
        assert not set(HIDDEN) & set(text), name
        assert panel.locator("script, img, iframe, svg:not([role=img]):not([role=group])").count() == 0, name
        assert len(text) < 200_000, name  # a megabyte is cut, and the page goes on
    for name in ("History", "Stages", "Version", "Lineage", "Drift"):
        assert "<img src=x" in (panels[name].text_content() or ""), name
    assert page.evaluate("() => window.hacked") is None
    for left in reversed(range(len(PANELS))):
        notebook.panel.nth(left).get_by_role("button", name="close").press("Enter")
        expect(notebook.panel).to_have_count(left, timeout=30_000)
    for name, twin in twins(notebook).items():
        told = twin.text_content() or ""
        assert twin.locator("script, img").count() == 0, name
        assert not set(HIDDEN) & set(told), name
        assert len(told) < 200_000, name
    assert page.evaluate("() => window.hacked") is None


def test_a_reopened_notebook_shows_every_twin_and_no_broken_widget(
    story: Registry, open_notebook: Open, page: Page, tmp_path: Path
) -> None:
    """Tomorrow, and at somebody who does not trust it: each panel as it was left, folded parts and style included."""
    notebook = open_notebook(older_release(tmp_path), TRAINED, *SHOWN)
    opened(notebook)
    saved = notebook.save()
    notebook.reopen()

    for name, twin in twins(notebook).items():
        assert "model not found" not in (twin.text_content() or ""), name
    notebook.close()

    foreign = Notebook(notebook.lab, page, f"foreign-{notebook.name}", notebook.cells)
    saved["metadata"].pop("signature", None)
    saved["cells"][0]["source"] += "\n# a copy that nobody here has run"
    foreign.path.write_text(json.dumps(saved))
    load(notebook.lab, page)  # without the style of what was trusted
    foreign.open()
    for name, twin in twins(foreign).items():
        assert twin.locator("style").count() == 0, name  # it is not trusted
        assert twin.evaluate("each => getComputedStyle(each).fontSize") == "13px", name
    foreign.close()
    notebook.open()


def test_every_control_is_reached_and_pressed_by_keyboard(
    story: Registry, open_notebook: Open, page: Page, tmp_path: Path
) -> None:
    """Tab goes through a panel in the order in which it is read, and Enter presses: nobody needs a mouse."""
    notebook = open_notebook(older_release(tmp_path), TRAINED, *SHOWN)
    expect(notebook.panel).to_have_count(len(PANELS))
    for at, name in enumerate(PANELS):
        panel = notebook.panel.nth(at)
        wanted = panel.locator(
            "button:enabled:visible, input:visible, select:visible, summary:visible, [tabindex='0']:visible"
        )
        amount = wanted.count()
        wanted.first.focus()
        reached = 0
        for _ in range(amount):
            reached += page.evaluate(
                """([at]) => {
                  const panel = document.querySelectorAll('.nbreg-panel')[at], here = document.activeElement;
                  return panel.contains(here) && here !== panel ? 1 : 0;
                }""",
                [at],
            )
            page.keyboard.press("Tab")
        assert reached == amount, name

    history = notebook.panel.nth(0)
    history.get_by_role("button", name=str(story.get("cancer@2").name)).first.focus()
    page.keyboard.press("Space")
    expect(history).to_contain_text("promote to")
    lineage = notebook.panel.nth(3)
    lineage.get_by_role("combobox").focus()
    page.keyboard.press("ArrowDown")
    expect(lineage.locator(".nbreg-parting")).to_contain_text("cancer")
    version = notebook.panel.nth(2)
    version.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(version.locator("details").first).to_have_attribute("open", "")
    drafts = notebook.panel.nth(5)
    drafts.get_by_role("button", name="drop it").focus()
    page.keyboard.press("Enter")
    expect(drafts.locator("[role=alert]")).to_contain_text("press again")
    drift = notebook.panel.nth(4)
    drift.get_by_role("button", name="close").focus()
    page.keyboard.press("Enter")
    expect(notebook.panel).to_have_count(len(PANELS) - 1)
