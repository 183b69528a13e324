"""tornado's side of a route: who asks, whether they may, and how the answer is sent."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from nbreg.records import Actor
from nbreg.registry.ground.actor import current_actor, named_actor
from nbreg.server.answering import LARGEST_BODY, Answer, answer, refusal
from nbreg.server.registries import Registries
from nbreg.server.routes import NAMESPACE, ROUTES, Route

_PIECE: Final = 1024 * 1024
_OURS: Final = {"token", "_xsrf", "no_track_activity"}
"""Arguments that are the server's own, or Jupyter's frontend adds."""


class Threads:
    """Where the verbs work: a few threads for the quick ones, fewer for those that read a whole registry."""

    def __init__(self) -> None:
        self._quick = ThreadPoolExecutor(8, "nbreg")
        self._slow = ThreadPoolExecutor(2, "nbreg-slow")

    def of(self, route: Route) -> ThreadPoolExecutor:
        """Those of a route."""
        return self._slow if route.slow else self._quick

    def close(self) -> None:
        """Wait for nobody: what is being written is whole or not there at all."""
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)


class RouteHandler(APIHandler):
    """Answers one route with one verb, off the event loop."""

    auth_resource = NAMESPACE

    def initialize(self, route: Route, registries: Registries, threads: Threads) -> None:
        """Which route it is, and what all of them share."""
        self.route = route
        self.registries = registries
        self.threads = threads
        self._tag = ""
        self._track_activity = route.path != "poll"  # a forgotten tab keeps no server alive

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler has it
        """Refuse what is too large before it is read."""
        length = self.request.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            raise web.HTTPError(413, f"a request holds at most {LARGEST_BODY} bytes")
        await super().prepare()

    def who(self) -> tuple[Actor, str]:
        """Who acts, and their name as they logged in with it: the server's user.

        Where the server knows nobody by name it is whoever runs it, as in a kernel.
        """
        user = self.current_user
        name = str(user.username)
        if re.fullmatch("[0-9a-f]{32}", name) and str(user.name).startswith("Anonymous"):
            me = current_actor()
            return me, me.user
        return named_actor(name, "server"), name

    async def work(self, given: dict[str, str] | bytes, folder: Path | None = None) -> Answer:
        """The answer, made in a thread."""
        route, known = self.route, self.request.headers.get("If-None-Match", "")
        loop = asyncio.get_running_loop()
        who, name = self.who()
        return await loop.run_in_executor(
            self.threads.of(route),
            lambda: answer(route, self.registries, who, given, name=name, known=known, folder=folder),
        )

    def question(self) -> dict[str, str]:
        """The query, without what is not meant for the verb."""
        arguments = {name: values[-1] for name, values in self.request.query_arguments.items()}
        return {
            name: value.decode("utf-8", "replace")
            for name, value in arguments.items()
            if name not in _OURS and not (name.isdigit() and not value)  # the frontend's way past caches
        }

    def send(self, made: Answer) -> None:
        """Send an answer that is no file."""
        self.set_status(made.status)
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self._tag = made.etag
        if made.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", "2")
        self.finish(made.body or None, set_content_type="application/json; charset=UTF-8")

    def compute_etag(self) -> str | None:
        """That of the registry's state, where there is one; else tornado's, that of the bytes."""
        return self._tag or super().compute_etag()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of the server itself, in the form of ours; nothing of a traceback."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        said = error.log_message if isinstance(error, web.HTTPError) else ""
        self.send(refusal(status_code, f"http-{status_code}", said or HTTPStatus(status_code).phrase.lower()))


class ReadHandler(RouteHandler):
    """A GET that gives a record."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Look."""
        self.send(await self.work(self.question()))


@web.stream_request_body
class WriteHandler(RouteHandler):
    """A POST that changes something. Its body is read as it comes, and no further than it may."""

    def initialize(self, route: Route, registries: Registries, threads: Threads) -> None:
        """See above."""
        super().initialize(route, registries, threads)
        self._body = bytearray()

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._body += chunk
        if len(self._body) > LARGEST_BODY:
            raise web.HTTPError(413, f"a request holds at most {LARGEST_BODY} bytes")

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Act."""
        self.send(await self.work(bytes(self._body)))


class DownloadHandler(RouteHandler):
    """A GET that gives a file."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Make the file, send it piece by piece, and take it away."""
        folder = Path(tempfile.mkdtemp(prefix="nbreg-"))
        try:
            made = await self.work(self.question(), folder)
            if made.file is None:
                self.send(made)
            else:
                await self._send_file(made.file)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _send_file(self, path: Path) -> None:
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(path.stat().st_size))
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(path.name)}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-store")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while piece := await asyncio.to_thread(os.read, fd, _PIECE):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # who asked has gone
        finally:
            os.close(fd)
        self.finish(set_content_type="application/octet-stream")


Rule = tuple[str, type[RouteHandler], dict[str, Any]]


def handlers(registries: Registries, threads: Threads) -> list[Rule]:
    """What the server registers: each route of the table, and nothing else."""
    shared = {"registries": registries, "threads": threads}
    return [(rf"/{NAMESPACE}/{route.path}", _class(route), {"route": route, **shared}) for route in ROUTES]


def _class(route: Route) -> type[RouteHandler]:
    if route.is_download:
        return DownloadHandler
    return ReadHandler if route.method == "GET" else WriteHandler
