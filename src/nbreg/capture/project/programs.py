"""A program that runs beside the caller, and of whose output no more than a bound is read."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from nbreg.capture.recipe.files import unwatched

if TYPE_CHECKING:
    from subprocess import Popen

_PIECE = 1 << 16


class Program:
    """Started at once; `output` waits for its end, `discard` ends it.

    No thread serves it: one would first have to be given the interpreter, which takes
    longer than git does. Starting it is no doing of the running cell's.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.why = ""
        """Why there is no output; empty where the program said nothing that is known here."""
        self._process: Popen[bytes] | None = None
        self._owner = os.getpid()
        import subprocess

        try:
            with unwatched():
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env=environment, start_new_session=True,
                )  # fmt: skip
        except FileNotFoundError:
            self.why = f"{command[0]} is not installed"
        except Exception as error:
            self.why = type(error).__name__

    def output(self, deadline: float, *, most: int | None = None) -> tuple[int | None, bytes, bytes]:
        """Its exit code, what it printed, and what it complained of; no code where it was ended.

        It is ended at the deadline (of the monotonic clock), and once it has printed more than `most`.
        """
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            return None, b"", b""
        texts = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        printed = texts[process.stdout.fileno()]
        waiting = select.poll()
        for each in texts:
            waiting.register(each, select.POLLIN | select.POLLHUP)
        opened = set(texts)
        while opened and (most is None or len(printed) <= most):
            ready = waiting.poll(max(0.0, deadline - monotonic()) * 1000)
            if not ready:
                self.discard()
                return None, bytes(printed), b""
            for each, _ in ready:
                piece = os.read(each, _PIECE)
                texts[each] += piece
                if not piece:
                    waiting.unregister(each)
                    opened.discard(each)
        complaint = bytes(texts[process.stderr.fileno()])
        if opened:
            self.discard()
            return None, bytes(printed), complaint
        code = process.wait()
        self._close()
        return code, bytes(printed), complaint

    def discard(self) -> None:
        """End it, if it still runs; nobody wants its answer."""
        if self._process is not None:
            with suppress(OSError):  # with what it started, such as a signing program that waits for somebody
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._close()

    def __del__(self) -> None:
        # A registration that ends early asks nobody. A forked child has a copy of this, and no such child.
        if getattr(self, "_process", None) is not None and os.getpid() == self._owner:
            with suppress(Exception):
                self.discard()

    def _close(self) -> None:
        process, self._process = self._process, None
        for pipe in (process.stdout, process.stderr) if process else ():
            if pipe is not None:
                pipe.close()
