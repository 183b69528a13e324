"""Panels in Jupyter Notebook, which shows one document and is another application than JupyterLab."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import TOKEN, Lab, Notebook
from playwright.sync_api import Page, expect

from nbreg import Registry

_READY = """async () => {
  const app = window.jupyterapp;
  const widget = app && app.shell.currentWidget;
  if (!widget || !widget.sessionContext) return false;
  await widget.context.ready;
  await widget.sessionContext.ready;
  const kernel = widget.sessionContext.session && widget.sessionContext.session.kernel;
  if (!kernel) return false;
  await kernel.info;
  return true;
}"""


@pytest.mark.skipif(importlib.util.find_spec("notebook") is None, reason="Jupyter Notebook is not installed")
def test_history_and_stages_work_in_jupyter_notebook(
    registry: Registry, lab: Lab, another_page: Callable[[], Page], tmp_path: Path
) -> None:
    """The same server, the same kernel, another window: a click promotes there as well, and the twin stays away."""
    for accuracy in (0.91, 0.95):
        registry.register("cancer", {"w": accuracy}, metrics={"accuracy": accuracy})
    cells = [
        f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg",
        "%model_history cancer",
        "import nbreg.panels\nnbreg.panels.Stages('cancer@1')",
    ]
    page = another_page()
    notebook = Notebook(lab, page, f"{tmp_path.name}-7.ipynb", cells)
    notebook.write()
    page.goto(f"{lab.url}notebooks/{notebook.name}?token={TOKEN}")
    for _ in range(120):
        if page.evaluate(_READY):
            break
        page.wait_for_timeout(250)
    notebook.command("notebook:run-all-cells")
    history, stages = notebook.panel.first, notebook.panel.last
    expect(notebook.panel).to_have_count(2, timeout=30_000)
    expect(page.locator(".nbreg-twin:visible")).to_have_count(0)

    stages.locator('button[title="promote to production"]').click()
    stages.get_by_placeholder("reason").fill("FirstRelease")
    stages.locator("button.mod-primary").click()
    expect(stages.locator(".nbreg-done")).to_contain_text("none → production")
    expect(history.locator(".nbreg-head").first).to_contain_text("production 1.0.0 (#1)")
    assert registry.events("cancer")[0].reason == "FirstRelease"

    history.locator("button.nbreg-name", has_text="1.1.0").first.click()
    expect(history).to_contain_text("promote to")
    notebook.end_kernel()


@pytest.mark.skipif(importlib.util.find_spec("notebook") is None, reason="Jupyter Notebook is not installed")
def test_the_sidebar_is_in_jupyter_notebook(lab: Lab, another_page: Callable[[], Page]) -> None:
    """It is one extension: what is in the wheel is there in Notebook, too, and reads the registry of the folder."""
    Registry(lab.folder / "seventh" / ".nbreg").register("seventh", {"w": 1})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": []}
    (lab.folder / "seventh" / "one.ipynb").write_text(json.dumps(text))
    page = another_page()
    page.goto(f"{lab.url}notebooks/seventh/one.ipynb?token={TOKEN}")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)")

    page.evaluate("() => window.jupyterapp.commands.execute('nbreg:search').then(() => null)")

    panel = page.locator("#nbreg-panel")
    expect(panel.get_by_role("button", name="seventh")).to_be_visible(timeout=30_000)
    for session in lab.api("sessions"):
        if session["path"] == "seventh/one.ipynb":
            lab.api(f"sessions/{session['id']}", "DELETE")
