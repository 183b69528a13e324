"""Registries side by side: the same work, in turns, each in its own environment and processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Self

from harness import HERE, Figure, spread
from peers.environments import interpreter

Found = dict[str, dict[str, list[dict[str, Any]]]]
"""What each piece of work took each contestant, turn by turn."""

MIB = 1024 * 1024
MOST_SMALL = {"mlflow": 5}
"""Turns of those who take seconds."""
MOST_LARGE = {"mlflow": 1, "modelstore": 1}


class Scale(NamedTuple):
    small: int
    """Turns with a small model."""
    large: int
    """Turns with a large one."""
    layers: int
    width: int

    @property
    def mebibytes(self) -> float:
        return self.layers * self.width * self.width * 4 / MIB


class Contestant:
    """A process that works for one contestant; use it in a `with`."""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._errors = (folder.parent / f"{folder.name}.log").open("a")
        self._process = subprocess.Popen(
            [interpreter(name), HERE / "peers" / "worker.py", name, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=folder.parent,
        )

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """Have something done; what it took. Raises `RuntimeError` if it could not be."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "its process ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._errors.close()


def small(names: Sequence[str], turns: int, work: Path) -> tuple[Found, dict[str, str]]:
    """Register and load small models, all different, in one process for each contestant."""
    found: Found = defaultdict(lambda: defaultdict(list))
    out: dict[str, str] = {}
    processes = {name: Contestant(name, work / "small" / _file_name(name)) for name in names}
    for turn in range(-2, turns):
        for name, process in processes.items():
            if name in out or turn >= MOST_SMALL.get(name, turns):
                continue
            try:
                process.ask("small", number=turn + 2)
                told = process.ask("register")  # the first turns do not count
                process.ask("name", key=told["key"])
                loads = [process.ask("load", key=told["key"]) for _ in range(3)]
            except RuntimeError as error:
                out[name] = str(error)
                continue
            if turn >= 0:
                found["register"][name].append(told)
                found["load"][name].append(min(loads, key=lambda each: each["wall"]))
    for process in processes.values():
        process.__exit__()
    return found, out


def large(names: Sequence[str], scale: Scale, work: Path) -> tuple[Found, dict[str, str]]:
    """Register a large network, the same again, and with one layer in a hundred changed; load it twice.

    Each load is in a process of its own, in which only a tiny model was loaded before.
    """
    found: Found = defaultdict(lambda: defaultdict(list))
    out: dict[str, str] = {}
    for turn in range(scale.large):
        for name in names:
            if name in out or turn >= MOST_LARGE.get(name, scale.large):
                continue
            folder = work / "large" / _file_name(name)
            try:
                for what, told in _one_large(name, folder, scale, turn).items():
                    found[what][name].append(told)
            except RuntimeError as error:
                out[name] = str(error)
            shutil.rmtree(folder, ignore_errors=True)
    return found, out


def _one_large(name: str, folder: Path, scale: Scale, turn: int) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    with Contestant(name, folder) as process:
        warm = process.ask("warm")["key"]
        process.ask("large", layers=scale.layers, width=scale.width, seed=turn)
        told["register"] = process.ask("register")
        told["again"] = process.ask("register")
        process.ask("change", count=max(1, round(scale.layers / 100)))
        told["changed"] = process.ask("register")
        key = told["changed"]["key"]
        process.ask("name", key=key)
        if name == "floor":
            told["digest"] = process.ask("digest", layers=scale.layers, width=scale.width)
    for what in ("first load", "second load"):
        with Contestant(name, folder) as process:
            process.ask("warm", key=warm or "there")
            told[what] = process.ask("load_and_predict", key=key, width=scale.width)
    return told


def _file_name(name: str) -> str:
    return name.replace(", ", "-")


# figures


def table(title: str, found: Found, what: str, *, key: str = "wall") -> str:
    """One piece of work, one contestant a line: the least of its turns, and by pairs against the floor."""
    rows = [
        f"\n{title}",
        f"  {'':16} {'wall':>10} {'cpu':>10} {'/ floor':>8} {'memory':>10} {'new bytes':>12}",
    ]
    floor = found[what]["floor"]
    for name, turns in found[what].items():
        against = median(a[key] / b[key] for a, b in zip(turns, floor, strict=False))
        rows.append(
            f"  {name:16} {_seconds(min(each[key] for each in turns)):>10} "
            f"{_seconds(min(each['cpu'] for each in turns)):>10} {against:>7.3g}× "
            f"{max(each['peak'] for each in turns):>6.0f} MiB {max(each['disk'] for each in turns):>8.4g} MiB"
        )
    return "\n".join(rows)


def _seconds(value: float) -> str:
    return (
        f"{value:.2f} s"
        if value >= 1
        else f"{value * 1e3:.2f} ms"
        if value < 0.01
        else f"{value * 1e3:.0f} ms"
    )


def pairs(
    what: str, mine: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]], *, goal: float | None = None
) -> Figure:
    """How many times as long as the other, turn by turn, by the wall."""
    ratios = [a["wall"] / b["wall"] for a, b in zip(mine, other, strict=False)]
    return spread(what, ratios, "×", goal=goal)


def large_figures(found: Found, scale: Scale) -> list[Figure]:
    """What is claimed of large models, against the floor of the same turns."""
    new, again, changed = (found[what]["nbreg"] for what in ("register", "again", "changed"))
    first, second = (found[what]["nbreg"] for what in ("first load", "second load"))
    floor, joblib = found["register"]["floor"], found["first load"]["floor"]
    digested = [
        {"wall": a["wall"] + b["wall"]} for a, b in zip(joblib, found["digest"]["floor"], strict=True)
    ]
    cpu = [a["cpu"] / b["cpu"] for a, b in zip(new, floor, strict=True)]
    least = min(each["wall"] for each in new) / min(each["wall"] for each in floor)
    predicted = [a["predicted"] / b["predicted"] for a, b in zip(second, joblib, strict=True)]
    size = scale.mebibytes
    return [
        pairs("register, new / floor", new, floor, goal=1.0),
        Figure(what="register, new / floor, least of all turns", value=least, unit="×", goal=1.0),
        spread("register, new / floor, cpu", cpu, "×"),
        _most("register, new: memory beyond the model", new, "peak", "MiB", goal=64),
        _most("register, new: bytes written / the model's", new, "written", "×", goal=1.01, per=size),
        pairs("register, the same again / floor", again, floor, goal=0.6),
        _most("register, the same again: new bytes", again, "disk", "MiB", goal=1),
        pairs("register, 1 % of the tensors changed / floor", changed, floor, goal=1.0),
        _most("register, 1 % changed: new bytes / the model's", changed, "disk", "×", goal=0.03, per=size),
        pairs("first load, all digested / (joblib.load + sha256)", first, digested, goal=1.0),
        pairs("second load / joblib.load", second, joblib, goal=0.05),
        spread("second load and a prediction / joblib's", predicted, "×", goal=0.05),
    ]


def _most(
    what: str, turns: Sequence[dict[str, Any]], key: str, unit: str, *, goal: float, per: float = 1.0
) -> Figure:
    return Figure(what=what, value=max(each[key] for each in turns) / per, unit=unit, goal=goal)


def large_tables(found: Found) -> str:
    """All that was measured of large models."""
    titles = {
        "register": "a large model, new",
        "again": "the same again",
        "changed": "1 % of its tensors changed",
        "first load": "loading it in a fresh process, the first time",
        "second load": "the second time",
    }
    tables = [table(title, found, what) for what, title in titles.items()]
    return "\n".join(
        [*tables, table("the second time, and a prediction", found, "second load", key="predicted")]
    )
