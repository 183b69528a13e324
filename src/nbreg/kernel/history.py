"""What `%model_history` answers with: a table, which is a panel where somebody can click."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, cast

from nbreg.display import LARGEST, Later, VersionTable
from nbreg.panels import offer
from nbreg.registry.offering import why_no_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbreg.panels import History
    from nbreg.registry import ModelVersion, Registry


def history(registry: Registry, args: argparse.Namespace) -> VersionTable:
    """The versions as a table that shows itself as a panel, unless it is asked for as a table."""
    found = table(registry, args)
    return found if args.table else cast("VersionTable", offer(found, lambda: _panel(registry, args)))


def _panel(registry: Registry, args: argparse.Namespace) -> History:
    from nbreg.panels import History

    def twin() -> dict[str, Any]:
        return table(registry, args)._repr_mimebundle_()

    return History(args.model, registry, query=args.query or "", twin=twin)


def table(registry: Registry, args: argparse.Namespace) -> VersionTable:
    """The versions; of very many no more are read than are shown, until somebody goes on to the others."""
    model = registry.model(args.model)
    total = model.versions + (model.deleted if args.deleted else 0)
    versions: Sequence[ModelVersion]
    if args.query or args.sort:
        versions = registry.versions(
            args.model, args.query, sort=args.sort, limit=args.limit, deleted=args.deleted
        )
    else:
        versions = _newest(registry, args, total if args.limit is None else min(total, args.limit))
    rows = [versions[index].row for index in range(min(len(versions), LARGEST))]
    why = "" if rows else why_no_version(registry, args.query, args.model)
    aliases = registry.aliases(args.model)
    return VersionTable(args.model, rows, aliases, items=versions, total=total, why_empty=why)


def _newest(registry: Registry, args: argparse.Namespace, length: int) -> Sequence[ModelVersion]:
    first = registry.versions(args.model, limit=_least(args.limit, LARGEST), deleted=args.deleted)
    if len(first) < LARGEST or length <= LARGEST:
        return first

    def rest() -> list[ModelVersion]:
        below = f"number < {first[-1].number}"  # what is registered meanwhile shifts nothing
        left = None if args.limit is None else args.limit - len(first)
        return registry.versions(args.model, below, limit=left, deleted=args.deleted)

    return Later(first, length, rest)


def _least(limit: int | None, most: int) -> int:
    return most if limit is None else min(limit, most)
