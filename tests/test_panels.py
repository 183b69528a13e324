"""Panels without a browser: what a kernel sends where somebody can click, and where nobody can."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kernels import Kernel, Ran, running_kernel

from nbreg import Registry
from nbreg.display import DIFF_MIME, TABLE_MIME, VERSION_MIME
from nbreg.display.plots import Point, curve_plot, metric_plot
from nbreg.errors import BadQueryError, UnknownModelError
from nbreg.panels import History, Stages
from nbreg.panels.front import VIEW_MIME
from nbreg.records import CurvePoint, Tenure
from nbreg.settings import Settings

EVIL = "<script>alert(1)</script>\"'\x1b[31m\u202e"


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for the module."""
    with running_kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, registry: Registry) -> Kernel:
    """The kernel at a registry with three versions."""
    for value in (0.91, 0.95, 0.93):
        registry.register("cancer", {"w": value}, metrics={"accuracy": value}, message=f"take {value}")
    registry.promote("cancer@1", "production", reason="FirstRelease")
    shared.good("%load_ext nbreg")
    shared.good(f"%use_registry {registry.location}")
    shared.good(f"import nbreg, nbreg.panels; at = nbreg.Registry({str(registry.location)!r})")
    return shared


def in_front(kernel: Kernel, code: str, cell: str) -> Ran:
    ran = kernel.run_in_front(code, cell)
    assert ran.ok, ran.stderr + str(ran.errors)
    return ran


def mimes(ran: Ran) -> list[list[str]]:
    return [sorted(each) for each in ran.bundles]


def test_where_nobody_can_click_it_is_the_table_and_no_widget(kernel: Kernel) -> None:
    """nbclient, papermill, nbval and a terminal get what they always got, and pay for no widgets."""
    ran = kernel.good("%model_history cancer")

    assert mimes(ran) == [[TABLE_MIME, "text/html", "text/plain"]]
    assert kernel.good("import sys; print('ipywidgets' in sys.modules)").stdout == "False\n"


def test_where_somebody_can_click_it_is_a_panel_over_its_table(kernel: Kernel) -> None:
    """The saved notebook has the same table as everywhere; the view beside it is the kernel's alone."""
    elsewhere = kernel.good("%model_history cancer")
    ran = kernel.run_in_front("%model_history cancer", "cell-1")

    assert ran.ok, ran.stderr
    assert mimes(ran) == [[VIEW_MIME], [TABLE_MIME, "text/html", "text/plain"]]
    assert ran.bundles[1] == elsewhere.bundles[0]  # so that nbval finds the same whoever ran it


def test_a_panel_without_a_registry_is_of_the_one_that_the_notebook_works_on(
    kernel: Kernel, registry: Registry
) -> None:
    """After `%use_registry` a magic and a panel beside it never speak of two registries."""
    made = (
        "History('cancer')", "Stages('cancer@1')", "Version('cancer@1')", "Lineage('cancer')",
        "Lineage('cancer@1')", "Drift('cancer@1')", "Drafts()",
    )  # fmt: skip
    places = ", ".join(f"nbreg.panels.{each}.registry.location" for each in made)
    assert (
        kernel.good(f"print({{str(each) for each in ({places})}})").stdout == f"{{'{registry.location}'}}\n"
    )

    kernel.good("%unload_ext nbreg")
    told = kernel.good("print(nbreg.panels.Drafts().registry.location == nbreg.Registry().location)").stdout
    assert told == "True\n"


def test_what_is_assigned_or_asked_for_as_a_table_opens_no_panel(kernel: Kernel) -> None:
    """`best = %model_history …` is for going on with, and costs no widgets."""
    assigned = kernel.run_in_front("best = %model_history cancer --sort=-metrics.accuracy\nbest[0].ref", "c")
    assert [each["text/plain"] for each in assigned.bundles] == ["'cancer@1.1.0'"]

    table = kernel.run_in_front("%model_history cancer --table", "c")
    assert mimes(table) == [[TABLE_MIME, "text/html", "text/plain"]]


