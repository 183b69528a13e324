"""XGBoost: its scikit-learn estimators, and the booster itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.families.describing import sklearn
from nbreg.families.describing.told import class_name

NAME: Final = "xgboost"
ROOT: Final = "xgboost"
DISTRIBUTION: Final = "xgboost"


def params(model: Any) -> dict[str, Any]:
    """Those that were set, since XGBoost's own are None; of a booster its attributes."""
    if hasattr(type(model), "get_params"):
        return {name: value for name, value in sklearn.params(model).items() if value is not None}
    return {**model.attributes(), "rounds": model.num_boosted_rounds()}


def architecture(model: Any) -> dict[str, Any]:
    """The class, and what is boosted how often."""
    tree: dict[str, Any] = {"class": class_name(model)}
    if hasattr(type(model), "get_booster"):
        tree["booster"] = vars(model).get("booster") or "gbtree"
    if _is_fitted(model):
        tree["rounds"] = _booster(model).num_boosted_rounds()
    return tree


def classes(model: Any) -> list[Any]:
    """The classes that a classifier tells apart."""
    return sklearn.classes(model) if hasattr(type(model), "get_params") else []


def features(model: Any) -> list[str]:
    """The booster's feature names; none where it was trained on bare arrays."""
    return list(_booster(model).feature_names or ()) if _is_fitted(model) else []


def width(model: Any) -> int | None:
    """How many features the booster has."""
    return int(_booster(model).num_features()) if _is_fitted(model) else None


def is_outcome(kind: type) -> bool:
    """Whether it is a booster, which training returns."""
    return kind.__name__ == "Booster"


def is_trained(model: Any) -> bool:
    """Whether there is a booster with a round in it."""
    return _is_fitted(model) and _booster(model).num_boosted_rounds() > 0


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: a booster configures itself at its first prediction, and starts threads."""
    return None


def _booster(model: Any) -> Any:
    return model.get_booster() if hasattr(type(model), "get_booster") else model


def _is_fitted(model: Any) -> bool:
    return not hasattr(type(model), "get_booster") or vars(model).get("_Booster") is not None
