"""Write `src/nbreg/families/pickles/known.py`: the classes and functions that load for everybody.

    .venv/bin/python tools/known.py            write it
    .venv/bin/python tools/known.py --check    say what would change
    .venv/bin/python tools/known.py --digests  say what is not as it was read

A class comes in by its exact name, if it is nothing but attributes when it is loaded (`surprise`
in `families/pickles/classes.py` asks that of the class itself), and if what uses it checks its bounds: by
numpy, or by a rule in `families/pickles/consistency.py`. Whoever adds one looks at both, and at every
`__setstate__` on the way, which is then named in `READ`. What was looked at and left out stands
below with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections import defaultdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "src" / "nbreg" / "families" / "known.py"

LEFT_OUT = {
    "BisectingKMeans": "it keeps a compiled step of its training, which believes what it is called with",
    "PassiveAggressiveClassifier": "deprecated, by a `__new__` that says so",
    "PassiveAggressiveRegressor": "deprecated, by a `__new__` that says so",
    "PatchExtractor": "it lays strides over memory",
    "SplineTransformer": "compiled code believes the knots and the degree of its splines",
}
HELPERS = {
    "scipy.sparse._csc": "csc_array csc_matrix",
    "scipy.sparse._csr": "csr_array csr_matrix",
    "sklearn._loss.link": "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit",
    "sklearn._loss.loss": "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss "
    "HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss",
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration",
    "sklearn.cluster._birch": "_CFNode _CFSubcluster",
    "sklearn.cluster._hdbscan.hdbscan": "HDBSCAN",
    "sklearn.compose._column_transformer": "make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.binning": "_BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.gaussian_process._gpc": "_BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels": "CompoundKernel ConstantKernel DotProduct ExpSineSquared "
    "Exponentiation Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel",
    "sklearn.impute._iterative": "IterativeImputer",
    "sklearn.metrics._scorer": "_CurveScorer _MultimetricScorer _PassthroughScorer _Scorer",
    "sklearn.model_selection._search_successive_halving": "HalvingGridSearchCV HalvingRandomSearchCV",
    "sklearn.model_selection._split": "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut "
    "PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
    "StratifiedShuffleSplit TimeSeriesSplit",
    "sklearn.multiclass": "_ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
}
LAYERS = {
    "activation": "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid "
    "LogSoftmax Mish MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin "
    "Softplus Softshrink Softsign Tanh Tanhshrink Threshold",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "channelshuffle": "ChannelShuffle",
    "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d",
    "linear": "Bilinear Identity Linear NonDynamicallyQuantizableLinear",
    "normalization": "GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d "
    "ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d "
    "ZeroPad1d ZeroPad2d ZeroPad3d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
    "AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d "
    "MaxPool3d",
    "rnn": "GRU GRUCell LSTM LSTMCell RNN RNNCell",
    "sparse": "Embedding EmbeddingBag",
    "transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder "
    "TransformerEncoderLayer",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}
"""Layers of torch.nn, which hand their tensors to operators that check them; for recurrent ones and attention
`families/pickles/layers.py` checks first. Left out: Fold, Unfold, MaxUnpool and FractionalMaxPool, whose
compiled code was not looked at; lazy, parallel and synchronised layers, no finished models; losses."""
STEPS = {
    "torch._C._nn": "gelu",
    "torch.nn.functional": "celu elu leaky_relu mish relu selu sigmoid silu tanh",
}
"""Functions of a tensor that attention's blocks keep as their activation."""
READ = (
    "sklearn.base.BaseEstimator.__setstate__",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor.__setstate__",
    "sklearn.isotonic.IsotonicRegression.__setstate__",
    "torch.nn.modules.activation.LogSoftmax.__setstate__",
    "torch.nn.modules.activation.MultiheadAttention.__setstate__",
    "torch.nn.modules.activation.Softmax.__setstate__",
    "torch.nn.modules.activation.Softmin.__setstate__",
    "torch.nn.modules.conv._ConvNd.__setstate__",
    "torch.nn.modules.module.Module.__delattr__",
    "torch.nn.modules.module.Module.__setattr__",
    "torch.nn.modules.module.Module.__setstate__",
    "torch.nn.modules.pooling.AvgPool3d.__setstate__",
    "torch.nn.modules.rnn.RNNBase.__setattr__",
    "torch.nn.modules.rnn.RNNBase.__setstate__",
    "torch.nn.modules.transformer.TransformerDecoderLayer.__setstate__",
    "torch.nn.modules.transformer.TransformerEncoderLayer.__setstate__",
    "torch.nn.modules.upsampling.Upsample.__setstate__",
)
"""Each takes the state as attributes, and sets what an older release did not have; the second may also change
an array's type, the third interpolates. A recurrent layer's may name its weights anew, for as many layers
as `families/pickles/layers.py` lets it have. Those that set an attribute are not asked by a state."""

TYPES = "bool dict float int list object set str tuple"
SCALARS = (
    "bool bool_ bytes_ complex128 complex64 datetime64 float16 float32 float64 int16 int32 int64 int8 intc "
    "intp longdouble longlong object_ str_ timedelta64 uint16 uint32 uint64 uint8 uintc uintp ulonglong"
)
REDUCTIONS = "amax amin max mean median min std sum var"
SELECTION = {
    "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
    "sklearn.feature_selection._univariate_selection": "chi2 f_classif f_regression r_regression",
}
SHADOWING = (("LassoLars", "positive"), ("LassoLarsCV", "positive"), ("LassoLarsIC", "positive"))


