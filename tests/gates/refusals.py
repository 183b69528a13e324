"""What gates refuse, and what that leaves in the journal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbreg import Registry
from nbreg.errors import GateRefusedError
from nbreg.settings import Settings

QUICK = Settings(capture=False)


def lines(registry: Registry) -> int:
    return len(registry.events("churn"))


def refused(call: Callable[[], object]) -> list[str]:
    """The gates that a call was refused by."""
    with pytest.raises(GateRefusedError) as caught:
        call()
    return [each.gate for each in caught.value.gates if not each.passed]
