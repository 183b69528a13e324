"""Records as people see them: pure functions and objects with an HTML, a text and a JSON form."""

from nbreg.display.cards import (
    DETAIL_MIME,
    VERSION_MIME,
    Note,
    VersionDetail,
    moved,
    told_move,
    version_bundle,
)
from nbreg.display.decisions import DecidedByView, DecisionsView
from nbreg.display.diffs import DIFF_MIME, DiffView
from nbreg.display.drafts import DraftTable
from nbreg.display.requests import GateTable, RequestTable, told_request
from nbreg.display.runs import RUN_MIME, RunTable, run_bundle
from nbreg.display.tables import (
    LARGEST,
    TABLE_MIME,
    DriftTable,
    EventTable,
    Later,
    ModelTable,
    VersionTable,
    label,
    told_gates,
)

__all__ = [
    "DETAIL_MIME",
    "DIFF_MIME",
    "LARGEST",
    "RUN_MIME",
    "TABLE_MIME",
    "VERSION_MIME",
    "DecidedByView",
    "DecisionsView",
    "DiffView",
    "DraftTable",
    "DriftTable",
    "EventTable",
    "GateTable",
    "Later",
    "ModelTable",
    "Note",
    "RequestTable",
    "RunTable",
    "VersionDetail",
    "VersionTable",
    "label",
    "moved",
    "run_bundle",
    "told_gates",
    "told_move",
    "told_request",
    "version_bundle",
]
