"""What differs between two versions, or a live object and a version; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from nbreg import changes, lifecycle
from nbreg.capture.tabular import outputs, probe
from nbreg.changes import sections, texts
from nbreg.display import DiffView
from nbreg.errors import BadInputError, NbregError, UnknownVersionError
from nbreg.families import arrays
from nbreg.records import Artifact, Chunk, Diff, DiffItem, DiffSection, DiffSide, Probe, VersionRow
from nbreg.registry.ground import parts, proofs, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.making import comparing, naming, registering
from nbreg.registry.making.request import Request, linked, objects
from nbreg.registry.version import ModelVersion
from nbreg.store.large import in_one

Bytes = bytes | bytearray | memoryview

SECTIONS: Final = (
    "stage",
    "metrics",
    "params",
    "architecture",
    "signature",
    "data",
    "environment",
    "recipe",
    "source",
    "artifacts",
    "predictions",
)


class Compared(NamedTuple):
    """One of the two: what is known of it, and how to read the bytes that it names."""

    told: DiffSide
    side: changes.Side
    metrics: Mapping[str, float]
    read: Callable[[Chunk], Bytes]
    row: VersionRow | None = None
    aliases: tuple[str, ...] = ()
    proven: Callable[[], Any] = lambda: None
    """What a proof found it to say of its probe, if one did."""
    chances: Callable[[], Any] = lambda: None
    """How sure of it a proof found it to be."""
    model: object = None
    """The live object."""


def diff(
    desk: Desk,
    text: Callable[[Any], str],
    a: object,
    b: object,
    *,
    everything: bool = False,
    called: str = "",
    **options: Any,
) -> Diff:
    """See `Registry.diff`; `text` makes a reference of text or a version, and refuses all else."""
    if isinstance(a, str | ModelVersion):
        return DiffView.of(stored(desk, text(a), None if b is None else text(b), everything=everything))
    ref = _default(desk, _only_model(desk), None) if b is None else text(b)
    artifacts, data = options.pop("artifacts", None), options.pop("data", None)
    request = Request.checked(desk, reading.get(desk, ref).model, **options)
    values = objects(a, artifacts)
    return DiffView.of(live(desk, request, values, linked(data), ref, called=called, everything=everything))


def _only_model(desk: Desk) -> str:
    """The one model of the registry, which a live object is then compared with."""
    names = [row.name for row in desk.models()]
    if len(names) != 1:
        fact = "it is not clear which model to compare with" if names else "there is no model yet"
        raise BadInputError(fact, hint="name a version, for example 'churn@production'")
    return names[0]


def stored(desk: Desk, ref: str, base: str | None, *, everything: bool = False) -> Diff:
    """Two versions; without `base`, against the model's production, else its latest."""
    after = reading.get(desk, ref)
    chosen = base or _default(desk, after.model, after)
    one, other = _stored(desk, reading.get(desk, chosen), chosen), _stored(desk, after, ref)
    implied = changes.implied(one.side, other.side)
    return Diff(
        before=one.told,
        after=other.told,
        bump=implied.bump,
        bump_reason=implied.reason,
        sections=list(_sections(one, other, everything=everything)),
    )


def live(
    desk: Desk,
    request: Request,
    values: dict[str, object],
    data: Mapping[str, object] | None,
    base: str,
    *,
    called: str = "",
    everything: bool = False,
) -> Diff:
    """A live object against a version: what registering it now would give."""
    made, _ = registering.drafted(desk, request, values, data)
    before = _stored(desk, reading.get(desk, base), base)
    held = {chunk.digest: piece for each in made.artifacts for chunk, piece in each.parts}
    held.update({chunk.digest: piece for chunk, piece in made.captured})
    after = Compared(
        told=DiffSide(said=f"{called}, the live variable" if called else "the live object"),
        side=made.side,
        metrics=request.metrics,
        read=lambda chunk: in_one(held[chunk.digest]),
        model=values.get("model"),
    )
    found = list(_sections(before, after, everything=everything))
    name, implied, base_row = _would_be(desk, request, made)
    counted = f"{request.model}@{base_row.name or base_row.number}" if base_row else ""
    return Diff(
        before=before.told,
        after=after.told,
        bump=implied.bump,
        bump_reason=implied.reason,
        name=name,
        counted_from="" if counted in ("", before.told.ref) else counted,
        message=_message(implied, base_row.metrics if base_row else {}, request.metrics) if name else "",
        sections=found,
    )


