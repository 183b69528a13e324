"""An environment with older releases, in which a script registers; and how to wait for processes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

SRC = Path(__file__).resolve().parents[2] / "src"
OLD = ["scikit-learn==1.7.2", "numpy==2.3.5", "scipy==1.16.3", "pandas==2.3.3"]
NBREGS = ["tinydb", "msgspec", "cloudpickle"]
PATIENCE = 60.0


# What was downloaded stays with the developer; all else of a test is in a home of its own.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
DOWNLOADS = {
    "UV_SYSTEM_CERTS": "true",  # whom the system believes: a company has authorities of its own
    "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(CACHE / "uv")),
    "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(CACHE / "pip")),
}
REGISTERS = '''
import json, os, signal, sys, warnings
from pathlib import Path
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from nbreg import Registry

registry = Registry(sys.argv[1])
rng = np.random.default_rng(0)
rows = pd.DataFrame({"age": rng.normal(40, 9, 300), "size": rng.normal(size=300)})
rows["city"] = rng.choice(["Ulm", "Köln", "Łódź"], 300)
rows["plan"] = pd.Categorical(rng.choice(["free", "paid"], 300))
label = np.where(rows["age"] + 9 * (rows["city"] == "Ulm") > 42, "stays", "leaves")
columns = make_column_transformer(
    (StandardScaler(), ["age", "size"]), (OneHotEncoder(), ["city", "plan"]), verbose_feature_names_out=False
)
model = make_pipeline(columns, LogisticRegression()).fit(rows, label)
registry.register("churn", model, data={"train": rows}, artifacts={"threshold": 0.5, "weights": np.arange(3.0)})
Path(sys.argv[2], "rows.json").write_text(json.dumps(rows.to_dict("list")))
np.save(sys.argv[2] + "/said.npy", model.predict_proba(rows))


class OddError(Exception):
    """No other environment has this class."""


class Odd:
    """Does what libraries do at their worst."""

    calls = 0

    def predict(self, rows):
        self.calls += 1
        return np.asarray(rows).sum(axis=1)

    def echo(self, value):
        return value

    def shape(self, frame):
        return type(frame).__name__, frame.shape, float(frame.to_numpy()[-1, -1])

    def crash(self):
        print("about to go")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSEGV)

    def fork(self):
        fork = os.fork()
        if not fork:
            while True:
                signal.pause()
        return fork

    def hang(self, begun):
        Path(begun).touch()
        while True:
            pass

    def refuse(self, rows):
        raise ValueError(f"{len(rows)} rows are too few")

    def be_odd(self):
        raise OddError("odd")

    def leave(self):
        raise SystemExit(3)

    def opened(self):
        return open(os.devnull)

    def told(self):
        warnings.warn("that will change", FutureWarning)
        return self

    def pid(self):
        return os.getpid()

    def fit(self, rows):
        raise AssertionError("a version does not change")


registry.register("odd", Odd())

from sklearn.utils import fixes  # what is gone from it here stands for all that moved
fixes.Moved = type("Moved", (), {"__module__": fixes.__name__})
registry.register("moved", fixes.Moved())
'''


class Past(NamedTuple):
    """What somebody made a while ago."""

    registry: Path
    files: Path
    config: Path
    environments: Path


def this_python() -> str:
    return f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"


def asked(past: Past) -> pd.DataFrame:
    """The rows that the model of then was asked about, as a frame of now."""
    rows = pd.DataFrame(json.loads((past.files / "rows.json").read_text()))
    return rows.astype({"plan": "category"})


def comes_true(claim: Callable[[], bool]) -> bool:
    """Whether it does, before patience ends."""
    until = time.monotonic() + PATIENCE
    while not claim() and time.monotonic() < until:
        time.sleep(0.01)
    return claim()


def is_gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
