"""Attacks by numbers alone: what compiled code believes, and what is beyond its memory."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
from assembler import Does, built, called, mapping, named, number, stream, text
from scipy import sparse
from sklearn import cluster, decomposition, ensemble, feature_extraction, neighbors, preprocessing, svm, tree

# By what an array tells the pickler: numpy 2 has them in another place than numpy 1.
_reconstruct, _frombuffer = np.zeros(1).__reduce__()[0], np.zeros(1).__reduce_ex__(5)[0]
scalar = np.float64(1).__reduce__()[0]

X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)

Pickled = tuple[bytes, list[bytes]]
BYTES = b"A" * 8


def dumped(value: Any) -> Pickled:
    buffers: list[pickle.PickleBuffer] = []
    told = pickle.dumps(value, 5, buffer_callback=buffers.append)
    return told, [bytes(each.raw()) for each in buffers]


def alone(data: bytes) -> Pickled:
    return data, []


def changed(model: Any, change: Callable[[Any], Any]) -> Pickled:
    """A fitted model after somebody changed what it is made of."""
    change(model)
    return dumped(model)


def put(name: str, value: Any) -> Callable[[Any], None]:
    return lambda model: setattr(model, name, value(getattr(model, name)) if callable(value) else value)


class Lying:
    """An object that tells the pickler another state than it has."""

    def __init__(self, value: Any, change: Callable[[dict[str, Any]], Any]) -> None:
        make, args, state = value.__reduce__()
        change(state)
        self.told = (make, args, state)

    def __reduce__(self) -> Any:
        return self.told


def lying_tree(change: Callable[[dict[str, Any]], Any]) -> Pickled:
    model = tree.DecisionTreeClassifier(max_depth=3).fit(X, Y)
    model.tree_ = Lying(model.tree_, change)
    return dumped(model)


def node(field: str, value: int, at: int = 0) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state["nodes"] = state["nodes"].copy()
        state["nodes"][field][at] = value

    return change


def histogram(field: str, value: int) -> Pickled:
    model = ensemble.HistGradientBoostingRegressor(max_iter=2).fit(X, X[:, 0])
    model._predictors[0][0].nodes[field][0] = value
    return dumped(model)


def neighbour(position: int, change: Callable[[Any], Any]) -> Pickled:
    model = neighbors.KNeighborsClassifier().fit(X, Y)
    make, args, state = model._tree.__reduce__()
    lie = list(state)
    lie[position] = change(lie[position])
    model._tree = Does(make, *args, state=tuple(lie))
    return dumped(model)


def csr(**fields: Any) -> Pickled:
    matrix = sparse.csr_matrix(np.eye(3))
    vars(matrix).update(fields)
    return dumped(matrix)


def patched(field: str, value: int) -> Pickled:
    """A tree whose numbers are bad when it copies them, and good when somebody looks in the end.

    Bytes that stand in a stream can be changed by it.
    """
    model = tree.DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, X[:, 0])
    whole = pickle.dumps(model.tree_, 5)
    nodes = model.tree_.__getstate__()["nodes"]
    at = nodes.dtype.fields[field][1]
    good = nodes.tobytes()
    bad = good[:at] + value.to_bytes(8, "little") + good[at + 8 :]
    names = [op.name for op, _, place in pickletools.genops(whole) if (place or 0) < whole.index(good)]
    kept = pickle.BINGET + bytes([names.count("MEMOIZE")])
    back = b"".join(number(at + n) + number(good[at + n]) + pickle.SETITEM for n in range(8))
    assert whole[2:3] == pickle.FRAME
    return alone(whole[:2] + whole[11:-1].replace(good, bad) + kept + back + pickle.POP + pickle.STOP)


def array_of(dtype: Any, state: Any = None) -> bytes:
    kind = Does(np.dtype, dtype, False, True, state=state) if state else dtype
    return pickle.dumps(Does(_frombuffer, BYTES, kind, (1,), "C"), 5)


def forest_of_other_trees(model: Any) -> None:
    other = tree.DecisionTreeRegressor().fit(np.hstack([X] * 50), X[:, 0])
    model.estimators_[0, 0] = other


TREE_MODEL = ensemble.GradientBoostingRegressor(n_estimators=2)
FIELD = (3, "|", None, ("f",), {"f": (np.dtype("O"), 0)}, 8, 1, 16)
BEYOND = (3, "|", None, ("f",), {"f": (np.dtype("f8"), 4)}, 8, 1, 16)
MERSENNE = mapping(
    {"bit_generator": text("MT19937"), "state": mapping({"key": pickle.NONE, "pos": number(1 << 30)})}
)


def one_of_many(model: Any) -> None:
    last = model.estimators_[-1]
    last.tree_ = Lying(last.tree_, node("right_child", 1 << 35))


ATTACKS: dict[str, Callable[[], Pickled]] = {
    # arrays
    "an array of pointers": lambda: alone(pickle.dumps(Does(np.ndarray, (1,), "O", BYTES), 5)),
    "a buffer of pointers": lambda: alone(array_of(np.dtype("O"))),
    "a dtype of objects that says it has none": lambda: alone(
        array_of("O8", (3, "|", None, None, None, -1, -1, 0))
    ),
    "a field of objects": lambda: alone(array_of("V8", FIELD)),
    "a field beyond its record": lambda: alone(array_of("V8", BEYOND)),
    "a dtype inside a dtype, without end": lambda: alone(
        stream(called(named("numpy", "dtype"), text("V2147483647"), pickle.NEWFALSE, pickle.NEWTRUE))
    ),
    "a dtype that is an object with one": lambda: alone(
        pickle.dumps(Does(np.dtype, {"names": ["a"], "formats": ["O"]}, False, True), 5)
    ),
    "a dtype of a subarray": lambda: alone(array_of("V8", (3, "|", (np.dtype("f8"), (1 << 20,)), None, None, 8, 1, 0))),
    "an array longer than its bytes": lambda: alone(
        pickle.dumps(Does(_reconstruct, np.ndarray, (0,), b"b", state=(1, (1 << 40,), np.dtype("f8"), False, BYTES)), 5)
    ),
    "a shape that overflows": lambda: alone(
        pickle.dumps(Does(_frombuffer, BYTES, np.dtype("f8"), (1 << 32, 1 << 32), "C"), 5)
    ),
    "a negative shape": lambda: alone(pickle.dumps(Does(_frombuffer, BYTES, np.dtype("f8"), (-1,), "C"), 5)),
    "nothing in a huge shape": lambda: alone(
        pickle.dumps(Does(_frombuffer, b"", np.dtype("f8"), (0, 1 << 62), "C"), 5)
    ),
    "axes that are none": lambda: alone(
        pickle.dumps(Does(_frombuffer, BYTES, np.dtype("f8"), (1,), "K", (5,)), 5)
    ),
    "an array that is changed after it was looked at": lambda: alone(
        stream(
            built(
                called(named(_reconstruct.__module__, "_reconstruct"), named("numpy", "ndarray"), b"K\x00\x85", b"C\x01b"),
                pickle.NONE,
            )
        )
    ),
    "a number with the bytes of another": lambda: alone(pickle.dumps(Does(scalar, np.dtype("f8"), b"123"), 5)),
    "a number that is a pointer": lambda: alone(pickle.dumps(Does(scalar, np.dtype("O"), BYTES), 5)),
    "a position in random numbers beyond them": lambda: alone(
        stream(
            built(
                called(
                    named("numpy.random._pickle", "__bit_generator_ctor"),
                    named("numpy.random._mt19937", "MT19937"),
                ),
                MERSENNE + pickle.NONE + pickle.TUPLE2,
            )
        )
    ),
    # sparse matrices
    "a column beyond a sparse matrix": lambda: csr(indices=np.array([0, 1, 1 << 20], "i4")),
    "a negative column": lambda: csr(indices=np.array([0, 1, -5], "i4")),
    "rows that go backwards": lambda: csr(indptr=np.array([0, 3, 1, 3], "i4")),
    "rows beyond the data": lambda: csr(indptr=np.array([0, 1, 2, 1 << 30], "i4")),
    "a sparse matrix of another shape": lambda: csr(_shape=(1 << 20, 3)),
    "a sparse matrix of objects": lambda: csr(data=np.array([1, 2, 3], object)),
    # trees
    "a tree that is mended after it was made": lambda: patched("left_child", 1 << 40),
    "a child beyond a tree": lambda: lying_tree(node("left_child", 1 << 40)),
    "a child before its parent": lambda: lying_tree(node("left_child", 0)),
    "a negative child": lambda: lying_tree(node("right_child", -7)),
    "a feature beyond the columns": lambda: lying_tree(node("feature", 1 << 30)),
    "more nodes than there are": lambda: lying_tree(lambda state: state.update(node_count=1 << 30)),
    "a tree deeper than it says": lambda: lying_tree(lambda state: state.update(max_depth=0)),
    "values of fewer nodes": lambda: lying_tree(lambda state: state.update(values=state["values"][:1])),
    "a tree without nodes": lambda: alone(
        stream(called(named("sklearn.tree._tree", "Tree"), number(1), pickle.NONE, number(1 << 30)))
    ),
    "a child beyond the last of many trees": lambda: changed(
        ensemble.RandomForestRegressor(30).fit(X, X[:, 0]), one_of_many
    ),
    "a weight outside a module": lambda: alone(
        stream(
            called(named("nbreg.families.modules", "weight"), text("x"), pickle.NEWTRUE, pickle.NEWTRUE)
        )
    ),
    "trees that look at more columns": lambda: changed(
        ensemble.GradientBoostingRegressor(n_estimators=2).fit(X, X[:, 0]), forest_of_other_trees
    ),
    "more outputs than columns": lambda: changed(
        TREE_MODEL.fit(X, X[:, 0]), put("estimators_", lambda old: np.hstack([old] * 9))
    ),
    "a first guess of fewer rows": lambda: changed(
        ensemble.GradientBoostingRegressor(n_estimators=2).fit(X, X[:, 0]), put("init_", preprocessing.FunctionTransformer(np.mean))
    ),
    "a tree that looks at more columns than its model": lambda: changed(
        tree.DecisionTreeRegressor().fit(X, X[:, 0]), put("n_features_in_", 1)
    ),
    "a histogram's child beyond its tree": lambda: histogram("left", 1 << 30),
    "a histogram's feature beyond the columns": lambda: histogram("feature_idx", 1 << 30),
    "a histogram's category that is none": lambda: histogram("is_categorical", 1),
    # neighbours, centres, support vectors, encoders
    "a neighbour beyond the points": lambda: neighbour(1, lambda old: np.full_like(old, 1 << 40)),
    "a node's points beyond the points": lambda: neighbour(2, lambda old: _with(old, "idx_end", 1 << 40)),
    "a leaf that is none": lambda: neighbour(2, lambda old: _with(old, "is_leaf", 0)),
    "levels that are not there": lambda: neighbour(5, lambda old: 30),
    "a label beyond the classes": lambda: changed(
        neighbors.KNeighborsClassifier(algorithm="brute").fit(X, Y), put("_y", lambda old: old + (1 << 40))
    ),
    "fewer labels than points": lambda: changed(
        neighbors.KNeighborsClassifier(algorithm="brute").fit(X, Y), put("_y", lambda old: old[:2])
    ),
    "centres of fewer columns": lambda: changed(
        cluster.KMeans(2).fit(X), put("cluster_centers_", lambda old: old[:, :1].copy())
    ),
    "more support vectors than there are": lambda: changed(
        svm.SVC().fit(X, Y), put("_n_support", lambda old: old + 1000)
    ),
    "coefficients of fewer support vectors": lambda: changed(
        svm.SVC().fit(X, Y), put("_dual_coef_", lambda old: old[:, :1].copy())
    ),
    "another kind of support vector machine": lambda: changed(svm.SVR().fit(X, X[:, 0]), put("_impl", "c_svc")),
    "a category beyond the columns": lambda: changed(
        preprocessing.OneHotEncoder().fit(X.round()), put("_n_features_outs", [1, 1, 1, 1])
    ),
    "categories in no order": lambda: changed(
        preprocessing.OneHotEncoder().fit(X.round()), put("categories_", lambda old: [each[::-1].copy() for each in old])
    ),
    "a word beyond the vocabulary": lambda: changed(
        feature_extraction.text.CountVectorizer().fit(["a few words"]), put("vocabulary_", {"words": 1 << 20})
    ),
    "parts of fewer columns": lambda: changed(
        decomposition.NMF(2).fit(abs(X)), put("components_", lambda old: old[:, :1].copy())
    ),
    "fewer parts than it says": lambda: changed(decomposition.NMF(2).fit(abs(X)), put("_n_components", 50)),
    "topics of fewer words": lambda: changed(
        decomposition.LatentDirichletAllocation(2).fit(abs(X)),
        put("exp_dirichlet_component_", lambda old: old[:, :1].copy()),
    ),
    "fewer norms than subclusters": lambda: changed(
        cluster.Birch().fit(X), put("_subcluster_norms", lambda old: old[:1].copy())
    ),
    "a cluster that is joined before it is there": lambda: changed(
        cluster.HDBSCAN(copy=True).fit(X), put("_single_linkage_tree_", lambda old: _with(old, "left_node", 1 << 40))
    ),
    "a cluster that is joined twice": lambda: changed(
        cluster.HDBSCAN(copy=True).fit(X), put("_single_linkage_tree_", lambda old: _with(old, "left_node", 0))
    ),
    "a label beyond a cache": lambda: changed(
        preprocessing.MultiLabelBinarizer().fit([[1], [2]]), put("_cached_dict", {1: 0, 2: 1 << 20})
    ),
}  # fmt: skip


def _with(nodes: Any, field: str, value: int) -> Any:
    nodes = np.array(nodes)
    nodes[field] = value
    return nodes
