"""Objects of compiled classes: what they are filled with is looked at, number by number.

Compiled code believes its arrays. A tree whose node names a child beyond the last one is read
outside its memory, so the numbers are held to what an honest model can have before anything is
made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.families.pickles.standins import (
    Array,
    Buffer,
    Filled,
    Made,
    NamedType,
    OddError,
    Scalar,
    is_named,
    must,
)

_MOST: Final = 1 << 31


def is_int(value: Any, least: int = 0, most: int = _MOST) -> bool:
    """Whether it is a plain integer between these."""
    return type(value) is int and least <= value <= most


class Tree(Filled):
    """A decision tree of scikit-learn: each node after the first has one parent, which stands before it."""

    __slots__ = ("classes", "features", "outputs")

    def __init__(self, args: tuple[Any, ...]) -> None:
        must(len(args) == 3 and is_int(args[0]) and is_int(args[2], 1, 100_000), "the sizes of a Tree")
        must(
            type(args[1]) is Array and args[1].is_of("i", 1) and args[1].shape == (args[2],),
            "a Tree's classes",
        )
        super().__init__(args)
        self.features, self.classes, self.outputs = args

    def checked(self, state: Any) -> Any:
        must(type(state) is dict and set(state) >= {"max_depth", "node_count", "nodes", "values"}, "a Tree")
        nodes, values, count = state["nodes"], state["values"], state["node_count"]
        must(is_int(count, 1) and is_int(state["max_depth"]), "the sizes of a Tree")
        must(type(nodes) is Array and nodes.is_of("V", 1) and nodes.shape == (count,), "the nodes of a Tree")
        must(type(values) is Array and values.is_of("f", 3), "the values of a Tree")
        must(values.shape[:2] == (count, self.outputs), "the values of a Tree")
        return dict(state)

    def check(self, buffer: Buffer) -> None:
        must(self.state is not None, "a Tree without its nodes")
        classes = self.classes.real(buffer)
        must(
            bool((classes >= 1).all()) and self.state["values"].shape[2] == classes.max(), "a Tree's classes"
        )
        nodes = self.state["nodes"].real(buffer)
        names = ("left_child", "right_child", "feature")
        must(all(name in (nodes.dtype.names or ()) for name in names), "the nodes of a Tree")
        left, right, feature = (nodes[name].astype("i8") for name in names)
        check_tree(left, right, left == -1, self.state["max_depth"])
        inner = left != -1
        must(bool(((feature >= 0) & (feature < self.features))[inner].all()), "a Tree's features")
        must(bool((right[~inner] == -1).all()), "a Tree's leaves")


def check_tree(left: Any, right: Any, leaves: Any, depth: int | None) -> None:
    """Nodes that make one tree from the first node on, no deeper than it says."""
    import numpy as np

    parents = np.flatnonzero(~leaves)
    children = np.concatenate([left[parents], right[parents]])
    must(bool((children > np.concatenate([parents, parents])).all()), "a tree's children")
    must(np.array_equal(np.sort(children), np.arange(1, len(left))), "a tree's children")
    if depth is None:
        return
    level = np.zeros(1, "i8")
    for _ in range(min(depth, len(left)) + 1):
        level = level[~leaves[level]]
        level = np.concatenate([left[level], right[level]])
        if not len(level):
            return
    raise OddError("a tree's depth")


class Metric(Filled):
    """A distance of scikit-learn without weights."""

    __slots__ = ()

    def checked(self, state: Any) -> Any:
        must(type(state) is tuple and len(state) == 3 and type(state[0]) is float, "a distance")
        must(type(state[1]) is Array and state[1].is_of("f", 1), "a distance")
        must(type(state[2]) is Array and state[2].is_of("f", 2), "a distance")
        return state


class Neighbours(Filled):
    """A k-d tree or ball tree of scikit-learn, which is a full binary tree over its points."""

    __slots__ = ("bounds",)

    def __init__(self, bounds: int) -> None:
        super().__init__()
        self.bounds = bounds

    @property
    def shape(self) -> tuple[int, ...]:
        """Points and dimensions."""
        return self.state[0].shape if self.state else ()

    def checked(self, state: Any) -> Any:
        must(type(state) is tuple and len(state) == 13, "a tree of neighbours")
        points, order, nodes, bounds = state[:4]
        must(all(type(each) is Array for each in state[:4]), "a tree of neighbours")
        must(points.is_of("f", 2) and order.is_of("i", 1) and nodes.is_of("V", 1), "a tree of neighbours")
        must(all(is_int(each) for each in state[4:11]) and type(state[11]) is Metric, "a tree of neighbours")
        must(state[12] is None and order.shape == points.shape[:1], "a tree of neighbours")
        count = nodes.shape[0]
        must(is_int(state[5], 1, 40) and state[6] == count == 2 ** state[5] - 1, "a tree of neighbours")
        must(bounds.is_of("f", 3) and bounds.shape == (self.bounds, count, points.shape[1]), "its bounds")
        return state

    def check(self, buffer: Buffer) -> None:
        import numpy as np

        must(self.state is not None and self.state[11].state is not None, "a tree of neighbours")
        points, count = self.state[0].shape[0], self.state[6]
        must(np.array_equal(np.sort(self.state[1].real(buffer)), np.arange(points)), "its points")
        nodes = self.state[2].real(buffer)
        must(set(nodes.dtype.names or ()) >= {"idx_start", "idx_end", "is_leaf"}, "its nodes")
        start, end = nodes["idx_start"], nodes["idx_end"]
        must(bool(((start >= 0) & (start <= end) & (end <= points)).all()), "its nodes")
        must(bool((nodes["is_leaf"][count // 2 :] != 0).all()), "its leaves")


class Seeds(Filled):
    """numpy's SeedSequence."""

    __slots__ = ()

    def checked(self, state: Any) -> Any:
        must(type(state) is tuple and len(state) == 5 and is_int(state[1]), "a SeedSequence")
        entropy, _, pool, size, key = state
        numbers = entropy if type(entropy) is list else [0 if entropy is None else entropy]
        must(all(type(each) is Scalar or is_int(each, 0, 1 << 4096) for each in numbers), "a SeedSequence")
        must(type(pool) is Array and pool.is_of("u", 1) and is_int(size, 4, 4096), "a SeedSequence")
        must(
            pool.shape == (size,) and type(key) is tuple and all(is_int(each) for each in key),
            "a SeedSequence",
        )
        return state


