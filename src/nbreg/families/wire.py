"""ONNX's bytes, looked at without its library: which operators, inputs and outputs, and which other files.

Protocol buffers are fields, each a number, a kind and a value; what is not asked for is skipped,
so a gigabyte of weights costs nothing. Whatever the library would read is found here too: fields
that stand twice, tensors in attributes, graphs in graphs, groups that nobody writes any more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

Bytes = bytes | bytearray | memoryview

MOST: Final = 5_000_000
"""Fields that are looked at; the numbers of an attribute count by the thousand."""
_DEEPEST: Final = 90

_VARINT, _EIGHT, _TEXT, _OPEN, _CLOSE, _FOUR = range(6)
_DIMENSIONS: Final = 16

# Of ONNX's messages the fields that lead to a tensor or an operator: by message, field to message.
_WAYS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_NUMBERS: Final = (
    *("none", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16"),
    *("float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"),
)


# `floats` and `ints` of an attribute, which the format does not pack: a forest has millions.
_NUMBERS_ALONE: Final = re.compile(rb"(?:\x3d.{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]){1,1000}", re.DOTALL)


class NoModelError(ValueError):
    """The bytes are no model of ONNX's."""


class TooMuchError(NoModelError):
    """They may be one, but not all of it was looked at."""


@dataclass
class Found:
    """What a model tells of itself."""

    operators: Counter[str] = field(default_factory=Counter)
    outside: list[str] = field(default_factory=list)
    """Where its tensors are that are not in these bytes: names of other files."""
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    initial: set[str] = field(default_factory=set)
    opsets: dict[str, int] = field(default_factory=dict)
    producer: str = ""


def look(data: Bytes) -> Found:
    """Look at a model's bytes. Raises `NoModelError`."""
    found = _Look()
    try:
        found.message("model", memoryview(data).cast("B"), 0)
    except IndexError:
        raise NoModelError("it is cut off") from None
    if not found.has_graph:
        raise NoModelError("it has no graph")
    return found.told


def may_name_files(relative: str) -> bool:
    """Whether a file of that name is looked into."""
    return relative.lower().endswith(".onnx")


def missing_from(relative: str, data: Any, files: Iterable[str]) -> str:
    """What an .onnx file needs that is not among these files, of one folder; empty where nothing is.

    What cannot be read as ONNX is a file like any other; what is too much to look at may need anything.
    """
    if not may_name_files(relative):
        return ""
    try:
        outside = look(data).outside
    except TooMuchError as error:
        return f"files that were not looked for, since {error}"
    except NoModelError:
        return ""
    here, there = PurePosixPath(relative).parent, set(files)
    for each in outside:
        parts = PurePosixPath(each)
        if not each or parts.is_absolute() or ".." in parts.parts or "\\" in each or ":" in each:
            return each or "a file that it does not name"
        if (here / parts).as_posix() not in there:
            return each
    return ""