def _default(desk: Desk, model: str, other_than: Entry | None) -> str:
    """What to compare with: the model's production, else its latest, else what that counted from."""
    words = [lifecycle.serving(desk.lifecycle), "latest"]
    if other_than is not None and other_than.row.base:
        words.append(str(other_than.row.base))
    for word in words:
        ref = f"{model}@{word}"
        try:
            found = reading.get(desk, ref)
        except UnknownVersionError:
            continue
        if other_than is None or found.number != other_than.number:
            return ref
    raise BadInputError(
        f"there is no other version of {model!r} to compare with", hint=f"name one, for example {model}@1"
    )


def _stored(desk: Desk, entry: Entry, ref: str) -> Compared:
    row = entry.row
    said = ref if ref == entry.ref else f"{ref}, which is {entry.ref}"
    return Compared(
        told=DiffSide(said=said, ref=entry.ref, number=entry.number, stage=row.stage),
        side=comparing.stored_side(desk, entry),
        metrics=row.metrics,
        read=lambda chunk: parts.part(desk, entry, chunk.digest),
        row=row,
        aliases=tuple(entry.aliases),
        proven=lambda: _proven(desk, entry),
        chances=lambda: _proven(desk, entry, chances=True),
    )


def _proven(desk: Desk, entry: Entry, *, chances: bool = False) -> Any:
    proof = proofs.proof_of(entry)
    found = None if proof is None else proof.chances if chances else proof.outputs
    if proof is None or not found:
        return None
    return probe.thawed(found, lambda chunk: desk.folder.blobs.read(chunk.digest, proof.bundle))


def _would_be(
    desk: Desk, request: Request, made: registering.Made
) -> tuple[str, changes.Implied, VersionRow | None]:
    """The name that registering would give, the step that it is, and what that counts from."""
    known = registering.holder(desk, request, made.manifest.content_digest)
    if known is not None:
        return "", changes.Implied(None, f"equal content is {known.ref} already"), None
    judged = comparing.judge(desk, request, made.side)
    database = desk.model_if_any(request.model)
    if database is None:
        return "", changes.FIRST, None
    base = naming.base_row(database, request)
    name, implied = naming.choose(desk, database, request, base, judged.implied)
    return name or "", implied, base


