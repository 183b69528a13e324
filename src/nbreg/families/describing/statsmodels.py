"""statsmodels: models, and the results of fitting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.families.describing.told import class_name

NAME: Final = "statsmodels"
ROOT: Final = "statsmodels"
DISTRIBUTION: Final = "statsmodels"

_TOLD: Final = (
    "formula",
    "k_constant",
    "k_ar",
    "k_ma",
    "order",
    "seasonal_order",
    "trend",
    "missing",
    "alpha",
)


def params(model: Any) -> dict[str, Any]:
    """What the model was specified with; not the coefficients, which are its weights."""
    specified = _specified(model)
    own = vars(specified)
    found: dict[str, Any] = {name: own[name] for name in _TOLD if own.get(name) is not None}
    if "family" in own and own["family"] is not None:
        found["family"] = type(own["family"]).__name__
        found["link"] = type(own["family"].link).__name__
    return {"model": type(specified).__name__, **found}


def architecture(model: Any) -> dict[str, Any]:
    """The class of the results and of the model."""
    specified = _specified(model)
    part: dict[str, Any] = {"name": "model", "class": class_name(specified)}
    if vars(specified).get("family") is not None:
        family = vars(specified)["family"]
        part["built"] = {"family": type(family).__name__, "link": type(family.link).__name__}
    return {"class": class_name(model), "parts": [part]}


def features(model: Any) -> list[str]:
    """The names of the exogenous variables."""
    return list(_specified(model).exog_names or ())


def width(model: Any) -> int | None:
    """How many exogenous variables there are."""
    return int(_specified(model).exog.shape[1])


def is_outcome(kind: type) -> bool:
    """Whether it is the results of a fit, or the wrapper around them."""
    return any(
        base.__name__ in ("Results", "ResultsWrapper") and base.__module__.startswith("statsmodels.base.")
        for base in kind.__mro__
    )


def is_trained(model: Any) -> bool:
    """Whether it is results: what is fitted stays a specification."""
    return is_outcome(type(model))


def quick_predict(model: Any) -> Callable[[Any], Any] | None:
    """None: a formula runs the names of the namespace that it was written in."""
    return None


def _specified(model: Any) -> Any:
    """The model of results, which stand in a wrapper; a model itself as it is."""
    results = vars(model).get("_results", model)
    return vars(results).get("model", results)
