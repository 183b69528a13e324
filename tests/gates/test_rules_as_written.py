"""A gate reads as it is written; what is no gate is refused when it is required, and not on the day of the promotion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from refusals import lines

from nbreg import Registry, rules
from nbreg.errors import (
    BadInputError,
    BadQueryError,
    NbregError,
    UnknownGateError,
    UnknownModelError,
    UnknownStageError,
)
from nbreg.records import FunctionRule
from nbreg.registry.ground.listing import FIELDS


@pytest.mark.parametrize(
    "text",
    [
        "metrics.auc > 0.9 and 'reviewed' in tags", "proof", "metrics.auc", "proven", "approved(2)",
        'not_worse("auc")', 'not_worse("loss", tolerance=0.0123456789, better="lower")', 'recipe("complete")',
        "same_signature", "no_warnings", 'tagged("a", "it\'s")', "message_required", "reason_required",
        "no_regression", "ourteam.gates:no_regression",
    ],
)  # fmt: skip
def test_a_rule_reads_as_it_is_written(text: str) -> None:
    """The same words in Python, on the command line and in a list."""
    rule = rules.parse(text, FIELDS)
    assert rules.spelled(rule) == text
    assert rules.parse(rules.spelled(rule), FIELDS) == rule
    assert type(rule) is not FunctionRule or text.endswith("no_regression")


@pytest.mark.parametrize(
    ("gate", "error", "said"),
    [
        ("", BadInputError, "a gate of 0 characters"),
        (7, BadInputError, "a gate is text or a function, not int"),
        ("approved(0)", BadInputError, "from 1 to 100"),
        ("approved(True)", BadInputError, "from 1 to 100"),
        pytest.param(f"approved(0x{'f' * 3900})", BadInputError, "approved is not asked so", id="endless"),
        pytest.param(f"not_worse('a', tolerance=0x{'f' * 3900})", BadInputError, "not asked so", id="so far"),
        ("approved(n)", BadInputError, "no text or number"),
        ("not_worse()", BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", 0.1)', BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", **{"a": 1})', BadInputError, "not_worse is not asked so"),
        ('not_worse("auc", tolerance=-1)', BadInputError, "from 0 on"),
        ('not_worse("auc", tolerance=1e999)', BadInputError, "from 0 on"),
        ('not_worse("auc", better="up")', BadInputError, "'higher' or 'lower'"),
        ("not_worse(1)", BadInputError, "no|not the name of a metric"),
        ('recipe("incomplete")', BadInputError, "a recipe is not"),
        ("tagged()", BadInputError, "tagged is not asked so"),
        ("provn()", BadInputError, "no gate is called 'provn'"),
        ("provn", UnknownGateError, "no gate 'provn' is known here"),
        ("metrics.auc >", BadQueryError, "cannot be read"),
        ("metric.auc > 1", BadQueryError, "no field 'metric'"),
        ("1 < 2", BadInputError, "asks nothing of a version"),
        ("x" * 5000, BadInputError, "5000 characters"),
        (lambda new, old, ctx: True, BadInputError, "was not declared as a gate"),
    ],
)
def test_what_is_no_gate_is_refused_when_it_is_required(
    quick: Registry, gate: Any, error: type[NbregError], said: str
) -> None:
    """Not on the day of the promotion."""
    before = lines(quick)
    with pytest.raises(error, match=said):
        quick.require("churn", "production", "proven", gate)
    assert (lines(quick), quick.gates("churn")) == (before, [])


def test_a_gate_nearly_written_is_told_what_it_is_called(quick: Registry) -> None:
    """`provn` is a typing error, and no function."""
    with pytest.raises(UnknownGateError) as caught:
        quick.require("churn", "production", "provn")
    assert caught.value.hint == "did you mean 'proven'?"
    for stage in ("prodution", "none", "archived"):
        with pytest.raises(UnknownStageError):
            quick.require("churn", stage, "proven")
    with pytest.raises(UnknownModelError):
        quick.require("chrun", "production", "proven")
    with pytest.raises(BadInputError, match="no gate is given"):
        quick.require("churn", "production")


def test_the_page_names_every_rule() -> None:
    """Whoever looks for a gate finds all there are, spelled as they are read."""
    page = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    table = page.split("|---|---|\n")[1].split("\n\n")[0]
    found = re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    read = [rules.parse(text, FIELDS) for text in found]
    assert {rules.spelled(rule).partition("(")[0] for rule in read} >= set(rules.NAMES)
    assert sum(isinstance(rule, FunctionRule) for rule in read) == 2
