"""The server of docs/serving.md, as it stands there, under load while versions come and go."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from children import start
from sklearn.linear_model import LogisticRegression

from nbreg import Registry
from nbreg.records import StageRow, timestamp
from nbreg.registry.serving import routing

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

PAGE = Path(__file__).resolve().parent.parent / "docs" / "serving.md"
TRAIN = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "plan": [0, 1, 0, 1]})
SPLIT = {"production": 0.9, "staging": 0.1}
CLIENTS, EACH = 4, 60
FIRST = CLIENTS * EACH + 20
ALL = FIRST + 20


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "registry")
    for strength in (0.1, 1.0, 10.0):
        model = LogisticRegression(C=strength).fit(TRAIN, [0, 0, 1, 1])
        registry.register("churn", model, data={"train": TRAIN})
    registry.promote("churn@1", "production")
    registry.promote("churn@3", "staging")
    return registry


@pytest.fixture
def port(registry: Registry, tmp_path: Path) -> Iterator[int]:
    """The page's server with two workers, listening on the loopback."""
    (tmp_path / "serve.py").write_text(re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)[1])  # type: ignore[index]
    # A port that nobody else can take meanwhile: the server chooses it, and says which.
    command = [sys.executable, "-m", "uvicorn", "serve:app", "--port", "0", "--workers", "2"]
    env = {**os.environ, "NBREG_REGISTRY": str(registry.location)}
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=log)
        try:
            yield _port(server, tmp_path / "server.log")
        finally:
            server.terminate()
            server.wait(30)


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    """Where it answers, as soon as it does."""
    for _ in range(1800):
        assert server.poll() is None, log.read_text()
        if told := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(told[1])), timeout=1):
                return int(told[1])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def row(number: int) -> dict[str, float]:
    return {"age": 20.0 + number, "plan": number % 2}


def ask(port: int, numbers: range, answers: dict[int, Any]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        body = json.dumps({"customer": number, "row": row(number), "id": f"request-{number}"})
        asked_at = timestamp(datetime.now(UTC))
        connection.request("POST", "/predict", body)
        response = connection.getresponse()
        answers[number] = (response.status, json.loads(response.read()), asked_at)


OPERATOR = """
registry = Registry(sys.argv[1])
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    registry.promote('churn@2', 'production', reason='ABTestWon')
    time.sleep(0.02)
    registry.rollback('churn', reason='Complaints')
    time.sleep(0.02)
"""


def test_answers_ledger_and_events_agree_while_versions_come_and_go(registry: Registry, port: int) -> None:
    """Every answer names the version that gave it, and the auditor finds that one, in the stage that it was in."""
    answers: dict[int, Any] = {}
    ask(port, range(CLIENTS * EACH, FIRST), answers)  # the first version is in production
    operator = start("import select\n" + OPERATOR, registry.location)
    assert operator.stdout is not None
    operator.stdout.readline()
    clients = [
        threading.Thread(target=ask, args=(port, range(each * EACH, (each + 1) * EACH), answers))
        for each in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    _, err = operator.communicate("stop")
    assert operator.returncode == 0, err
    registry.promote("churn@2", "production", reason="ABTestOver")
    ask(port, range(FIRST, ALL), answers)  # and now the second is

    assert {status for status, _, _ in answers.values()} == {200}, answers
    found = registry.who_decided([row(number) for number in range(ALL)], "churn")
    assert found.unread == []
    models = {number: registry.get(f"churn@{number}") for number in (1, 2, 3)}
    seen: set[tuple[int, str]] = set()
    for number, (_, answer, asked_at) in answers.items():
        (decision,) = found[number]
        assert (decision.ref, decision.id) == (answer["version"], answer["id"])
        assert decision.request == f"request-{number}"
        assert models[decision.number].predict(row(number), stamp="off")[0] == answer["label"]
        arm = routing.choose(routing.arms("churn", SPLIT), str(number).encode()).ref
        assert decision.stage in (arm, "archived")  # it may have left it between routing and answering
        assert decision.number in holders(registry, arm, asked_at, decision.at)
        seen.add((decision.number, arm))
    assert seen == {(1, "production"), (2, "production"), (3, "staging")}


def holders(registry: Registry, stage: str, since: str, until: str) -> set[int | None]:
    """Who held a stage between a question and its decision, by the journal alone.

    The last line from before the question counts as not there yet, too: a line has its time before it is
    synced, and until then nobody sees it.
    """
    database = registry._desk.model("churn")
    first = max(0, database.journal.index_at(since) - 1)
    lines = range(first, database.journal.index_at(until) + 1)
    rows = [database.row("stages", stage, StageRow, before=before) for before in lines]
    return {each.number for each in rows if each}


def test_what_is_refused_is_an_answer_with_a_code(registry: Registry, port: int) -> None:
    """A client that sends another column is told which, and no decision is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(
        "POST", "/predict", json.dumps({"customer": 1, "row": {"age": 3, "plna": 1}, "id": "a"})
    )
    response = connection.getresponse()

    assert response.status == 422
    assert json.loads(response.read())["code"] == "input-mismatch"
    assert not (registry.location / "decisions").exists()
