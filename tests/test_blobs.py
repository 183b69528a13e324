"""Bytes by digest: bundles, large parts, and what is shared between them."""

from __future__ import annotations

import os
import threading
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbreg.errors import CannotStoreError, DamagedObjectError, NoSpaceError, RegistryBusyError
from nbreg.records import Chunk, digest_of
from nbreg.store.blobs import Blobs

INLINE = 1024


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return opened(tmp_path)


def opened(folder: Path, **options: float) -> Blobs:
    (folder / "objects").mkdir(exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    given = {"inline_bytes": INLINE, "lock_seconds": 5.0, **options}
    return Blobs(folder / "objects", folder / "tmp", **given)  # type: ignore[arg-type]


def store(blobs: Blobs, *parts: bytes) -> str:
    with blobs.kept():
        batch = blobs.batch()
        for part in parts:
            batch.add(part)
        return batch.commit()


def objects(blobs: Blobs) -> set[str]:
    return {digest for digest, _path, _size in blobs.objects()}


def craft(blobs: Blobs, index: object, rest: bytes = b"", magic: bytes = b"nbreg bundle 1\n") -> str:
    """A bundle as another program could write it, named rightly."""
    raw = index if isinstance(index, bytes) else msgspec.json.encode(index)
    head = b"%b%016x\n%b" % (magic, len(raw), raw)
    data = head + b"\0" * (-len(head) % 64) + rest
    digest = digest_of(data)
    path = blobs.path(digest)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return digest


# writing


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=3 * INLINE), max_size=8))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    """Whatever the sizes, and in a fresh process too."""
    folder = tmp_path_factory.mktemp("blobs")
    blobs = opened(folder)
    first, second = store(blobs, *parts), store(blobs, *parts, b"more")
    for each in (blobs, opened(folder)):
        for bundle in (first, second):
            for part in parts:
                assert bytes(each.read(digest_of(part), bundle)) == part
        assert all(each.is_whole(digest) for digest in objects(each))


def test_a_registration_is_one_file_beside_its_large_parts(blobs: Blobs) -> None:
    """However many parts: that is what makes it three syncs."""
    small, large = [bytes([i]) * 100 for i in range(50)], b"L" * INLINE
    bundle = store(blobs, *small, large)
    assert objects(blobs) == {bundle, digest_of(large)}
    index = blobs.index(bundle)
    assert set(index.parts) == {digest_of(part) for part in small}
    assert index.large == {digest_of(large): INLINE}
    assert all(offset % 64 == 0 for offset, _size in index.parts.values())
    assert not list((blobs.folder.parent / "tmp").iterdir())


def test_a_part_that_is_stored_is_referred_to(blobs: Blobs) -> None:
    """A forest that shares 200 of its 220 buffers with the last one costs twenty."""
    parts = [bytes([i]) * 500 for i in range(9)]
    first = store(blobs, *parts, b"L" * 5000)
    path = blobs.path(digest_of(b"L" * 5000))
    before = path.stat().st_mtime_ns, path.stat().st_ino
    second = store(blobs, *parts, b"new", b"L" * 5000)
    assert set(blobs.index(second).parts) == {digest_of(b"new")}
    assert blobs.index(second).elsewhere == {digest_of(part): first for part in parts}
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before, "an object is never written again"
    assert bytes(blobs.read(digest_of(parts[3]), second)) == parts[3]


def test_the_cache_of_parts_may_be_deleted_or_wrong(blobs: Blobs, tmp_path: Path) -> None:
    """It costs a part stored twice, and never a version."""
    parts = [bytes([i]) * 500 for i in range(4)]
    first = store(blobs, *parts)
    cache = blobs.folder / "parts"
    lying = cache / digest_of(parts[0])[:2]
    lying.write_bytes(bytes.fromhex(digest_of(parts[0]) + "ab" * 32))
    (cache / digest_of(parts[1])[:2]).write_bytes(b"torn" * 9)
    (cache / digest_of(parts[2])[:2]).unlink()
    elsewhere = craft(blobs, {"parts": {digest_of(b"other"): [0, 5]}}, b"other")
    (cache / digest_of(parts[3])[:2]).write_bytes(bytes.fromhex(digest_of(parts[3]) + elsewhere))
    for each in (opened(tmp_path), blobs):
        second = store(each, *parts, b"x")
        assert elsewhere not in each.index(second).elsewhere.values()
        assert [bytes(each.read(digest_of(part), second)) for part in parts] == parts
    store(blobs, *parts, b"y")
    assert set(objects(blobs)) > {first}


