"""Write the pages of `docs/` that are made of the code: Python, magics, settings, errors.

    docs/python.md      public names with their docstrings
    docs/magics.md      the magics, as `--help` tells them
    docs/settings.md    settings of the kernel, the server and JupyterLab, and environment variables
    docs/errors.md      each error by its code: what it means, what to do

.venv/bin/python tools/reference.py           write them
.venv/bin/python tools/reference.py --check   say whether they are up to date
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pythonpage
from traitlets.config import Configurable

from nbreg import errors
from nbreg.config import Nbreg
from nbreg.kernel.arguments import Parser
from nbreg.kernel.parsers import MAGICS, parser
from nbreg.server.answering import STATUS
from nbreg.server.app import NbregServer
from nbreg.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ".venv/bin/python tools/reference.py"

# the magics

_MAGICS = """\
# Magics

Made by `tools/reference.py` from the magics themselves; `%promote --help` and `%promote?` say the same.

- `%load_ext nbreg` loads them, `nbreg enable` does for every kernel of yours. nbreg watches from then on,
  so load it first.
- Tab completes models, versions, stages, aliases, variables and flags. What is refused is one line, and the
  cell has failed.
- Words are split as in a shell: several words stand in quotes, `#` begins a comment. `{x}` is filled in, in
  this order, with `{date}` and `{time}`, what `--sub x=…` gives, a text or number of the kernel; `$x`
  never.
