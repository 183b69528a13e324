"""LightGBM's boosters as their text, which other releases read; the estimator around one stays a pickle.

Its own pickle holds the text too, between attributes that each release names as it likes. The
text stands in the stream, where whoever registers looks for secrets: it tells the parameters.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import msgspec

from nbreg.families import aside, generic
from nbreg.families.taking import Take, digested
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "lightgbm"

Opened = generic.Opened
plain_files = generic.plain_files

_ALL: Final = -1
_KEPT: Final = ("best_iteration", "best_score", "params", "name_valid_sets", "_train_data_name")
"""What a booster knows besides its trees."""


def claims(value: object) -> bool:
    """Whether it is a booster, or an estimator around one; LightGBM is not imported to find out."""
    library = sys.modules.get("lightgbm")
    kinds = tuple(getattr(library, name) for name in ("Booster", "LGBMModel") if hasattr(library, name))
    return isinstance(value, kinds)


def dump(name: str, value: object, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store an estimator or booster, all of its trees, also those after the best iteration.

    Raises `CannotStoreError`.
    """
    with aside.taken_out((sys.modules["lightgbm"].Booster,), _reduce):
        artifact, parts = generic.dump(name, value, take)
        token = generic.token_of(value, artifact.chunks)  # by the same text
    return msgspec.structs.replace(artifact, family=NAME, token=token), parts


def _reduce(value: Any) -> Any:
    own = vars(value)
    kept = {each: own[each] for each in _KEPT if each in own}
    if "best_score" in kept:
        kept["best_score"] = {name: dict(scores) for name, scores in kept["best_score"].items()}
    return booster, (value.model_to_string(num_iteration=_ALL), kept)


def booster(text: str, kept: dict[str, Any]) -> Any:
    """The booster of a text; streams call it."""
    library: Any = __import__("lightgbm")
    made = library.Booster(model_str=text)
    for name, value in kept.items():
        if name in _KEPT:
            setattr(made, name, value)
    return made