def test_of_very_many_versions_only_those_are_read_that_are_shown(kernel: Kernel, registry: Registry) -> None:
    """A history of ten thousand is there at once, and is still all of them to whoever goes through it."""
    quick = Registry(registry.location, settings=Settings(capture=False))
    for value in range(215):
        quick.register("many", {"w": value})
    registry.delete("many@5", "a mistake")
    shown = kernel.good("table = %model_history many\ntable").bundles[0]
    assert "and 14 versions more" in shown["text/plain"]
    assert shown[TABLE_MIME]["count"] == 214
    assert kernel.good("print(table._items._known[-1].number, len(table))").stdout == "16 214\n"

    registry.register("many", {"w": "another one meanwhile"})
    assert kernel.good(
        "print([v.number for v in table] == [n for n in range(215, 0, -1) if n != 5])"
    ).stdout == ("True\n")
    assert kernel.good("print(table[-1].number, table[2:4][0].number, len(table))").stdout == "1 213 214\n"
    limited = "short = %model_history many --limit 205\nprint(len(short), short[-1].number, len(list(short)))"
    assert kernel.good(limited).stdout == "205 12 205\n"


def widgets(kernel: Kernel) -> int:
    return int(kernel.good("import ipywidgets; print(len(ipywidgets.Widget.widgets))").stdout)


def test_running_a_cell_again_closes_what_it_showed(kernel: Kernel) -> None:
    """An afternoon of re-running one cell leaves one panel in the kernel, not fifty."""
    in_front(kernel, "%model_history cancer", "cell-2")
    one = widgets(kernel)
    for _ in range(3):
        in_front(kernel, "%model_history cancer", "cell-2")

    assert widgets(kernel) == one


def test_a_cell_may_show_several_panels(kernel: Kernel) -> None:
    """The second does not close the first; running the cell again closes both."""
    kernel.good("import nbreg.panels.front as front\nfront.close_all()")
    two = "for number in (1, 2): display(nbreg.panels.Stages(f'cancer@{number}', at))"
    for _ in range(2):
        ran = in_front(kernel, two, "two")
        assert [VIEW_MIME in each for each in ran.bundles] == [True, False, True, False]
        assert kernel.good("print(len(front._open))").stdout == "2\n"


def test_old_panels_give_way(kernel: Kernel) -> None:
    """Every open panel is looked after between cells, so there is a bound; those go to their tables."""
    for cell in range(14):
        in_front(kernel, "nbreg.panels.Stages('cancer@1', at)", f"many-{cell}")
    full = widgets(kernel)
    assert kernel.good("print(len(nbreg.panels.front._open))").stdout == "12\n"
    in_front(kernel, "nbreg.panels.Stages('cancer@1', at)", "one-more")

    assert widgets(kernel) == full


def test_a_panel_is_few_models_and_little_state(kernel: Kernel) -> None:
    """Whoever saves widget state into notebooks finds kilobytes there."""
    kernel.good("import nbreg.panels.front as front\nfront.close_all()")
    assert widgets(kernel) == 0
    in_front(kernel, "%model_history cancer", "cell-3")
    state = kernel.good(
        "import json, ipywidgets; print(json.dumps(ipywidgets.Widget.get_manager_state()))"
    ).stdout

    assert widgets(kernel) <= 60
    assert len(state) <= 60_000


def test_an_unknown_model_is_refused_before_anything_is_shown(registry: Registry) -> None:
    """One line with a hint, as everywhere."""
    registry.register("cancer", {"w": 1})
    with pytest.raises(UnknownModelError) as refused:
        History("cancr", registry)
    assert refused.value.hint == "did you mean 'cancer'?"
    with pytest.raises(BadQueryError):
        History("cancer", registry, query="accuracy >")


def test_the_static_form_tells_the_same(registry: Registry) -> None:
    """A panel in a script, a report or on GitHub: who, what, when, why, and the difference that was looked at."""
    for value in (0.91, 0.95):
        registry.register("cancer", {"w": value}, metrics={"accuracy": value}, message=f"take {value}")
    registry.promote("cancer@1", "production", reason="FirstRelease")
    panel = History("cancer", registry)
    text = repr(panel)
    assert text.splitlines()[0] == "cancer · 2 versions"
    assert "promoted to production" in text
    assert "FirstRelease" in text

    panel.choose(1)
    panel.choose(2)
    bundle = panel.twin()
    assert "0.91 → 0.95" in bundle["text/plain"]
    assert "0.91 → 0.95" in bundle["text/html"]
    assert "<svg" in bundle["text/html"]

    stages = Stages("cancer@1", registry)
    assert "[production]" in repr(stages)
    assert "FirstRelease" in repr(stages)


