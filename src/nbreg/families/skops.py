"""skops files: a model of scikit-learn without a pickle, as others exchange them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbreg.errors import BadInputError, CannotLoadError, CannotStoreError, TrustError, option


def _io() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise CannotLoadError(
            "skops files need skops, which is not here", hint="pip install skops"
        ) from error
    return skops.io


def write(model: object, path: Path) -> None:
    """Write a model as a skops file. Raises `CannotStoreError` where skops has no form for it."""
    try:
        _io().dump(model, path)
    except CannotLoadError:
        raise
    except Exception as error:
        raise CannotStoreError(
            f"skops has no form for a {type(model).__qualname__}: {type(error).__name__}",
            hint="`pull` writes a pickle, `export` an archive",
        ) from error


def read(path: Path, *, trust: bool | None = None) -> object:
    """The model of a skops file; what is outside skops' own list needs consent. Raises `TrustError`."""
    io = _io()
    try:
        untrusted = sorted(io.get_untrusted_types(file=path))
    except Exception as error:
        raise BadInputError(f"{path} is no skops file: {type(error).__name__}") from error
    if untrusted and trust is not True:
        raise TrustError(
            f"loading {path.name} needs what skops does not vouch for: {', '.join(untrusted[:4])}",
            hint=f"{option('trust')}, if you trust who made it",
            untrusted=untrusted,
        )
    loaded: object = io.load(path, trusted=untrusted)
    return loaded
