"""A real kernel for tests: cells go in, what a notebook would show comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.manager import KernelManager

SECONDS = 120

MODEL = """
class Mean:
    def __init__(self, scale=1.0):
        self.scale = scale
    def fit(self, values):
        self.mean = self.scale * sum(values) / len(values)
        return self
    def predict(self, values):
        return [self.mean for _ in values]
"""
"""A model that needs no library, so that a kernel is ready at once."""


@dataclass
class Ran:
    """What one cell showed."""

    status: str = ""
    text: str = ""
    """All text/plain, whether a result or displayed."""
    stdout: str = ""
    stderr: str = ""
    errors: list[str] = field(default_factory=list)
    """The class of each traceback shown."""
    traces: list[list[str]] = field(default_factory=list)
    """What each of them said."""
    bundles: list[dict[str, Any]] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    """What was told beside each bundle."""
    updates: list[str] = field(default_factory=list)
    """What replaced an output that was there, in its order."""

    @property
    def ok(self) -> bool:
        return self.status == "ok"


class Kernel:
    """A running kernel."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def begin(self, code: str, **options: Any) -> str:
        message: str = self.client.execute(code, **{"allow_stdin": False, **options})
        return message

    def finish(self, message: str) -> Ran:
        ran = self._published(message)
        ran.status = self._answered(message)["content"].get("status", "")
        return ran

    def reply(self, message: str) -> dict[str, Any]:
        """What the kernel answers to a message that is no cell; what it publishes meanwhile is read."""
        # What nobody reads, zmq drops beyond a thousand, and the next cell's with it.
        self._published(message)
        return self._answered(message)

    def _published(self, message: str) -> Ran:
        ran = Ran()
        while True:
            got = self.client.get_iopub_msg(timeout=SECONDS)
            if got["parent_header"].get("msg_id") != message:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return ran
            self._note(ran, kind, content)

    def _answered(self, message: str) -> dict[str, Any]:
        while (reply := self.client.get_shell_msg(timeout=SECONDS))["parent_header"].get("msg_id") != message:
            pass
        answer: dict[str, Any] = reply
        return answer

    @staticmethod
    def _note(ran: Ran, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            setattr(ran, content["name"], getattr(ran, content["name"]) + content["text"])
        elif kind in ("execute_result", "display_data"):
            ran.bundles.append(content["data"])
            ran.metadata.append(content["metadata"])
            ran.text += content["data"].get("text/plain", "") + "\n"
        elif kind == "update_display_data":
            ran.updates.append(content["data"].get("text/plain", ""))
        elif kind == "error":
            ran.errors.append(content["ename"])
            ran.traces.append(content["traceback"])

    def run(self, code: str, **options: Any) -> Ran:
        """Run a cell as a notebook would."""
        return self.finish(self.begin(code, **options))

    def run_in_front(self, code: str, cell: str) -> Ran:
        """Run a cell as JupyterLab does, which says which one it is: somebody is there to click."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": True}  # fmt: skip
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell})
        self.client.shell_channel.send(message)
        return self.finish(message["header"]["msg_id"])

    def good(self, code: str) -> Ran:
        """Run a cell that has to succeed."""
        ran = self.run(code)
        assert ran.ok, f"{code}\n{ran.stderr}{ran.errors}"
        return ran

    def refused(self, code: str) -> str:
        """Run a line that has to be refused: one line, no traceback, the cell failed."""
        ran = self.run(code)
        assert ran.status == "error", f"{code}\n{ran.text}"
        assert ran.errors in ([], ["UsageError"]), ran.errors
        lines = ran.stderr.strip().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("UsageError: ")
        return lines[0].removeprefix("UsageError: ")

    def rest(self) -> None:
        """Let the kernel handle a message that is no cell, as one that is idle does."""
        self.reply(self.client.kernel_info())

    def complete(self, code: str) -> list[str]:
        """What Tab offers at the end of the code, as whole lines."""
        content = self.reply(self.client.complete(code, len(code)))["content"]
        return [code[: content["cursor_start"]] + match for match in content["matches"]]


@contextmanager
def running_kernel() -> Iterator[Kernel]:
    """A kernel of this interpreter, ended afterwards."""
    # Sockets in a folder of their own, and a short one: free ports are looked for before they are taken.
    with TemporaryDirectory(prefix="nbreg-") as folder:
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{folder}/kernel")
        manager.start_kernel()
        try:
            kernel = Kernel(manager)
            yield kernel
            kernel.client.stop_channels()
        finally:
            manager.shutdown_kernel(now=True)
