"""Secrets: found by name, by shape and by exact value, and withheld before anything is written.

Three tables decide: `names.py` (what a name announces), `shapes.py` (what a secret looks like)
and the exact values that this process is known to hold: environment variables and variables
with a secret's name. `Redactor` applies all three; make one per capture.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nbreg.capture.secrets.known import SHORTEST, answers, environment_values, known_values
from nbreg.capture.secrets.names import looks_secret_name, secret_kind
from nbreg.capture.secrets.shapes import HINTS, SHAPES, Shape, is_unmistakable
from nbreg.capture.secrets.syntax import MARK, is_secret_value, named_secret_arguments, named_secrets

if TYPE_CHECKING:
    from nbreg.store.large import Bytes, OnDisk

__all__ = [
    "Redactor",
    "find",
    "known_values",
    "looks_secret_name",
    "mark",
    "redact",
    "secret_kind",
    "without_credentials",
]

_CACHED_TEXT = 64 * 1024
_SCAN_STEP = 16 * 1024 * 1024
_SCAN_OVERLAP = 64 * 1024
_SCAN_BEFORE = 256
_LONG = b"x" * 12
_GAPS = bytes(ord("x") if 33 <= each < 127 and chr(each) not in "\"'`()<>," else 10 for each in range(256))
_PRECISE = tuple((hint, shape) for shape in SHAPES if shape.precise for hint in shape.byte_hints)
_SPACED = tuple((hint, shape) for hint, shape in _PRECISE if b" " in shape.byte_hints[0])
_PACKED = tuple((hint, shape) for hint, shape in _PRECISE if b" " not in shape.byte_hints[0])
# Also without a scheme at the beginning, and with a password that holds what should have been escaped there;
# what begins like a port is one: `host:8080/model@3`.
_USERINFO = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://|(?<![^\s"'(=,])//)"""
    r"(?P<user>[^\s/?#]*|[^\s/?#:@\[]*:(?!\d{1,5}(?:[/?#]|$))[^\s@]*)@"
)
_CONDA_TOKEN = re.compile(r"/t/[^/\s]+/")


def mark(kind: str) -> str:
    """What stands where a secret stood."""
    return f"{MARK}{kind}›"


