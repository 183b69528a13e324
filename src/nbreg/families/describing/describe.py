"""What is known of a model besides its bytes: its parameters, its build, the features it takes.

Each framework has one file with `claims` and the questions it can answer; `ask` finds the one
for a model by the modules that its classes come from, so that nothing is imported. Answers are
bounded. A question that fails has no answer, and never stops a registration.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple, TypeVar

from nbreg.families.describing import keras, lightgbm, onnx, plainly, sklearn, statsmodels, torch, xgboost
from nbreg.families.describing.told import class_name, told

MOST: Final = 200
"""Entries of parameters that are kept; the last one says how many more there are."""

LONGEST: Final = 1000
"""Characters of a single parameter's text."""

FEATURES: Final = 5_000
"""Feature names that are kept."""

CLASSES: Final = 100
"""Classes that are kept; of more than that, none."""

_USES: Final = ("predict", "transform", "predict_proba", "decision_function")
# The more special ones first: XGBClassifier is an estimator, and a Keras model may be a module of torch.
_FAMILIES: Final[tuple[ModuleType, ...]] = (
    xgboost,
    lightgbm,
    keras,
    torch,
    onnx,
    statsmodels,
    sklearn,
    plainly,
)

T = TypeVar("T")
_class_mro = type.__dict__["__mro__"].__get__
_class_dict = type.__dict__["__dict__"].__get__


class Description(NamedTuple):
    """What a model's family tells of it; empty where it does not know."""

    family: str
    params: dict[str, Any]
    architecture: dict[str, Any]
    features: list[str]
    width: int | None
    """How many features it takes."""
    framework: dict[str, str]
    """The distribution that the model's class is from, and its version."""
    classes: list[Any] = []
    """The classes that a classifier tells apart; empty where they are too many to name."""
    unfitted: bool = False
    """Whether it surely never learned anything."""

    @property
    def record(self) -> dict[str, Any]:
        """All but the parameters, those that say nothing left out."""
        known = {
            "family": self.family,
            "framework": self.framework,
            "architecture": self.architecture,
            "features": self.features,
            "width": self.width,
            "classes": self.classes,
            "unfitted": self.unfitted or None,
        }
        return {name: value for name, value in known.items() if value not in ({}, [], None)}


def ask(model: object) -> Description:
    """All that is known of a model, or of any object."""
    family = _family(model)
    nothing: list[str] = []
    names = _tried(
        lambda: [str(each)[:LONGEST] for each in islice(family.features(model), FEATURES)], nothing
    )
    return Description(
        family=family.NAME,
        params=_tried(lambda: _bounded(family.params(model)), {}),
        architecture=_tried(lambda: told(family.architecture(model)), {}),
        features=told(names),
        width=_tried(lambda: family.width(model), None) or len(names) or None,
        framework=_framework(family, model),
        classes=_tried(lambda: _classes(family, model), []),
        unfitted=is_unfitted(model),
    )


def chosen(model: object, params: Mapping[str, Any]) -> dict[str, Any]:
    """Of a model's parameters those that somebody chose, as far as the family knows the defaults."""
    defaults = getattr(_family(model), "defaults", None)
    known: Mapping[str, Any] = {} if defaults is None else _tried(lambda: defaults(model), {})
    return {name: value for name, value in params.items() if name not in known or known[name] != value}


def _classes(family: ModuleType, model: object) -> list[Any]:
    found = family.classes(model) if hasattr(family, "classes") else []
    return told([_short(each) for each in found]) if len(found) <= CLASSES else []


def is_model(value: object) -> bool:
    """Whether this can be trained and used: judged by its class alone, nothing of it is called or read."""
    kind = type(value)
    if issubclass(kind, type):
        return False
    if torch.is_module(kind):
        return True
    return _offers(kind, "fit") and any(_offers(kind, use) for use in _USES)


def predicts(value: object) -> bool:
    """Whether it makes predictions, rather than preparing data for something that does."""
    return _offers(type(value), "predict") or torch.is_module(type(value))


