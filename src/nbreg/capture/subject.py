"""What is taken of the model itself and of the data it is registered with.

`look` is called before the content is digested: parameters and data are part of what makes two
registrations equal. What is only shown (signature, probe) is taken when the version is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from msgspec import UNSET

from nbreg.capture import secrets
from nbreg.capture.inputs import read_files
from nbreg.capture.knowing import redactor_of
from nbreg.capture.parts import Capture, Part
from nbreg.capture.secrets import Redactor
from nbreg.capture.tabular import data as datasets
from nbreg.capture.tabular import probe, signature
from nbreg.families.describing import describe
from nbreg.records import Context, DataLink, Signature

T = TypeVar("T")


class Subject(NamedTuple):
    """The model and its data, looked at."""

    model: object
    described: describe.Description
    sets: list[datasets.DataSet]
    redactor: Redactor
    wanted: bool
    """Whether more is captured than what makes two registrations equal."""
    files: Sequence[dict[str, Any]] = ()

    @property
    def links(self) -> list[DataLink]:
        """The data sets by content."""
        return [each.link for each in self.sets]

    def completed(self, context: Context, values: Sequence[object], *, infer: bool = True) -> Subject:
        """With what was not told, as far as cells tell: after what makes two registrations equal is known.

        Without `infer` only the files that were read are added.
        It asks about the recipe that was taken last, so that has to be taken before.
        """
        seen = _tried(lambda: context.data_seen_by(self.model, *values)) if self.wanted else None
        if seen is None or isinstance(seen, str):
            return self
        given = {each.link.role or "train" for each in self.sets}
        used = [each for each in seen.sets if infer and each.role not in given]
        sets = _tried(lambda: datasets.read_used(used, self.redactor))
        files = _tried(lambda: list(read_files(seen.files, context.folder, self.redactor)))
        return self._replace(
            sets=self.sets if isinstance(sets, str) else [*self.sets, *sets],
            files=() if isinstance(files, str) else files,
        )

    def added_to(self, captured: Capture, *, params: bool) -> Capture:
        """The capture with data, signature and probe in it; `params` where those are the model's own."""
        inferred = ["params"] if params else []
        inferred += ["data"] if any(each.link.inferred for each in self.sets) else []
        if not self.wanted:
            return captured._replace(inferred=inferred)
        parts = {name: part for name, part in self._parts().items() if part is not None}
        known = {} if _is_no_model(self.model) else _clean(self.described.record, self.redactor)
        counts = dict(sorted((self.redactor.counts + Counter(captured.redactions)).items()))
        return Capture({**captured.parts, **parts}, counts, known or UNSET, inferred)

    def _parts(self) -> dict[str, Part | str | None]:
        chosen = _tried(self._inputs) if self.sets else (None, None, None, "")
        if isinstance(chosen, str):
            return {"data": _tried(lambda: self._data(None)), "signature": chosen}
        table, rows, predicted, left = chosen
        record = _tried(lambda: self._signature(table, predicted))
        parts: dict[str, Part | str | None] = {
            "data": _tried(lambda: self._data(None if isinstance(record, str) else record)),
            "signature": record,
        }
        if self.sets:
            parts["probe"] = _tried(lambda: self._probe(table, rows, predicted, left))
        return parts

    def _data(self, known: Part | None) -> Part | None:
        inputs = known.record.inputs if known and isinstance(known.record, Signature) else []
        features = inputs if inputs and any(each.get("name") for each in inputs) else []
        if not (self.sets or self.files or features):
            return None
        record = datasets.record(self.sets, self.files, features)
        return Part(record, datasets.data_summary(record, len(features)))

    def _inputs(self) -> tuple[Any, Any, Any, str]:
        """The input table, the rows of the probe, and the prediction on them or why there is none."""
        found = signature.input_of(self.sets, self.described)
        if found is None:
            return None, None, None, ""
        table, take = found
        rows = take(probe.choose(table))
        use = describe.quick_predict(self.model)
        if use is None:
            return table, rows, None, "left to evidence"
        predicted = signature.predict(use, rows)
        return table, rows, predicted, "" if predicted is not None else "not what the model takes"

    def _signature(self, table: Any, predicted: Any) -> Part | None:
        record = signature.signature(table, self.described, predicted, self.redactor)
        return None if record is None else Part(record, signature.signature_summary(record))

    def _probe(self, table: Any, rows: Any, predicted: Any, left: str) -> Part | None:
        inputs = None if table is None or self._holds_secret(table) else probe.frozen(rows)
        if inputs is None or sum(map(len, inputs)) > 2 * probe.MOST_BYTES or _looks_secret(inputs):
            return None
        outputs = None if predicted is None or left else probe.frozen(predicted)
        record = probe.probe_of(inputs, outputs or [], len(rows), left)
        return Part(record, record.summary, [*inputs, *(outputs or [])])

    def _holds_secret(self, table: Any) -> bool:
        withheld = {column.name for each in self.sets for column in each.columns if column.withheld}
        return any(self.redactor.text(column.name)[:200] in withheld for column in table.columns)


def look(
    model: object,
    data: Mapping[str, object] | None,
    context: Context,
    *,
    wanted: bool = True,
    redactor: Redactor | None = None,
) -> Subject:
    """Ask the model's family, and read the data; `redactor` knows what is secret, if that was found out."""
    redactor = redactor.again() if redactor else redactor_of(context)
    return Subject(model, describe.ask(model), datasets.read(data or {}, redactor), redactor, wanted)


def _looks_secret(parts: list[bytes]) -> bool:
    return bool(secrets.find(parts[0]))


def _is_no_model(value: object) -> bool:
    return value is None or isinstance(value, Path)


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {redactor.text(key): _clean(each, redactor) for key, each in value.items()}
    return [_clean(each, redactor) for each in value] if isinstance(value, list) else value


def _tried(take: Callable[[], T]) -> T | str:
    """What was taken, or the class of what went wrong: its text may hold the user's values."""
    try:
        return take()
    except Exception as error:
        return type(error).__name__
