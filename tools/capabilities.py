"""Write `docs/capabilities.md` from `docs/capabilities.toml`.

.venv/bin/python tools/capabilities.py           write it
.venv/bin/python tools/capabilities.py --check   say whether it is up to date, and what is wrong
"""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "capabilities.toml"
PAGE = ROOT / "docs" / "capabilities.md"
COMMAND = ".venv/bin/python tools/capabilities.py"
NUMBERS = [str(number) for number in range(1, 109)]
"""The numbers that may not be missing. Those with an F come on top."""

PARTS = {
    "1": "Models, versions, names, numbers",
    "25": "Stages, promotion, rollback",
    "43": "Registering, runs, and the other verbs",
    "71": "What a version knows, and what it leads to",
    "89": "Practices that it holds to, and mistakes that it tells",
    "F1": "What only the notebook makes possible",
}
"""Titles, each before the capability of that number."""


class Capability(NamedTuple):
    """Something that nbreg does."""

    number: str
    what: str
    tests: list[str]
    """`tests/test_x.py::test_name`"""
    page: str
    says: str
    """Words that stand on that page."""


def capabilities() -> list[Capability]:
    """The table, as it is written."""
    return [Capability(**each) for each in tomllib.loads(TABLE.read_text())["capability"]]


def page(table: list[Capability]) -> str:
    """The whole page."""
    lines = [
        "# What nbreg can do",
        "",
        f"Made by `{COMMAND}` from `capabilities.toml`: each capability, the tests",
        "that hold it, and the page that explains it.",
    ]
    for each in table:
        if each.number in PARTS:
            lines += ["", f"## {PARTS[each.number]}", "", "| | what | tests | page |", "|---|---|---|---|"]
        tests = " · ".join(f"[{_title(test)}](../{test.partition('::')[0]})" for test in each.tests)
        name = Path(each.page).name
        lines.append(f"| {each.number} | {each.what.replace('|', '&#124;')} | {tests} | [{name}]({name}) |")
    return "\n".join(lines) + "\n"


def problems(table: list[Capability]) -> list[str]:
    """What is wrong with the table: missing numbers, tests, pages, words."""
    numbers = [each.number for each in table]
    found = [f"{number}: there is no such capability" for number in NUMBERS if number not in numbers]
    found += [f"{number}: it is there twice" for number in sorted(set(numbers)) if numbers.count(number) > 1]
    for each in table:
        found += [f"{each.number}: no test {test}" for test in each.tests if not _is_test(test)]
        if not each.tests:
            found.append(f"{each.number}: it has no test")
        if not (ROOT / each.page).is_file():
            found.append(f"{each.number}: no page {each.page}")
        elif not each.says or " ".join(each.says.split()) not in _words(each.page):
            found.append(f"{each.number}: {each.page} does not say {each.says!r}")
    return found


def _title(test: str) -> str:
    return test.rpartition("::test_")[2].replace("_", " ")


def _is_test(test: str) -> bool:
    path, _, name = test.partition("::")
    return name.startswith("test_") and name in _functions(path)


@cache
def _functions(path: str) -> frozenset[str]:
    file = ROOT / path
    body = ast.parse(file.read_text()).body if file.is_file() else []
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef))


@cache
def _words(path: str) -> str:
    return " ".join((ROOT / path).read_text().split())


def main(arguments: list[str]) -> int:
    """Write the page, or check both."""
    table = capabilities()
    if arguments != ["--check"]:
        PAGE.write_text(page(table))
        return 0
    wrong = problems(table)
    if not PAGE.exists() or PAGE.read_text() != page(table):
        wrong.append(f"docs/capabilities.md is not up to date: {COMMAND}")
    print("\n".join(wrong) or "up to date")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
