"""Plain values and their one spelling in bytes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from time import time_ns
from typing import Any, TypeVar

import msgspec

from nbreg.errors import BadValueError
from nbreg.records.base import Row

R = TypeVar("R")


def timestamp(moment: datetime) -> str:
    """UTC with microseconds, always of the same length, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def plain(value: object, where: str = "value", *, depth: int = 64) -> Any:
    """The value as JSON can carry it, numbers of numpy and torch as Python's.

    Raises `BadValueError`, which names the place, for NaN and infinities, for keys that are no
    text, for text that is not Unicode, and for anything else that JSON has no form for.
    """
    if is_plain(value):
        return value
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise BadValueError(f"{where} holds text that is not Unicode") from None
        return str(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise BadValueError(f"{where} does not fit in 64 bits", hint="give large integers as text")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadValueError(f"{where} is {value}", hint="NaN and infinities cannot be recorded")
        return float(value)
    if depth == 0:
        raise BadValueError(f"{where} is nested too deeply", hint="flatten it")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise BadValueError(f"{where} has the key {_brief(key)}", hint="keys must be text")
        return {
            key if is_plain(key) else plain(key, where): (
                each if is_plain(each) else plain(each, f"{where}.{key}", depth=depth - 1)
            )
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            each if is_plain(each) else plain(each, f"{where}[{i}]", depth=depth - 1)
            for i, each in enumerate(value)
        ]
    scalar = _scalar(value)
    if scalar is not None:
        return plain(scalar, where)
    raise BadValueError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}",
        hint="numbers, text, true, false, null, and lists and objects of them",
    )


def as_mapping(value: object) -> Mapping[Any, Any] | None:
    """A mapping, or a column of named numbers (a pandas Series) as one; None for anything else."""
    if isinstance(value, Mapping):
        return value
    if dimensions(value) != 1:
        return None
    items = getattr(value, "items", None)
    return dict(items()) if callable(items) else None


def dimensions(value: object) -> int:
    """How many dimensions an array or a table has; 0 for anything else."""
    try:
        found = getattr(value, "ndim", 0)
    except Exception:  # the object's own code
        return 0
    return found if type(found) is int else 0


def is_plain(value: object) -> bool:
    """Whether a value is as it should be: seen at once of most, and a row or a model has hundreds."""
    kind = type(value)
    if kind is str:
        return value.isascii()  # type: ignore[attr-defined, no-any-return]
    if kind is int:
        return -(2**63) <= value < 2**63  # type: ignore[operator]
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    return value is None or kind is bool


def _scalar(value: object) -> bool | int | float | str | None:
    """The number inside a scalar of numpy, torch and their like; None for anything else."""
    try:
        item = getattr(value, "item", None)
        scalar = item() if callable(item) and getattr(value, "ndim", 0) == 0 else None
    except Exception:  # the object's own code
        return None
    return scalar if isinstance(scalar, bool | int | float | str) else None


def _brief(value: object) -> str:
    try:
        return repr(value)[:60]
    except Exception:
        return f"<{type(value).__name__}>"


def new_run_id() -> str:
    """An id that sorts by time: 12 digits of milliseconds, 5 of nanoseconds within, then chance."""
    milliseconds, within = divmod(time_ns(), 1_000_000)
    return f"{milliseconds:012x}{within:05x}{os.urandom(8).hex()[1:]}"


def short_run(run_id: str) -> str:
    """A run's id as it is shown: its time, without which fraction of a microsecond and the chance.

    The milliseconds alone are the same for runs that a loop starts.
    """
    return run_id[:16]


def canonical(value: object) -> bytes:
    """The one spelling of a record or plain value: sorted keys, no spaces, UTF-8.

    Floats must be finite (`plain` sees to that): JSON would turn NaN into null.
    """
    return msgspec.json.encode(value, order="sorted")


def digest_of(data: bytes | bytearray | memoryview) -> str:
    """The sha256 of bytes, in hex."""
    return sha256(data).hexdigest()


def as_doc(row: Row) -> dict[str, Any]:
    """A row as the plain dictionary that a journal keeps."""
    doc: dict[str, Any] = msgspec.to_builtins(row)
    return doc


def from_doc(doc: Mapping[str, Any], kind: type[R]) -> R:
    """A row from its dictionary; `JournalError` is for the caller to raise."""
    return msgspec.convert(doc, kind)
