"""What a version, and what was just done to it, looks like.

The card of a version holds what is true of it for good, since it is what a saved notebook
shows years later; to that come the stage and the aliases that it had when it was shown, where
it had any. `VersionDetail` says all there is to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nbreg.display import html
from nbreg.display.drafts import told_origin
from nbreg.display.folds import Fold, folded
from nbreg.display.style import FOLD_STYLE
from nbreg.display.summaries import doubts, since, summary_line
from nbreg.display.tables import label, told_gates
from nbreg.display.text import LONGEST, brief, count, escaped, listed, moment, pairs, size, telling_first
from nbreg.records import (
    Captured,
    DataLink,
    Deployment,
    Evidence,
    Link,
    Manifest,
    UsedDataset,
    VersionRow,
)

VERSION_MIME = "application/vnd.nbreg.version+json"
DETAIL_MIME = "application/vnd.nbreg.detail+json"
"""Of all there is to say about a version: JupyterLab draws VERSION_MIME itself, without what is folded."""

MOST: Final = 100
"""Tags, metrics, params and artifacts that the JSON form lists."""

_PARTS: Final = ("environment", "variables", "recipe", "source", "data", "signature", "probe", "notebook")
_MOST_LINKS: Final = 6
_SHORT_NAME: Final = 12
"""A longer one would make the whole column of what facts are called as wide."""
_DISTRIBUTIONS: Final = {"sklearn": "scikit-learn"}
_FRAMEWORKS: Final = (
    "torch",
    "tensorflow",
    "keras",
    "jax",
    "xgboost",
    "lightgbm",
    "catboost",
    "scikit-learn",
    "statsmodels",
    "numpy",
)
"""Where a model's own class does not say: whose version most likely matters, first."""
_UNSAID: Final = "not captured"


