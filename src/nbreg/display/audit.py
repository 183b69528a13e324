"""An audit as people read it: a card in a notebook, a page of HTML or Markdown; a function of its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nbreg.display import html
from nbreg.display.cards import gaps, libraries, model_line, proof_line
from nbreg.display.document import Block, Facts, Grid, Points, Section, Target, Text, as_html, as_markdown
from nbreg.display.summaries import summary_line
from nbreg.display.tables import label
from nbreg.display.text import brief, count, listed, moment, number, pairs, size, telling_first
from nbreg.records import Audit, AuditedTenure, AuditedVersion, Deployment, Event, Link, UsedDataset

AUDIT_MIME = "application/vnd.nbreg.audit+json"

NOT_PROVEN: Final = (
    "Names of people are what their processes said of themselves. In a folder nobody checks them; "
    "the source and the host stand beside each.",
    "The chain shows that no line was changed, taken out or put between others since a head was "
    "written down somewhere else. Whoever can write the folder can write a whole new chain: compare "
    "the heads with those that you kept (nbreg verify --expect HEAD).",
    "Times are those of the machines that wrote them.",
    "Of data there are digests and sketches, not the data. What is marked as inferred was worked out, "
    "and what is marked as a sample was digested in part. Where data is said to come from nobody has "
    "looked.",
    "Deployments are what people and pipelines reported; nbreg has not looked at what runs.",
    "A proof says that the version loaded and predicted in one environment, not that its predictions "
    "are right.",
    "Metrics are those that were given.",
    "Owners, editors, readers and visibility are on record. A folder holds nobody to them; a server may.",
)


class AuditView(Audit, frozen=True, kw_only=True):
    """An `Audit` that shows itself, and writes itself out."""

    @classmethod
    def of(cls, audit: Audit) -> AuditView:
        """The same with a look."""
        return cls(**{name: getattr(audit, name) for name in Audit.__struct_fields__})

    def to_html(self) -> str:
        """One page without scripts or outside assets."""
        return as_html(*self._document())

    def to_markdown(self) -> str:
        """The same as Markdown."""
        return as_markdown(*self._document())

    def __repr__(self) -> str:
        return "\n".join(
            [f"{brief(self.model)} · audit", *(f"  {name}: {text}" for name, text in self._brief())]
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        body = html.heading(self.model, "audit") + html.facts(self._brief())
        told = [
            {"number": each.row.number, "name": each.row.name, "stage": each.row.stage}
            for each in self.versions
        ]
        return {
            "text/plain": repr(self),
            "text/html": html.view(body, card=True),
            AUDIT_MIME: {"model": self.model, "versions": told, "events": len(self.events)},
        }

    def _brief(self) -> list[tuple[str, str]]:
        held = [f"{each.stage} {_named(each)}" for each in self.tenures if not each.until]
        serving = [f"{each.where} #{each.number}" for each in self.deployments if not each.is_over]
        said = [
            ("versions", str(len(self.versions))),
            ("events", str(len(self.events))),
            ("stages", listed(held)),
            ("deployed", listed(serving)),
            ("checked", _verdict(self)),
        ]
        return [(name, text) for name, text in said if text]

    def _document(self) -> tuple[str, str, list[Section]]:
        sub = f"Audit of {moment(self.at)} UTC by {self.by.user} ({_source(self.by)}), {self.tool}"
        sections = [
            Section("Summary", [Facts(_summary(self))]),
            *_readme(self),
            Section("What held which stage when", _tenures(self.tenures)),
            *_deployments(self.deployments),
            Section("Versions", [_overview(self.versions)]),
            *(_version(each) for each in self.versions),
            Section("Everything that happened, newest first", [_events(self.events)]),
            Section("Integrity", _integrity(self)),
            Section("What this does not prove", [Points(NOT_PROVEN)]),
        ]
        return self.model, sub, sections


def _summary(audit: Audit) -> list[tuple[str, str | Target]]:
    about = audit.about
    return _said(
        ("model", audit.model),
        ("description", about.description),
        ("owners", listed(about.owners, 40)),
        ("editors", listed(about.editors, 40)),
        ("readers", listed(about.readers, 40)),
        ("visibility", about.visibility),
        ("versions", str(len(audit.versions))),
        ("registry", audit.registry),
        ("stages", " → ".join(audit.stages)),
        ("checked", _verdict(audit)),
    )


def _said(*rows: tuple[str, str | Target]) -> list[tuple[str, str | Target]]:
    return [(name, text) for name, text in rows if text]


def _verdict(audit: Audit) -> str:
    report = audit.verified
    if report is None and audit.unreadable:
        return (
            f"not verified for this report; {count(len(audit.unreadable), 'row')} unreadable: see Integrity"
        )
    if report is None:
        return "not verified for this report"
    if not audit.whole:
        found = count(len(report.problems), "problem") + " found: see Integrity" if report.problems else ""
        looked = f"verified: every line and every byte of this model ({count(report.objects, 'object')})"
        verdict = found or looked
        return f"{verdict}; the rest of the registry is for administrators to check"
    if report.ok:
        return f"verified: every line and every byte of the registry ({count(report.objects, 'object')})"
    return f"{count(len(report.problems), 'problem')} found: see Integrity"


def _source(actor: Any) -> str:
    return " on ".join(each for each in (actor.source, actor.host) if each)


def _readme(audit: Audit) -> list[Section]:
    lines = [line for line in audit.about.readme.splitlines() if line.strip()]
    return [Section("Readme", [Text(line) for line in lines[:500]])] if lines else []


def _tenures(tenures: Sequence[AuditedTenure]) -> list[Block]:
    if not tenures:
        return [Text("No version was ever put in a stage.")]
    rows = [
        [
            each.stage,
            _named(each),
            moment(each.since),
            moment(each.until) if each.until else "now",
            each.began_by.kind.replace("-", " "),
            each.began_by.by.user,
            each.began_by.reason,
            each.began_by.message,
        ]
        for each in tenures
    ]
    return [Grid(("stage", "version", "from, UTC", "until, UTC", "event", "by", "reason", "message"), rows)]


def _named(tenure: AuditedTenure) -> str:
    return label(tenure.name or None, tenure.number)


def _deployments(deployments: Sequence[Deployment]) -> list[Section]:
    if not deployments:
        return []
    rows = [
        [
            each.where,
            f"#{each.number}",
            each.version_id[:16],
            each.status,
            moment(each.since),
            moment(each.ended) if each.ended else "",
            each.by,
            each.reason,
            Target(each.url, each.url) if each.url else "",
        ]
        for each in deployments
    ]
    titles = ("where", "version", "id", "status", "since, UTC", "ended, UTC", "by", "reason", "URL")
    return [Section("Deployments, as they were reported", [Grid(titles, rows)])]


def _overview(versions: Sequence[AuditedVersion]) -> Grid:
    rows = [
        [
            f"#{each.row.number}",
            each.row.name or each.row.superseded_name,
            "deleted" if each.row.deleted else each.row.stage,
            moment(each.row.created),
            each.row.actor,
            pairs(each.row.metrics, 4),
            each.row.message or each.row.bump_reason,
        ]
        for each in versions
    ]
    return Grid(("#", "version", "stage", "registered, UTC", "by", "metrics", "why"), rows)


# a version


def _version(each: AuditedVersion) -> Section:
    row = each.row
    blocks: list[Block] = [Facts(_facts(each))]
    if each.data:
        blocks.append(
            Grid(("data", "role", "known as", "shape", "snapshot", "how", "from"), _data_rows(each.data))
        )
    if each.links:
        blocks.append(Grid(("link", "kind", "added, UTC", "by"), [_link(link) for link in each.links]))
    return Section(label(row.name or row.superseded_name or None, row.number), blocks, level=3)


def _facts(each: AuditedVersion) -> list[tuple[str, str | Target]]:
    row, manifest = each.row, each.manifest
    gone = row.deleted
    features = each.feature_set
    return _said(
        ("id", f"sha256:{row.id}"),
        ("registered", f"{moment(row.created)} UTC by {row.actor}"),
        ("stage", row.stage),
        ("deleted", f"{moment(gone.at)} UTC by {gone.by}: {gone.reason}" if gone else ""),
        ("bytes", f"removed: {row.purged}" if row.purged else size(row.size) if row.size else ""),
        ("aliases", listed(each.aliases, 20)),
        ("why this name", row.bump_reason),
        ("message", row.message),
        ("description", row.description),
        ("tags", listed(row.tags, 40)),
        ("git tag", row.git_tag),
        ("metrics", pairs(row.metrics, 60)),
        ("model", model_line(row)),
        *(_of_manifest(each, manifest) if manifest else [("manifest", f"not readable: {each.unreadable}")]),
        (
            "feature set",
            f"#{features.number}, {count(features.features, 'feature')}, sha256:{features.digest[:16]}"
            if features
            else "",
        ),
        ("evidence", f"{proof_line(each.proof)}{_proved_by(each)}"),
        ("doubts", "; ".join([*(manifest.warnings if manifest else []), *row.warnings])),
    )


def _proved_by(each: AuditedVersion) -> str:
    proof = each.proof
    return f" · Python {proof.python} · {moment(proof.at)} UTC by {proof.by}" if proof else ""


def _of_manifest(each: AuditedVersion, manifest: Any) -> Iterator[tuple[str, str | Target]]:
    yield "made by", f"{manifest.actor.user} ({_source(manifest.actor)}), {manifest.tool}"
    yield "framework", listed(libraries(each.row, manifest))
    yield "params", pairs(telling_first(manifest.params), 60)
    yield "artifacts", listed((f"{a.name} {size(a.size)}" for a in manifest.artifacts), 40)
    yield "derived from", f"sha256:{manifest.parent}" if manifest.parent else ""
    yield (
        "run",
        " ".join(word for word in (manifest.run.id, manifest.run.name) if word) if manifest.run else "",
    )
    for part in ("environment", "source", "recipe", "data", "signature", "probe"):
        captured = getattr(manifest, part)
        if captured.is_there:
            yield part, summary_line(part, captured.summary)
    yield "withheld", pairs(manifest.redactions)
    for gap in gaps(manifest):
        yield "not captured", gap.removeprefix("not captured: ")


def _data_rows(data: Sequence[UsedDataset]) -> list[list[str | Target]]:
    """Data as rows of a table."""
    return [
        [
            each.name,
            each.role,
            listed(each.datasets),
            "×".join(map(str, each.summary.get("shape") or ())),
            f"sha256:{each.snapshot[:16]}" if each.snapshot else "",
            "inferred" if each.inferred else "named",
            Target(each.origin, each.origin) if each.origin else "",
        ]
        for each in data
    ]


def _link(link: Link) -> list[str | Target]:
    return [Target(link.title or link.target, link.target), link.kind, moment(link.at), link.by]


# what happened, and whether it can be relied on


def _events(events: Sequence[Event]) -> Grid:
    rows = [
        [
            str(event.seq),
            moment(event.at),
            f"#{event.number}" if event.number else "",
            event.kind.replace("-", " "),
            f"{event.by.user} ({_source(event.by)})",
            event.reason,
            event.message,
            told_facts(event.facts),
        ]
        for event in events
    ]
    return Grid(("line", "when, UTC", "version", "event", "by", "reason", "message", "facts"), rows)


def told_facts(facts: Mapping[str, Any]) -> str:
    """All that an event says of itself, evidence of gates among it: `stage production · archived 3`."""
    hidden = ("number", "name", "archived_name")
    return " · ".join(f"{key} {_told(value)}" for key, value in facts.items() if key not in hidden)


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({', '.join(f'{key} {_told(each)}' for key, each in value.items())})"
    if isinstance(value, list):
        return f"[{', '.join(map(_told, value[:20]))}{', …' if len(value) > 20 else ''}]"
    return number(value) if isinstance(value, float) else brief(value, 500)


def _integrity(audit: Audit) -> list[Block]:
    heads = {**audit.heads, **(audit.verified.heads if audit.verified else {})}
    wanted = {name: heads[name] for name in (audit.model, "registry", "data/") if name in heads}
    rows = [[name, str(head.seq), head.hash] for name, head in wanted.items()]
    blocks: list[Block] = [
        Text(f"{_verdict(audit)}."),
        Grid(("chain", "lines", "head"), rows),
        Text("Keep the heads somewhere else: a later check can be held against them."),
    ]
    found = [*(audit.verified.problems if audit.verified else []), *audit.unreadable]
    problems = list(dict.fromkeys(found))  # what is read anew may be found twice
    if problems:
        blocks.append(
            Grid(("problem", "where", "what"), [[p.code, p.where, p.message] for p in problems[:500]])
        )
    return blocks
