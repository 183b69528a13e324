"""Ctrl-C while a magic works: one line in place of nbreg's own frames."""

from __future__ import annotations


class Interrupted(KeyboardInterrupt):
    """Somebody interrupted a magic; the text says what came of it, where that is known.

    It stays a `KeyboardInterrupt`, so that loops around magics end as well.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it."""
        return [f"interrupted: {self}" if str(self) else "interrupted"]
