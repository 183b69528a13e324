"""The libraries that do the arithmetic, and the devices that it may be done on.

What is loaded is read from the process's own map, and asked for its threads as it stands:
nothing is imported or loaded for it, and no device is woken. A library that a user has not
loaded cannot have computed anything.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

MAPS: Final = "/proc/self/maps"
NVIDIA: Final = "/proc/driver/nvidia"
MOST_LIBRARIES: Final = 40

_FILE = re.compile(rb" (/[^\n]*/lib[^/\n]*\.so[^/\n]*|/[^\n]*/[^/\n]*\.dylib)$", re.MULTILINE)
_NUMBERS = re.compile(r"\.so\.(\d[\d.]*)$")


class _Kind(NamedTuple):
    """A library that is known by its file's name, and the functions that tell its threads."""

    api: str
    name: str
    pattern: re.Pattern[str]
    threads: tuple[str, ...] = ()
    configuration: tuple[str, ...] = ()


def _kind(api: str, name: str, pattern: str, threads: str = "", configuration: str = "") -> _Kind:
    return _Kind(api, name, re.compile(pattern), tuple(threads.split()), tuple(configuration.split()))


_KINDS: Final = (
    _kind(
        "blas",
        "openblas",
        r"lib(scipy_)?openblas",
        "scipy_openblas_get_num_threads64_ scipy_openblas_get_num_threads "
        "openblas_get_num_threads64_ openblas_get_num_threads",
        "scipy_openblas_get_config64_ scipy_openblas_get_config openblas_get_config64_ openblas_get_config",
    ),
    _kind("blas", "mkl", r"libmkl_rt", "MKL_Get_Max_Threads"),
    _kind("blas", "blis", r"libblis", "bli_thread_get_num_threads"),
    _kind("blas", "atlas", r"lib(sat|tat)las\b"),
    _kind("openmp", "gomp", r"libgomp", "omp_get_max_threads"),
    _kind("openmp", "intel", r"libiomp5", "omp_get_max_threads"),
    _kind("openmp", "llvm", r"libomp\b|libomp[-.]", "omp_get_max_threads"),
    _kind("cuda", "runtime", r"libcudart"),
    _kind("cuda", "cublas", r"libcublas\b|libcublas[-.]"),
    _kind("cuda", "cudnn", r"libcudnn\b|libcudnn[-.]"),
    _kind("cuda", "driver", r"libcuda\.so"),
)
"""Where a name fits several, the first holds."""


def numerics() -> dict[str, Any]:
    """BLAS, OpenMP and CUDA libraries in this process, with version and threads where they tell."""
    found = [_described(kind, path) for kind, path in _mapped(_moment())]
    found.sort(key=lambda each: (each["api"], each["name"], each["file"]))
    return {"libraries": found} if found else {}


def _moment() -> tuple[int, str]:
    """What changes when something is imported; libraries hardly ever come in another way."""
    try:
        return len(sys.modules), next(reversed(sys.modules))
    except RuntimeError:  # another thread imports right now
        names = list(sys.modules)
        return len(names), names[-1]


@lru_cache(maxsize=1)
def _mapped(moment: tuple[int, str]) -> tuple[tuple[_Kind, str], ...]:
    del moment  # it is there to tell an old answer from a new one
    return tuple(known_libraries(_paths()))


def _paths() -> Iterable[str]:
    try:
        with open(MAPS, "rb") as file:  # noqa: PTH123
            return sorted({path.decode("utf-8", "replace") for path in _FILE.findall(file.read())})
    except OSError:
        return _told_by_threadpoolctl()


def _told_by_threadpoolctl() -> list[str]:
    """Where there is no map (macOS, Windows): what threadpoolctl finds, if it is imported already."""
    module = sys.modules.get("threadpoolctl")
    info = vars(module).get("threadpool_info") if isinstance(module, ModuleType) else None
    return sorted(each["filepath"] for each in info()) if callable(info) else []


