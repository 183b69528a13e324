"""Everything nbreg refuses, as one tree of typed errors.

    NbregError
    ├── BadInputError          what was given cannot be meant: names, references, values
    │   ├── BadNameError
    │   ├── BadReferenceError
    │   ├── BadQueryError
    │   ├── BadTemplateError
    │   ├── BadValueError
    │   └── InputMismatchError
    ├── NotFoundError          what was named is not there
    │   ├── UnknownModelError
    │   ├── UnknownVersionError
    │   ├── NotRegisteredYetError
    │   ├── UnknownArtifactError
    │   ├── UnknownDatasetError
    │   ├── UnknownVariableError
    │   ├── NotRestorableError
    │   ├── UnknownDraftError
    │   ├── UnknownGateError
    │   ├── UnknownRequestError
    │   ├── UnknownRunError
    │   └── UnknownStageError
    ├── ConflictError          what is there stands in the way
    │   ├── FailedToRegisterError
    │   ├── NameTakenError
    │   ├── RunEndedError
    │   ├── StaleRequestError
    │   ├── TransitionError
    │   └── VersionInUseError
    ├── RefusedError           it could be done, and nbreg will not do it unasked
    │   ├── TrustError
    │   ├── SecretFoundError
    │   ├── NotPinnedError
    │   ├── NotStampedError
    │   ├── DriftError
    │   ├── GateError
    │   │   ├── GateRefusedError
    │   │   └── GateUnavailableError
    │   ├── ProtectedAliasError
    │   ├── HandoverError
    │   └── NotPermittedError
    ├── CannotStoreError       the object has no form that can be stored
    ├── CannotLoadError        what was stored needs what is not here
    │   └── CannotRebuildError
    ├── WorkerError            the process that answers for a version in its own environment
    │   ├── WorkerCrashedError
    │   ├── WorkerTimeoutError
    │   └── RemoteError
    └── StoreError             the registry's own files
        ├── RegistryBusyError
        ├── ReadOnlyError
        ├── NoSpaceError
        ├── JournalError
        ├── DamagedObjectError
        ├── FormatError
        └── FileSystemError

What nbreg warns of is an `NbregWarning`: `ExistingVersionWarning` where a run was perhaps meant to
make a version, and fetched one.

Every error has a `code` (a stable machine word, also the key on the wire), a message that
states the fact, and a `hint` that says what to do next. `str(error)` is the message alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Final

_SPELLINGS: Final = re.compile("\0([^\0]*)\0([^\0]*)\0([^\0]*)\0")


def option(name: str, value: str | None = None) -> str:
    """An option for a hint, which each face spells as it is typed there: `force=True`, `--force`."""
    if value is None:
        return spelled(f"{name}=True", f"--{_typed(name)}")
    return spelled(f"{name}={value!r}", f"--{_typed(name)} {value}")


def call(verb: str, *arguments: str) -> str:
    """A call for a hint: `registry.restore('churn@3')` in Python, else `nbreg restore churn@3`."""
    python = f"registry.{verb}({', '.join(map(repr, arguments))})"
    return spelled(python, " ".join(("`nbreg", _typed(verb), *arguments)) + "`")


def _typed(name: str) -> str:
    return name.strip("_").replace("_", "-")


def spelled(python: str, typed: str, shell: str | None = None) -> str:
    """What a hint says in Python, and what where it is typed: in a magic, and in a shell if that is other."""
    return f"\0{python}\0{typed}\0{typed if shell is None else shell}\0"


class NbregError(Exception):
    """The base of all that nbreg raises on purpose.

    Catch it for all that nbreg refuses; what is a mistake in nbreg itself is never one of these. By
    itself it says that the cell under `%%register_model` failed: its own error stands above.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def hint(self) -> str:
        """What to do next, as one writes it in Python; a traceback shows it below the message."""
        return _SPELLINGS.sub(r"\1", self._hint)

    @hint.setter
    def hint(self, hint: str) -> None:
        self._hint = hint
        self.__notes__ = [f"hint: {self.hint}"] if hint else []

    def add_hint(self, hint: str) -> None:
        """One more thing to do, after what is hinted at already."""
        self.hint = "; ".join(part for part in (self._hint, hint) if part)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from their arguments; the hint is no argument of the base.
        return (_rebuild, (type(self), self.message, self.__dict__))

    @property
    def message(self) -> str:
        """The fact, in one sentence without a full stop."""
        return str(self.args[0]) if self.args else ""

    @property
    def line(self) -> str:
        """Message and hint as one line, options and commands spelled as they are typed in a magic."""
        return self._one_line(r"\2")

    @property
    def shell_line(self) -> str:
        """Message and hint as one line, options and commands spelled as they are typed in a shell."""
        return self._one_line(r"\3")

    def _one_line(self, spelling: str) -> str:
        hint = _SPELLINGS.sub(spelling, self._hint)
        return f"{self.message} ({hint})" if hint else self.message


