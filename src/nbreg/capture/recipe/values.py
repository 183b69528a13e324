"""A look at an object: its digest by value, what it shares with others, which names its functions read.

Nothing of the user's runs: what an object holds is read from its own dictionary and slots, and
only types of known libraries are asked for their state. The look keeps ids and bytes, never an
object. What cannot be seen, or only beyond the budget, is *opaque*: it may change unseen.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any, Final, NamedTuple

from nbreg.capture.recipe import frames
from nbreg.capture.recipe.digests import Buffer, digest, digest_array, digest_buffer, digest_flat, plain
from nbreg.capture.recipe.kinds import KINDS
from nbreg.capture.recipe.known import ASKED, IMMUTABLE, SHOWN
from nbreg.capture.recipe.libraries import is_library
from nbreg.capture.recipe.objects import (
    ITERATORS,
    OfCode,
    class_members,
    global_names,
    has_own_state,
    held,
    holds_more,
    is_constant,
    is_empty_type,
    is_filled,
    widely_reached,
)

MOST_NODES: Final = 50_000
MOST_SECONDS: Final = 0.05
"""Of the processor, for one look: a recipe does not depend on what else the machine does."""
MOST_BYTES: Final = 1 << 30
DEEPEST: Final = 150
_OPAQUE_NODES: Final = 400


_codes: Final = OfCode[bytes]()
"""Digests: the functions of a local module are looked at with every cell that uses it."""


class Look(NamedTuple):
    """What was seen of one object at one moment."""

    token: bytes
    reach: frozenset[int]
    """Ids of the objects and buffers in it that can change."""
    names: frozenset[str]
    """Names of the namespace that its functions read."""
    libraries: frozenset[str]
    opaque: str = ""
    """The type that hides something, or why the look ended early."""
    seconds: float = 0.0
    is_bounded: bool = True
    """Whether `reach` is all that is reached; where it is not, anything may be shared."""


class Looker:
    """Looks at objects of one namespace; what arrays hold is digested once per Looker."""

    def __init__(self, namespace: Mapping[str, object], *, seconds: float = 1.0) -> None:
        self.namespace = namespace
        self.buffers: dict[tuple[Any, ...], bytes] = {}
        self.deadline = time.perf_counter() + seconds
        """By the wall, when even the next look is given up: the budget of all looks together."""

    def look(self, value: object) -> Look:
        """Look at an object; never raises an `Exception`."""
        start = time.thread_time()
        walk = _Walk(self, start + MOST_SECONDS)
        bounded = True
        try:
            token = walk.digest(value)
        except Exception as error:  # the budget is spent, or a type answers in an unforeseen way
            walk.hide(
                str(error) if type(error) is _Enough else f"{type(value).__name__}: {type(error).__name__}"
            )
            token, bounded = b"", widely_reached(value, walk.reach, self.namespace)
        spent = time.thread_time() - start
        found = frozenset(walk.reach), frozenset(walk.names), frozenset(walk.libraries)
        return Look(token, *found, walk.opaque, spent, bounded)


class _Enough(Exception):  # noqa: N818 - not an error
    """The budget is spent."""


class _Walk:
    """One walk; shared objects are visited once, cycles are counted back as in `families.tokens`."""

    def __init__(self, looker: Looker, deadline: float) -> None:
        self._looker = looker
        self._deadline = deadline
        self._known: dict[int, bytes] = {}
        self._alive: list[object] = []
        self._path: dict[int, int] = {}
        self._lowest = DEEPEST
        self._nodes = 0
        self._bytes = 0
        self._limit = MOST_NODES
        self.reach: set[int] = set()
        self.names: set[str] = set()
        self.libraries: set[str] = set()
        self.opaque = ""

    def hide(self, why: str) -> None:
        self.opaque = self.opaque or why

    def _is_late(self) -> bool:
        return time.thread_time() > self._deadline or time.perf_counter() > self._looker.deadline

    def digest(self, value: object) -> bytes:
        simple = plain(value)
        if simple is not None:
            return simple
        key = id(value)
        if key in self._known:
            return self._known[key]
        if key in self._path:
            self._lowest = min(self._lowest, self._path[key])
            return b"^%d" % (len(self._path) - self._path[key])
        return self._enter(key, value)

    def _enter(self, key: int, value: object) -> bytes:
        self._nodes += 1
        depth = len(self._path)
        if self._nodes > self._limit or depth >= DEEPEST:
            raise _Enough("too large to look through")
        if self._nodes % 64 == 0 and self._is_late():
            raise _Enough("too large to look through")
        outer, self._lowest = self._lowest, DEEPEST
        self._path[key] = depth
        self._alive.append(value)  # so that no id is used twice during the walk
        result = self._structure(value)
        del self._path[key]
        if self._lowest >= depth:
            self._known[key] = result
            self._lowest = outer
        else:
            self._lowest = min(outer, self._lowest)
        return result

    # by kind

    def _structure(self, value: Any) -> bytes:
        kind = type(value)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value)
        if issubclass(kind, type):
            return self._class(value)
        module = kind.__module__ if type(kind.__module__) is str else ""
        root = module.partition(".")[0]
        self.libraries.add(root)
        if root in SHOWN:
            return digest("shown", kind.__qualname__.encode())
        if kind.__name__ == "cython_function_or_method":  # arrow's own make its arrays
            return digest("wrapper", f"{value.__module__}.{value.__qualname__}".encode())
        if kind in ITERATORS:
            self.reach.add(id(value))
            return self._all("iterator", value.__reduce__())
        return self._instance(value, kind, root)

    def all(self, tag: str, values: Any) -> bytes:
        return digest(tag, *[self.digest(each) for each in values])

    _all = all

    def flat(self, values: list[Any] | tuple[Any, ...]) -> bytes:
        """A list's elements, at the speed of C where they are plain."""
        if len(values) > 32 and (quick := digest_flat(values)) is not None:
            self._nodes += len(values) // 256
            return quick
        if len(values) > self._limit - self._nodes:
            raise _Enough("too large to look through")
        return self._all("items", values)

    def _list(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return digest("list", self.flat(value))

    def _tuple(self, value: Any) -> bytes:
        return digest("tuple", self.flat(value))

    def _dict(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return digest("dict", self.flat(list(dict.keys(value))), self.flat(list(dict.values(value))))

    def _set(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return digest("set", *sorted(self.digest(each) for each in value))

    def _bytearray(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return digest("bytearray", self.buffer(value))

    def _memoryview(self, value: Any) -> bytes:
        self.reach |= {id(value), id(value.obj)}
        return digest("memoryview", self.buffer(value.tobytes()))

    def buffer(self, data: Buffer) -> bytes:
        self.spend(len(data))
        return digest_buffer(data)

    def spend(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES or (size > 1 << 20 and time.perf_counter() > self._looker.deadline):
            raise _Enough("too many bytes to look at")

    def _array(self, array: Any) -> bytes:
        self.libraries.add("numpy")
        self.reach.add(frames.root_of(array))  # not the array itself: it may be a passing view
        if array.dtype.hasobject:
            return digest("objects", repr(array.shape).encode(), self.flat(array.ravel().tolist()))
        place = array.__array_interface__
        key = (place["data"][0], array.shape, array.strides, str(array.dtype))
        known = self._looker.buffers
        if key not in known:
            self.spend(array.nbytes)
            if array.nbytes > 1 << 16:
                self._deadline += array.nbytes / 1e9  # bytes have a budget of their own
            known[key] = digest_array(array)
        return known[key]

    def _function(self, function: Any) -> bytes:
        name = f"{function.__module__}.{function.__qualname__}"
        if is_library(function.__module__):
            self.libraries.add(str(function.__module__).partition(".")[0])
            return digest("name", name.encode())
        self.reach.add(id(function))
        cells = tuple(cell.cell_contents for cell in function.__closure__ or () if is_filled(cell))
        parts: list[Any] = [name, function.__code__, function.__defaults__, function.__kwdefaults__, cells]
        if function.__globals__ is self._looker.namespace:
            self.names |= global_names(function.__code__)
        else:
            elsewhere = function.__globals__
            self.reach.add(id(sys.modules.get(function.__module__)))
            parts += [
                elsewhere[each] for each in sorted(global_names(function.__code__)) if each in elsewhere
            ]
        if function.__dict__:
            parts.append(function.__dict__)
        return self._all("function", parts)

    def _code(self, code: Any) -> bytes:
        known = _codes.of(code)
        if known is not None:
            return known
        found = self._all(
            "code",
            (code.co_name, code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars,
             code.co_flags, code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount),
        )  # fmt: skip
        if is_constant(code.co_consts):
            _codes.remember(code, found)
        return found

    def _method(self, method: Any) -> bytes:
        return self._all("method", (method.__func__, method.__self__))

    def _builtin(self, function: Any) -> bytes:
        owner = getattr(function, "__self__", None)
        if owner is None or type(owner) is ModuleType:
            self.libraries.add(str(function.__module__).partition(".")[0])
            return digest("name", f"{function.__module__}.{function.__qualname__}".encode())
        return digest("method", function.__name__.encode(), self.digest(owner))

    def _partial(self, value: Any) -> bytes:
        return self._all("partial", (value.func, value.args, value.keywords))

    def _module(self, module: Any) -> bytes:
        name = str(module.__name__)
        self.libraries.add(name.partition(".")[0])
        if is_library(name) or vars(module) is self._looker.namespace:
            return digest("module", name.encode())
        self.reach.add(id(module))
        members = {key: each for key, each in list(vars(module).items()) if not key.startswith("__")}
        return digest(
            "local module", name.encode(), self.flat(list(members)), self._all("", members.values())
        )

    def _class(self, cls: Any) -> bytes:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if is_library(cls.__module__):
            self.libraries.add(str(cls.__module__).partition(".")[0])
            return digest("name", name.encode())
        self.reach.add(id(cls))
        members = class_members(cls)
        return self._all("class", (name, *cls.__bases__, *members))

    def _generator(self, value: Any) -> bytes:
        self.reach.add(id(value))
        frame = value.gi_frame
        where = -1 if frame is None else frame.f_lasti
        self._function_names(value.gi_code)
        return self._all("generator", (value.gi_code, where, *gc.get_referents(value)))

    def _function_names(self, code: CodeType) -> None:
        self.names |= global_names(code)

    def _cached(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return self._all("lru_cache", (value.__wrapped__, tuple(value.cache_info())))

    def _random(self, value: Any) -> bytes:
        self.reach.add(id(value))
        return self._all("random", random.Random.getstate(value))

    # instances

    def _instance(self, value: Any, kind: type, root: str) -> bytes:
        if root == "pandas" and (told := frames.parts(value)) is not None:
            self.reach |= told.reach
            return self._all(kind.__qualname__, told.values)
        if root == "numpy" and kind.__mro__[-2].__name__ == "generic":
            return digest("scalar", kind.__name__.encode(), value.tobytes())
        own = self._own_state(value, kind, root)
        if own is not None:
            return own
        parts: list[bytes] = [self._class(kind)]
        if content := self._content(value, kind):
            parts.append(content)
        attributes = held(value, kind)
        if not content and not attributes and kind.__dictoffset__ == 0 and not is_empty_type(kind):
            return self._hidden(value, kind)
        if not content and root not in ASKED and holds_more(kind):
            self.hide(f"{kind.__module__}.{kind.__qualname__}")
        self.reach.add(id(value))
        for key, each in attributes.items():
            if not (root == "pandas" and key == "_cache"):
                parts += [str(key).encode(), self.digest(each)]
        return digest("object", *parts)

    def _content(self, value: Any, kind: type) -> bytes:
        """What a subclass of a built-in type holds as that type."""
        array = getattr(sys.modules.get("numpy"), "ndarray", None)
        if array is not None and issubclass(kind, array):
            return self._array(value)
        for base, handler in _BASES:
            if issubclass(kind, base):
                return handler(self, value)
        return b""

    def _own_state(self, value: Any, kind: type, root: str) -> bytes | None:
        """What a type of a known library tells of itself; None where its attributes are all there is."""
        if root == "numpy" and kind.__name__ in ("Generator", "RandomState"):
            bits = value._bit_generator
            return self._passing(kind.__name__, (type(bits).__name__, bits.state), {id(value), id(bits)})
        if root not in ASKED or not has_own_state(kind):
            return None
        try:
            told = value.__reduce_ex__(4)
        except Exception:
            return self._hidden(value, kind)
        if isinstance(told, str):
            return digest("name", told.encode())
        made, arguments, state, items, pairs = (*told, None, None, None)[:5]
        if kind.__name__ in ("KDTree", "KDTree64", "BallTree", "BallTree64") and type(state) is tuple:
            state = state[:7] + state[11:]  # the rest counts how often it was asked
        parts = (
            made,
            arguments,
            state,
            tuple(items or ()),
            tuple(each for pair in pairs or () for each in pair),
        )
        return self._passing("reduced", parts, set() if root in IMMUTABLE else {id(value)})

    def _passing(self, tag: str, values: Any, own: set[int]) -> bytes:
        """Of values made for this look alone: their ids mean nothing afterwards."""
        before = set(self.reach)
        result = self._all(tag, values)
        self.reach = before | own
        return result

    def _hidden(self, value: Any, kind: type) -> bytes:
        """What is inside cannot be seen; what it refers to is still looked for."""
        self.hide(f"{kind.__module__}.{kind.__qualname__}")
        self.reach.add(id(value))
        limit, self._limit = self._limit, min(self._limit, self._nodes + _OPAQUE_NODES)
        path, lowest = dict(self._path), self._lowest
        try:
            for each in gc.get_referents(value):
                if not issubclass(type(each), type | ModuleType):
                    self.digest(each)
        except _Enough:
            self._path, self._lowest = path, lowest
        finally:
            self._limit = limit
        return digest("opaque", kind.__qualname__.encode())


_Handler = Callable[[_Walk, Any], bytes]
_HANDLERS: Final[dict[type, _Handler]] = {
    list: _Walk._list,
    tuple: _Walk._tuple,
    dict: _Walk._dict,
    set: _Walk._set,
    frozenset: _Walk._set,
    bytearray: _Walk._bytearray,
    memoryview: _Walk._memoryview,
    FunctionType: _Walk._function,
    CodeType: _Walk._code,
    MethodType: _Walk._method,
    BuiltinFunctionType: _Walk._builtin,
    partial: _Walk._partial,
    ModuleType: _Walk._module,
    GeneratorType: _Walk._generator,
    FrameType: lambda walk, value: digest("frame"),
    random.Random: _Walk._random,
    type(lru_cache(lambda: None)): _Walk._cached,
    MappingProxyType: lambda walk, value: walk.all(
        "proxy", [each for pair in value.items() for each in pair]
    ),
    range: lambda walk, value: digest("range", repr(value).encode()),
    slice: lambda walk, value: walk.all("slice", (value.start, value.stop, value.step)),
    type([].__len__): lambda walk, value: digest("wrapper", value.__name__.encode()),
    type(str.join): lambda walk, value: digest("wrapper", value.__qualname__.encode()),
}


_BASES: Final[list[tuple[type, _Handler]]] = [
    (dict, _Walk._dict),
    (list, lambda walk, value: digest("list", walk.flat(list(list.__iter__(value))))),
    (tuple, lambda walk, value: digest("tuple", walk.flat(list(tuple.__iter__(value))))),
    (set, lambda walk, value: digest("set", *sorted(walk.digest(each) for each in set.__iter__(value)))),
    (
        frozenset,
        lambda walk, value: digest("set", *sorted(walk.digest(e) for e in frozenset.__iter__(value))),
    ),
    (str, lambda walk, value: digest("str", str.encode(value, "utf-8", "surrogatepass"))),
    (bytes, lambda walk, value: digest("bytes", bytes.__getitem__(value, slice(None)))),
    (int, lambda walk, value: digest("int", int.__repr__(value).encode())),
    (float, lambda walk, value: digest("float", float.__repr__(value).encode())),
    (BaseException, lambda walk, value: walk.all("exception", value.args)),
]


def register(kind: type, handler: _Handler) -> None:
    """Teach the walk a type of a library that is loaded by now."""
    _HANDLERS.setdefault(kind, handler)


def teach() -> None:
    """Know the types of those libraries that the user has loaded; cheap when called again."""
    numpy = sys.modules.get("numpy")
    kind = getattr(numpy, "ndarray", None)
    if kind is not None and kind not in _HANDLERS:
        register(kind, _Walk._array)
    for module, name, handler in KINDS:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and kind not in _HANDLERS:
            register(kind, handler)
