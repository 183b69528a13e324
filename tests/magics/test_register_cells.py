"""`%%register_model`: everything that can be known is checked before the cell runs, and nothing that it trained is lost."""

from __future__ import annotations

import pytest
from asking import registry_of, value
from kernels import SECONDS, Kernel

from nbreg.display import VERSION_MIME


def test_the_cell_form_registers_what_the_cell_trains(trained: Kernel) -> None:
    """Training and registering are one cell; its variables stay."""
    ran = trained.good(
        "%%register_model churn --metrics score\nprint('training')\nnew = Mean(5.0).fit([1])\nscore = 0.75"
    )

    assert ran.stdout == "training\n"
    assert ran.bundles[-1][VERSION_MIME]["metrics"] == {"score": 0.75}
    assert value(trained, registry_of("load('churn').scale")) == "5.0"
    assert value(trained, "new.scale") == "5.0"


@pytest.mark.parametrize(
    "flags",
    [
        "churn --verison 2",
        "churn --metrics a=[x]",
        "churn --metrics a=1e999",
        "churn clf[0]",
        "churn --params 0bad",
        "churn --data a-b",
        "churn --artifacts s=t.json",
        "churn --artifacts ./a/t.json,./b/t.json",
        "ch/u/r/n",
        "churn --stage heaven",
        "churn --from churn@3",
        "churn {x}",
    ],
)
def test_wrong_flags_are_found_before_the_body_runs(kernel: Kernel, flags: str) -> None:
    """Nobody learns of a typing error after hours of training."""
    kernel.refused(f"%%register_model {flags}\nran = True\nclf = Mean().fit([1])")

    assert value(kernel, "'ran' in globals()") == "False"


def test_a_taken_name_is_found_before_the_body_runs(trained: Kernel) -> None:
    """The name that somebody else took is refused before the training, not after."""
    trained.good("%register_model churn clf --version 1.0.0")

    trained.refused("%%register_model churn --version 1.0.0\nran = True\nclf = Mean(2).fit([1])")

    assert value(trained, "'ran' in globals()") == "False"


def test_a_body_that_raises_registers_nothing(trained: Kernel) -> None:
    """The traceback is the user's own, shown once; the cell has failed."""
    ran = trained.run("%%register_model churn\nclf2 = Mean().fit([1])\n1 / 0")

    assert ran.status == "error"
    assert ran.errors == ["ZeroDivisionError"]
    assert "UsageError: the cell ended with ZeroDivisionError, so nothing was registered" in ran.stderr
    assert value(trained, registry_of("models()")) == "[]"
    assert value(trained, "clf2.mean") == "1.0"


def test_a_body_with_a_syntax_error_registers_nothing(trained: Kernel) -> None:
    """As with any other cell."""
    ran = trained.run("%%register_model churn\nclf2 = = 1")

    assert ran.status == "error"
    assert ran.errors == ["SyntaxError"]
    assert value(trained, registry_of("models()")) == "[]"


def test_an_interrupted_body_registers_nothing(trained: Kernel) -> None:
    """Stopping a training is not an accident that leaves half a version."""
    message = trained.begin(
        "%%register_model churn\nimport time\nhalf = Mean().fit([1])\nprint('begun', flush=True)\ntime.sleep(50)"
    )
    while True:
        got = trained.client.get_iopub_msg(timeout=SECONDS)
        if got["msg_type"] == "stream" and "begun" in got["content"]["text"]:
            break
    trained.manager.interrupt_kernel()
    ran = trained.finish(message)

    assert ran.status == "error"
    assert ran.errors == ["KeyboardInterrupt"]
    assert "so nothing was registered" in ran.stderr
    assert value(trained, registry_of("models()")) == "[]"
    assert value(trained, "half.mean") == "1.0"


def test_if_registering_fails_the_model_stays_and_the_line_to_retry_is_there(kernel: Kernel) -> None:
    """A night of training is not lost to a metric that is missing."""
    line = kernel.refused("%%register_model churn --metrics nope --tags 'two words'\nnet = Mean(4).fit([1])")

    assert "there is no variable 'nope'" in line
    assert "then: %register_model churn net --metrics nope --tags 'two words'" in line
    assert value(kernel, "net.scale") == "4"
    kernel.good("nope = 1.0")
    kernel.good("%register_model churn net --metrics nope --tags 'two words'")


def test_the_line_to_retry_means_the_same_model_wherever_its_name_stands(kernel: Kernel) -> None:
    """A tag may be the same word as the model."""
    line = kernel.refused("%%register_model --tags churn churn --metrics nope\nnet = Mean().fit([1])")

    assert "then: %register_model --tags churn churn --metrics nope net" in line


def test_what_a_failing_cell_made_can_be_registered_with_the_line_it_prints(trained: Kernel) -> None:
    """The plot after the training failed, and the training took the night."""
    ran = trained.run("%%register_model churn\nnet = Mean(4).fit([1])\n1 / 0")
    [_, _, line] = ran.stderr.rstrip(")\n").rpartition("to register what it made: ")

    assert line == "%register_model churn net"
    assert trained.good(line).ok


def test_a_failing_cell_does_not_offer_the_model_from_before(trained: Kernel) -> None:
    """What it was about to replace is not what it made."""
    ran = trained.run("%%register_model churn\n1 / 0\nclf = Mean(4).fit([1])")

    assert ran.stderr.endswith("so nothing was registered\n")


def test_a_cell_that_trains_nothing_is_refused(trained: Kernel) -> None:
    """A model from another cell is not registered in the place of one that was not made."""
    line = trained.refused("%%register_model churn\nx = 1")

    assert line.startswith(
        "the cell trained no model; there is clf (name it, for example: %register_model churn clf"
    )


def test_await_in_the_body_is_refused_before_it_runs(kernel: Kernel) -> None:
    """What cannot be run from inside a running event loop is said at once."""
    line = kernel.refused("%%register_model churn\nimport asyncio\nran = True\nawait asyncio.sleep(0)")

    assert "a cell with `await` cannot be run by %%register_model" in line
    assert value(kernel, "'ran' in globals()") == "False"


def test_an_empty_cell_is_refused(trained: Kernel) -> None:
    """Two percent signs by mistake."""
    assert "there is no cell to run" in trained.refused("%%register_model churn\n  \n\n")
