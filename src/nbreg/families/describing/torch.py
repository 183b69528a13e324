"""PyTorch modules, read without calling them: `forward`, `extra_repr` and hooks are the user's code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from nbreg.families.describing.told import class_name
from nbreg.records import canonical, digest_of

NAME: Final = "torch"
ROOT: Final = "torch"
DISTRIBUTION: Final = "torch"

_DEEPEST: Final = 12
_WIDEST: Final = 100
_MOST: Final = 5_000


def params(model: Any) -> dict[str, Any]:
    """How many weights there are, and a digest of how they are built; torch keeps no hyperparameters."""
    if "_modules" not in vars(model):
        return {}
    weights = [each for _, module in _walk(model) for each in _own(module, "_parameters").values()]
    counted = [weight for weight in {id(each): each for each in weights}.values() if weight is not None]
    return {
        "parameters": sum(weight.numel() for weight in counted),
        "trainable": sum(weight.numel() for weight in counted if weight.requires_grad),
        "structure": digest_of(canonical(list(_structure(model)))),
    }


def _structure(model: Any) -> Iterator[list[Any]]:
    for path, module in _walk(model):
        shapes = {
            name: [list(each.shape), str(each.dtype)]
            for kind in ("_parameters", "_buffers")
            for name, each in _own(module, kind).items()
            if each is not None
        }
        yield [path, class_name(module), shapes]


def architecture(model: Any) -> dict[str, Any]:
    """The tree of modules by class, with the constants of how each is built; and a digest of all shapes.

    The tree does not show the weights of a module that a class of the user's makes itself.
    """
    if "_modules" not in vars(model):
        return {"class": class_name(model)}
    return {**_tree(model, 0), "structure": digest_of(canonical(list(_structure(model))))}


def _tree(module: Any, depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"class": class_name(module)}
    if built := _constants(module):
        tree["built"] = built
    children = dict(islice(_own(module, "_modules").items(), _WIDEST))
    if children and depth < _DEEPEST:
        tree["parts"] = [
            {"name": name, **_tree(child, depth + 1)} for name, child in children.items() if child is not None
        ]
    return tree


def _constants(module: Any) -> dict[str, Any]:
    """Of torch's own classes only: what a class of the user's keeps is not known to be its build."""
    if not type(module).__module__.startswith("torch."):
        return {}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training" and _is_constant(value)
    }


def _is_constant(value: Any) -> bool:
    """A plain value, or a kernel's size in each direction."""
    return type(value) in (bool, int, float, str) or (
        type(value) is tuple and all(type(each) is int for each in value)
    )


def features(model: Any) -> list[str]:
    """None: a module takes tensors, which have no names."""
    return []


def width(model: Any) -> int | None:
    """What the first layer that tells takes in."""
    return next(
        (
            value
            for _, module in _walk(model)
            if type(value := vars(module).get("in_features", vars(module).get("in_channels"))) is int
        ),
        None,
    )


def is_module(kind: type) -> bool:
    """Whether instances of the class are modules; a metaclass is not asked."""
    module = getattr(sys.modules.get("torch.nn"), "Module", None)
    return isinstance(module, type) and module in type.__dict__["__mro__"].__get__(kind)


def is_trained(model: Any) -> bool:
    """Whether a weight has a gradient: the last step leaves it, and nothing else of a module tells."""
    weights = (each for _, module in _walk(model) for each in _own(module, "_parameters").values())
    return any(weight is not None and weight.grad is not None for weight in weights)


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: `forward` is the user's code, and may draw at random or count what it sees."""
    return None


def predictor(model: Any) -> Callable[[Any], Any]:
    """The module itself, in evaluation and without gradients, on rows as tensors of its weights' type."""
    torch = sys.modules["torch"]
    weight = next(iter(model.parameters()), None)

    def use(rows: Any) -> Any:
        taken = torch.as_tensor(rows)
        if weight is not None and taken.is_floating_point():
            taken = taken.to(weight.dtype)
        with torch.no_grad():
            return model.eval()(taken)

    return use


def _walk(model: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    yield path, model
    if depth < _DEEPEST:
        for name, child in islice(_own(model, "_modules").items(), _MOST):
            if child is not None:
                yield from _walk(child, f"{path}.{name}" if path else name, depth + 1)


def _own(module: Any, kind: str) -> dict[str, Any]:
    """A module's dictionary itself: asking for a parametrised weight would compute it."""
    found = vars(module).get(kind)
    return found if isinstance(found, dict) else {}