def estimators() -> dict[str, set[str]]:
    """Every public estimator that is not left out, by module."""
    import pkgutil

    import sklearn
    from sklearn.base import BaseEstimator

    found = defaultdict(set)
    packages = [each.name for each in pkgutil.iter_modules(sklearn.__path__) if not each.name.startswith("_")]
    for package in sorted({*packages, "feature_extraction.text"} - {"conftest", "experimental", "externals"}):
        module = importlib.import_module(f"sklearn.{package}")
        for name in getattr(module, "__all__", vars(module)):
            kind = vars(module).get(name)  # experimental ones are not there until they are enabled
            if not inspect.isclass(kind) or not issubclass(kind, BaseEstimator) or name.startswith("_"):
                continue
            if kind.__module__.startswith("sklearn.") and not inspect.isabstract(kind):
                found[kind.__module__].add(kind.__qualname__)
    return {module: names - set(LEFT_OUT) - {"BaseEstimator"} for module, names in found.items()}


def attributes() -> dict[str, set[str]]:
    """The classes of objects that are nothing but attributes, by module."""
    found = defaultdict(set, estimators())
    for module, names in HELPERS.items():
        found[module] = found[module] | set(names.split())
    for module, names in LAYERS.items():
        found[f"torch.nn.modules.{module}"] = set(names.split())
    return found


def values() -> dict[str, set[str]]:
    """What may stand as a value: types of plain values, and functions that calculate."""
    import numpy as np
    from sklearn.metrics import get_scorer, get_scorer_names

    ufuncs = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    found: dict[str, set[str]] = {
        "builtins": set(TYPES.split()),
        "numpy": {*SCALARS.split(), *REDUCTIONS.split(), *ufuncs},
        **{module: set(names.split()) for module, names in {**SELECTION, **STEPS}.items()},
    }
    for name in get_scorer_names():
        function = get_scorer(name)._score_func
        found.setdefault(function.__module__, set()).add(function.__qualname__)
    return found


def digest(name: str) -> str:
    """That of a function's source."""
    module, kind, method = name.rsplit(".", 2)
    source = inspect.getsource(getattr(getattr(importlib.import_module(module), kind), method))
    return sha256(source.encode()).hexdigest()[:16]


def check(found: dict[str, set[str]]) -> None:
    """Refuse what is more than its attributes."""
    import nbreg.families.pickles.known as known
    from nbreg.families.pickles.classes import surprise

    known.AUDITED = dict.fromkeys(READ, "")
    for module, names in found.items():
        for name in names:
            hook = surprise(getattr(importlib.import_module(module), name))
            if hook:
                raise SystemExit(f"{module}.{name} has a {hook} that was not read: leave it out, or read it")


def table(found: dict[str, set[str]]) -> str:
    """A dictionary as it is written."""
    lines = [
        f'        "{module}": "{" ".join(sorted(found[module]))}",'
        for module in sorted(found)
        if found[module]
    ]
    return "\n".join(lines)


def text() -> str:
    """The whole module."""
    import numpy
    import scipy
    import sklearn
    import torch

    found = attributes()
    check(found)
    libraries = (numpy, scipy, sklearn, torch)
    made = ", ".join(f"{each.__name__} {each.__version__.split('+')[0]}" for each in libraries)
    audited = "\n".join(f'    "{name}": "{digest(name)}",' for name in READ)
    hidden = "\n".join(f'        ("{kind}", "{name}"),' for kind, name in SHADOWING)
    return f'''"""The classes and functions that load for everybody, each by its exact name.

Written by `tools/known.py` from {made}; that file says what comes in.
"""

# fmt: off
# ruff: noqa: E501
from __future__ import annotations

from typing import Final


def _full(modules: dict[str, str]) -> frozenset[str]:
    return frozenset(f"{{module}}.{{name}}" for module, names in modules.items() for name in names.split())


ATTRIBUTES: Final = _full(
    {{
{table(found)}
    }}
)
"""Classes whose objects are nothing but attributes when they are loaded."""

VALUES: Final = _full(
    {{
{table(values())}
    }}
)
"""What may stand as a value where something is called later: it calculates, and does nothing else."""

AUDITED: dict[str, str] = {{
{audited}
}}
"""Every `__setstate__` that was read, with the digest of its source."""

SHADOWING: Final[frozenset[tuple[str, str]]] = frozenset(
    (
{hidden}
    )
)
"""Attributes that honest objects have although their class defines the name, by class."""
'''


def unread() -> list[str]:
    """What of the table is here, and not as it was read."""
    from nbreg.families.pickles import known
    from nbreg.families.pickles.classes import _resolved, surprise

    here = {name: old for name, old in known.AUDITED.items() if find_spec(name.split(".")[0])}
    wrong = [name for name, old in here.items() if digest(name) != old]
    kinds = {name: _resolved(name) for name in known.ATTRIBUTES}
    return wrong + [f"{name}: {surprise(kind)}" for name, kind in kinds.items() if kind and surprise(kind)]


def main(arguments: list[str]) -> Any:
    """Write the table, or compare it."""
    warnings.simplefilter("ignore")
    if "--digests" in arguments:
        return ", ".join(unread()) or None
    new = text()
    if "--check" in arguments:
        return None if TARGET.read_text() == new else "known.py is not what tools/known.py writes: run it"
    TARGET.write_text(new)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
