"""What takes long: checks that nobody waits for, and downloads that leave nothing behind."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
import urllib.parse
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from servers import TOKEN, Server
from stories import QUICK, Folder

from nbreg import Registry
from nbreg.server.routes import ROUTES


def how_often_open(server: Server, path: Path) -> int:
    """How many descriptors of the server's process lead to a file."""
    found = 0
    for each in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(each) == str(path)
    return found


def test_nobody_waits_for_who_reads_everything(server: Server, folder: Folder) -> None:
    """Checking a terabyte leaves the sidebar as quick as it was."""
    folder.registry.register("churn", {"w": 1})
    large = folder.registry.location / "objects" / "00" / ("0" * 62)
    large.parent.mkdir(exist_ok=True)
    large.touch()
    os.truncate(large, 1024**4)  # takes no room on disk, and nobody reads to its end
    client = server.client()

    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(client.get, "verify", registry=folder.key) for _ in range(4)]
        try:
            while not how_often_open(server, large):  # until one of them reads it
                assert not any(each.done() for each in slow)
                threading.Event().wait(0.01)
            quick = [
                client.get("versions", registry=folder.key, model="churn"),
                client.get("poll", registry=folder.key),
                client.post("update", registry=folder.key, ref="churn@1", tags=["meanwhile"]),
            ]
            still_read = how_often_open(server, large)
        finally:
            os.truncate(large, 0)  # now they are at its end
        reports = [each.result(timeout=200) for each in slow]
    large.unlink()

    assert [each.status for each in quick] == [200, 200, 200]
    assert still_read
    assert [each.status for each in reports] == [200] * 4
    assert all(each.json["problems"][-1]["code"] == "object-damaged" for each in reports)


def test_slow_routes_have_threads_of_their_own() -> None:
    """However many people check everything at once, a list does not queue behind them."""
    from nbreg.server.handlers import Threads

    threads, gate = Threads(), threading.Event()
    by_path = {route.path: route for route in ROUTES}
    waiting = [
        threads.of(by_path[path]).submit(gate.wait) for path in ("verify", "usage", "files", "archive") * 8
    ]

    try:
        assert threads.of(by_path["versions"]).submit(lambda: "answered").result(timeout=60) == "answered"
        assert threads.of(by_path["promote"]).submit(lambda: "answered").result(timeout=60) == "answered"
        assert not any(each.done() for each in waiting)
    finally:
        gate.set()
        threads.close()


def is_emptied(server: Server) -> bool:
    """Whether the server takes away what it made to send: it does so after the last byte has gone."""
    for _ in range(3000):
        if not list((server.root.parent / "scrap").glob("nbreg-*")):
            return True
        threading.Event().wait(0.01)
    return False


def test_a_version_goes_to_another_registry_as_one_file(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """What a colleague downloads from the sidebar is the version itself: same id, every byte checked."""
    version = folder.registry.register("risk/churn", {"w": 1}, metrics={"auc": 0.9})

    got = server.client().get("archive", registry=folder.key, ref="risk/churn@1")
    (tmp_path / "got.nbreg").write_bytes(got.body)
    taken = Registry(tmp_path / "other", settings=QUICK).import_(tmp_path / "got.nbreg")

    assert taken.id == version.id
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''risk-churn-1.0.0.nbreg"
    assert got.headers["content-type"] == "application/octet-stream"
    assert is_emptied(server)


def test_a_version_is_downloaded_as_the_files_that_pull_writes(
    server: Server, folder: Folder, tmp_path: Path
) -> None:
    """Whoever has no nbreg opens a zip and finds ordinary files."""
    (tmp_path / "notes.txt").write_text("a file as it was")
    folder.registry.register("churn", {"w": 1}, artifacts={"notes": tmp_path / "notes.txt"})

    got = server.client().get("files", registry=folder.key, ref="churn@1")
    with zipfile.ZipFile(io.BytesIO(got.body)) as files:
        names = {name.partition("/")[2] for name in files.namelist()}
        metadata = json.loads(files.read("churn-1.0.0/model_metadata.json"))

    folder.registry.pull("churn@1", tmp_path / "pulled")
    pulled = {
        path.relative_to(tmp_path / "pulled").as_posix()
        for path in (tmp_path / "pulled").rglob("*")
        if path.is_file()
    }
    assert names == pulled
    assert metadata["model_name"] == "churn"
    assert is_emptied(server)


def test_who_leaves_a_download_leaves_nothing_behind(server: Server, folder: Folder, tmp_path: Path) -> None:
    """A closed tab in the middle of a gigabyte: nobody waits, and the copy on disk goes."""
    (tmp_path / "large.bin").write_bytes(os.urandom(1024) * 32 * 1024)
    folder.registry.register("churn", tmp_path / "large.bin")
    host = urllib.parse.urlsplit(server.url).netloc
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as wire:
        wire.sendall(
            f"GET /nbreg/files?registry={folder.key}&ref=churn@1 HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: token {TOKEN}\r\n\r\n".encode()
        )
        assert wire.recv(64 * 1024).startswith(b"HTTP/1.1 200 OK")
        assert server.client().get("hello").status == 200  # while the other one does not read

    assert is_emptied(server)
