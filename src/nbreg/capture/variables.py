"""The names of the kernel: small plain values as they are, arrays and frames by shape.

No code of the user's runs here. Values are recognised by their exact type (a subclass may
override anything), read with the methods of the builtin types themselves, and never asked for
their `repr`, `len` or attributes unless the type is Python's own or a known library's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from math import isfinite
from types import ModuleType
from typing import Any, Final

from nbreg.capture.secrets import Redactor, secret_kind
from nbreg.capture.summaries import library_types, type_name
from nbreg.records import Variable, Variables, canonical
from nbreg.settings import Settings

NAMES: Final = 5_000
"""How many names are looked at."""

DEPTH: Final = 8
"""How deep containers are read."""

KEYS: Final = 20
"""How many keys a summary of a larger dictionary names."""

EXCLUDED: Final = "excluded"
"""Why a value is withheld that the settings exclude; other reasons are kinds of secrets."""

_SEQUENCES = (list, tuple)
_SETS = (set, frozenset)
_HARMLESS = (type(None), bool, float)
"""Types whose values are no secret, whatever their name."""


class _TooLargeError(Exception):
    """The value does not fit; its summary is recorded instead."""


class _OpaqueError(Exception):
    """The value is of a type that nothing is known of."""


def capture_variables(namespace: Mapping[str, object], redactor: Redactor, settings: Settings) -> Variables:
    """What the names stand for, sorted, within `variable_bytes` in all and `value_bytes` each.

    When there is too much, the largest go first: their values, then the names themselves.
    """
    names = sorted(name for name, value in namespace.items() if _is_wanted(name, value))
    reader = _Reader(redactor, settings.value_bytes)
    wanted = policy(settings)
    found = [
        reader.variable(name, namespace[name]) if wanted(name) else reader.excluded(name, namespace[name])
        for name in names[:NAMES]
    ]
    kept = sorted(_fitting(found, settings.variable_bytes), key=lambda each: each.name)
    left_out = len(names) - len(kept)
    reason = f"over {settings.variable_bytes} bytes or {NAMES} names" if left_out else ""
    return Variables(variables=kept, left_out=left_out, reason=reason)


def policy(settings: Settings) -> Callable[[str], bool]:
    """Whether a variable's value may be recorded, as this process was told."""

    def allows(name: str) -> bool:
        return any(fnmatchcase(name, each) for each in settings.variables_include) and not any(
            fnmatchcase(name, each) for each in settings.variables_exclude
        )

    return allows


def _is_wanted(name: object, value: object) -> bool:
    return type(name) is str and not name.startswith("_") and not issubclass(type(value), ModuleType)


def _fitting(found: Iterable[Variable], budget: int) -> Iterator[Variable]:
    sized = sorted((len(canonical(each)), each.name, each) for each in found)
    for size, _, variable in sized:
        if size > budget:
            variable = Variable(name=variable.name, type=variable.type, redacted=variable.redacted)
            size = len(canonical(variable))
        if size <= budget:
            budget -= size
            yield variable


