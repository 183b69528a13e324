"""Models and tokenizers of transformers, small ones made here without a network: equal outputs, the library's own form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry, families
from nbreg.errors import BadInputError, CannotLoadError, CannotStoreError, DamagedObjectError, TrustError
from nbreg.records import Artifact, Chunk
from nbreg.settings import Settings

torch = pytest.importorskip("torch", reason="PyTorch is not installed here", exc_type=ImportError)
transformers = pytest.importorskip("transformers", reason="transformers is not installed here")
tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed here")

WORDS = {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "red": 3, "blue": 4, "car": 5, "boat": 6}
TEXTS = ["red car", "blue boat", "a blue car red boat"]


def tokenizer() -> Any:
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", padding_side="left"
    )


def classifier(**more: Any) -> Any:
    config = transformers.BertConfig(
        vocab_size=16, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, num_labels=3, **more,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.BertForSequenceClassification(config).eval()


def outputs(model: Any, words: Any) -> Any:
    with torch.no_grad():
        return model(**words(TEXTS, padding=True, return_tensors="pt")).logits


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False, inline_bytes=4096))


def test_a_model_and_its_tokenizer_come_back(registry: Registry, capfd: pytest.CaptureFixture[str]) -> None:
    """The same logits for the same texts; and what came back is the same version again."""
    model, words = classifier(), tokenizer()
    expected = outputs(model, words)
    version = registry.register("bert", model, artifacts={"tokenizer": words})
    before = torch.random.get_rng_state()

    loaded, again = version.load(), registry.load("bert@1", "tokenizer")

    assert {name: each.family for name, each in version.artifacts.items()} == {
        "model": "transformers",
        "tokenizer": "transformers",
    }
    assert type(loaded) is type(model)
    assert torch.equal(outputs(loaded, again), expected)
    assert torch.equal(torch.random.get_rng_state(), before), "loading draws nothing"
    assert again(TEXTS, padding=True)["input_ids"] == words(TEXTS, padding=True)["input_ids"]
    assert loaded.name_or_path == again.name_or_path == "", "not a folder that is gone"
    assert registry.register("bert", loaded, artifacts={"tokenizer": again}).number == 1
    assert capfd.readouterr().err == "", "no progress bar of the library's"


def test_what_training_left_comes_back(registry: Registry) -> None:
    """What is frozen, whether it trains, the type of its numbers, and weights that are one."""
    model = classifier().to(torch.bfloat16).train()
    model.bert.embeddings.requires_grad_(False)
    loaded = registry.register("bert", model).load()

    assert loaded.training
    assert {each.dtype for each in loaded.parameters()} == {torch.bfloat16}
    frozen = [name for name, each in loaded.named_parameters() if not each.requires_grad]
    assert frozen == [name for name, each in model.named_parameters() if not each.requires_grad] != []
    config = transformers.GPT2Config(vocab_size=9, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    writer = registry.register("gpt", transformers.GPT2LMHeadModel(config).eval()).load()
    assert writer.lm_head.weight is writer.transformer.wte.weight
    assert {each.device.type for each in registry.load("gpt@1", device="meta").parameters()} == {"meta"}
    with pytest.raises(BadInputError, match="device"):
        registry.load("gpt@1", device="warp")


def test_it_leaves_as_the_folder_that_the_library_reads(registry: Registry, tmp_path: Path) -> None:
    """With no nbreg in sight, by the classes that find out themselves what a folder holds."""
    model, words = classifier(), tokenizer()
    registry.register("bert", model, artifacts={"tokenizer": words})
    registry.pull("bert@1", tmp_path / "out")

    folder = tmp_path / "out" / "artifacts"
    assert sorted(each.name for each in (folder / "model").iterdir()) == ["config.json", "model.safetensors"]
    found = transformers.AutoModelForSequenceClassification.from_pretrained(folder / "model")
    assert torch.equal(
        outputs(found, transformers.AutoTokenizer.from_pretrained(folder / "tokenizer")),
        outputs(model, words),
    )


def test_a_folder_for_the_hub_is_one_that_the_hub_reads(registry: Registry, tmp_path: Path) -> None:
    """Model and tokenizer at its top, as everybody's are, and the card beside them."""
    model, words = classifier(), tokenizer()
    registry.register("bert", model, artifacts={"tokenizer": words, "labels": ["no", "yes", "perhaps"]})
    folder = registry.export("bert@1", tmp_path / "hub", "huggingface")

    found = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    assert torch.equal(
        outputs(found, transformers.AutoTokenizer.from_pretrained(folder)), outputs(model, words)
    )
    assert 'library_name: "transformers"' in (folder / "README.md").read_text()
    assert [each.name for each in (folder / "artifacts").iterdir()] == ["labels.pkl"]


