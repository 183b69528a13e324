"""Driving JupyterLab as a person does, with the waits that make it certain."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, WebError

TOKEN = "a-token-of-the-tests"

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
"""What chromium needs in a container and as root."""

_MEANT = re.compile(
    r"status of 4\d\d .*/nbreg/"  # a refusal, which whoever asked is shown
    r"|ERR_FAILED .*/nbreg/poll"  # news that a test keeps back
    r"|widget model not found"  # a saved widget whose kernel ended, which shows its twin
    r"|'schema'\)\s+at \S+notebook_core"  # Notebook 7.6 reads shortcuts before it has them, with no extension at all, too
    r"|Canceled future for create_subshell_request"  # a notebook that was closed while its kernel began
    r"|Could not restore the debugger state"  # a kernel that was ended while JupyterLab asked it
)
"""What chromium or JupyterLab log as an error and is none of ours: it is what the test is about."""

_READY = """async () => {
  const app = window.jupyterapp;
  if (!app) return false;
  const widget = app.shell.currentWidget;
  if (!widget || !widget.sessionContext) return false;
  await app.restored;
  await widget.context.ready;
  await widget.sessionContext.ready;
  const kernel = widget.sessionContext.session && widget.sessionContext.session.kernel;
  if (!kernel) return false;
  await kernel.info;
  return true;
}"""


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """A JupyterLab over that folder on a free port, of the user whose homes the environment names."""
    settings = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "lab/user-settings/@jupyterlab"
    for name, values in {
        # a question in front of what is tested
        "apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
        # a busy machine: JupyterLab waits a second for the kernel, and then offers nothing
        "completer-extension/manager": {"providerTimeout": 30_000},
    }.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / f"{name}.jupyterlab-settings").write_text(json.dumps(values))
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.port=0", "--allow-root",
        f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
    ]  # fmt: skip
    log = folder.with_name(f"{folder.name}.log")
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        try:
            yield Lab(_url(server, log), folder)
        finally:
            server.terminate()
            try:
                server.wait(timeout=60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _url(server: subprocess.Popen[bytes], log: Path) -> str:
    """What the server wrote down once it listened."""
    described = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{server.pid}.json"
    for _ in range(900):
        if described.exists() and described.read_text().rstrip().endswith("}"):
            return str(json.loads(described.read_text())["url"])
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def load(lab: Lab, page: Page) -> None:
    """Load JupyterLab with nothing open."""
    page.goto(f"{lab.url}lab?token={TOKEN}&reset")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)")
    page.evaluate(
        """() => {
          const shell = window.jupyterapp.shell;
          shell.collapseLeft();
          shell.collapseRight();
        }"""
    )


def watch(context: BrowserContext, found: list[str]) -> None:
    """Note what goes wrong in the pages of a context without anybody seeing it."""

    def thrown(error: WebError) -> None:
        told = error.error.stack or str(error.error)
        if not _MEANT.search(told):
            found.append(f"thrown: {told}")

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error" and not _MEANT.search(f"{message.text} {message.location['url']}"):
            found.append(f"logged: {message.text} ({message.location['url']})")

    context.on("weberror", thrown)
    context.on("console", logged)


class Lab:
    """The server, and the folder of its notebooks."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.data = Path(os.environ["JUPYTER_DATA_DIR"])  # the server's; each test has another one

    def api(self, path: str, method: str = "GET") -> Any:
        """Ask the server itself."""
        request = urllib.request.Request(
            f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(self, lab: Lab, page: Page, name: str, cells: list[str]) -> None:
        self.lab, self.page, self.name, self.cells = lab, page, name, cells
        self.path = lab.folder / name

    def write(self) -> None:
        """Put it where the server finds it."""
        cells: list[dict[str, Any]] = [
            {"cell_type": "code", "id": f"cell-{i}", "source": source, "metadata": {}, "outputs": [],
             "execution_count": None}
            for i, source in enumerate(self.cells)
        ]  # fmt: skip
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        self.path.write_text(
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells})
        )

    def open(self) -> None:
        """Open it and wait until its kernel answers: what is run before that does silently nothing."""
        self.command("docmanager:open", path=self.name, factory="Notebook")
        for _ in range(240):
            if self.page.evaluate(_READY):
                return
            self.page.wait_for_timeout(250)
        raise AssertionError("the kernel did not answer")

    def close(self) -> None:
        """Close it and end its kernel, unsaved."""
        self.end_kernel()
        self.page.evaluate("() => { window.jupyterapp.shell.currentWidget.dispose() }")

    def reopen(self) -> None:
        """Come back tomorrow: the kernel ended, the page is loaded anew."""
        self.close()
        load(self.lab, self.page)
        self.open()

    def command(self, name: str, **arguments: Any) -> None:
        """Execute one of JupyterLab's commands and wait for it."""
        self.page.evaluate(
            "([name, given]) => window.jupyterapp.commands.execute(name, given).then(() => null)",
            [name, arguments],
        )

    def run(self) -> None:
        """Run all cells; whoever looks at an error output sees what failed."""
        self.command("notebook:run-all-cells")
        failed = self.page.locator(
            '[data-mime-type="application/vnd.jupyter.error"], .jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]'
        )
        assert failed.count() == 0, failed.first.inner_text()

    def evaluated(self, expression: str) -> str:
        """What the kernel says an expression is now."""
        return str(
            self.page.evaluate(
                """async code => {
                  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                  const asked = kernel.requestExecute(
                    {code: "0", user_expressions: {it: code}, store_history: false, silent: true});
                  const reply = await asked.done;
                  return reply.content.user_expressions.it.data["text/plain"];
                }""",
                expression,
            )
        )

    def begin(self, code: str) -> None:
        """Have the kernel begin with something, and do not wait for it."""
        self.page.evaluate(
            """code => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              kernel.requestExecute({code, store_history: false, silent: true});
            }""",
            code,
        )

    def save(self) -> dict[str, Any]:
        """Save it and read what is on disk."""
        self.command("docmanager:save")
        saved: dict[str, Any] = json.loads(self.path.read_text())
        return saved

    @property
    def panel(self) -> Locator:
        """The panel; there is one in these notebooks."""
        return self.page.locator(".nbreg-panel")

    def button(self, text: str) -> Locator:
        """A button of the panel by its text or, where it is an icon, its tooltip."""
        named = self.panel.locator("button:visible").filter(has_text=text)
        return named.first if named.count() else self.panel.locator(f'button[title="{text}"]:visible').first

    def end_kernel(self) -> None:
        """End the kernel as closing the notebook for the day does."""
        for session in self.lab.api("sessions"):
            if session["path"] == self.name:
                self.lab.api(f"sessions/{session['id']}", "DELETE")
