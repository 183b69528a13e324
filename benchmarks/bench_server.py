"""What a sidebar asks all the time, of a real Jupyter Server over a registry of many models.

The yardstick is the server's own `api`, which says its version and nothing else, in turns with it.
"""

from __future__ import annotations

import http.client
import json
import sys
import urllib.parse
from pathlib import Path

import harness
import models
from harness import Benchmark, Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def measure(scale: tuple[int, int, int], work: Path) -> list[Figure]:
    """A page of models, the first page of versions, a poll with nothing new, an answer that is still true."""
    from servers import TOKEN, running

    turns, count, versions = scale
    root = work / "root"
    root.mkdir()
    registry = models.bare(root / ".nbreg")
    for i in range(count):
        models.grow(registry, f"team-{i % 10}/model-{i}", versions)
    with running(root, home=work / "home") as server:
        wire = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)

        def ask(path: str, status: int = 200, **headers: str) -> tuple[bytes, str]:
            wire.request("GET", f"/{path}", headers={"Authorization": f"token {TOKEN}", **headers})
            with wire.getresponse() as got:
                body = got.read()
                assert got.status == status, body
                return body, got.getheader("Etag") or ""

        cursor = json.loads(ask("nbreg/models?limit=1")[0])["cursor"]
        paths = [f"nbreg/versions?model=team-{i % 10}/model-{i}&limit=50" for i in range(count)]
        tag = ask(paths[0])[1]

        def page(turn: int) -> None:
            assert json.loads(ask(f"nbreg/models?limit={min(count, 100)}")[0])["total"] == count

        def first(turn: int) -> None:
            assert len(json.loads(ask(paths[turn % count])[0])["versions"]) == min(versions, 50)

        def nothing(turn: int) -> None:
            assert json.loads(ask(f"nbreg/poll?since={cursor}")[0])["models"] == []

        def still(turn: int) -> None:
            assert ask(paths[0], 304, **{"If-None-Match": tag})[0] == b""

        asked = [lambda turn: ask("api"), page, first, nothing, still]
        api, listed, shown, polled, same = harness.in_turns(asked, turns, warm=5)
    return [
        harness.seconds(f"a page of 100 of {count:,} models", listed, goal=50),
        harness.seconds(f"the first 50 of {versions} versions, each time of another model", shown, goal=50),
        harness.seconds(f"a poll of {count:,} models with nothing new", polled, goal=25),
        harness.ratio("the same / the server's own `api`", polled, api),
        harness.seconds("versions that are as they were (304)", same, goal=10),
        harness.ratio("the same / the server's own `api`, 304", same, api),
    ]


BENCHMARK = Benchmark(
    name="server",
    claim="a sidebar over 1,000 models of 100 versions asks what is new in 25 ms",
    measure=measure,
    full=(101, 1000, 100),
    smallest=(2, 5, 3),
)

if __name__ == "__main__":
    sys.exit(not harness.main(BENCHMARK))
