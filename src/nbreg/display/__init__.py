"""Records as people see them: pure functions and objects with an HTML, a text and a JSON form."""

from nbreg.display.cards import VERSION_MIME, Note, VersionDetail, moved, version_bundle
from nbreg.display.diffs import DIFF_MIME, DiffView
from nbreg.display.drafts import DraftTable
from nbreg.display.runs import RUN_MIME, RunTable, run_bundle
from nbreg.display.tables import TABLE_MIME, DriftTable, EventTable, ModelTable, VersionTable, label

__all__ = [
    "DIFF_MIME",
    "RUN_MIME",
    "TABLE_MIME",
    "VERSION_MIME",
    "DiffView",
    "DraftTable",
    "DriftTable",
    "EventTable",
    "ModelTable",
    "Note",
    "RunTable",
    "VersionDetail",
    "VersionTable",
    "label",
    "moved",
    "run_bundle",
    "version_bundle",
]
