"""Execute the quickstart notebook into `notebooks/run/`, and show the versions that it made.

    python tools/demo.py              run it, with one tick of the bar for each cell
    python tools/demo.py --prepare    only put a fresh copy there, for JupyterLab

The committed notebook is never written. The registry is `notebooks/run/.nbreg`, made anew by
each run. A cell that fails ends the run with the notebook's own error and exit code 1.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
STORY = ROOT / "notebooks" / "01-quickstart.ipynb"
RUN = ROOT / "notebooks" / "run"
REGISTRY = RUN / ".nbreg"


def main(arguments: list[str]) -> int:
    """Run the demo, or with `--prepare` only lay out a copy of its notebook."""
    RUN.mkdir(parents=True, exist_ok=True)
    if "--prepare" in arguments:
        copy = RUN / STORY.name
        if not copy.exists():
            shutil.copyfile(STORY, copy)
        return 0
    shutil.rmtree(REGISTRY, ignore_errors=True)
    os.environ["NBREG_REGISTRY"] = str(REGISTRY)  # the kernel inherits it
    try:
        execute(STORY, RUN / STORY.name)
    except Exception as error:
        print(f"\n{error}\n\nThe demo stopped here; {RUN / STORY.name} holds what ran.", file=sys.stderr)
        return 1
    show_versions()
    return 0


def execute(story: Path, target: Path) -> None:
    """Run every cell in a fresh kernel; what ran is in `target` even where a cell failed."""
    import nbformat
    from nbclient import NotebookClient
    from tqdm import tqdm

    notebook = nbformat.read(story, as_version=4)  # type: ignore[no-untyped-call]
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    # A terminal gets a bar that moves; a log gets a line for each cell, written when it has run.
    plain = not sys.stdout.isatty()
    with tqdm(total=total, desc="cells", unit="cell", ncols=80, file=sys.stdout, disable=plain) as bar:

        def tick(cell: NotebookNode, **_: Any) -> None:
            if cell.cell_type == "code":
                bar.update()
                if plain:
                    first = cell.source.strip().splitlines()[0][:60]
                    print(f"cell {cell.execution_count} of {total}: {first}", flush=True)

        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # not of the demo: what the kernel thinks of its transport
            resources={"metadata": {"path": str(target.parent)}},
            on_cell_executed=tick,
        )
        try:
            client.execute()
        finally:
            nbformat.write(notebook, target)  # type: ignore[no-untyped-call]


def show_versions() -> None:
    """Print the versions of each model, and where to look next."""
    from nbreg import Registry
    from nbreg.display import VersionTable

    registry = Registry(REGISTRY)
    for model in registry.models():
        rows = [version.row for version in registry.versions(model.name)]
        print(f"\n{VersionTable(model.name, rows, registry.aliases(model.name))}")
    run = RUN.relative_to(Path.cwd()) if RUN.is_relative_to(Path.cwd()) else RUN
    print(f"\nThe executed notebook: {run / STORY.name}")
    print(f"The registry it made:  {run / REGISTRY.name}")
    print("Look around in it:     make lab")
    print(f"From a shell:          .venv/bin/nbreg versions cancer --registry {run / REGISTRY.name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
