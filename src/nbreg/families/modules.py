"""PyTorch modules: how they are built as a pickle without numbers, and the numbers as safetensors.

The chunks after the stream and its buffers are one safetensors file, cut between its tensors, so
that equal weights are stored once and none is copied. Tensors are kept without their device: a
module that was trained on a GPU loads on a machine that has none. Two tensors that are views of
one memory are two afterwards; a tensor that stands in two places stays one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import msgspec

from nbreg.errors import BadInputError, DamagedObjectError
from nbreg.families import aside, generic, taking
from nbreg.families.describing import torch
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.records import NO_RECORD, Artifact, Chunk
from nbreg.store.large import Source

NAME: Final = "torch"

_TYPES: Final = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
_NAMES: Final = {f"torch.{name}": short for short, name in _TYPES.items()}
_PLAIN: Final = frozenset(_TYPES) - {"I64", "I32"}  # those may be indices: see `buffers.plain_ones`
_ALIGNED: Final = 8

Part = tuple[Chunk, Source]
_loading: ContextVar[dict[str, Any]] = ContextVar("nbreg_weights")


def claims(value: object) -> bool:
    """Whether it is a module; torch is not imported to find out."""
    library = sys.modules.get("torch")
    return library is not None and isinstance(value, library.nn.Module)


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[Part]]:
    """Store a module; a tensor that is sparse, quantised or of another kind stays in the stream.

    Raises `CannotStoreError`.
    """
    weights = _Weights(value)
    library = sys.modules["torch"].nn
    with aside.taken_out((library.Parameter, library.Buffer, sys.modules["torch"].Tensor), weights.reduce):
        artifact, parts = generic.dump(name, value, take)
    header, tensors = weights.file()
    sources: list[Source] = [header, *tensors]
    stored: list[Part] = list(zip(taking.chunks(sources, take), sources, strict=True))
    beside = len(artifact.chunks) - 1
    chunks = [*artifact.chunks, *(chunk for chunk, _ in stored)]
    token = generic.token_of(value, chunks)
    return (
        msgspec.structs.replace(
            artifact, family=NAME, token=token, chunks=chunks, facts={**artifact.facts, "buffers": beside}
        ),
        [*parts, *stored],
    )


class _Weights:
    """The tensors of a module, taken out of its pickle by name."""

    def __init__(self, module: Any) -> None:
        self._torch: Any = sys.modules["torch"]
        self._names = {id(tensor): name for name, tensor in _named(module)}
        self._taken: dict[str, Any] = {}

    def reduce(self, value: Any) -> Any:
        """What the pickler is told of a tensor; None for one that safetensors has no form for."""
        if not has_form(value):
            return None
        name = self._names.setdefault(id(value), f"tensor {len(self._taken)}")
        self._taken[name] = value
        return weight, (name, type(value) is self._torch.nn.Parameter, bool(value.requires_grad))

    def file(self) -> tuple[bytes, list[generic.Bytes]]:
        """The header of a safetensors file, and the bytes of each tensor after it."""
        return written(self._taken, {"format": "pt"})


def has_form(tensor: Any) -> bool:
    """Whether safetensors has a form for all that the tensor is."""
    if str(tensor.dtype) not in _NAMES or tensor.is_meta or tensor.is_quantized:
        return False
    return not tensor.__dict__ and tensor.layout is sys.modules["torch"].strided


def written(tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> tuple[bytes, list[generic.Bytes]]:
    """A safetensors file in pieces: its header, and the bytes of each tensor as they lie in memory."""
    told: dict[str, Any] = {"__metadata__": dict(metadata)}
    pieces: list[generic.Bytes] = []
    at = 0
    # The largest elements first: so each begins where its kind may.
    for name, tensor in sorted(tensors.items(), key=lambda each: -each[1].element_size()):
        data = _bytes(tensor)
        shape, end = list(tensor.shape), at + len(data)
        told[name] = {"dtype": _NAMES[str(tensor.dtype)], "shape": shape, "data_offsets": [at, end]}
        pieces.append(data)
        at = end
    header = json.dumps(told, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _ALIGNED)
    return len(header).to_bytes(8, "little") + header, pieces


def _bytes(tensor: Any) -> generic.Bytes:
    still = tensor.detach().to("cpu").contiguous().reshape(-1)
    view = memoryview(still.view(sys.modules["torch"].uint8).numpy()) if still.numel() else memoryview(b"")
    return generic.still(view)


def _named(module: Any) -> Iterator[tuple[str, Any]]:
    """Parameters and buffers by their dotted names; nothing of the module's is called."""
    seen: set[int] = set()
    for path, each in torch._walk(module):
        for kind in ("_parameters", "_buffers"):
            for name, tensor in torch._own(each, kind).items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield (f"{path}.{name}" if path else name), tensor


