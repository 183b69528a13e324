"""Tokenizers with the real library: the same numbers for the same text, alone and in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry
from nbreg.errors import TrustError
from nbreg.settings import Settings

tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed here")
TEXTS = ["a red car", "a blue car drives by", "two red boats"] * 4


def trained() -> Any:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=60, special_tokens=["[UNK]", "[PAD]"], show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.enable_padding(pad_id=1, pad_token="[PAD]", length=12)
    return tokenizer


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


def test_a_tokenizer_comes_back(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says the same of a text that it never saw, is the same version again, and a stranger is asked."""
    tokenizer = trained()
    version = registry.register("words", tokenizer)
    loaded = version.load()
    assert loaded.encode("A Red boat!").ids == tokenizer.encode("A Red boat!").ids
    assert registry.register("words", loaded).number == version.number
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError):
        version.load(trust=False)


def test_another_tokenizer_is_another_version(registry: Registry) -> None:
    """One rule more on its way is other numbers for the same text, whatever the vocabulary."""
    first, other = trained(), trained()
    other.no_padding()
    assert registry.register("words", first).number == 1
    assert registry.register("words", other).number == 2
    assert registry.load("words@2").encode("a red").ids != registry.load("words@1").encode("a red").ids


def test_it_leaves_as_its_own_json(registry: Registry, tmp_path: Path) -> None:
    """Every binding of the library reads it, with no nbreg in sight."""
    registry.register("words", 1, artifacts={"tokenizer": trained()})
    registry.pull("words@1", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("tokenizer.json")
    assert tokenizers.Tokenizer.from_file(str(path)).to_str() == trained().to_str()


def test_a_folder_as_libraries_save_it_comes_back(registry: Registry, tmp_path: Path) -> None:
    """Configuration, tokenizer and weights, as `save_pretrained` leaves them: every byte, and no word needed."""
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 8}))
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    trained().save(str(folder / "tokenizer.json"))
    version = registry.register("words", folder)
    loaded = version.load(trust=False)
    for path in folder.iterdir():
        assert (loaded / path.name).read_bytes() == path.read_bytes()
    assert (
        tokenizers.Tokenizer.from_file(str(loaded / "tokenizer.json")).encode("red").ids
        == trained().encode("red").ids
    )
    assert registry.register("words", loaded).number == version.number
