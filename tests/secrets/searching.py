"""Every file below a folder, in every spelling that a value could hide in."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from hashlib import md5, sha1, sha256, sha512
from pathlib import Path
from urllib.parse import quote, quote_plus

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_ESCAPE = re.compile(rb"\\u00([0-7][0-9a-f])|\\x([0-7][0-9a-f])|\\([\"'/])")


def contents(folder: Path) -> bytes:
    """All bytes of all files and all names, as they are and decoded as far as they can be."""
    pieces = [str(path.relative_to(folder)).encode() for path in folder.rglob("*")]
    for path in folder.rglob("*"):
        if path.is_file():
            pieces += _decoded(path.read_bytes(), depth=3)
    return b"\n".join(pieces)


def _decoded(data: bytes, depth: int) -> Iterator[bytes]:
    yield data
    if depth == 0:
        return
    for inner in _inside(data):
        yield from _decoded(inner, depth - 1)


def _inside(data: bytes) -> Iterator[bytes]:
    """What the bytes are an encoding of, where they are one."""
    unescaped = _ESCAPE.sub(_character, data)
    if unescaped != data:
        yield unescaped
    yield from _unpacked(data)
    for match in _BASE64.finditer(data):
        word = match.group().replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        with suppress(ValueError):
            yield b64decode(word + b"=" * (-len(word) % 4))
    for match in _HEX.finditer(data):
        yield bytes.fromhex(match.group().decode())
    for encoding in ("utf-16-le", "utf-16-be"):
        if b"\0" in data:
            yield data.decode(encoding, "ignore").encode("utf-8", "ignore")


def _character(match: re.Match[bytes]) -> bytes:
    digits = match[1] or match[2]
    return bytes.fromhex(digits.decode()) if digits else match[3]


def _unpacked(data: bytes) -> Iterator[bytes]:
    for start in (0, *(match.start() for match in re.finditer(rb"\x1f\x8b\x08|x[\x01\x5e\x9c\xda]", data))):
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=47).decompress(data[start:])
    with suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError):
        archive = zipfile.ZipFile(io.BytesIO(data))
        yield from (archive.read(name) for name in archive.namelist())
    with (
        suppress(tarfile.TarError, EOFError, gzip.BadGzipFile),
        tarfile.open(fileobj=io.BytesIO(data)) as tar,
    ):
        yield from (file.read() for each in tar if (file := tar.extractfile(each)))


def spellings(value: str) -> set[bytes]:
    """The value as it could stand in a text, and the digests of it."""
    raw = value.encode()
    texts = {raw, json.dumps(value)[1:-1].encode(), quote(value).encode(), quote_plus(value).encode()}
    texts |= {raw.hex().encode(), value[::-1].encode(), b64encode(raw).rstrip(b"=")[:-1]}
    texts |= {value.encode("utf-16-le"), value.encode("utf-16-be"), repr(value)[1:-1].encode()}
    digests = {make(raw) for make in (md5, sha1, sha256, sha512)}  # type: ignore[operator]
    return texts | {each.hexdigest().encode() for each in digests} | {each.digest() for each in digests}


def found(value: str, everything: bytes) -> bool:
    """Whether the value, or a digest of it, is anywhere."""
    return any(each in everything for each in spellings(value))