def weight(name: str, parameter: bool, grad: bool) -> Any:
    """The tensor of that name in the artifact that is being loaded; streams call it."""
    library: Any = sys.modules["torch"]
    try:
        tensor = _loading.get()[name]
    except LookupError:
        raise DamagedObjectError(f"there is no tensor {name[:80]!r}") from None
    if parameter:
        return library.nn.Parameter(tensor, requires_grad=grad)
    return tensor.requires_grad_(grad) if grad else tensor


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[generic.Bytes]]]:
    """The tensors as a safetensors file, and the pickle of what they belong to."""
    cut = 1 + _beside(artifact)
    yield from generic.plain_files(msgspec.structs.replace(artifact, chunks=artifact.chunks[:cut]), read)
    name = safe_target(Path(), f"{artifact.name}.safetensors")
    yield str(name), False, (read(chunk) for chunk in artifact.chunks[cut:])


def _beside(artifact: Artifact) -> int:
    """How many buffers stand between the stream and the tensors."""
    beside = artifact.facts.get("buffers")
    if type(beside) is not int or not 0 <= beside <= len(artifact.chunks) - 2:
        raise DamagedObjectError(f"the artifact {artifact.name!r} has no tensors")
    return beside


class Opened(generic.Opened):
    """A module that was looked at; its tensors come on the device that is asked for."""

    device: str = "cpu"

    def __init__(self, artifact: Artifact, read: Any) -> None:
        cut = 1 + _beside(artifact)
        header, *self._tensors = artifact.chunks[cut:]
        self._told = _told(artifact, bytes(read(header, private=True)))
        tensors = {name: (each.dtype, tuple(each.shape)) for name, each in self._told.items()}
        super().__init__(msgspec.structs.replace(artifact, chunks=artifact.chunks[:cut]), read, tensors)

    def load(self) -> object:
        """Make the module. Raises `CannotLoadError`, or `BadInputError` for a device that is not here."""
        library = generic.needed("torch", self._artifact)
        try:
            device = library.device(self.device)
            library.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise BadInputError(f"there is no device {self.device!r} here", hint="'cpu' always is") from error
        with _given(dict(self._made(library, device))):
            return super().load()

    def _made(self, library: Any, device: Any) -> Iterator[tuple[str, Any]]:
        told = self._told
        if len(told) != len(self._tensors):
            raise _damaged(self._artifact, "as many tensors as it says")
        entries = list(zip(told.values(), self._tensors, strict=True))
        if any(each.data_offsets[1] - each.data_offsets[0] != chunk.size for each, chunk in entries):
            raise _damaged(self._artifact, "tensors of the sizes it says")
        sized = [(entry, chunk) for entry, chunk in entries if chunk.size]
        read = iter(
            self._many([chunk for _, chunk in sized], lambda: [each.dtype in _PLAIN for each, _ in sized])
        )
        for (name, entry), chunk in zip(told.items(), self._tensors, strict=True):
            kind, shape = getattr(library, _TYPES[entry.dtype]), entry.shape
            try:
                flat = (
                    library.frombuffer(next(read), dtype=kind) if chunk.size else library.empty(0, dtype=kind)
                )
                yield name, flat.reshape(shape).to(device)
            except (RuntimeError, ValueError, TypeError) as error:
                raise _damaged(self._artifact, "tensors of the shapes it says") from error


def _told(artifact: Artifact, header: bytes) -> dict[str, _Entry]:
    """What the header of the safetensors file says, in the order of its tensors."""
    try:
        told = msgspec.json.decode(header[8:], type=dict[str, msgspec.Raw])
        told.pop("__metadata__", None)
        entries = {name: msgspec.json.decode(each, type=_Entry) for name, each in told.items()}
    except NO_RECORD as error:
        raise _damaged(artifact, "a header that can be read") from error
    ordered = sorted(entries.items(), key=lambda each: each[1].data_offsets[0])
    at = 0
    for _, entry in ordered:
        if entry.dtype not in _TYPES or entry.data_offsets[0] != at or any(each < 0 for each in entry.shape):
            raise _damaged(artifact, "tensors one after the other")
        at = entry.data_offsets[1]
    return dict(ordered)


def _damaged(artifact: Artifact, what: str) -> DamagedObjectError:
    return DamagedObjectError(f"the artifact {artifact.name!r} does not have {what}")


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


@contextmanager
def _given(weights: dict[str, Any]) -> Iterator[None]:
    token = _loading.set(weights)
    try:
        yield
    finally:
        _loading.reset(token)
