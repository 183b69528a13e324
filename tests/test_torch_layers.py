"""Torch's own layers load for everybody and compute what they did; weights that do not fit them load for nobody.

A colleague's LSTM or transformer is no code of anybody's. But its quick paths believe the layer's numbers, so what
does not fit together is refused before a tensor is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry, families
from nbreg.errors import TrustError
from nbreg.settings import Settings

torch = pytest.importorskip("torch", reason="PyTorch is not installed here", exc_type=ImportError)
nn = torch.nn

BLOCK = {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "batch_first": True}
SERIES = (2, 5, 8)
LAYERS: dict[str, tuple[Callable[[], Any], tuple[int, ...], int]] = {
    "LSTM": (lambda: nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True), SERIES, 1),
    "LSTM that projects": (lambda: nn.LSTM(8, 6, proj_size=3), SERIES, 1),
    "LSTM without bias": (lambda: nn.LSTM(8, 6, bias=False), SERIES, 1),
    "GRU": (lambda: nn.GRU(8, 6, 2, dropout=0.1), SERIES, 1),
    "RNN": (lambda: nn.RNN(8, 6, nonlinearity="relu"), SERIES, 1),
    "LSTMCell": (lambda: nn.LSTMCell(8, 6), (2, 8), 1),
    "GRUCell": (lambda: nn.GRUCell(8, 6, bias=False), (2, 8), 1),
    "RNNCell": (lambda: nn.RNNCell(8, 6), (2, 8), 1),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(8, 2, batch_first=True), SERIES, 3),
    "attention that adds": (lambda: nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True), SERIES, 3),
    "attention to others": (lambda: nn.MultiheadAttention(8, 4, kdim=8, vdim=8, bias=False), SERIES, 3),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(**BLOCK, activation="gelu"), SERIES, 1),
    "block by a module": (lambda: nn.TransformerEncoderLayer(**BLOCK, activation=nn.GELU()), SERIES, 1),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(**BLOCK, norm_first=True), 2, nn.LayerNorm(8),
                                      enable_nested_tensor=False), SERIES, 1),
    "TransformerDecoderLayer": (lambda: nn.TransformerDecoderLayer(**BLOCK, bias=False), SERIES, 2),
    "TransformerDecoder": (lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(**BLOCK), 2), SERIES, 2),
    "Transformer": (
        lambda: nn.Transformer(8, 2, 2, 1, 16, activation=nn.functional.silu, batch_first=True), SERIES, 2),
    "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 2, 4, 4), 1),
    "pictures": (
        lambda: nn.Sequential(nn.ReflectionPad3d(1), nn.AvgPool3d(2), nn.ReplicationPad3d(1), nn.CircularPad3d(1)),
        (1, 2, 4, 4, 4), 1),
    "pixels": (
        lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.ChannelShuffle(2), nn.PixelShuffle(2), nn.LPPool2d(2, 2),
                              nn.LocalResponseNorm(2)), (1, 2, 4, 4), 1),
    "steps": (
        lambda: nn.Sequential(nn.Hardshrink(), nn.Softshrink(), nn.Tanhshrink(), nn.Softmin(1), nn.RReLU()), SERIES, 1),
    "distances": (lambda: nn.CosineSimilarity(), SERIES, 2),
}  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False, inline_bytes=4096))


def outputs(layer: Any, shape: tuple[int, ...], inputs: int) -> list[Any]:
    """What it gives, along the quick paths of inference and along those that can be differentiated."""
    torch.manual_seed(0)
    given = [torch.randn(*shape)] * inputs
    with torch.no_grad():
        quick = layer(*given)
    return list(flat([quick, layer(*given)]))


def flat(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from flat(each)


@pytest.mark.parametrize("name", LAYERS)
def test_an_ordinary_layer_needs_no_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It computes what it did, to the last bit, for a stranger who vouches for nothing."""
    make, shape, inputs = LAYERS[name]
    torch.manual_seed(1)
    layer = make().eval()
    expected = outputs(layer, shape, inputs)
    version = registry.register("net", layer)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a stranger"))

    loaded = version.load(trust=False)

    found = outputs(loaded, shape, inputs)
    assert len(found) == len(expected) > 0
    assert all(map(torch.equal, found, expected))
    assert registry.register("net", loaded).number == 1, "and is the same content"
    for each in loaded.parameters():
        assert each.requires_grad
    loaded.double()  # it is whole: its weights can be exchanged
    assert {each.dtype for each in loaded.parameters()} <= {torch.float64}


