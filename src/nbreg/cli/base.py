"""What all commands have in common; how to add one stands in CONTRIBUTING.md.

    family = Family("Look at models and versions")

    @family.command("nbreg pin churn@production")
    @argument("ref", REF, "the version")
    def pin(registry: Registry, ref: str) -> Answer:
        \"\"\"Print the reference that never moves.\"\"\"
        pinned = registry.pin(ref)
        return Answer(pinned, {"ref": pinned})

`--json`, `--registry`, the refusals and the help come by themselves. Whatever is slow to import is
imported by the commands that need it: `nbreg --help` reads these modules and nothing else.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

import click

from nbreg.errors import NotFoundError

if TYPE_CHECKING:
    from nbreg.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

OTHER_WORDS: Final = {
    "alias": "set-alias",
    "archive": "retire",
    "describe": "get",
    "download": "pull",
    "history": "versions",
    "info": "get",
    "list": "models",
    "load": "pull",
    "load-model": "pull",
    "log": "events",
    "ls": "models",
    "model-diff": "diff",
    "model-events": "events",
    "model-history": "versions",
    "register-model": "register",
    "remove": "delete",
    "rm": "delete",
    "show": "get",
    "tag": "update",
}
"""What magics and other tools call these commands."""

Opens = Literal["existing", "any", "none"]
"""The registry of a command: one that is there, one that it may make, or none at all."""


class Answer(NamedTuple):
    """What a command has to say: to people, as JSON, and whether all is well (else exit code 1)."""

    text: str
    json: Any
    ok: bool = True


class Shown(NamedTuple):
    """What is printed, and the exit code."""

    text: str
    code: int


class Argument(click.Argument):
    """An argument that says in `--help` what it is."""

    def __init__(self, declared: list[str], *, told: str, **settings: Any) -> None:
        super().__init__(declared, **settings)
        self.told = told

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        """As it stands in the line of usage: in brackets where it may be left out."""
        pieces = super().get_usage_pieces(ctx)
        return pieces if self.required else [each if each[0] == "[" else f"[{each}]" for each in pieces]

    @property
    def label(self) -> str:
        """The name that it has in `--help`."""
        return self.metavar or (self.name or "").upper()


_HELP: Final = ("--help", "-h")


class Command(click.Command):
    """A command that opens the registry, calls its function and shows the `Answer`."""

    def __init__(
        self,
        name: str,
        *,
        body: Callable[..., Answer],
        examples: tuple[str, ...],
        opens: Opens,
        **settings: Any,
    ) -> None:
        settings["params"] = [*settings.get("params", ()), *_common()]
        super().__init__(name, **settings)
        self.examples = examples
        self._body = body
        self._opens = opens

    @property
    def summary(self) -> str:
        """What it does, in a few words: its help up to the first pause."""
        return re.split(r"[;:.]\s", f"{self.help} ".replace("\n", " "), maxsplit=1)[0].rstrip(".")

    def invoke(self, ctx: click.Context) -> Shown:
        """Run it; what it returns is rendered for whoever asked."""
        given = dict(ctx.params)
        as_json, location = given.pop("as_json"), given.pop("location")
        location = location or ctx.find_root().params.get("location")
        registry = [] if self._opens == "none" else [opened(location, may_make=self._opens == "any")]
        _fit_terminal()
        answer = self._body(*registry, **given)
        for each in registry:
            if each.is_new and self.name != "init":
                click.echo(f"nbreg: new registry in {each.location}", err=True)
            elif answer.ok and not each.id:
                # Else who stands in the wrong folder reads that nothing has happened yet.
                click.echo(f"nbreg: there is no registry in {each.location}", err=True)
        return Shown(_json(answer.json) if as_json else answer.text, 0 if answer.ok else 1)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Arguments and options, each with what it means."""
        for title, rows in (("Arguments", self.arguments()), ("Options", self.options(ctx))):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def arguments(self) -> list[tuple[str, str]]:
        """Each argument, and what it is."""
        return [(each.label, each.told) for each in self.params if isinstance(each, Argument)]

    def options(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Each option, and what it does."""
        shown = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        return [record for each in shown if (record := each.get_help_record(ctx)) is not None]

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Also `-h`, whoever asks: click keeps the option that it made for the first one."""
        return list(_HELP)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, in the words of the others."""
        return _in_our_words(super().get_help_option(ctx))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, as they are typed."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class Family:
    """Commands that `nbreg --help` lists together, in the order in which they are written."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.commands: list[Command] = []

    def command(
        self, *examples: str, opens: Opens = "existing"
    ) -> Callable[[Callable[..., Answer]], Command]:
        """Make a command of a function: its name with hyphens, its docstring is the help.

        Unless it opens none, the function's first argument is the registry.
        """

        def make(body: Callable[..., Answer]) -> Command:
            name = body.__name__.strip("_").replace("_", "-")
            told = inspect.cleandoc(body.__doc__ or "")  # which Python itself does from 3.13 on
            decorate = click.command(name, cls=Command, body=body, examples=examples, opens=opens, help=told)
            made: Command = decorate(body)
            self.commands.append(made)
            return made

        return make


class Families(click.Group):
    """All commands, listed by family."""

    def __init__(self, families: list[Family], **settings: Any) -> None:
        super().__init__(commands=[each for family in families for each in family.commands], **settings)
        self.families = families

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; of a word that magics or other tools have for it, what it is called here."""
        meant = OTHER_WORDS.get(args[0].replace("_", "-"))
        if meant is not None and args[0] not in self.commands:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {meant!r}?", ctx)
        return super().resolve_command(ctx, args)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Also `-h`, whoever asks: click keeps the option that it made for the first one."""
        return list(_HELP)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, in the words of the others."""
        return _in_our_words(super().get_help_option(ctx))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each family below its title."""
        widest = max(len(name) for name in self.commands)
        for family in self.families:
            with formatter.section(family.title):
                formatter.write_dl([(f"{each.name:{widest}}", each.summary) for each in family.commands])


def argument(name: str, kind: Any = str, told: str = "", **settings: Any) -> Callable[[F], F]:
    """An argument by its name in the function; `required=False` for one that may be left out."""
    return click.argument(name, type=kind, told=told, cls=Argument, **settings)


def why(body: F) -> F:
    """The options of every verb that an event tells about."""
    reason = click.option("--reason", default="", metavar="WORD", help="why, in a short word for machines")
    message = click.option("--message", default="", metavar="TEXT", help="why, in a sentence for people")
    return reason(message(body))


def opened(location: str | None, *, may_make: bool = False) -> Registry:
    """The registry; one that is named must be there, or a slip of the pen would be an empty list."""
    import os

    from nbreg.registry import Registry

    registry = Registry(location)
    is_named = location is not None or bool(os.environ.get("NBREG_REGISTRY"))
    if is_named and not may_make and not registry.location.exists():
        from nbreg.registry.offering import registry_near

        how = (
            "`nbreg init --registry …`"
            if location is not None
            else "it is what $NBREG_REGISTRY says; `nbreg init`"
        )
        hint = " ".join([*filter(None, [registry_near(registry)]), f"{how} would make one"])
        raise NotFoundError(f"there is no registry in {registry.location}", hint=hint)
    return registry


def _fit_terminal() -> None:
    """Have tables fit the terminal that they go to; what goes into a pipe or a file is whole."""
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        from nbreg.display.text import room

        room.set(get_terminal_size().columns)


def _in_our_words(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "show this and do nothing"
    return option


def located() -> click.Option:
    """`--registry`, of each command; it may stand before the command as well."""
    return click.Option(
        ["--registry", "location"],
        metavar="LOCATION",
        type=click.Path(),
        help="default: $NBREG_REGISTRY, else the nearest .nbreg",
    )


def _common() -> list[click.Parameter]:
    return [
        located(),
        click.Option(["--json", "as_json"], is_flag=True, help="print JSON"),
    ]


def _json(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
