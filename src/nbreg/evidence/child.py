"""The clean process of a proof: load one version, predict on its probe, write down what came out.

    python -P -m nbreg.evidence.child LOCATION REF ANSWER MEMORY

It runs the model's code, so it may crash, hang or fill the memory: whoever starts it keeps the
time. What it finds goes into the folder ANSWER, the outputs' bytes beside `answer.json`.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from nbreg.capture.tabular import probe
from nbreg.errors import CannotLoadError, NbregError, TrustError
from nbreg.families.describing.describe import chances as chances_of
from nbreg.families.describing.describe import predictor
from nbreg.records import Probe
from nbreg.registry import ModelVersion, Registry


class Answer(msgspec.Struct, omit_defaults=True):
    """What the process says of itself."""

    failed: str = ""
    """Why it did not come to an end; never the text of somebody's exception, which may hold values."""
    refused: str = ""
    """This user does not vouch for the version: nothing was found out about it."""
    uncompared: str = ""
    """Why it loads, but there are no outputs."""
    seconds: float = 0.0
    peak_bytes: int = 0
    outputs: int = 0
    """How many parts of the outputs stand beside, named 0, 1 …"""
    chances: int = 0
    """How many parts after these tell how sure it is of each class."""


def main(arguments: list[str]) -> int:
    """Prove one version; the exit code is 0 whenever an answer was written."""
    location, ref, folder, memory = arguments
    _be_modest(int(memory))
    begun = time.perf_counter()
    outputs, chances = list[bytes](), list[bytes]()
    answer = Answer()
    try:
        outputs, chances, answer.uncompared = _outputs(Registry(location).get(ref))
    except TrustError as error:
        answer.refused = error.message
    except BaseException as error:
        answer.failed = reason_of(error)
    answer.seconds = round(time.perf_counter() - begun, 3)
    answer.peak_bytes = _peak()
    answer.outputs, answer.chances = len(outputs), len(chances)
    for at, part in enumerate([*outputs, *chances]):
        Path(folder, str(at)).write_bytes(part)
    Path(folder, "answer.json").write_bytes(msgspec.json.encode(answer))
    return 0


def _be_modest(memory: int) -> None:
    """Last in the queue for the processor, and no more memory than it may have."""
    with suppress(OSError):
        os.nice(10)
    with suppress(ImportError, ValueError, OSError):
        import resource

        # What it writes to, rather than all it maps: frameworks reserve far more than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _outputs(version: ModelVersion) -> tuple[list[bytes], list[bytes], str]:
    """The outputs on the probe as bytes and how sure it is of them, else why there are none."""
    warnings.simplefilter("ignore")
    model = version.load(on_drift="ignore")
    recorded = version.probe
    if not recorded.inputs:
        return [], [], "no probe was recorded"
    use = predictor(model)
    if use is None:
        return [], [], f"a {type(model).__qualname__} does not predict"
    rows = _rows(version, recorded)
    found = probe.frozen(use(rows))
    if found is None:
        return [], [], "its outputs have no form that could be compared"
    return found, _chances(model, rows), ""


def _chances(model: object, rows: Any) -> list[bytes]:
    """How sure it is of each class. That this fails, or is much, costs no proof."""
    sure = chances_of(model)
    with suppress(Exception):
        found = probe.frozen(sure(rows)) if sure is not None else None
        if found is not None and sum(map(len, found)) <= probe.MOST_BYTES:
            return found
    return []


def _rows(version: ModelVersion, recorded: Probe) -> Any:
    read = version.read_part
    document = msgspec.json.decode(bytes(read(recorded.inputs[0])))
    home = str(document["kind"]).partition(".")[0]
    with suppress(ImportError):
        import_module(home)  # the rows come back as what they were only where their library is loaded
    return probe.thawed(recorded.inputs, read)


def reason_of(error: BaseException) -> str:
    """What went wrong, in words that hold nobody's values."""
    if isinstance(error, ModuleNotFoundError | CannotLoadError) and (missing := _missing(error)):
        return f"needs the module {missing}, which a clean process does not find"
    if isinstance(error, NbregError):
        return error.message
    if isinstance(error, MemoryError):
        return "needs more memory than a proof may have"
    return f"ended with {type(error).__name__}"


def _missing(error: BaseException) -> str:
    """The module that was not found, of this error or of what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ModuleNotFoundError):
            return str(seen.name or "")[:80]
        seen = seen.__cause__ or seen.__context__
    return ""


def _peak() -> int:
    with suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # what the model left behind, such as a thread, has nothing more to say
