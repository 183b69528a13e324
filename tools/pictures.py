"""The pictures of the README, from the outputs of the quickstart as they are committed.

    python tools/pictures.py            needs chromium; `make pictures` calls it

Light and dark, as JupyterLab's own themes set them.
"""

from __future__ import annotations

import html
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import ensure_browser

ROOT = Path(__file__).resolve().parent.parent
STORY = ROOT / "notebooks" / "01-quickstart.ipynb"
SHOWN = (
    "%register_model cancer clf --metrics accuracy --data",
    "%promote cancer@1.1.0",
    "%rollback",
    "%model_events",
)
THEMES = {
    "light": ("#ffffff", "#f5f5f5", "rgba(0,0,0,.87)", "rgba(0,0,0,.54)", "#e0e0e0", "#bdbdbd"),
    "dark": ("#111111", "#212121", "rgba(255,255,255,1)", "rgba(255,255,255,.7)", "#424242", "#616161"),
}
PAGE = """<!doctype html><meta charset="utf-8"><style>
:root {{ --jp-layout-color0: {0}; --jp-layout-color1: {0}; --jp-layout-color2: {1};
  --jp-ui-font-color0: {2}; --jp-ui-font-color1: {2}; --jp-ui-font-color2: {3}; --jp-content-font-color1: {2};
  --jp-border-color1: {5}; --jp-border-color2: {4}; --jp-border-color3: {4};
  --jp-ui-font-family: system-ui, "DejaVu Sans", sans-serif; --jp-ui-font-size1: 13px;
  --jp-code-font-family: "DejaVu Sans Mono", monospace }}
html {{ color-scheme: {6} }}
body {{ background: {0}; color: {2}; font: 13px system-ui, "DejaVu Sans", sans-serif;
  margin: 14px 18px; width: 904px }}
pre {{ font: 12.5px "DejaVu Sans Mono", monospace; background: {1}; border: 1px solid {4}; border-radius: 3px;
  margin: 12px 0 6px; padding: 7px 10px; white-space: pre-wrap }}
</style>{7}"""


def main() -> int:
    """Write docs/images/quickstart-{light,dark}.png."""
    browser = ensure_browser.find()
    if browser is None:
        print(f"the pictures stay as they are: {ensure_browser.why_not()}", file=sys.stderr)
        return 1
    body = "".join(_cells())
    for theme, colours in THEMES.items():
        target = ROOT / "docs" / "images" / f"quickstart-{theme}.png"
        _shoot(browser, PAGE.format(*colours, theme, body), target)
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")
    return 0


def _cells() -> list[str]:
    """The cells that are shown, with what they displayed; history comes once both versions are there."""
    cells = [cell for cell in json.loads(STORY.read_text())["cells"] if cell["cell_type"] == "code"]
    shown = []
    for start in SHOWN:
        cell = next(cell for cell in cells if start in "".join(cell["source"]))
        line = next(line for line in "".join(cell["source"]).splitlines() if start in line)
        shown.append(f"<pre>{html.escape(line)}</pre>")
        shown += [
            "".join(output["data"].get("text/html", "")) for output in cell["outputs"] if "data" in output
        ]
    return shown


def _shoot(browser: str, page: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page)
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--force-device-scale-factor=1.5", "--window-size=940,680",
             f"--user-data-dir={folder}/profile", f"--screenshot={target}", source.as_uri()],
            check=True,
            capture_output=True,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
