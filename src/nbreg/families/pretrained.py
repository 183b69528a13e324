"""Models and tokenizers of transformers as the folder that their `save_pretrained` writes.

Other releases read it, and other programs; a pickle ties them to one. Weights are cut between their
tensors, so equal ones are stored once. A model that its configuration does not describe (a head of
one's own, adapters, quantised weights, hooks) is stored as any other module of torch, and a tokenizer
that is another one when it is read back as any other object: nothing is left out in silence.

Loading asks for consent: a configuration may name code for the library to fetch.
"""

from __future__ import annotations

import copy
import json
import mmap
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from threading import RLock
from typing import Any, Final

import msgspec

from nbreg.errors import BadInputError, CannotLoadError, CannotStoreError, DamagedObjectError
from nbreg.families import generic, modules, taking
from nbreg.families.describing import torch
from nbreg.families.describing.told import class_name
from nbreg.families.files import safe_target
from nbreg.families.taking import Take, digested
from nbreg.records import NO_RECORD, Artifact, Chunk, canonical, digest_of
from nbreg.store.large import Source

NAME: Final = "transformers"
FORM: Final = "pretrained"

_BASES: Final = {
    "model": ("transformers.modeling_utils", "PreTrainedModel"),
    "tokenizer": ("transformers.tokenization_utils_base", "PreTrainedTokenizerBase"),
}
_WEIGHTS: Final = ".safetensors"
_MODULE: Final = "torch.nn.modules.module.Module"
_OF_THE_SESSION: Final = ("is_local", "local_files_only")
"""What the library writes into a tokenizer's configuration about where it was read from."""
_TOLD: Final = (
    "padding_side", "truncation_side", "model_max_length", "model_input_names", "special_tokens_map",
    "clean_up_tokenization_spaces", "chat_template",
)  # fmt: skip
_HOOKS: Final = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
)  # fmt: skip

_NOTED: Final = ("architectures", "dtype", "_dtype", "torch_dtype")
_WRITER: Final = "safe_save_file"

Part = tuple[Chunk, Source]

_taken: ContextVar[dict[Path, list[generic.Bytes]] | None] = ContextVar("nbreg_pretrained", default=None)
_by_function = RLock()
"""The library's function is that of the process."""


def claims(value: object) -> bool:
    """Whether it is a model or tokenizer of the library's own classes; it is not imported to find out."""
    return _role(type(value)) != "" and _found(class_name(value)) is type(value)


def _role(kind: Any) -> str:
    """What a class makes; empty for any other class."""
    for role, (module, name) in _BASES.items():
        base = getattr(sys.modules.get(module), name, None)
        if isinstance(base, type) and isinstance(kind, type) and issubclass(kind, base):
            return role
    return ""


def _found(name: str) -> Any:
    """The library's class of that name; None where it has none."""
    module, _, qualname = name.rpartition(".")
    return getattr(sys.modules.get(module), qualname, None) if module.startswith("transformers.") else None


# storing


def dump(name: str, value: Any, take: Take = digested) -> tuple[Artifact, list[Part]]:
    """Store a model or tokenizer, in its library's form where that holds all of it.

    Raises `CannotStoreError`.
    """
    is_model = _role(type(value)) == "model"
    if is_model and not _as_configured(value):
        return modules.dump(name, value, take)
    with tempfile.TemporaryDirectory(prefix="nbreg-") as folder:
        still = value if is_model else _at_rest(value)
        files = _saved(still, Path(folder))
        if not is_model and not _reads_back(still, Path(folder)):
            return generic.dump(name, value, take)
    return _artifact(name, value, files, take)


def _artifact(
    name: str, value: Any, files: dict[str, list[generic.Bytes]], take: Take
) -> tuple[Artifact, list[Part]]:
    """Of the files, those with words first."""
    ordered = sorted(files, key=lambda each: (each.endswith(_WEIGHTS), each))
    words = [piece for each in ordered if not each.endswith(_WEIGHTS) for piece in files[each]]
    rest = [piece for each in ordered if each.endswith(_WEIGHTS) for piece in files[each]]
    chunks = taking.chunks(words, take, words=True) + taking.chunks(rest, take)
    facts = {"members": [[each, len(files[each])] for each in ordered], **_kept(value)}
    artifact = Artifact(
        name=name,
        kind="object",
        family=NAME,
        form=FORM,
        type=class_name(value),
        token=digest_of(canonical([NAME, class_name(value), facts, [chunk.digest for chunk in chunks]])),
        chunks=chunks,
        globals=[class_name(value), *([_MODULE] if _role(type(value)) == "model" else [])],
        facts=facts,
    )
    return artifact, list(zip(chunks, [*words, *rest], strict=True))


def _kept(value: Any) -> dict[str, Any]:
    """What the folder does not say of a model: whether it trains, and what of it is frozen."""
    if _role(type(value)) != "model":
        return {}
    frozen = [name for name, each in value.named_parameters() if not each.requires_grad]
    return {"training": bool(value.training), "frozen": frozen}


