"""Where a model is made: interpreter, machine, installed distributions; and how another place differs."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, Literal, TypeVar

import msgspec

from nbreg.capture.secrets import Redactor
from nbreg.capture.secrets.names import word_set
from nbreg.capture.surroundings.distributions import Listing, normal_name, read_listing, signature
from nbreg.capture.surroundings.export import requirement, why_not
from nbreg.capture.surroundings.numerics import accelerators, numerics
from nbreg.records import Distribution, DriftItem, Environment

VARIABLES: Final = word_set(
    "BLIS_NUM_THREADS CUBLAS_WORKSPACE_CONFIG CUDA_VISIBLE_DEVICES GOTO_NUM_THREADS HIP_VISIBLE_DEVICES "
    "JAX_ENABLE_X64 JAX_PLATFORMS KERAS_BACKEND LIGHTGBM_MAX_THREADS MKL_CBWR MKL_NUM_THREADS "
    "NPY_DISABLE_CPU_FEATURES NUMBA_NUM_THREADS NUMEXPR_MAX_THREADS NUMEXPR_NUM_THREADS NVIDIA_TF32_OVERRIDE "
    "OMP_NUM_THREADS OMP_SCHEDULE OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS PYTHONHASHSEED "
    "PYTORCH_CUDA_ALLOC_CONF TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS TF_ENABLE_ONEDNN_OPTS "
    "TOKENIZERS_PARALLELISM TZ VECLIB_MAXIMUM_THREADS XLA_FLAGS"
)
"""The environment variables that change what training computes; no others are recorded."""

LIBRARIES: Final = word_set(
    "catboost flax jax keras lightgbm lightning prophet pyod pytorch-lightning scikit-learn "
    "sentence-transformers sktime spacy statsmodels tensorflow torch transformers xgboost"
)
"""Modelling libraries that a card names."""

T = TypeVar("T")

_lock = threading.Lock()
_listing: tuple[tuple[tuple[str, int], ...], Listing] | None = None
_last: tuple[tuple[object, ...], Environment] | None = None
_summaries: dict[int, tuple[Environment, dict[str, Any]]] = {}
_KEPT: Final = 4
"""The last environments, each as it is and with what the model needs: hundreds of lines to count."""
_last_needed: tuple[Environment, frozenset[str], Environment] | None = None
_last_asked: tuple[tuple[Environment, frozenset[str]], Environment] | None = None


def warm_up() -> None:
    """Read what is installed, so that the first registration finds it read."""
    installed()
    _machine()


def warm_up_in_background() -> threading.Thread:
    """`warm_up` beside the user's first cells; a capture that comes sooner waits for it."""
    thread = threading.Thread(target=warm_up, name="nbreg-environment", daemon=True)
    thread.start()
    return thread


def installed() -> Listing:
    """What is installed now; read again only when a folder of `sys.path` has changed."""
    global _listing
    now = signature(list(sys.path), sys.prefix)
    with _lock:
        if _listing is None or _listing[0] != now:
            _listing = (now, read_listing(now))
        return _listing[1]


