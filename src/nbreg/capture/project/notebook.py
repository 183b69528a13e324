"""The notebook as it was last saved: its cells and text, without outputs.

What ran is in the recipe. This is what the author wrote around it, as far as it was saved; outputs
may show anybody's data, and stay out. A file that did not change is not read again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nbreg.capture.parts import Part
from nbreg.capture.secrets import Redactor
from nbreg.records import Context, Notebook, timestamp

MOST_READ: Final = 8 * 1024 * 1024
"""Bytes of a file, its outputs included, that is read."""

MOST_KEPT: Final = 1024 * 1024
"""Characters of all cells together that are kept."""

_KEPT: Final = ("kernelspec", "language_info")
_last: tuple[tuple[object, ...], Part] | None = None


def capture_notebook(context: Context, redactor: Redactor) -> Part | str:
    """The notebook, or why there is none."""
    global _last
    path = _found(context.notebook)
    if path is None:
        return "its file is not known to the kernel" if not context.notebook else "its file is not found"
    status = path.stat()
    if status.st_size > MOST_READ:
        return f"its file has more than {MOST_READ >> 20} MiB"
    key = (str(path), status.st_mtime_ns, status.st_size, status.st_ino, redactor.values)
    if _last is not None and _last[0] == key:
        return _last[1]
    document = _cleaned(json.loads(path.read_bytes()), redactor)
    if document is None:
        return "its file is no notebook"
    if sum(len(each["source"]) for each in document["cells"]) > MOST_KEPT:
        return f"its cells have more than {MOST_KEPT >> 20} MiB"
    saved = timestamp(datetime.fromtimestamp(status.st_mtime, UTC))
    record = Notebook(path=redactor.text(str(path)), saved=saved, document=document)
    summary = {"name": redactor.text(path.name), "cells": len(document["cells"]), "saved": saved[:16]}
    part = Part(record, summary)
    _last = key, part
    return part


def _found(told: str) -> Path | None:
    """A server tells a path that is relative to its own folder; a kernel begins in the notebook's."""
    if not told:
        return None
    path = Path(told)
    places = [path] if path.is_absolute() else [Path(path.name), path]
    with suppress(OSError):
        return next((each.absolute() for each in places if each.is_file()), None)
    return None


def _cleaned(found: Any, redactor: Redactor) -> dict[str, Any] | None:
    """The document without outputs and without what frontends note beside the cells."""
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        return None
    metadata = found.get("metadata")
    kept = {key: metadata[key] for key in _KEPT if key in metadata} if isinstance(metadata, dict) else {}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": redactor.plain(kept),
        "cells": [_cell(each, redactor) for each in found["cells"] if isinstance(each, dict)],
    }


def _cell(cell: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    kind = cell.get("cell_type")
    told: dict[str, Any] = {
        "cell_type": kind if kind in ("code", "markdown") else "raw",
        "id": str(cell.get("id", ""))[:64],
        "metadata": {},
        "source": redactor.text(text),
    }
    return told | ({"execution_count": None, "outputs": []} if kind == "code" else {})
