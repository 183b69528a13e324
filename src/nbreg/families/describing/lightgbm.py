"""LightGBM: its scikit-learn estimators, and the booster itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.families.describing import sklearn
from nbreg.families.describing.told import class_name

NAME: Final = "lightgbm"
ROOT: Final = "lightgbm"
DISTRIBUTION: Final = "lightgbm"


def params(model: Any) -> dict[str, Any]:
    """`get_params()`; of a booster what it was trained with."""
    return sklearn.params(model) if hasattr(type(model), "get_params") else dict(model.params)


def architecture(model: Any) -> dict[str, Any]:
    """The class and the number of trees."""
    booster = _booster(model)
    trees = {} if booster is None else {"trees": booster.num_trees()}
    return {"class": class_name(model), **trees}


def classes(model: Any) -> list[Any]:
    """The classes that a classifier tells apart."""
    return sklearn.classes(model) if hasattr(type(model), "get_params") else []


def features(model: Any) -> list[str]:
    """The booster's feature names; LightGBM makes some up where it was given none."""
    booster = _booster(model)
    names = [] if booster is None else list(booster.feature_name())
    return [] if names == [f"Column_{each}" for each in range(len(names))] else names


def width(model: Any) -> int | None:
    """How many features the booster has."""
    booster = _booster(model)
    return None if booster is None else int(booster.num_feature())


def is_outcome(kind: type) -> bool:
    """Whether it is a booster, which training returns."""
    return kind.__name__ == "Booster"


def is_trained(model: Any) -> bool:
    """Whether there is a booster with a tree in it."""
    booster = _booster(model)
    return booster is not None and booster.num_trees() > 0


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: it predicts with threads of its own."""
    return None


def _booster(model: Any) -> Any:
    return vars(model).get("_Booster") if hasattr(type(model), "get_params") else model