def test_a_bundle_that_another_process_removed_is_not_referred_to(blobs: Blobs, tmp_path: Path) -> None:
    """A kernel that has been open for a week remembers bundles that were purged yesterday."""
    shared = b"shared" * 100
    first = store(blobs, shared)
    store(blobs, shared, b"and more")
    opened(tmp_path).path(first).unlink()
    second = store(blobs, shared, b"new")
    assert bytes(blobs.read(digest_of(shared), second)) == shared


def test_tiny_parts_are_stored_again(blobs: Blobs) -> None:
    """A pipeline has a dozen numbers of 8 bytes: looking them up cost more than all the rest of it."""
    first, second = store(blobs, b"tiny"), store(blobs, b"tiny", b"new")
    assert digest_of(b"tiny") in blobs.index(second).parts
    assert not list((blobs.folder / "parts").glob("*"))
    blobs.path(first).unlink()
    assert bytes(blobs.read(digest_of(b"tiny"), second)) == b"tiny"


def test_a_part_that_was_damaged_before_this_process_read_it_is_stored_again(
    blobs: Blobs, tmp_path: Path
) -> None:
    """A new version is not built on bytes that are wrong already."""
    part = b"part" * 100
    first = store(blobs, part)
    path = blobs.path(first)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(part, b"harm" * 100))
    second = store(opened(tmp_path), part, b"new")
    assert bytes(blobs.read(digest_of(part), second)) == part


def test_a_large_part_that_was_cut_short_is_stored_again(blobs: Blobs) -> None:
    """What is there under a name need not be whole: its size tells at once."""
    large = b"L" * 5000
    store(blobs, large)
    path = blobs.path(digest_of(large))
    path.chmod(0o644)
    path.write_bytes(large[:100])
    bundle = store(blobs, large, b"x")
    assert bytes(blobs.read(digest_of(large), bundle)) == large


def test_a_buffer_that_changes_while_it_is_stored_is_refused(blobs: Blobs) -> None:
    """Another thread trains on: what is stored must be what its digest says."""
    buffer = bytearray(b"a" * 5000)
    chunk = Chunk(digest=digest_of(buffer), size=5000)
    buffer[7] = 0
    with blobs.kept(), pytest.raises(CannotStoreError, match="changed meanwhile"):
        blobs.batch().add(buffer, chunk)
    assert not objects(blobs)
    assert not list((blobs.folder.parent / "tmp").iterdir())


