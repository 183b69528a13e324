"""`nbreg enable` and `disable`: one small file in IPython's start-up folder, for every kernel of the user."""

from __future__ import annotations

from pathlib import Path

from nbreg.errors import ConflictError, ReadOnlyError

FILE = "50-nbreg.py"
MARK = "# Written by `nbreg enable`; `nbreg disable` removes it."
TEXT = f"""{MARK}
# A kernel whose environment has no nbreg starts as it always did.
# Not by %load_ext: a notebook that begins with that would be told that nbreg is already loaded.
try:
    __import__("nbreg")
except ImportError:
    pass
else:
    __import__("nbreg").load_ipython_extension(get_ipython())
"""


def startup_file() -> Path:
    """Where IPython looks, `$IPYTHONDIR` honoured; the folder may not be there yet."""
    from IPython.paths import get_ipython_dir

    return Path(get_ipython_dir()) / "profile_default" / "startup" / FILE


def enable() -> tuple[Path, bool]:
    """Load nbreg in every kernel of this user; False where that was so already.

    Raises `ConflictError` if a file of that name is not nbreg's, `ReadOnlyError` if none can be written.
    """
    path = startup_file()
    if path.exists() and _ours(path) == TEXT:
        return path, False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT, encoding="utf-8")
    except OSError as error:
        raise ReadOnlyError(f"{path} cannot be written: {error.strerror}") from error
    return path, True


def disable() -> tuple[Path, bool]:
    """Undo `enable`; False where there was nothing to undo. Raises as `enable` does."""
    path = startup_file()
    if not path.exists():
        return path, False
    _ours(path)
    try:
        path.unlink()
    except OSError as error:
        raise ReadOnlyError(f"{path} cannot be removed: {error.strerror}") from error
    return path, True


def _ours(path: Path) -> str:
    """What stands in the file that nbreg wrote; a later release may have written other text."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConflictError(f"{path} cannot be read: {error.strerror}", hint="move it away") from error
    if not text.startswith(MARK):
        raise ConflictError(f"{path} is not nbreg's", hint="rename it, then try again")
    return text
