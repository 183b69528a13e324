"""Whether the attributes of a known object fit each other where compiled code takes it on trust.

An object that is nothing but attributes runs nothing when it is made. But what predicts with it
may hand its arrays to code that checks no bound: a class per encoder, a point per neighbour, a
column per coefficient. Each rule here holds what that code assumes; the classes for which there
is no rule are used through numpy, which checks, or are not in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nbreg.families.pickles import layers
from nbreg.families.pickles.natives import Neighbours, Tree, check_tree, is_int
from nbreg.families.pickles.standins import Array, Buffer, Instance, must

Rule = Callable[[Instance, Buffer], None]


def check_instance(instance: Instance, buffer: Buffer) -> None:
    """Break off if the object would be used beyond its arrays."""
    # joblib loads what it finds in such a folder
    must(instance.get("memory") is None, f"{instance.name}: a folder to cache in")
    if type(instance.get("tree_")) is Tree:
        must(
            instance.get("n_features_in_") == instance.get("tree_").features, f"{instance.name}: its features"
        )
    if instance.name in layers.RULES:
        layers.RULES[instance.name](instance)
    for suffix, rule in _RULES.items():
        if instance.name.endswith(suffix) and instance.state:
            rule(instance, buffer)


def _array(instance: Instance, name: str, kinds: str, dimensions: int) -> Array:
    found = instance.get(name)
    must(type(found) is Array and found.is_of(kinds, dimensions), f"{instance.name}: its {name}")
    assert isinstance(found, Array)
    return found


def _held(instance: Instance, held: bool, what: str) -> None:
    must(held, f"{instance.name}: its {what}")


# ensembles of trees


def _boosted(instance: Instance, buffer: Buffer) -> None:
    """The trees' outputs are added, unchecked, into an array that the first guess makes."""
    trees = instance.get("estimators_")
    if trees is None:
        return
    _held(instance, type(trees) is Array and trees.filled and len(trees.shape) == 2, "estimators_")
    width = trees.shape[1]
    _held(instance, width == instance.get("n_trees_per_iteration_"), "estimators_")
    _same_features(instance, trees.objects, instance.get("n_features_in_"))
    first, loss = instance.get("init_"), instance.get("_loss")
    kind = loss.name if isinstance(loss, Instance) else ""
    link = loss.get("link") if isinstance(loss, Instance) and kind.startswith("sklearn._loss.loss.") else None
    makes = link.name if isinstance(link, Instance) else ""
    _held(instance, makes.startswith("sklearn._loss.link.") and makes.endswith(("Link", "Logit")), "_loss")
    _held(instance, width == 1 or kind == "sklearn._loss.loss.HalfMultinomialLoss", "_loss")
    if type(first) is str:
        _held(instance, first == "zero", "init_")
        return
    _held(instance, type(first) is Instance and first.get("n_outputs_") == 1, "init_")
    if instance.name.endswith("Regressor"):
        _held(instance, first.name == "sklearn.dummy.DummyRegressor", "init_")
        return
    _held(instance, first.name == "sklearn.dummy.DummyClassifier", "init_")
    _held(instance, first.get("strategy") in ("prior", "most_frequent"), "init_")
    _held(instance, _array(first, "class_prior_", "f", 1).shape == (width if width > 1 else 2,), "init_")


def _isolating(instance: Instance, buffer: Buffer) -> None:
    """Each tree sees so many columns, whichever they are."""
    trees, columns = instance.get("estimators_"), instance.get("estimators_features_")
    if trees is None:
        return
    width = instance.get("_max_features")
    _held(
        instance, type(trees) is list and type(columns) is list and len(trees) == len(columns), "estimators_"
    )
    _same_features(instance, trees, width)
    fits = [type(each) is Array and each.is_of("i", 1) and each.shape == (width,) for each in columns]
    _held(instance, all(fits), "estimators_features_")


def _same_features(instance: Instance, trees: list[Any], features: Any) -> None:
    for each in trees:
        tree = each.get("tree_") if type(each) is Instance else None
        _held(instance, type(tree) is Tree and tree.features == features, "trees")