def is_trained(value: object) -> bool:
    """Whether this is a model that has learned something, as far as its family can tell without running it.

    That of XGBoost, LightGBM and statsmodels is often no model by its class alone: a booster and
    the results of a fit have no `fit`.
    """
    if issubclass(type(value), type):
        return False
    family = _family(value)
    is_outcome = getattr(family, "is_outcome", None)
    if not (is_model(value) or (is_outcome is not None and is_outcome(type(value)))):
        return False
    return _tried(lambda: bool(family.is_trained(value)), False)


def is_unfitted(model: object) -> bool:
    """Whether it surely never learned anything; False also where nobody can tell."""
    return _family(model) is sklearn and _tried(lambda: sklearn.is_unfitted(model), False)


def hides_training(value: object) -> bool:
    """Whether a model may be trained and show no sign of it: then that it changed is the sign."""
    return torch.is_module(type(value))


def quick_predict(model: object) -> Callable[[Any], Any] | None:
    """The function to predict a few rows with, where that changes nothing and takes a moment; else None."""
    family = _family(model)
    found: Callable[[Any], Any] | None = _tried(lambda: family.quick_predict(model), None)
    return found


def predictor(model: object) -> Callable[[Any], Any] | None:
    """What turns rows into outputs, however long it takes and whatever it does; None where there is nothing.

    Only for a process of its own: this is the model's code, and may draw at random or end the process.
    """
    quick = quick_predict(model)
    if quick is not None:
        return quick
    family = _family(model)
    own = getattr(family, "predictor", None)
    if own is not None:
        found: Callable[[Any], Any] | None = _tried(lambda: own(model), None)
        return found
    if isinstance(model, FunctionType):
        return model
    # A table has a `transform`, too, and it does something else.
    uses = _USES if hasattr(model, "fit") else [use for use in _USES if use != "transform"]
    return next((getattr(model, use) for use in uses if hasattr(model, use)), None)


def chances(model: object) -> Callable[[Any], Any] | None:
    """What tells how sure a classifier is of each class; None where there is nothing. As `predictor`."""
    found: Callable[[Any], Any] | None = _tried(lambda: getattr(model, "predict_proba", None), None)
    return found if hasattr(model, "predict") else None


def _family(model: object) -> ModuleType:
    roots = set(_roots(type(model)))
    return next(each for each in _FAMILIES if each is plainly or each.ROOT in roots)


def _roots(kind: type) -> Iterator[str]:
    """The top-level modules of a class and its bases; only those that are loaded, as they must be."""
    for base in _class_mro(kind):
        module = _class_dict(base).get("__module__")
        root = module.partition(".")[0] if type(module) is str else ""
        if root in sys.modules:
            yield root


def _offers(kind: type, use: str) -> bool:
    """Whether the class or one of its bases defines it; a metaclass is not asked."""
    return any(use in _class_dict(base) for base in _class_mro(kind))


def _framework(family: ModuleType, model: object) -> dict[str, str]:
    """By the module's own word: reading metadata would take longer than all else here."""
    distribution = getattr(family, "DISTRIBUTION", "")
    version = getattr(sys.modules.get(getattr(family, "ROOT", "")), "__version__", "")
    known = {"distribution": distribution, "version": version if type(version) is str else ""}
    return {**known, "class": class_name(model)} if distribution else {"class": class_name(model)}


def _bounded(params: Mapping[str, Any]) -> dict[str, Any]:
    kept = {str(name)[:LONGEST]: _short(told(value)) for name, value in islice(params.items(), MOST)}
    if len(params) > MOST:
        kept["…"] = f"{len(params) - MOST} more"
    return {told(name): value for name, value in kept.items()}


def _short(value: Any) -> Any:
    """A value whose text fits; else how long it is."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, list | dict) and _weight(value) > MOST:
        return f"<{type(value).__name__} of {len(value)}>"
    return value


def _weight(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 1 + len(value) // 100 if isinstance(value, str) else 1
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return 1 + sum(_weight(each) for each in islice(inner, MOST + 1))


def _tried(answer: Callable[[], T], otherwise: T) -> T:
    try:
        return answer()
    except Exception:  # a model's own code, or a release that has other attributes
        return otherwise