def known_libraries(paths: Iterable[str]) -> Iterator[tuple[_Kind, str]]:
    """Those of the files that are numerical libraries, each file once and at most `MOST_LIBRARIES`."""
    count = 0
    for path in paths:
        name = os.path.basename(path)  # noqa: PTH119
        kind = next((each for each in _KINDS if each.pattern.match(name)), None)
        if kind is not None and count < MOST_LIBRARIES:
            count += 1
            yield kind, path


def _described(kind: _Kind, path: str) -> dict[str, Any]:
    file = os.path.basename(path)  # noqa: PTH119 - the folder is the machine's business
    described: dict[str, Any] = {"api": kind.api, "name": kind.name, "file": file}
    if version := _NUMBERS.search(file):
        described["version"] = version[1]
    threads, configuration = _functions(kind, path)
    if configuration is not None:
        text, told = _configured(configuration() or b"")
        described["configuration"] = text
        described |= {"version": told} if told else {}
    if threads is not None:
        described["threads"] = int(threads())
    return described


@lru_cache(maxsize=64)
def _configured(raw: bytes) -> tuple[str, str]:
    """What a library says of how it was built, and the version in it."""
    text = raw.decode("ascii", "replace").strip()
    match = re.search(r"\b\d+\.\d+[\w.]*", text)
    return text, match[0] if match else ""


_Function = Callable[[], Any]


@lru_cache(maxsize=64)
def _functions(kind: _Kind, path: str) -> tuple[_Function | None, _Function | None]:
    """The library's own functions for threads and configuration; it is never loaded for that."""
    if not kind.threads or not hasattr(os, "RTLD_NOLOAD"):
        return None, None
    import ctypes

    try:
        library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return None, None
    configuration = _first(library, kind.configuration)
    if configuration is not None:
        configuration.restype = ctypes.c_char_p
    return _first(library, kind.threads), configuration


def _first(library: Any, names: Iterable[str]) -> Any:
    return next((found for name in names if (found := getattr(library, name, None)) is not None), None)


# devices


def accelerators(folder: str = NVIDIA) -> list[dict[str, Any]]:
    """The NVIDIA devices that the driver lists, and what an imported torch was built for.

    Read from the driver's files: asking CUDA would initialise it, which takes memory on the
    device and breaks a later fork.
    """
    driver = _driver(f"{folder}/version")
    devices: list[dict[str, Any]] = [
        {"kind": "cuda", "name": name, "driver": driver} for name in _devices(f"{folder}/gpus")
    ]
    return devices + _of_torch()


@lru_cache(maxsize=2)
def _devices(folder: str) -> tuple[str, ...]:
    names = []
    try:
        for each in sorted(Path(folder).iterdir()):
            text = (each / "information").read_text(errors="replace")
            if match := re.search(r"^Model:\s*(.+?)\s*$", text, re.MULTILINE):
                names.append(match[1])
    except OSError:
        pass
    return tuple(names)


@lru_cache(maxsize=2)
def _driver(file: str) -> str:
    try:
        match = re.search(r"\s(\d+\.\d+[\d.]*)\s", Path(file).read_text(errors="replace"))
    except OSError:
        return ""
    return match[1] if match else ""


def _of_torch() -> list[dict[str, Any]]:
    """Plain attributes of modules that are there; no function of torch is called."""
    version, cuda = _attributes("torch.version"), _attributes("torch.cuda")
    built = {key: version[key] for key in ("cuda", "hip") if type(version.get(key)) is str}
    if not built:
        return []
    return [{"kind": "torch", **built, "initialised": cuda.get("_initialized") is True}]


def _attributes(name: str) -> dict[str, Any]:
    module = sys.modules.get(name)
    if not issubclass(type(module), ModuleType):
        return {}
    found = object.__getattribute__(module, "__dict__")
    return found if type(found) is dict else {}
