"""Full disks, stopped writers, network file systems: refused, and all is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from children import run, start
from damages import SETTINGS, fresh, journal, problems

from nbreg import Registry
from nbreg.errors import FileSystemError, NoSpaceError, RegistryBusyError
from nbreg.settings import Settings
from nbreg.store import files


def test_a_full_disk_refuses_and_leaves_all_as_it_was(tmp_path: Path) -> None:
    """A file-size limit stands for it here: the system takes some bytes, then none."""
    out = run(
        """
import os, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
registry = Registry(folder / "r", settings=QUICK)
for n in range(4):
    registry.register("churn", {"n": n})
(folder / "big").write_bytes(os.urandom(600_000))
(folder / "small").write_bytes(os.urandom(60_000))
before = {path: path.read_bytes() for path in (folder / "r").rglob("*") if path.is_file()}
journal = folder / "r/models/churn.model/journal.jsonl"
codes = []
for limit, verb in (
    (10_000, lambda: registry.register("churn", 9, artifacts={"a": folder / "big"})),
    (10_000, lambda: registry.register("churn", 9, artifacts={"a": folder / "small"})),
    (10_000, lambda: registry.register("churn", "x" * 20_000)),
    (journal.stat().st_size + 100, lambda: registry.update("churn@1", tags=["x"])),
    (journal.stat().st_size, lambda: registry.promote("churn@1", "production")),
):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        verb()
    except NbregError as error:
        codes.append(error.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    after = {path: path.read_bytes() for path in (folder / "r").rglob("*") if path.is_file()}
    assert {k: v for k, v in after.items() if "parts" not in str(k)} == {
        k: v for k, v in before.items() if "parts" not in str(k)}, after.keys() ^ before.keys()
print(codes)
registry.register("churn", 9, artifacts={"a": folder / "big"})
assert registry.verify().ok
""",
        tmp_path,
    )
    assert out.strip() == str(["no-space"] * 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_really_full_disk_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """Register until nothing fits any more, free some space, go on."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ballast = mount / "ballast"
        ballast.write_bytes(b"b" * 100_000)
        registry = Registry(mount / "r", settings=SETTINGS)
        registry.register("churn", "first")
        with pytest.raises(NoSpaceError, match="almost no room"):
            registry.check("churn")
        done = 1

        def fill(size: int) -> None:
            nonlocal done
            for _ in range(500):
                registry.register("churn", os.urandom(size), new=True)
                done += 1

        for size in (3000, 5000, 100, 3, 1):  # to the last byte
            with pytest.raises(NoSpaceError):
                fill(size)
        assert done > 20
        again = fresh(registry)
        assert len(again.versions("churn")) == done
        assert problems(again) == []
        assert {each.why for each in again.purge().leftovers} <= {"no version refers to it"}
        ballast.unlink()
        again.purge(dry_run=False)
        assert again.register("churn", "next").load() == "next"
        assert again.promote("churn@1", "production")
        assert problems(again) == []
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


def test_a_stopped_writer_is_named_and_its_lock_is_never_broken(registry: Registry) -> None:
    """Ctrl-Z in a terminal that was registering: who waits is told which process to wake or end."""
    child = start(
        """
registry = Registry(sys.argv[1], settings=QUICK)
with registry._desk.model("churn").transaction("edited", by=registry._desk.actor):
    print("locked", flush=True)
    sys.stdin.readline()
    registry._desk.model("churn").table("extra").put("x", {"held": True})
print("done", flush=True)
""",
        registry.location,
    )
    with child:
        assert child.stdout
        assert child.stdin
        assert child.stdout.readline() == "locked\n"
        os.kill(child.pid, signal.SIGSTOP)
        impatient = Registry(registry.location, settings=Settings(capture=False, lock_seconds=0.3))
        for verb in (
            lambda: impatient.register("churn", 9),
            lambda: impatient.promote("churn@1", "staging"),
            lambda: impatient.check("churn"),
        ):
            with pytest.raises(RegistryBusyError) as caught:
                verb()
            assert f"{journal(registry)} is locked by process {child.pid} (" in caught.value.message
            assert "more than 0.3 s" in caught.value.message
            assert "never broken by time" in caught.value.hint
        assert impatient.get("churn@production").load() == {"n": 2}, "readers never wait"
        assert len(impatient.versions("churn")) == 3
        assert impatient.verify().ok
        assert impatient.register("other", 5)
        os.kill(child.pid, signal.SIGCONT)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"
    assert impatient.register("churn", 9).number == 4
    assert problems(impatient) == []


def test_network_file_systems_are_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks cannot be relied on there; it is said in one line, before anything is written."""
    mounts = f"/dev/vda / ext4 rw 0 0\nhost:/x {tmp_path}/net\\040work nfs4 rw 0 0\nt {tmp_path}/net\\040work/local tmpfs rw 0 0\n"
    real = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda self, **options: mounts if str(self) == "/proc/self/mounts" else real(self, **options)
    )  # fmt: skip
    for inside, kind in (
        ("net work/deep", "nfs4"),
        ("net work", "nfs4"),
        ("net work/local/x", ""),
        ("network", ""),
    ):
        assert files.network_file_system(tmp_path / inside) == kind
    (tmp_path / "net work").mkdir()
    registry = Registry(tmp_path / "net work" / "r", settings=SETTINGS)
    with pytest.raises(FileSystemError, match="network file system"):
        registry.register("churn", 1)
    assert not registry.location.exists()
    assert registry.models() == []
