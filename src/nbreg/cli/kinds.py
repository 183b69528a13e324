"""Kinds of arguments: what a shell completes them with, and how they are written on a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from nbreg.cli.base import opened
from nbreg.errors import BadInputError, BadValueError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from nbreg.registry import Registry

    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic in newer clicks alone

Offered = Callable[["Registry", str, click.Context], Iterable[str]]
"""The words that may stand somewhere, from the registry, what is typed already, and the rest of the line."""

QUERY: Final = """for example 'metrics.auc > 0.9 and stage == "staging"'"""


class Known(_ParamType):
    """Text that a shell completes with what the registry knows; any other text is taken, too."""

    def __init__(self, name: str, offered: Offered) -> None:
        self.name = name
        self._offered = offered

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What may stand here. Whatever is wrong, the line that somebody types stays as it is."""
        import logging

        from click.shell_completion import CompletionItem

        logging.disable()  # a damaged journal is told by the command, not in the middle of its line
        try:
            words = self._offered(
                opened(ctx.params.get("location") or ctx.find_root().params.get("location")), incomplete, ctx
            )
            return [CompletionItem(word) for word in words if word.startswith(incomplete)]
        except Exception:
            return []


def _models(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return (row.name for row in registry.models())


def _references(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    from nbreg.registry.offering import references

    return references(registry, typed)


def _stages(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return registry.stages


def _aliases(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return registry.aliases(ctx.params["model"])


def _runs(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    from nbreg.records import short_run

    return (short_run(run.id) for run in registry.runs(limit=50))


def _drafts(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return (str(draft.number) for draft in registry.drafts())


def _datasets(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    name = typed.partition("@")[0]
    if "@" in typed:
        return (each.ref for each in registry.dataset(name).history)
    return (each.name for each in registry.datasets())


def _places(registry: Registry, typed: str, ctx: click.Context) -> Iterable[str]:
    return sorted({each.where for each in registry.deployments()})


MODEL: Final = Known("model", _models)
DATASET: Final = Known("data set", _datasets)
PLACE: Final = Known("place", _places)
REF: Final = Known("reference", _references)
STAGE: Final = Known("stage", _stages)
ALIAS: Final = Known("alias", _aliases)
RUN: Final = Known("run", _runs)


class Draft(Known):
    """The number of a draft."""

    def __init__(self) -> None:
        super().__init__("integer", _drafts)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        number: int = click.INT.convert(value, param, ctx)
        return number


DRAFT: Final = Draft()


class Words(_ParamType):
    """One of a few words; any other is refused by the verb, which knows them best."""

    name = "text"

    def __init__(self, *words: str) -> None:
        self._words = words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """They are known without a registry."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]


def limit(body: Any) -> Any:
    """`--limit` and `--offset` of a list."""
    most = click.option("--limit", type=int, metavar="N", help="no more than N")
    first = click.option("--offset", type=int, default=0, metavar="N", help="leave out the first N")
    return most(first(body))


def no_variable(flag: str) -> Callable[[str], object]:
    """The lookup of a shell, which has no variables."""

    def lookup(name: str) -> object:
        raise BadInputError(f"{flag} {name} has no value", hint=f"{flag} {name}=0.9")

    return lookup


def as_object(flag: str, text: str | None) -> dict[str, Any] | None:
    """A JSON object as it is written behind a flag."""
    if text is None:
        return None
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadValueError(f"{flag} is no JSON: {error}", hint=f"""{flag} '{{"team": "A"}}'""") from None
    if not isinstance(found, dict):
        raise BadValueError(f"{flag} is no JSON object", hint=f"""{flag} '{{"team": "A"}}'""")
    return found
