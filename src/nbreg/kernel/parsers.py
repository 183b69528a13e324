"""What each magic takes: its arguments, and what its `--help` and `%magic?` say."""

from __future__ import annotations

from functools import cache
from typing import Final

from nbreg.kernel.arguments import Parser

MAGICS: Final = (
    "register_model",
    "promote",
    "retire",
    "rollback",
    "request",
    "requests",
    "approve",
    "reject",
    "gates",
    "load_model",
    "models",
    "model",
    "model_diff",
    "model_history",
    "model_events",
    "drafts",
    "runs",
    "start_run",
    "use_registry",
)

_REFERENCE: Final = "churn@3, churn@1.2.0, churn@production, churn@champion, churn@latest or churn@sha256:…"


@cache
def parser(name: str) -> Parser:
    """The parser of one magic; made once."""
    return _MAKERS[name]()


def _register_model() -> Parser:
    new = Parser(
        "%register_model",
        "Register a trained object as a new version of a model.\n\n"
        "    %register_model churn                    the model trained last\n"
        "    %register_model churn clf --metrics auc  the variable clf, with the value of auc\n\n"
        "As %%register_model above a cell: what can be checked is checked before the cell runs, and\n"
        "what it trains is registered afterwards. {date}, {time}, what --sub gives and the kernel's\n"
        "own texts and numbers are filled in wherever {x} stands.",
    )
    new.add_argument("model", metavar="MODEL", help="name of the model, for example churn or risk/churn")
    new.add_argument(
        "variable", metavar="VARIABLE", nargs="?", help="what to register; default: trained last"
    )
    naming = new.add_mutually_exclusive_group()
    naming.add_argument("--version", metavar="V", help="name of the version; default: the next one")
    naming.add_argument("--bump", choices=("auto", "major", "minor", "patch"), help="which number goes up")
    new.add_argument("--from", dest="base", metavar="REF", help="the version to count on from")
    new.add_argument("--stage", metavar="S", help="stage to begin in")
    for flag, meta, text in (
        ("--metrics", "a,b=0.9", "variables or values"),
        ("--params", "p,lr=0.1", "a dictionary, variables or values"),
        ("--data", "X_train", "variables with the data; customers=X_train names it"),
        ("--artifacts", "s,tok=./f", "variables, or files written ./…"),
        ("--tags", "t,u", "keywords"),
        ("--sub", "team=A", "fills {team}"),
    ):
        new.add_argument(flag, metavar=meta, action="append", help=text)
    new.add_argument("--description", default="", metavar="TEXT", help="what this version is")
    _why(new)
    new.add_argument("--draft", metavar="N", type=int, help="a draft, by its number in %%drafts")
    new.add_argument("--preview", action="store_true", help="show what would be stored, and store nothing")
    new.add_argument("--new", action="store_true", help="a version even if equal content is registered")
    new.add_argument("--force", action="store_true", help="take a name that is taken; needs --reason")
    new.add_argument(
        "--git-tag", metavar="TAG", nargs="?", const=True, default=False, help="tag the commit; MODEL-vNAME"
    )
    new.add_argument("--allow-dirty", action="store_true", help="--git-tag despite uncommitted changes")
    new.add_argument("--allow-secrets", action="store_true", help="store bytes that look like a secret")
    return new


def _promote() -> Parser:
    new = Parser("%promote", "Move a version to a higher stage; the one that held it is archived.")
    _reference(new)
    new.add_argument("stage", metavar="STAGE", nargs="?", help="default: one up, never past production")
    _why(new)
    _force(new)
    return new


def _retire() -> Parser:
    new = Parser("%retire", "Take a version out of use.")
    _reference(new)
    new.add_argument("stage", metavar="STAGE", nargs="?", help="a lower stage; default: archived")
    new.add_argument("--to", metavar="STAGE", help="the same")
    _why(new)
    _force(new)
    return new


