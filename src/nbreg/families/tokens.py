"""The digest of an object by value: equal objects, equal tokens, whatever their bytes.

Pickle bytes are no identity: they tell apart two equal strings that are or are not the same
object. A token is the digest of a tree: plain values by themselves, arrays by type, shape and
elements, functions and classes of the notebook by their code and the globals that it uses, local
modules by what is in them, everything else by what it tells the pickler of itself. Two different
values never share a token, short of a sha256 collision; two equal ones may have different tokens
where a class tells more of itself than its value. Sharing is not told: `[x, x]` and two equal
lists in a list are the same.
"""

from __future__ import annotations

import copyreg
import pickle
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from nbreg.families import tabling
from nbreg.families.buffers import Known, content_in, gathered
from nbreg.families.local import Importing, is_library, is_local, late_modules, local_modules

_BOOKKEEPING: Final = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__slotnames__",
        "__doc__",
        "__module__",
        "__firstlineno__",
        "__static_attributes__",
        "_abc_impl",
        "__annotations_cache__",
        "__annotate_func__",
        "__conditional_annotations__",
    ]
)

_OWN: Final = "nbreg"
_LENGTH: Final = struct.Struct("<Q").pack
_OF_A_DIGEST: Final = _LENGTH(sha256().digest_size)
_COPIED: Final = 64 * 1024
_SHORT: Final = 100

_NOTHING: Final[Known] = {}

MOST_NODES: Final = 50_000
DEEPEST: Final = 200


class NoTokenError(Exception):
    """The object is too large, too deep, or does not tell its value."""


def token(value: object, known: Known = _NOTHING, *, most_nodes: int = MOST_NODES) -> str:
    """The object's token, 64 hex digits; arrays whose elements' digest is known are not read again.

    Asks the object what it would tell the pickler, so code of its class may run. Raises `NoTokenError`.
    """
    try:
        return _Walk(most_nodes, known).token(value).hex()
    except NoTokenError:
        raise
    except Exception as error:
        raise NoTokenError(f"{type(error).__name__} from {type(value).__qualname__}") from error


def _hash(tag: str, *parts: bytes) -> bytes:
    """Each part with its length before it, so that no two lists of parts look the same."""
    pieces = [tag.encode(), b"\0"]
    for part in parts:
        pieces.append(_LENGTH(len(part)))
        if len(part) > _COPIED:
            return _hash_in_place(pieces, parts)
        pieces.append(part)
    return sha256(b"".join(pieces)).digest()


def _hash_digests(tag: str, digests: Iterable[bytes]) -> bytes:
    """`_hash` of parts that are digests: nearly all of a tree's nodes are made of them."""
    return sha256(tag.encode() + b"\0" + _OF_A_DIGEST.join([b"", *digests])).digest()


def _hash_in_place(pieces: list[bytes], parts: tuple[bytes, ...]) -> bytes:
    """The same of parts that are too large to be copied."""
    hasher = sha256(pieces[0] + pieces[1])
    for part in parts:
        hasher.update(_LENGTH(len(part)))
        hasher.update(part)
    return hasher.digest()


@lru_cache(maxsize=4096)
def _hash_text(text: str) -> bytes:
    """That of a short text: the names of attributes and parameters come again in every model."""
    return _hash("str", text.encode("utf-8", "surrogatepass"))


