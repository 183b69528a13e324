"""A version's recipe as the user holds it: the record, and the files it can be written to."""

from __future__ import annotations

from pathlib import Path

from nbreg.records import Recipe


class VersionRecipe(Recipe, frozen=True, kw_only=True):
    """The executions that a version depends on, in executed order and as executed."""

    def to_notebook(self, path: str | Path) -> Path:
        """Write the cells as a notebook; an existing file is replaced."""
        from nbreg.capture.recipe import export

        return export.to_notebook(self, path)

    def to_script(self, path: str | Path) -> Path:
        """Write the cells as one Python file; an existing file is replaced."""
        from nbreg.capture.recipe import export

        return export.to_script(self, path)
