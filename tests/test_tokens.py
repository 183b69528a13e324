"""A token tells apart what differs, and does not tell apart what is equal."""

from __future__ import annotations

import cmath
import copy
import dataclasses
import enum
import functools
import math
import operator
import pickle
import socket
import sys
import threading
import typing
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import children
import cloudpickle
import numpy as np
import pytest

from nbreg import Registry
from nbreg.families import local
from nbreg.families.tokens import NoTokenError, token
from nbreg.settings import Settings


def cell(source: str, **names: Any) -> Any:
    """What a notebook cell defines under the name `it`."""
    namespace = {
        "__name__": "__main__", "functools": functools, "dataclasses": dataclasses, "enum": enum,
        "typing": typing, **names,
    }  # fmt: skip
    exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)  # annotations as a cell has them
    return namespace["it"]


def attributed(**attributes: Any) -> Any:
    function = cell("def it(): pass")
    function.__dict__.update(attributes)
    return function


ALIGNED = np.dtype([("a", "i1"), ("b", "i4")], align=True)
GAP = np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 8})
NO_GAP = np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [0], "itemsize": 8})
FIELD = "@dataclasses.dataclass\nclass it:\n x: list = dataclasses.field("
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "types of numbers": (1, 1.0),
    "a truth and a number": (1, True),
    "the sign of zero": (0.0, -0.0),
    "text and bytes": ("a", b"a"),
    "nesting": ([[1], 2], [[1, 2]]),
    "a list and a tuple": ([1], (1,)),
    "order": ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
    "slices": (slice(1, 2), slice(1, 3)),
    "functions of one name": (math.sqrt, cmath.sqrt),
    "such functions inside": (functools.partial(math.sin), functools.partial(cmath.sin)),
    "operators": (operator.pos, operator.index),
    "ufuncs": (np.sin, np.cos),
    "bound methods": ([1].append, [2].append),
    "methods of types": (str.upper, str.lower),
    "a global": (cell("def it(x): return x + K", K=1), cell("def it(x): return x + K", K=2)),
    "a global in nested code": (
        cell("def it(): return [lambda x: x + K]", K=1), cell("def it(): return [lambda x: x + K]", K=2),
    ),
    "a global in a nested class": (
        cell("def it():\n class A:\n  b = K\n return A", K=1),
        cell("def it():\n class A:\n  b = K\n return A", K=2),
    ),
    "a helper": (
        cell("def help(): return 1\ndef it(): return help()"),
        cell("def help(): return 2\ndef it(): return help()"),
    ),
    "a helper's helper": (
        cell("K = 1\ndef more(): return K\ndef help(): return more()\ndef it(): return help()"),
        cell("K = 2\ndef more(): return K\ndef help(): return more()\ndef it(): return help()"),
    ),
    "helpers that use each other": (
        cell("def it(n): return other(n)\ndef other(n): return it(n)"),
        cell("def it(n): return other(n)\ndef other(n): return it(n - 1)"),
    ),
    "a module": (cell("def it(): return m.pi", m=math), cell("def it(): return m.pi", m=cmath)),
    "a method's global": (
        cell("class it:\n def f(self): return K", K=1), cell("class it:\n def f(self): return K", K=2),
    ),
    "an object's class's global": (
        cell("class A:\n def f(self): return K\nit = A()", K=1),
        cell("class A:\n def f(self): return K\nit = A()", K=2),
    ),
    "the else of a try": (
        cell("def it():\n try:\n  a()\n except E:\n  return 1\n else:\n  b()\n"),
        cell("def it():\n try:\n  a()\n  b()\n except E:\n  return 1\n"),
    ),
    "a constant": (cell("def it(): return 1"), cell("def it(): return True")),
    "a default": (cell("def it(x=1): return x"), cell("def it(x=2): return x")),
    "which cell is empty": (
        cell("def f():\n def g(): return a, b\n if 1: a = 1\n else: b = 1\n return g\nit = f()"),
        cell("def f():\n def g(): return a, b\n if 0: a = 1\n else: b = 1\n return g\nit = f()"),
    ),
    "attributes of a function": (attributed(x=1), attributed(x=2)),
    "what is cached": (
        cell("@functools.lru_cache\ndef it(): return 1"), cell("@functools.lru_cache\ndef it(): return 2"),
    ),
    "how it is cached": (
        cell("@functools.lru_cache(1)\ndef it(): return 1"), cell("@functools.lru_cache(2)\ndef it(): return 1"),
    ),
    "a cached property": (
        cell("class it:\n @functools.cached_property\n def x(self): return 1"),
        cell("class it:\n @functools.cached_property\n def x(self): return 2"),
    ),
    "vectorized functions": (np.vectorize(cell("it = lambda x: x")), np.vectorize(cell("it = lambda x: -x"))),
    "a metaclass": (
        cell("class M(type):\n def __call__(cls): return 1\nclass it(metaclass=M): pass"),
        cell("class M(type):\n def __call__(cls): return 2\nclass it(metaclass=M): pass"),
    ),
    "a base": (cell("class it(list): pass"), cell("class it(dict): pass")),
    "an enumeration": (cell("class it(enum.Enum):\n A = 1"), cell("class it(enum.Enum):\n A = 2")),
    "a type variable": (
        cell("T = typing.TypeVar('T', bound=int)\nclass it(typing.Generic[T]): pass"),
        cell("T = typing.TypeVar('T', bound=str)\nclass it(typing.Generic[T]): pass"),
    ),
    "a field's metadata": (cell(f"{FIELD}default=1, metadata={{'a': 1}})"), cell(f"{FIELD}default=1)")),
    "a field's factory": (cell(f"{FIELD}default_factory=list)"), cell(f"{FIELD}default_factory=dict)")),
    "a field's rules": (cell(f"{FIELD}default=1, repr=False)"), cell(f"{FIELD}default=1, compare=False)")),
    "a view's format": (memoryview(b"12345678").cast("d"), memoryview(b"12345678")),
    "a view's shape": (memoryview(b"1234").cast("B", [2, 2]), memoryview(b"1234")),
    "an array's type": (np.zeros(2, "f4"), np.zeros(1, "f8")),
    "an array's shape": (np.zeros((2, 3)), np.zeros((3, 2))),
    "an array's unit": (np.array([1], "M8[s]"), np.array([1], "M8[ns]")),
    "an array's byte order": (np.zeros(2, "<i4"), np.zeros(2, ">i4")),
    "an array's mask": (np.ma.array([1, 2], mask=[False, True]), np.ma.array([1, 2], mask=[True, False])),
    "an array's class": (np.array([1]).view(np.recarray), np.array([1])),
    "objects in an array": (np.array([1, "a"], object), np.array([1, "b"], object)),
    "names of fields with objects": (
        np.array([(1, "a")], [("a", int), ("b", object)]), np.array([(1, "a")], [("x", int), ("y", object)]),
    ),
    "types of fields beside objects": (
        np.array([(1, "a")], [("a", "<i4"), ("b", object)]), np.array([(1, "a")], [("a", "<u4"), ("b", object)]),
    ),
    "alignment": (np.zeros(2, ALIGNED), np.zeros(2, [("a", "i1"), ("b", "i4")])),
    "offsets": (np.zeros(2, GAP), np.zeros(2, NO_GAP)),
    "fields of fields": (np.zeros(2, [("a", "f4", (2,))]), np.zeros(2, [("a", "f4", (1, 2))])),
    "records": (np.zeros(2, "i4,i4"), np.zeros(2, np.dtype((np.record, [("f0", "i4"), ("f1", "i4")])))),
    "a namespace": (SimpleNamespace(a=1), SimpleNamespace(a=2)),
    "a factory": (defaultdict(list), defaultdict(dict)),
    "an annotation": (cell("class it:\n x: int = 1"), cell("class it:\n x: float = 1")),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_has_different_tokens(what: str) -> None:
    """Equal tokens are equal content: the second one would silently not be stored."""
    one, other = DIFFERENT[what]
    assert token(one) != token(other)
    assert within([one, other]) != within([other, one]) or within([one, other]) == "none"


