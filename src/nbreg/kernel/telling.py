"""Beside an output that shows a version stands which one that is, for a page that asks a registry of it."""

from __future__ import annotations

from typing import Any, Final

_SHOW_A_VERSION: Final = (
    ("nbreg.registry.version", "ModelVersion"),
    ("nbreg.display.cards", "VersionDetail"),
)


def tell_identities(shell: Any) -> None:
    """From now on outputs of that shell tell it; nothing is imported for that."""
    for module, name in _SHOW_A_VERSION:
        shell.display_formatter.mimebundle_formatter.for_type_by_name(module, name, _bundle)


def tell_no_identities(shell: Any) -> None:
    """Undo `tell_identities`."""
    for module, name in _SHOW_A_VERSION:
        shell.display_formatter.mimebundle_formatter.pop(f"{module}.{name}", None)


def _bundle(shown: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What it shows itself as, and the version's identity."""
    from nbreg.panels.identity import identity
    from nbreg.registry import ModelVersion

    version = shown if isinstance(shown, ModelVersion) else shown.version
    return shown._repr_mimebundle_(), identity(version) if isinstance(version, ModelVersion) else {}