def _message(implied: changes.Implied, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """A sentence to begin with: why, and what the metrics say."""
    reason = (
        implied.reason.removeprefix(f"{implied.bump}: ")
        .partition("; not compared")[0]
        .partition(", same ")[0]
    )
    said = "" if reason.startswith(changes.NOT_COMPARED.reason) else f"{reason[:1].upper()}{reason[1:]}"
    moved = [
        f"{name} {changes.spelled(before[name])} → {changes.spelled(value)}"
        for name, value in after.items()
        if name in before and before[name] != value
    ]
    return "; ".join(part for part in (said, ", ".join(moved)) if part)


# the sections


def _sections(before: Compared, after: Compared, *, everything: bool) -> Iterator[DiffSection]:
    makers: dict[str, Callable[[], DiffSection]] = {
        "stage": lambda: _stage(before, after, everything=everything),
        "metrics": lambda: sections.metrics(before.metrics, after.metrics, everything=everything),
        "params": lambda: sections.params(before.side, after.side, everything=everything),
        "architecture": lambda: sections.built(before.side, after.side, everything=everything),
        "signature": lambda: sections.signature(before.side, after.side, everything=everything),
        "data": lambda: sections.datasets(before.side, after.side, everything=everything),
        "environment": lambda: sections.environment(before.side, after.side, everything=everything),
        "recipe": lambda: texts.recipe(before.side, after.side, everything=everything),
        "source": lambda: texts.source(before.side, after.side, everything=everything),
        "artifacts": lambda: _artifacts(before, after, everything=everything),
        "predictions": lambda: _predictions(before, after),
    }
    for name in SECTIONS:
        try:
            yield makers[name]()
        except NbregError as error:  # a part that is damaged hides nothing else
            yield DiffSection(name=name, missing=error.message)


def _stage(before: Compared, after: Compared, *, everything: bool) -> DiffSection:
    if before.row is None or after.row is None:
        return DiffSection(name="stage", missing="a live object has none")
    return sections.section("stage", _labels(before), _labels(after), everything=everything)


def _labels(each: Compared) -> dict[str, Any]:
    assert each.row is not None
    found = {
        "stage": each.row.stage,
        "aliases": sorted(each.aliases),
        "tags": each.row.tags,
        "description": each.row.description,
    }
    return {name: value for name, value in found.items() if value}


# what is stored


def _artifacts(before: Compared, after: Compared, *, everything: bool) -> DiffSection:
    one, other = ({a.name: a for a in each.side.manifest.artifacts} for each in (before, after))
    items: list[DiffItem] = []
    same = 0
    for name in dict.fromkeys([*one, *other]):
        if name in one and name in other:
            found = list(_artifact(before, after, one[name], other[name]))
        else:
            kind, told = ("added", other[name]) if name in other else ("removed", one[name])
            found = [DiffItem(name=name, kind=kind, note=_size(told))]  # type: ignore[arg-type]
        same += sum(each.kind == "same" for each in found)
        items += [each for each in found if everything or each.kind != "same"]
    return DiffSection(name="artifacts", items=items, same=same)


def _size(artifact: Artifact) -> str:
    return f"{artifact.type or artifact.kind}, {artifact.size} bytes"


def _artifact(before: Compared, after: Compared, one: Artifact, other: Artifact) -> Iterator[DiffItem]:
    if one.token and one.token == other.token:
        yield DiffItem(name=one.name, kind="same")
        return
    if one.files or other.files:
        yield from _files(one, other)
        return
    if one.type != other.type:
        yield DiffItem(name=one.name, before=one.type, after=other.type, note="another class")
    mine, theirs = arrays.arrays_of(one, before.read), arrays.arrays_of(other, after.read)
    found = [_array(f"{one.name}.{path}", mine.get(path), theirs.get(path)) for path in {**mine, **theirs}]
    yield from found
    if one.type == other.type and all(each.kind == "same" for each in found):
        where = "in no array" if found else "it holds no array that can be read without running it"
        yield DiffItem(name=one.name, before=f"{one.size} bytes", after=f"{other.size} bytes", note=where)


def _files(one: Artifact, other: Artifact) -> Iterator[DiffItem]:
    was, now = ({each.path: each for each in side.files} for side in (one, other))
    for path in dict.fromkeys([*was, *now]):
        name = f"{one.name}/{path}" if one.kind == "folder" or other.kind == "folder" else one.name
        if path not in now or path not in was:
            yield DiffItem(name=name, kind="removed" if path not in now else "added")
        elif was[path].digest == now[path].digest:
            yield DiffItem(name=name, kind="same")
        else:
            yield DiffItem(name=name, before=f"{was[path].size} bytes", after=f"{now[path].size} bytes")


def _array(name: str, one: arrays.Array | None, other: arrays.Array | None) -> DiffItem:
    if one is None or other is None:
        kind = "added" if one is None else "removed"
        return DiffItem(name=name, kind=kind, before=one and one.said, after=other and other.said)  # type: ignore[arg-type]
    if one.digest == other.digest and one.said == other.said:
        return DiffItem(name=name, kind="same", before=one.said, after=other.said)
    moved = arrays.moved(one, other)
    if moved is None:
        note = "another shape or type" if one.said != other.said else "not compared number by number"
        return DiffItem(name=name, before=one.said, after=other.said, note=note)
    how = "" if moved.most is None else f"max |Δ| {moved.most:.3g}, "
    share = "all of it" if moved.share == 1 else f"{100 * moved.share:.3g} % of it"
    return DiffItem(name=name, before=one.said, after=other.said, note=f"{how}{share} changed")


# what it says of the probe


def _predictions(before: Compared, after: Compared) -> DiffSection:
    name = "predictions"
    told = before.side.part("probe", Probe)
    if told is None or not told.inputs:
        return DiffSection(name=name, missing=f"no probe was recorded for {before.told.ref}")
    try:
        said, why = _said(told, before)
        if not why:
            now, why = _said_now(told, before, after)
        found = None if why else outputs.difference(said, now)
        surer = _surer(told, before, after) if found is not None and found.classes else ""
    except Exception as error:  # values that this release of a library cannot bring back
        return DiffSection(name=name, missing=f"the probe cannot be read here: {type(error).__name__}")
    if found is None:
        return DiffSection(name=name, missing=why or "what comes out has another shape")
    if not found.other:
        return DiffSection(
            name=name, same=found.rows, note=f"the same for all {found.rows} rows of the probe{surer}"
        )
    items = [
        DiffItem(name=f"row {row}", before=was, after=is_, delta=_delta(was, is_, found))
        for row, (was, is_) in zip(found.which, found.examples, strict=True)
    ]
    return DiffSection(name=name, items=items, same=found.rows - found.other, note=_summary(found) + surer)


def _said(told: Probe, each: Compared) -> tuple[Any, str]:
    """What a version says of its own probe, or why that is not known."""
    if told.outputs:
        return probe.thawed(told.outputs, each.read), ""
    found = each.proven()
    ref = each.told.ref
    return (
        found,
        "" if found is not None else f"what {ref} says of its probe is not known: `nbreg prove {ref}`",
    )


def _said_now(told: Probe, before: Compared, after: Compared) -> tuple[Any, str]:
    """What the other one says of the same rows, or why that is not known."""
    if after.row is None:
        now = outputs.of_live(after.model, probe.thawed(told.inputs, before.read))
        return now, "" if now is not None else (
            "the live object does not take the recorded rows, or its prediction would run code of yours"
        )
    theirs = after.side.part("probe", Probe)
    if theirs is None or not theirs.inputs:
        return None, f"no probe was recorded for {after.told.ref}"
    if [each.digest for each in theirs.inputs] != [each.digest for each in told.inputs]:
        return None, "their probes are of other rows"
    return _said(theirs, after)


def _surer(told: Probe, before: Compared, after: Compared) -> str:
    """By how much one is surer of a class than the other, where it is known of both."""
    was = before.chances()
    if was is None:
        return ""
    live = after.row is None
    now = (
        outputs.chances_of_live(after.model, probe.thawed(told.inputs, before.read))
        if live
        else after.chances()
    )
    found = outputs.difference(was, now)
    return "" if found is None or found.most is None else f", max Δp {found.most:.2g}"


def _delta(was: Any, now: Any, found: outputs.Difference) -> float | None:
    both = isinstance(was, int | float) and isinstance(now, int | float)
    return None if found.classes or not both else now - was


def _summary(found: outputs.Difference) -> str:
    share = f"{100 * found.other / found.rows:.3g} % of rows ({found.other} of {found.rows})"
    if found.classes:
        return f"{share} change class"
    return f"{share} come out otherwise" + ("" if found.most is None else f", max |Δ| {found.most:.3g}")
