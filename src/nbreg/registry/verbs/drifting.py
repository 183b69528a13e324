"""Whether live data is still what a version was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbreg.errors import BadValueError
from nbreg.records import DataDrift
from nbreg.registry.ground.given import is_number

if TYPE_CHECKING:
    from nbreg.registry.version import ModelVersion


class DriftVerbs:
    """What a registry says of live data."""

    def data_drift(self, ref: str | ModelVersion, rows: Any, *, threshold: float = 0.25) -> DataDrift:
        """How live rows differ from those that a version was trained on, by what is recorded of these.

        `rows` are what `predict` takes, or a `Path` of a Parquet, CSV or JSON file. For each input
        column there is the population stability index over the recorded tenths or texts, gaps
        counted; from `threshold` on the column has drifted, and the data with it, as it has where a
        column is missing or of another type. What a few rows would show by chance is not said to have
        drifted. Where too little is recorded the verdict is `unknown`, and says why: never `stable`.
        The environment is another matter, and `drift` tells of it. Nothing is written.

        Raises `BadInputError` for what is no table, or `InputMismatchError` where columns without
        names are too many or too few.
        """
        if not is_number(threshold) or not 0 < threshold < float("inf"):
            raise BadValueError(f"{ascii(threshold)[:40]} is no threshold", hint="0.25, as usual")
        return data_drift(self.get(ref), rows, float(threshold))  # type: ignore[attr-defined]


def data_drift(version: ModelVersion, rows: Any, threshold: float) -> DataDrift:
    """Compare; see `DriftVerbs.data_drift`."""
    from nbreg.capture.tabular import datadrift
    from nbreg.display.datadrift import DataDriftView

    given = _from_file(rows) if isinstance(rows, Path) else rows
    captured = version.manifest.data
    known = None if captured.missing else datadrift.reference(version.data, _signature(version))
    if known is None:
        lacking = captured.missing or "no columns of training data are recorded"
        live = datadrift.live_table(given).rows
        return DataDriftView(
            ref=version.ref, verdict="unknown", threshold=threshold, live_rows=live, why=lacking
        )
    live, found = datadrift.compared(known, given, threshold, version.ref)
    return DataDriftView(
        ref=version.ref,
        verdict=datadrift.verdict(found),
        set=known.link.name,
        trained_rows=known.rows,
        live_rows=live,
        threshold=threshold,
        columns=found,
    )


def _signature(version: ModelVersion) -> Any:
    return None if version.manifest.signature.missing else version.signature


def _from_file(path: Path) -> Any:
    """The rows of a file: by pandas where it is there, since most were trained on what it read."""
    from nbreg.capture.tabular import tablefiles
    from nbreg.registry.serving import rowfiles

    found = tablefiles.read(path.expanduser())
    return rowfiles.read(str(path)) if found is None else found
