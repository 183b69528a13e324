"""PyTorch modules with the real library: equal outputs, on whatever device, and weights that are stored once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbreg import ModelVersion, Registry, families
from nbreg.errors import BadInputError, DamagedObjectError, TrustError
from nbreg.settings import Settings

torch = pytest.importorskip("torch", reason="PyTorch is not installed here", exc_type=ImportError)
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed here")
nn = torch.nn
SETTINGS = Settings(capture=False, inline_bytes=4096)


class Net(nn.Module):  # type: ignore[misc, name-defined]
    """A module of the user's own, with a weight in two places and one that is not learned."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(8)
        self.first.bias.requires_grad_(False)
        self.scale = torch.full((1,), 2.0, dtype=torch.bfloat16)
        self.empty = torch.empty(0, 3)

    def forward(self, x: Any) -> Any:
        return self.norm(self.second(torch.relu(self.first(x)))) * self.scale.float()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=SETTINGS)


def trained(module: Any) -> Any:
    torch.manual_seed(0)
    optimizer = torch.optim.SGD([each for each in module.parameters() if each.requires_grad], lr=0.1)
    for _ in range(3):
        module(torch.randn(16, 8)).square().mean().backward()
        optimizer.step()
    return module.eval()


def same(first: Any, second: Any) -> bool:
    x = torch.randn(5, 8)
    with torch.no_grad():
        return bool(torch.equal(first(x), second(x)))


@pytest.mark.parametrize("kind", [Net, lambda: nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))])
def test_a_module_predicts_what_it_did(registry: Registry, kind: Any) -> None:
    """Not only equal weights: the same outputs, the same ties, the same that is frozen."""
    module = trained(kind())
    version = registry.register("net", module)
    loaded = version.load()

    assert version.artifacts["model"].family == "torch"
    assert same(module, loaded)
    assert [each.requires_grad for each in module.parameters()] == [
        each.requires_grad for each in loaded.parameters()
    ]
    if kind is Net:
        assert loaded.second.weight is loaded.first.weight
        assert loaded.scale.dtype == torch.bfloat16
        assert tuple(loaded.empty.shape) == (0, 3)
    trained(loaded.train())  # its memory is its own
    assert same(version.load(), module)


def test_equal_modules_are_one_version(registry: Registry) -> None:
    """The token is by value, so a module registered again after loading is the same content."""
    version = registry.register("net", trained(Net()))
    assert registry.register("net", version.load()).number == version.number
    changed = version.load()
    with torch.no_grad():
        changed.norm.weight += 1
    assert registry.register("net", changed).number == 2
    shared = {chunk.digest for chunk in version.artifacts["model"].chunks}
    again = {chunk.digest for chunk in registry.get("net@2").artifacts["model"].chunks}
    assert len(shared & again) >= 4, "only what changed is stored again"


def test_the_tensors_are_a_safetensors_file(registry: Registry) -> None:
    """Another program reads the weights with the library of that name."""
    module = trained(Net())
    dumped = families.dump("model", module)
    beside = dumped.artifact.facts["buffers"]
    found = safetensors.load(b"".join(bytes(data) for _, data in dumped.parts[1 + beside :]))
    for name, tensor in module.state_dict().items():
        if name != "second.weight":  # it is the first one's
            assert torch.equal(found[name], tensor), name


def test_what_safetensors_has_no_form_for_is_stored_as_before(registry: Registry) -> None:
    """Complex numbers, sparse tensors, a weight with attributes: a module is never refused for them."""
    for number, odd in enumerate(
        (torch.ones(2, dtype=torch.complex64), torch.eye(2).to_sparse(), torch.ones(2))
    ):
        module = nn.Linear(2, 2)
        odd.tag = "phase"
        module.register_buffer("odd", odd)
        version = registry.register("net", module)
        assert version.number == number + 1
        assert torch.equal(version.load().odd.to_dense(), odd.to_dense())