def test_weights_are_written_once(tmp_path: Path) -> None:
    """A model of half the disk can be registered: no file holds all of it, in no folder, at no moment."""
    code = """
import resource, sys, transformers
from nbreg import Registry
from nbreg.settings import Settings
registry = Registry(sys.argv[1], settings=Settings(capture=False, inline_bytes=4096))
model = transformers.BertModel(transformers.BertConfig(
    vocab_size=64, hidden_size=64, num_hidden_layers=12, num_attention_heads=2, intermediate_size=128))
size = sum(each.numel() * each.element_size() for each in model.parameters())
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, resource.RLIM_INFINITY))
version = registry.register("bert", model)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print(version.artifacts["model"].family, version.artifacts["model"].size > size)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "r")], capture_output=True, text=True, check=False
    )
    assert done.stdout == "transformers True\n", done.stderr


def test_weights_in_memory_that_others_share_are_left_to_the_library(registry: Registry) -> None:
    """What it has to say of them, such as that it cannot, it says; and nothing is stored as two that was one."""
    model = classifier()
    first, second = model.bert.encoder.layer
    first.output.dense.bias.data = second.output.dense.bias.data

    with pytest.raises(CannotStoreError, match="cannot save"):
        registry.register("bert", model)


def test_storing_leaves_a_model_and_its_library_as_they_were(registry: Registry) -> None:
    """The library notes in a configuration what it saves; whoever looks at it next finds their own."""
    model = classifier()
    model.config.dtype = None
    before, write = dict(vars(model.config)), transformers.modeling_utils.safe_save_file

    registry.register("bert", model)

    assert dict(vars(model.config)) == before
    assert list(vars(model.config)) == list(before)
    assert transformers.modeling_utils.safe_save_file is write


def test_another_head_stores_another_head(registry: Registry) -> None:
    """Equal weights are stored once: what was trained on is a few tensors, and the file is cut between them."""
    model = classifier()
    first = registry.register("bert", model)
    with torch.no_grad():
        model.classifier.bias += 1
    second = registry.register("bert", model)

    assert second.number == 2
    held = [{chunk.digest for chunk in each.artifacts["model"].chunks} for each in (first, second)]
    assert len(held[1] - held[0]) == 1


@pytest.mark.parametrize("change", ["head", "hook", "mixed", "untied"])
def test_what_the_folder_would_not_hold_is_stored_as_a_module(registry: Registry, change: str) -> None:
    """`save_pretrained` would leave it out in silence, and random numbers would stand in its place."""
    model = classifier()
    if change == "head":
        model.classifier = torch.nn.Sequential(torch.nn.Linear(16, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    elif change == "hook":
        model.register_forward_hook(doubled)
    elif change == "mixed":
        model.bert.double()
        model.classifier.double()
        model.bert.pooler.dense.bias.data = model.bert.pooler.dense.bias.data.to(torch.float32)
    else:
        model.bert.encoder.layer[1] = model.bert.encoder.layer[0]
    version = registry.register("bert", model)

    assert version.artifacts["model"].family == "torch"
    if change != "mixed":
        assert torch.equal(outputs(version.load(), tokenizer()), outputs(model, tokenizer()))


def doubled(module: Any, given: Any, found: Any) -> Any:
    found.logits = found.logits * 2
    return found


def test_a_tokenizer_that_its_folder_does_not_hold_is_stored_whole(registry: Registry) -> None:
    """A side that was set afterwards is no part of what the library writes."""
    words = tokenizer()
    words.padding_side = "right"
    words.truncation_side = "left"
    loaded = registry.register("words", words).load()
    assert (loaded.padding_side, loaded.truncation_side) == ("right", "left")
    assert loaded(TEXTS, padding=True)["input_ids"] == words(TEXTS, padding=True)["input_ids"]


def test_a_stranger_is_asked(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration may name code for the library to fetch."""
    version = registry.register("bert", classifier())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError) as caught:
        version.load(trust=False)
    assert caught.value.untrusted == (
        "transformers.models.bert.modeling_bert.BertForSequenceClassification.from_pretrained",
    )


def test_files_that_lie_are_damage() -> None:
    """No file leaves its folder, and no weight is left to chance."""
    dumped = families.dump("model", classifier())
    data = {chunk.digest: bytes(part) for chunk, part in dumped.parts}

    def read(chunk: Chunk, *, private: bool = False) -> bytearray:
        return bytearray(data[chunk.digest])

    def opened(**fields: Any) -> Any:
        told = json.loads(json.dumps({"facts": dumped.artifact.facts}))["facts"]
        told |= fields.pop("facts", {})
        artifact = Artifact(
            name="model", kind="object", family="transformers", form="pretrained", facts=told,
            type=fields.get("type", dumped.artifact.type), chunks=dumped.artifact.chunks,
        )  # fmt: skip
        return families.open_artifact(artifact, read)

    members = dumped.artifact.facts["members"]
    for lie in (
        None, [], [["config.json", 1]], [["../config.json", 1], *members[1:]], [["config.json", -1], *members[1:]],
        [*members, ["more.json", 1]], [members[0], *members], [["config.json", "1"]], [["a/../config.json", 1], *members[1:]],
    ):  # fmt: skip
        with pytest.raises(DamagedObjectError):
            opened(facts={"members": lie})
    for kind in (
        "os.system",
        "transformers.models.bert.modeling_bert.os",
        "transformers.Nobody",
        "builtins.object",
    ):
        with pytest.raises(CannotLoadError, match="has no"):
            opened(type=kind).load()
    config = dumped.artifact.chunks[0].digest
    data[config] = data[config].replace(b'"intermediate_size": 32', b'"intermediate_size": 64')
    with pytest.raises(CannotLoadError):
        opened().load()


def test_transformers_is_not_imported_for_others(tmp_path: Path) -> None:
    """It takes half a minute where the disk is slow."""
    code = f"""
import sys, nbreg
registry = nbreg.Registry({str(tmp_path / "r")!r})
registry.register("churn", {{"a": 1}})
registry.load("churn")
assert "transformers" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