def _histograms(instance: Instance, buffer: Buffer) -> None:
    predictors = instance.get("_predictors")
    if predictors is None:
        return
    mapper, features = instance.get("_bin_mapper"), instance.get("n_features_in_")
    _held(instance, instance.get("_preprocessor") is None, "_preprocessor, which may give other columns")
    _held(instance, type(mapper) is Instance and is_int(features, 1), "_bin_mapper")
    categorical = _array(mapper, "is_categorical_", "u", 1).real(buffer)
    _held(instance, type(predictors) is list and len(categorical) == features, "_predictors")
    for stage in predictors:
        _held(instance, type(stage) is list, "_predictors")
        _held(instance, len(stage) == instance.get("n_trees_per_iteration_"), "_predictors")
        for predictor in stage:
            _held(instance, type(predictor) is Instance, "_predictors")
            _histogram_tree(predictor, categorical, buffer)


def _histogram_tree(predictor: Instance, categorical: Any, buffer: Buffer) -> None:
    nodes = _array(predictor, "nodes", "V", 1).real(buffer)
    bitsets = _array(predictor, "raw_left_cat_bitsets", "u", 2)
    wanted = {"left", "right", "is_leaf", "feature_idx", "is_categorical", "bitset_idx"}
    _held(predictor, wanted <= set(nodes.dtype.names or ()) and bitsets.shape[1] == 8, "nodes")
    leaves = nodes["is_leaf"] != 0
    _held(predictor, len(nodes) > 0, "nodes")
    check_tree(nodes["left"].astype("i8"), nodes["right"].astype("i8"), leaves, None)
    inner = nodes[~leaves]
    feature = inner["feature_idx"]
    _held(predictor, bool(((feature >= 0) & (feature < len(categorical))).all()), "features")
    by_set = inner[inner["is_categorical"] != 0]
    _held(predictor, bool((categorical[by_set["feature_idx"]] != 0).all()), "categories")
    _held(predictor, bool((by_set["bitset_idx"] < bitsets.shape[0]).all()), "categories")


# neighbours, centres, support vectors


def _near(instance: Instance, buffer: Buffer) -> None:
    if instance.get("_fit_X") is None:
        return
    shape = _shape(instance, "_fit_X")
    _held(instance, shape[1] == instance.get("n_features_in_"), "_fit_X")
    _held(instance, shape[0] == instance.get("n_samples_fit_"), "n_samples_fit_")
    tree = instance.get("_tree")
    _held(instance, tree is None or (type(tree) is Neighbours and tree.shape == shape), "_tree")
    _held(instance, (tree is None) == (instance.get("_fit_method") == "brute"), "_fit_method")
    labels, classes = instance.get("_y"), instance.get("classes_")
    if type(classes) is Array:
        _held(instance, type(labels) is Array and labels.is_of("i", 1), "_y")
        _held(instance, labels.shape[0] == shape[0], "_y")
        numbers = labels.real(buffer)
        _held(instance, bool(((numbers >= 0) & (numbers < classes.shape[0])).all()), "_y")


def _shape(instance: Instance, name: str) -> tuple[int, int]:
    """Of an array, or of a sparse matrix, which has rules of its own."""
    found = instance.get(name)
    shape = found.get("_shape") if type(found) is Instance else getattr(found, "shape", None)
    _held(instance, type(shape) is tuple and len(shape) == 2, name)
    assert isinstance(shape, tuple)
    return shape


def _centres(instance: Instance, buffer: Buffer) -> None:
    if instance.get("cluster_centers_") is None:
        return
    centres = _array(instance, "cluster_centers_", "f", 2)
    _held(instance, centres.shape[1] == instance.get("n_features_in_"), "cluster_centers_")
    _held(instance, is_int(instance.get("_n_threads"), 1, 4096), "_n_threads")
    counts = instance.get("_counts")
    _held(instance, counts is None or getattr(counts, "shape", None) == centres.shape[:1], "_counts")