class Redactor:
    """Withholds secrets from the texts of one capture, and counts what it withheld, by kind."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = set(values)
        spelled = {spelling for value in known if len(value) >= SHORTEST for spelling in _spellings(value)}
        # The longest first: a value may be the beginning of another.
        self._values = sorted(spelled, key=lambda value: (-len(value), value))
        self._whole = known
        self._short = sorted(value for value in known if len(value) < SHORTEST and is_unmistakable(value))
        self.counts: Counter[str] = Counter()
        self.withheld: set[str] = set()
        """Names of variables that hold a secret: no digest of their values is to be written either."""

    @classmethod
    def of_process(
        cls, namespace: Mapping[str, object] | None = None, sources: Iterable[str] = ()
    ) -> Redactor:
        """One that knows the values of secret environment variables, and of secret names in the namespace.

        `sources` is the code that ran: the answers that it asked for are known, too.
        """
        names = namespace or {}
        known = known_values(names, sure=False)
        return cls({*environment_values(), *known, *answers(sources, names)})

    def again(self) -> Redactor:
        """One that knows the same and has withheld nothing yet: finding out what is known takes longest."""
        other = Redactor()
        other._values, other._whole, other._short = self._values, self._whole, self._short
        return other

    @property
    def values(self) -> frozenset[str]:
        """The values that are known to be secrets, long enough to be looked for anywhere."""
        return frozenset(value for value in self._whole if len(value) >= SHORTEST)

    def text(self, text: str) -> str:
        """The text, which may be code, without its secrets, and in Unicode that can be written."""
        return self._without(text, is_value=False)

    def value(self, text: str) -> str:
        """The same of a text that a variable or an argument holds."""
        if text in self._whole:
            return self.named("known-value")
        return self._without(text, is_value=True)

    def plain(self, value: Any, name: str = "") -> Any:
        """The same of plain values within each other; `name` is what they are called."""
        if isinstance(value, str):
            kind = secret_kind(name) if name else ""
            return self.named(kind) if kind and is_secret_value(value, kind) else self.value(value)
        if isinstance(value, dict):
            return {self.text(key): self.plain(each, key) for key, each in value.items()}
        return [self.plain(each, name) for each in value] if isinstance(value, list) else value

    def _without(self, text: str, *, is_value: bool) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        for value in self._values:
            if value in text:
                self.counts["known-value"] += text.count(value)
                text = text.replace(value, mark("known-value"))
        for value in self._short:
            if value in text:
                text = self._without_literals(text, value)
        redacted = _cached if len(text) <= _CACHED_TEXT else _redacted
        found, counts = redacted(text, is_value)
        if counts:
            self.counts.update(dict(counts))
        return found

    def _without_literals(self, text: str, value: str) -> str:
        """A short value is looked for as a literal only: elsewhere it may be part of a word."""
        for quote in "\"'":
            literal = f"{quote}{value}{quote}"
            self.counts["known-value"] += text.count(literal)
            text = text.replace(literal, f"{quote}{mark('known-value')}{quote}")
        self.counts += Counter()  # without what was counted as nothing
        return text

    def named(self, kind: str) -> str:
        """Count a value that its name gave away, and return what stands in its place."""
        self.counts[kind] += 1
        return mark(kind)

    def arguments(self, arguments: Iterable[str]) -> list[str]:
        """Command-line arguments without secrets: `--token x`, `--token=x`, `TOKEN=x`, and any shape."""
        plain = list(arguments)
        for index, start, kind, _ in named_secret_arguments(plain):
            plain[index] = plain[index][:start] + self.named(kind)
        return [self.value(argument) for argument in plain]


def redact(text: str) -> tuple[str, dict[str, int]]:
    """The text without its secrets, and how many of each kind were in it."""
    redactor = Redactor.of_process()
    return redactor.text(text), dict(redactor.counts)


def _spellings(value: str) -> Iterable[str]:
    """How a value may be spelled in text: as it is, escaped, quoted for URLs, in base64."""
    from urllib.parse import quote, quote_plus

    raw = value.encode("utf-8", "backslashreplace")
    yield raw.decode()
    yield raw.decode().encode("unicode_escape").decode("ascii")
    yield quote(raw, safe="")
    yield quote_plus(raw)
    yield b64encode(raw).decode("ascii").rstrip("=")


_Found = tuple[str, tuple[tuple[str, int], ...]]


def _redacted(text: str, is_value: bool) -> _Found:
    counts: Counter[str] = Counter()
    for shape in dict.fromkeys([shape for hint, shape in HINTS if hint in text]):
        text = _without_shape(text, shape, counts)
    pieces: list[str] = []
    at = 0
    for start, end, kind, in_bytes in named_secrets(text, is_value=is_value):
        pieces += (text[at:start], f"<redacted: {kind}>" if in_bytes else mark(kind))
        counts[kind] += 1
        at = end
    if pieces:
        text = "".join((*pieces, text[at:]))
    return text, tuple(counts.items())


# Cells are looked at again with every registration; their texts stay the same.
_cached = lru_cache(maxsize=4096)(_redacted)


def _without_shape(text: str, shape: Shape, counts: Counter[str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        secret = match[shape.group]
        if secret.startswith(MARK.rstrip()) or not shape.accepts(secret):
            return match[0]
        counts[shape.kind] += 1
        start, end = (edge - match.start() for edge in match.span(shape.group))
        return match[0][:start] + mark(shape.kind) + match[0][end:]

    return shape.in_text.sub(replaced, text)


def find(data: Bytes | OnDisk, values: Iterable[str] = ()) -> dict[str, int]:
    """How many different secrets of each kind the bytes hold, by the shapes that hardly ever err.

    `values` are known secrets, which are looked for as they are. Made for artifacts: nothing is
    altered, and a finding stops a registration. Bytes that are compressed or encoded are not looked
    into. Arrays of numbers cost about 2 ms a megabyte.
    """
    found: dict[str, set[bytes]] = {}
    known = [value.encode("utf-8", "backslashreplace") for value in values]
    for piece in _windows(data):
        if held := {value for value in known if value in piece}:
            found.setdefault("known-value", set()).update(held)
        for where, hints in ((piece, _SPACED), (_long_words(piece), _PACKED)):
            # A list, and no loop with more in it: most parts of a model are small and hold nothing.
            for shape in dict.fromkeys([shape for hint, shape in hints if hint in where] if where else ()):
                found.setdefault(shape.kind, set()).update(_matches(where, shape))
    return {kind: len(secrets) for kind, secrets in found.items() if secrets}


def _windows(data: Bytes | OnDisk) -> Iterator[bytes]:
    """The bytes in steps, each with a little of what stands before it and after it."""
    if not isinstance(data, bytes | bytearray | memoryview):
        yield from _windows_of(data.pieces())
        return
    view = memoryview(data).cast("B")
    for start in range(0, len(view), _SCAN_STEP):
        yield bytes(view[max(0, start - _SCAN_BEFORE) : start + _SCAN_STEP + _SCAN_OVERLAP])


def _windows_of(pieces: Iterable[memoryview]) -> Iterator[bytes]:
    held, before = bytearray(), 0
    for piece in pieces:
        held += piece
        while len(held) >= before + _SCAN_STEP + _SCAN_OVERLAP:
            yield bytes(held[: before + _SCAN_STEP + _SCAN_OVERLAP])
            del held[: before + _SCAN_STEP - _SCAN_BEFORE]
            before = _SCAN_BEFORE
    yield bytes(held)


def _long_words(piece: bytes) -> bytes:
    """The runs of at least 12 characters that a secret can be made of, a line each; the rest is no secret."""
    gaps = piece.translate(_GAPS)
    words = []
    at = gaps.find(_LONG)
    while at >= 0:
        end = gaps.find(b"\n", at)
        end = end if end >= 0 else len(gaps)
        words.append(piece[at:end])
        at = gaps.find(_LONG, end)
    return b"\n".join(words)


def _matches(piece: bytes, shape: Shape) -> Iterator[bytes]:
    """What the shape matches around its hints; searching all of a model for it would take seconds."""
    for hint in shape.byte_hints:
        at = piece.find(hint)
        while at >= 0:
            for start in range(max(0, at - shape.before), at + 1):
                match = shape.in_bytes.match(piece, start)
                if match and shape.accepts(match[shape.group].decode("utf-8", "replace")):
                    yield match[shape.group]
                    break
            at = piece.find(hint, at + 1)


def without_credentials(url: str) -> str:
    """A URL without user and password; the user of `ssh://git@host` is no secret and stays."""

    def bare(match: re.Match[str]) -> str:
        user, colon, _ = match["user"].partition(":")
        ssh = "ssh" in match["scheme"].lower()
        return match["scheme"] + (f"{user}@" if ssh and user and "@" not in colon else "")

    return _redacted(_CONDA_TOKEN.sub("/", _USERINFO.sub(bare, url)), False)[0]