class _Reader:
    """Reads values within a budget of bytes, which is the same for every variable."""

    def __init__(self, redactor: Redactor, value_bytes: int) -> None:
        self._redactor = redactor
        self._value_bytes = value_bytes
        self._left = value_bytes
        self._known = library_types()

    def variable(self, name: str, value: object) -> Variable:
        before = self._redactor.counts.total()
        found = self._variable(name, value)
        if self._redactor.counts.total() != before:
            self._redactor.withheld.add(name)
        return found

    def excluded(self, name: str, value: object) -> Variable:
        """That it was there, and of what type."""
        self._redactor.withheld.add(name)
        return Variable(name=self._redactor.text(name), type=type_name(type(value)), redacted=EXCLUDED)

    def _variable(self, name: str, value: object) -> Variable:
        kind, text = self._known.kind(value), type_name(type(value))
        clean = self._redactor.text(name)
        secret = secret_kind(name)
        if secret and kind not in _HARMLESS and self._is_readable(kind):
            self._redactor.named(secret)
            return Variable(name=clean, type=text, redacted=secret)
        if kind is str:
            return self._text_variable(clean, value)
        try:
            read, summary = self._read(value)
        except Exception:
            # A library may fail, a dictionary change under our eyes; name and type are true all the same.
            read, summary = None, {}
        return Variable(name=clean, type=text, value=read, summary=summary)

    def _read(self, value: object) -> tuple[Any, dict[str, Any]]:
        """The value, or where it is too large or not plain its summary."""
        self._left = self._value_bytes
        try:
            return self._value(value, DEPTH, top=True), {}
        except _TooLargeError:
            return None, self._container_summary(value)
        except _OpaqueError:
            return None, self._summary(value)

    def _text_variable(self, name: str, value: Any) -> Variable:
        if len(value) > self._value_bytes:
            return Variable(name=name, type="str", summary={"length": len(value)})
        before = self._redactor.counts.copy()
        text = self._redactor.value(value)
        kinds = self._redactor.counts - before
        if kinds:
            return Variable(name=name, type="str", redacted=min(kinds))
        return Variable(name=name, type="str", value=text)

    def _is_readable(self, kind: type) -> bool:
        known = self._known
        return any(
            kind in each for each in (_READABLE, known.scalars, known.summaries, known.mappings, known.spaces)
        )

    # values

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooLargeError

    def _value(self, value: Any, depth: int, *, top: bool = False) -> Any:
        self._spend(2)
        kind = self._known.kind(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            self._spend(len(value))
            return self._redactor.value(value)
        if kind is int or kind is float:
            return self._number(value, top=top)
        if depth == 0:
            raise _TooLargeError
        if kind in _SEQUENCES:
            read = self._sequence(value, depth)
            return read if top or kind is list else {"$type": "tuple", "items": read}
        if kind in self._known.mappings:
            ordered = kind.__name__ == "OrderedDict"  # JSON as it is recorded has its keys sorted
            mapping = self._mapping(dict.items(value), dict.__len__(value), depth, ordered=ordered)
            return mapping if top or kind is dict else {"$type": type_name(kind), "items": mapping}
        if kind in _SETS:
            return self._set(value, depth, top=top)
        if kind in self._known.spaces:
            names = object.__getattribute__(value, "__dict__")
            mapping = self._mapping(names.items(), len(names), depth)
            return mapping if top else {"$type": type_name(kind), "items": mapping}
        return self._leaf(value, kind, top=top)

    def _number(self, value: Any, *, top: bool) -> Any:
        if type(value) is float:
            return value if isfinite(value) else _spelled("float", repr(value), top=top)
        if value.bit_length() < 64 and -(2**63) <= value < 2**63:
            return value
        if value.bit_length() > 1024:  # spelling a huge integer takes minutes
            raise _TooLargeError
        return _spelled("int", str(value), top=top)

    def _sequence(self, value: Any, depth: int) -> list[Any]:
        self._spend(len(value))
        read = []
        secret = ""
        for each in value:
            if secret and type(each) is str:
                read.append(self._redactor.named(secret))
            else:
                read.append(self._value(each, depth - 1))
            # ("password", "…") and ["--password", "…"]
            secret = secret_kind(each) if type(each) is str and (len(value) == 2 or each[:2] == "--") else ""
        return read

    def _mapping(
        self, items: Iterable[tuple[Any, Any]], length: int, depth: int, *, ordered: bool = False
    ) -> Any:
        self._spend(length * 4)
        pairs = list(items)
        if ordered or not all(type(key) is str and key != "$type" for key, _ in pairs):
            read = [[self._value(key, depth - 1), self._named(key, value, depth)] for key, value in pairs]
            return {"$type": "dict", "items": read}
        announced = _announced(pairs)
        return {
            self._key(key): self._named(announced if key == "value" and announced else key, value, depth)
            for key, value in pairs
        }

    def _key(self, key: str) -> str:
        self._spend(len(key))
        return self._redactor.text(key)

    def _named(self, key: object, value: object, depth: int) -> Any:
        secret = secret_kind(key) if type(key) is str and type(value) not in _HARMLESS else ""
        return self._redactor.named(secret) if secret else self._value(value, depth - 1)

    def _set(self, value: Any, depth: int, *, top: bool) -> Any:
        self._spend(len(value))
        # Sets of text have another order in every process; a record has only one.
        read = sorted((self._value(each, depth - 1) for each in list(value)), key=canonical)
        return read if top else {"$type": type(value).__name__, "items": read}

    def _leaf(self, value: object, kind: type, *, top: bool) -> Any:
        if spell := self._known.scalars.get(kind):
            plain = spell(value)
            if type(plain) is str:
                self._spend(len(plain))
                plain = self._redactor.value(plain)
            elif type(plain) in (int, float):
                plain = self._number(plain, top=True)
            return plain if top else {"$type": type_name(kind), "value": plain}
        if top:
            raise _OpaqueError
        summary = {"$type": type_name(type(value)), **self._summary(value)}
        self._spend(len(canonical(summary)))
        return summary

    # summaries

    def _summary(self, value: object) -> dict[str, Any]:
        """Shape and the like of what a known library made; of anything else nothing but its type."""
        kind = self._known.kind(value)
        if kind in (bytes, bytearray):
            return {"bytes": len(value)}  # type: ignore[arg-type]
        summarise = self._known.summaries.get(kind)
        if summarise is None:
            return {}
        try:
            return self._clean(summarise(value))
        except Exception:
            return {}

    def _clean(self, summary: dict[str, Any]) -> dict[str, Any]:
        """The summary with its texts redacted: a column, or a field of a dtype, may be called anything."""
        clean = self._redactor.text
        texts = {key: clean(text) for key, text in summary.items() if type(text) is str}
        columns = [[clean(name), clean(kind)] for name, kind in summary.get("columns", ())]
        return summary | texts | ({"columns": columns} if columns else {})

    def _container_summary(self, value: Any) -> dict[str, Any]:
        """How long a container is, and the keys or types that it begins with."""
        kind = self._known.kind(value)
        if kind in self._known.mappings:
            keys = [key for key in islice(dict.keys(value), KEYS) if type(key) is str and len(key) <= 200]
            return {"length": dict.__len__(value), "keys": [self._redactor.text(key) for key in keys]}
        if kind in _SEQUENCES:
            return {"length": len(value), "of": sorted({type_name(type(each)) for each in value[:KEYS]})}
        if kind in _SETS:
            return {"length": len(value)}
        return {"bits": value.bit_length()} if kind is int else {}


def _announced(pairs: Iterable[tuple[str, object]]) -> str:
    """The name of a secret in `{"name": "DB_PASSWORD", "value": "…"}`, as containers spell settings."""
    names = (value for key, value in pairs if key in ("name", "key") and type(value) is str)
    return next(filter(secret_kind, names), "")


def _spelled(kind: str, text: str, *, top: bool) -> Any:
    """A value that JSON has no form for, as text: bare where the variable's type says what it is."""
    return text if top else {"$type": kind, "value": text}


_READABLE = frozenset((str, int, bytes, bytearray, complex, *_SEQUENCES, *_SETS, dict))


def variables_summary(variables: Variables) -> dict[str, Any]:
    """What a card says of the variables."""
    redacted = sum(bool(each.redacted) for each in variables.variables)
    recorded = sum(each.value is not None or each.type == "NoneType" for each in variables.variables)
    return {
        "recorded": recorded,
        "summarised": len(variables.variables) - recorded - redacted,
        "redacted": redacted,
        "left_out": variables.left_out,
    }
