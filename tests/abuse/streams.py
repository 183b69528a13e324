"""Attacks by the pickle stream itself: bombs, and ways to a name that is not on the list."""

from __future__ import annotations

import pickle
import struct
from functools import partial
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np
from assembler import (
    CANARY,
    SHELL,
    TOUCH,
    Does,
    args,
    built,
    called,
    made,
    mapping,
    named,
    number,
    stream,
    text,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

RIDGE = made(named("sklearn.linear_model._ridge", "Ridge"))
SYSTEM = named("os", "system")


def dumped(value: Any) -> bytes:
    return pickle.dumps(value, 5)


def doubled(times: int, known: int = 0) -> bytes:
    """A tuple of one tuple twice, of one tuple twice …; so many values are in the memo already."""
    return pickle.EMPTY_TUPLE + b"".join(
        pickle.MEMOIZE + pickle.BINGET + bytes((known + level,)) + pickle.TUPLE2 for level in range(times)
    )


def listed(value: bytes) -> bytes:
    return pickle.EMPTY_LIST + value + pickle.APPEND


def with_attributes(items: dict[str, bytes]) -> bytes:
    return stream(built(RIDGE, mapping(items)))


def colliding(count: int) -> bytes:
    """Integers that all have the hash 0."""
    prime = 2**61 - 1
    keys = b"".join(pickle.dumps(prime * (1 << 70) * n, 5)[2:-1] + pickle.NONE for n in range(1, count))
    return stream(pickle.EMPTY_DICT + pickle.MARK + keys + pickle.SETITEMS)


def deep_tuple(levels: int) -> bytes:
    return pickle.EMPTY_TUPLE + pickle.TUPLE1 * levels


def taken_out(module: str, name: str) -> bytes:
    """A copy of what holds something odd, which is taken out of the original before anybody looks."""
    place = text("k") if name in ("dict", "OrderedDict", "Counter") else number(0)
    held = named("numpy", "dtype")
    original = (
        pickle.EMPTY_DICT + pickle.MEMOIZE + place + held + pickle.SETITEM
        if name in ("dict", "OrderedDict", "Counter")
        else pickle.EMPTY_LIST + pickle.MEMOIZE + held + pickle.APPEND
    )
    copied = named(module, name) + pickle.BINGET + b"\0" + pickle.TUPLE1 + pickle.REDUCE
    return stream(
        original
        + pickle.POP
        + copied
        + pickle.BINGET
        + b"\0"
        + place
        + pickle.NONE
        + pickle.SETITEM
        + pickle.POP
    )


def out_of_a_pair(module: str, name: str, outer: bytes) -> bytes:
    """A dictionary of one pair, out of which something odd is taken afterwards."""
    pair = (
        pickle.EMPTY_LIST
        + pickle.MEMOIZE
        + pickle.MARK
        + text("k")
        + named("numpy", "dtype")
        + pickle.APPENDS
    )
    pairs = pair + outer if outer == pickle.TUPLE1 else pickle.EMPTY_LIST + pair + outer
    return stream(
        named(module, name)
        + pairs
        + pickle.TUPLE1
        + pickle.REDUCE
        + pickle.BINGET
        + b"\0"
        + number(1)
        + pickle.NONE
        + pickle.SETITEM
        + pickle.POP
    )


COPIES = {
    "builtins": "dict list tuple set frozenset",
    "collections": "OrderedDict Counter deque",
}

BOMBS: dict[str, bytes] = {
    "a memo that doubles, hashed as a key": stream(
        pickle.EMPTY_DICT + doubled(60) + pickle.NONE + pickle.SETITEM
    ),
    "a memo that doubles, in a set": stream(pickle.EMPTY_SET + pickle.MARK + doubled(60) + pickle.ADDITEMS),
    "a memo that doubles, through a call": stream(
        pickle.EMPTY_DICT + called(named("builtins", "tuple"), doubled(60)) + pickle.NONE + pickle.SETITEM
    ),
    "a memo that doubles, through a list": stream(
        pickle.EMPTY_DICT
        + called(named("builtins", "tuple"), listed(doubled(60)))
        + pickle.NONE
        + pickle.SETITEM
    ),
    "a memo that doubles, through a list that is filled at once": stream(
        pickle.EMPTY_DICT
        + called(named("builtins", "tuple"), pickle.EMPTY_LIST + pickle.MARK + doubled(60) + pickle.APPENDS)
        + pickle.NONE
        + pickle.SETITEM
    ),
    "a memo that doubles, through a list in the memo": stream(
        pickle.EMPTY_LIST
        + pickle.MEMOIZE
        + doubled(60, 1)
        + pickle.APPEND
        + pickle.EMPTY_DICT
        + called(named("builtins", "tuple"), pickle.BINGET + b"\0")
        + pickle.NONE
        + pickle.SETITEM
        + pickle.TUPLE2
    ),
    **{
        f"a memo that doubles, of which a {name} is made": stream(
            called(named(module, name), listed(doubled(60) + outer))
        )
        for module, name, outer in (
            ("builtins", "set", b""),
            ("builtins", "frozenset", b""),
            ("builtins", "dict", pickle.NONE + pickle.TUPLE2),
            ("collections", "OrderedDict", pickle.NONE + pickle.TUPLE2),
        )
    },
    "a memo that doubles, through two calls": stream(
        called(named("builtins", "set"), listed(called(named("builtins", "tuple"), listed(doubled(60)))))
    ),
    "a tuple of a large set, many times": stream(
        pickle.EMPTY_DICT
        + called(
            named("builtins", "tuple"), pickle.MARK + b"".join(map(number, range(100_000))) + pickle.FROZENSET
        )
        + (pickle.MEMOIZE + pickle.BINGET + b"\0")
        + pickle.TUPLE2
        + pickle.NONE
        + pickle.SETITEM
    ),
    "a tuple as deep as the stack, hashed": stream(
        pickle.EMPTY_DICT + deep_tuple(500_000) + pickle.NONE + pickle.SETITEM
    ),
    "keys that all have one hash": colliding(60_000),
    "a memo with a slot in the distance": stream(pickle.NONE + pickle.LONG_BINPUT + b"\xff\xff\xff\x7f"),
    "an integer of a megabyte": stream(pickle.LONG4 + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20)),
    "an integer of a negative length": stream(pickle.LONG4 + struct.pack("<i", -1)),
    "an integer in decimals": b"\x80\x02L" + b"9" * 400_000 + b"L\n.",
    "bytes that declare an exabyte": stream(pickle.BINBYTES8 + struct.pack("<Q", 1 << 60) + b"x"),
    "text that declares four gigabytes": stream(pickle.BINUNICODE + struct.pack("<I", (1 << 32) - 1) + b"x"),
    "a bytearray that declares an exabyte": stream(pickle.BYTEARRAY8 + struct.pack("<Q", 1 << 60) + b"x"),
    "a frame longer than memory": b"\x80\x05\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "a bytearray of a size": stream(called(named("builtins", "bytearray"), number(2**31 - 1))),
    "a range made into a list": stream(
        called(
            named("builtins", "list"),
            called(named("builtins", "range"), number(0), number(2**31 - 1), number(1)),
        )
    ),
    "a stream without an end": b"\x80\x05" + pickle.EMPTY_LIST * 1000,
    "a buffer that is not there": stream(pickle.NEXT_BUFFER),
    "bytes after the end": stream(pickle.NONE) + b"cos\nsystem\n.",
    "marks without an end": b"\x80\x05" + pickle.MARK * 100_000 + b".",
    "a recursive list as a key": stream(
        pickle.EMPTY_LIST + pickle.MEMOIZE + pickle.EMPTY_DICT + b"h\x00NsR."
    ),
}