def _saved(value: Any, folder: Path) -> dict[str, list[generic.Bytes]]:
    """The pieces of each file that the library writes; the files may be removed while they are held."""
    try:
        with _quiet(), _config_kept(value), _weights_taken() as taken:
            value.save_pretrained(folder)
        paths = sorted(each for each in folder.rglob("*") if each.is_file())
        files = {each.relative_to(folder).as_posix(): _pieces(each) for each in paths}
        return files | {each.relative_to(folder).as_posix(): pieces for each, pieces in taken.items()}
    except Exception as error:
        raise CannotStoreError(
            f"transformers cannot save this {type(value).__qualname__}: {type(error).__name__}",
            hint="its save_pretrained says more",
        ) from error


@contextmanager
def _config_kept(value: Any) -> Iterator[None]:
    """What the library notes in a model's configuration when it saves is taken back: it is the user's."""
    config = getattr(value, "config", None)  # tokenizers have none
    own = {} if config is None else vars(config)
    before = {name: own[name] for name in _NOTED if name in own}
    try:
        yield
    finally:
        for name in _NOTED:
            if name in before:
                own[name] = before[name]
            else:
                own.pop(name, None)


@contextmanager
def _weights_taken() -> Iterator[dict[Path, list[generic.Bytes]]]:
    """Inside, what the library would write of weights is given here, by the file that it would stand in.

    So weights go from memory to where they are stored, and the disk never holds them twice. What other
    threads save is written as ever; in a release that writes by another function, so is this.
    """
    found: dict[Path, list[generic.Bytes]] = {}
    library: Any = sys.modules.get("transformers.modeling_utils")  # of a tokenizer alone, nobody imports it
    with _by_function:
        write = getattr(library, _WRITER, None)
        token = _taken.set(found)
        try:
            if write is not None:
                setattr(library, _WRITER, partial(_take_or, write))
            yield found
        finally:
            _taken.reset(token)
            if write is not None:
                setattr(library, _WRITER, write)


def _take_or(write: Any, tensors: dict[str, Any], filename: Any, *given: Any, **named: Any) -> None:
    """Take the weights, or write them where their own writer may have something to say of them."""
    found = _taken.get()
    metadata = named.get("metadata") or {}
    if found is None or given or set(named) > {"metadata"} or not _is_simple(tensors):
        write(tensors, filename, *given, **named)
        return
    header, data = modules.written(dict(sorted(tensors.items())), metadata)  # the same model, the same bytes
    found[Path(filename)] = [header, *(each for each in data if len(each))]


def _is_simple(tensors: dict[str, Any]) -> bool:
    """Whether each tensor has a form, and memory of its own."""
    if not all(map(modules.has_form, tensors.values())):
        return False
    places = [each.untyped_storage().data_ptr() for each in tensors.values() if each.numel()]
    return len(set(places)) == len(places)


