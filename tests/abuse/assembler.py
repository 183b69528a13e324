"""Pickles written by hand: what no honest object would say of itself."""

from __future__ import annotations

import os
import pickle
import struct
from typing import Any

CANARY = "canary"
"""The file, in the working directory, that an attack would make if it ran."""
TOUCH = f"touch {CANARY}"


def text(word: str) -> bytes:
    data = word.encode("utf-8", "surrogatepass")
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + pickle.STACK_GLOBAL


def args(*values: bytes) -> bytes:
    return pickle.MARK + b"".join(values) + pickle.TUPLE


def called(function: bytes, *values: bytes) -> bytes:
    return function + args(*values) + pickle.REDUCE


def made(kind: bytes, *values: bytes) -> bytes:
    return kind + args(*values) + pickle.NEWOBJ


def mapping(items: dict[str, bytes]) -> bytes:
    pairs = b"".join(text(key) + value for key, value in items.items())
    return pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS


def built(value: bytes, state: bytes) -> bytes:
    return value + state + pickle.BUILD


def stream(value: bytes) -> bytes:
    return b"\x80\x05" + value + pickle.STOP


class Does:
    """Pickled as a call, with a state where one is given."""

    def __init__(self, function: Any, *values: Any, state: Any = None) -> None:
        self.told = (function, values) if state is None else (function, values, state)

    def __reduce__(self) -> Any:
        return self.told


SHELL = Does(os.system, TOUCH)
"""What everybody tries first."""
