"""The extension as Jupyter Server loads and configures it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, List, TraitError, Unicode, validate

from nbreg.config import Nbreg
from nbreg.server.handlers import Threads, handlers
from nbreg.server.people import People
from nbreg.server.registries import BELOW, Configured, Registries


class NbregServer(ExtensionApp):
    """Shows the registries of notebooks, and those that are named here, to JupyterLab."""

    name = "nbreg"
    classes = [Nbreg]  # `c.Nbreg.lock_seconds` and the like hold for the server, too
    load_other_extensions = True

    registries = Dict(
        help="""Registries by name, beside those of the notebooks' folders: {"team": "/srv/models"}, or
        {"archive": {"path": "/srv/old", "read_only": true}}. Relative paths start at the server's root.""",
    ).tag(config=True)
    read_only = Bool(False, help="Whether this server writes to no registry at all.").tag(config=True)

    enforce = Bool(
        False,
        help="""Whether people are held to what a model's owners said: who may look at it, change it, own it.
        Of use where the server knows people by name, and they reach the registries through it alone.""",
    ).tag(config=True)
    teams = Dict(
        help="""The members of teams, which owners name like people: {"risk": ["ada", "grace"]}. Where there
        are teams, the organisation is whoever is in one; else it is everybody who can log in.""",
    ).tag(config=True)
    admins = List(
        Unicode(),
        help="People and teams that may do everything, and alone what is about all models at once.",
    ).tag(config=True)

    @validate("teams")
    def _teams_have_members(self, proposal: dict[str, Any]) -> dict[str, list[str]]:
        for team, names in proposal["value"].items():
            is_list = isinstance(names, list | tuple) and all(isinstance(each, str) for each in names)
            if not isinstance(team, str) or not team or not is_list:
                raise TraitError(f"NbregServer.teams: {team!r} needs a list of names")
        return dict(proposal["value"])

    @validate("registries")
    def _registries_are_named_folders(self, proposal: dict[str, Any]) -> dict[str, Any]:
        for name, given in proposal["value"].items():
            told = given if isinstance(given, dict) else {"path": given}
            if not isinstance(name, str) or not name.isprintable() or not name or name.startswith(BELOW):
                raise TraitError(f"NbregServer.registries: {name!r} is no name for a registry")
            if not isinstance(told.get("path"), str) or not set(told) <= {"path", "read_only"}:
                raise TraitError(f"NbregServer.registries: {name!r} needs a path, and may have read_only")
            if "://" in told["path"] or Path(told["path"]).expanduser().is_file():
                raise TraitError(f"NbregServer.registries: {name!r} is no folder")
        return dict(proposal["value"])

    def initialize_settings(self) -> None:
        """Open nothing yet: a registry is opened when somebody asks for it."""
        assert self.serverapp is not None
        root = getattr(self.serverapp.contents_manager, "root_dir", "") or ""
        base = Path(root).expanduser() if root else None
        configured = {name: self._configured(given, base) for name, given in self.registries.items()}
        self._served = Registries(
            base,
            configured,
            read_only=self.read_only,
            settings=Nbreg(parent=self).settings(),
            people=People(self.teams, self.admins) if self.enforce else None,
        )
        self._threads = Threads()

    def _configured(self, given: Any, base: Path | None) -> Configured:
        told = given if isinstance(given, dict) else {"path": given}
        path = Path(told["path"]).expanduser()
        return Configured((base or Path.cwd()) / path, bool(told.get("read_only", False)))

    def initialize_handlers(self) -> None:
        """Register the routes of the table."""
        self.handlers.extend(handlers(self._served, self._threads))

    async def stop_extension(self) -> None:
        """Let go of the threads when the server ends."""
        self._threads.close()
