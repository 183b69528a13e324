"""The verbs that change something: each is one call of the registry, which decides and refuses."""

from __future__ import annotations

from nbreg.records import About, Deployment, Link, RunRecord, SplitRow
from nbreg.server import asked
from nbreg.server.looking import item
from nbreg.server.replies import AliasChanged, VersionItem
from nbreg.server.visit import Visit


def promote(visit: Visit, wish: asked.Promote) -> VersionItem:
    """Move a version to a higher stage."""
    moved = visit.registry.promote(
        wish.ref,
        wish.to,
        reason=wish.reason,
        message=wish.message,
        force=wish.force,
        expect=wish.expect,
    )
    return item(moved)


def retire(visit: Visit, wish: asked.Retire) -> VersionItem:
    """Move a version out of use, or to a lower stage."""
    moved = visit.registry.retire(
        wish.ref,
        wish.to,
        reason=wish.reason,
        message=wish.message,
        force=wish.force,
        expect=wish.expect,
    )
    return item(moved)


def rollback(visit: Visit, wish: asked.Rollback) -> VersionItem:
    """Give a stage back to the version that held it before."""
    back = visit.registry.rollback(
        wish.model, wish.stage, to=wish.to, reason=wish.reason, message=wish.message, expect=wish.expect
    )
    return item(back)


def update(visit: Visit, wish: asked.Update) -> VersionItem:
    """Change what may change of a version."""
    changed = visit.registry.update(
        wish.ref,
        description=wish.description,
        tags=wish.tags,
        content=wish.content,
        metrics=wish.metrics,
        reason=wish.reason,
        message=wish.message,
    )
    return item(changed)


def set_alias(visit: Visit, wish: asked.SetAlias) -> VersionItem:
    """Point an alias at a version."""
    return item(
        visit.registry.set_alias(
            wish.ref, wish.alias, reason=wish.reason, message=wish.message, force=wish.force
        )
    )


def drop_alias(visit: Visit, wish: asked.DropAlias) -> AliasChanged:
    """Take an alias away."""
    visit.registry.drop_alias(
        wish.model, wish.alias, reason=wish.reason, message=wish.message, force=wish.force
    )
    return AliasChanged(model=wish.model, alias=wish.alias)


def copy(visit: Visit, wish: asked.Copy) -> VersionItem:
    """Make the same version again, in this model or another."""
    made = visit.registry.copy(
        wish.ref,
        wish.to,
        version=wish.version,
        description=wish.description,
        tags=wish.tags,
        content=wish.content,
        force=wish.force,
        reason=wish.reason,
        message=wish.message,
    )
    return item(made)


def transfer(visit: Visit, wish: asked.Transfer) -> VersionItem:
    """Move a version to another model."""
    moved = visit.registry.transfer(
        wish.ref, wish.to, version=wish.version, reason=wish.reason, message=wish.message
    )
    return item(moved)


def delete(visit: Visit, wish: asked.Delete) -> VersionItem:
    """Hide a version, restorably."""
    hidden = visit.registry.delete(
        wish.ref, wish.reason, message=wish.message, include_protected=wish.include_protected
    )
    return item(hidden)


def restore(visit: Visit, wish: asked.Restore) -> VersionItem:
    """Bring a deleted version back."""
    return item(visit.registry.restore(wish.ref, reason=wish.reason, message=wish.message))


def delete_run(visit: Visit, wish: asked.OnRun) -> RunRecord:
    """Hide a run, restorably."""
    return visit.registry.delete_run(wish.run, wish.reason).record


def restore_run(visit: Visit, wish: asked.OnRun) -> RunRecord:
    """Bring a deleted run back."""
    return visit.registry.restore_run(wish.run).record


# what belongs to a version or a model


def link(visit: Visit, wish: asked.LinkTo) -> list[Link]:
    """Tie something outside to a version: a ticket, a report, a business case."""
    version = visit.registry.get(wish.ref)
    return version.link(
        wish.target, wish.kind, title=wish.title, reason=wish.reason, message=wish.message
    ).links


def unlink(visit: Visit, wish: asked.Unlink) -> list[Link]:
    """Take a link away; the journal still tells of it."""
    version = visit.registry.get(wish.ref)
    return version.unlink(wish.target, reason=wish.reason, message=wish.message).links


def deploy(visit: Visit, wish: asked.DeployAt) -> Deployment:
    """Record that a version is at work somewhere; nbreg itself deploys nothing."""
    return visit.registry.deploy(
        wish.ref,
        wish.where,
        url=wish.url,
        status=wish.status,
        alongside=wish.alongside,
        reason=wish.reason,
        message=wish.message,
    )


def undeploy(visit: Visit, wish: asked.Undeploy) -> Deployment:
    """Record that a version is at work somewhere no longer."""
    return visit.registry.undeploy(wish.ref, wish.where, reason=wish.reason, message=wish.message)


def set_split(visit: Visit, wish: asked.SetSplit) -> SplitRow | None:
    """Record how a model's traffic is shared out, for every process that routes by it."""
    return visit.registry.set_split(wish.model, wish.weights, reason=wish.reason, message=wish.message)


def update_model(visit: Visit, wish: asked.UpdateModel) -> About:
    """Say whose a model is, who may do what, and what it is."""
    return visit.registry.update_model(
        wish.model,
        owners=wish.owners,
        editors=wish.editors,
        readers=wish.readers,
        visibility=wish.visibility,
        description=wish.description,
        readme=wish.readme,
        force=wish.force,
        reason=wish.reason,
        message=wish.message,
    )