SMUGGLED: dict[str, bytes] = {
    **{
        f"something that a {name} was made of and that was taken out": taken_out(module, name)
        for module, names in COPIES.items()
        for name in names.split()
    },
    **{
        f"something that was taken out of a pair after it made a {name} of a {kind}": out_of_a_pair(
            module, name, outer
        )
        for module, name in (("builtins", "dict"), ("collections", "OrderedDict"))
        for kind, outer in (("list", pickle.APPEND), ("tuple", pickle.TUPLE1))
    },
    "a shell": dumped(SHELL),
    "a shell deep inside": dumped({"weights": [1, (2, {"x": [SHELL]})]}),
    "names made of parts at run time": stream(
        called(
            called(named("builtins", "getattr"), named("builtins", "str"), text("join")), text("os.system")
        )
    ),
    "names from the memo": stream(
        text("os") + pickle.MEMOIZE + pickle.POP + text("system") + pickle.MEMOIZE + pickle.POP
        + b"h\x00h\x01" + pickle.STACK_GLOBAL + args(text(TOUCH)) + pickle.REDUCE
    ),
    "a look-alike of a module": stream(called(named("\u00f8s", "system"), text(TOUCH))),
    "a look-alike by normal form": stream(called(named("\uff4fs", "system"), text(TOUCH))),
    "a name with a zero width space": stream(called(named("numpy\u200b", "dtype"), text("f8"))),
    "half a surrogate as a name": stream(called(named("\udc80", "x"))),
    "a way out through an allowed module": stream(called(named("numpy", "os.system"), text(TOUCH))),
    "a way out through a class": stream(named("numpy", "dtype.__class__.__base__")),
    "a way out through a method's globals": stream(
        named("sklearn.linear_model._ridge", "Ridge.fit.__globals__")
    ),
    "a module's dotted name as the module": stream(named("sklearn.linear_model", "_ridge.Ridge")),
    "a module below an allowed one": stream(called(named("numpy.testing._private.utils", "runstring"), text(TOUCH))),
    "a test helper of scikit-learn": stream(named("sklearn.utils._testing", "assert_run_python_script_without_output")),
    "an old alias of numpy": stream(named("numpy.core.multiarray", "set_string_function")),
    "numpy's own loader": stream(called(named("numpy", "load"), text("x.npy"))),
    "a ufunc by module": stream(called(named("numpy._core", "_ufunc_reconstruct"), text("os"), text("system"))),
    "eval": dumped(Does(eval, f"open('{CANARY}', 'w')")),
    "getattr": dumped(Does(getattr, "x", "join")),
    "import": dumped(Does(__import__, "antigravity")),
    "a partial": dumped(partial(print, "x")),
    "an attrgetter": dumped(attrgetter("__class__")),
    "a methodcaller": dumped(methodcaller("system", TOUCH)),
    "a map": dumped(Does(map, print, [1])),
    "a factory that is called for what is missing": stream(
        called(named("collections", "defaultdict"), SYSTEM)
    ),
    "a factory of an allowed name that is no type": stream(
        called(named("collections", "defaultdict"), named("numpy", "log1p"))
    ),
    "a factory of a class with code": stream(
        called(named("collections", "defaultdict"), named("sklearn.linear_model._ridge", "Ridge"))
    ),
    "an extension by number": stream(pickle.EXT1 + b"\x4d"),
    "a persistent id": stream(text("x") + pickle.BINPERSID),
    "a persistent id in text": b"Pos.system\n.",
    "an INST": b"(S'" + TOUCH.encode() + b"'\nios\nsystem\n.",
    "an OBJ": b"(cos\nsystem\nS'" + TOUCH.encode() + b"'\no.",
    "a GLOBAL": b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR.",
    "a GLOBAL of an allowed class": b"\x80\x02csklearn.linear_model._ridge\nRidge\n)\x81.",
    "a DUP": stream(pickle.NONE + pickle.DUP + pickle.TUPLE2),
    "copyreg's reconstructor": stream(
        called(named("copyreg", "_reconstructor"), named("os", "_wrap_close"), named("builtins", "object"), pickle.NONE)
    ),
    "copyreg's newobj": stream(called(named("copyreg", "__newobj__"), named("subprocess", "Popen"))),
    "a reconstructor of an allowed class": stream(
        called(named("copyreg", "__newobj__"), named("sklearn.linear_model._ridge", "Ridge"))
    ),
    "NEWOBJ_EX with keywords": stream(
        named("sklearn.linear_model._ridge", "Ridge") + pickle.EMPTY_TUPLE
        + mapping({"alpha": number(1)}) + pickle.NEWOBJ_EX
    ),
    "NEWOBJ of a function": stream(made(named("numpy", "log1p"))),
    "NEWOBJ with arguments": stream(made(named("sklearn.linear_model._ridge", "Ridge"), number(1))),
    "a constructor that is called": stream(called(named("sklearn.linear_model._ridge", "Ridge"))),
    "a constructor that is called by name": stream(
        called(named("sklearn.pipeline", "Pipeline"), pickle.EMPTY_LIST)
    ),
    "a call of what may only be a value": stream(called(named("numpy", "log1p"), number(1))),
    "a call of a scorer's function": stream(
        called(named("sklearn.metrics._classification", "accuracy_score"), pickle.EMPTY_LIST, pickle.EMPTY_LIST)
    ),
    "a class that is only an argument": stream(named("sklearn.neighbors._kd_tree", "KDTree")),
    "another class by BUILD": with_attributes({"__class__": named("builtins", "dict")}),
    "another reduce by BUILD": with_attributes({"__reduce__": named("builtins", "list")}),
    "an address in memory by BUILD": with_attributes(
        {
            "__array_interface__": mapping(
                {
                    "data": args(number(4096), pickle.NEWFALSE),
                    "shape": args(number(1)),
                    "typestr": text("|O8"),
                    "version": number(3),
                }
            )
        }
    ),
    "a method hidden by an attribute": with_attributes({"predict": named("numpy", "mean")}),
    "a property set by BUILD": stream(
        built(RIDGE, pickle.NONE + mapping({"_repr_html_": text("x")}) + pickle.TUPLE2)
    ),
    "attributes set on a class": stream(
        built(named("sklearn.linear_model._ridge", "Ridge"), mapping({"predict": named("builtins", "list")}))
    ),
    "attributes under keys that are no text": stream(
        built(RIDGE, pickle.EMPTY_DICT + number(1) + number(1) + pickle.SETITEM)
    ),
    "a state that is no dictionary": stream(built(RIDGE, pickle.EMPTY_LIST)),
    "a second state": stream(built(built(RIDGE, mapping({})), mapping({}))),
    "an item set on an object": stream(RIDGE + text("x") + number(1) + pickle.SETITEM),
    "an element appended to an object": stream(RIDGE + number(1) + pickle.APPEND),
    "a function of one's own in a pipeline": dumped(
        make_pipeline(FunctionTransformer(attrgetter("x")), Ridge())
    ),
    "a folder to cache in": dumped(make_pipeline(Ridge(), memory="cache")),
    "a bound method of a string": stream(
        called(named("builtins", "getattr"), text("{0.__class__}"), text("format"))
    ),
    "a codec that is imported": dumped(Does(__import__("_codecs").encode, "x", "rot13")),
    "a path that touches the disk": stream(called(named("pathlib", "PosixPath"), text("/"))),
    "joblib's own arrays": stream(named("joblib.numpy_pickle", "NumpyArrayWrapper")),
    "a generator of random numbers that is none": stream(
        called(named("numpy.random._pickle", "__generator_ctor"), text("MT19937"), SYSTEM)
    ),
    "a state of a dictionary that has none": stream(
        built(called(named("collections", "OrderedDict")), mapping({"__class__": named("builtins", "dict")}))
    ),
    "a state of a factory": stream(
        built(called(named("collections", "defaultdict"), pickle.NONE), mapping({"default_factory": SYSTEM}))
    ),
    "a shell in an array of objects": dumped(np.array([SHELL, None], object)),
        "an object with a reduce of its own in an array": dumped(np.array([Does(setattr, Ridge, "predict", None)], object)),
    "a class that is changed by a call": dumped(Does(setattr, Ridge, "predict", print)),
    "a type that is made": dumped(Does(type, "Made", (Ridge,), {"__del__": print})),
    "a base that is asked for its subclasses": dumped(Does(type.__subclasses__, object)),
    "code that is compiled": dumped(Does(compile, f"open('{CANARY}', 'w')", "", "exec")),
    "a module that runs when it is imported": stream(named("antigravity", "geohash")),
    "a module that is the victim's own file": stream(named("__main__", "x")),
    "a program of the interpreter": stream(called(named("runpy", "run_path"), text(CANARY))),
    "cloudpickle's maker of functions": stream(named("cloudpickle.cloudpickle", "_make_function")),
    "a number of the wrong kind as a position": stream(
        built(called(named("builtins", "list"), pickle.EMPTY_TUPLE), number(1))
    ),
    "the inspection itself": stream(called(named("nbreg.families.pickles.inspection", "inert"))),
    "another package of ours": stream(called(named("nbreg.trust", "sign"), text("x"))),
    "a tensor's maker outside of torch": stream(called(named("torch.storage", "_load_from_bytes"), pickle.SHORT_BINBYTES + b"\x01x")),
    "a tensor that is rebuilt by a hook": stream(called(named("torch._tensor", "_rebuild_from_type_v2"), SYSTEM, SYSTEM, pickle.EMPTY_TUPLE, pickle.NONE)),
    "a scorer of somebody's function": stream(
        built(made(named("sklearn.metrics._scorer", "_Scorer")), mapping({"_score_func": SYSTEM}))
    ),
    "a bit generator that is a function": stream(
        called(named("numpy.random._pickle", "__bit_generator_ctor"), named("os", "abort"))
    ),
}  # fmt: skip