def within(values: list[Any]) -> str:
    """The token of values together; equal code with other globals in one object has none."""
    try:
        return token(values)
    except NoTokenError:
        return "none"


class Kind(enum.Enum):
    """Of this module, whose code may change."""

    A = 1


@dataclasses.dataclass
class Point:
    """The same."""

    x: int = 0
    y: list[int] = dataclasses.field(default_factory=list, metadata={"unit": "m"})

    @functools.cached_property
    def far(self) -> Point:
        return Point(self.x + LIMIT)


LIMIT = 3
SHARED = [1]
RECURSIVE: list[Any] = [1]
RECURSIVE.append(RECURSIVE)
SAME: dict[str, Any] = {
    "plain": {"a": [1, 2.5, "x", None, b"b", True, 1j], "b": ({1, 2}, frozenset("ab"))},
    "collections": [OrderedDict(a=1), deque([1], 3), defaultdict(list, a=[1]), Decimal("1.5"), range(3)],
    "objects": [Point(1, [2]), Kind.A, SimpleNamespace(p=Point())],
    "classes": [Point, Kind, int, np.float64],
    "functions": [math.sqrt, np.sin, functools.partial(max, 1), str.upper, [1].append],
    "arrays": [np.arange(6.0).reshape(2, 3).T, np.array(["a", None], object), np.zeros(2, ALIGNED)],
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_have_equal_tokens(what: str, how: Callable[[Any], Any]) -> None:
    """What was stored and loaded is the same content, and so is a second run of the same cell."""
    assert token(how(SAME[what])) == token(SAME[what])


CELLS = [
    "def it(x): return x + K", "it = lambda x: help(x)", "it = [lambda: 1, lambda: 2, lambda: K]",
    "class it:\n def f(self): return it, K\n def g(self): return super().g()",
    "class A:\n def f(self): return B()\nclass B:\n def f(self): return A()\nit = [A(), B()]",
    f"{FIELD}default_factory=list, metadata={{'a': K}})", "it = functools.lru_cache(help)",
    "def it(n): return other(n)\ndef other(n): return it(n)", "class it(enum.Enum):\n A = K",
]  # fmt: skip


@pytest.mark.parametrize("source", CELLS)
def test_a_cell_that_runs_again_defines_the_same(source: str) -> None:
    """Notebooks are run again and again; only what changed is a new version."""
    source = f"import math\nK = 1\ndef help(x): return math.sqrt(x)\n{source}"
    once, again = cell(source), cell(f"unused = 1\n\n\n{source}")
    assert token(once) == token(again)
    assert token([once]) == token([again])


def test_what_cloudpickle_made_again_is_the_same() -> None:
    """It brings the globals of a function, and only those."""
    function = cell("K = 1\nOTHER = 2\ndef help(x): return K\ndef it(x): return help(x)")
    assert token(cloudpickle.loads(cloudpickle.dumps(function))) == token(function)


ANNOTATED = "class it:\n x: int = 1\n y: list[int]\n def f(self, z: int) -> int: return z"


def test_annotations_travel_with_a_class(registry: Registry) -> None:
    """From Python 3.14 on they are made when somebody asks, which a copy cannot do that nobody asked before."""
    registry = Registry(registry.location, settings=Settings(capture=False))
    first = registry.register("churn", cell(ANNOTATED)())
    script = (
        "registry = Registry(sys.argv[1], settings=QUICK)\nloaded = registry.load('churn@1')\n"
        "print(type(loaded).__annotations__, registry.register('churn', loaded).number)"
    )
    again = children.run(script, registry.location)

    assert again.strip() == f"{{'x': {int}, 'y': {list[int]}}} {first.number}"


def test_who_asks_for_annotations_does_not_change_a_class() -> None:
    """They are kept in the class from then on, in one place or another."""
    for source in (ANNOTATED, "class it: pass", "class it:\n x: NotThere"):
        kind = cell(f"from __future__ import annotations\n{source}" if "Not" in source else source)
        before = token(kind)
        _ = kind.__annotations__
        assert token(kind) == before


@pytest.mark.skipif(sys.version_info < (3, 14), reason="before Python 3.14 the class itself would fail")
def test_annotations_of_what_is_not_there_stop_nothing(registry: Registry) -> None:
    """A class may name what is only there for a type checker."""
    kind = cell("class it:\n x: NotThere")
    assert token(kind) == token(cell("class it:\n x: NotThere")) != token(cell("class it:\n y = 1"))
    assert registry.register("churn", kind()).number == 1


def test_what_contains_itself_has_a_token() -> None:
    """And so have copies of it, and others have others."""
    longer: list[Any] = [1]
    longer.append([1, longer])
    assert token(copy.deepcopy(RECURSIVE)) == token(RECURSIVE) != token(longer)


def test_pickling_does_not_change_a_class() -> None:
    """The pickler leaves notes in the class itself."""
    kind = cell("class it: pass")
    before = token(kind)
    copy.copy(kind())
    assert "__slotnames__" in vars(kind)
    assert token(kind) == before


def test_sharing_is_not_told() -> None:
    """By decision: a token is of values, and whether two equal parts are one object is none."""
    assert token([SHARED, SHARED]) == token([[1], [1]])


def test_equal_code_with_other_globals_in_one_object_has_no_token() -> None:
    """Which of the two has which globals cannot be said by name, so nothing is said."""
    pair = [cell("def it(): return K", K=1), cell("def it(): return K", K=2)]
    with pytest.raises(NoTokenError):
        token(pair)


def test_many_definitions_that_use_each_other_are_walked_once() -> None:
    """As in a package of one's own: along every path, it would never end."""
    uses = ", ".join(f"C{i}" for i in range(60))
    source = "\n".join(f"class C{i}:\n def f(self): return {uses}" for i in range(60))
    assert len(token(cell(f"{source}\nit = C0()"))) == 64
    assert token(cell(f"{source}\nit = C0()")) != token(cell(f"{source}\nit = C1()"))


class Raises:
    """Whose every question is answered with an error."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("no")


class Endless:
    """Tells the pickler of ever new objects."""

    def __reduce__(self) -> Any:
        return list, ([Endless()],)


def counting() -> Iterator[int]:
    yield 1


DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]
ODD: list[Any] = [
    Raises(), Endless(), counting(), threading.Lock(), socket, sys, sys.stdout, lambda: ODD, type, object,
    np.frompyfunc(lambda x: x, 1, 1), np.zeros(2, "V3"), np.array(1), np.zeros(0), np.zeros(2, []), DEEP,
    np.dtype("f8"), ModuleType("made"), property(), staticmethod(len), typing.Any, list[int], int | None,
    typing.TypeVar("T"), typing.ParamSpec("P"), Ellipsis, memoryview(b'abcd')[::2], pytest, cell,
    cell("it = functools.singledispatch(lambda x: x)"), "\udcff", 1 << 5000, token.__code__, super, Raises,
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_objects_have_a_token_or_none(value: object) -> None:
    """Whatever a notebook holds, asking for its token is answered in one of two ways."""
    assert within([value]) == within([value])


def test_the_program_that_runs_is_nobodys_library() -> None:
    """A notebook's `__main__` may carry the file of the program that runs it."""
    module = ModuleType("__main__")
    module.__file__ = f"{local._LIBRARIES[0]}/runner.py"
    assert not local.is_library(module)
    assert not local.is_library(ModuleType("made_up"))
    assert local.is_library(math)
    assert local.is_library(np.linalg)


def test_a_model_whose_helper_changed_is_a_new_version(registry: Registry) -> None:
    """The whole way: it is stored, and not taken for the one before."""
    settings = Settings(capture=False)
    registry = Registry(registry.location, settings=settings)
    first = registry.register("churn", cell("def help(): return 1\ndef it(): return help()"))
    second = registry.register("churn", cell("def help(): return 2\ndef it(): return help()"))
    again = registry.register("churn", cell("def help(): return 1\ndef it(): return help()"))
    assert (first.number, second.number, again.number) == (1, 2, 1)
    assert (first.load()(), second.load()()) == (1, 2)
