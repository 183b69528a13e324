"""`%promote`, `%rollback`, `%retire` say what they moved."""

from __future__ import annotations

from pathlib import Path

from asking import registry_of, value
from kernels import Kernel


def test_promote_echoes_what_it_moved(trained: Kernel) -> None:
    """The resolved version and the one it displaced stand in the output."""
    trained.good("%register_model churn clf")
    first = trained.good("%promote churn@latest production --reason First")
    trained.good("clf2 = Mean(2).fit([1])\n%register_model churn clf2")

    second = trained.good("%promote churn@2 production --reason Better --message 'lift 3 %'")

    assert first.text == "churn 1.0.0 (#1): none → production\n"
    assert second.text == "churn 1.0.1 (#2): none → production · 1.0.0 (#1): production → archived\n"
    event = registry_of("events('churn')[0]")
    assert value(trained, f"{event}.reason, {event}.message") == "Better lift 3 %"


def test_promote_without_a_stage_goes_one_up(trained: Kernel) -> None:
    """Step by step, never past production."""
    trained.good("%register_model churn clf")

    steps = [trained.good("%promote churn@1 --reason Test").text.strip() for _ in range(4)]

    assert [step.rpartition(" ")[2] for step in steps] == [
        "development",
        "candidate",
        "staging",
        "production",
    ]
    assert "highest stage" in trained.refused("%promote churn@1")


def test_promoting_to_where_it_is_says_so(trained: Kernel) -> None:
    """Running a notebook again is harmless."""
    trained.good("%register_model churn clf --stage staging")

    assert trained.good("%promote churn@1 staging").text == (
        "churn 1.0.0 (#1) was in staging already; nothing was written\n"
    )


def test_rollback_gives_the_stage_back(trained: Kernel) -> None:
    """A bad promotion is undone in a second."""
    trained.good("%register_model churn clf\n%promote churn@1 production")
    trained.good("clf2 = Mean(2).fit([1])\n%register_model churn clf2\n%promote churn@2 production")

    ran = trained.good("%rollback churn --reason Complaints")

    assert ran.text == "churn 1.0.0 (#1): archived → production · 1.0.1 (#2): production → archived\n"
    said = trained.refused("%rollback churn")
    assert "is left to go back to in production" in said
    assert "%promote churn@1.0.1 production goes forward again" in said


def test_retire_takes_out_of_use(trained: Kernel) -> None:
    """The verb for the end of a version's life."""
    trained.good("%register_model churn clf --stage staging")

    assert trained.good("%retire churn@1 --reason Old").text == "churn 1.0.0 (#1): staging → archived\n"


def test_a_bare_name_is_written_to_only_if_this_kernel_registered_it(trained: Kernel, tmp_path: Path) -> None:
    """`%promote churn` means what was just made here, never what a colleague added meanwhile."""
    trained.good("%register_model churn clf")
    assert trained.good("%promote churn staging").text == "churn 1.0.0 (#1): none → staging\n"

    from nbreg import Registry

    Registry(tmp_path / "work" / "registry").register("churn", {"a": 1})

    assert "does not say which version" in trained.refused("%promote churn production")
    assert "churn 2.0.0 (#2)" in trained.good("%model churn").text, "a dictionary is another architecture"
