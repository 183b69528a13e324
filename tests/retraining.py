"""A notebook that trains and registers, as a scheduled job runs it."""

from __future__ import annotations

from pathlib import Path

import nbformat
from kernels import MODEL

TRAIN = [
    ("parameters", "scale = 1.0\nseed: int = 0"),
    ("", MODEL),
    ("", "clf = Mean(scale).fit([1, 2, 3])\naccuracy = 0.5 + scale / 10"),
    ("", "%register_model churn clf --metrics accuracy --message weekly"),
    ("", "%promote churn@latest production --reason Weekly --message 'by rule'"),
]


def notebook(path: Path, cells: list[tuple[str, str]]) -> Path:
    document = nbformat.v4.new_notebook()
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for tag, source in cells:
        metadata = {"tags": [tag]} if tag else {}
        document.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(document, path)
    return path
