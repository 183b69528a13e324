"""The magics: each parses its line, calls one verb of the registry and returns what shows itself.

A refusal is one line with a hint and ends the cell as failed, so that papermill and nbconvert
stop there. None of them asks for input.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar, cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from nbreg.display import (
    DraftTable,
    DriftTable,
    EventTable,
    GateTable,
    ModelTable,
    Note,
    RequestTable,
    RunTable,
    VersionDetail,
    VersionTable,
    label,
    told_move,
    told_request,
)
from nbreg.display.text import brief, count
from nbreg.errors import (
    BadInputError,
    CannotLoadError,
    NbregError,
    StoreError,
    TrustError,
)
from nbreg.kernel.arguments import HelpShown, fill, needs_filling, params, pieces, split, substitutions
from nbreg.kernel.differing import Differing
from nbreg.kernel.history import history
from nbreg.kernel.interrupting import Interrupted
from nbreg.kernel.objects import variable
from nbreg.kernel.parsers import parser
from nbreg.kernel.progress import progress_shown
from nbreg.kernel.registering import Registering
from nbreg.kernel.restoring import Beside, beside, is_name, told
from nbreg.kernel.session import Session
from nbreg.kernel.showing import shown_drafts, shown_version
from nbreg.names import parse_reference, refuse_unused
from nbreg.records import Diff
from nbreg.registry.offering import registry_near, why_no_run

Arguments = argparse.Namespace
R = TypeVar("R")


class Help:
    """What `--help` answers with."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()

    def __repr__(self) -> str:
        return self._text


def answered(call: Callable[[], R]) -> R | Help:
    """What the call gives. What nbreg refuses is one line, without a traceback, and so is Ctrl-C;
    `--help` is answered."""
    try:
        return call()
    except HelpShown as shown:
        return Help(shown.text)
    except NbregError as error:
        raise UsageError(one_line(error)) from _without_frames(error)
    except KeyboardInterrupt as error:
        told = str(error) if isinstance(error, Interrupted) else ""
        raise Interrupted(told) from _without_frames(error)


def one_line(error: NbregError) -> str:
    """Message and hint, with whatever came in from outside made visible."""
    return brief(error.line, 2000)


def _without_frames(error: BaseException) -> BaseException:
    """The error without its tracebacks: Python keeps the last error, and with it the model and its bytes."""
    chain: list[BaseException | None] = [error]
    while chain:
        if (each := chain.pop()) is not None and each.__traceback__ is not None:
            each.__traceback__ = None
            chain += (each.__cause__, each.__context__)
    return error


def magic(body: Callable[[NbregMagics, Arguments], R]) -> Callable[[NbregMagics, str], R | Help]:
    """A line magic of the body: its line is parsed, its refusals are one line, `--help` answers."""
    name = body.__name__

    def run(self: NbregMagics, line: str) -> R | Help:
        return answered(lambda: body(self, self.parse(name, line)[0]))

    run.__name__, run.__qualname__, run.__module__ = name, body.__qualname__, body.__module__
    run.__doc__ = parser(name).format_help()
    made: Any = no_var_expand(line_magic(run))
    return cast("Callable[[NbregMagics, str], R | Help]", made)


