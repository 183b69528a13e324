"""What changed between two versions, and the step of the version number that it implies.

The rules, the first that matches deciding: another architecture, or inputs that used to work and
no longer do, is major; other training data, preprocessing or optional inputs is minor;
hyperparameters or code alone is patch; nothing but the weights is minor; nothing that predicts is
patch. What was not recorded is said and never counted as equal. Everything here is pure.
"""

from nbreg.changes.findings import (
    FIRST,
    NOT_COMPARED,
    Aspect,
    Finding,
    Implied,
    Side,
    asked_for,
    not_compared,
    short_class,
    spelled,
)
from nbreg.changes.rules import aspects, implied

__all__ = [
    "FIRST",
    "NOT_COMPARED",
    "Aspect",
    "Finding",
    "Implied",
    "Side",
    "asked_for",
    "aspects",
    "implied",
    "not_compared",
    "short_class",
    "spelled",
]
