"""Who belongs to which team, as the configuration says. Who somebody is, the server's own login says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbreg.access import Person


class People:
    """Teams by name, and who administers."""

    def __init__(self, teams: Mapping[str, Iterable[str]], admins: Iterable[str]) -> None:
        self._teams = {team: frozenset(names) for team, names in teams.items()}
        self._admins = frozenset(admins)

    def person(self, name: str) -> Person:
        """Somebody by the name that they logged in with. Nobody becomes a team by being called like one."""
        teams = {team for team, names in self._teams.items() if name in names}
        names = frozenset(teams if name in self._teams else {name, *teams})
        is_admin = not names.isdisjoint(self._admins)
        return Person(names, is_member=bool(teams) or is_admin or not self._teams, is_admin=is_admin)
