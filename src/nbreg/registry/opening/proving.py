"""Prove: a clean process loads a version and predicts on its probe, and what comes out is evidence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from nbreg.capture.tabular import agreement, probe
from nbreg.errors import BadInputError, TrustError
from nbreg.records import Evidence, Probe
from nbreg.registry.ground import bookkeeping, parts, proofs, reading
from nbreg.registry.ground.desk import Desk, Entry
from nbreg.registry.ground.given import is_count, is_number

SECONDS: Final = 300.0
MEMORY: Final = 8 * 1024**3

_PROVED: Final = ("equal", "equivalent", "loads")
_NOT_FOR_CHILDREN: Final = ("PYTHONSTARTUP", "PYTHONINSPECT", "NBREG_REQUIRE_PINNED", "JPY_PARENT_PID")
_NO_ACCELERATOR: Final = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def prove(desk: Desk, ref: str, *, seconds: float, memory: int, accelerators: bool) -> Entry:
    """Prove one version; see `Registry.prove`."""
    if not (is_number(seconds) and seconds > 0 and is_count(memory) and memory >= 2**26):
        raise BadInputError(
            f"{ascii(seconds)[:40]} seconds and {ascii(memory)[:40]} bytes are too little",
            hint="at least 64 MiB and some seconds",
        )
    entry = reading.get(desk, ref)
    desk.ready()
    with tempfile.TemporaryDirectory(prefix="nbreg-proof-") as folder:
        answer, told = _asked(desk, entry, Path(folder), float(seconds), int(memory), accelerators)
        if answer.get("refused"):
            raise TrustError(
                f"{entry.ref} is not proven: {answer['refused']}",
                hint=f"`nbreg trust {entry.model}@sha256:{entry.row.id[:16]}` if you trust it",
            )
        _record(desk, entry, answer, told)
    return entry


def _asked(
    desk: Desk, entry: Entry, folder: Path, seconds: float, memory: int, accelerators: bool
) -> tuple[dict[str, Any], list[bytes]]:
    """What the clean process answers, and the outputs; a crash and a hang are answers too."""
    environment = {name: text for name, text in os.environ.items() if name not in _NOT_FOR_CHILDREN}
    if not accelerators:
        environment |= _NO_ACCELERATOR
    ref = f"{entry.model}@sha256:{entry.row.id}"
    # -P: what lies in the working folder is not installed, and is not found by who loads it elsewhere.
    command = [sys.executable, "-P", "-m", "nbreg.evidence.child"]
    child = subprocess.Popen(
        [*command, str(desk.folder.path.absolute()), ref, str(folder), str(memory)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return {"failed": f"took more than {seconds:g} s", "seconds": seconds}, []
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # what it started, too
        child.wait()
    return _read(folder, code)


def _read(folder: Path, code: int) -> tuple[dict[str, Any], list[bytes]]:
    try:
        answer: dict[str, Any] = msgspec.json.decode((folder / "answer.json").read_bytes())
        parts_told = range(answer.get("outputs", 0) + answer.get("chances", 0))
        return answer, [(folder / str(at)).read_bytes() for at in parts_told]
    except (OSError, msgspec.DecodeError):
        return {"failed": f"the process ended with {_ending(code)}"}, []


def _ending(code: int) -> str:
    with suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"


def _record(desk: Desk, entry: Entry, answer: dict[str, Any], told: list[bytes]) -> None:
    """The evidence becomes a line; the outputs that registering had left out are stored before it."""
    recorded, before = _probe(desk, entry), proofs.proof_of(entry)
    kept = before if before is not None and (before.outputs or before.chances) else None
    count = answer.get("outputs", 0)
    outputs, chances = told[:count], told[count:]
    evidence = _judged(answer, outputs, _outputs(desk, entry, recorded, kept))
    with desk.folder.blobs.kept():
        evidence = _stored(desk, evidence, kept, [] if recorded.outputs else outputs, chances)
        kind = "proved" if evidence.verdict in _PROVED else "not-proved"
        with desk.transaction(entry.database, kind) as draft:
            row = bookkeeping.version_row(entry.database, entry.number, deleted=True)
            facts = {"verdict": evidence.verdict, "why": evidence.why, "seconds": evidence.seconds}
            bookkeeping.note(entry.database, draft, row, **facts)
            evidence = msgspec.structs.replace(evidence, at=draft.at, by=desk.actor.user)
            entry.database.put(proofs.TABLE, proofs.row_id(entry.number), evidence)


def _stored(
    desk: Desk, evidence: Evidence, kept: Evidence | None, outputs: list[bytes], chances: list[bytes]
) -> Evidence:
    """The evidence with what it found first; what an earlier proof found stays."""
    batch = desk.folder.blobs.batch()
    known = kept or evidence
    for chunk in [*known.outputs, *known.chances]:
        batch.refer(chunk.digest, known.bundle)
    fresh = (outputs and not known.outputs) or (chances and not known.chances)
    return msgspec.structs.replace(
        evidence,
        outputs=known.outputs or [batch.add(part) for part in outputs],
        chances=known.chances or [batch.add(part) for part in chances],
        bundle=batch.commit() if fresh else known.bundle,
    )


def _probe(desk: Desk, entry: Entry) -> Probe:
    return parts.captured(desk, entry, parts.manifest(desk, entry).probe, Probe)


def _outputs(desk: Desk, entry: Entry, recorded: Probe, kept: Evidence | None) -> list[bytes]:
    """The outputs to compare with: those of the registration, else those that a proof found first."""
    if recorded.outputs:
        return [bytes(parts.part(desk, entry, chunk.digest)) for chunk in recorded.outputs]
    if kept is not None:
        return [bytes(desk.folder.blobs.read(chunk.digest, kept.bundle)) for chunk in kept.outputs]
    return []


def _judged(answer: dict[str, Any], told: list[bytes], expected: list[bytes]) -> Evidence:
    python = ".".join(map(str, sys.version_info[:3]))
    about = {"seconds": answer.get("seconds", 0.0), "peak_bytes": answer.get("peak_bytes", 0)}
    if failed := answer.get("failed"):
        return Evidence(verdict="failed", why=failed, python=python, **about)
    if not told or not expected:
        why = answer.get("uncompared") or "no outputs were recorded to compare with"
        return Evidence(verdict="loads", why=why, rows=probe.rows_of(told), python=python, **about)
    found = agreement.agree(expected, told)
    return Evidence(
        verdict=found.verdict,
        rows=found.rows,
        changed=found.changed,
        max_delta=found.max_delta,
        python=python,
        **about,
    )