class _Walk:
    """One walk over an object's tree; shared objects are visited once, cycles are counted back."""

    def __init__(self, most_nodes: int, contents: Known) -> None:
        self._most = most_nodes
        self._contents = contents
        self._known: dict[int, bytes] = {}
        self._alive: list[object] = []  # so that no id is used twice during the walk
        self._path: dict[int, int] = {}
        self._lowest = DEEPEST
        self._nodes = 0
        self._local: dict[str, ModuleType] | None = (
            None  # once: there are thousands of modules to look through
        )
        self._unbound: list[tuple[bytes, Any]] = []
        self._bound: dict[bytes, list[tuple[bytes, bytes]]] = {}

    def token(self, value: object) -> bytes:
        """The digest of a value together with what its functions find in their globals."""
        root = self.digest(value)
        while self._unbound:
            self._bind(*self._unbound.pop())
        if not self._bound:
            return root
        world = [part for key in sorted(self._bound) for pair in self._bound[key] for part in (key, *pair)]
        return _hash("world", root, *world)

    def _bind(self, key: bytes, holder: Any) -> None:
        """Note what a function uses, or a module holds. It stands beside the tree: in it, functions
        that use each other would be walked along every path between them."""
        if type(holder) is ModuleType:
            found = vars(holder)
            names = sorted(name for name in found if not (name.startswith("__") and name.endswith("__")))
        else:
            found = holder.__globals__
            names = [name for name in _globals_used(holder.__code__) if name in found]
        bound = [(_hash_text(name), self.digest(found[name])) for name in names]
        if type(holder) is not ModuleType:
            if self._local is None:
                self._local = local_modules()
            late = late_modules(holder, self._local)
            bound += [(_hash("import", name.encode()), self._module(each)) for name, each in late.items()]
        if self._bound.setdefault(key, bound) != bound:
            raise NoTokenError("two functions of the same code, or modules of one name, that differ")

    def digest(self, value: object) -> bytes:
        plain = _plain(value)
        if plain is not None:
            return plain
        key = id(value)
        if key in self._known:
            return self._known[key]
        if key in self._path:
            self._lowest = min(self._lowest, self._path[key])
            return _hash("cycle", struct.pack("<q", len(self._path) - self._path[key]))
        return self._enter(key, value)

    def _enter(self, key: int, value: object) -> bytes:
        self._nodes += 1
        depth = len(self._path)
        if self._nodes > self._most or depth >= DEEPEST:
            raise NoTokenError("too large or too deep")
        outer, self._lowest = self._lowest, DEEPEST
        self._path[key] = depth
        result = self._structure(value)
        del self._path[key]
        if self._lowest >= depth:  # nothing inside points above: the digest stands by itself
            self._known[key] = result
            self._alive.append(value)
            self._lowest = outer
        else:
            self._lowest = min(outer, self._lowest)
        return result

    def _structure(self, value: object) -> bytes:
        kind = type(value)
        if kind is list or kind is tuple:
            return self._all(kind.__name__, value)
        if kind is dict:
            return self._all("dict", chain.from_iterable(value.items()))  # type: ignore[attr-defined]
        if kind is set or kind is frozenset:
            return _hash_digests(kind.__name__, sorted(map(self.digest, value)))  # type: ignore[call-overload]
        if kind is bytearray or kind is memoryview:
            shape = () if kind is bytearray else (value.format, value.shape)  # type: ignore[attr-defined]
            return _hash(kind.__name__, bytes(value), self.digest(shape))  # type: ignore[call-overload]
        if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
            return self._array(value)
        if kind.__name__ in ("Tensor", "Parameter", "Buffer") and kind.__module__.startswith("torch"):
            return self._tensor(value)
        if kind.__name__ == "Booster" and kind.__module__ == "xgboost.core":
            return _hash("booster", bytes(value.save_raw(raw_format="ubj")))  # type: ignore[attr-defined]
        if kind is FunctionType:
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if kind is ModuleType:
            return self._module(value)  # type: ignore[arg-type]
        if kind is Importing:
            return _hash("name", b"importlib.import_module")
        if kind is CodeType:
            return self._code(value)
        return self._reduced(value)

    def _all(self, tag: str, values: Any) -> bytes:
        return _hash_digests(tag, map(self.digest, values))

    def _array(self, array: Any) -> bytes:
        dtype = array.dtype
        if dtype.names is not None:  # field by field: the padding between them is nobody's value
            fields = [(name, array[name]) for name in dtype.names]
            return self._all(
                "fields", (array.shape, _layout(dtype), *(part for pair in fields for part in pair))
            )
        if dtype.hasobject:
            return self._all("array", (dtype.str, array.shape, array.tolist()))
        shape = struct.pack(f"<{array.ndim}q", *array.shape)
        # As it is stored: an array in Fortran's order comes back in it, and another one adds up otherwise.
        order = (b"F",) if array.flags.f_contiguous and not array.flags.c_contiguous else ()
        content = content_in(self._contents, array) or _content(array.T if order else array)
        return _hash("array", dtype.str.encode(), shape, content, *order)

    def _tensor(self, tensor: Any) -> bytes:
        """By its numbers: not by the device that they are on, nor by the memory that they are a view of."""
        torch: Any = sys.modules["torch"]
        if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_quantized:
            return self._reduced(tensor)
        still = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
        content = sha256(memoryview(still.view(torch.uint8).numpy())).digest() if still.numel() else b""
        told = (type(tensor).__name__, str(tensor.dtype), tuple(tensor.shape), tensor.requires_grad, content)
        return self._all("tensor", (*told, tensor.__dict__))

    def _function(self, function: Any) -> bytes:
        name = f"{function.__module__}.{function.__qualname__}"
        if importable(function):
            return _hash("name", name.encode())
        cells = [(cell.cell_contents,) if _is_filled(cell) else () for cell in function.__closure__ or ()]
        key = self._all(
            "function",
            (name, function.__code__, function.__defaults__, function.__kwdefaults__, cells,
             function.__dict__),
        )  # fmt: skip
        self._unbound.append((key, function))
        return key

    def _module(self, module: ModuleType) -> bytes:
        key = _hash("module", module.__name__.encode())
        if is_local(module.__name__, module):
            self._unbound.append((key, module))
        return key

    def _code(self, code: Any) -> bytes:
        return self._all(
            "code",
            (code.co_name, code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars,
             code.co_cellvars, code.co_exceptiontable, code.co_flags, code.co_argcount,
             code.co_kwonlyargcount, code.co_posonlyargcount),
        )  # fmt: skip

    def _class(self, cls: Any) -> bytes:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if importable(cls):
            return _hash("name", name.encode())
        own = {**vars(cls), "__annotations__": own_annotations(cls)}
        members = {key: _member(key, each) for key, each in sorted(own.items()) if _tells(key, each)}
        return self._all("class", (name, type(cls), *cls.__bases__, members))

    def _reduced(self, value: object) -> bytes:
        kind = type(value)
        reducer = copyreg.dispatch_table.get(kind) or tabling.reducers().get(kind)
        told: Any = reducer(value) if reducer else value.__reduce_ex__(4)
        if isinstance(told, str):
            return self._named(value, told)
        made, args, state, items, pairs, setter = (*told, None, None, None, None)[:6]
        listed = None if items is None else list(items)
        mapped = None if pairs is None else [part for pair in pairs for part in pair]
        parts = (kind, made, args, state, listed, mapped)
        return self._all("object", parts if setter is None else (*parts, setter))

    def _named(self, value: Any, name: str) -> bytes:
        """That of what is only a name to the pickler: the name tells it in a library, and nowhere else."""
        # Of what says where it is, Python 3.14 asks whether it is really there.
        home = getattr(value, "__module__", None) or pickle.whichmodule(value, name)  # type: ignore[attr-defined]
        if _leads_to(home, name, value):
            return _hash("name", f"{home}.{name}".encode())
        kind = type(value)
        if kind.__name__ == "_lru_cache_wrapper" and kind.__module__ == "functools":
            return self._all("lru_cache", (home, name, value.cache_parameters(), value.__dict__))
        if kind.__name__ == "TypeVar" and kind.__module__ == "typing":
            told = (value.__bound__, value.__constraints__, value.__covariant__, value.__contravariant__)
            return self._all("typevar", (home, name, *told))
        raise NoTokenError(f"{home}.{name} says nothing of its value")