@magics_class
class NbregMagics(Magics):  # type: ignore[misc,unused-ignore]
    """`%register_model` and the rest."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    def parse(self, name: str, line: str) -> tuple[Arguments, list[str]]:
        """The arguments of a line, filled in, and its words as they were written."""
        words = split(line)
        filled, given = words, substitutions(words)
        if needs_filling(words):
            filled = fill(words, self.session.values(given))
        args = parser(name).read(filled)
        refuse_unused(given, *words)
        return args, words

    @no_var_expand
    @line_cell_magic
    def register_model(self, line: str, cell: str | None = None) -> Any:
        """See below: the parser's own text."""
        return answered(lambda: self._registered(line, cell))

    def _registered(self, line: str, cell: str | None) -> Any:
        registering = Registering(self.session, *self.parse("register_model", line))
        with progress_shown(self.session.shell):
            return registering.now() if cell is None else registering.after_cell(cell)

    register_model.__doc__ = parser("register_model").format_help()

    @magic
    def promote(self, args: Arguments) -> Note:
        """Move a version to a higher stage."""
        registry, ref = self.session.registry, self.session.written(args.ref)
        before = registry.get(ref).stage
        version = registry.promote(
            ref, args.stage, reason=args.reason, message=args.message, force=args.force
        )
        return self._moved(version, before)

    @magic
    def retire(self, args: Arguments) -> Note:
        """Take a version out of use."""
        registry, ref = self.session.registry, self.session.written(args.ref)
        before = registry.get(ref).stage
        to = args.stage or args.to
        version = registry.retire(ref, to, reason=args.reason, message=args.message, force=args.force)
        return self._moved(version, before)

    @magic
    def rollback(self, args: Arguments) -> Note:
        """Give a stage back to the version that held it before."""
        version = self.session.registry.rollback(
            args.model, args.stage, to=args.to, reason=args.reason, message=args.message
        )
        return self._moved(version, "")

    @magic
    def request(self, args: Arguments) -> Note:
        """Ask for a promotion."""
        registry = self.session.registry
        made = registry.request(
            self.session.written(args.ref), args.stage, reason=args.reason, message=args.message
        )
        return Note(told_request(made), stage=made.to, version=registry.get(f"{made.model}@{made.version}"))

    @magic
    def requests(self, args: Arguments) -> RequestTable:
        """List what was asked for."""
        return RequestTable(self.session.registry.requests(args.model, args.state), title=args.model or "")

    @magic
    def approve(self, args: Arguments) -> Note:
        """Agree to a request."""
        registry = self.session.registry
        done = registry.approve(args.request, reason=args.reason, message=args.message)
        version = registry.get(f"{done.model}@{done.version}")
        if done.state == "promoted":
            return self._moved(version, "")
        return Note(told_request(done), version=version)

    @magic
    def reject(self, args: Arguments) -> Note:
        """Say no to a request; to one's own, by taking it back."""
        registry = self.session.registry
        mine = registry.get_request(args.request).by == registry.actor.user
        verb = registry.withdraw if mine else registry.reject
        return Note(told_request(verb(args.request, reason=args.reason, message=args.message)))

    @magic
    def gates(self, args: Arguments) -> GateTable:
        """List what stages require."""
        return GateTable(
            self.session.registry.gates(args.model), title=args.model or "required of all models"
        )

    def _moved(self, version: Any, before: str) -> Note:
        """What happened, from the journal's own line about it."""
        row, last = version.row, version.last_event
        facts = last.facts if before != row.stage and last.number == row.number else {}
        text = told_move(version.model, row, facts, before=before)
        return Note(text, version=version, stage=row.stage, hint="; ".join(facts.get("warnings") or ()))

    @magic
    def load_model(self, args: Arguments) -> Any:
        """Load a version."""
        registry = self.session.registry
        version = registry.get(args.ref)
        beside = self._beside(version, args)
        trust = True if args.trust else None
        # Resolved once, so that all of it is of one version; where only pinned references may be
        # loaded, the registry has to see the reference itself.
        ref = args.ref if os.environ.get("NBREG_REQUIRE_PINNED") == "1" else version
        shown = progress_shown(self.session.shell)
        with shown, _trust_by_flag(args.ref), self._drift_if_it_fails(version):
            load = partial(registry.load, ref, trust=trust, on_drift="isolate" if args.isolate else "show")
            value = load(device=args.device)
            loaded = {name: load(name) for name in beside.artifacts}
        for each in (value, *loaded.values()):
            self.session.drafter.is_known(each)
        isolated = args.isolate and _is_isolated(value)
        also = told(loaded, beside.variables)
        also += _where(version) if args.isolate and not isolated else ""
        self._tell(version, args.ref, also, isolated=isolated)
        bound = {**loaded, **beside.variables, **({args.name: value} if args.name else {})}
        self.session.shell.user_ns.update(bound)
        return value

    def _beside(self, version: Any, args: Arguments) -> Beside:
        """What `--with` names; a variable that is there is overwritten only if the line says so."""
        if args.name and not is_name(args.name):
            raise BadInputError(f"--as {args.name} is no name of a variable")
        namespace = self.session.shell.user_ns
        return beside(
            version, pieces(args.others), namespace, taken=args.name or None, overwrite=args.overwrite
        )

    def _tell(self, version: Any, ref: str, also: str, *, isolated: bool) -> None:
        """Which version it is, for good, and what is different here, if that matters to it."""
        row = version.row
        pinned = f"{version.model}@sha256:{version.id[:12]}"
        also += " · answers in its own environment" if isolated else ""
        text = f"{version.model} {label(row.name, row.number)}{also} · pinned {pinned}"
        self.session.show(Note(text, hint=_moving(version, ref)))
        if not isolated:
            self._show_drift(version)

    @contextmanager
    def _drift_if_it_fails(self, version: Any) -> Iterator[None]:
        """A package that is missing is the likeliest reason why bytes that are whole do not load."""
        try:
            yield
        except CannotLoadError:
            self._show_drift(version)
            raise
        except NbregError:
            raise
        except Exception:
            self._show_drift(version)
            raise

    def _show_drift(self, version: Any) -> None:
        drift = version.registry.drift(version)
        if drift:
            self.session.show(DriftTable(drift))

    @magic
    def models(self, args: Arguments) -> ModelTable:
        """List the models of the registry."""
        return ModelTable(self.session.registry.models())

    @magic
    def model(self, args: Arguments) -> VersionDetail:
        """Show all there is to say about a version."""
        version = self.session.registry.get(args.ref)
        found = shown_version(version, self.session.drafter.is_known)
        with suppress(StoreError):  # a part that is damaged hides nothing else
            if not version.row.purged:
                self._show_drift(version)
        return found

    @magic
    def model_diff(self, args: Arguments) -> Diff:
        """Show what differs from one version to another, or to a variable."""
        return Differing(self.session, args).diff()

    @magic
    def model_history(self, args: Arguments) -> VersionTable:
        """List the versions of a model; where somebody can click, as a panel."""
        return history(self.session.registry, args)

    @magic
    def model_events(self, args: Arguments) -> EventTable:
        """List what happened to a model."""
        events = self.session.registry.events(args.model, since=args.since, limit=args.limit)
        return EventTable(events, title=args.model or "")

    @magic
    def drafts(self, args: Arguments) -> DraftTable:
        """List what was trained and not registered."""
        registry, drafter = self.session.registry, self.session.drafter
        if args.drop is not None:
            registry.draft(args.drop).remove()
        return shown_drafts(registry, drafter)

    @magic
    def runs(self, args: Arguments) -> RunTable:
        """List the runs of the registry."""
        found = self.session.registry.runs(
            args.query, experiment=args.experiment, state=args.state, sort=args.sort, limit=args.limit
        )
        chosen = bool(args.query or args.experiment or args.state)
        why = "" if found else why_no_run(self.session.registry, args.query)
        return RunTable([each.record for each in found], items=found, chosen=chosen, why_empty=why)

    @magic
    def start_run(self, args: Arguments) -> Any:
        """Begin another run in this notebook."""
        lookup = partial(variable, namespace=self.session.namespace)
        given = params(args.params, lookup)
        return self.session.registry.start_own_run(args.name, experiment=args.experiment, params=given)

    @magic
    def use_registry(self, args: Arguments) -> Note:
        """Work on another registry."""
        session = self.session
        registry = session.use(args.location) if args.location else session.registry
        where = f"registry {args.location or registry.location}"
        if not registry.id:
            return Note(f"{where} · not there yet: the first version makes it", hint=registry_near(registry))
        return Note(f"{where} · {count(len(registry.models()), 'model')}")


def _moving(version: Any, ref: str) -> str:
    """What to load instead of the latest version, where another one is in production."""
    if parse_reference(ref).kind not in ("latest", "implicit"):
        return ""
    stage = version.registry.serving
    held = version.registry.model(version.model).stages.get(stage, version.number)
    if held == version.number:
        return ""
    return f"the latest version moves; in {stage} is #{held}: {version.model}@{stage}, or the pinned one"


@contextmanager
def _trust_by_flag(ref: str) -> Iterator[None]:
    """On a line, the line to run is this line with a flag."""
    try:
        yield
    except TrustError as error:
        error.hint = f"if you trust it: %load_model {ref} --trust"
        raise


def _where(version: Any) -> str:
    """Why what was to be isolated is here all the same."""
    from nbreg.registry.opening import isolating

    differs = isolating.differing(version.registry._desk, version._entry)
    return " · it needs no environment, loaded here" if differs else " · nothing differs, loaded here"


def _is_isolated(value: object) -> bool:
    from nbreg.workers.model import IsolatedModel

    return isinstance(value, IsolatedModel)
