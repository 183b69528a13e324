"""One traitlets class fills the settings, for the kernel and later for the server.

c.Nbreg.registry = "models/.nbreg"        in ipython_config.py
%config Nbreg.naming = "number"           in a notebook
jupyter … --Nbreg.lock_seconds=30         on a command line
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Float, Int, List, TraitError, Unicode, default, validate
from traitlets.config import Configurable

from nbreg.settings import Settings

_DEFAULTS = Settings()


class Nbreg(Configurable):
    """Where the registry lives and what this process may decide about it.

    Stages, gates and policies are not here: they belong to the registry and change by event.
    """

    registry = Unicode(
        "",
        help="Location of the registry: a folder. Empty: $NBREG_REGISTRY, else the "
        "nearest .nbreg upward, else .nbreg in the project.",
    ).tag(config=True)
    naming = Enum(
        ("semantic", "number"),
        _DEFAULTS.naming,
        help="How versions are named: 'semantic' gives 1.0.0, 1.1.0 and so on, 'number' gives numbers only.",
    ).tag(config=True)
    lock_seconds = Float(
        _DEFAULTS.lock_seconds, min=0.0, help="Seconds a writer waits for another one before it gives up."
    ).tag(config=True)
    inline_bytes = Int(
        _DEFAULTS.inline_bytes,
        min=0,
        help="Parts of at least this many bytes are files of their own; smaller ones share one file.",
    ).tag(config=True)
    verify = Enum(
        ("once", "always"),
        _DEFAULTS.verify,
        help="Whether large buffers of numbers are verified once and then remembered by this user, "
        "or at every load.",
    ).tag(config=True)
    retention_days = Float(
        _DEFAULTS.retention_days,
        min=0.0,
        help="Days that the bytes of a deleted version are kept before purge may remove them.",
    ).tag(config=True)
    stamp = Enum(
        ("required", "best-effort", "off"),
        _DEFAULTS.stamp,
        help="Decisions of v.predict: 'required' withholds one that cannot be written down, 'best-effort' "
        "gives it and logs that, 'off' writes none.",
    ).tag(config=True)
    segment_bytes = Int(
        _DEFAULTS.segment_bytes,
        min=1,
        help="Bytes after which a process's file of decisions is sealed and another one begun.",
    ).tag(config=True)
    decision_days = Float(
        _DEFAULTS.decision_days, min=0.0, help="Days that decisions are kept before purge may remove them."
    ).tag(config=True)
    capture = Bool(
        _DEFAULTS.capture, help="Whether a version records how it was made; off registers the model alone."
    ).tag(config=True)
    infer_data = Bool(
        _DEFAULTS.infer_data,
        help="Whether a version records the data that the cells trained its model on where none is given: "
        "digests, a sketch of each column, and a probe of 64 rows.",
    ).tag(config=True)
    variable_bytes = Int(
        _DEFAULTS.variable_bytes, min=0, help="Bytes of the kernel's variables that a version records."
    ).tag(config=True)
    value_bytes = Int(
        _DEFAULTS.value_bytes, min=0, help="Bytes of one variable's value before only a summary is recorded."
    ).tag(config=True)
    implicit = Enum(
        ("draft", "version", "off"),
        _DEFAULTS.implicit,
        help="What becomes of a model that is trained and not registered: 'draft' keeps it for %drafts, "
        "'version' registers it as NOTEBOOK/VARIABLE, 'off' does nothing.",
    ).tag(config=True)
    draft_bytes = Int(
        _DEFAULTS.draft_bytes, min=0, help="Up to this size a draft keeps the model's weights."
    ).tag(config=True)
    drafts_bytes = Int(
        _DEFAULTS.drafts_bytes, min=0, help="Bytes that all drafts take up; the oldest go first."
    ).tag(config=True)
    drafts_kept = Int(_DEFAULTS.drafts_kept, min=1, help="How many drafts are kept.").tag(config=True)
    draft_days = Float(_DEFAULTS.draft_days, min=0.0, help="Days that a draft is kept.").tag(config=True)

    environments = Unicode(
        _DEFAULTS.environments,
        help="Folder of the environments that %load_model --isolate makes again. Empty: "
        "$NBREG_ENVIRONMENTS, else in the user's cache.",
    ).tag(config=True)
    environments_bytes = Int(
        _DEFAULTS.environments_bytes,
        min=0,
        help="Bytes that all of these environments take up; those that were not used for longest go first.",
    ).tag(config=True)

    prove = Bool(
        help="Whether what %register_model registers is loaded once in a clean process, in the background. "
        "NBREG_PROVE=0 in the environment is the default for those who never want it.",
    ).tag(config=True)

    @default("prove")
    def _prove_default(self) -> bool:
        return os.environ.get("NBREG_PROVE", "1") not in ("0", "off", "false", "no")

    variables_include = List(
        Unicode(),
        list(_DEFAULTS.variables_include),
        help="Patterns of the variables whose values a version records, such as 'n_*'. Of others it "
        "records that they were there and of what type, never a value or a summary.",
    ).tag(config=True)
    variables_exclude = List(
        Unicode(),
        list(_DEFAULTS.variables_exclude),
        help="Patterns of variables that are never recorded, though variables_include has them.",
    ).tag(config=True)

    @validate("registry")
    def _registry_is_no_file(self, proposal: dict[str, Any]) -> str:
        location = str(proposal["value"])
        if location and "://" not in location:
            path = Path(location).expanduser()
            if path.is_file():
                raise TraitError(f"Nbreg.registry must be a folder, and {path} is a file")
            location = str(path)
        return location

    @property
    def location(self) -> str | None:
        """What `Registry(location)` is given."""
        return self.registry or None

    def settings(self) -> Settings:
        """The same, as the plain record that the registry takes."""
        found: dict[str, Any] = {name: getattr(self, name) for name in Settings.__struct_fields__}
        for name in ("variables_include", "variables_exclude"):
            found[name] = tuple(found[name])
        return Settings(**found)
