"""Any Python object: pickle protocol 5 with its buffers beside the stream.

What the plain pickler can only name (functions and classes of `__main__`) goes through
cloudpickle, which writes them out.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from nbreg.errors import CannotLoadError, CannotStoreError, DamagedObjectError
from nbreg.families import careful, isolation, local, tabling, travelling
from nbreg.families.buffers import Buffers, plain_ones
from nbreg.families.files import safe_target
from nbreg.families.local import is_library
from nbreg.families.pickles.contracts import Guarded
from nbreg.families.pickles.inband import inband
from nbreg.families.pickles.inspection import globals_of, untrusted_in
from nbreg.families.pickles.standins import OddError, Tensors, must
from nbreg.families.taking import Take, chunks, digested
from nbreg.families.tokens import NoTokenError, token
from nbreg.records import Artifact, Chunk, canonical, digest_of
from nbreg.store.large import Source

NAME: Final = "generic"
PICKLE: Final = "pickle5"
CLOUDPICKLE: Final = "cloudpickle5"

_COPIED: Final = 256 * 1024
_STEPS: Final = 12

Bytes = bytes | bytearray | memoryview
S = TypeVar("S", bound=Source)


def claims(value: object) -> bool:
    """Every object: this is the family of what no other one claims."""
    return True


def dump(name: str, value: object, take: Take = digested) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """Pickle an object; its large buffers are given as they lie in memory, not copied.

    Raises `CannotStoreError`, which names the part that cannot be pickled.
    """
    pickled = _pickled(value)
    artifact, parts = _artifact(name, value, pickled, take)
    token = token_of(value, artifact.chunks, pickled.buffers)
    return msgspec.structs.replace(artifact, token=token), parts


def take(
    name: str, value: object, *, most: int, on_host: bool, most_nodes: int
) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """The same unasked: at most so many bytes, and no code of the user's runs; the rest is for `completed`.

    The token is left out where it would take longer than so many nodes. Raises `NotTakenError`.
    """
    with careful.guarded(most=most, on_host=on_host) as guard:
        pickled = _taken(value, guard)
        artifact, parts = _artifact(name, value, pickled, digested)
        known = pickled.buffers.known([chunk.digest for chunk in artifact.chunks[1:]])
        try:
            return msgspec.structs.replace(artifact, token=token(value, known, most_nodes=most_nodes)), parts
        except NoTokenError:
            return artifact, parts


def completed(artifact: Artifact, stream: Bytes) -> Artifact:
    """An artifact that was taken, with all that storing one asks for."""
    digests = (chunk.digest for chunk in artifact.chunks)
    return msgspec.structs.replace(
        artifact, token=artifact.token or _by_bytes(digests), globals=globals_of(stream)
    )


def token_of_stored(artifact: Artifact, read: Any) -> str:
    """The token of an object that was taken, made again from its bytes; empty where that could run
    code that is no library's, or the value cannot be walked."""
    stream = read(artifact.chunks[0])
    if artifact.form != PICKLE or not all(map(_is_of_library, globals_of(stream))):
        return ""
    try:
        return token(pickle.loads(stream, buffers=[read(chunk) for chunk in artifact.chunks[1:]]))
    except Exception:  # a library's own, or no token
        return ""


def _is_of_library(name: str) -> bool:
    """Whether a global is of a library that is loaded; its object was here a moment ago."""
    module = name
    while module and module not in sys.modules:
        module = module.rpartition(".")[0]
    return bool(module) and (module.startswith("nbreg.families.") or is_library(sys.modules[module]))


def _artifact(
    name: str, value: object, pickled: _Pickled, take: Take
) -> tuple[Artifact, list[tuple[Chunk, Source]]]:
    """The artifact without its token, and the bytes."""
    sources: list[Source] = [pickled.stream, *map(still, pickled.buffers.sources)]
    parts = chunks([pickled.stream], take, words=True)
    parts += chunks(sources[1:], take)
    artifact = Artifact(
        name=name,
        kind="object",
        family=NAME,
        form=pickled.form,
        type=f"{type(value).__module__}.{type(value).__qualname__}",
        chunks=parts,
        globals=pickled.globals,
        facts=pickled.facts,
    )
    return artifact, list(zip(parts, sources, strict=True))


def still(source: S) -> S | bytes:
    """A small buffer as it is now: whoever goes on writing to it changes nothing between digest and disk.

    One that this process may only read may be a view of what others write to, such as a file.
    """
    if isinstance(source, memoryview) and source.nbytes < _COPIED:
        return bytes(source)
    return source


class _Pickled(NamedTuple):
    form: str
    stream: bytes
    buffers: Buffers
    facts: dict[str, Any]
    globals: list[str]