def test_an_object_is_for_reading_only(blobs: Blobs) -> None:
    """Its name is its content; nobody should write to it by accident."""
    bundle = store(blobs, b"x")
    assert blobs.path(bundle).stat().st_mode & 0o222 == 0
    assert bundle == sha256(blobs.path(bundle).read_bytes()).hexdigest()


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_write_that_fails_leaves_nothing(blobs: Blobs, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A full disk costs a sentence, not a file that is half there."""

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(NoSpaceError):
            store(blobs, b"x" * 100)
    assert not objects(blobs)
    assert not list((blobs.folder.parent / "tmp").iterdir())
    assert bytes(blobs.read(digest_of(b"x" * 100), store(blobs, b"x" * 100))) == b"x" * 100


# reading


def test_what_is_read_may_be_written_to(blobs: Blobs) -> None:
    """A loaded array can be changed in place, and nothing stored changes with it."""
    for part in (b"small" * 9, b"L" * 5000):
        bundle = store(blobs, part)
        data = memoryview(blobs.read(digest_of(part), bundle))
        data[0] = 0
        assert bytes(blobs.read(digest_of(part), bundle)) == part


@pytest.mark.parametrize("size", [50, 5000])
@pytest.mark.parametrize("harm", ["flip", "cut", "missing", "empty", "folder", "link"])
def test_damaged_bytes_are_named_and_never_handed_out(blobs: Blobs, size: int, harm: str) -> None:
    """A wrong weight is worse than none."""
    part, other = os.urandom(size), b"untouched"
    bundle = store(blobs, part)
    kept = store(blobs, other)
    path = blobs.path(bundle if size < INLINE else digest_of(part))
    raw = path.read_bytes()
    path.chmod(0o644)
    at = raw.index(part)
    if harm == "flip":
        path.write_bytes(raw[: at + 9] + bytes([raw[at + 9] ^ 1]) + raw[at + 10 :])
    elif harm == "cut":
        path.write_bytes(raw[: at + size - 1])
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if harm == "folder":
            path.mkdir()
        elif harm == "link":
            path.symlink_to(blobs.path(kept))

    for each in (blobs, opened(blobs.folder.parent)):
        with pytest.raises(DamagedObjectError, match=str(path)):
            each.read(digest_of(part), bundle)
        assert bytes(each.read(digest_of(other), kept)) == other


@pytest.mark.parametrize(
    "index",
    [
        b"{", b"[]", b"null", b"\xff\xfe", {"parts": {"x": [0]}}, {"parts": {"x": [-64, 5]}},
        {"parts": {"x": [0, -1]}}, {"parts": {"x": [0, 10**15]}}, {"parts": {"x": [10**15, 1]}},
        {"parts": {"x": ["0", "5"]}}, {"parts": {}, "elsewhere": {"x": 1}}, {"elsewhere": {}},
    ],
)  # fmt: skip
def test_a_bundle_with_a_lying_index_is_damage_and_no_crash(blobs: Blobs, index: object) -> None:
    """A bundle is a file that anyone may have written."""
    bundle = craft(blobs, index, b"hello")
    with pytest.raises(DamagedObjectError, match=str(blobs.path(bundle))):
        blobs.read("ab" * 32, bundle)


def test_an_index_cannot_lead_outside_or_to_other_bytes(blobs: Blobs, tmp_path: Path) -> None:
    """Digests are checked where they are used, whatever leads there."""
    (tmp_path / "secret").write_bytes(b"secret")
    digest = digest_of(b"hello")
    for index in (
        {"parts": {digest: [0, 4]}},
        {"parts": {digest: [1, 5]}},
        {"parts": {}, "elsewhere": {digest: "../../secret"}},
        {"parts": {}, "elsewhere": {digest: "/" * 64}},
        {"parts": {}, "large": {digest: 5}},
        {"parts": {}},
    ):
        bundle = craft(blobs, index, b"hello")
        with pytest.raises(DamagedObjectError):
            blobs.read(digest, bundle)
    for name in ("../../secret", "", "x" * 64 + "/", "é" * 64, "A" * 64):
        with pytest.raises(DamagedObjectError):
            blobs.read(digest, name)


def test_a_digest_that_an_index_names_twice_gives_its_own_bytes_or_none(blobs: Blobs) -> None:
    """Whichever of two places is looked at, what comes out has the digest that was asked for."""
    digest, other = digest_of(b"hello"), store(blobs, b"another part")
    twice = b'{"parts":{"%b":[%d,5],"%b":[%d,5]}}'
    for index in (
        twice % (digest.encode(), 0, digest.encode(), 1),
        twice % (digest.encode(), 1, digest.encode(), 0),
        {"parts": {digest: [0, 5], digest_of(b"ello!"): [1, 5]}},
        {"parts": {digest: [0, 5]}, "elsewhere": {digest: other}},
        {"parts": {digest: [0, 5]}, "elsewhere": {digest: digest}},
        {"parts": {digest: [0, 5]}, "large": {digest: 5}},
        {"parts": {digest: [0, 5]}, "large": {digest: 5, other: 1}, "elsewhere": {digest: other}},
    ):
        bundle = craft(blobs, index, b"hello!")
        try:
            found = bytes(blobs.read(digest, bundle))
        except DamagedObjectError:
            continue
        assert found == b"hello"


@pytest.mark.parametrize("head", [b"", b"nbreg bundle 2\n", b"nbreg bundle 1\nffffffffffffffff\n{}", b"nbreg bundle 1\n-00000000000001\n{}"])  # fmt: skip
def test_a_file_that_is_no_bundle_is_damage(blobs: Blobs, head: bytes) -> None:
    """Or a bundle of a later form."""
    digest = digest_of(head)
    blobs.path(digest).parent.mkdir()
    blobs.path(digest).write_bytes(head)
    with pytest.raises(DamagedObjectError, match="is not a bundle"):
        blobs.index(digest)


# purge waits for registrations, and registrations for purge


def test_purge_and_registrations_keep_apart(blobs: Blobs, tmp_path: Path) -> None:
    """Registrations go on side by side; purge has the registry to itself."""
    quick = opened(tmp_path, lock_seconds=0.05)
    with blobs.kept(), quick.kept(), pytest.raises(RegistryBusyError), quick.alone():
        pass
    with blobs.alone():
        with pytest.raises(RegistryBusyError), quick.kept():
            pass
        errors: list[BaseException] = []

        def other() -> None:
            try:
                with quick.alone():
                    pass
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert isinstance(errors[0], RegistryBusyError)
    with quick.kept():
        pass
