"""Keras with the real library, on whichever backend is here: equal predictions, and training that goes on."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nbreg import Registry, families
from nbreg.errors import DamagedObjectError, TrustError
from nbreg.families.describing import describe
from nbreg.records import Artifact, Chunk, digest_of
from nbreg.settings import Settings

pytest.importorskip("torch", reason="PyTorch, which Keras computes with here, is not installed")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="Keras is not installed here")
layers = keras.layers
X = np.random.default_rng(0).normal(size=(32, 3)).astype("f4")


def trained(model: Any) -> Any:
    model.compile("adam", "mse")
    model.fit(X, X.sum(axis=1), verbose=0, epochs=2)
    return model


def sequential() -> Any:
    middle = [layers.Dense(4, activation="relu"), layers.Dropout(0.2), layers.BatchNormalization()]
    return trained(keras.Sequential([keras.Input((3,)), *middle, layers.Dense(1)]))


def functional() -> Any:
    given = keras.Input((3,))
    wide, deep = layers.Dense(2)(given), layers.Dense(2, activation="tanh")(given)
    return trained(keras.Model(given, layers.Dense(1)(layers.Concatenate()([wide, deep]))))


def coded() -> Any:
    return trained(keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2), layers.Dense(1)]))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


@pytest.mark.parametrize("make", [sequential, functional, coded])
def test_a_model_comes_back(registry: Registry, make: Any) -> None:
    """It predicts the same, goes on training the same, and is the same version again."""
    model = make()
    version = registry.register("net", model)
    loaded = version.load()
    assert version.artifacts["model"].family == "keras"
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    if make is not coded:  # Keras writes the same code in other bytes
        assert registry.register("net", loaded).number == version.number
        assert registry.register("net", make()).number == 2, "its weights were drawn anew"
    assert describe.ask(loaded) == describe.ask(model)
    if make is functional:  # nothing in it is drawn at random
        for each in (model, loaded):
            each.train_on_batch(X, X.sum(axis=1))
        assert np.allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), atol=1e-6)


def test_it_is_described() -> None:
    """What was compiled, and the layers with their sizes."""
    told = describe.ask(sequential())
    assert (told.params["optimizer"], told.params["loss"], told.params["parameters"], told.width) == (
        "Adam",
        "mse",
        37,
        3,
    )
    dense, dropout, *_ = told.architecture["parts"]
    assert (dense["name"], dense["built"], dropout["built"]) == ("dense", {"units": 4}, {"rate": 0.2})
    assert describe.is_trained(sequential())
    assert not describe.is_trained(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))


def test_it_leaves_as_an_archive_of_keras(registry: Registry, tmp_path: Path) -> None:
    """Keras opens it with no nbreg in sight."""
    model = sequential()
    registry.register("net", model)
    registry.pull("net@1", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*.keras")
    assert np.array_equal(keras.saving.load_model(path).predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize(("make", "names"), [(sequential, 1), (coded, 2)])
def test_a_strangers_model_needs_a_word(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, names: int
) -> None:
    """A configuration may name anything, and a Lambda layer is code: that is told."""
    version = registry.register("net", make())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError) as caught:
        version.load(trust=False)
    assert caught.value.untrusted == ("keras.saving.load_model", "code in a Lambda layer")[:names]


def artifact(members: dict[str, bytes], names: Any = None) -> tuple[Artifact, Any]:
    chunks = [Chunk(digest=digest_of(data), size=len(data)) for data in members.values()]
    told = list(members) if names is None else names
    made = Artifact(
        name="m",
        kind="object",
        family="keras",
        form="keras",
        token="0" * 64,
        chunks=chunks,
        facts={"members": told},
    )
    held = {digest_of(data): data for data in members.values()}
    return made, lambda chunk, private=False: held[chunk.digest]


WHOLE = {"config.json": b"{}", "model.weights.h5": b"h5"}
HOSTILE: dict[str, tuple[dict[str, bytes], Any]] = {
    "a member that leaves its folder": ({**WHOLE, "../../x": b"1"}, None),
    "a member with a whole path": ({**WHOLE, "/etc/passwd": b"1"}, None),
    "a member twice": (WHOLE | {"x": b"1"}, ["config.json", "model.weights.h5", "config.json"]),
    "fewer names than parts": (WHOLE, ["config.json"]),
    "names that are none": (WHOLE, [{}, []]),
    "no weights": ({"config.json": b"{}"}, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_parts_that_make_no_archive_are_refused(name: str) -> None:
    """Nothing is written outside the folder that the archive is put together in."""
    with pytest.raises(DamagedObjectError):
        families.open_artifact(*artifact(*HOSTILE[name]))


def test_no_archive_of_a_strangers_is_unpacked() -> None:
    """Its parts are stored unpacked, so there is nothing in it that could be larger than it is."""
    model = sequential()
    dumped = families.dump("m", model)
    assert not any(zipfile.is_zipfile(io.BytesIO(bytes(data))) for _, data in dumped.parts)


class Twice(layers.Layer):  # type: ignore[misc, name-defined]
    """A layer of the user's own."""

    def call(self, x: Any) -> Any:
        return x * 2


def test_a_model_with_a_layer_of_ones_own_is_left_to_a_pickle() -> None:
    """Keras would only name the class, and its code would not travel."""
    model = keras.Sequential([keras.Input((3,)), Twice(), layers.Dense(1)])
    assert families.dump("m", model).artifact.family != "keras"
