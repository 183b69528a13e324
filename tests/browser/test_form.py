"""Registering from a notebook's toolbar, and what the notebook says of its versions, in a real JupyterLab.

Somebody trains a model, presses the button in the toolbar, gives it a name and reads what would be stored; the
form puts the line into a cell and runs it, and the sidebar shows the version. The cell has a badge, the cells that
the model was made of have a quiet mark, and an edit shows until it is undone. From the version one comes back to
the cell, tomorrow too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import Lab, Notebook
from playwright.sync_api import Locator, Page, expect

from nbreg import Registry

ROOT = Path(__file__).resolve().parents[2]
PICTURES = os.environ.get("NBREG_PICTURES")
"""A folder for pictures of the form, for whoever changes how it looks; tests have an environment of their own."""

EVIL = "<img src=x onerror='window.hacked=1'> \"it's\" \\ {no} #1 $HOME why?"

LOADED = "%load_ext nbreg"
TRAINED = "from sklearn.tree import DecisionTreeClassifier\nclf = DecisionTreeClassifier(max_depth=depth).fit([[0], [1]], [0, 1])\naccuracy = 0.9"

Write = Callable[..., Notebook]


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Here a kernel trains, imports and answers while the page waits for it."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def shelf(lab: Lab) -> Registry:
    """The registry of the server's own folder, which all these tests share."""
    return Registry(lab.folder / ".nbreg")


@pytest.fixture
def write(lab: Lab, page: Page, tmp_path: Path) -> Iterator[Write]:
    """Write a notebook, open it and run its cells; its registry is that of the server's folder."""
    opened: list[Notebook] = []

    def one(*cells: str, run: bool = True) -> Notebook:
        notebook = Notebook(lab, page, f"{tmp_path.name}-{len(opened)}.ipynb", list(cells))
        notebook.write()
        notebook.open()
        opened.append(notebook)
        if run:
            notebook.run()
        return notebook

    yield one
    page.keyboard.press("Escape")
    for notebook in opened:
        notebook.end_kernel()
    page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')].forEach(each => each.context && each.dispose())"
    )


def opened_form(page: Page) -> Locator:
    """Press the button in the toolbar."""
    page.get_by_role("toolbar").get_by_role("button", name="Register model…").first.click()
    form = page.get_by_role("dialog", name="Register a model")
    expect(form).to_be_visible()
    return form