def _content(array: Any) -> bytes:
    """The digest of the elements in C order; what lies with gaps is gathered a block at a time."""
    if not array.size:
        return b""
    if array.flags.c_contiguous:
        return sha256(memoryview(array.reshape(-1).view("u1"))).digest()
    hasher = sha256()
    for piece in gathered(array):
        hasher.update(piece)
    return hasher.digest()


def _layout(dtype: Any) -> tuple[object, ...]:
    """Where the fields of a structured dtype lie; what they are stands with their arrays."""
    places = [dtype.fields[name][1:] for name in dtype.names]
    return (dtype.type.__name__, dtype.itemsize, dtype.isalignedstruct, places)


@lru_cache(maxsize=1024)
def _globals_used(code: CodeType) -> tuple[str, ...]:
    """The names that code, and the code within it, looks up among its globals."""
    import dis

    looked_up = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    names = {each.argval for each in dis.get_instructions(code) if each.opname in looked_up}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            names.update(_globals_used(const))
    return tuple(sorted(names))


def own_annotations(cls: type) -> dict[str, Any]:
    """The annotations of a class of the notebook's, which from then on stand in it.

    From Python 3.14 on they are evaluated when somebody asks, and a pickler writes only those that were.
    None where that fails, as it may where they name what is not there yet.
    """
    own = vars(cls)
    if isinstance(own.get("__annotations__"), dict):
        return dict(own["__annotations__"])
    # Asking a class that has none would leave a mark.
    if sys.version_info >= (3, 14) and (own.get("__annotate_func__") or "__annotations_cache__" in own):
        with suppress(Exception):
            return cls.__annotations__
    return {}


