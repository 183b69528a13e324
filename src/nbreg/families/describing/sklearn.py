"""scikit-learn, and whatever keeps to its way of estimators."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from inspect import CO_VARARGS, signature
from itertools import islice
from types import FunctionType
from typing import Any, Final
from weakref import WeakKeyDictionary

from nbreg.families.describing import plainly
from nbreg.families.describing.told import class_name

NAME: Final = "sklearn"
ROOT: Final = "sklearn"
DISTRIBUTION: Final = "scikit-learn"

_BASE: Final = ("sklearn.base", "BaseEstimator")
_PIPELINE: Final = ("sklearn.pipeline", "Pipeline")
_PLAIN: Final = (bool, int, float, str, type(None))
_defaults: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()
_DEEPEST: Final = 8
_WIDEST: Final = 50
_QUICK: Final = 250_000
_TREE: Final = 2_000
_MOST_PARTS: Final = 500
_MOST_COLUMNS: Final = 200
_CHILDREN: Final = (
    "estimator",
    "regressor",
    "transformer",
    "final_estimator",
    "base_estimator",
    "remainder",
)
_BUILT: Final = ("hidden_layer_sizes",)
# What their predictions cost grows with the training data, or is drawn at random.
_SLOW: Final = ("sklearn.neighbors", "sklearn.gaussian_process", "sklearn.semi_supervised")
_RUNS_OTHERS: Final = ("FunctionTransformer",)


def params(model: Any) -> dict[str, Any]:
    """`get_params()`, the estimators in it left out: their own parameters stand beside them."""
    given = _given(model)
    own = {name: value for name, value in sorted(given.items()) if not _holds_estimator(value)}
    best = vars(model).get("best_params_")  # what a search found, rather than where it looked
    if isinstance(best, dict):
        own["best_params_"] = {name: value for name, value in best.items() if not _holds_estimator(value)}
    return own


def _given(model: Any) -> dict[str, Any]:
    """`get_params(deep=True)`; where a class has that from scikit-learn, without a look at its signature.

    `inspect.signature` takes longer than all else that is asked of a small pipeline.
    """
    kind = type(model)
    is_pipeline = _is_inherited(kind, *_PIPELINE, "get_params", "_get_params")
    steps = model.steps if is_pipeline else []
    names = _parameters(kind) if is_pipeline or _is_inherited(kind, *_BASE, "get_params") else None
    if names is None or not all(isinstance(each, tuple) and len(each) == 2 for each in steps):
        return dict(model.get_params(deep=True))
    found: dict[str, Any] = {}
    for name, value in [*((name, getattr(model, name)) for name in names), *steps]:
        found[name] = value
        if hasattr(value, "get_params") and not isinstance(value, type):
            found |= {f"{name}__{inner}": each for inner, each in _given(value).items()}
    return found


def _parameters(kind: type) -> list[str] | None:
    """What a class's constructor takes, read off its code; None where only asking it tells."""
    init = kind.__init__  # type: ignore[misc]
    if type(init) is not FunctionType or vars(init) or not _is_inherited(kind, *_BASE, "_get_param_names"):
        return None
    code = init.__code__
    if code.co_flags & CO_VARARGS:
        return None
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return sorted(name for name in names if name != "self")


def _is_inherited(kind: type, module: str, home: str, *methods: str) -> bool:
    """Whether a class has these methods from that class of scikit-learn."""
    owner = getattr(sys.modules.get(module), home, None)
    return owner is not None and all(
        _function(getattr(kind, method, None)) is _function(getattr(owner, method, owner))
        for method in methods
    )


def _function(method: Any) -> Any:
    return getattr(method, "__func__", method)


def defaults(model: Any) -> dict[str, Any]:
    """What the plain parameters would be had nobody set them, those of its parts as well."""
    given = _given(model)
    found = {}
    for name in given:
        home, _, leaf = name.rpartition("__")
        known = _plain_defaults(type(given[home] if home else model))
        if leaf in known:
            found[name] = known[leaf]
    return found


def _plain_defaults(kind: type) -> dict[str, Any]:
    if kind not in _defaults:
        parameters = signature(kind).parameters
        _defaults[kind] = {
            name: each.default for name, each in parameters.items() if type(each.default) in _PLAIN
        }
    return _defaults[kind]


def _holds_estimator(value: object, depth: int = 3) -> bool:
    if isinstance(value, list | tuple) and depth:
        return any(_holds_estimator(each, depth - 1) for each in islice(value, _WIDEST))
    return hasattr(type(value), "get_params") and hasattr(type(value), "fit")


def architecture(model: Any, depth: int = 0) -> dict[str, Any]:
    """The class, and what it is made of by name: steps of a pipeline, transformers, members."""
    tree: dict[str, Any] = {"class": class_name(model)}
    if built := {name: vars(model)[name] for name in _BUILT if vars(model).get(name) is not None}:
        tree["built"] = built
    parts = dict(islice(children(model), _WIDEST)) if depth < _DEEPEST else {}
    chosen = _columns(model)
    if parts:
        tree["parts"] = [
            {"name": name, **_part(each, depth), **({"columns": chosen[name]} if name in chosen else {})}
            for name, each in parts.items()
        ]
    return tree