def cell(page: Page, at: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(at)


def edit(page: Page, at: int, text: str) -> None:
    """Type something at the end of a cell."""
    cell(page, at).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def test_a_model_is_registered_by_a_line_that_stays(page: Page, write: Write, shelf: Registry) -> None:
    """What was done stands in the notebook as if it had been typed, and can be run again tomorrow."""
    notebook = write(LOADED, "depth = 2", TRAINED)
    before = notebook.evaluated("sorted(k for k in globals() if not k.startswith('_'))")
    form = opened_form(page)
    expect(form.get_by_role("radio", name="clf DecisionTreeClassifier trained last")).to_be_checked()
    expect(form.get_by_role("button", name="Register", exact=True)).to_be_disabled()

    form.get_by_label("Model", exact=True).fill("formed")
    form.get_by_role("button", name="accuracy").click()
    form.get_by_label("Tags").fill("baseline, eu")
    form.get_by_label("Stage").select_option("staging")
    form.get_by_label("Message").fill("first cut")
    form.get_by_role("button", name="Preview").click()
    told = form.get_by_role("region", name="What would be stored")
    expect(told).to_contain_text("DecisionTreeClassifier")
    expect(told).to_contain_text("accuracy 0.9")
    assert shelf.search('model == "formed"') == []
    assert notebook.evaluated("sorted(k for k in globals() if not k.startswith('_'))") == before
    form.get_by_role("button", name="Register", exact=True).click()

    expect(page.locator("#nbreg-panel").get_by_role("heading", level=2)).to_contain_text("formed 1.0.0")
    expect(form).to_have_count(0)
    version = shelf.get("formed@1")
    assert (version.stage, version.tags, version.message) == ("staging", ["baseline", "eu"], "first cut")
    assert version.metrics == {"accuracy": 0.9}
    written = notebook.save()["cells"][-1]
    line = '%register_model formed clf --metrics accuracy --tags "baseline, eu" --stage staging --message "first cut"'
    assert "".join(written["source"]) == line
    assert written["execution_count"] == 4  # of five cells' worth of questions none was counted

    form = opened_form(page)
    expect(form.get_by_role("radio", name="clf")).to_be_checked()
    expect(form.get_by_role("group", name="Models in the kernel")).to_contain_text("is formed@1.0.0 already")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_what_is_typed_is_text_everywhere(page: Page, write: Write, shelf: Registry) -> None:
    """Quotes, tags, comments and braces come to the registry as they were typed, and run nothing on their way."""
    hostile = f"Evil = type({EVIL!r}, (), {{'fit': lambda self: self, 'predict': lambda self: 1}})\nevil = Evil()\ndepth = 1"
    write(LOADED, hostile, TRAINED)
    form = opened_form(page)
    expect(form.get_by_role("group", name="Models in the kernel")).to_contain_text("hacked=1'> \"it's\"")
    form.get_by_role("radio", name="clf").check()
    form.get_by_label("Model", exact=True).fill("typed")
    form.get_by_label("Message").fill(EVIL)
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("region", name="What would be stored")).to_be_visible()
    form.get_by_label("Message").press("Enter")

    expect(page.locator("#nbreg-panel").get_by_role("heading", level=2)).to_contain_text("typed 1.0.0")
    assert shelf.get("typed@1").message == EVIL
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_a_refusal_is_read_before_and_an_error_stays_in_the_cell(
    page: Page, write: Write, shelf: Registry
) -> None:
    """Nothing that was typed is lost to a refusal, and what failed in the kernel is where one looks for it."""
    shelf.register("refused", {"w": 1}, version="1.0.0")
    write(LOADED, "depth = 3", TRAINED)
    form = opened_form(page)
    form.get_by_label("Model", exact=True).fill("refused")
    form.get_by_label("Version").fill("latest")
    form.get_by_role("button", name="Preview").click()
    expect(form.get_by_role("alert")).to_contain_text("latest")
    expect(form.get_by_label("Version")).to_have_value("latest")

    form.get_by_role("button", name="Register", exact=True).click()
    expect(cell(page, 3).locator(".jp-OutputArea")).to_contain_text("latest")
    assert [each.number for each in shelf.versions("refused")] == [1]


def test_a_busy_kernel_is_waited_for(page: Page, write: Write, tmp_path: Path) -> None:
    """An hour of training is no reason for an empty form: it says what it waits for, and fills itself in."""
    go = tmp_path / "go"
    waits = f"import time, pathlib\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)\ndepth = 1"
    notebook = write(LOADED, waits, TRAINED, run=False)
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    form = opened_form(page)
    expect(form.get_by_role("status")).to_contain_text("The kernel is busy.")
    expect(form.get_by_role("button", name="Register", exact=True)).to_be_disabled()

    go.touch()
    expect(form.get_by_role("radio", name="clf")).to_be_checked()
    assert notebook.evaluated("depth") == "1"


def test_a_kernel_without_nbreg_loaded_loads_it_in_the_cell(
    page: Page, write: Write, shelf: Registry
) -> None:
    """Who thinks of the registry after an hour of training has the model in two presses all the same."""
    write("depth = 4", TRAINED)
    form = opened_form(page)
    expect(form).to_contain_text("nbreg is not loaded in this kernel yet")
    form.get_by_label("Model", exact=True).fill("late")
    expect(form.get_by_role("button", name="Preview")).to_be_disabled()
    form.get_by_role("button", name="Register", exact=True).click()

    expect(cell(page, 2)).to_contain_text("%load_ext nbreg%register_model late clf")
    expect(page.locator("#nbreg-panel").get_by_role("heading", level=2)).to_contain_text("late 1.0.0")
    assert shelf.get("late@1").row.type.endswith("DecisionTreeClassifier")


_BARE = "import sys; sys.path[:] = [each for each in sys.path if not each.endswith('src')]; from ipykernel.kernelapp import main; main()"
_OTHER = """
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
class Echo(Kernel):
    implementation, implementation_version, banner = 'echo', '1', 'echo'
    language_info = {'name': 'echo', 'mimetype': 'text/plain', 'file_extension': '.txt'}
    def do_execute(self, code, silent, *more, **named):
        return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}
IPKernelApp.launch_instance(kernel_class=Echo)
"""


@pytest.mark.parametrize(
    ("name", "program", "why", "next_step"),
    [
        ("bare", _BARE, "nbreg is not installed in this kernel's environment", "%pip install nbreg"),
        ("echo", _OTHER, "this kernel speaks echo", "nbreg registers what Python kernels hold"),
    ],
)
def test_a_kernel_that_cannot_register_says_why(
    page: Page, lab: Lab, tmp_path: Path, name: str, program: str, why: str, next_step: str
) -> None:
    """Other environments and other languages are usual: the form says what is missing there."""
    spec = lab.data / "kernels" / name
    spec.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-c", program, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": name}))
    notebook = Notebook(lab, page, f"{tmp_path.name}.ipynb", ["1"])
    notebook.write()
    text = json.loads(notebook.path.read_text())
    text["metadata"] = {"kernelspec": {"name": name, "display_name": name, "language": name}}
    notebook.path.write_text(json.dumps(text))
    page.evaluate("() => window.jupyterapp.serviceManager.kernelspecs.refreshSpecs()")
    notebook.open()

    form = opened_form(page)
    expect(form.get_by_role("alert")).to_contain_text(why)
    expect(form.get_by_role("alert")).to_contain_text(next_step)
    page.keyboard.press("Escape")
    notebook.close()


def test_a_badge_says_edited_until_it_is_undone(page: Page, write: Write, shelf: Registry) -> None:
    """What the version was made by is compared with what stands there: also after the page was loaded anew."""
    notebook = write(LOADED, "depth = 5", TRAINED, "%register_model edited clf")
    badge = page.locator(".jp-nbreg-Badge")
    expect(badge).to_have_text("edited 1.0.0")

    edit(page, 3, "  # later")
    expect(badge).to_have_text("edited 1.0.0 · edited since")
    page.keyboard.press("Control+z")
    expect(badge).to_have_text("edited 1.0.0")

    edit(page, 3, " --new")
    notebook.save()
    notebook.reopen()
    expect(badge).to_have_text("edited 1.0.0 · edited since")
    for _ in range(len(" --new")):
        cell(page, 3).locator(".cm-content").click()
        page.keyboard.press("Control+End")
        page.keyboard.press("Backspace")
    expect(badge).to_have_text("edited 1.0.0")


def test_the_cells_that_the_last_version_was_made_of_are_marked(
    page: Page, write: Write, shelf: Registry
) -> None:
    """One sees before an edit what it concerns, and after it that the version is of another notebook."""
    write(LOADED, "other = 1", "depth = 6", TRAINED, "%register_model marked clf")
    mark = page.locator(".jp-nbreg-Mark")
    expect(page.locator(".jp-nbreg-Badge")).to_have_text("marked 1.0.0")
    for at, count in enumerate((0, 0, 1, 1, 0)):
        expect(cell(page, at).locator(".jp-nbreg-Mark")).to_have_count(count)
    expect(cell(page, 2).get_by_role("button", name="marked 1.0.0 was made of it")).to_be_visible()

    edit(page, 2, "00")
    expect(
        cell(page, 2).get_by_role("button", name="Edited since marked 1.0.0 was made of it")
    ).to_be_visible()
    expect(page.locator(".jp-nbreg-Badge")).to_have_text("marked 1.0.0 · 1 cell before it edited since")
    mark.first.click()
    expect(page.locator("#nbreg-panel").get_by_role("heading", level=2)).to_contain_text("marked 1.0.0")


