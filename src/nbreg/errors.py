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
    """The base of all that nbreg raises on purpose."""

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
    """What was given cannot be meant; nothing was changed."""

    code = "bad-input"


class BadNameError(BadInputError):
    """A name that the grammar of names does not allow."""

    code = "bad-name"


class BadReferenceError(BadInputError):
    """A reference that cannot be read, or that is too vague for a verb that writes."""

    code = "bad-reference"


class BadQueryError(BadInputError):
    """A query that cannot be read, or asks for a field that versions do not have."""

    code = "bad-query"


class BadTemplateError(BadInputError):
    """A name template with an unknown placeholder or an empty result."""

    code = "bad-template"


class BadValueError(BadInputError):
    """A metric, parameter, tag or piece of content that cannot be recorded."""

    code = "bad-value"


class InputMismatchError(BadInputError):
    """The rows are not what the version was trained on: columns, their number or their types."""

    code = "input-mismatch"


# what was named is not there


class NotFoundError(NbregError):
    """What was named is not in this registry."""

    code = "not-found"


class UnknownModelError(NotFoundError):
    """No model of that name in this registry."""

    code = "unknown-model"


class UnknownVersionError(NotFoundError):
    """The model has no such version, or nothing holds that stage or alias."""

    code = "unknown-version"


class UnknownArtifactError(NotFoundError):
    """The version has no artifact of that name, or its bytes were purged."""

    code = "unknown-artifact"


class UnknownVariableError(NotFoundError):
    """The version recorded no variable of that name."""

    code = "unknown-variable"


class NotRestorableError(NotFoundError):
    """The version knows the variable, but not its value: it was summarised or withheld."""

    code = "not-restorable"


class UnknownDraftError(NotFoundError):
    """No draft of that number is kept, or its weights are not."""

    code = "unknown-draft"


class NotRegisteredYetError(NotFoundError):
    """The version that a run is going to make is asked for before the run has made it."""

    code = "not-registered-yet"


class UnknownGateError(NotFoundError):
    """The stage does not require such a gate, or there is no function of that name."""

    code = "unknown-gate"


class UnknownRequestError(NotFoundError):
    """Nobody asked for a promotion under that id."""

    code = "unknown-request"


class UnknownDatasetError(NotFoundError):
    """The registry has no data set of that name, or the data set no such version."""

    code = "unknown-dataset"


class UnknownRunError(NotFoundError):
    """The registry has no run of that id."""

    code = "unknown-run"


class UnknownStageError(NotFoundError):
    """The registry's lifecycle has no such stage."""

    code = "unknown-stage"


# what is there stands in the way


class ConflictError(NbregError):
    """The registry's present state stands in the way."""

    code = "conflict"


class FailedToRegisterError(ConflictError):
    """What a run trained cannot become the version that the run was to make; the run keeps it."""

    code = "failed-to-register"


class NameTakenError(ConflictError):
    """Another version, alias or model already has the name."""

    code = "name-taken"


class RunEndedError(ConflictError):
    """The run has ended, or another process writes it: nothing can be logged to it here."""

    code = "run-ended"


class StaleRequestError(ConflictError):
    """The version that a promotion was asked for has moved since, or is gone."""

    code = "stale-request"


class TransitionError(ConflictError):
    """The lifecycle does not allow that move from where the version is."""

    code = "transition"


class VersionInUseError(ConflictError):
    """A staged, once-in-production or aliased version would be hidden or purged."""

    code = "version-in-use"


# it could be done, and nbreg will not do it unasked


class RefusedError(NbregError):
    """It could be done, and nbreg will not do it unasked."""

    code = "refused"


class TrustError(RefusedError):
    """Loading would run code that nobody on this machine vouched for."""

    code = "not-trusted"

    def __init__(self, message: str, *, hint: str = "", untrusted: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.untrusted = tuple(untrusted)


class SecretFoundError(RefusedError):
    """The bytes of an artifact contain what looks like a secret."""

    code = "secret-found"


class NotPinnedError(RefusedError):
    """A reference that can move was loaded where only pinned ones are allowed."""

    code = "not-pinned"


class NotStampedError(RefusedError):
    """A prediction is withheld, since which version made it could not be written down."""

    code = "not-stamped"


class DriftError(RefusedError):
    """The running environment is too far from the version's."""

    code = "drift"


class GateError(RefusedError):
    """A version does not come into a stage; `gates` are all that were asked, with what each saw."""

    code = "gate"

    def __init__(self, message: str, *, hint: str = "", gates: Iterable[object] = ()) -> None:
        super().__init__(message, hint=hint)
        self.gates = tuple(gates)


class GateRefusedError(GateError):
    """The version does not pass the gates of the stage; nothing was moved."""

    code = "gate-refused"


class GateUnavailableError(GateError):
    """A gate that the stage requires cannot be asked here: its function is not known, or not understood."""

    code = "gate-unavailable"


class ProtectedAliasError(RefusedError):
    """The alias is protected: it moves by force and with a reason."""

    code = "protected-alias"


class HandoverError(RefusedError):
    """Whoever says it would be no owner of the model any more: that goes by force and with a reason."""

    code = "handover"


class NotPermittedError(RefusedError):
    """The model's owners, or the service, do not let this person do it."""

    code = "not-permitted"


# the object


class CannotStoreError(NbregError):
    """The object has no form that can be stored and loaded again."""

    code = "cannot-store"


class CannotLoadError(NbregError):
    """What was stored cannot be made again here: a module, or a class in it, is missing or another."""

    code = "cannot-load"


class CannotRebuildError(CannotLoadError):
    """The environment of a version cannot be made again here."""

    code = "cannot-rebuild"


# the process that answers for a version in an environment of its own


class WorkerError(NbregError):
    """The process that answers for a version in its own environment gave no answer that could be used."""

    code = "worker"


class WorkerCrashedError(WorkerError):
    """The process ended while it was asked; the next call starts another one."""

    code = "worker-crashed"


class WorkerTimeoutError(WorkerError):
    """The answer took longer than it may, and the process was ended; the next call starts another one."""

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
    """Something about the registry's own files."""

    code = "store"


class RegistryBusyError(StoreError):
    """Another process holds the lock for longer than nbreg waits."""

    code = "registry-busy"


class ReadOnlyError(StoreError):
    """The registry's folder cannot be written by this user."""

    code = "read-only"


class NoSpaceError(StoreError):
    """The disk or the file-size limit is too small; nothing was changed."""

    code = "no-space"


class JournalError(StoreError):
    """A journal is not the chain that its lines promise."""

    code = "journal-damaged"


class DamagedObjectError(StoreError):
    """Stored bytes are missing, or are not what their digest says."""

    code = "object-damaged"


class FormatError(StoreError):
    """The registry was written by a newer nbreg."""

    code = "newer-format"


class FileSystemError(StoreError):
    """The file system cannot keep the promises that the store relies on."""

    code = "file-system"


# what is done, and may not be what was meant


class NbregWarning(UserWarning):
    """The base of all that nbreg warns of."""


class ExistingVersionWarning(NbregWarning):
    """A version that a training run names is there already: it is fetched, not made."""
