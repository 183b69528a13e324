"""A real Jupyter Server in a process of its own, and a client of it that has no library."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, NamedTuple

TOKEN = "a-token-of-the-tests"


class Reply(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Client:
    """Somebody who asks the server: with its token, another one, or the cookie of a browser."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.url = url
        self.cookies = CookieJar()
        self._headers = {} if token is None else {"Authorization": f"token {token}"}
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str, headers: dict[str, str] | None = None, /, **question: object) -> Reply:
        """Ask `nbreg/PATH`."""
        query = urllib.parse.urlencode({name: _text(value) for name, value in question.items()})
        return self.send("GET", f"nbreg/{path}{'?' if query else ''}{query}", None, headers)

    def post(self, path: str, headers: dict[str, str] | None = None, /, **wish: object) -> Reply:
        """Act by `nbreg/PATH`."""
        return self.send("POST", f"nbreg/{path}", json.dumps(wish).encode(), headers)

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send a request as it is given."""
        request = urllib.request.Request(
            self.url + path, body, self._headers | (headers or {}), method=method
        )
        try:
            with self._opener.open(request, timeout=120) as got:
                return Reply(
                    got.status, {name.lower(): each for name, each in got.headers.items()}, got.read()
                )
        except urllib.error.HTTPError as error:
            with error:
                headers = {name.lower(): each for name, each in error.headers.items()}
                return Reply(error.code, headers, error.read())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Server(NamedTuple):
    """A server that runs."""

    url: str
    root: Path
    process: subprocess.Popen[bytes]

    def client(self, token: str | None = TOKEN) -> Client:
        """Somebody who knows this token."""
        return Client(self.url, token)

    def browser(self) -> tuple[Client, str]:
        """A browser that logged in with the token, has a cookie since, and its XSRF token."""
        client = Client(self.url, None)
        client.send("GET", f"tree?token={TOKEN}", None)
        client.send("GET", f"lab?token={TOKEN}", None)
        client.send("GET", "login", None)
        return client, next(each.value or "" for each in client.cookies if each.name == "_xsrf")


NAMED = '''
from jupyter_server.auth import Authorizer, IdentityProvider, User

class Named(IdentityProvider):
    """Whoever says a name is believed: as a hub in front of the server would vouch for it."""

    def get_user(self, handler):
        name = handler.request.headers.get("Authorization", "").removeprefix("token ")
        handler._token_authenticated = True
        return User(username=name) if name else None

class Guests(Authorizer):
    """Guests look, and touch nothing of nbreg's."""

    def is_authorized(self, handler, user, action, resource):
        return not (user.username == "guest" and resource == "nbreg" and action != "read")
'''


@contextmanager
def knowing_people(top: Path, *options: str) -> Iterator[Server]:
    """A server over `top/root` that knows people by name: the token is the name."""
    (top / "root").mkdir()
    (top / "people.py").write_text(NAMED)
    search = os.pathsep.join([str(top), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    provider = "--ServerApp.identity_provider_class=people.Named"
    with running(top / "root", provider, *options, home=top / "home", PYTHONPATH=search) as server:
        yield server


@contextmanager
def running(root: Path, *options: str, home: Path, **environment: str) -> Iterator[Server]:
    """A server over that folder, on a free port, of a user whose home is `home`."""
    runtime = home / "runtime"
    places = {"HOME": home, "JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_DATA_DIR": home / "data"}
    variables = os.environ | {name: str(each) for name, each in places.items()} | environment
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port=0",
        "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}",
        "--ServerApp.jpserver_extensions={'jupyterlab': False, 'jupyter_lsp': False, 'notebook_shim': False}",
        *options,
    ]  # fmt: skip
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"server-{time.monotonic_ns()}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=root,
            env=variables | {"JUPYTER_RUNTIME_DIR": str(runtime)},
        )
        try:
            yield Server(_url(process, runtime, log), root, process)
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _url(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Where it listens, as soon as it does."""
    told = runtime / f"jpserver-{process.pid}.json"
    end = time.monotonic() + 240
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            url: str = json.loads(told.read_text())["url"]
            Client(url).send("GET", "api", None)
        except (OSError, http.client.HTTPException, json.JSONDecodeError):  # not there yet, or hung up
            time.sleep(0.05)
            continue
        return url
    raise AssertionError(log.read_text())
