"""ONNX models, as far as they tell of themselves without being run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any, Final

from nbreg.families import wire
from nbreg.families.describing.told import class_name

NAME: Final = "onnx"
ROOT: Final = "onnx"
DISTRIBUTION: Final = "onnx"

_WIDEST: Final = 200


def params(model: Any) -> dict[str, Any]:
    """Who wrote it, and for which sets of operators."""
    found = _look(model)
    told: dict[str, Any] = {"producer": found.producer} if found.producer else {}
    return {**told, "opsets": found.opsets}


def architecture(model: Any) -> dict[str, Any]:
    """What it takes and gives, and how many of which operator it has."""
    found = _look(model)
    taken = {name: told for name, told in found.inputs.items() if name not in found.initial}
    return {
        "class": class_name(model),
        "inputs": dict(islice(taken.items(), _WIDEST)),
        "outputs": dict(islice(found.outputs.items(), _WIDEST)),
        "operators": dict(islice(sorted(found.operators.items()), _WIDEST)),
    }


def features(model: Any) -> list[str]:
    """The names of its inputs, where each is a column of its own."""
    names = list(architecture(model)["inputs"])
    return names if len(names) > 1 else []


def width(model: Any) -> int | None:
    """The last axis of its only input."""
    told = list(architecture(model)["inputs"].values())
    last = told[0].rpartition("]")[0].rpartition(", ")[2] if len(told) == 1 else ""
    return int(last) if last.isdigit() else None


def is_trained(model: Any) -> bool:
    """Yes: it is what training left."""
    return True


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: a session takes a while to make, and has threads."""
    return None


def predictor(model: Any) -> Callable[[Any], Any] | None:
    """The first output, by onnxruntime if that is here; columns go to the inputs of their names."""
    try:
        runtime = import_module("onnxruntime")
    except ImportError:
        return None
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return partial(_run, session)


def _run(session: Any, rows: Any) -> Any:
    import numpy as np

    inputs = session.get_inputs()
    if len(inputs) == 1:
        given = {inputs[0].name: _as(inputs[0].type, np.asarray(rows))}
    else:
        given = {each.name: _as(each.type, np.asarray(rows[each.name])[:, None]) for each in inputs}
    return session.run(None, given)[0]


def _as(told: str, array: Any) -> Any:
    """`tensor(float)` is numpy's float32."""
    name = told.removeprefix("tensor(").removesuffix(")")
    kinds = {"float": "f4", "double": "f8", "string": "O", "float16": "f2", "bool": "?"}
    return array.astype(kinds.get(name, name))


def _look(model: Any) -> wire.Found:
    return wire.look(model.SerializeToString())