def _tells(key: str, member: object) -> bool:
    """Whether a class's member says what the class does; Python's own book-keeping does not."""
    if key in _BOOKKEEPING or (key == "__annotations__" and not member):
        return False
    return type(member).__name__ not in ("getset_descriptor", "member_descriptor")


def _member(key: str, member: Any) -> object:
    if isinstance(member, property):
        return ("property", member.fget, member.fset, member.fdel)
    if isinstance(member, staticmethod | classmethod):
        return (type(member).__name__, member.__func__)
    if type(member).__name__ == "cached_property" and type(member).__module__ == "functools":
        return ("cached_property", member.func, member.attrname)  # it has a lock, in some Pythons
    if key == "__dataclass_params__":
        return repr(member)
    if key == "__dataclass_fields__":
        return {name: _field(each) for name, each in member.items()}
    return member


def _field(field: Any) -> tuple[object, ...]:
    """What a dataclass's field is, without its annotation, which is a member of its own."""
    rules = (field.init, field.repr, field.hash, field.compare, field.kw_only, repr(field._field_type))
    return (field.default, field.default_factory, dict(field.metadata), *rules)


_CONSTANTS: Final[dict[Any, bytes]] = {
    each: _hash("constant", repr(each).encode()) for each in (None, False, True, Ellipsis, NotImplemented)
}


def _plain(value: object) -> bytes | None:
    """The digest of what has no parts, or None."""
    kind = type(value)
    if kind is str:
        if len(value) <= _SHORT:  # type: ignore[arg-type]
            return _hash_text(value)
        return _hash("str", value.encode("utf-8", "surrogatepass"))  # type: ignore[attr-defined]
    if kind is int:
        return _hash("int", str(value).encode() if abs(value) < 1 << 2000 else hex(value).encode())  # type: ignore[arg-type]
    if kind is float:
        return _hash("float", struct.pack("<d", value))
    if kind is bytes:
        return _hash("bytes", value)  # type: ignore[arg-type]
    if value is None or kind is bool or value is Ellipsis or value is NotImplemented:
        return _CONSTANTS[value]
    if kind is complex:
        return _hash("complex", struct.pack("<dd", value.real, value.imag))  # type: ignore[attr-defined]
    return None


def importable(value: Any) -> bool:
    """Whether the name of a function or class says all of it: it leads back to it, in an installed library.

    The code of notebooks and of modules beside them may change under the same name.
    """
    return _leads_to(value.__module__ or "", value.__qualname__, value)


def _leads_to(home: str, name: str, value: object) -> bool:
    module = sys.modules.get(home)
    if module is None or not (home.startswith(f"{_OWN}.families.") or is_library(module)):
        return False
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
