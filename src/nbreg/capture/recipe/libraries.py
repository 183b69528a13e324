"""Which modules are installed libraries, whose code does not change while a notebook runs."""

from __future__ import annotations

import sys
from functools import lru_cache
from sysconfig import get_path
from typing import Final

_INSTALLED: Final = tuple({path for name in ("stdlib", "platstdlib") if (path := get_path(name))})


def is_library(name: object) -> bool:
    """Whether the module of that name is installed; modules beside the notebook are not."""
    if type(name) is not str or name == "__main__":
        return False
    root = name.partition(".")[0]
    return root == "nbreg" or (name in sys.modules and _is_installed(name))


@lru_cache(maxsize=4096)
def _is_installed(name: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str):
        return True
    return file.startswith(_INSTALLED) or "site-packages" in file or "dist-packages" in file
