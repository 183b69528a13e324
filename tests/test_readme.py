"""The README's Python does what its comments say, line by line in a real kernel: it is what people try first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel, running_kernel

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.M | re.S)
GIVEN = """
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=0)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with running_kernel() as kernel:
        kernel.good(f"import os; os.chdir({str(tmp_path)!r})\n{GIVEN}")
        yield kernel


def test_twenty_seconds(kernel: Kernel) -> None:
    """Each line of the first block succeeds, and the numbers are those that it promises."""
    shown = {line: kernel.good(line).text for line in BLOCKS[0].splitlines() if line}

    registered = [text for line, text in shown.items() if line.startswith("%register_model")]
    told = re.search(
        r"%register_model.*# (\d\.\d\.\d), (patch: hyperparameters changed \(C 0\.5 → 0\.1\)), …", BLOCKS[0]
    )
    assert told
    assert registered[0].splitlines()[1].startswith("cancer 1.0.0 (#1) · ")
    assert registered[1].startswith(f"cancer {told[1]} (#2) · ")
    assert told[2] in registered[1]
    dry = next(text for line, text in shown.items() if line.startswith("%model_diff"))
    assert f"would be {told[1]}: " in dry
    back = next(text for line, text in shown.items() if line.startswith("%rollback"))
    assert back.startswith("cancer 1.0.0 (#1): archived → production")
    assert kernel.good("clf['logisticregression'].C").text == "0.5\n"


def test_the_same_in_a_script(kernel: Kernel) -> None:
    """The second block runs as it stands, with nothing loaded: a gate that nobody could pass would be no example."""
    kernel.good(GIVEN + "clf = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(Xtr, ytr)")
    kernel.good(BLOCKS[1])

    assert kernel.good("registry.get('cancer@production').ref").text == "'cancer@1.0.0'\n"
    assert kernel.good("training().__class__.__name__").text == "'Pipeline'\n"
    assert kernel.good("registry.get('A_cancer').ref").text == "'A_cancer@1.0.0'\n"
    assert len(BLOCKS) == 2