class Tags(HTMLParser):
    """Which elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


class Twins(HTMLParser):
    """What a reader finds in each twin of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._depth = 0
        self._is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div" and not self._depth and "nbreg-twin" in (dict(attrs).get("class") or ""):
            self.texts.append("")
            self._depth = 1
        elif tag == "div" and self._depth:
            self._depth += 1
        self._is_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= bool(tag == "div" and self._depth)
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if self._depth and not self._is_style:
            self.texts[-1] += data


def test_nothing_hostile_gets_into_the_static_form(registry: Registry) -> None:
    """What a stranger wrote is text there, too, in the picture as in the table."""
    for value in (1.0, 2.0):
        registry.register("cancer", {"w": value}, metrics={EVIL: value}, message=EVIL, tags=["t"])
    registry.promote("cancer@1", "production", reason=EVIL, message=EVIL)
    html = History("cancer", registry).twin()["text/html"] + Stages("cancer@1", registry).twin()["text/html"]

    assert "script" not in Tags(html).found
    assert not re.search("[\x1b\u202e]", html)


# pictures


def points(*values: float | None) -> list[Point]:
    return [Point(i + 1, f"1.{i}.0", "none", i + 1, value) for i, value in enumerate(values)]


def test_the_plot_marks_who_held_production_when() -> None:
    """Reading the picture, one sees which version was worse than what production had."""
    held = [Tenure(number=3, name="1.2.0", since=5), Tenure(number=1, name="1.0.0", since=2, until=5)]
    picture = metric_plot("auc", points(0.5, 0.7, 0.9, 0.8), held)

    lines = re.findall(r'nbreg-held" d="M([\d.]+) ([\d.]+)H([\d.]+)"', picture)
    low, high = float(lines[0][1]), float(lines[1][1])
    assert len(lines) == 2
    assert low > high  # the first holder had the lowest value, so it is further down
    assert picture.count("<circle") == 4
    assert 'aria-label="auc of 4 versions, from 0.5 to 0.9; production is 1.2.0 (#3)"' in picture
    assert all(f">{name}</text>" in picture for name in ("1.0.0", "1.2.0"))


def test_what_cannot_be_drawn_is_left_out() -> None:
    """One value, none, or one that is no number: no empty picture, and no broken one."""
    assert metric_plot("auc", points(0.5, None)) == ""
    assert metric_plot("auc", points(0.5, float("nan"), float("inf"))) == ""
    assert "NaN" not in metric_plot("auc", points(0.5, 0.5))
    point = CurvePoint(step=0, value=1.0, low=1.0, high=1.0)
    assert curve_plot("loss", [point]) == ""


def test_a_curve_shows_its_band_and_its_end() -> None:
    """A run of a million steps is a line with the spread behind it."""
    curve = [CurvePoint(step=i, value=1 / (i + 1), low=0.0, high=1.0) for i in range(5)]
    picture = curve_plot(EVIL, [*curve, CurvePoint(step=9, value="NaN", low="NaN", high="NaN")])

    assert "nbreg-band" in picture
    assert "<b>0.2</b>" in picture
    assert "<script" not in picture


def test_curves_of_the_run_are_beside_the_version(registry: Registry) -> None:
    """How training went, where one looks at what came of it; a version without a run has none."""
    with registry.start_run() as run:
        for step in range(10):
            run.log_metric("loss", 1 / (step + 1), step)
        made = run.register("cancer", {"w": 1})
    panel = History("cancer", registry)

    assert "loss" in panel.curves(made)
    assert "<svg" in panel.curves(made)


def test_saved_state_of_the_twin_is_small(registry: Registry, tmp_path: Path) -> None:
    """A history of a hundred versions in a notebook is a page of it, with one style sheet."""
    for value in range(100):
        registry.register("cancer", {"w": value}, metrics={"accuracy": value / 100})
    bundle = History("cancer", registry).twin()

    assert bundle["text/html"].count("<tr>") == 13
    assert len(json.dumps(bundle)) < 40_000