class Bits(Filled):
    """One of numpy's bit generators."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def checked(self, state: Any) -> Any:
        must(type(state) is tuple and len(state) == 2, "a bit generator")
        must(state[1] is None or type(state[1]) is Seeds, "a bit generator")
        return _bits(state[0], self.kind, ()), state[1]


def _bits(state: Any, kind: str, more: tuple[str, ...]) -> Any:
    must(type(state) is dict and state.get("bit_generator") == kind, "a bit generator")
    inner = state.get("state")
    must(type(inner) is dict, "a bit generator")
    if kind == "MT19937":
        must(set(state) == {"bit_generator", "state", *more} and set(inner) == {"key", "pos"}, kind)
        must(
            type(inner["key"]) is Array and inner["key"].is_of("u", 1) and inner["key"].shape == (624,), kind
        )
        must(is_int(inner["pos"], 0, 624), kind)
    else:
        must(set(state) == {"bit_generator", "state", "has_uint32", "uinteger"}, kind)
        must(is_int(state["has_uint32"], 0, 1) and is_int(state["uinteger"], 0, (1 << 32) - 1), kind)
        must(set(inner) == {"state", "inc"}, kind)
        must(all(is_int(each, 0, (1 << 128) - 1) for each in inner.values()), kind)
    return {**state, "state": dict(inner)}  # as it is now, whatever is done to the dictionary afterwards


class Legacy(Filled):
    """numpy's RandomState."""

    __slots__ = ()

    def checked(self, state: Any) -> Any:
        state = _bits(state, "MT19937", ("has_gauss", "gauss"))
        must(is_int(state["has_gauss"], 0, 1) and type(state["gauss"]) is float, "a RandomState")
        return state


class Generator(Filled):
    """numpy's Generator, which is its bit generator."""

    __slots__ = ()