def version_bundle(
    model: str,
    row: VersionRow,
    manifest: Manifest | None,
    *,
    existing: bool = False,
    aliases: Sequence[str] = (),
    links: Sequence[Link] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The card of a version: HTML, text, and JSON of what is the same wherever it is made.

    Without a manifest (its bytes were purged, or are damaged) the row alone is shown, and
    the card says so.
    """
    title = label(row.name, row.number)
    headline = " · ".join(_headline(row, manifest))
    # Parameters that nbreg read off the model are many, most of them defaults: `%model` lists them.
    read_off = manifest is not None and "params" in manifest.inferred
    facts = [
        *_now(row, aliases, links),
        *(each for each in _facts(row, manifest) if not read_off or each[0] != "params"),
    ]
    remarks = _remarks(row, manifest, existing=existing, notes=notes)
    missing = [gap for gap in gaps(manifest) if gap.endswith(")")]  # what this release never takes is no news
    return {
        "text/plain": _plain_card(f"{brief(model)} {title}", headline, facts, [*remarks, *missing]),
        "text/html": html.view(
            html.heading(model, title, headline)
            + html.facts(facts)
            + "".join(map(html.note, remarks))
            + _gaps_html(missing),
            card=True,
        ),
        VERSION_MIME: _version_json(model, row, manifest, existing=existing, aliases=aliases),
    }


def _now(row: VersionRow, aliases: Sequence[str], links: Sequence[Link]) -> list[tuple[str, str]]:
    """What may change, where there is something to say of it."""
    stage = _stage_line(row) if row.deleted or row.stage != "none" else ""
    told = (
        ("stage", stage),
        ("aliases", listed(sorted(aliases))),
        ("links", " · ".join(map(_linked, links[:_MOST_LINKS]))),
    )
    return [(name, text) for name, text in told if text]


def _plain_card(title: str, headline: str, facts: Sequence[tuple[str, str]], remarks: Sequence[str]) -> str:
    lines = [f"{title} · {brief(headline, 2000)}" if headline else title]
    width = max((len(name) for name, _ in facts), default=0)
    lines += [f"  {name.ljust(width)}  {brief(text, 2000)}" for name, text in facts]
    return "\n".join(lines + [f"  {brief(remark, 2000)}" for remark in remarks])


def proof_line(proof: Evidence | None) -> str:
    """`loads, equal on 64 rows, 1.8 s`; `not proven: why`."""
    if proof is None:
        return "not proven yet"
    took = f"{proof.seconds:.1f} s"
    if proof.verdict == "failed":
        return f"not proven: {brief(proof.why)}"
    if proof.verdict == "loads":
        return f"loads, {took}; {brief(proof.why)}"
    rows = count(proof.rows, "row")
    delta = "" if proof.max_delta is None else f", max |Δ| {proof.max_delta:.2g}"
    if proof.verdict == "equal":
        return f"loads, equal on {rows}, {took}"
    if proof.verdict == "equivalent":
        return f"loads, equal within rounding on {rows}{delta}, {took}"
    return f"loads, but predicts otherwise on {proof.changed} of {rows}{delta}, {took}"


def _headline(row: VersionRow, manifest: Manifest | None, proof: Evidence | None = None) -> list[str]:
    """How it was made, with what, and what is known of it, each in a few words."""
    if manifest is None:
        return ["manifest not readable"]
    recipe = recipe_line(manifest.recipe)
    trained_on = _trained_on(manifest)
    return [*recipe, *trained_on, *libraries(row, manifest), proof_line(proof)]


def recipe_line(recipe: Captured) -> list[str]:
    """`recipe: 5 of 6 runs, complete`, as far as the summary tells."""
    summary = recipe.summary
    if not recipe.is_there or not summary:
        return []
    kept, history = summary.get("executions"), summary.get("history")
    runs = ""
    if isinstance(kept, int):
        runs = f"{kept} of {count(history, 'run')}" if isinstance(history, int) else count(kept, "run")
    words = [runs, brief(summary.get("status") or "", 40), brief(summary.get("state") or "", 40)]
    words += since(summary)
    said = ", ".join(word for word in words if word)
    return [f"recipe: {said}"] if said else []


def _trained_on(manifest: Manifest) -> list[str]:
    """What went in; the outcomes beside it only where there is nothing else."""
    sets = [link for link in manifest.links if link.role in ("", "train")]
    shown = [link for link in sets if not link.summary.get("target")] or sets
    inferred = ", inferred" if any(link.inferred for link in shown) else ""
    return [f"trained on {listed(map(_set_line, shown), 3)}{inferred}"] if shown else []


def _set_line(link: DataLink) -> str:
    """`Xtr 426×30`; a set that is only called by its role is its shape."""
    shape = link.summary.get("shape")
    told = "×".join(map(str, shape)) if isinstance(shape, list) else ""
    name = "" if told and link.name in ("train", "training") else brief(link.name, 40)
    part = "rows or columns of" if link.summary.get("part") else ""
    since = "(changed since)" if link.summary.get("since") == "changed" else ""
    return " ".join(word for word in (part, name, told, since) if word)


def libraries(row: VersionRow, manifest: Manifest) -> list[str]:
    """The framework of the model with its version: what a reader of the model needs first."""
    known = manifest.environment.summary.get("libraries")
    if not isinstance(known, Mapping):
        return []
    home = row.type.partition(".")[0]
    own = _DISTRIBUTIONS.get(home, home)
    names = [own] if own in known else [name for name in _FRAMEWORKS if name in known][:2]
    return [f"{name} {brief(known[name], 40)}" for name in names]


def gaps(manifest: Manifest | None) -> list[str]:
    """What was not captured, and why; parts that share a reason stand on one line."""
    if manifest is None:
        return ["not captured, or not readable: the manifest (what the journal says is shown)"]
    reasons: dict[str, list[str]] = {}
    for part in _PARTS:
        captured: Captured = getattr(manifest, part)
        if not captured.is_there:
            # Where a frontend does not tell its kernel of the file, that is no news on every card.
            reasons.setdefault("" if part == "notebook" else _reason(captured), []).append(part)
    return [
        f"not captured: {', '.join(parts)}{f' ({brief(reason)})' if reason else ''}"
        for reason, parts in reasons.items()
    ]


def _gaps_html(missing: Sequence[str]) -> str:
    """Something that went wrong is set off; what this release does not capture is only said."""
    return "".join(html.note(gap, "gap") if gap.endswith(")") else html.quiet(gap) for gap in missing)


def _reason(captured: Captured) -> str:
    reason = captured.missing.removeprefix(f"{_UNSAID}: ")
    return "" if reason == _UNSAID else reason


def _facts(row: VersionRow, manifest: Manifest | None) -> list[tuple[str, str]]:
    """The lines of a card, those that say nothing left out."""
    params = dict(manifest.params) if manifest else {}
    lines = [
        ("metrics", pairs(row.metrics)),
        ("params", pairs(telling_first(params))),
        ("model", model_line(row)),
        ("artifacts", _artifacts(manifest)),
        ("tags", listed(row.tags)),
        ("message", row.message),
        ("description", row.description),
        ("git tag", row.git_tag),
        ("was", told_origin(manifest.draft) if manifest and manifest.draft else ""),
        (f"why {brief(row.name)}" if row.name and len(row.name) <= _SHORT_NAME else "why", _name_line(row)),
    ]
    return [(name, text) for name, text in lines if text]


def model_line(row: VersionRow) -> str:
    """The class by its own name, with the package it comes from."""
    package, _, name = row.type.rpartition(".")
    home = package.partition(".")[0]
    return f"{name} ({home})" if home and home not in ("builtins", "__main__") else name


def _artifacts(manifest: Manifest | None) -> str:
    others = [each.name for each in manifest.artifacts if each.name != "model"] if manifest else []
    return listed(others)


def _name_line(row: VersionRow) -> str:
    """Why the version is called what it is called."""
    if not row.bump_reason:
        return ""
    if not row.bump or row.bump_reason.startswith(f"{row.bump}:"):
        return row.bump_reason
    return f"{row.bump}: {row.bump_reason}"


def _remarks(
    row: VersionRow, manifest: Manifest | None, *, existing: bool, notes: Sequence[str]
) -> list[str]:
    known = ["equal content was registered before; this is that version"] if existing else []
    gone = [f"its bytes were removed: {row.purged}"] if row.purged else []
    told = [f"warning: {each}" for each in row.warnings]
    return [*known, *gone, *told, *doubts(manifest.data.summary if manifest else {}), *notes]


def _version_json(
    model: str, row: VersionRow, manifest: Manifest | None, *, existing: bool, aliases: Sequence[str]
) -> dict[str, Any]:
    """No ids, no times, no machine: two people who run one notebook get the same."""
    return {
        "model": model,
        "number": row.number,
        "name": row.name,
        "existing": existing,
        "type": row.type,
        "metrics": _bounded(row.metrics),
        "params": _bounded(manifest.params) if manifest else {},
        "tags": [tag[:LONGEST] for tag in row.tags[:MOST]],
        "aliases": sorted(aliases),
        "message": row.message[:LONGEST],
        "description": row.description[:LONGEST],
        "bump": row.bump,
        "bump_reason": row.bump_reason,
        "artifacts": [each.name for each in manifest.artifacts[:MOST]] if manifest else [],
        "captured": [part for part in _PARTS if getattr(manifest, part).is_there] if manifest else [],
    }


def _bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as they are; whatever could be long, as a short text."""
    return {
        key[:LONGEST]: value if isinstance(value, bool | int | float | None) else str(value)[:LONGEST]
        for key, value in list(values.items())[:MOST]
    }


class VersionDetail:
    """All there is to say about a version now: what the card says, and what can change or differ."""

    def __init__(
        self,
        model: str,
        row: VersionRow,
        manifest: Manifest | None,
        *,
        aliases: Sequence[str] = (),
        proof: Evidence | None = None,
        links: Sequence[Link] = (),
        deployments: Sequence[Deployment] = (),
        data: Sequence[UsedDataset] = (),
        version: object = None,
        folds: Sequence[Fold] = (),
    ) -> None:
        self.version = version
        self._links, self._deployments, self._data = links, deployments, data
        self._folds = folds
        self._proof = proof
        self._model, self._row, self._manifest = model, row, manifest
        self._aliases = sorted(aliases)

    def __repr__(self) -> str:
        title, headline = self._title()
        return _plain_card(f"{brief(self._model)} {title}", headline, self._lines(), gaps(self._manifest))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": html.view(self._sheet() + self.body(), card=True, twin=True),
            DETAIL_MIME: {
                **_version_json(
                    self._model, self._row, self._manifest, existing=False, aliases=self._aliases
                ),
                "stage": self._row.stage,
            },
        }

    def _sheet(self) -> str:
        return f"<style>{FOLD_STYLE}</style>" if self._folds else ""

    def body(self) -> str:
        """The HTML, for whoever has the style already."""
        return self.heading() + self.facts()

    def heading(self) -> str:
        """Which version it is, and how it was made."""
        title, headline = self._title()
        return html.heading(self._model, title, headline)

    def facts(self) -> str:
        """The lines below the heading; what is folded says its line itself."""
        lines = dict(self._lines())
        folds = [each._replace(told=lines.pop(each.title, each.told)) for each in self._folds]
        return html.facts(list(lines.items())) + _gaps_html(gaps(self._manifest)) + folded(folds)

    def _title(self) -> tuple[str, str]:
        return label(self._row.name, self._row.number), " · ".join(
            _headline(self._row, self._manifest, self._proof)
        )

    def _lines(self) -> list[tuple[str, str]]:
        row = self._row
        now = [
            ("stage", _stage_line(row)),
            ("aliases", listed(self._aliases)),
            *_facts(row, self._manifest),
            *_captured_lines(self._manifest, row),
            ("data sets", listed((_known_as(each) for each in self._data if each.datasets), 6)),
            ("deployed", listed((_deployed(each) for each in self._deployments if not each.is_over), 6)),
            *(("links" if not at else "", _linked(each)) for at, each in enumerate(self._links[:MOST])),
            ("proof", _proof_told(self._proof)),
            ("registered", f"{moment(row.created)} UTC by {brief(row.actor, 60)}"),
            ("size", size(row.size) if row.size else ""),
            ("id", f"sha256:{row.id}"),
        ]
        return [(name, text) for name, text in now if text]


