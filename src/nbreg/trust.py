"""Who vouches for a version's code: the user who registered it, or a decision of this user.

Each user has a key, made when first needed and readable by that user alone. It signs what the
user registers; another user, or the same one in a fresh home, has another key, for whom the
signature says nothing. Decisions are kept beside the key, never in a registry: what comes with
the bytes cannot vouch for the bytes.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("nbreg")

_KEY_BYTES = 32


def config_folder() -> Path:
    """Where this user's nbreg configuration is: `$XDG_CONFIG_HOME/nbreg`, or `~/.config/nbreg`."""
    return Path(_config_folder())


def _config_folder() -> str:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.config")  # noqa: PTH111 - pathlib raises for who has no home
    return f"{base if base.startswith('/') else os.devnull}/nbreg"


def sign(version_id: str) -> str:
    """This user's signature of a version; empty where no key can be kept."""
    key = _key(create=True)
    return _signature(key, version_id) if key else ""


def is_mine(version_id: str, stamp: str) -> bool:
    """Whether this user signed the version."""
    key = _key(create=False)
    return bool(key and stamp) and hmac.compare_digest(_signature(key, version_id).encode(), stamp.encode())


def vouches_for(version_id: str, stamp: str) -> bool:
    """Whether this user signed the version, or decided to trust it."""
    return is_mine(version_id, stamp) or is_remembered(version_id)


def is_remembered(version_id: str) -> bool:
    """Whether this user decided to trust the version: a line of `trusted`, or of `$NBREG_TRUST_FILE`."""
    files = [config_folder() / "trusted"]
    if given := os.environ.get("NBREG_TRUST_FILE"):
        files.append(Path(given))
    return any(f"sha256:{version_id}" in _lines(path) for path in files)


def remember(version_id: str) -> Path:
    """Trust a version from now on; returns the file that says so."""
    path = config_folder() / "trusted"
    _private_folder(path.parent)
    if f"sha256:{version_id}" not in _lines(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            # An editor may have left the last line without an end: two on one line would both be none.
            begun = b"\n" if size and os.pread(fd, 1, size - 1) != b"\n" else b""
            os.write(fd, begun + f"sha256:{version_id}\n".encode())
        finally:
            os.close(fd)
    return path


def _lines(path: Path) -> set[str]:
    try:
        if path.stat().st_mode & 0o022:
            log.warning("%s can be written by others, so it decides nothing", path)
            return set()
        return {line.split("#")[0].strip() for line in path.read_text().splitlines()}
    except (OSError, UnicodeDecodeError):
        return set()


def _signature(key: bytes, version_id: str) -> str:
    return hmac.digest(key, b"nbreg version\0" + version_id.encode(), "sha256").hex()


def _key(*, create: bool) -> bytes:
    path = f"{_config_folder()}/key"
    for _attempt in range(2):
        with suppress(OSError):
            return _read_key(path)
        if not create:
            return b""
        with suppress(OSError):
            _make_key(Path(path))
    log.warning("no key can be kept in %s: what is registered now is not signed", config_folder())
    return b""


def _read_key(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            log.warning("%s is not this user's alone, so it signs nothing", path)
            return b""
        key = os.read(fd, _KEY_BYTES)
        return key if len(key) == _KEY_BYTES else b""
    finally:
        os.close(fd)


def _make_key(path: Path) -> None:
    """Write the key whole under another name and link it in place: two kernels agree on the first."""
    _private_folder(path.parent)
    temporary = path.with_name(f"key-{secrets.token_hex(6)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, secrets.token_bytes(_KEY_BYTES))
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()


def _private_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
