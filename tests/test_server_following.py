"""What a sidebar follows: changes of other processes, answers that are still true, pages of lists."""

from __future__ import annotations

import numpy as np
import pytest
from children import run
from servers import Server
from stories import EXAMPLES, Folder, story


def test_what_another_process_registers_is_seen_by_who_follows(server: Server, folder: Folder) -> None:
    """A sidebar that shows yesterday's state invites yesterday's decision."""
    folder.registry.register("churn", {"w": 1})
    folder.registry.register("quiet", {"w": 1})
    client = server.client()
    first = client.get("poll", registry=folder.key).json
    nothing = client.get("poll", registry=folder.key, since=first["cursor"]).json

    run(
        "Registry(sys.argv[1], settings=QUICK).register('churn', {'w': 2})",
        folder.registry.location,
    )
    changed = client.get("poll", registry=folder.key, since=first["cursor"]).json

    assert ([row["name"] for row in first["models"]], first["all"]) == (["churn", "quiet"], True)
    assert (nothing["models"], nothing["all"], nothing["cursor"]) == ([], False, first["cursor"])
    assert [(row["name"], row["latest"]) for row in changed["models"]] == [("churn", 2)]
    assert not changed["all"]


def test_who_followed_a_server_that_is_gone_is_told_everything(server: Server, folder: Folder) -> None:
    """After a restart nobody knows what was seen: a sidebar must not wait for a change to fill itself."""
    folder.registry.register("churn", {"w": 1})

    for cursor in ("", "deadbeef.7", "no cursor", "1.²", "." * 300):
        told = server.client().get("poll", registry=folder.key, since=cursor).json
        assert told["all"]
        assert [row["name"] for row in told["models"]] == ["churn"]


def test_runs_drafts_and_the_registrys_own_rules_are_followed(server: Server, folder: Folder) -> None:
    """A run that begins is news, although no model changed."""
    client = server.client()
    cursor = client.get("poll", registry=folder.key).json["cursor"]

    folder.registry.start_run("fit").end()

    told = client.get("poll", registry=folder.key, since=cursor).json
    assert "runs" in told["others"]


@pytest.mark.parametrize("path", ["models", "model", "versions", "version", "diff", "events", "search"])
def test_an_answer_that_is_still_true_is_not_sent_again(server: Server, folder: Folder, path: str) -> None:
    """A sidebar asks often; the wire and the disk should hardly notice."""
    story(folder)
    client = server.client()
    question = EXAMPLES[path] | {"registry": folder.key}
    tag = client.get(path, **question).headers["etag"]

    again = client.get(path, {"If-None-Match": tag}, **question)
    through_a_proxy = client.get(path, {"If-None-Match": f"W/{tag}"}, **question)
    folder.registry.promote("risk/churn@3", "production", reason="Newer")
    after = client.get(path, {"If-None-Match": tag}, **question)

    assert (again.status, again.body, through_a_proxy.status) == (304, b"", 304)
    assert after.status == 200
    assert after.headers["etag"] != tag


def test_whether_an_answer_is_still_true_is_found_out_without_making_it(
    server: Server, folder: Folder
) -> None:
    """A manifest of a slow disk is not read again to learn that it is the same."""
    folder.registry.register("churn", {"w": 1})
    client = server.client()
    tag = client.get("version", registry=folder.key, ref="churn@1").headers["etag"]
    objects = folder.registry.location / "objects"
    objects.rename(objects.with_name("elsewhere"))

    again = client.get("version", {"If-None-Match": tag}, registry=folder.key, ref="churn@1")

    assert again.status == 304


def test_lists_come_in_pages(server: Server, folder: Folder) -> None:
    """A model with ten thousand versions is a first page at once, not a minute of waiting."""
    story(folder)
    client = server.client()

    first = client.get("versions", registry=folder.key, model="risk/churn", limit=2).json
    last = client.get("versions", registry=folder.key, model="risk/churn", limit=2, offset=7).json

    assert ([each["version"]["number"] for each in first["versions"]], first["more"]) == ([9, 8], True)
    assert ([each["version"]["number"] for each in last["versions"]], last["more"]) == ([1], False)
    models = client.get("models", registry=folder.key, match="none of that name").json
    assert (models["models"], models["total"]) == ([], 0)


def test_what_was_hidden_and_what_was_before_can_be_looked_at(server: Server, folder: Folder) -> None:
    """A deleted run is found again, and a data set has all contents that it had."""
    known = story(folder)
    folder.registry.register_dataset("customers", np.arange(5.0))
    client = server.client()

    def runs(**more: object) -> list[str]:
        return [each["id"] for each in client.get("runs", registry=folder.key, **more).json["runs"]]

    gone = known["restore-run"]["run"]
    assert gone not in runs()
    assert gone in runs(deleted=True)
    series = client.get("dataset", registry=folder.key, data="customers@1").json
    assert [each["number"] for each in series] == [2, 1]
    assert client.get("dataset", registry=folder.key, data="nobody").json["code"] == "unknown-dataset"


def test_traffic_is_shared_out_and_no_longer(server: Server, folder: Folder) -> None:
    """An operator without a shell moves a tenth of the customers, and moves them back."""
    story(folder)
    client = server.client()
    wish = {"registry": folder.key, "model": "risk/churn", "reason": "ABTest"}

    assert (
        client.post("set-split", **wish, weights={"production": 90, "latest": 20}).json["code"] == "bad-value"
    )
    assert client.get("model", registry=folder.key, model="risk/churn").json["split"] is None
    client.post("set-split", **wish, weights={"production": 90, "latest": 10})
    split = client.get("model", registry=folder.key, model="risk/churn").json["split"]
    assert split["weights"] == {"production": 0.9, "latest": 0.1}
    assert folder.registry.events("risk/churn")[0].reason == "ABTest"
    assert client.post("set-split", **wish, weights=None).json is None
    assert folder.registry.split("risk/churn") is None