def _known_as(used: UsedDataset) -> str:
    """`Xtr: customers@2`, and where it was said to come from."""
    origin = f" from {brief(used.origin, 40)}" if used.origin else ""
    return f"{brief(used.name, 40)}: {listed(used.datasets, 3)}{origin}"


def _deployed(deployment: Deployment) -> str:
    """`prod-eu, serving since 2026-02-09 10:00 UTC`."""
    return f"{brief(deployment.where, 40)}, {deployment.status} since {moment(deployment.since)} UTC"


def _linked(link: Link) -> str:
    title = f"{brief(link.title)} · " if link.title else ""
    return f"{brief(link.kind, 40)}: {title}{brief(link.target)}"


def _proof_told(proof: Evidence | None) -> str:
    """Who found it out and when, with the headline's words."""
    if proof is None:
        return ""
    return f"{proof_line(proof)} · Python {proof.python} · {moment(proof.at)} UTC by {brief(proof.by, 60)}"


def _stage_line(row: VersionRow) -> str:
    if row.deleted:
        why = f" ({brief(row.deleted.reason)})" if row.deleted.reason else ""
        return f"deleted {moment(row.deleted.at)} by {brief(row.deleted.by, 60)}{why}"
    return row.stage


def _captured_lines(manifest: Manifest | None, row: VersionRow) -> list[tuple[str, str]]:
    """What the summaries of the captured parts say, part by part."""
    if manifest is None:
        return []
    shown = []
    for part in _PARTS:
        captured: Captured = getattr(manifest, part)
        if captured.is_there:
            shown.append((part, summary_line(part, captured.summary) or size(captured.size)))
    warned = "; ".join(brief(each) for each in (*manifest.warnings, *row.warnings))
    withheld = ", ".join(f"{brief(kind, 40)} {times}" for kind, times in manifest.redactions.items())
    return [*shown, ("withheld", withheld), ("warnings", warned)]


