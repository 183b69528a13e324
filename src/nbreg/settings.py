"""The settings of one process, as plain data.

Faces fill them from their own configuration (`config.py` from traitlets); nothing else reads
configuration. What belongs to the registry (stages, gates, policies) is not here: it lives in
the registry's journal and changes by event.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process may decide for itself about a registry it opens."""

    naming: Literal["semantic", "number"] = "semantic"
    """`semantic` names versions 1.0.0, 1.1.0 …; `number` gives no names, only numbers."""

    lock_seconds: float = 10.0
    """How long a writer waits for another one before `RegistryBusyError`."""

    inline_bytes: int = 256 * 1024
    """Parts below this size share the registration's bundle; larger ones are files."""

    verify: Literal["once", "always"] = "once"
    """`once` remembers which large buffers of numbers were whole; `always` digests them at every load."""

    retention_days: float = 30.0
    """How long the bytes of a deleted version are kept before `purge` may remove them."""

    stamp: Literal["required", "best-effort", "off"] = "required"
    """Whether a decision that cannot be written down is withheld or given; `off` writes none down."""

    segment_bytes: int = 16 * 1024 * 1024
    """A process's file of decisions is sealed, and another begun, when it is as large as this."""

    decision_days: float = float("inf")
    """How long decisions are kept before `purge` may remove them; for ever unless this says otherwise."""

    capture: bool = True
    """Off registers the model alone; the manifest then says `not captured: switched off`."""

    infer_data: bool = True
    """Whether data that nobody named is looked for in the cells, and digested, sketched and probed."""

    variable_bytes: int = 64 * 1024
    """How much of the kernel's variables a version records, as JSON."""

    value_bytes: int = 4 * 1024
    """How much of a single variable's value is recorded before it is summarised."""

    variables_include: tuple[str, ...] = ("*",)
    """Patterns of the names whose values are recorded; of others the name and the type alone are."""

    variables_exclude: tuple[str, ...] = ()
    """Patterns of names that are not recorded all the same: `*_private`, `customers*`."""

    implicit: Literal["draft", "version", "off"] = "draft"
    """What becomes of a model that a notebook trains and nobody registers."""

    draft_bytes: int = 64 * 1024 * 1024
    """Up to this size a draft keeps the model's weights; of a larger one it keeps how it was made."""

    drafts_bytes: int = 512 * 1024 * 1024
    """How much all drafts of a registry take up; the oldest go first."""

    drafts_kept: int = 100
    """How many drafts are kept."""

    draft_days: float = 30.0
    """How long a draft is kept."""

    environments: str = ""
    """Where environments are made again; empty: `$NBREG_ENVIRONMENTS`, else in the user's cache."""

    environments_bytes: int = 8 * 1024**3
    """How much they all take up; those that were not used for longest go first."""


_asked: Callable[[], str | None] | None = None


def ask_for_default(chosen: Callable[[], str | None] | None) -> None:
    """Have the default registry of this process be where a function says, as long as it says something.

    So a kernel's magics and its code mean one registry, whichever the user chose. None asks nobody.
    """
    global _asked
    _asked = chosen


def default_location() -> str | None:
    """The registry of who names none: what was chosen in this kernel, else `$NBREG_REGISTRY`, else none."""
    chosen = _asked() if _asked is not None else None
    return chosen or os.environ.get("NBREG_REGISTRY") or None