def _pieces(path: Path) -> list[generic.Bytes]:
    if path.name == "tokenizer_config.json":
        told = {
            key: each for key, each in json.loads(path.read_bytes()).items() if key not in _OF_THE_SESSION
        }
        path.write_text(json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    if not path.stat().st_size:
        return [b""]
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return [data[start:end] for start, end in _cuts(data)] if path.suffix == _WEIGHTS else [data]


def _cuts(data: memoryview) -> Iterator[tuple[int, int]]:
    """The header of a safetensors file, and each tensor after it."""
    start = 8 + int.from_bytes(data[:8], "little")
    told = msgspec.json.decode(data[8:start], type=dict[str, msgspec.Raw])
    told.pop("__metadata__", None)
    ends = {start + msgspec.json.decode(each, type=_Place).data_offsets[1] for each in told.values()}
    places = sorted({0, start, *ends, len(data)})
    yield from pairwise(places)


class _Place(msgspec.Struct):
    data_offsets: tuple[int, int]


def _as_configured(model: Any) -> bool:
    """Whether making a model of its configuration again gives the same modules, and weights to be filled."""
    library: Any = sys.modules["torch"]
    if getattr(model, "hf_quantizer", None) is not None or getattr(model, "_hf_peft_config_loaded", False):
        return False
    if any(vars(each).get(hook) for each in model.modules() for hook in _HOOKS):
        return False
    if len({each.dtype for each in model.parameters()}) > 1:
        return False  # the folder has one type
    try:
        with library.random.fork_rng(devices=[]), library.device("meta"):
            again = type(model)(copy.deepcopy(model.config))
        return _plan(again) == _plan(model)
    except Exception:
        return False  # whatever a constructor raises, torch's own form holds the model


def _plan(model: Any) -> list[Any]:
    """Modules by class, the shapes of what they hold, and which weights are one."""
    shapes = [
        [path, class_name(module), {kind: _shapes(module, kind) for kind in ("_parameters", "_buffers")}]
        for path, module in torch._walk(model)
    ]
    first: dict[int, str] = {}
    names = model.named_parameters(remove_duplicate=False)
    return [shapes, [[name, first.setdefault(id(each), name)] for name, each in names]]


def _shapes(module: Any, kind: str) -> dict[str, Any]:
    return {
        name: None if each is None else list(each.shape) for name, each in torch._own(module, kind).items()
    }


def _at_rest(tokenizer: Any) -> Any:
    """A tokenizer without what its last call asked for, which the library would write.

    Each call sets it anew.
    """
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        return tokenizer
    still = copy.deepcopy(tokenizer)
    still.backend_tokenizer.no_padding()
    still.backend_tokenizer.no_truncation()
    return still


def _reads_back(tokenizer: Any, folder: Path) -> bool:
    """Whether the folder holds all that the tokenizer was told."""
    try:
        with _quiet():
            again = type(tokenizer).from_pretrained(folder, local_files_only=True)
        return type(again) is type(tokenizer) and _says(again) == _says(tokenizer)
    except Exception:
        return False  # whatever the library raises, a pickle holds it


def _says(tokenizer: Any) -> list[Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    spelled = backend.to_str() if backend is not None else sorted(tokenizer.get_vocab().items())
    return [spelled, *(getattr(tokenizer, name, None) for name in _TOLD)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars, which go to whoever looks at the cell."""
    logging: Any = import_module("transformers.utils.logging")
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


# loading


class Opened:
    """A folder's files, which were read once and are not looked into."""

    untrusted: list[str]
    device: str = "cpu"

    def __init__(self, artifact: Artifact, read: Any) -> None:
        self._artifact = artifact
        self._members = _members(artifact)
        self._read = read
        self.untrusted = [f"{artifact.type}.from_pretrained"]

    def load(self) -> object:
        """Have the library make it. Raises `CannotLoadError` where it does not make all of it."""
        generic.needed("transformers", self._artifact)
        kind, role = self._kind()
        with tempfile.TemporaryDirectory(prefix="nbreg-") as folder:
            for target, chunks in self._members.items():
                path = Path(folder) / target
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    file.writelines(self._read(chunk) for chunk in chunks)
            made = self._made(kind, role, folder)
        return self._placed(made) if role == "model" else made

    def _kind(self) -> tuple[Any, str]:
        module = self._artifact.type.rpartition(".")[0]
        try:
            if module.startswith("transformers."):
                import_module(module)
        except ImportError as error:
            raise self._cannot(error) from error
        kind = _found(self._artifact.type)
        role = _role(kind)
        if not role:
            raise CannotLoadError(
                f"transformers has no {self._artifact.type[:80]} here",
                hint="the release that it was stored with stands in its environment",
            )
        return kind, role

    def _made(self, kind: Any, role: str, folder: str) -> Any:
        more = {"dtype": "auto", "output_loading_info": True} if role == "model" else {}
        try:
            with _quiet():
                made = kind.from_pretrained(folder, local_files_only=True, **more)
        except Exception as error:
            raise self._cannot(error) from error
        if role == "model":
            made, told = made
            lacking = [*told["missing_keys"], *told["mismatched_keys"], *told["unexpected_keys"]]
            if lacking:
                raise CannotLoadError(
                    f"transformers does not fill all of this {self._artifact.type}: {str(lacking[0])[:80]}",
                    hint="the release that it was stored with stands in its environment",
                )
            made.config._name_or_path = ""  # not the folder, which is gone
        made.name_or_path = ""
        return made

    def _placed(self, model: Any) -> Any:
        facts = self._artifact.facts
        frozen = set(facts["frozen"]) if isinstance(facts.get("frozen"), list) else set()
        for name, each in model.named_parameters():
            each.requires_grad_(name not in frozen)
        model.train(facts.get("training") is True)
        try:
            return model.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise BadInputError(f"there is no device {self.device!r} here", hint="'cpu' always is") from error

    def _cannot(self, error: Exception) -> CannotLoadError:
        return CannotLoadError(
            f"transformers does not make this {self._artifact.type}: {type(error).__name__}",
            hint="the release that it was stored with stands in its environment",
        )


def _members(artifact: Artifact) -> dict[str, list[Chunk]]:
    """The chunks of each file, by where it goes."""
    try:
        told = msgspec.convert(artifact.facts.get("members"), list[tuple[str, int]])
    except NO_RECORD as error:
        raise DamagedObjectError(f"the artifact {artifact.name!r} does not say its files") from error
    left = iter(artifact.chunks)
    found = {
        safe_target(Path(), name).as_posix(): [chunk for _, chunk in zip(range(count), left, strict=False)]
        for name, count in told
    }
    if len(found) != len(told) or [len(each) for each in found.values()] != [count for _, count in told]:
        raise DamagedObjectError(f"the artifact {artifact.name!r} has other files than it says")
    if next(left, None) is not None:
        raise DamagedObjectError(f"the artifact {artifact.name!r} has more than it says")
    return found


def plain_files(artifact: Artifact, read: Any) -> Iterator[tuple[str, bool, Iterable[Any]]]:
    """The folder, below the artifact's name: `from_pretrained` reads it."""
    for target, chunks in _members(artifact).items():
        yield str(safe_target(Path(), artifact.name) / target), False, (read(chunk) for chunk in chunks)