class Note:
    """A change that was made, in one sentence; `version` is the version it was made to."""

    def __init__(self, text: str, *, version: object = None, stage: str = "", hint: str = "") -> None:
        self.text = text
        self.version = version
        self._stage, self._hint = stage, hint

    def __repr__(self) -> str:
        hint = f"\n  {brief(self._hint, 2000)}" if self._hint else ""
        return brief(self.text, 2000) + hint

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        dot = html.dot(self._stage) if self._stage else ""
        body = f"<div>{dot}{escaped(self.text, 2000)}</div>"
        hint = html.quiet(self._hint) if self._hint else ""
        return {"text/plain": repr(self), "text/html": html.view(body + hint)}


def told_move(model: str, row: VersionRow, facts: Mapping[str, Any], *, before: str = "") -> str:
    """What a move did, as the journal's own line has it: `facts`, empty where nothing was written.

    `before` is the stage that the version was in, if the line does not say.
    """
    archived = facts.get("archived")
    out = str(facts.get("archived_to") or "archived")
    displaced = [(label(facts.get("archived_name"), archived), out)] if isinstance(archived, int) else []
    return moved(
        model,
        label(row.name, row.number),
        before=before or str(facts.get("was") or "none"),
        after=row.stage,
        displaced=displaced,
        gates=told_gates(facts),
    )


def moved(
    model: str,
    version: str,
    *,
    before: str,
    after: str,
    displaced: Sequence[tuple[str, str]] = (),
    gates: Sequence[str] = (),
) -> str:
    """`cancer 1.1.0 (#2): none → production · 1.0.0 (#1): production → archived`.

    It tells the move, not the state, so that it stays true in a saved notebook.
    `displaced` are other versions that moved in the same transaction, with where to; `gates`
    what there is to say of the gates that it passed, or did not.
    """
    if before == after:
        return f"{model} {version} was in {after} already; nothing was written"
    others = [f"{other}: {after} → {to}" for other, to in displaced]
    return " · ".join([f"{model} {version}: {before} → {after}", *others, *gates])
