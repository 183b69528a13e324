"""A tokenizer of transformers where no model of it is: its library loads neither them nor torch then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="transformers is not installed here")
pytest.importorskip("tokenizers", reason="tokenizers is not installed here")

ALONE = """
import sys
import tokenizers
from transformers import PreTrainedTokenizerFast
from nbreg import Registry

plain = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "red": 1}, unk_token="[UNK]"))
words = PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="[UNK]")
assert "transformers.modeling_utils" not in sys.modules
version = Registry(sys.argv[1]).register("words", words)
print(version.load()("red")["input_ids"])
"""


def test_a_tokenizer_alone_is_stored(tmp_path: Path) -> None:
    """Who prepares texts in one job and trains in another has no model's module in the first."""
    command = [sys.executable, "-c", ALONE, str(tmp_path / "r")]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "[1]\n"
