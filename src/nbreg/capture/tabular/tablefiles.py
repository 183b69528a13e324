"""Tables in files, as pandas reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from nbreg.errors import BadInputError, CannotLoadError

_PARQUET: Final = (".parquet", ".pq")


def read(path: Path) -> Any:
    """The frame that a Parquet or CSV file holds; None for what has to be read without pandas.

    Raises `BadInputError` for a file that cannot be read, `CannotLoadError` for a Parquet file
    where nothing reads one.
    """
    is_parquet = path.suffix.lower() in _PARQUET
    if not is_parquet and path.suffix.lower() != ".csv":
        return None
    try:
        import pandas
    except ImportError:
        if is_parquet:
            raise _nothing_reads(path) from None
        return None
    try:
        return pandas.read_parquet(path) if is_parquet else pandas.read_csv(path)
    except ImportError:
        raise _nothing_reads(path) from None
    except Exception as error:  # pandas, and what reads for it, have many
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        brief = told.splitlines()[0][:200] if told else type(error).__name__
        raise BadInputError(f"{path} cannot be read: {brief}") from error


def _nothing_reads(path: Path) -> CannotLoadError:
    return CannotLoadError(
        f"{path.name} needs pandas with pyarrow, which is not here", hint="pip install pandas pyarrow"
    )