def _subclusters(instance: Instance, buffer: Buffer) -> None:
    """The nearest one is found by compiled code, which takes a norm for each."""
    if instance.get("subcluster_centers_") is None:
        return
    centres = _array(instance, "subcluster_centers_", "f", 2)
    norms, labels = _array(instance, "_subcluster_norms", "f", 1), instance.get("subcluster_labels_")
    _held(instance, centres.shape[1] == instance.get("n_features_in_"), "subcluster_centers_")
    _held(instance, norms.shape == centres.shape[:1], "_subcluster_norms")
    _held(instance, getattr(labels, "shape", None) == centres.shape[:1], "subcluster_labels_")


def _linked(instance: Instance, buffer: Buffer) -> None:
    """Each row joins two that stand before it, and none is joined twice."""
    import numpy as np

    if instance.get("_single_linkage_tree_") is None:
        return
    rows = _array(instance, "_single_linkage_tree_", "V", 1).real(buffer)
    _held(instance, {"left_node", "right_node"} <= set(rows.dtype.names or ()), "_single_linkage_tree_")
    joined = np.stack([rows["left_node"], rows["right_node"]]).astype("i8")
    _held(instance, bool((joined < len(rows) + 1 + np.arange(len(rows))).all()), "_single_linkage_tree_")
    each = np.array_equal(np.sort(joined, axis=None), np.arange(2 * len(rows)))
    _held(instance, each, "_single_linkage_tree_")


def _parts_of(name: str, count: str = "") -> Rule:
    """What rows are made up of again, by compiled descent over arrays of one size."""

    def rule(instance: Instance, buffer: Buffer) -> None:
        if instance.get(name) is None:
            return
        parts = _array(instance, name, "f", 2)
        _held(instance, parts.shape[1] == instance.get("n_features_in_"), name)
        _held(instance, not count or parts.shape[0] == instance.get(count), count)

    return rule


def _supported(instance: Instance, buffer: Buffer) -> None:
    if instance.get("support_vectors_") is None:
        return
    kernel = instance.get("kernel")
    plain = type(kernel) is str and kernel in ("linear", "poly", "rbf", "sigmoid")
    _held(instance, plain and instance.get("_sparse") is False, "kernel, or sparse support vectors")
    vectors, weights = _array(instance, "support_vectors_", "f", 2), _array(instance, "_dual_coef_", "f", 2)
    count, classes = vectors.shape[0], _array(instance, "_n_support", "i", 1)
    pairs = classes.shape[0] * (classes.shape[0] - 1) // 2
    _held(instance, vectors.shape[1] == instance.get("n_features_in_"), "support_vectors_")
    _held(instance, weights.shape == (classes.shape[0] - 1, count) and pairs > 0, "_dual_coef_")
    _held(instance, _array(instance, "support_", "i", 1).shape == (count,), "support_")
    _held(instance, _array(instance, "_intercept_", "f", 1).shape == (pairs,), "_intercept_")
    probabilities = {_array(instance, name, "f", 1).shape for name in ("_probA", "_probB")}
    _held(instance, probabilities in ({(0,)}, {(pairs,)}), "_probA")
    if instance.name.endswith("SVC"):
        numbers = classes.real(buffer)
        _held(instance, bool((numbers >= 0).all()) and int(numbers.sum()) == count, "_n_support")
        _held(instance, _array(instance, "classes_", "biufSU", 1).shape == classes.shape, "classes_")


# what makes sparse matrices: a column beyond the last one is written outside their memory


def _sparse(instance: Instance, buffer: Buffer) -> None:
    shape = instance.get("_shape")
    _held(instance, type(shape) is tuple and len(shape) == 2 and all(is_int(each) for each in shape), "shape")
    rows, columns = shape if "._csr." in instance.name else shape[::-1]
    starts, indices = _array(instance, "indptr", "i", 1), _array(instance, "indices", "i", 1)
    data = _array(instance, "data", "biufc", 1)
    _held(instance, starts.shape == (rows + 1,) and indices.shape == data.shape, "indptr")
    at = starts.real(buffer)
    _held(instance, bool(at[0] == 0 and (at[1:] >= at[:-1]).all() and at[-1] <= data.shape[0]), "indptr")
    held = indices.real(buffer)
    _held(instance, bool(((held >= 0) & (held < columns)).all()), "indices")


