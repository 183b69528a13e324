"""Tensors of torch and its generators, by value: their class is Python's, but what they hold is not in it.

Nothing of autograd is touched: a detached alias is read, and of a leaf its gradient, since the
next step depends on it. What lies on another device is not fetched for being watched.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from nbreg.capture.recipe.digests import digest, digest_array

if TYPE_CHECKING:
    from nbreg.capture.recipe.values import _Walk


def _tensor(walk: _Walk, value: Any) -> bytes:
    walk.libraries.add("torch")
    parts = [str(value.dtype).encode(), repr(tuple(value.shape)).encode(), b"%d" % value.requires_grad]
    if value.device.type != "cpu" or value.is_quantized or str(value.layout) != "torch.strided":
        walk.hide(f"a {value.device.type} tensor")
        walk.reach.add(id(value))
        return digest("tensor", *parts)
    # Views share it; so does the array that a tensor was made from.
    walk.reach.add(value.untyped_storage().data_ptr())
    walk.spend(value.element_size() * value.nelement())
    parts.append(_elements(value.detach()))
    if value.is_leaf and value.grad is not None:
        parts.append(walk.digest(value.grad))
    return digest("tensor", *parts)


def _elements(plain: Any) -> bytes:
    plain = plain.resolve_conj().resolve_neg()
    if plain.dtype.itemsize == 2 and plain.dtype.is_floating_point:  # numpy has no bfloat16
        plain = plain.view(sys.modules["torch"].int16)
    return digest_array(plain.numpy())


def _generator(walk: _Walk, value: Any) -> bytes:
    walk.reach.add(id(value))
    return digest("generator", value.get_state().numpy().tobytes())


def _spelled(walk: _Walk, value: Any) -> bytes:
    return digest("torch", repr(value).encode())


KINDS: Final[list[tuple[str, str, Any]]] = [
    ("torch", "Tensor", _tensor),
    ("torch.nn.parameter", "Parameter", _tensor),
    ("torch.nn.parameter", "Buffer", _tensor),
    ("torch", "Generator", _generator),
    ("torch", "dtype", _spelled),
    ("torch", "device", _spelled),
    ("torch", "layout", _spelled),
]