def _rollback() -> Parser:
    new = Parser("%rollback", "Give a stage back to the version that held it before.")
    new.add_argument("model", metavar="MODEL", help="name of the model")
    new.add_argument("--stage", metavar="S", help="default: production")
    new.add_argument("--to", metavar="REF", help="the version to go back to; default: the one before")
    _why(new)
    return new


def _request() -> Parser:
    new = Parser(
        "%request",
        "Ask the others that a version come into a stage; somebody else approves or rejects that.\n\n"
        "    %request churn@2 production --message 'lift 3 %'",
    )
    _reference(new)
    new.add_argument("stage", metavar="STAGE", help="where it is to go")
    _why(new)
    return new


def _requests() -> Parser:
    new = Parser("%requests", "List what was asked for, newest first.")
    new.add_argument("model", metavar="MODEL", nargs="?", help="default: all models")
    new.add_argument("--state", metavar="S", help="open, stale, promoted, rejected or withdrawn")
    return new


def _approve() -> Parser:
    new = Parser(
        "%approve", "Agree to a request; it is promoted as soon as it passes all that the stage requires."
    )
    new.add_argument("request", metavar="REQUEST", help="for example churn:r3, as %%requests lists it")
    _why(new)
    return new


def _reject() -> Parser:
    new = Parser("%reject", "Say no to a request, which ends it; one's own is withdrawn.")
    new.add_argument("request", metavar="REQUEST", help="for example churn:r3, as %%requests lists it")
    _why(new)
    return new


def _gates() -> Parser:
    new = Parser("%gates", "List what the registry requires before a version comes into a stage.")
    new.add_argument("model", metavar="MODEL", nargs="?", help="default: what holds for all models")
    return new


def _load_model() -> Parser:
    new = Parser(
        "%load_model",
        "Load a version: its bytes are verified, and what differs in the environment is shown.\n\n"
        "    clf = %load_model churn@production\n"
        "    %load_model churn@production --as clf --with scaler,threshold\n\n"
        "--with sets artifacts, and variables that were recorded, under their own names. A name that\n"
        "is taken by something else is never overwritten unasked: then nothing is set.",
    )
    _reference(new)
    new.add_argument("--as", dest="name", metavar="NAME", help="variable to bind it to")
    new.add_argument(
        "--with", dest="others", metavar="a,b|all", action="append", help="artifacts and variables to set too"
    )
    new.add_argument("--overwrite", action="store_true", help="--with replaces what has these names")
    new.add_argument("--trust", action="store_true", help="load code that nobody here vouched for")
    new.add_argument(
        "--isolate",
        action="store_true",
        help="where libraries differ, run it in the environment that was recorded",
    )
    new.add_argument(
        "--device", metavar="cpu|cuda|…", help="where a PyTorch module goes; the CPU if not given"
    )
    return new


def _models() -> Parser:
    return Parser("%models", "List the models of the registry.")


def _model() -> Parser:
    new = Parser("%model", "Show all there is to say about a version.")
    _reference(new)
    return new


def _model_diff() -> Parser:
    new = Parser(
        "%model_diff",
        "Show what differs from B to A; A may be a variable, which is looked at and not registered.\n\n"
        "    %model_diff clf churn@production     what registering clf would give, and why\n"
        "    %model_diff churn@4 churn@3          two versions\n\n"
        "A word with @ is a version; any other is a variable if there is one of that name, else a model.",
    )
    new.add_argument("a", metavar="A", help="a variable, or a version")
    new.add_argument(
        "b", metavar="B", nargs="?", help="a version; default: the model's production, else its latest"
    )
    for flag, meta, text in (
        ("--metrics", "a,b=0.9", "variables or values; default: variables named like B's metrics"),
        ("--params", "p,lr=0.1", "a dictionary, variables or values"),
        ("--data", "X_train", "variables that hold the data it was trained on"),
        ("--artifacts", "s,tok=./f", "variables, or files written ./…"),
    ):
        new.add_argument(flag, metavar=meta, action="append", help=text)
    new.add_argument("--all", action="store_true", help="what is the same, too")
    return new


