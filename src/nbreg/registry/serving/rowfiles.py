"""Rows in a file, as somebody who asks about them has them: CSV, JSON, or JSON in lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbreg.errors import BadInputError


def read(text: str) -> list[dict[str, Any]]:
    """The rows of a file, or of JSON that is given in its place. Raises `BadInputError`.

    Of a CSV file a column is numbers if all that stands in it is, as pandas reads it; an empty
    cell is a missing value.
    """
    if text.lstrip()[:1] in ("{", "["):
        return _json(text, "what was given")
    path = Path(text).expanduser()
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInputError(f"there is no file {path}", hint=f"a path is read from {Path.cwd()}") from None
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or error
        raise BadInputError(f"{path} cannot be read: {told}", hint="a CSV or JSON file in UTF-8") from None
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson") or content.lstrip()[:1] in ("{", "["):
        return _json(content, str(path))
    return _csv(content, path)


def _json(content: str, where: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(content)
    except ValueError:
        try:
            found = [json.loads(line) for line in content.splitlines() if line.strip()]
        except ValueError as error:
            raise BadInputError(f"{where} is no JSON: {error}", hint='[{"age": 36}, {"age": 40}]') from None
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInputError(f"{where} holds no rows", hint='an object for each: [{"age": 36}, {"age": 40}]')
    return rows


def _csv(content: str, path: Path) -> list[dict[str, Any]]:
    try:
        names, *lines = csv.reader(content.splitlines(keepends=True))
    except (ValueError, csv.Error):
        raise BadInputError(
            f"{path} holds no rows", hint="a line of names, then a line for each row"
        ) from None
    uneven = next((at for at, line in enumerate(lines, 2) if line and len(line) != len(names)), None)
    if uneven is not None:
        raise BadInputError(f"{path}:{uneven} has another number of cells than the first line has names")
    lines = [line for line in lines if line]
    columns = [_column([line[place] for line in lines]) for place in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _column(cells: Sequence[str]) -> list[Any]:
    kinds: tuple[Callable[[str], Any], ...] = (_truth, int, float)
    for kind in kinds:
        try:
            return [None if cell == "" else kind(cell) for cell in cells]
        except ValueError:
            pass
    return [None if cell == "" else cell for cell in cells]


def _truth(cell: str) -> bool:
    if cell.lower() not in ("true", "false"):
        raise ValueError(cell)
    return cell.lower() == "true"
