"""The panels: from asking for a history to its widgets, at few versions and at many; a card, and a lineage.

`look` is what is read and rendered; the first paint has the widgets made as well, in a process that
has ipywidgets already. What importing that costs, in the cell that shows the first panel, stands beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import harness
import models
from harness import Benchmark, Figure

_IMPORT = "import time; start = time.process_time(); import ipywidgets; print(time.process_time() - start)"


def measure(scale: tuple[int, tuple[int, ...]], work: Path) -> list[Figure]:
    """First paint and a turned page at each size; models and bytes of the saved widget state."""
    import ipywidgets

    from nbreg.panels import History

    turns, sizes = scale
    registry = models.bare(work / "registry")
    for size in sizes:
        models.grow(registry, f"m{size}", size)
        registry.get(f"m{size}@latest")  # opening is another benchmark's

    def paint(size: int) -> Any:
        panel = History(f"m{size}", registry)
        panel.view()
        panel.close()

    def turn_page(panel: Any) -> None:
        view = panel._view
        view._turn_older()
        view._turn_newer()

    paints = harness.in_turns([lambda turn, size=size: paint(size) for size in sizes], turns)
    figures = [
        harness.seconds(f"first paint at {size:,} versions", times, goal=250)
        for size, times in zip(sizes, paints, strict=True)
    ]
    figures.append(
        harness.ratio(f"first paint at {sizes[-1]:,} versions / at {sizes[0]}", paints[-1], paints[0], goal=2)
    )
    panel = History(f"m{sizes[-1]}", registry)
    panel.view()
    [pages] = harness.in_turns([lambda turn: turn_page(panel)], turns)
    figures.append(harness.seconds(f"a page there and back at {sizes[-1]:,} versions", pages, goal=100))
    state = ipywidgets.Widget.get_manager_state()
    figures.append(Figure(what="models of the front end", value=len(state["state"]), unit="models", goal=60))
    figures.append(Figure(what="saved widget state", value=len(json.dumps(state)) / 1e3, unit="kB", goal=80))
    panel.close()
    figures += [_filter(registry, f"m{sizes[-1]}", sizes[-1], turns), *_card(registry, f"m{sizes[0]}@1")]
    figures.append(_lineage(turns))
    imports = [_import() for _ in range(turns)]
    figures.append(harness.spread("importing ipywidgets, cpu", imports, "ms"))
    return figures


def _filter(registry: Any, model: str, size: int, turns: int) -> Figure:
    """A filter that fits no version: what one page of it looks through is bounded."""
    from nbreg.panels import History

    panel = History(model, registry)
    panel.filter('message == "of nobody"')
    [times] = harness.in_turns([lambda turn: panel.look()], turns)
    return harness.seconds(f"a filter that fits nothing at {size:,} versions", times, goal=500)


def _card(registry: Any, ref: str) -> list[Figure]:
    """What a card leaves in a notebook that saves widget state, and in every other one."""
    import ipywidgets

    from nbreg.panels import Version

    panel = Version(ref, registry)
    panel.view()
    state = ipywidgets.Widget.get_manager_state()
    twin = panel.twin()["text/html"]
    panel.close()
    return [
        Figure(what="saved widget state of a card", value=len(json.dumps(state)) / 1e3, unit="kB", goal=80),
        Figure(what="its static form", value=len(twin) / 1e3, unit="kB", goal=40),
    ]


def _lineage(turns: int) -> Figure:
    """A picture of two hundred nodes, from records to SVG."""
    from nbreg.display.graph import graph
    from nbreg.records import Edge, Node

    nodes = [Node(id="f", kind="feature-set", label="feature set 1")]
    edges = []
    for at in range(66):
        nodes += [
            Node(id=f"{kind}{at}", kind=kind, label=f"{kind} {at}") for kind in ("data", "run", "version")
        ]
        edges += [
            Edge(source=source, target=f"version{at}", kind="made-by")
            for source in ("f", f"data{at}", f"run{at}")
        ]
    [times] = harness.in_turns([lambda turn: graph("m", nodes, edges)], turns)
    return harness.seconds(f"a lineage of {len(nodes)} nodes as a picture", times, goal=100)


def _import() -> float:
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e3


BENCHMARK = Benchmark(
    name="panels",
    claim="the history panel is there in 250 ms at 10 versions and at 10,000, and is few models",
    measure=measure,
    full=(15, (10, 1000, 10_000)),
    smallest=(2, (3, 30)),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