def _model_history() -> Parser:
    new = Parser(
        "%model_history",
        "List the versions of a model, newest first.\n\n"
        "In JupyterLab, Notebook and VS Code it is a panel with a timeline, a plot of a metric, comparison\n"
        "and stage controls; anywhere else, and in the saved notebook, it is a table.",
    )
    new.add_argument("model", metavar="MODEL", help="name of the model")
    new.add_argument(
        "--query", metavar="Q", help="""for example 'metrics.auc > 0.9 and stage == "staging"'"""
    )
    new.add_argument(
        "--sort", metavar="FIELD", help="number, created, metrics.NAME …; --sort=-FIELD descends"
    )
    new.add_argument("--limit", metavar="N", type=int, help="no more than N")
    new.add_argument("--deleted", action="store_true", help="those that are deleted, too")
    new.add_argument("--table", action="store_true", help="the table, also where a panel could be shown")
    return new


def _model_events() -> Parser:
    new = Parser("%model_events", "List what happened to a model, newest first: when, who, what and why.")
    new.add_argument("model", metavar="MODEL", nargs="?", help="default: all models")
    new.add_argument("--since", metavar="DATE", help="2026-02-09 or 2026-02-09T10:00Z")
    new.add_argument("--limit", metavar="N", type=int, help="no more than N")
    return new


def _drafts() -> Parser:
    new = Parser(
        "%drafts",
        "List the models that were trained in this project and not registered, newest first.\n\n"
        "    %register_model churn --draft 2   registers one of them, as it was",
    )
    new.add_argument("--drop", metavar="N", type=int, help="forget that draft")
    return new


def _runs() -> Parser:
    new = Parser("%runs", "List runs side by side, newest first: params, last metrics, versions.")
    new.add_argument("--query", metavar="Q", help="for example 'metrics.auc > 0.9 and params.C < 1'")
    new.add_argument("--experiment", metavar="E", help="those of one experiment")
    new.add_argument("--state", metavar="S", help="running, finished, failed or interrupted")
    new.add_argument(
        "--sort", metavar="BY", help="metrics.auc, params.C, name …; - for descending: -metrics.auc"
    )
    new.add_argument("--limit", metavar="N", type=int, default=50, help="no more than N; default: 50")
    return new


def _start_run() -> Parser:
    new = Parser(
        "%start_run",
        "Begin another run in this notebook: what is logged and registered from here on belongs to it.",
    )
    new.add_argument("name", metavar="NAME", nargs="?", default="", help="its name")
    new.add_argument("--experiment", metavar="E", default="", help="the runs that it belongs to")
    new.add_argument(
        "--params", metavar="p,lr=0.1", action="append", help="a dictionary, variables or values"
    )
    return new


def _use_registry() -> Parser:
    new = Parser(
        "%use_registry",
        "Work on another registry from here on, in magics and in nbreg.Registry();\n"
        "without LOCATION, say which it is.",
    )
    new.add_argument("location", metavar="LOCATION", nargs="?", help="a folder")
    return new


def _reference(new: Parser) -> None:
    new.add_argument("ref", metavar="REF", help=f"{_REFERENCE}")


def _why(new: Parser) -> None:
    new.add_argument("--reason", default="", metavar="WORD", help="why, in a short word for machines")
    new.add_argument("--message", default="", metavar="TEXT", help="why, in a sentence for people")


def _force(new: Parser) -> None:
    new.add_argument("--force", action="store_true", help="past the gates of the stage; needs --reason")


_MAKERS: Final = {
    "register_model": _register_model,
    "promote": _promote,
    "retire": _retire,
    "rollback": _rollback,
    "request": _request,
    "requests": _requests,
    "approve": _approve,
    "reject": _reject,
    "gates": _gates,
    "load_model": _load_model,
    "models": _models,
    "model": _model,
    "model_diff": _model_diff,
    "model_history": _model_history,
    "model_events": _model_events,
    "drafts": _drafts,
    "runs": _runs,
    "start_run": _start_run,
    "use_registry": _use_registry,
}