def _after_fork() -> None:
    """A child must not wait for a lock that a thread of its parent held."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def capture_environment(redactor: Redactor, names: tuple[str, ...] | None = None) -> Environment:
    """The running environment; the very same record as long as nothing of it changes.

    `names` are those of `sys.modules`, where they are at hand.
    """
    global _last
    listing = installed()
    imported = listing.imported(sys.modules, names)
    variables = _variables(redactor)
    libraries: dict[str, Any] = _tried(numerics, {})
    devices: list[dict[str, Any]] = _tried(accelerators, [])
    locale = _locale()
    key = (listing, imported, variables, libraries, devices, locale)
    last = _last
    if last is not None and last[0] == key:
        return last[1]
    record = msgspec.structs.replace(
        _environment(listing, imported),
        variables=variables,
        numerics=libraries,
        accelerators=devices,
        locale=locale,
    )
    _last = (key, record)
    return record


def _tried(ask: Callable[[], T], otherwise: T) -> T:
    """What a native library says of itself; one that fails must not cost all else that is known."""
    try:
        return ask()
    except Exception:
        return otherwise


def _environment(listing: Listing, imported: frozenset[str]) -> Environment:
    python, system, cpu = _machine()
    distributions = [
        Distribution(
            name=each.name,
            version=each.version,
            origin=each.origin,
            url=each.url,
            commit=each.commit,
            imported=each.name in imported,
        )
        for each in listing.installed
    ]
    conda = [each.spec for each in listing.conda]
    return Environment(python=python, os=system, cpu=cpu, distributions=distributions, conda=conda)


def _variables(redactor: Redactor) -> dict[str, str]:
    raw = getattr(os.environ, "_data", os.environ)  # encoding each name takes longer than looking it up
    return {
        name: redactor.text(os.environ[name])
        for name, key in _NAMES
        if (key in raw or name in raw) and name in os.environ
    }


_NAMES: Final = tuple((name, os.fsencode(name)) for name in sorted(VARIABLES))


def _locale() -> dict[str, str]:
    """What sorting, parsing and dates follow: the variables, and what the process made of them."""
    import locale
    import time

    names = ("LANG", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_NUMERIC", "LC_TIME")
    set_ = {name: os.environ[name] for name in names if name in os.environ}
    return {
        "encoding": sys.getfilesystemencoding(),
        "numeric": locale.setlocale(locale.LC_NUMERIC),
        "collate": locale.setlocale(locale.LC_COLLATE),
        "time_zone": time.tzname[0],
        **set_,
    }


@lru_cache(maxsize=1)
def _machine() -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    """What stays the same as long as the process runs."""
    return _python(), _system(), _cpu()


def _python() -> dict[str, str]:
    release = sys.version_info
    version = f"{release.major}.{release.minor}.{release.micro}"
    suffix = "" if release.releaselevel == "final" else f"{release.releaselevel[:1]}{release.serial}"
    return {
        "version": version + suffix,
        "implementation": sys.implementation.name,
        "build": sys.version,
        "abi": sys.implementation.cache_tag or "",
        "environment": _environment_kind(),
    }


def _environment_kind() -> str:
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):  # noqa: PTH112, PTH118
        return "conda"
    return "venv" if sys.prefix != sys.base_prefix else "system"


def _system() -> dict[str, str]:
    import platform

    system = platform.uname()
    found = {"system": system.system, "release": system.release, "machine": system.machine}
    if system.system == "Linux":
        found["libc"] = _libc()
        found["distribution"] = _linux()
    elif system.system == "Darwin":
        found["distribution"] = f"macOS {platform.mac_ver()[0]}"
    elif system.system == "Windows":
        found["distribution"] = f"Windows {platform.win32_ver()[0]}"
    return found


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        return ""  # musl has no such word


def _linux() -> str:
    import platform

    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _cpu() -> dict[str, Any]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"model": _cpu_model(), "cores": os.cpu_count(), "usable": usable, "byteorder": sys.byteorder}


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", errors="replace") as file:  # noqa: PTH123
            found = re.search(r"^(?:model name|Hardware|Model)\s*:\s*(.+)$", file.read(8192), re.MULTILINE)
    except OSError:
        import platform

        return platform.processor()
    return found[1].strip() if found else ""


def environment_summary(environment: Environment) -> dict[str, Any]:
    """What a card says of an environment; counted once for as long as it is the same record."""
    known = _summaries.get(id(environment))
    if known is None or known[0] is not environment:
        if len(_summaries) >= _KEPT:
            _summaries.clear()
        known = _summaries[id(environment)] = environment, _summary(environment)
    return dict(known[1])


def _summary(environment: Environment) -> dict[str, Any]:
    imported = [each for each in environment.distributions if each.imported]
    needed = sum(each.needed is True for each in environment.distributions)
    devices = [str(each["name"]) for each in environment.accelerators if "name" in each]
    return {
        "python": environment.python.get("version", ""),
        "distributions": len(environment.distributions),
        "imported": len(imported),
        "libraries": {
            each.name: each.version
            for each in imported
            if each.name in LIBRARIES and each.needed is not False
        },
        **({"needed": needed} if needed else {}),
        **({"accelerators": devices} if devices else {}),
    }


# drift

Severity = Literal["breaking", "major", "minor"]
_RANK: Final[dict[Severity, int]] = {"breaking": 0, "major": 1, "minor": 2}
_EACH_MINOR: Final = frozenset(("scikit-learn",))
"""Libraries that promise nothing for what another minor of them pickled."""


def needed_by(environment: Environment, modules: Iterable[str]) -> Environment:
    """The environment with each distribution marked: whether the model needs it.

    It does if it holds one of these modules, or if one that does requires it and it was imported.
    """
    global _last_asked
    asked = (environment, frozenset(modules))
    if _last_asked is not None and _last_asked[0][0] is environment and _last_asked[0][1] == asked[1]:
        return _last_asked[1]
    record = _needed_by(environment, asked[1])
    _last_asked = (asked, record)
    return record


def _needed_by(environment: Environment, modules: Iterable[str]) -> Environment:
    global _last_needed
    made = _last
    listing: Listing = made[0][0] if made and made[1] is environment else installed()  # type: ignore[assignment]
    holding = listing.imported({module: sys.modules.get(module) for module in modules})
    imported = (each.name for each in environment.distributions if each.imported)
    needed = listing.with_requirements(holding, imported)
    last = _last_needed
    if last is not None and last[0] is environment and last[1] == needed:
        return last[2]
    distributions = [
        msgspec.structs.replace(each, needed=each.name in needed) for each in environment.distributions
    ]
    record = msgspec.structs.replace(environment, distributions=distributions)
    _last_needed = (environment, needed, record)
    return record


def drift(recorded: Environment, running: Environment) -> list[DriftItem]:
    """Where the running environment differs in what the model's needed, the worst first.

    What was merely installed is left out: a version's model cannot have depended on it.
    """
    there = {normal_name(each.name): each.version for each in running.distributions}
    items = [item for each in _mattering(recorded) if (item := _distribution_drift(each, there))]
    items += _python_drift(recorded.python, running.python)
    return sorted(items, key=lambda item: (_RANK[item.severity], item.name))


def _mattering(environment: Environment) -> Iterable[Distribution]:
    """What the model needs where that was found out, else what was imported."""
    return (
        each for each in environment.distributions if each.needed or (each.needed is None and each.imported)
    )


def _distribution_drift(recorded: Distribution, there: dict[str, str]) -> DriftItem | None:
    running = there.get(normal_name(recorded.name))
    if running == recorded.version:
        return None
    severity: Severity = "minor"
    if running is None:
        severity = "breaking"
    elif _promise(recorded.name, running) != _promise(recorded.name, recorded.version):
        severity = "major"
    shown = "not installed" if running is None else running
    return DriftItem(
        name=recorded.name,
        recorded=recorded.version,
        running=shown,
        severity=severity,
        install=requirement(recorded),
        note=why_not(recorded),
    )


def _promise(name: str, version: str) -> tuple[int, ...]:
    """The part of a version up to which a library promises that what worked still does."""
    release = _release(version)
    return release[:2] if release[:1] == (0,) or normal_name(name) in _EACH_MINOR else release[:1]


def _python_drift(recorded: dict[str, str], running: dict[str, str]) -> Iterable[DriftItem]:
    was, now = recorded.get("version", ""), running.get("version", "")
    other = recorded.get("implementation", "") != running.get("implementation", "")
    if not was or (was == now and not other):
        return
    if other:
        was, now = f"{recorded.get('implementation', '')} {was}", f"{running.get('implementation', '')} {now}"
    breaking = other or _release(was)[:2] != _release(now)[:2]
    yield DriftItem(
        name="python",
        recorded=was,
        running=now,
        severity="breaking" if breaking else "minor",
        note="takes another interpreter",
    )


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
