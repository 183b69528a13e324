"""What a cell shows of an error that nbreg raised on purpose: the user's own lines, message and hint.

The lines of nbreg that lead to a refusal say nothing of it, and push what does out of sight. `%xmode Verbose`
shows them all, and so does `%debug`.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from IPython.core.getipython import get_ipython

from nbreg.errors import NbregError

_PACKAGE: Final = str(Path(__file__).parent.parent) + os.sep  # else `nbreg_gates` beside it is one of nbreg's
_HOOK: Final = "_render_traceback_"
"""What IPython asks an error for."""


def shorten() -> None:
    """From now on the errors of nbreg show themselves without nbreg's own lines at their end."""
    setattr(NbregError, _HOOK, _shown)


def shorten_no_more() -> None:
    """Undo `shorten`; twice is harmless."""
    if _HOOK in vars(NbregError):
        delattr(NbregError, _HOOK)


def _shown(error: NbregError) -> list[str]:
    shell: Any = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    formatter = shell.InteractiveTB
    trace = error.__traceback__
    if formatter.mode != "Verbose":
        trace = _of_the_user(trace)
    lines: list[str] = formatter.structured_traceback(
        type(error), error, trace, tb_offset=formatter.tb_offset
    )
    return lines


def _of_the_user(trace: TracebackType | None) -> TracebackType | None:
    """The traceback up to the last line that is not nbreg's; all of it where every line is."""
    links = []
    while trace is not None:
        links.append(trace)
        trace = trace.tb_next
    while len(links) > 1 and links[-1].tb_frame.f_code.co_filename.startswith(_PACKAGE):
        links.pop()
    found: TracebackType | None = None
    for each in reversed(links):
        found = TracebackType(found, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return found
