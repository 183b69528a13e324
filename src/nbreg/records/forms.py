"""What a kernel answers to a form in the notebook's front end; nothing of it is stored."""

from __future__ import annotations

from nbreg.records.base import Record


class HeldModel(Record, frozen=True, kw_only=True):
    """A variable of a kernel that holds a model."""

    variable: str
    type: str
    """Its class, as `module.qualname`."""
    fitted: bool
    last: bool = False
    """Whether it is the one that was trained last."""
    ref: str = ""
    """The version that has the same content, by number; empty where there is none."""
    name: str = ""
    """That version as people call it."""
    unknown: str = ""
    """Why it was not found out whether it is registered."""


class Holding(Record, frozen=True, kw_only=True):
    """What a kernel has to register, and what its registry has already."""

    loaded: bool
    """Whether nbreg is loaded there; else only the variables are told."""
    registry: str = ""
    models: list[HeldModel] = []
    known: list[str] = []
    """The names of the models that there are."""
    stages: list[str] = []
    numbers: list[str] = []
    """Variables that may be metrics, likely ones first."""
    refusal: str = ""
    """Why the registry cannot be read, and what next."""


class ShownTable(Record, frozen=True, kw_only=True):
    """A table as text."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    more: str = ""


class Foretold(Record, frozen=True, kw_only=True):
    """What a line would register, or why it would be refused."""

    facts: list[list[str]] = []
    """Names and what is said of them."""
    tables: list[ShownTable] = []
    gaps: list[str] = []
    refusal: str = ""