def _rebuild(kind: type[NbregError], message: str, state: dict[str, object]) -> NbregError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the nearest of the known words, or lists a few of them."""
    from difflib import get_close_matches

    known = sorted(known)
    near = get_close_matches(word[:200], known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    begun = [each for each in known if len(word) > 1 and each.casefold().startswith(word.casefold())]
    if begun:
        return f"did you mean {min(begun, key=len)!r}?"
    return otherwise or (f"known: {', '.join(known[:8])}" if known else "")


# what was given cannot be meant


class BadInputError(NbregError):
    """What was given cannot be meant; nothing was changed.

    The message says which argument and what it takes. Nothing is written before all of a request has
    been checked.
    """

    code = "bad-input"


class BadNameError(BadInputError):
    """A name that the grammar of names does not allow.

    A model's name has up to three parts joined by `/`, each of letters, digits, `.`, `_` and `-`. A
    version or an alias is no number, no stage, no date and not `latest`: in a reference these mean
    something else.
    """

    code = "bad-name"


class BadReferenceError(BadInputError):
    """A reference that cannot be read, or that is too vague for a verb that writes.

    `churn@3`, `churn@1.2.0`, `churn@production`, `churn@champion`, `churn@latest`, `churn@sha256:…`
    with 8 digits or more, each `@2026-02-09` for as of then. A verb that writes wants to be told which
    version: `churn` alone reads as the latest and changes nothing.
    """

    code = "bad-reference"


class BadQueryError(BadInputError):
    """A query that cannot be read, or asks for a field that versions do not have.

    The message shows the place. A query has fields, numbers, texts and lists, compared and joined as in
    Python; nothing of it is run, so nothing can be called. The names of metrics are behind `metrics.`.
    """

    code = "bad-query"


class BadTemplateError(BadInputError):
    """A name template with an unknown placeholder or an empty result.

    `{date}` and `{time}` are always known; any other `{x}` needs `substitutions={"x": …}`, or `--sub
    x=…` on a line.
    """

    code = "bad-template"


class BadValueError(BadInputError):
    """A metric, parameter, tag or piece of content that cannot be recorded.

    Metrics are finite numbers; params and content are JSON. A NaN may be logged to a run, where it is a
    value of a curve; a version has none.
    """

    code = "bad-value"


class InputMismatchError(BadInputError):
    """The rows are not what the version was trained on: columns, their number or their types.

    `version.signature` lists what it takes. Columns may come in any order; what it was not trained on
    is left out by you, not by nbreg. A version that was registered without data knows no columns and
    checks none.
    """

    code = "input-mismatch"


# what was named is not there


class NotFoundError(NbregError):
    """What was named is not in this registry.

    The hint has the nearest name that there is, or the command that lists them. What its owners do not
    show somebody is not there for them either.
    """

    code = "not-found"


class UnknownModelError(NotFoundError):
    """No model of that name in this registry.

    `%models` or `nbreg models` lists them, and `nbreg.Registry().location` says which registry was
    asked: another working folder may be another registry.
    """

    code = "unknown-model"


class UnknownVersionError(NotFoundError):
    """The model has no such version, or nothing holds that stage or alias.

    `%model_history MODEL` lists the versions and who holds which stage; `--deleted` lists those that
    were deleted, which `restore` brings back.
    """

    code = "unknown-version"


class UnknownArtifactError(NotFoundError):
    """The version has no artifact of that name, or its bytes were purged.

    `version.artifacts` lists them. After a purge the record of the version is all that is left; an
    archive that was exported before brings it back, with the next number and the id that it had.
    """

    code = "unknown-artifact"


class UnknownVariableError(NotFoundError):
    """The version recorded no variable of that name.

    `registry.variables(ref)` has all that have a value, `version.variables` the others too.
    """

    code = "unknown-variable"


class NotRestorableError(NotFoundError):
    """The version knows the variable, but not its value: it was summarised or withheld.

    Frames, arrays and long texts are summarised, secrets are withheld. Register what you want back as
    an artifact, which keeps it whole.
    """

    code = "not-restorable"


class UnknownDraftError(NotFoundError):
    """No draft of that number is kept, or its weights are not.

    `%drafts` lists those that there are, and says why weights were not kept: too large
    (`Nbreg.draft_bytes`), overwritten at once, or on an accelerator. Train it again, or register the
    variable while it holds the model.
    """

    code = "unknown-draft"


class NotRegisteredYetError(NotFoundError):
    """The version that a run is going to make is asked for before the run has made it.

    In a step or pipeline the version is made when the run has ended: ask for `number`, `ref` and the
    like after it.
    """

    code = "not-registered-yet"


class UnknownGateError(NotFoundError):
    """The stage does not require such a gate, or there is no function of that name.

    `%gates MODEL` lists what is required. A function is known once the module that declares it with
    `@nbreg.gate` is imported, or as an entry point `nbreg.gates` of an installed package.
    """

    code = "unknown-gate"


class UnknownRequestError(NotFoundError):
    """Nobody asked for a promotion under that id.

    `%requests` lists them; an id reads `churn:r3`.
    """

    code = "unknown-request"


class UnknownDatasetError(NotFoundError):
    """The registry has no data set of that name, or the data set no such version.

    `nbreg datasets` lists those that have a name: `nbreg.Dataset("customers", X)` gives one.
    """

    code = "unknown-dataset"


class UnknownRunError(NotFoundError):
    """The registry has no run of that id.

    `%runs` lists them; eight digits of an id are enough. The run that a notebook or a script is by
    itself has no file before something is logged or registered. The run of a version is found by
    `registry.run(version)` even when its file is gone.
    """

    code = "unknown-run"


class UnknownStageError(NotFoundError):
    """The registry's lifecycle has no such stage.

    `registry.stages` lists them. Another registry's word, such as `prod`, is answered with the one that
    is meant. Only stages between the first and the last can be held, and so referred to.
    """

    code = "unknown-stage"


# what is there stands in the way


class ConflictError(NbregError):
    """The registry's present state stands in the way.

    Look again and decide anew: somebody was quicker, or a file of that name is there. Trying the same
    again changes nothing by itself.
    """

    code = "conflict"


class FailedToRegisterError(ConflictError):
    """What a run trained cannot become the version that the run was to make; the run keeps it.

    A name that a run asks for was there already with other content. The run keeps the model as an
    artifact: register it under the next name with `register(name, "runs:/ID/model")`, the id being in
    `%runs`.
    """

    code = "failed-to-register"


class NameTakenError(ConflictError):
    """Another version, alias or model already has the name.

    The message shows the holder and the hint the next free name. `force` with a reason takes a
    version's name over, except from one in production; an alias and a version never share a name. Equal
    content under another name needs `new`.
    """

    code = "name-taken"


class RunEndedError(ConflictError):
    """The run has ended, or another process writes it: nothing can be logged to it here.

    Begin another: `with nbreg.start_run() as run:`. Only the process that began a run writes to it.
    """

    code = "run-ended"


class StaleRequestError(ConflictError):
    """The version that a promotion was asked for has moved since, or is gone.

    The request was about the version where it was then. Ask again if it is still meant.
    """

    code = "stale-request"


class TransitionError(ConflictError):
    """The lifecycle does not allow that move from where the version is.

    `promote` goes up, `retire` down or out of use, `rollback` back to an earlier holder.
    `registry.moves(ref)` lists what may be done with a version, and what each move would do to others.
    """

    code = "transition"


class VersionInUseError(ConflictError):
    """A staged, once-in-production or aliased version would be hidden or purged.

    Retire it, drop its alias or undeploy it first; or `include_protected` with a reason deletes it all
    the same. A run that made a version is kept for as long as the version's record, which is for good.
    """

    code = "version-in-use"


# it could be done, and nbreg will not do it unasked


class RefusedError(NbregError):
    """It could be done, and nbreg will not do it unasked.

    The hint says how to ask for it. What is forced stands in the journal with its reason.
    """

    code = "refused"


class TrustError(RefusedError):
    """Loading would run code that nobody on this machine vouched for.

    `untrusted` lists what would run. If you trust who made it: `nbreg trust REF` once, `trust=True` or
    `--trust` for this load. Jobs have a file of such decisions, `NBREG_TRUST_FILE`. Loading what you
    registered yourself is refused only where your key is another one, as in a new home.
    """

    code = "not-trusted"

    def __init__(self, message: str, *, hint: str = "", untrusted: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.untrusted = tuple(untrusted)


class SecretFoundError(RefusedError):
    """The bytes of an artifact contain what looks like a secret.

    The message names the artifact and the kind, never the value. Take it out (a pipeline that keeps a
    client with a token, a notebook with a password), or say `allow_secrets` if it is none. A training
    that was refused is still in the kernel, and a draft.
    """

    code = "secret-found"


class NotPinnedError(RefusedError):
    """A reference that can move was loaded where only pinned ones are allowed.

    `NBREG_REQUIRE_PINNED` is set, so that a job loads the same version each time. `nbreg pin
    churn@production` prints what to write in its place.
    """

    code = "not-pinned"


class NotStampedError(RefusedError):
    """A prediction is withheld, since which version made it could not be written down.

    The ledger cannot be written: a full disk, a folder that is read-only, a key that is missing.
    `stamp="best-effort"` gives the answer and logs that; `"off"` writes none down.
    """

    code = "not-stamped"


class DriftError(RefusedError):
    """The running environment is too far from the version's.

    `registry.drift(ref)` lists what differs, worst first. `on_drift="isolate"` answers from the
    recorded environment, `"show"` loads it here all the same.
    """

    code = "drift"


class GateError(RefusedError):
    """A version does not come into a stage; `gates` are all that were asked, with what each saw.

    `gates` of the error are all that were asked, each with `passed`, `why` and what it saw.
    """

    code = "gate"

    def __init__(self, message: str, *, hint: str = "", gates: Iterable[object] = ()) -> None:
        super().__init__(message, hint=hint)
        self.gates = tuple(gates)


class GateRefusedError(GateError):
    """The version does not pass the gates of the stage; nothing was moved.

    The message says which gate failed, and on what. `registry.ask_gates(ref, stage)` asks again without
    moving; `request` asks the others; `force` with a reason overrules, and the event lists what it
    overruled. From `register(stage=…)` it means that the version is there, without the stage.
    """

    code = "gate-refused"


class GateUnavailableError(GateError):
    """A gate that the stage requires cannot be asked here: its function is not known, or not understood.

    Do it where the package with the gate is installed, or import the module that declares it. A gate is
    never skipped: a newer nbreg's rule that this one does not know refuses, too.
    """

    code = "gate-unavailable"


class ProtectedAliasError(RefusedError):
    """The alias is protected: it moves by force and with a reason.

    `force` and a reason move it, and are recorded; `unprotect` with a reason lets it move freely.
    """

    code = "protected-alias"


class HandoverError(RefusedError):
    """Whoever says it would be no owner of the model any more: that goes by force and with a reason.

    Name yourself, or a team that you are in, among the owners; or say `force` with a reason. Then
    others alone can take it back.
    """

    code = "handover"


class NotPermittedError(RefusedError):
    """The model's owners, or the service, do not let this person do it.

    `registry.may(model)` says beforehand what is allowed: look, change or own. Owners change that with
    `update_model`; what is about all models at once is for administrators.
    """

    code = "not-permitted"


# the object


class CannotStoreError(NbregError):
    """The object has no form that can be stored and loaded again.

    The message names what is in the way: an attribute that cannot be pickled (a lock, a connection, a
    generator), a link that leads out of the folder, a socket. Leave it out with `__getstate__`, or
    store what the object was made of.
    """

    code = "cannot-store"


class CannotLoadError(NbregError):
    """What was stored cannot be made again here: a module, or a class in it, is missing or another.

    The message names the module. Install it, or make the project's own module importable;
    `registry.drift(ref)` lists how this environment differs, and `load(ref, on_drift="isolate")` makes
    the recorded one.
    """

    code = "cannot-load"


class CannotRebuildError(CannotLoadError):
    """The environment of a version cannot be made again here.

    A package that no index has, an interpreter that is not here, or no network the first time. The
    message says which. `nbreg environments REF` makes it beforehand, where there is a network.
    """

    code = "cannot-rebuild"


# the process that answers for a version in an environment of its own


class WorkerError(NbregError):
    """The process that answers for a version in its own environment gave no answer that could be used.

    What the model gave has no form that goes between two processes, or the process could not be
    started. Load it where its libraries are, and ask there.
    """

    code = "worker"


class WorkerCrashedError(WorkerError):
    """The process ended while it was asked; the next call starts another one.

    Memory is the usual reason (the system ends such a process with SIGKILL); a crash in compiled code
    is another. The notebook is unharmed.
    """

    code = "worker-crashed"


class WorkerTimeoutError(WorkerError):
    """The answer took longer than it may, and the process was ended; the next call starts another one.

    `registry.isolated(ref, timeout=…)` gives it longer; without a timeout it is waited for.
    """

    code = "worker-timeout"


class RemoteError(WorkerError):
    """What the model raised in its process.

    A built-in error is raised as what it was, caused by this one; what only the other environment
    knows is raised as this one. `kind` is its class there, `trace` the traceback as text.
    """

    code = "remote"

    def __init__(self, message: str, *, hint: str = "", kind: str = "", trace: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.trace = trace
        if trace:
            self.add_note(f"in the version's own environment:\n{trace}")


# the registry's own files


class StoreError(NbregError):
    """Something about the registry's own files.

    `nbreg verify` reads everything and says what is wrong where; nothing else ever repairs.
    """

    code = "store"


class RegistryBusyError(StoreError):
    """Another process holds the lock for longer than nbreg waits.

    The message names the process. Wait for it or end it: a lock is held by a living process alone, and
    never broken by time. `Nbreg.lock_seconds` is how long a writer waits.
    """

    code = "registry-busy"


class ReadOnlyError(StoreError):
    """The registry's folder cannot be written by this user.

    Reading goes on working. For the rest: the rights of the folder, or another registry in
    `$NBREG_REGISTRY`.
    """

    code = "read-only"


class NoSpaceError(StoreError):
    """The disk or the file-size limit is too small; nothing was changed.

    `nbreg du` says what takes up room, `nbreg purge` what no version needs. What had been written of
    this one is removed again.
    """

    code = "no-space"


class JournalError(StoreError):
    """A journal is not the chain that its lines promise.

    Somebody changed the file by hand, a disk lost something, or two copies were joined as text. What
    stands before the damage can be read, and writing is refused. `nbreg verify` shows the line; `nbreg
    verify --repair` puts the damaged end aside, into a file that it names. Nothing else ever does.
    """

    code = "journal-damaged"


class DamagedObjectError(StoreError):
    """Stored bytes are missing, or are not what their digest says.

    `nbreg verify` lists what is damaged, and which versions have it. Put back the file from a copy of
    the registry's folder: it is named by its digest, so that of any registry that has the version will
    do. Other versions are whole, unless they share the part.
    """

    code = "object-damaged"


class FormatError(StoreError):
    """The registry was written by a newer nbreg.

    `pip install --upgrade nbreg`. An older nbreg does not guess at a newer form.
    """

    code = "newer-format"


class FileSystemError(StoreError):
    """The file system cannot keep the promises that the store relies on.

    Keep the registry on a local disk. Over NFS, SMB and the like locks and syncs do not keep what nbreg
    promises, so it refuses instead of losing something later.
    """

    code = "file-system"


# what is done, and may not be what was meant


class NbregWarning(UserWarning):
    """The base of all that nbreg warns of."""


class ExistingVersionWarning(NbregWarning):
    """A version that a training run names is there already: it is fetched, not made."""