def _pickled(value: object) -> _Pickled:
    """Plainly where all that it names is installed; else with its code."""
    plain = _plainly(value)
    if plain is not None and not any(map(_is_ours, plain.globals)):
        return plain
    try:
        found = _with_code(value, plain)
    except CannotStoreError:
        raise
    except Exception as error:
        raise _cannot(value, error) from error
    return found._replace(globals=globals_of(found.stream))


def _with_code(value: object, plain: _Pickled | None, guard: careful.Guard | None = None) -> _Pickled:
    """With the code that nothing installs. Where the modules that it is in cannot be written out (a lock,
    a connection), they stay named, and who loads it has to have them."""
    try:
        return _Pickled(CLOUDPICKLE, *travelling.write(value, guard), [])
    except (careful.NotTakenError, CannotStoreError):
        raise
    except Exception:
        if plain is not None and not any(map(_is_of_main, plain.globals)):
            return plain._replace(facts={"needs": travelling.needed_modules(plain.globals)})
        if guard is not None or not local.local_modules():
            raise  # unasked, what stays named would not have been looked at before its token is made
    return _Pickled(CLOUDPICKLE, *travelling.write(value, named=True), [])


def _taken(value: object, guard: careful.Guard) -> _Pickled:
    """`_pickled` under guard; its globals are left out. Raises `NotTakenError`."""
    plain = careful.plainly(value, guard)
    found = _Pickled(PICKLE, *plain, {}, []) if plain is not None else None
    if found is not None and not _mentions_ours(found.stream):
        return found
    if found is not None:
        found = found._replace(globals=globals_of(found.stream))
        if not any(map(_is_ours, found.globals)):
            return found
    try:
        return _with_code(value, found, guard)
    except careful.NotTakenError:
        raise
    except Exception as error:
        raise careful.NotTakenError(f"it cannot be pickled ({type(error).__name__})") from None


def _mentions_ours(stream: bytes) -> bool:
    """Whether the stream holds the name of a module that is not installed: looking further takes longer."""
    return b"__main__" in stream or any(name.encode() in stream for name in local.local_modules())


def _plainly(value: object) -> _Pickled | None:
    buffers, file = Buffers(), io.BytesIO()
    try:
        pickler = pickle.Pickler(file, protocol=5, buffer_callback=buffers.keep)
        pickler.dispatch_table = {**tabling.reducers(), **copyreg.dispatch_table, **buffers.reducers}
        pickler.dump(value)
    except Exception:
        return None  # whatever a reducer raises, cloudpickle may still manage
    stream = file.getvalue()
    return _Pickled(PICKLE, stream, buffers, {}, globals_of(stream))


def _is_of_main(name: str) -> bool:
    return name.startswith("__main__.")


def _is_ours(name: str) -> bool:
    return _is_of_main(name) or travelling.is_local(name)


def _cannot(value: object, error: Exception) -> CannotStoreError:
    where = _culprit(value)
    what = f"{type(value).__qualname__}{where}" if where else f"a {type(value).__qualname__}"
    return CannotStoreError(
        f"{what} cannot be pickled: {type(error).__name__}: {_one_line(error)}",
        hint="take that attribute out, or give the class a __getstate__ that leaves it out"
        if where
        else "store what it was made of, or what it gives, such as a list",
    )


def needed(name: str, artifact: Artifact) -> Any:
    """A library that an artifact cannot be made without. Raises `CannotLoadError`."""
    try:
        return import_module(name)
    except ImportError as error:
        raise CannotLoadError(
            f"{artifact.type or artifact.name} needs {name}, which is not here", hint=f"install {name}"
        ) from error


def _one_line(error: Exception) -> str:
    try:
        return " ".join(str(error).split())[:200]
    except Exception:
        return "it does not say why"


def _culprit(value: object) -> str:
    """The path to the innermost part that cannot be pickled on its own; a long one breaks off."""
    path, seen = "", {id(value)}
    for _ in range(_STEPS):
        found = _first_bad(value, seen)
        if found is None:
            return path
        path, value = path + found[0], found[1]
    return f"{path}…"


def _first_bad(value: object, seen: set[int]) -> tuple[str, object] | None:
    import cloudpickle

    for step, child in _children(value):
        if id(child) in seen or len(seen) > 1000:
            continue
        seen.add(id(child))
        try:
            cloudpickle.dumps(child, protocol=5)
        except Exception:
            return step, child
    return None


