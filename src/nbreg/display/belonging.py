"""Lists of what belongs to models: data sets, feature sets, deployments, links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nbreg.display import html
from nbreg.display.html import Column
from nbreg.display.tables import Table
from nbreg.display.text import brief, listed, moment
from nbreg.records import About, Deployment, FeatureSet, Link, Snapshot


class DatasetTable(Table[Snapshot]):
    """Versions of data sets: content by digest, first seen by whom, said to come from where."""

    kind = "datasets"
    noun = "data set"
    empty = "no data set was named yet; data={'train': nbreg.Dataset('customers', X)} names one"

    def columns(self) -> list[Column]:
        """Which, what it is, and who showed it first."""
        return [
            Column("data set", "key"),
            Column("#", "right"),
            Column("snapshot"),
            Column("shape"),
            Column("first seen, UTC"),
            Column("by"),
            Column("from", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One version of a data set."""
        each = self[index]
        shape = "×".join(map(str, each.summary.get("shape") or ()))
        snapshot = f"sha256:{each.snapshot[:12]}"
        return [
            each.dataset,
            str(each.number),
            snapshot,
            shape,
            moment(each.at),
            each.by,
            listed(each.origins, 3),
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One version of a data set as JSON."""
        each = self[index]
        return {"dataset": each.dataset, "number": each.number, "snapshot": each.snapshot}


class FeatureSetTable(Table[FeatureSet]):
    """The feature sets of models."""

    kind = "feature-sets"
    noun = "feature set"
    empty = "no version has features that are known; register with data={'train': X}"

    def columns(self) -> list[Column]:
        """Which, how many features, and the version that had it first."""
        return [
            Column("model", "key"),
            Column("#", "right"),
            Column("features", "right"),
            Column("digest"),
            Column("first in"),
            Column("when, UTC"),
        ]

    def cells(self, index: int) -> list[str]:
        """One feature set."""
        each = self[index]
        digest = f"sha256:{each.digest[:12]}"
        return [each.model, str(each.number), str(each.features), digest, f"#{each.first}", moment(each.at)]

    def facts(self, index: int) -> dict[str, Any]:
        """One feature set as JSON."""
        each = self[index]
        return {"model": each.model, "number": each.number, "features": each.features, "digest": each.digest}


class DeploymentTable(Table[Deployment]):
    """Where versions are at work; below it says where that is not what the stages say.

    `holders` are who holds the stage of what is at work, by model.
    """

    kind = "deployments"
    noun = "deployment"
    empty = "nothing is deployed, as far as anybody said"

    def __init__(
        self,
        items: Sequence[Deployment],
        *,
        holders: Mapping[str, int] | None = None,
        stage: str = "production",
    ) -> None:
        super().__init__(items)
        self._holders, self._stage = holders or {}, stage

    def columns(self) -> list[Column]:
        """What, where, how, and since when."""
        return [
            Column("model", "key"),
            Column("version"),
            Column("where"),
            Column("status"),
            Column("since, UTC"),
            *([Column("ended, UTC")] if any(each.ended for each in self) else []),
            Column("by"),
            Column("URL", "long"),
        ]

    def cells(self, index: int) -> list[str]:
        """One deployment."""
        each = self[index]
        ended = [moment(each.ended) if each.ended else ""] if any(one.ended for one in self) else []
        return [
            each.model,
            f"#{each.number}",
            each.where,
            each.status,
            moment(each.since),
            *ended,
            each.by,
            each.url,
        ]

    def facts(self, index: int) -> dict[str, Any]:
        """One deployment as JSON."""
        each = self[index]
        return {"model": each.model, "number": each.number, "where": each.where, "status": each.status}

    def remarks(self) -> list[str]:
        """Where something else serves than what holds production."""
        found, stage = [], brief(self._stage, 40)
        for each in self:
            holder = self._holders.get(each.model)
            if each.status == "serving" and holder is not None and holder != each.number:
                place, model = brief(each.where, 60), brief(each.model, 60)
                found.append(f"{place} serves {model} #{each.number}, and #{holder} is in {stage}")
        return found

    def _plain(self) -> str:
        return "\n".join([super()._plain(), *self.remarks()])

    def _html(self) -> str:
        return super()._html() + "".join(map(html.note, self.remarks()))


class LinkTable(Table[Link]):
    """What outside belongs to a version."""

    kind = "links"
    noun = "link"
    empty = "no links"

    def columns(self) -> list[Column]:
        """What, of which kind, and who tied it."""
        return [
            Column("id", "right"),
            Column("link", "long"),
            Column("kind"),
            Column("title", "long"),
            Column("added, UTC"),
            Column("by"),
        ]

    def cells(self, index: int) -> list[str]:
        """One link."""
        each = self[index]
        return [str(each.id), each.target, each.kind, each.title, moment(each.at), each.by]

    def facts(self, index: int) -> dict[str, Any]:
        """One link as JSON."""
        told: dict[str, Any] = msgspec.to_builtins(self[index])
        return told


def about_text(model: str, about: About) -> str:
    """What is said of a model, for a terminal."""
    rows = [
        ("owners", listed(about.owners, 20)),
        ("editors", listed(about.editors, 20)),
        ("readers", listed(about.readers, 20)),
        ("visibility", about.visibility),
        ("description", brief(about.description, 2000)),
    ]
    lines = [brief(model), *(f"  {name.ljust(11)}  {text}" for name, text in rows if text)]
    readme = [brief(line, 2000) for line in about.readme.splitlines()]
    return "\n".join([*lines, *(["", *readme] if readme else [])])
