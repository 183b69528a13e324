"""What nbreg holds for one kernel: its configuration, its registry, what was registered here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import display

from nbreg.capture.context import install_context, naming_scope, uninstall_context
from nbreg.config import Nbreg
from nbreg.display import Note
from nbreg.kernel.context import KernelContext
from nbreg.kernel.drafter import Drafter
from nbreg.kernel.hooks import Recorder
from nbreg.kernel.running import Running
from nbreg.names import parse_reference, template_values
from nbreg.registry.offering import model_near
from nbreg.settings import ask_for_default

if TYPE_CHECKING:
    from nbreg.registry import ModelVersion, Registry
    from nbreg.registry.ground.desk import Desk


class Session:
    """One kernel's nbreg. The registry is opened when first needed, so that loading costs nothing."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.config = Nbreg(parent=shell)
        self.drafter = Drafter(self)
        self.recorder = Recorder(shell, self.drafter)
        self.context = KernelContext(shell, self.recorder)
        self.running = Running(self)
        self._registry: Registry | None = None
        self._drafts: Registry | None = None
        self._registered: dict[str, int] = {}
        self.config.observe(self._forget_registry)

    @property
    def registry(self) -> Registry:
        """The registry that magics work on."""
        if self._registry is None:
            self._registry = self._open(self.config.location)
        return self._registry

    @property
    def desk(self) -> Desk:
        """Where drafts go: the registry that is open, else the one that would be opened here.

        Training a model decides nothing: whoever changes the folder before the first magic means that one.
        """
        if self._registry is not None:
            return self._registry._desk
        from nbreg.registry.core import find_location

        location = find_location(self.config.location)
        if self._drafts is None or self._drafts.location != location:
            self._drafts = self._open(str(location))
        return self._drafts._desk

    def _open(self, location: str | None) -> Registry:
        from nbreg.registry import Registry  # tinydb and the store: not before they are needed

        return Registry(location, settings=self.config.settings())

    def use(self, location: str) -> Registry:
        """Work on another registry from now on; what was registered in the old one no longer counts."""
        registry = self._open(location)
        self.config.registry = str(registry.location)  # absolute: the working folder may change
        self._registry, self._registered = registry, {}
        return registry

    def _chosen(self) -> str | None:
        """What `nbreg.Registry()` opens in this kernel, if somebody chose: where the magics work."""
        if self.config.location is None or self._registry is None:
            return self.config.location
        return str(self._registry.location)  # a relative one stays where it was found

    def _forget_registry(self, change: object) -> None:
        self._registry, self._drafts, self._registered = None, None, {}

    # names and references

    @property
    def namespace(self) -> Mapping[str, object]:
        """The user's variables."""
        return self.context.namespace

    def values(self, given: Mapping[str, str]) -> dict[str, object]:
        """What `{x}` in an argument may mean; date and time win, then `--sub`, then variables."""
        variables = {
            name: value
            for name, value in self.namespace.items()
            if issubclass(type(value), str | int | float) and type(value) is not bool
        }
        return {**variables, **given, **template_values(naming_scope().moment)}

    def remember(self, version: ModelVersion, *, quietly: bool = False) -> None:
        """This kernel registered it, so that the model's name alone may mean it."""
        if not self._registered and version.registry.is_new and not quietly:
            self.show(Note(f"new registry in {_shown(version.registry.location)}"))
        if not quietly and (near := model_near(version)):
            self.show(Note(near))
        self._registered.pop(version.model, None)  # the last one stands last
        self._registered[version.model] = version.number
        if self.config.prove:
            where, ref = version.registry.location, version.registry.pin(version)
            threading.Thread(target=_prove, args=(where, ref), name="nbreg-proof", daemon=True).start()

    @property
    def last_model(self) -> str:
        """The model that this kernel registered last; empty where it registered none."""
        return next(reversed(self._registered), "")

    def written(self, text: str) -> str:
        """The reference that a verb that writes is given: a bare name only if it means what was made here."""
        reference = parse_reference(text)
        number = self._registered.get(reference.model)
        if reference.kind != "implicit" or reference.as_of or number is None:
            return text
        latest = self.registry.get(f"{reference.model}@latest")
        return f"{reference.model}@{number}" if latest.number == number else text

    def show(self, result: object) -> None:
        """Show something beside what the magic returns."""
        publish: Callable[[object], object] = display
        publish(result)

    # the kernel's own run

    def take_params(self, params: Mapping[str, object]) -> None:
        """The notebook's parameters; no registry is made for their sake."""
        from nbreg.registry.ground.given import checked_params

        told = checked_params(params)  # no object of the user's is kept
        self.context.params |= told
        if self.registry.id:
            self.registry.current_run(own=True).log_params(told)

    # life

    def start(self) -> None:
        """Listen to the shell and be the context of what is registered in it."""
        self.recorder.start()
        self.drafter.start()
        install_context(self.context)
        ask_for_default(self._chosen)
        self.running.start()
        threading.Thread(target=_warm_up, name="nbreg-warm-up", daemon=True).start()

    def stop(self) -> None:
        """Undo `start`."""
        self.recorder.stop()
        self.drafter.stop()
        self.running.stop()
        uninstall_context()
        ask_for_default(None)


def _shown(path: Path) -> str:
    """A folder as the user would type it from here."""
    with suppress(ValueError, OSError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _prove(location: Path, ref: str) -> None:
    """Have it proven by a process of its own; this thread only starts it, and sees it end."""
    with suppress(Exception):
        from nbreg.evidence import background

        process = background.ask(location, ref)
        if process is not None:
            process.wait()


def _warm_up() -> None:
    """List what is installed, and import what drafts need, while the user still reads the first cell."""
    with suppress(Exception):
        from nbreg.capture.surroundings.environment import warm_up

        warm_up()
        import nbreg.registry.making.taking  # noqa: F401 - the first cell that trains does not wait for it