class _Look:
    def __init__(self) -> None:
        self.told = Found()
        self.has_graph = False
        self._left = MOST

    def fields(self, data: memoryview, name: str = "") -> Iterator[tuple[int, int, Any]]:
        """Number, kind and value of each field; what is not text has its number, or nothing."""
        at, end, groups = 0, len(data), 0
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise TooMuchError("it has too many fields")
            if name == "attribute" and (run := _NUMBERS_ALONE.match(data, at)):
                at = run.end()
                continue
            key, at = _varint(data, at)
            number, kind = (key & 0xFFFF_FFFF) >> 3, key & 7  # readers in C++ drop what is above, too
            value: Any = None
            if kind == _VARINT:
                value, at = _varint(data, at)
            elif kind in (_EIGHT, _FOUR):
                at += 8 if kind == _EIGHT else 4
            elif kind == _TEXT:
                size, at = _varint(data, at)
                value, at = data[at : at + size], at + size
            elif kind in (_OPEN, _CLOSE):
                groups += 1 if kind == _OPEN else -1
            else:
                raise NoModelError("it has a field of no kind")
            if at > end or groups < 0:
                raise NoModelError("it is cut off")
            if not groups and kind not in (_OPEN, _CLOSE):
                yield number, kind, value
        if groups:
            raise NoModelError("it is cut off")

    def message(self, name: str, data: memoryview, depth: int) -> None:
        if depth > _DEEPEST:
            raise TooMuchError("its graphs are too deep")
        if name == "tensor":
            return self._tensor(data)
        ways = _WAYS[name]
        for number, kind, value in self.fields(data, name):
            if kind != _TEXT:
                continue
            if name == "node" and number == 4:
                self.told.operators[_text(value)] += 1
            elif name == "model" and number in (2, 8):
                self._of_model(number, value)
            elif name == "graph" and number in (5, 11, 12) and depth == 1:
                self._of_graph(number, value)
            if number in ways:
                self.has_graph |= ways[number] == "graph"
                self.message(ways[number], value, depth + 1)
        return None

    def _of_model(self, number: int, value: memoryview) -> None:
        if number == 2:
            self.told.producer = _text(value)
            return
        domain, version = "", 0
        for inner, kind, part in self.fields(value):
            if inner == 1 and kind == _TEXT:
                domain = _text(part)
            elif inner == 2 and kind == _VARINT:
                version = part
        self.told.opsets[domain or "ai.onnx"] = version

    def _of_graph(self, number: int, value: memoryview) -> None:
        if number == 5:
            names = [_text(part) for inner, kind, part in self.fields(value) if inner == 8 and kind == _TEXT]
            self.told.initial.update(names)
            return
        name, told = "", ""
        for inner, kind, part in self.fields(value):
            if inner == 1 and kind == _TEXT:
                name = _text(part)
            elif inner == 2 and kind == _TEXT:
                told = self._type(part)
        (self.told.inputs if number == 11 else self.told.outputs)[name] = told

    def _type(self, data: memoryview) -> str:
        """`float32 [?, 3]` of a tensor; other types are told by what they are."""
        for number, kind, value in self.fields(data):
            if kind == _TEXT and number == 1:
                return self._tensor_type(value)
            if kind == _TEXT:
                return {4: "sequence", 5: "map", 8: "sparse tensor", 9: "optional"}.get(number, "")
        return ""

    def _tensor_type(self, data: memoryview) -> str:
        element, shape = "", ""
        for number, kind, value in self.fields(data):
            if number == 1 and kind == _VARINT:
                element = _NUMBERS[value] if value < len(_NUMBERS) else f"type {value}"
            elif number == 2 and kind == _TEXT:
                shape = f" [{', '.join(self._dimensions(value))}]"
        return element + shape

    def _dimensions(self, data: memoryview) -> list[str]:
        sizes = []
        for number, kind, value in self.fields(data):
            if number == 1 and kind == _TEXT:
                known = [self._dimension(part) for inner, _, part in self.fields(value) if inner in (1, 2)]
                sizes.append(known[-1] if known else "?")
        return sizes[:_DIMENSIONS]

    def _dimension(self, part: Any) -> str:
        """A number, or the name of one that may be any."""
        return _text(part) if isinstance(part, memoryview) else str(part)

    def _tensor(self, data: memoryview) -> None:
        for number, kind, value in self.fields(data):
            if number == 13 and kind == _TEXT:
                entry = {inner: _text(part) for inner, way, part in self.fields(value) if way == _TEXT}
                if entry.get(1) == "location":
                    self.told.outside.append(entry.get(2, ""))
            elif number == 14 and kind == _VARINT and value == 1 and not self.told.outside:
                self.told.outside.append("")  # elsewhere, and it does not say where


def _text(data: memoryview) -> str:
    return bytes(data).decode(errors="replace")  # as readers do, which do not ask either


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > 63:
            raise NoModelError("it has a number without end")
