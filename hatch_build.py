"""Puts the JupyterLab extension into the wheel; needs no Node on the machine.

hatchling calls this at each `pip install`. It costs nothing where `labextension/built` is of the sources
beside it, as in an sdist. `NBREG_SKIP_LABEXTENSION=1` leaves the extension out: Python alone is installed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

import labextension


class LabExtension(BuildHookInterface[BuilderConfig]):
    """The hook that hatchling finds in this file."""

    def dependencies(self) -> list[str]:
        """Node itself, as a package for the build alone, where there is something to build and no node."""
        return [labextension.NODE] if not _is_skipped() and labextension.needs_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have it built, and tell where it is to be installed."""
        if _is_skipped():
            return
        labextension.build()
        if self.target_name == "wheel":
            build_data["shared_data"][str(labextension.BUILT)] = labextension.SHARE


def _is_skipped() -> bool:
    return os.environ.get("NBREG_SKIP_LABEXTENSION", "") not in ("", "0")
