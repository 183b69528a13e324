"""Compare two result lines of one benchmark: `python benchmarks/compare.py register [BEFORE [AFTER]]`.

BEFORE and AFTER are commits, or line numbers counted from the end (-2 and -1, when left out).
A change is only called one where the quartiles of the two do not overlap.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from harness import RESULTS


def main(arguments: list[str]) -> int:
    """Print the figures of both, side by side."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    name, before, after = [*arguments, *("", "-2", "-1")[len(arguments) :]]
    lines = [json.loads(line) for line in (RESULTS / f"{name}.jsonl").read_text().splitlines()]
    one, two = _choose(lines, before), _choose(lines, after)
    for label, line in (("before", one), ("after", two)):
        machine = line["machine"]
        print(f"{label}: {line['commit']}{'+' * line['changed']} {line['at']} Python {line['python']}, "
              f"{machine['processor']} × {machine['cores']}, load {machine['load']}")  # fmt: skip
    if one["machine"]["processor"] != two["machine"]["processor"]:
        print("other machines: compare only what is a ratio")
    known = {each["what"]: each for each in one["figures"]}
    for figure in two["figures"]:
        if figure["what"] in known:
            print(_row(known[figure["what"]], figure))
    return 0


def _choose(lines: list[dict[str, Any]], which: str) -> dict[str, Any]:
    if which.removeprefix("-").isdigit() and len(which) < 6:
        return lines[int(which)]
    return next(line for line in reversed(lines) if line["commit"].startswith(which))


def _row(before: dict[str, Any], after: dict[str, Any]) -> str:
    change = after["value"] / before["value"] if before["value"] else float("nan")
    return (
        f"{after['what']:<64} {before['value']:>10.4g} → {after['value']:>10.4g} {after['unit']:<3}"
        f" {change:>6.2f} ×  {'changed' if _apart(before, after) else ''}"
    ).rstrip()


def _apart(before: dict[str, Any], after: dict[str, Any]) -> bool:
    if before["low"] is None or after["low"] is None:
        return False
    return bool(before["high"] < after["low"] or after["high"] < before["low"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