- An argument with `@` is a [reference](versions.md#references); any other is a variable if there is one of
  that name. `./file` is a file.
- The result can be assigned, `clf = %load_model churn@production`, and shows itself where it is not.
"""


def magics() -> str:
    """The page of magics."""
    contents = " · ".join(f"[%{name}](#{name})" for name in MAGICS)
    return _joined(_MAGICS, contents, *(_magic(name, parser(name)) for name in MAGICS))


def _magic(name: str, told: Parser) -> str:
    actions = [each for each in told._actions if each.dest != "help"]
    rows = [(f"`{_cell(_spelled(each))}`", _cell((each.help or "").replace("%%", "%"))) for each in actions]
    return _joined(f"## %{name}", f"    {_usage(name, actions)}", told.description or "", _table(rows))


def _usage(name: str, actions: list[argparse.Action]) -> str:
    given = [each for each in actions if not each.option_strings]
    words = [f"[{each.metavar}]" if each.nargs == "?" else str(each.metavar) for each in given]
    flags = ["[FLAGS]"] if len(given) < len(actions) else []
    return " ".join([f"%{name}", *words, *flags])


def _spelled(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    if not names or action.nargs == 0:
        return names or str(action.metavar)
    value = action.metavar or "|".join(map(str, action.choices or ()))
    return f"{names} [{value}]" if action.nargs == "?" else f"{names} {value}"


# settings

_SETTINGS = """\
# Settings

Made by `tools/reference.py` from the code. What belongs to the registry (stages, gates, owners) is no
setting: it stands in the registry, is the same for everybody, and changes by event.

## Of a kernel

`%config Nbreg.naming = "number"` in a notebook, `c.Nbreg.naming = "number"` in `ipython_config.py`; for the
extension of Jupyter Server the same in `jupyter_server_config.py`. In a script
`nbreg.Registry(settings=Settings(…))`, from `nbreg.settings`, takes those that are marked.
"""

# The variables that nbreg reads, with what they do. A test compares them with the code.
VARIABLES = {
    "NBREG_REGISTRY": "Where the registry is, for whoever names none: a folder.",
    "NBREG_ACTOR": "Who acts, in place of the user of the system; a JupyterHub user comes first.",
    "NBREG_REQUIRE_PINNED": (
        "`1`: loading by a reference that can move is refused, and every byte is verified at each load."
    ),
    "NBREG_TRUST_FILE": (
        "A file with decisions to trust, for jobs, beside those of the user: an id a "
        "line, as `nbreg trust` writes it."
    ),
    "NBREG_PROVE": "`0`: nothing is proven in the background.",
    "NBREG_PROOF_LOCK": (
        "The file by which the users of a machine take turns at proofs, where `/tmp` is not everybody's."
    ),
    "NBREG_ENVIRONMENTS": (
        "The folder of environments that are made again, in place of one in the user's cache."
    ),
    "NBREG_DECISIONS_KEY": "A file with the key of the ledger of decisions, in place of `decisions/key`.",
    "NBREG_SKIP_LABEXTENSION": "`1` while it is installed from its source: without the JupyterLab extension.",
}

# Where a user's own things are, outside of every registry.
PLACES = {
    "`$XDG_CONFIG_HOME/nbreg`, else `~/.config/nbreg`": (
        "the user's own key, and what was decided to be trusted: both are never in a registry"
    ),
    "`$XDG_CACHE_HOME/nbreg`, else `~/.cache/nbreg`": (
        "environments, what was verified, versions that wait for a proof, drafts of projects without "
        "a registry: all of it can be deleted"
    ),
}


def settings() -> str:
    """The page of settings."""
    variables = [(f"`{name}`", told) for name, told in VARIABLES.items()]
    return _joined(
        _SETTINGS,
        _traits(Nbreg, marked=Settings.__struct_fields__),
        "## Of Jupyter Server",
        "`c.NbregServer.enforce = True` in `jupyter_server_config.py`: [the server](server.md), "
        "[who may do what](governance.md).",
        _traits(NbregServer),
        "## Of JupyterLab",
        "*Settings → Models (nbreg)*: [the sidebar](jupyterlab.md).",
        _table(_of_the_sidebar()),
        "## Environment variables",
        _table(variables),
        "## Folders of the user",
        _table(PLACES.items()),
    )


def _traits(cls: type[Configurable], marked: Iterable[str] = ()) -> str:
    rows = []
    for name, trait in cls.class_own_traits(config=True).items():
        default = getattr(cls(), name)
        told = " ".join(str(trait.help).split())
        in_python = " · also in `Settings`" if name in marked else ""
        rows.append((f"`{cls.__name__}.{name}`", f"`{_plainly(default)}`", f"{_cell(told)}{in_python}"))
    return _table(rows)


def _plainly(value: Any) -> str:
    return repr(value if isinstance(value, str | bool | int | float) else type(value)(value))


def _of_the_sidebar() -> Iterator[tuple[str, str, str]]:
    schema = json.loads((ROOT / "labextension" / "schema" / "plugin.json").read_text())
    for each in schema["properties"].values():
        yield each["title"], f"`{json.dumps(each['default'])}`", _cell(each["description"])


# errors

Refused = errors.NbregError
Kind = type[errors.NbregError]

_ERRORS = """\
# When something is refused

Made by `tools/reference.py` from `nbreg.errors`. Every refusal has a `code`, which never changes; a
`message`, the fact; and a `hint`, the next step as it is typed where you are. Nothing is half done: what
raised has changed nothing, unless the entry says otherwise.

- In Python: `except nbreg.errors.NameTakenError`, or `except nbreg.NbregError as error:` and `error.code`.
  Classes that stand further to the right are also the ones before them: `NameTakenError` is a
  `ConflictError`.
- In a notebook one line, and the cell has failed, so that papermill, nbconvert and `nbreg run` stop. In a
  shell one line on stderr, and exit code 1 (2 where the arguments are wrong). From the server a JSON
  object, under the status that is given here.

Not an error, and not what you expected:
"""

# What is no error, and not what somebody expected.
UNEXPECTED = {
    "the list is empty": (
        "`nbreg.Registry().location` is another folder than you think: [which one is "
        "it](versions.md#which-registry)"
    ),
    "registering gave an old version": (
        "equal content was registered before; `version.existing` is true, and `new=True` makes another"
    ),
    "the sidebar is not there, or is another release than the server": (
        "[jupyterlab.md](jupyterlab.md#commands-keys-settings), *It does not appear*"
    ),
    "a panel is only a table": (
        "widgets need a front end with somebody in it; a saved notebook and a terminal show the table"
    ),
    "a number that you did not expect": (
        "`version.bump_reason` is the sentence; `base=` compares with another version, `bump=` "
        "and `version=` overrule"
    ),
    "`not proven yet` stays": (
        "only `%register_model` has its versions proven, in the background, one at a time on a "
        "machine, and not under `NBREG_PROVE=0`; a saved output says what was true then. `nbreg "
        "prove REF` does it now"
    ),
    "registering failed after a long training": (
        "the object is in the kernel still, and in `%drafts`; the hint has the line that tries again"
    ),
    "no draft of a model": (
        "of what was trained before `%load_ext nbreg`, or is no model by its type, there is none; "
        "of others `%drafts` says why"
    ),
    "the recipe is `incomplete`": (
        "`version.recipe.reasons` says why, and the whole history is kept beside it"
    ),
}


def catalogue() -> str:
    """The page of errors."""
    chapters: list[Kind] = [errors.NbregError, *errors.NbregError.__subclasses__()]
    contents = " · ".join(
        f"[`{each.code}`](#{each.code})" for chapter in chapters for each in _below(chapter, chapters)
    )
    parts = [_chapter(each, chapters) for each in chapters]
    return _joined(_ERRORS, _table(UNEXPECTED.items()), contents, *parts, _warnings())


def _below(kind: Kind, chapters: list[Kind]) -> Iterator[Kind]:
    yield kind
    for each in kind.__subclasses__():
        if each not in chapters:
            yield from _below(each, chapters)


def _chapter(chapter: Kind, chapters: list[Kind]) -> str:
    first, *rest = _below(chapter, chapters)
    title = _told(first)[0].rstrip(".").partition(";")[0]
    return _joined(f"## {title}", *(_error(each) for each in (first, *rest)))


def _error(kind: Kind) -> str:
    means, what_to_do = _told(kind)
    line = " → ".join(f"`{each.__name__}`" for each in reversed(kind.__mro__) if issubclass(each, Refused))
    status = next((f" · HTTP {status}" for base, status in STATUS if issubclass(kind, base)), "")
    return _joined(f"### {kind.code}", f"{line}{status}", means, what_to_do)


def _told(kind: type) -> tuple[str, str]:
    """What an error means, and what to do."""
    means, _, what_to_do = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    return means, what_to_do


def _warnings() -> str:
    rows = [
        (f"`{each.__name__}`", " ".join(each.__doc__.split()) if each.__doc__ else "")
        for each in errors.NbregWarning.__subclasses__()
    ]
    told = "Python's own, under `nbreg.errors.NbregWarning`; filters turn them off."
    return _joined("## Warnings", told, _table(rows))


# pages

PAGES: dict[str, Callable[[], str]] = {
    "python.md": pythonpage.page,
    "magics.md": magics,
    "settings.md": settings,
    "errors.md": catalogue,
}


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    width = lines[0].count(" | ") + 1
    return "\n".join([f"|{' |' * width}", f"|{'---|' * width}", *lines])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def main(arguments: list[str]) -> int:
    """Write them, or compare them."""
    os.environ.pop("NBREG_PROVE", None)  # a default is asked of it
    made = {ROOT / "docs" / name: page() for name, page in PAGES.items()}
    if arguments == ["--check"]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
        print("\n".join(f"docs/{path.name} is not up to date: {COMMAND}" for path in stale) or "up to date")
        return 1 if stale else 0
    for path, text in made.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
