"""What a front end says to the widgets of a panel: each has a channel of its own, and what is typed and pressed
is one thing all the same. JupyterLab sends it beside the cells, to a thread of its own (a subshell)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import SECONDS, Kernel, running_kernel

from nbreg import Registry

HELP = """
import pathlib, time, nbreg.panels
def until(path):
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
def find(panel, said):
    left = [panel.view()]
    for each in left:
        left += getattr(each, "children", ())
    return next(each for each in left if said in (getattr(each, "description", ""), getattr(each, "tooltip", "")))
"""


class Page:
    """A page that shows a kernel's widgets, and sends what somebody does to a thread beside the cells."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._client = kernel, kernel.client
        asked = self._client.session.msg("create_subshell_request", {})
        self._client.control_channel.send(asked)
        self._beside = self._client.get_control_msg(timeout=SECONDS)["content"]["subshell_id"]

    def widget(self, panel: str, said: str) -> str:
        """The model of a widget by what is said of it."""
        return self._kernel.good(f"print(find({panel}, {said!r}).model_id)").stdout.strip()

    def presses(self, model: str) -> str:
        return self._send(model, {"method": "custom", "content": {"event": "click"}})

    def says(self, model: str, value: Any) -> str:
        return self._send(model, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def _send(self, model: str, data: dict[str, Any]) -> str:
        message = self._client.session.msg("comm_msg", {"comm_id": model, "data": data})
        message["header"]["subshell_id"] = self._beside
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def wait(self, message: str) -> None:
        """Until the kernel is done with what was sent."""
        while True:
            got = self._client.get_iopub_msg(timeout=SECONDS)
            is_of_it = got["parent_header"].get("msg_id") == message
            if is_of_it and got["content"].get("execution_state") == "idle":
                return


@pytest.fixture
def kernel(registry: Registry) -> Iterator[Kernel]:
    for accuracy in (0.91, 0.95):
        registry.register("churn", {"w": accuracy}, metrics={"accuracy": accuracy})
    with running_kernel() as kernel:
        kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n{HELP}")
        yield kernel


def test_a_press_sends_what_was_typed_though_a_cell_runs(
    kernel: Kernel, registry: Registry, tmp_path: Path
) -> None:
    """A reason is typed and the button pressed while a cell trains: the reason stands in the event."""
    kernel.good("panel = nbreg.panels.Stages('churn@1')\n_ = panel.view()")
    page = Page(kernel)
    reason = page.widget("panel", "reason")
    page.wait(page.presses(page.widget("panel", "promote to production")))
    confirm = page.widget("panel", "1.0.0 (#1) goes from none to production")
    ended = tmp_path / "ended"
    trains = kernel.begin(f"until({str(ended)!r})")
    page.says(reason, "FirstRelease")
    page.wait(page.presses(confirm))
    ended.touch()
    assert kernel.finish(trains).ok
    assert registry.events("churn")[0].reason == "FirstRelease"


def test_a_press_counts_though_the_panel_is_being_drawn(
    kernel: Kernel, registry: Registry, tmp_path: Path
) -> None:
    """What the panel changes itself is no press; what is pressed by somebody at that moment is one."""
    kernel.good("history = nbreg.panels.History('churn')\n_ = history.view()")
    page = Page(kernel)
    name = page.widget("history", "1.1.0 (#2): show it")
    began, ended = tmp_path / "began", tmp_path / "ended"
    draws = kernel.begin(
        f"history._view._parts.quietly(lambda: (pathlib.Path({str(began)!r}).touch(), until({str(ended)!r})))"
    )
    while not began.exists():
        time.sleep(0.01)
    page.wait(page.says(name, True))
    ended.touch()
    assert kernel.finish(draws).ok
    assert kernel.good("print(history.chosen)").stdout.strip() == "[2]"
