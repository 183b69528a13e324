"""Each contestant as its own documentation tells to use it: register a model, name it, load it.

Runs in that contestant's environment, so nothing is imported before it is needed. `register`
returns what `load` needs to find the model again; `load` loads what was registered last, by
stage or alias where the contestant has such. `model` is the name that all of it goes by.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

METRICS = {"accuracy": 0.9720279720279721, "auc": 0.9958847736625515}


class Contestant:
    """What all have in common."""

    model = "cancer"

    def name(self, key: str) -> None:
        """Put what was registered last into production, where there is such a thing."""


class Floor(Contestant):
    """`joblib.dump` through sha256, synced, and `joblib.load`: see `floor.py`."""

    def __init__(self, folder: Path) -> None:
        import floor

        self._store, self._folder = floor.store, folder

    def register(self, model: Any) -> str:
        name = f"m{len(list(self._folder.glob('*.json')))}"
        self._store(self._folder, name, model)
        return name

    def load(self, key: str) -> Any:
        import joblib

        return joblib.load(self._folder / f"{key}.joblib")


class Nbreg(Contestant):
    """Everything captured; by stage."""

    def __init__(self, folder: Path) -> None:
        import nbreg

        self._registry = nbreg.Registry(folder / ".nbreg")

    def register(self, model: Any) -> str:
        self._registry.register(self.model, model, metrics=METRICS)
        return ""

    def name(self, key: str) -> None:
        self._registry.promote(f"{self.model}@latest", "production")

    def load(self, key: str) -> Any:
        return self._registry.load(f"{self.model}@production")


class Mlflow(Contestant):
    """SQLite, which is its default without a server; the requirements inferred, as is its default."""

    requirements: list[str] | None = None

    def __init__(self, folder: Path) -> None:
        import logging

        import mlflow.sklearn

        logging.disable(logging.WARNING)
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        if mlflow.get_experiment_by_name("cancer") is None:
            mlflow.create_experiment("cancer", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("cancer")
        self._mlflow = mlflow

    def register(self, model: Any) -> str:
        mlflow = self._mlflow
        given = {"pip_requirements": self.requirements} if self.requirements else {}
        with mlflow.start_run():
            mlflow.log_metrics(METRICS)
            info = mlflow.sklearn.log_model(model, name="model", registered_model_name=self.model, **given)
        return str(info.registered_model_version)

    def name(self, key: str) -> None:
        self._mlflow.MlflowClient().set_registered_model_alias(self.model, "production", key)

    def load(self, key: str) -> Any:
        return self._mlflow.sklearn.load_model(f"models:/{self.model}@production")


class MlflowGiven(Mlflow):
    """The same, the requirements given by hand."""

    requirements = ["scikit-learn==1.9.1", "numpy==2.4.6"]


class Modelstore(Contestant):
    """In a folder; by id."""

    def __init__(self, folder: Path) -> None:
        from modelstore import ModelStore

        self._store = ModelStore.from_file_system(root_directory=str(folder), create_directory=True)

    def register(self, model: Any) -> str:
        return str(self._store.upload(self.model, model=model)["model"]["model_id"])

    def load(self, key: str) -> Any:
        return self._store.load(self.model, key)


class Pins(Contestant):
    """A board in a folder, versioned; the newest."""

    def __init__(self, folder: Path) -> None:
        import pins

        self._board = pins.board_folder(str(folder), versioned=True, allow_pickle_read=True)

    def register(self, model: Any) -> str:
        self._board.pin_write(model, self.model, type="joblib")
        return ""

    def load(self, key: str) -> Any:
        return self._board.pin_read(self.model)


class Vetiver(Pins):
    """The same, through vetiver."""

    def register(self, model: Any) -> str:
        import vetiver

        vetiver.vetiver_pin_write(self._board, vetiver.VetiverModel(model, self.model))
        return ""

    def load(self, key: str) -> Any:
        import vetiver

        return vetiver.VetiverModel.from_pin(self._board, self.model).model


class Bentoml(Contestant):
    """The local model store; by tag."""

    def __init__(self, folder: Path) -> None:
        os.environ["BENTOML_HOME"] = str(folder)
        os.environ["BENTOML_DO_NOT_TRACK"] = "1"
        import bentoml

        self._bentoml = bentoml

    def register(self, model: Any) -> str:
        return str(self._bentoml.sklearn.save_model(self.model, model).tag)

    def load(self, key: str) -> Any:
        return self._bentoml.sklearn.load_model(key)


CONTESTANTS: dict[str, type[Any]] = {
    "floor": Floor,
    "nbreg": Nbreg,
    "mlflow": Mlflow,
    "mlflow, given": MlflowGiven,
    "modelstore": Modelstore,
    "pins": Pins,
    "vetiver": Vetiver,
    "bentoml": Bentoml,
}