def test_bags_of_words_need_no_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their inputs are indices, which torch checks."""
    bag = nn.EmbeddingBag(10, 3)
    version = registry.register("bag", bag)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a stranger"))
    words = torch.tensor([[1, 2], [3, 4]])
    assert torch.equal(version.load(trust=False)(words), bag(words))


def attribute(name: str, value: Any, part: str = "") -> Callable[[Any], None]:
    def change(layer: Any) -> None:
        owner = layer.get_submodule(part)
        vars(owner)[name] = value(vars(owner)[name]) if callable(value) else value

    return change


def weight(name: str, *shape: int, part: str = "", dtype: Any = torch.float32) -> Callable[[Any], None]:
    """Another weight in the place of one; torch is not asked."""
    return lambda layer: layer.get_submodule(part)._parameters.__setitem__(
        name, nn.Parameter(torch.zeros(shape, dtype=dtype), requires_grad=dtype.is_floating_point)
    )


def recurrent(name: str, *shape: int, dtype: Any = torch.float32) -> Callable[[Any], None]:
    def change(layer: Any) -> None:
        given = nn.Parameter(torch.zeros(shape, dtype=dtype))
        layer._parameters[name] = given
        layer._flat_weights[layer._flat_weights_names.index(name)] = given

    return change


def hidden(layer: Any) -> None:
    """An attribute that stands before the weight of its name."""
    vars(layer)["in_proj_weight"] = nn.Parameter(torch.zeros(1, 8))


def other_width(layer: Any) -> None:
    layer.layers[1] = nn.TransformerEncoderLayer(16, 2, 16, batch_first=True)


def of_one_name(layer: Any) -> None:
    layer._all_weights[0] = [["weight_ih_l0"] * 4][0]


def without_bias(layer: Any) -> None:
    vars(layer)["bias"] = False


LIES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "a weight of fewer units": ("LSTM", recurrent("weight_hh_l0", 24, 1)),
    "a weight of fewer rows": ("GRU", recurrent("weight_ih_l0", 1, 8)),
    "a bias of one": ("RNN", recurrent("bias_hh_l0", 1)),
    "a weight of no dimension": ("LSTM", recurrent("bias_hh_l0")),
    "a weight of other numbers": ("LSTM", recurrent("weight_hh_l0", 24, 6, dtype=torch.float64)),
    "weights of integers": ("GRUCell", weight("weight_ih", 18, 8, dtype=torch.int32)),
    "more units than there are": ("LSTM", attribute("hidden_size", 1 << 20)),
    "no units": ("LSTM", attribute("hidden_size", 0)),
    "fewer than no units": ("GRU", attribute("hidden_size", -6)),
    "units that are no number": ("GRU", attribute("hidden_size", True)),
    "more inputs than there are": ("LSTM", attribute("input_size", 1 << 40)),
    "more layers than there are": ("LSTM", attribute("num_layers", 1 << 62)),
    "one direction of two": ("LSTM", attribute("bidirectional", False)),
    "a projection that is none": ("LSTM", attribute("proj_size", 3)),
    "another kind": ("LSTM", attribute("mode", "GRU")),
    "a kind that is none": ("RNN", attribute("mode", ["RNN_TANH"])),
    "biases that it has and denies": ("LSTM", without_bias),
    "names of other attributes": ("LSTM", attribute("_flat_weights_names", lambda old: ["__class__", *old[1:]])),
    "one name for all": ("LSTM", of_one_name),
    "names that are none": ("LSTM", attribute("_all_weights", [[1]])),
    "weights as old releases had them": ("LSTM", attribute("all_weights", [[1]])),
    "fewer weights than names": ("LSTM", attribute("_flat_weights", lambda old: old[:-1])),
    "weights that are others": ("LSTM", attribute("_flat_weights", lambda old: old[::-1])),
    "weights that are none": ("LSTM", attribute("_flat_weights", lambda old: [1] * len(old))),
    "a cell of other gates": ("LSTMCell", weight("weight_hh", 6, 6)),
    "a cell's bias of one": ("RNNCell", weight("bias_ih", 1)),
    "more heads than there are": ("MultiheadAttention", attribute("num_heads", 1 << 20)),
    "heads that do not divide": ("MultiheadAttention", attribute("num_heads", 3)),
    "a head of no width": ("MultiheadAttention", attribute("head_dim", 0)),
    "another width": ("MultiheadAttention", attribute("embed_dim", 1 << 20)),
    "a projection of fewer rows": ("MultiheadAttention", weight("in_proj_weight", 8, 8)),
    "a projection's bias of one": ("MultiheadAttention", weight("in_proj_bias", 1)),
    "a last projection of fewer rows": ("MultiheadAttention", weight("weight", 1, 8, part="out_proj")),
    "a projection that hides": ("MultiheadAttention", hidden),
    "keys of another width": ("attention to others", attribute("kdim", 1 << 20)),
    "added keys of another width": ("attention that adds", weight("bias_k", 1, 1, 1)),
    "a step between that does not fit": ("TransformerEncoderLayer", weight("weight", 16, 1, part="linear1")),
    "a step back that does not fit": ("TransformerEncoderLayer", weight("weight", 8, 1, part="linear2")),
    "a norm's weight of one": ("TransformerEncoderLayer", weight("weight", 1, part="norm1")),
    "a norm of another width": ("TransformerDecoderLayer", attribute("normalized_shape", (1,), "norm3")),
    "a step that is none": ("TransformerEncoderLayer", attribute("activation_relu_or_gelu", 7)),
    "attention inside that does not fit": ("TransformerEncoder", attribute("num_heads", 3, "layers.1.self_attn")),
    "blocks of two widths": ("TransformerEncoder", other_width),
    "more blocks than there are": ("TransformerEncoder", attribute("num_layers", 1 << 40)),
    "a whole of another width": ("Transformer", attribute("d_model", 16)),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_layer_whose_weights_do_not_fit_is_refused(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Compiled code would read beyond a weight, or count for ever."""
    kind, lie = LIES[name]
    layer = LAYERS[kind][0]().eval()
    lie(layer)
    version = registry.register("net", layer)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a stranger"))

    with pytest.raises(TrustError) as caught:
        version.load(trust=False)

    assert "an unusual use of" in caught.value.untrusted[0]


def test_shapes_are_those_that_the_file_tells(registry: Registry) -> None:
    """The stream names its tensors; what they are stands in the header of their file, and is looked at there."""
    dumped = families.dump("model", nn.LSTM(8, 6).eval())
    at = 1 + dumped.artifact.facts["buffers"]
    data = {chunk.digest: bytes(part) for chunk, part in dumped.parts}
    header = dumped.artifact.chunks[at].digest
    told = json.loads(data[header][8:])
    told["weight_hh_l0"]["shape"] = [6, 24]  # as many numbers
    wrong = json.dumps(told).encode()

    def read(chunk: Any, *, private: bool = False) -> bytearray:
        return bytearray(b"\0" * 8 + wrong if chunk.digest == header else data[chunk.digest])

    (reason,) = families.open_artifact(dumped.artifact, read).untrusted
    assert reason == "an unusual use of torch.nn.modules.rnn.LSTM: its weight_hh_l0"