def _children(value: object) -> list[tuple[str, object]]:
    if type(value) is dict:
        return [(f"[{key!r}]" if type(key) in (str, int) else "[…]", each) for key, each in value.items()]
    if type(value) in (list, tuple):
        return [(f"[{i}]", each) for i, each in enumerate(value)]  # type: ignore[arg-type, var-annotated]
    attributes = getattr(value, "__dict__", None)
    return [(f".{key}", each) for key, each in attributes.items()] if type(attributes) is dict else []


def digest(value: object) -> str:
    """The digest of an object as data, without storing it. Raises `CannotStoreError`."""
    try:
        return token(value)
    except NoTokenError:
        pickled = _pickled(value)
        return _by_bytes(digested([pickled.stream, *pickled.buffers.sources]))


def token_of(value: object, parts: list[Chunk], buffers: Buffers | None = None) -> str:
    """The object's digest by value; that of its bytes where the value cannot be walked."""
    digests = [chunk.digest for chunk in parts]
    try:
        return token(value, buffers.known(digests[1:]) if buffers else {})
    except NoTokenError:
        return _by_bytes(digests)


def _by_bytes(digests: Iterable[str]) -> str:
    return digest_of(canonical(["bytes", *digests]))


class Opened:
    """An artifact whose stream was read once, into memory that is this process's alone.

    So what was looked at is what is loaded, whoever can write to the registry's folder.
    """

    def __init__(self, artifact: Artifact, read: Any, tensors: Tensors | None = None) -> None:
        if not artifact.chunks:
            raise DamagedObjectError(f"the artifact {artifact.name!r} has no stream")
        self._artifact = artifact
        self._read = read
        self._stream: Bytes = read(artifact.chunks[0], private=True)
        self._looked_at: dict[int, Bytes] = {}
        beside = len(artifact.chunks) - 1
        self.untrusted = untrusted_in(self._stream, self._buffer, tensors, beside)

    def _buffer(self, index: int) -> Bytes:
        """A buffer that is looked at; what was looked at is what is loaded."""
        if index not in self._looked_at:
            must(index < len(self._artifact.chunks) - 1, "a buffer that is not there")
            self._looked_at[index] = self._read(self._artifact.chunks[index + 1], private=True)
        return self._looked_at[index]

    def _buffers(self) -> list[Any]:
        parts = self._artifact.chunks[1:]
        left = [at for at in range(len(parts)) if at not in self._looked_at]

        def plain() -> list[bool]:
            known = plain_ones(self._stream, len(parts))
            return [known[at] for at in left]

        found = dict(zip(left, self._many([parts[at] for at in left], plain), strict=True)) | self._looked_at
        return [found[at] for at in range(len(parts))]

    def _many(self, parts: list[Chunk], plain: Callable[[], list[bool]]) -> list[Any]:
        """Several parts; of those that are plain numbers, a check that was made before may do."""
        many = getattr(self._read, "many", None)
        if many is None or not parts:
            return [self._read(chunk) for chunk in parts]
        found: list[Any] = many(parts, plain=plain)
        return found

    def load(self) -> object:
        """Unpickle: this runs what the stream says, and nothing of it where `untrusted` is empty.

        Raises `CannotLoadError` where a module that it names is missing, or no longer has that name.
        """
        artifact = self._artifact
        buffers = self._buffers()
        try:
            if self.untrusted and artifact.form == CLOUDPICKLE:
                return isolation.load(self._stream, buffers, artifact.facts)
            if self.untrusted:
                return pickle.loads(self._stream, buffers=buffers)
            return Guarded(io.BytesIO(self._stream), fix_imports=False, buffers=buffers).load()
        except ModuleNotFoundError as error:
            raise CannotLoadError(
                f"{artifact.type or artifact.name} needs the module {error.name!r}, which is not here",
                hint="install it, or make the project's own module importable (sys.path) as it was",
            ) from error
        except AttributeError as error:
            raise CannotLoadError(
                f"{artifact.type or artifact.name} is not made again here: {error}",
                hint="the code that it was stored with is another one here",
            ) from error
        except OddError as error:
            raise DamagedObjectError(f"the artifact {artifact.name!r} asks for {error}") from error
        except Exception as error:
            if self.untrusted:
                raise  # by the code of the user's own classes
            raise DamagedObjectError(
                f"the artifact {artifact.name!r} cannot be made: {_one_line(error)}",
                hint="it was not stored like this: look at where the registry's folder comes from",
            ) from error


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Bytes]]]:
    """One pickle, its buffers in it."""
    if not artifact.chunks:
        raise DamagedObjectError(f"the artifact {artifact.name!r} has no stream")
    name = safe_target(Path(), f"{artifact.name}.pkl")
    yield str(name), False, inband(read(artifact.chunks[0]), (read(chunk) for chunk in artifact.chunks[1:]))
