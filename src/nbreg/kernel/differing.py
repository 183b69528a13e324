"""`%model_diff`: which of its words are variables and which are versions, and the difference."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from nbreg.display import DiffView
from nbreg.errors import BadInputError, BadValueError
from nbreg.kernel import arguments as given
from nbreg.kernel.objects import variable
from nbreg.names import LATEST
from nbreg.records import Diff, plain

if TYPE_CHECKING:
    from nbreg.kernel.session import Session


class Differing:
    """One difference, from its arguments."""

    def __init__(self, session: Session, args: argparse.Namespace) -> None:
        self._session = session
        self._args = args

    def diff(self) -> Diff:
        """The difference, which shows itself."""
        _colour(self._session.shell)
        a, is_live = self._meant(self._args.a)
        b = None if self._args.b is None else self._base(self._args.b)
        registry = self._session.registry
        if is_live:
            return self._live(a, b or self._default())
        if flags := [
            flag for flag in ("metrics", "params", "data", "artifacts") if getattr(self._args, flag)
        ]:
            raise BadInputError(
                f"--{flags[0]} is for a variable, and {self._args.a} is a version", hint="leave it out"
            )
        return registry.diff(a, b, everything=self._args.all)

    def _meant(self, word: str) -> tuple[Any, bool]:
        """A reference or version, or a live object; and which of the two."""
        from nbreg.registry import ModelVersion

        namespace = self._session.namespace
        if "@" not in word and word in namespace:
            value = namespace[word]
            return value, not isinstance(value, ModelVersion)
        if "@" not in word and not any(row.name == word for row in self._session.registry.models()):
            variable(word, namespace)  # says which name is near
        return word, False

    def _base(self, word: str) -> Any:
        found, is_live = self._meant(word)
        if is_live:
            raise BadInputError(f"{word} is a variable, and B is a version", hint="the variable comes first")
        return found

    def _default(self) -> str | None:
        """Without B: the production, else the latest, of the model that this kernel registered last."""
        model = self._session.last_model
        if not model:
            return None
        registry = self._session.registry
        is_held = registry.serving in registry.model(model).stages
        return f"{model}@{registry.serving if is_held else LATEST}"

    def _live(self, value: object, base: Any) -> Diff:
        args, lookup = self._args, self._variable
        metrics = given.metrics(args.metrics, lookup)
        guessed = {} if args.metrics or base is None else self._like(base)
        found = self._session.registry.diff(
            value,
            base,
            everything=args.all,
            called=args.a,
            metrics=metrics or guessed,
            params=given.params(args.params, lookup),
            artifacts=given.artifacts(args.artifacts, lookup),
            data=given.data(args.data, self._variable),
        )
        return _with_note(found, guessed) if guessed else found

    def _variable(self, name: str) -> object:
        return variable(name, self._session.namespace)

    def _like(self, base: Any) -> dict[str, float]:
        """Variables that are numbers and named like the base's metrics."""
        namespace = self._session.namespace
        found = {}
        for name in self._session.registry.get(base).metrics:
            with suppress(BadValueError):
                value = plain(namespace.get(name))
                if isinstance(value, int | float) and not isinstance(value, bool):
                    found[name] = float(value)
        return found


def _with_note(diff: Diff, guessed: Mapping[str, float]) -> Diff:
    note = f"inferred: the variable{'s' if len(guessed) > 1 else ''} {', '.join(guessed)}"
    sections = [
        msgspec.structs.replace(each, note=note) if each.name == "metrics" else each for each in diff.sections
    ]
    return msgspec.structs.replace(diff, sections=sections)


def _colour(shell: Any) -> None:
    """In a terminal that shows colours, differences have them."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return

    def coloured(view: DiffView, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": view.text(colour=True)}

    shell.display_formatter.mimebundle_formatter.for_type(DiffView, coloured)
