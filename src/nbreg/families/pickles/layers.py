"""Whether torch's recurrent and attention layers fit their weights.

Most layers hand their tensors to operators that check them. These have quicker paths, some of which
take the size of a weight from the layer's attributes, and a recurrent layer finds its weights by
names. So each has exactly the weights that its attributes ask for, all of one type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from nbreg.families.pickles.natives import is_int
from nbreg.families.pickles.standins import Instance, Mapping, Weight, must

Shape = tuple[int, ...]

_FLOATS: Final = ("F64", "F32", "F16", "BF16")
_MOST_LAYERS: Final = 10_000
_MODULES: Final = "torch.nn.modules."
_ATTENTION: Final = _MODULES + "activation.MultiheadAttention"
_LINEAR: Final = _MODULES + "linear.Linear"
_LAST_LINEAR: Final = _MODULES + "linear.NonDynamicallyQuantizableLinear"
_NORM: Final = _MODULES + "normalization.LayerNorm"
_ENCODER: Final = _MODULES + "transformer.TransformerEncoder"
_DECODER: Final = _MODULES + "transformer.TransformerDecoder"


def _attribute(layer: Instance, name: str) -> Any:
    """What Python finds under the name: an attribute hides a weight, and both a module."""
    state = layer.state or {}
    if name in state:
        return state[name]
    for kind in ("_parameters", "_buffers", "_modules"):
        held = _entries(layer, state.get(kind))
        if name in held:
            return held[name]
    return None


def _entries(layer: Instance, held: Any) -> dict[Any, Any]:
    if type(held) is Mapping:  # an OrderedDict, as older releases have it
        must(not held.parts, f"{layer.name}: what it holds")
        return dict(zip(held.items[::2], held.items[1::2], strict=True))
    must(type(held) is dict, f"{layer.name}: what it holds")
    assert type(held) is dict
    return held


class _Weights:
    """The weights of one layer: each has its shape, and all one type."""

    def __init__(self, layer: Instance) -> None:
        self._layer = layer
        self._types: set[str] = set()

    def has(self, name: str, *shape: int) -> Any:
        """The weight of that name and shape."""
        found = _attribute(self._layer, name)
        self._hold(type(found) is Weight and found.shape == shape, name)
        self._types.add(found.dtype)
        self._hold(len(self._types) == 1 and self._types <= set(_FLOATS), name)
        return found

    def may_have(self, name: str, *shape: int) -> None:
        """None, or the weight of that shape."""
        if _attribute(self._layer, name) is not None:
            self.has(name, *shape)

    def lacks(self, *names: str) -> None:
        """None of these."""
        for name in names:
            self._hold(_attribute(self._layer, name) is None, name)

    def of(self, part: Instance) -> _Weights:
        """Those of a part, which have the same type."""
        found = _Weights(part)
        found._types = self._types
        return found

    def _hold(self, held: bool, name: str) -> None:
        must(held, f"{self._layer.name}: its {name}")


def _size(layer: Instance, name: str, least: int = 1) -> int:
    found = _attribute(layer, name)
    must(is_int(found, least), f"{layer.name}: its {name}")
    assert isinstance(found, int)
    return found


def _flag(layer: Instance, name: str) -> bool:
    found = _attribute(layer, name)
    must(type(found) is bool, f"{layer.name}: its {name}")
    return bool(found)


def _part(layer: Instance, name: str, *kinds: str) -> Instance:
    found = _attribute(layer, name)
    must(type(found) is Instance and found.name in kinds, f"{layer.name}: its {name}")
    assert isinstance(found, Instance)
    return found


# recurrent layers

_GATES: Final = {"LSTM": {"LSTM": 4}, "GRU": {"GRU": 3}, "RNN": {"RNN_TANH": 1, "RNN_RELU": 1}}
_CHUNKS: Final = {"LSTMCell": 4, "GRUCell": 3, "RNNCell": 1}


def _named_weights(layer: Instance) -> dict[str, Shape]:
    """The weights that its attributes ask for, if they are those that it names."""
    must(_attribute(layer, "all_weights") is None, f"{layer.name}: weights as old releases had them")
    by_run = list(_runs(layer))
    names = [list(shapes) for shapes in by_run]
    flat = [name for each in names for name in each]
    must(_attribute(layer, "_all_weights") == names, f"{layer.name}: its _all_weights")
    must(_attribute(layer, "_flat_weights_names") == flat, f"{layer.name}: its _flat_weights_names")
    return {name: shape for shapes in by_run for name, shape in shapes.items()}


def _runs(layer: Instance) -> Iterator[dict[str, Shape]]:
    """Of each layer in it and direction, the weights in their order."""
    modes = _GATES[layer.name.rpartition(".")[2]]
    mode = _attribute(layer, "mode")
    must(type(mode) is str and mode in modes, f"{layer.name}: its mode")
    inputs, hidden = _size(layer, "input_size"), _size(layer, "hidden_size")
    out, layers = _size(layer, "proj_size", 0), _size(layer, "num_layers")
    must(out < hidden and layers <= _MOST_LAYERS, f"{layer.name}: its sizes")
    must(not out or mode == "LSTM", f"{layer.name}: its proj_size")  # others take four weights for each run
    directions = 2 if _flag(layer, "bidirectional") else 1
    rows, state, biased = modes[mode] * hidden, out or hidden, _flag(layer, "bias")
    for number in range(layers):
        for ending in (f"_l{number}", f"_l{number}_reverse")[:directions]:
            columns = inputs if number == 0 else state * directions
            yield {
                f"weight_ih{ending}": (rows, columns),
                f"weight_hh{ending}": (rows, state),
                **({f"bias_ih{ending}": (rows,), f"bias_hh{ending}": (rows,)} if biased else {}),
                **({f"weight_hr{ending}": (out, hidden)} if out else {}),
            }


def _recurrent(layer: Instance) -> None:
    _flag(layer, "batch_first")
    weights = _Weights(layer)
    found = [weights.has(name, *shape) for name, shape in _named_weights(layer).items()]
    used = _attribute(layer, "_flat_weights")
    fits = type(used) is list and len(used) == len(found)
    must(fits and all(a is b for a, b in zip(used, found, strict=True)), f"{layer.name}: its _flat_weights")


def _cell(layer: Instance) -> None:
    inputs, hidden = _size(layer, "input_size"), _size(layer, "hidden_size")
    rows = _CHUNKS[layer.name.rpartition(".")[2]] * hidden
    weights = _Weights(layer)
    weights.has("weight_ih", rows, inputs)
    weights.has("weight_hh", rows, hidden)
    if _flag(layer, "bias"):
        weights.has("bias_ih", rows)
        weights.has("bias_hh", rows)
    else:
        weights.lacks("bias_ih", "bias_hh")


# attention


def _attention(layer: Instance) -> None:
    _attention_of(layer, _Weights(layer))


def _attention_of(layer: Instance, weights: _Weights) -> int:
    """The width that it takes and gives."""
    width, heads = _size(layer, "embed_dim"), _size(layer, "num_heads")
    must(width == heads * _size(layer, "head_dim"), f"{layer.name}: its heads")
    keys, values = _size(layer, "kdim"), _size(layer, "vdim")
    _flag(layer, "batch_first")
    if _flag(layer, "_qkv_same_embed_dim"):
        must(keys == values == width, f"{layer.name}: its keys")
        weights.has("in_proj_weight", 3 * width, width)
        weights.lacks("q_proj_weight", "k_proj_weight", "v_proj_weight")
    else:
        weights.has("q_proj_weight", width, width)
        weights.has("k_proj_weight", width, keys)
        weights.has("v_proj_weight", width, values)
        weights.lacks("in_proj_weight")
    weights.may_have("in_proj_bias", 3 * width)
    weights.may_have("bias_k", 1, 1, width)
    weights.may_have("bias_v", 1, 1, width)
    _linear(_part(layer, "out_proj", _LAST_LINEAR, _LINEAR), weights, width, width)
    return width


def _linear(layer: Instance, weights: _Weights, inputs: int, outputs: int) -> None:
    weights.of(layer).has("weight", outputs, inputs)
    weights.of(layer).may_have("bias", outputs)


def _norm(layer: Instance, weights: _Weights, width: int) -> None:
    must(_attribute(layer, "normalized_shape") == (width,), f"{layer.name}: its normalized_shape")
    must(type(_attribute(layer, "eps")) is float, f"{layer.name}: its eps")
    weights.of(layer).may_have("weight", width)
    weights.of(layer).may_have("bias", width)


def _block(layer: Instance) -> int:
    """A layer of an encoder or decoder: the width that it takes and gives."""
    weights = _Weights(layer)
    decodes = layer.name.endswith("DecoderLayer")
    parts = ("self_attn", "multihead_attn") if decodes else ("self_attn",)
    attending = [_part(layer, each, _ATTENTION) for each in parts]
    widths = {_attention_of(each, weights.of(each)) for each in attending}
    must(len(widths) == 1, f"{layer.name}: its width")
    (width,) = widths
    first = _part(layer, "linear1", _LINEAR)
    between = _size(first, "out_features")
    _linear(first, weights, width, between)
    _linear(_part(layer, "linear2", _LINEAR), weights, between, width)
    for name in ("norm1", "norm2", "norm3")[: 3 if decodes else 2]:
        _norm(_part(layer, name, _NORM), weights, width)
    _flag(layer, "norm_first")
    if not decodes:
        must(is_int(_attribute(layer, "activation_relu_or_gelu"), 0, 2), f"{layer.name}: its activation")
    return width


def _stack(layer: Instance) -> int:
    """Blocks of one width, one after the other."""
    held = _part(layer, "layers", _MODULES + "container.ModuleList")
    blocks = list(_entries(held, _attribute(held, "_modules")).values())
    must(len(blocks) == _size(layer, "num_layers"), f"{layer.name}: its layers")
    fits = [type(each) is Instance and each.name == f"{layer.name}Layer" for each in blocks]
    must(all(fits), f"{layer.name}: its layers")
    widths = {_block(each) for each in blocks}
    must(len(widths) == 1, f"{layer.name}: its layers")
    (width,) = widths
    if _attribute(layer, "norm") is not None:
        norm = _part(layer, "norm", _NORM)
        _norm(norm, _Weights(norm), width)
    return width


def _both(layer: Instance) -> None:
    width = _size(layer, "d_model")
    sides = (_part(layer, "encoder", _ENCODER), _part(layer, "decoder", _DECODER))
    must(all(_stack(each) == width for each in sides), f"{layer.name}: its width")
    must(_size(layer, "nhead") <= width, f"{layer.name}: its heads")


RULES: Final[dict[str, Callable[[Instance], object]]] = {
    **{f"{_MODULES}rnn.{name}": _recurrent for name in _GATES},
    **{f"{_MODULES}rnn.{name}": _cell for name in _CHUNKS},
    _ATTENTION: _attention,
    f"{_ENCODER}Layer": _block,
    f"{_DECODER}Layer": _block,
    _ENCODER: _stack,
    _DECODER: _stack,
    f"{_MODULES}transformer.Transformer": _both,
}
"""By exact class."""