def _columns(model: Any) -> dict[str, Any]:
    """Which columns each transformer of a `ColumnTransformer` works on; of a fitted one those it found."""
    listed = vars(model).get("transformers_") or vars(model).get("transformers")
    triples = [each for each in _some(listed) if isinstance(each, tuple) and len(each) == 3]
    return {str(name): _chosen(columns) for name, _, columns in triples}


def _chosen(columns: Any) -> Any:
    if type(columns) in (str, int, bool):
        return [columns]
    if isinstance(columns, slice):
        return f"{columns.start}:{columns.stop}:{columns.step}"
    if callable(columns):
        return class_name(columns)
    return list(islice(columns, _MOST_COLUMNS))


def _part(part: Any, depth: int) -> dict[str, Any]:
    return {"class": part} if isinstance(part, str) else architecture(part, depth + 1)


def children(model: Any) -> Iterable[tuple[str, Any]]:
    """The estimators that were given to this one, or the words that stand for one, each with its name."""
    for attribute in ("steps", "transformers", "estimators", "transformer_list"):
        listed = vars(model).get(attribute)
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, tuple) and len(each) >= 2:
                yield str(each[0]), each[1] if each[1] is not None else "passthrough"
    found = vars(model).get("best_estimator_")
    for attribute in _CHILDREN:
        child = vars(model).get(attribute)
        if attribute == "estimator" and found is not None:
            child = found  # what a search chose, which may be of another class
        if child is not None and hasattr(type(child), "get_params"):
            yield attribute, child


def classes(model: Any) -> list[Any]:
    """The classes that a classifier tells apart."""
    found: Any = getattr(model, "classes_", None)
    return found.tolist() if _is_array(found) and found.ndim == 1 else []


def features(model: Any) -> list[str]:
    """The names of the columns that it was fitted on."""
    return list(getattr(model, "feature_names_in_", ()))


def width(model: Any) -> int | None:
    """How many features it was fitted on."""
    found = getattr(model, "n_features_in_", None)
    return None if found is None else int(found)


def is_trained(model: Any) -> bool:
    """Whether it has an attribute that fitting sets, by scikit-learn's custom; its last step has."""
    if any(name.endswith("_") and not name.startswith("_") for name in vars(model)):
        return True
    parts = [part for _, part in children(model) if not isinstance(part, str)]
    composed = any(name in vars(model) for name in ("steps", "transformer_list"))
    if composed and parts:
        return is_trained(parts[-1])
    return not type(model).__module__.startswith("sklearn.") and plainly.is_trained(model)


def is_unfitted(model: Any) -> bool:
    """Whether it is a predictor of scikit-learn's own that was surely never fitted."""
    if any(name.endswith("_") and not name.startswith("_") for name in vars(model)):
        return False
    steps = vars(model).get("steps")
    if isinstance(steps, list) and steps:
        return is_unfitted(steps[-1][1])
    if not type(model).__module__.startswith("sklearn.") or not hasattr(type(model), "predict"):
        return False
    asked = getattr(model, "__sklearn_is_fitted__", None)
    return not (asked and asked())


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """`predict`, where all that runs is scikit-learn's own, in this thread, and small: a few milliseconds."""
    parts = list(islice(_walk(model, 0), _MOST_PARTS))
    if not all(map(_is_plain, parts)) or sum(map(_cost, parts)) > _QUICK:
        return None
    name = next((use for use in ("predict", "transform") if hasattr(model, use)), "")
    found: Callable[[Any], Any] | None = getattr(model, name, None) if name else None
    return found


def _walk(model: Any, depth: int) -> Iterable[Any]:
    yield model
    fitted = (vars(model).get(name) for name in ("best_estimator_", "estimator_", "final_estimator_"))
    named = [part for _, part in children(model) if not isinstance(part, str)]
    many = (vars(model).get(name) for name in ("estimators_", "transformers_", "calibrated_classifiers_"))
    listed = [each[1] if isinstance(each, tuple) else each for parts in many for each in _some(parts)]
    if depth < _DEEPEST:
        for part in [*named, *fitted, *listed]:
            if part is not None and not isinstance(part, str):
                yield from _walk(part, depth + 1)


def _some(parts: Any) -> list[Any]:
    """A few of the fitted members: they are of one kind, and the number of them is looked at elsewhere."""
    return list(islice(parts, _WIDEST)) if isinstance(parts, list) else []


def _is_plain(part: Any) -> bool:
    kind = type(part)
    module = kind.__module__
    if not module.startswith("sklearn.") or module.startswith(_SLOW) or kind.__name__ in _RUNS_OTHERS:
        return False
    own = vars(part)
    return own.get("n_jobs") in (None, 1) and not any(map(_is_code_of_user, own.values()))


def _cost(part: Any) -> int:
    """About how many numbers a prediction goes through for each row."""
    own = vars(part)
    trees = own.get("n_estimators", own.get("max_iter", 0) if "_predictors" in own else 0)
    numbers = sum(int(each.size) for each in own.values() if _is_array(each))
    return numbers + (trees * _TREE if isinstance(trees, int) else 0)


def _is_code_of_user(value: Any) -> bool:
    module = getattr(value, "__module__", None) or ""
    return callable(value) and not str(module).startswith(("sklearn.", "numpy", "scipy", "builtins"))


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray
