"""`init`, `enable`, `completion` …: a registry here, nbreg in every kernel, Tab in the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nbreg.cli.base import Answer, Family, argument

if TYPE_CHECKING:
    from nbreg.registry import Registry

family = Family("Set up")


@family.command(
    "nbreg init",
    "nbreg init --git",
    "nbreg init --stages none,testing,staging,production,archived",
    opens="any",
)
@click.option("--git", is_flag=True, help="let git take it in; conflicts show, and are never spliced")
@click.option(
    "--stages",
    metavar="A,B,…",
    help="other stages, the first to the last, before there is a model",
)
def init(registry: Registry, git: bool, stages: str | None) -> Answer:
    """Make a registry here, rather than by the first write."""
    path = registry.init(git=git, stages=None if stages is None else stages.split(","))
    kept = "git may take it in" if git else "git ignores it"
    done = "new registry in" if registry.is_new else "there is a registry in"
    return Answer(f"{done} {path}; {kept}", {"path": str(path), "new": registry.is_new, "git": git})


@family.command("nbreg enable", opens="none")
def enable() -> Answer:
    """Load nbreg in every kernel of this user."""
    from nbreg.autoload import enable

    path, changed = enable()
    done = "every kernel now loads nbreg" if changed else "every kernel loads nbreg already"
    return Answer(f"{done}: {path}", {"path": str(path), "changed": changed})


@family.command("nbreg disable", opens="none")
def disable() -> Answer:
    """Undo enable."""
    from nbreg.autoload import disable

    path, changed = disable()
    done = f"no kernel loads nbreg by itself any more: {path} is gone" if changed else "nbreg was not enabled"
    return Answer(done, {"path": str(path), "changed": changed})


@family.command(
    'eval "$(nbreg completion bash)"',
    "nbreg completion fish > ~/.config/fish/completions/nbreg.fish",
    opens="none",
)
@argument("shell", click.Choice(["bash", "zsh", "fish"]), "bash, zsh or fish")
def completion(shell: str) -> Answer:
    """Print the script that makes Tab work in a shell.

    It completes commands, options, models, versions, stages, aliases, runs and drafts.

    The first lines of it say where it goes.
    """
    from nbreg.cli.shells import script

    text = script(shell)
    return Answer(text, {"shell": shell, "script": text})