def _one_hot(instance: Instance, buffer: Buffer) -> None:
    categories = instance.get("categories_")
    if categories is None:
        return
    _held(instance, not instance.get("_infrequent_enabled"), "groups of infrequent categories")
    _held(instance, type(categories) is list, "categories_")
    for each in categories:
        _held(instance, type(each) is Array and each.filled and len(each.shape) == 1, "categories_")
        _sorted(instance, each, buffer)
    sizes = [each.shape[0] for each in categories]
    for name in ("drop_idx_", "_drop_idx_after_grouping"):
        dropped = _dropped(instance, name, sizes)
    wanted = [size - (drop is not None) for size, drop in zip(sizes, dropped, strict=True)]
    _held(instance, instance.get("_n_features_outs") == wanted, "_n_features_outs")


def _dropped(instance: Instance, name: str, sizes: list[int]) -> list[Any]:
    found = instance.get(name)
    if found is None:
        return [None] * len(sizes)
    dropped = found.objects if type(found) is Array else []
    _held(instance, len(dropped) == len(sizes), name)
    fits = [drop is None or is_int(drop, 0, size - 1) for drop, size in zip(dropped, sizes, strict=True)]
    _held(instance, all(fits), name)
    return dropped


def _sorted(instance: Instance, categories: Array, buffer: Buffer) -> None:
    """A number is found among the categories by bisection, a string by a dictionary."""
    import numpy as np

    assert categories.dtype is not None
    if categories.dtype.spec[0] == "O":
        return
    _held(instance, categories.dtype.spec[0] in "biufSU", "categories_")
    values = categories.real(buffer)
    if values.dtype.kind == "f" and len(values) and np.isnan(values[-1]):
        values = values[:-1]
    _held(instance, bool((values[:-1] < values[1:]).all()), "categories_")


def _vocabulary(instance: Instance, buffer: Buffer) -> None:
    for name in ("vocabulary_", "_cached_dict"):
        found = instance.get(name)
        if found is None:
            continue
        _held(instance, type(found) is dict and all(is_int(each) for each in found.values()), name)
        _held(instance, sorted(found.values()) == list(range(len(found))), name)


_RULES: Final[dict[str, Rule]] = {
    "._gb.GradientBoostingClassifier": _boosted,
    "._gb.GradientBoostingRegressor": _boosted,
    "._iforest.IsolationForest": _isolating,
    ".HistGradientBoostingClassifier": _histograms,
    ".HistGradientBoostingRegressor": _histograms,
    ".KNeighborsClassifier": _near,
    ".KNeighborsRegressor": _near,
    ".RadiusNeighborsClassifier": _near,
    ".RadiusNeighborsRegressor": _near,
    ".NearestNeighbors": _near,
    ".KNeighborsTransformer": _near,
    ".RadiusNeighborsTransformer": _near,
    ".LocalOutlierFactor": _near,
    "._kmeans.KMeans": _centres,
    "._kmeans.MiniBatchKMeans": _centres,
    "._birch.Birch": _subclusters,
    ".HDBSCAN": _linked,
    "._nmf.NMF": _parts_of("components_", "_n_components"),
    "._nmf.MiniBatchNMF": _parts_of("components_", "_n_components"),
    "._dict_learning.DictionaryLearning": _parts_of("components_"),
    "._dict_learning.MiniBatchDictionaryLearning": _parts_of("components_"),
    "._lda.LatentDirichletAllocation": _parts_of("exp_dirichlet_component_"),
    "._classes.SVC": _supported,
    "._classes.NuSVC": _supported,
    "._classes.SVR": _supported,
    "._classes.NuSVR": _supported,
    "._classes.OneClassSVM": _supported,
    "._csr.csr_matrix": _sparse,
    "._csr.csr_array": _sparse,
    "._csc.csc_matrix": _sparse,
    "._csc.csc_array": _sparse,
    ".OneHotEncoder": _one_hot,
    ".MultiLabelBinarizer": _vocabulary,
    ".CountVectorizer": _vocabulary,
    ".TfidfVectorizer": _vocabulary,
    ".DictVectorizer": _vocabulary,
}
