"""A pickle in a file of somebody else's: looked at before it is loaded, as an artifact is."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

from nbreg.errors import BadInputError, CannotLoadError, TrustError, option
from nbreg.families.pickles.contracts import Guarded
from nbreg.families.pickles.inband import outband
from nbreg.families.pickles.inspection import untrusted_in


class PickleFile:
    """One file, read once: what is looked at is what is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._stream, self._buffers = outband(path.read_bytes())
        except OSError as error:
            raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
        self.untrusted = untrusted_in(self._stream, self._buffers.__getitem__)

    def load(self, *, trust: bool | None = None) -> object:
        """Unpickle. Raises `TrustError` where that would run code and `trust` is not True."""
        if self.untrusted and trust is not True:
            shown = ", ".join(self.untrusted[:4])
            raise TrustError(
                f"loading {self._path.name} would run code that nobody vouched for: {shown}",
                hint=f"{option('trust')}, if you trust who made it",
                untrusted=self.untrusted,
            )
        try:
            if self.untrusted:
                loaded: object = pickle.loads(self._stream, buffers=self._buffers)
                return loaded
            return Guarded(io.BytesIO(self._stream), fix_imports=False, buffers=self._buffers).load()
        except Exception as error:
            raise CannotLoadError(
                f"{self._path.name} cannot be loaded: {type(error).__name__}",
                hint="it needs the libraries that it was made with",
            ) from error