def test_a_version_leads_back_to_its_cell(page: Page, write: Write, shelf: Registry) -> None:
    """Weeks later nobody knows which notebook it was: one press opens it, at the cell."""
    fill = [f"# {i}\n" + "\n" * 8 for i in range(25)]
    notebook = write(LOADED, "depth = 7", TRAINED, *fill, "%register_model led clf", *fill)
    expect(page.locator(".jp-nbreg-Badge")).to_have_count(1)
    notebook.save()
    notebook.end_kernel()
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.dispose() }")
    page.evaluate(
        "() => window.jupyterapp.commands.execute('nbreg:show-version', {ref: 'led@1'}).then(() => null)"
    )
    panel = page.locator("#nbreg-panel")

    panel.get_by_role("button", name="Go to its cell").click()

    made = page.locator(".jp-Notebook .jp-CodeCell", has_text="%register_model led clf")
    expect(made).to_be_in_viewport()
    expect(page.locator(".jp-Notebook .jp-Cell.jp-mod-active")).to_contain_text("%register_model led clf")

    page.keyboard.press("Escape")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell').then(() => null)")
    panel.get_by_role("button", name="Go to its cell").click()
    expect(panel.get_by_role("status")).to_contain_text("the cell that made it is not in")


def test_what_was_edited_and_not_run_is_in_the_version(page: Page, write: Write, shelf: Registry) -> None:
    """The page knows what the kernel cannot: the version says that its cells are not those that one reads."""
    notebook = write(LOADED, "depth = 8", "unrelated = 1", TRAINED, "%register_model told clf")
    assert shelf.get("told@1").recipe.state == {"order": "linear"}

    edit(page, 1, "0")
    edit(page, 2, "0")
    edit(page, 4, " --new")
    notebook.command("notebook:run-cell")
    expect(cell(page, 4).locator(".jp-InputPrompt")).to_have_text("[6]:")
    expect(cell(page, 4).locator(".jp-OutputArea")).to_contain_text("[2] edited since")

    assert shelf.get("told@2").recipe.state["edited"] == ["[2]"]
    assert "deleted" not in shelf.get("told@2").recipe.state


def test_nothing_is_said_of_cells_that_do_not_register(page: Page, write: Write) -> None:
    """No message for a key, none for a cell: what a person does all day costs nothing."""
    notebook = write(LOADED, "depth = 9", TRAINED)
    page.evaluate(
        """() => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          window.sent = [];
          kernel.anyMessage.connect((_, {msg, direction}) => direction === 'send' && window.sent.push(
            msg.header.msg_type + ' ' + (msg.content.code ?? '') + Object.values(msg.content.user_expressions ?? {})));
        }"""
    )
    edit(page, 1, "0")
    notebook.command("notebook:run-cell")
    expect(cell(page, 1).locator(".jp-InputPrompt")).to_have_text("[4]:")
    sent = page.evaluate("() => window.sent.filter(each => each.startsWith('execute'))")
    assert sent == ["execute_request depth = 90"]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_the_form_can_be_read_and_reached(page: Page, write: Write, shelf: Registry, theme: str) -> None:
    """Names for whoever hears it, contrast for whoever sees it badly, keys for whoever has no mouse."""
    axe = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
    assert axe.exists(), "make extension"
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)"
    write(LOADED, "depth = 10", TRAINED, f"%register_model read{len(theme)} clf --new")
    page.evaluate(change, theme)
    page.add_script_tag(path=axe)
    form = opened_form(page)
    expect(form.get_by_label("Model", exact=True)).to_be_focused()
    form.get_by_label("Model", exact=True).fill("churn")
    form.get_by_label("Message").fill("first cut")
    form.get_by_role("button", name="accuracy").press("Space")
    expect(form.get_by_role("button", name="accuracy")).to_have_attribute("aria-pressed", "true")
    form.get_by_role("button", name="Preview").press(
        "Enter"
    )  # presses what has the focus, and registers nothing
    expect(form.get_by_role("region", name="What would be stored")).to_be_visible()
    page.wait_for_timeout(300)  # colours of a theme fade in
    found = page.evaluate("() => axe.run('.jp-nbreg-Dialog').then(found => found.violations)")
    marks = page.evaluate(
        "() => axe.run({include: [['.jp-nbreg-Mark'], ['.jp-nbreg-Badge']]}).then(found => found.violations)"
    )
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/form-{theme.split()[-1].lower()}.png")
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/marks-{theme.split()[-1].lower()}.png")
    page.evaluate(change, "JupyterLab Light")

    assert {
        f"{each['id']}: {node['html'][:200]}" for each in found + marks for node in each["nodes"]
    } == set()
