"""XGBoost's boosters as UBJSON, which every later release reads; the estimator around one stays a pickle."""

from __future__ import annotations

import pickle
import sys
from typing import Any, Final

import msgspec

from nbreg.families import aside, generic
from nbreg.families.taking import Take, digested
from nbreg.records import Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "xgboost"

Opened = generic.Opened
plain_files = generic.plain_files


def claims(value: object) -> bool:
    """Whether it is a booster, or an estimator around one; XGBoost is not imported to find out."""
    library = sys.modules.get("xgboost")
    kinds = tuple(getattr(library, name) for name in ("Booster", "XGBModel") if hasattr(library, name))
    return isinstance(value, kinds)


def dump(name: str, value: object, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Store an estimator or booster; nothing of the booster's is in the stream.

    Raises `CannotStoreError`.
    """
    with aside.taken_out((sys.modules["xgboost"].Booster,), _reduce):
        artifact, parts = generic.dump(name, value, take)
    token = generic.token_of(value, artifact.chunks)
    return msgspec.structs.replace(artifact, family=NAME, token=token), parts


def _reduce(value: Any) -> Any:
    return booster, (pickle.PickleBuffer(bytes(value.save_raw(raw_format="ubj"))),)


def booster(data: generic.Bytes) -> Any:
    """The booster of a UBJSON document; streams call it."""
    library: Any = __import__("xgboost")
    made = library.Booster()
    made.load_model(bytearray(data))
    return made
