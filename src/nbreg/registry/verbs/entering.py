"""The verbs that make versions, and those that say beforehand what would be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbreg.errors import BadInputError
from nbreg.names import Bump
from nbreg.records import Diff, RunLink
from nbreg.registry.belonging.datasets import Dataset
from nbreg.registry.making import drafting
from nbreg.registry.making.drafting import Draft
from nbreg.registry.stages import moving
from nbreg.registry.verbs.base import Reference, Verbs
from nbreg.registry.verbs.run import Run
from nbreg.registry.version import ModelVersion

if TYPE_CHECKING:
    from nbreg.registry.making.previewing import Preview


class EnterVerbs(Verbs):
    """What a registry takes in."""

    def register(
        self,
        model_name: str,
        model: object = None,
        *,
        version: str | None = None,
        bump: Bump | None = None,
        stage: str | None = None,
        description: str = "",
        tags: Iterable[str] = (),
        metrics: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        artifacts: Mapping[str, object] | Sequence[str] | None = None,
        data: Mapping[str, object] | Dataset | Sequence[Dataset] | None = None,
        run: Run | RunLink | str | None = None,
        parent: Reference | None = None,
        substitutions: Mapping[str, str] | None = None,
        base: Reference | None = None,
        new: bool = False,
        force: bool = False,
        reason: str = "",
        message: str = "",
        allow_secrets: bool = False,
        git_tag: bool | str = False,
        allow_dirty: bool = False,
    ) -> ModelVersion:
        """Make an immutable version out of a live object and all that was captured with it.

        Any Python object will do; a `pathlib.Path` is stored as the file or folder it names,
        a `Draft` as it was trained, a string as data, but for `runs:/ID/NAME`: that is what a run
        logged, and `artifacts` may then be names of what it logged; nothing of it is loaded. Equal
        content (artifacts by
        value, params, metrics, content, data, parent) returns the version that is there already,
        whose `existing` is then true; `new` makes another one. A taken `version` is an error;
        `force` takes the name over from its holder, which keeps number and bytes, and needs a
        `reason`. `metrics` are finite numbers, numpy's included. With a `stage` that has gates, it
        is registered first, and then promoted as `promote` does: if it does not pass, it is there
        without that stage, and the error says so.
        `git_tag` makes an annotated tag of the
        commit, `MODEL-vNAME` or as it says; it is refused beforehand where tracked files are changed
        (unless `allow_dirty`) or the tag is there. A tag that git refuses afterwards is told on the
        version, which stays.

        Raises `BadInputError`, `NameTakenError`, `CannotStoreError`, `SecretFoundError`,
        `StoreError`; then nothing is changed.
        """
        from nbreg.registry.making import logged, registering, tagging
        from nbreg.registry.making.request import Request, linked, objects

        request = Request.checked(
            self._desk,
            model_name,
            version=version,
            bump=bump,
            stage=stage,
            description=description,
            tags=tags,
            metrics=metrics,
            params=params,
            content=content,
            parent=None if parent is None else self._text(parent),
            base=None if base is None else self._text(base),
            substitutions=substitutions,
            run=run,
            new=new,
            force=force,
            reason=reason,
            message=message,
            allow_secrets=allow_secrets,
        )
        tag = tagging.asked(self._desk, git_tag, request.model, request.version, allow_dirty=allow_dirty)
        if isinstance(model, Draft):
            if artifacts or data:
                raise BadInputError("a draft is registered as it was kept", hint="without artifacts and data")
            entry = drafting.register(self._desk, request, model)
            model.remove()
        elif logged.is_source(model, artifacts):
            entry = logged.register(self._desk, *logged.source(self._desk, request, model, artifacts, data))
        else:
            named = request.with_datasets(data)
            entry = registering.register(self._desk, named, objects(model, artifacts), linked(data))
        made = self._version(tagging.tag(self._desk, entry, tag) if tag else entry)
        drafting.settle(self._desk, made)
        if entry.waits_for:
            wish = self._wish(reason=request.reason, message=request.message)
            moving.promote_registered(self._desk, entry, wish)
        return made

    def drafts(self) -> list[Draft]:
        """Models that notebooks of this project trained and nobody registered, newest first.

        Each is what `register` takes in place of a model: the version then has the bytes,
        parameters, environment and recipe that the draft was kept with.
        """
        return drafting.drafts(self._desk)

    def draft(self, number: int) -> Draft:
        """The draft of that number. Raises `UnknownDraftError`."""
        return drafting.draft(self._desk, number)

    def check(self, model_name: str, **options: Any) -> None:
        """Find out all that `register` would refuse before there is a model: names, stage, lock, space.

        Takes `register`'s options; of `artifacts` and `data` nothing can be known yet. Raises
        what `register` would.
        """
        from nbreg.registry.making import registering, tagging
        from nbreg.registry.making.request import Request

        later = ("artifacts", "data", "git_tag", "allow_dirty")
        known = {name: value for name, value in options.items() if name not in later}
        request = Request.checked(self._desk, model_name, **self._texts(known))
        registering.check(self._desk, request)
        asked = options.get("git_tag", False), bool(options.get("allow_dirty"))
        tagging.asked(self._desk, asked[0], request.model, request.version, allow_dirty=asked[1])

    def preview(self, model_name: str, model: object = None, **options: Any) -> Preview:
        """What `register` would write, with all that it would capture; nothing is written.

        It is the manifest, and shows itself: artifacts with their sizes, data, cells, and each
        variable with its value, or why that is withheld.
        """
        from nbreg.registry.making import logged, registering
        from nbreg.registry.making.request import Request, linked, objects

        artifacts, data = options.pop("artifacts", None), options.pop("data", None)
        request = Request.checked(self._desk, model_name, **self._texts(options))
        if logged.is_source(model, artifacts):
            return logged.preview(self._desk, *logged.source(self._desk, request, model, artifacts, data))
        named = request.with_datasets(data)
        return registering.preview(self._desk, named, objects(model, artifacts), linked(data))

    def diff(self, a: object, b: Reference | None = None, **options: Any) -> Diff:
        """What differs from `b` to `a`: two versions, or a live object against a version.

        Text and a `ModelVersion` are references; anything else is a live object, looked at as
        `register` would (with its options), and nothing is written: the result tells the name
        it would get, and why. Without `b` it is the model's production, else its latest.
        `everything` lists what is the same, too; `called` names a live object in the result.

        Raises `BadReferenceError`, `UnknownVersionError`, or what `register` would.
        """
        from nbreg.registry import diffing

        return diffing.diff(self._desk, self._text, a, b, **self._texts(options))