def test_a_filter_that_fits_almost_nothing_looks_page_by_page_and_says_so(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand versions are not read for one keystroke; what was not looked at yet is not said to be absent."""
    monkeypatch.setattr("nbreg.panels.history.LOOKED", 4)
    for value in range(10):
        registry.register("cancer", {"w": value}, metrics={"accuracy": float(value)})
    panel = History("cancer", registry, query="metrics.accuracy == 0")
    seen = panel.look()
    assert seen.page.items == []
    assert "looked through 4 lines" in panel.bound_told(seen.page)
    assert "there are older ones" in repr(panel)
    for _ in range(2):
        panel.older(seen.page.rest)
        seen = panel.look()
    assert [each.version.number for each in seen.page.items if each.version] == [1]
    assert panel.bound_told(seen.page) == ""


@pytest.mark.parametrize(
    "shown",
    [
        "%model_history cancer",
        "%model cancer@1",
        "%drafts",
        "nbreg.panels.Stages('cancer@1', at)",
        "nbreg.panels.Version('cancer@1', at)",
        "nbreg.panels.Lineage('cancer', at)",
        "nbreg.panels.Lineage('cancer@1', at)",
        "nbreg.panels.Drift('cancer@1', at)",
        "nbreg.panels.Drafts(at)",
    ],
)
def test_every_panel_has_a_twin_a_bound_and_leaves_nothing_behind(kernel: Kernel, shown: str) -> None:
    """The same for whoever cannot click; few models for whoever can, and none after closing."""
    elsewhere = kernel.good(shown)
    assert VIEW_MIME not in elsewhere.bundles[-1]
    kernel.good("import nbreg.panels.front as front\nfront.close_all()")
    ran = in_front(kernel, shown, "every")
    assert VIEW_MIME in ran.bundles[-2]
    assert ' nbreg-twin">' in ran.bundles[-1]["text/html"]
    assert not {VERSION_MIME, DIFF_MIME} & set(ran.bundles[-1])  # JupyterLab would draw that, not the twin
    assert ran.bundles[-1]["text/plain"] == elsewhere.bundles[-1]["text/plain"]
    state = kernel.good(
        "import json, ipywidgets; print(json.dumps(ipywidgets.Widget.get_manager_state()))"
    ).stdout
    assert widgets(kernel) <= 60
    assert len(state) <= 100_000
    kernel.good("front.close_all()")
    assert widgets(kernel) == 0


@pytest.mark.filterwarnings("ignore:Your element with mimetype")  # the view, which is left out
@pytest.mark.parametrize("is_state_saved", [False, True])
def test_a_converted_page_shows_every_twin_and_no_placeholder(
    kernel: Kernel, registry: Registry, is_state_saved: bool
) -> None:
    """nbconvert, and so GitHub, a report or an archive: what the panel told, without a kernel.

    Where somebody has the state of widgets saved, the page has the views as well, and loses nothing.
    """
    from nbconvert import HTMLExporter
    from nbformat import v4

    registry.deploy("cancer@1", "eu-west")
    kernel.good("import nbreg.panels.front as front\nfront.close_all()")
    cells = []
    telling = {
        "%model_history cancer": "take 0.95",
        "nbreg.panels.Stages('cancer@1', at)": "promoted to production",
        "nbreg.panels.Version('cancer@1', at)": "artifacts",
        "nbreg.panels.Lineage('cancer', at)": "eu-west",
        "nbreg.panels.Drift('cancer@1', at)": "environment here",
        "%drafts": "no drafts",
    }
    for at, code in enumerate(telling):
        ran = in_front(kernel, code, f"page-{at}")
        outputs = [v4.new_output("display_data", data=each) for each in ran.bundles]
        assert VIEW_MIME in outputs[0].data
        cells.append(v4.new_code_cell(code, outputs=outputs))
    state = "import json, ipywidgets; print(json.dumps(ipywidgets.Widget.get_manager_state()))"
    saved = {"application/vnd.jupyter.widget-state+json": json.loads(kernel.good(state).stdout)}
    metadata = {"widgets": saved} if is_state_saved else {}
    page, _ = HTMLExporter().from_notebook_node(v4.new_notebook(cells=cells, metadata=metadata))
    read = Twins(page)
    assert len(read.texts) == len(telling)
    for words, text in zip(telling.values(), read.texts, strict=True):
        assert words in text
    assert "model not found" not in page
    view = '<script type="application/vnd.jupyter.widget-view+json">'
    assert page.count(view) == (len(telling) if is_state_saved else 0)