def test_a_device_is_asked_for(registry: Registry) -> None:
    """A module comes on the CPU, wherever it was trained; anything else is said."""
    version = registry.register("net", trained(Net()))
    assert {each.device.type for each in version.load(device="cpu").parameters()} == {"cpu"}
    assert {each.device.type for each in version.load(device="meta").parameters()} == {"meta"}
    with pytest.raises(BadInputError, match="device"):
        version.load(device="warp")
    if not torch.cuda.is_available():
        with pytest.raises(BadInputError, match="'cuda'"):
            version.load(device="cuda")
    with pytest.raises(BadInputError, match="PyTorch"):
        registry.register("plain", {"a": 1}).load(device="cpu")


def a_stranger_loads(version: ModelVersion, patch: pytest.MonkeyPatch, home: Path) -> Any:
    patch.setenv("XDG_CONFIG_HOME", str(home))
    return version.load(trust=False)


def test_a_module_of_ones_own_needs_a_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its class is code, however its weights are stored."""
    version = registry.register("net", trained(Net()))
    with pytest.raises(TrustError, match="code of its own"):
        a_stranger_loads(version, monkeypatch, tmp_path / "x")


def test_ordinary_layers_need_no_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague's stack of torch's own layers is no code of anybody's."""
    image = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout2d(0.1),
        nn.Flatten(), nn.Linear(4 * 4 * 4, 16), nn.LayerNorm(16), nn.GELU(), nn.ModuleDict({"a": nn.Identity()})["a"],
        nn.Linear(16, 3), nn.Softmax(dim=1),
    ).eval()  # fmt: skip
    x = torch.randn(2, 1, 8, 8)
    loaded = a_stranger_loads(registry.register("image", image), monkeypatch, tmp_path / "x")
    with torch.no_grad():
        assert torch.equal(loaded(x), image(x))
    words = a_stranger_loads(registry.register("words", nn.Embedding(5, 2)), monkeypatch, tmp_path / "y")
    assert words(torch.tensor([1])).shape == (1, 2)
    hooked = nn.Sequential(nn.Linear(2, 2))
    hooked.register_forward_hook(print)
    with pytest.raises(TrustError, match="print"):
        a_stranger_loads(registry.register("hooked", hooked), monkeypatch, tmp_path / "z")


def test_weights_that_lie_are_damage(registry: Registry) -> None:
    """A header that says other sizes than there are is refused before a tensor is made."""
    dumped = families.dump("model", trained(Net()))
    data = {chunk.digest: bytes(part) for chunk, part in dumped.parts}
    at = 1 + dumped.artifact.facts["buffers"]
    header = dumped.artifact.chunks[at].digest
    told = json.loads(data[header][8:])
    first = "second.bias"
    lies: list[dict[str, Any]] = [
        {"shape": [1 << 40]}, {"shape": [-1]}, {"dtype": "F128"}, {"data_offsets": [0, 1 << 50]},
        {"data_offsets": [8, 16]}, {"shape": []}, {"shape": None},
    ]  # fmt: skip
    for lie in lies:
        wrong = json.dumps({**told, first: {**told[first], **lie}}).encode()

        def read(chunk: Any, *, private: bool = False, wrong: bytes = wrong) -> bytearray:
            return bytearray(b"\0" * 8 + wrong if chunk.digest == header else data[chunk.digest])

        with pytest.raises(DamagedObjectError):
            families.open_artifact(dumped.artifact, read).load()
    for facts in ({}, {"buffers": -1}, {"buffers": 1 << 40}, {"buffers": "0"}):
        with pytest.raises(DamagedObjectError):
            families.open_artifact(
                msgspec.structs.replace(dumped.artifact, facts=facts), lambda chunk, private=False: b""
            )


def test_torch_is_not_imported_for_others(tmp_path: Path) -> None:
    """It takes seconds."""
    code = f"""
import sys, nbreg
registry = nbreg.Registry({str(tmp_path / "r")!r})
registry.register("churn", {{"a": 1}})
registry.load("churn")
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
