"""Write what a frontend knows of Python's side, from where it stands there.

    labextension/src/contract.ts    the records that travel as TypeScript, and what each route takes
    labextension/style/views.css    the style of what a kernel shows
    docs/server.md                  the table of routes, for people

.venv/bin/python tools/contract.py           write them
.venv/bin/python tools/contract.py --check   say whether they are up to date
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from nbreg.display import style
from nbreg.server.answering import LARGEST_BODY, STATUS
from nbreg.server.contract import answer_of, contract_digest, fields, interface, records
from nbreg.server.routes import NAMESPACE, ROUTES, Route

ROOT = Path(__file__).resolve().parent.parent
TYPESCRIPT = ROOT / "labextension" / "src" / "contract.ts"
VIEWS = ROOT / "labextension" / "style" / "views.css"
PAGE = ROOT / "docs" / "server.md"
COMMAND = ".venv/bin/python tools/contract.py"


# TypeScript


def typescript() -> str:
    """The whole module."""
    head = [
        f"// Made by tools/contract.py from the server's records: {COMMAND}",
        "",
        "/** The shape of all that travels; a server that says another one in `hello` does not fit. */",
        f"export const CONTRACT = '{contract_digest()}';",
        "",
        "/** What the routes' paths begin with, below the server's base URL. */",
        f"export const NAMESPACE = '{NAMESPACE}';",
    ]
    parts = ["\n".join(head), *(_interface(each) for each in records()), _routes(), _methods()]
    return "\n\n".join(parts) + "\n"


def _interface(record: type[msgspec.Struct]) -> str:
    told = told_of_fields(record)
    lines = [*_comment(_first(record.__doc__)), f"export interface {interface(record)} {{"]
    for field in fields(record):
        lines += [f"  {line}" for line in _comment(told.get(field.name, ""))]
        lines.append(f"  {field.name}{'?' if field.may_miss else ''}: {field.kind};")
    return "\n".join([*lines, "}"])


def _comment(text: str) -> list[str]:
    """A comment above what it is about; a word that would end it does not."""
    lines = [line.strip() for line in text.strip().replace("*/", "* /").splitlines()]
    if not text.strip():
        return []
    if len(lines) == 1:
        return [f"/** {lines[0]} */"]
    return ["/**", *(f" * {line}".rstrip() for line in lines), " */"]


def _first(text: str | None) -> str:
    return inspect.cleandoc(text or "")


def told_of_fields(record: type) -> dict[str, str]:
    """What stands below the fields, those that were inherited included."""
    told: dict[str, str] = {}
    for each in reversed(record.__mro__):
        if each.__module__.partition(".")[0] == "nbreg":
            told |= _told_in(each.__module__).get(each.__name__, {})
    return told


@cache
def _told_in(module: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield field.target.id, inspect.cleandoc(str(below.value.value))


def _routes() -> str:
    lines = [
        "/** Each route by its path: what it is asked with and what it answers. */",
        "export interface IRoutes {",
    ]
    for route in ROUTES:
        lines += [f"  {line}" for line in _comment(route.told)]
        answer = answer_of(route)
        key = f"'{route.path}'" if not route.path.isidentifier() else route.path
        lines.append(
            f"  {key}: {{ method: '{route.method}'; asked: {interface(route.takes)}; answer: {answer} }};"
        )
    return "\n".join([*lines, "}"])


def _methods() -> str:
    rows = [
        f"  {route.path if route.path.isidentifier() else repr(route.path)}: '{route.method}'"
        for route in ROUTES
    ]
    return "\n".join(
        [
            "/** The method of each route: what only looks is a GET. */",
            "export const METHODS: { readonly [path in keyof IRoutes]: IRoutes[path]['method'] } = {",
            ",\n".join(rows),
            "};",
        ]
    )


# the style


def views() -> str:
    """What JupyterLab takes from an output that nobody trusts yet: its style."""
    head = f"/* Made by tools/contract.py from src/nbreg/display/style.py: {COMMAND} */"
    sheets = (style.STYLE, style.DIFF_STYLE, style.FOLD_STYLE, style.GRAPH_STYLE, style.PANEL_STYLE)
    rules = "".join([*sheets, style.LIVE_STYLE, style.TWIN_STYLE]).replace("}", "}\n")
    return f"{head}\n{rules}"


# the page

_HEADING = f"""\
# The server

Made by `tools/contract.py` from the table in `src/nbreg/server/routes.py`.

`pip install nbreg` enables the extension for Jupyter Server; `jupyter server extension list` shows it. Every
route stands below `nbreg/`, needs what Jupyter asks of anybody (a token or a login, and of a browser the XSRF
token for a POST), and asks the server's authorizer for `read` or `write` on the resource `nbreg`. Who acts is
the server's user; where the server knows nobody by name (a token, a password), it is whoever runs it, as in a
kernel.

A GET has its question in the query, a POST its wish as a JSON object of at most
{LARGEST_BODY // 1024} KiB. Fields that a route does not take are an error. Without `registry` it is
that of the server's own folder; `registries` lists the others, and with `near` that of a notebook.
What is left empty on disk is there on the wire: a record has all its fields, but for those that
`contract.ts` marks with `?`.

    c.NbregServer.registries = {{"team": "/srv/models", "old": {{"path": "/srv/old", "read_only": True}}}}
    c.NbregServer.read_only = False
    c.NbregServer.enforce = True        # hold people to what the owners of models said: governance.md
    c.NbregServer.teams = {{"risk": ["ada", "grace"]}}
    c.NbregServer.admins = ["platform"]

A path that a client gives stays below the server's root, also through links. A registry that a link leads to
outside is opened only if the configuration names it.

**Following.** `poll?since=CURSOR` answers with the models that changed, by whichever process, and the next
cursor; a cursor that this server does not know (it was started anew) is answered with all of them. Answers
that are a function of journals have an `ETag`, which is compared before anything is read: `If-None-Match`
is answered with 304.

**Refusals** are `{{"code": …, "message": …, "hint": …, "gates": […]}}`: the codes of nbreg's errors,
`internal`, and `http-403` and the like for what the server itself refuses.
"""


def page() -> str:
    """The page for people."""
    parts = [_HEADING, _statuses(), "## Routes", _table(list(ROUTES))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _statuses() -> str:
    rows = [f"| {status} | {_first(kind.__doc__).splitlines()[0]} |" for kind, status in STATUS]
    return "\n".join(["| status | |", "|---|---|", *rows])


def _table(routes: list[Route]) -> str:
    cells = [
        (f"`{each.method} {NAMESPACE}/{each.path}`", each.permission, _takes(each), _gives(each), each.told)
        for each in routes
    ]
    rows = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(["| route | needs | takes | gives | |", "|---|---|---|---|---|", *rows])


def _takes(route: Route) -> str:
    fields = msgspec.structs.fields(route.takes)
    return ", ".join(f"**{each.name}**" if each.required else each.name for each in fields) or "nothing"


def _gives(route: Route) -> str:
    return "a file" if route.is_download else f"`{answer_of(route)}`".replace("`I", "`")


def main(arguments: list[str]) -> int:
    """Write them, or compare them."""
    made = {TYPESCRIPT: typescript(), VIEWS: views(), PAGE: page()}
    if arguments == ["--check"]:
        stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: {COMMAND}")
        return 1 if stale else 0
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
