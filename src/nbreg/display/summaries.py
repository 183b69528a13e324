"""The summary of a captured part, in words.

A summary is a small dictionary that the capture leaves in the manifest. What is not known here
is shown as it stands, so that a part of a later release is readable in an older one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from nbreg.display.text import brief, count, listed, pairs


def summary_line(part: str, summary: Mapping[str, Any]) -> str:
    """`Python 3.11.7 · scikit-learn 1.9.1 · 27 of 69 distributions imported`."""
    try:
        return " · ".join(word for word in _TELLERS[part](summary) if word)
    except (KeyError, TypeError, ValueError):
        return _as_it_stands(summary)


def _environment(summary: Mapping[str, Any]) -> list[str]:
    installed, imported = int(summary["distributions"]), int(summary["imported"])
    return [
        f"Python {brief(summary['python'], 40)}",
        pairs(summary["libraries"]),
        f"{imported} of {count(installed, 'distribution')} imported",
        listed(map(str, summary.get("accelerators", ())), 2),
    ]


def _variables(summary: Mapping[str, Any]) -> list[str]:
    words = {
        "recorded": "recorded",
        "summarised": "summarised",
        "redacted": "withheld",
        "left_out": "left out",
    }
    return [f"{int(summary[key])} {word}" for key, word in words.items() if summary[key]] or ["none"]


def _recipe(summary: Mapping[str, Any]) -> list[str]:
    runs, cells = int(summary["executions"]), int(summary["cells"])
    amount = count(runs, "run") if runs == cells else f"{count(runs, 'run')} of {count(cells, 'cell')}"
    return [amount, brief(summary["status"], 40), brief(summary.get("state", ""), 40), *since(summary)]


def since(recipe: Mapping[str, Any]) -> list[str]:
    """What became of the cells of a recipe after they had run, as far as that was seen."""
    told = {"edited": "edited since", "deleted": "deleted since"}
    listed = {word: [brief(each, 20) for each in recipe.get(key) or []] for key, word in told.items()}
    return [
        f"{' '.join(labels[:5])}{' …' if len(labels) > 5 else ''} {word}"
        for word, labels in listed.items()
        if labels
    ]


def _source(summary: Mapping[str, Any]) -> list[str]:
    beside = [count(int(summary[key]), noun) for key, noun in _BESIDE.items() if int(summary.get(key, 0)) > 0]
    if edited := int(summary.get("edited", 0)):
        beside.append(f"{count(edited, 'module')} edited since the import")
    if "git" in summary:
        return [brief(summary["git"]), *beside]
    dirty = "with uncommitted changes" if summary["dirty"] else ""
    return [
        f"git {brief(summary['branch'], 60)} {brief(summary['commit'], 12)}".replace("  ", " "),
        dirty,
        *beside,
    ]


_BESIDE: Final = {"diff": "changed line", "modules": "local module", "definitions": "definition"}


def _data(summary: Mapping[str, Any]) -> list[str]:
    inferred = summary.get("inferred", ())
    told = "all" if len(inferred) == len(summary.get("sets", ())) else listed(map(str, inferred), 4)
    changed = summary.get("changed", ())
    files, features = int(summary.get("files", 0)), int(summary.get("features", 0))
    return [
        pairs(summary.get("sets", {})),
        f"{told} inferred" if inferred else "",
        f"{listed(map(str, changed), 4)} changed since, so not digested" if changed else "",
        *doubts(summary),
        f"snapshot sha256:{brief(summary['snapshot'], 12)}" if "snapshot" in summary else "",
        f"{count(features, 'feature')}, version sha256:{brief(summary['feature_set'], 12)}"
        if features
        else "",
        f"{count(files, 'file')} read" if files else "",
        f"{count(int(summary['changed_files']), 'file')} changed since" if "changed_files" in summary else "",
    ]


def doubts(summary: Mapping[str, Any]) -> list[str]:
    """What in a version's data makes its metrics doubtful, in words."""
    shared = summary.get("shared_rows", 0)
    alone = "the model was only asked about the data that it was trained on"
    return [
        *([f"{count(shared, 'row')} shared between sets"] if isinstance(shared, int) and shared else []),
        *([alone] if summary.get("asked_about_training") else []),
    ]


def _signature(summary: Mapping[str, Any]) -> list[str]:
    outputs = listed((brief(kind, 40) for kind in summary.get("outputs", ())), 3)
    return [f"{count(int(summary['inputs']), 'input')}{f' → {outputs}' if outputs else ''}"]


def _notebook(summary: Mapping[str, Any]) -> list[str]:
    saved = brief(summary["saved"], 20).replace("T", " ")
    return [brief(summary["name"]), count(int(summary["cells"]), "cell"), f"saved {saved} UTC"]


_TELLERS: Final[dict[str, Callable[[Mapping[str, Any]], list[str]]]] = {
    "environment": _environment,
    "variables": _variables,
    "recipe": _recipe,
    "source": _source,
    "data": _data,
    "signature": _signature,
    "notebook": _notebook,
}


def _as_it_stands(summary: Mapping[str, Any]) -> str:
    words = []
    for key, value in summary.items():
        if isinstance(value, Mapping):
            words.append(pairs(value))
        elif isinstance(value, list):
            words.append(f"{brief(key, 40)} {listed(map(str, value), 6)}" if value else "")
        elif value not in ("", None):
            words.append(f"{brief(key, 40)} {brief(value, 80)}")
    return " · ".join(word for word in words if word)
