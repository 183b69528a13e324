"""Keras models, as far as they tell of themselves without being run."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from nbreg.families.describing.told import class_name

NAME: Final = "keras"
ROOT: Final = "keras"
DISTRIBUTION: Final = "keras"

_WIDEST: Final = 200
_SIZES: Final = ("units", "filters", "rate", "num_heads", "key_dim", "input_dim", "output_dim")


def params(model: Any) -> dict[str, Any]:
    """How many weights there are, and what it was compiled with, as far as that is plain."""
    found: dict[str, Any] = {"parameters": int(model.count_params())} if model.built else {}
    if (optimizer := getattr(model, "optimizer", None)) is not None:
        found["optimizer"] = type(optimizer).__name__
        rate = optimizer.get_config().get("learning_rate")  # a schedule is a dictionary of its own
        found |= {"learning_rate": float(rate)} if isinstance(rate, int | float) else {}
    if isinstance(loss := getattr(model, "loss", None), str):
        found["loss"] = loss
    return found


def architecture(model: Any) -> dict[str, Any]:
    """The class and its layers."""
    layers = [_layer(layer) for layer in islice(model.layers, _WIDEST)]
    return {"class": class_name(model), "parts": layers}


def _layer(layer: Any) -> dict[str, Any]:
    """Its class and its sizes; Keras counts the layers of a session, so the count is no part of the name."""
    built = {name: value for name in _SIZES if type(value := vars(layer).get(name)) in (int, float)}
    told = {"name": re.sub(r"_\d+$", "", layer.name), "class": class_name(layer)}
    return {**told, "built": built} if built else told


def features(model: Any) -> list[str]:
    """None: layers take tensors, which have no names."""
    return []


def width(model: Any) -> int | None:
    """The last axis of the input."""
    last = model.input_shape[-1]
    return last if type(last) is int else None


def is_trained(model: Any) -> bool:
    """Whether its optimizer has taken a step."""
    optimizer = getattr(model, "optimizer", None)
    return optimizer is not None and int(optimizer.iterations) > 0


def predictor(model: Any) -> Callable[[Any], Any]:
    """`predict`, which shows no progress here."""
    return lambda rows: model.predict(rows, verbose=0)


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: predicting compiles, and may draw at random."""
    return None
