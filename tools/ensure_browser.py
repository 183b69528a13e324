"""Find a chromium, or install one where that is possible: prints its path.

    python tools/ensure_browser.py

$NBREG_CHROMIUM, else a chromium or chrome on PATH, else apt's where this is root on Debian or Ubuntu, else
Playwright's own. Where there is none, the reason is on stderr and the exit code is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def main() -> int:
    """Print where the browser is; install one first, if there is none."""
    found = find() or _by_apt() or _by_playwright()
    if found is None:
        print(f"no browser: {why_not()}", file=sys.stderr)
        return 1
    print(found)
    return 0


def find() -> str | None:
    """The path of a browser that is here, None where there is none."""
    told = os.environ.get("NBREG_CHROMIUM")
    if told:
        return shutil.which(told)
    for name in (*NAMES, *MACS):
        found = shutil.which(name)
        if found:
            return found
    return _of_playwright()


def why_not() -> str:
    """What to do where there is none."""
    told = os.environ.get("NBREG_CHROMIUM")
    if told:
        return f"NBREG_CHROMIUM is {told!r}, which is no program"
    return (
        "no chromium or chrome on PATH, and none could be installed; set NBREG_CHROMIUM, or install chromium"
    )


def _by_apt() -> str | None:
    """Debian's own; only root may, and nobody is asked."""
    if os.environ.get("NBREG_CHROMIUM") or not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    print("installing chromium with apt-get", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=quiet, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False)
        if done.returncode and command is install:
            return None
    return find()


def _by_playwright() -> str | None:
    if os.environ.get("NBREG_CHROMIUM"):
        return None
    print("fetching Playwright's chromium", file=sys.stderr)
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    try:
        subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        return None
    return _of_playwright()


def _of_playwright() -> str | None:
    """What `playwright install` has put into the user's cache."""
    told = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    cache = Path(told) if told else Path.home() / ".cache" / "ms-playwright"
    shells = [*cache.glob("chromium*/*/headless_shell"), *cache.glob("chromium*/*/chrome*-headless-shell")]
    return str(max(shells)) if shells else None


if __name__ == "__main__":
    sys.exit(main())