_BIT_CLASSES: Final = {
    "numpy.random._mt19937.MT19937": "MT19937",
    "numpy.random._pcg64.PCG64": "PCG64",
    "numpy.random._pcg64.PCG64DXSM": "PCG64DXSM",
}
_TREES: Final = {"_kd_tree.KDTree": 2, "_ball_tree.BallTree": 1}
_METRICS: Final = ("EuclideanDistance64", "ManhattanDistance64", "ChebyshevDistance64")
_DISTANCES: Final = "sklearn.metrics._dist_metrics."
_MULTINOMIAL: Final = "sklearn._loss._loss.CyHalfMultinomialLoss"
_LOSSES: Final = {
    "sklearn._loss._loss.CyAbsoluteError": 0,
    "sklearn._loss._loss.CyExponentialLoss": 0,
    "sklearn._loss._loss.CyHalfBinomialLoss": 0,
    "sklearn._loss._loss.CyHalfGammaLoss": 0,
    "sklearn._loss._loss.CyHalfPoissonLoss": 0,
    "sklearn._loss._loss.CyHalfSquaredError": 0,
    "sklearn._loss._loss.CyHalfTweedieLoss": 1,
    "sklearn._loss._loss.CyHalfTweedieLossIdentity": 1,
    "sklearn._loss._loss.CyHuberLoss": 1,
    "sklearn._loss._loss.CyPinballLoss": 1,
    "sklearn.linear_model._sgd_fast.EpsilonInsensitive": 1,
    "sklearn.linear_model._sgd_fast.Hinge": 1,
    "sklearn.linear_model._sgd_fast.ModifiedHuber": 0,
    "sklearn.linear_model._sgd_fast.SquaredEpsilonInsensitive": 1,
    "sklearn.linear_model._sgd_fast.SquaredHinge": 1,
}

ARGUMENTS: Final = (
    *_BIT_CLASSES,
    *(f"sklearn.neighbors.{each}" for each in _TREES),
    *(_DISTANCES + each for each in _METRICS),
    "numpy.random.bit_generator.SeedSequence",
    _MULTINOMIAL,
)
"""Classes that are told to the functions which make their objects."""


def _loss(numbers: int) -> Callable[[tuple[Any, ...]], Made]:
    def check(args: tuple[Any, ...]) -> Made:
        must(len(args) == numbers and all(type(each) in (float, int) for each in args))
        return Made()

    return check


def _multinomial(args: tuple[Any, ...]) -> Made:
    must(len(args) == 3 and is_named(args[0], _MULTINOMIAL) and type(args[1]) is int)
    must(args[2] is None or args[2] == ())
    return Stateless()


class Stateless(Filled):
    """What has nothing to be filled with, and is."""

    __slots__ = ()

    def checked(self, state: Any) -> Any:
        must(type(state) is tuple and not state, "an empty state")
        return state


def _new_neighbours(name: str) -> Callable[[tuple[Any, ...]], Neighbours]:
    def check(args: tuple[Any, ...]) -> Neighbours:
        must(len(args) == 1 and is_named(args[0], f"sklearn.neighbors.{name}"))
        return Neighbours(_TREES[name])

    return check


def _new_metric(args: tuple[Any, ...]) -> Metric:
    must(len(args) == 1 and any(is_named(args[0], _DISTANCES + each) for each in _METRICS))
    return Metric()


def _bit_generator(args: tuple[Any, ...]) -> Bits:
    must(len(args) == 1 and isinstance(args[0], NamedType) and args[0].name in _BIT_CLASSES)
    return Bits(_BIT_CLASSES[args[0].name])


def _seeds(args: tuple[Any, ...]) -> Seeds:
    must(len(args) == 3 and is_named(args[0], "numpy.random.bit_generator.SeedSequence"))
    must(type(args[1]) is int and args[2] is None)
    return Seeds()


def _random_state(args: tuple[Any, ...]) -> Legacy:
    must(len(args) == 1 and type(args[0]) is Bits and args[0].kind == "MT19937")
    return Legacy(args)


def _generator(args: tuple[Any, ...]) -> Generator:
    must(len(args) == 1 and type(args[0]) is Bits)
    return Generator(args)


CALLS: Final[dict[str, Callable[[tuple[Any, ...]], Any]]] = {
    "sklearn.tree._tree.Tree": Tree,
    "sklearn.neighbors._kd_tree.newObj": _new_neighbours("_kd_tree.KDTree"),
    "sklearn.neighbors._ball_tree.newObj": _new_neighbours("_ball_tree.BallTree"),
    "sklearn.metrics._dist_metrics.newObj": _new_metric,
    "numpy.random._pickle.__bit_generator_ctor": _bit_generator,
    "numpy.random._pickle.__randomstate_ctor": _random_state,
    "numpy.random._pickle.__generator_ctor": _generator,
    "numpy.random.bit_generator.__pyx_unpickle_SeedSequence": _seeds,
    "sklearn._loss._loss.__pyx_unpickle_CyHalfMultinomialLoss": _multinomial,
    **{name: _loss(numbers) for name, numbers in _LOSSES.items()},
}
"""Functions and compiled classes that are called, each by its exact name."""
