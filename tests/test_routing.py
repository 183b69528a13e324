"""Routing: a customer's id and a split say which version answers, the same everywhere and always."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from children import as_nobody, run, start

import nbreg
from nbreg import Registry
from nbreg.errors import (
    BadReferenceError,
    BadValueError,
    NbregError,
    UnknownModelError,
    UnknownVersionError,
)
from nbreg.registry.serving import routing
from nbreg.settings import Settings

QUICK = Settings(capture=False)
AB = {"production": 0.9, "staging": 0.1}
FIRST_SIXTY = "pppppspppppppppppppppppppppppppppppppppppsppppppppsppppppppp"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 in production, version 2 in staging."""
    registry = Registry(tmp_path / "registry", settings=QUICK)
    for number in (1, 2):
        registry.register("churn", {"number": number})
    registry.promote("churn@1", "production")
    registry.promote("churn@2", "staging")
    return registry


def arm_of(weights: Mapping[str, float], key: int) -> str:
    return routing.choose(routing.arms("churn", weights), routing.key_bytes(key)).ref


def kinds(registry: Registry) -> list[str]:
    return [event.kind for event in registry.events("churn")]


# where a key goes


def test_a_key_goes_where_it_went_in_every_process_and_release() -> None:
    """A customer who was shown the new price yesterday sees it today; these answers never change."""
    ways = "routing.choose(routing.arms('churn', {'production': 0.9, 'staging': 0.1}), str(key).encode())"
    script = (
        f"from nbreg.registry.serving import routing\nprint(*({ways}.ref[0] for key in range(60)), sep='')"
    )

    assert run(script).strip() == FIRST_SIXTY


def test_the_shares_are_those_that_were_asked_for() -> None:
    """10 % is 10 %: within five standard deviations of what chance alone does."""
    count = 8_000
    weights = {"production": 0.6, "staging": 0.3, "champion": 0.1}
    found = Counter(arm_of(weights, key) for key in range(count))

    for ref, share in weights.items():
        assert abs(found[ref] - count * share) < 5 * math.sqrt(count * share * (1 - share))


def test_a_key_moves_only_to_what_grew_against_what_it_leaves() -> None:
    """Nobody who has nothing to do with a change of the split is shown another model."""
    before = {"production": 0.5, "staging": 0.3, "champion": 0.2}
    after = {"production": 0.6, "staging": 0.2, "champion": 0.2}
    grown = {ref: after[ref] / before[ref] for ref in before}
    moves = Counter((arm_of(before, key), arm_of(after, key)) for key in range(8_000))

    moved = {pair for pair in moves if pair[0] != pair[1]}
    assert moved == {("staging", "production"), ("staging", "champion"), ("champion", "production")}
    assert all(grown[there] > grown[here] for here, there in moved)


def test_as_many_keys_stay_as_hashing_can_keep() -> None:
    """The share that stays with A is 1 / Σ max(w_j/w_A, w'_j/w'_A), exactly what two exponential races give."""
    before, after = {"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 0.6, "b": 0.2, "c": 0.2}
    count = 8_000
    stayed = Counter(here for key in range(count) if (here := arm_of(before, key)) == arm_of(after, key))

    for ref in before:
        share = 1 / sum(max(w[each] / w[ref] for w in (before, after)) for each in before)
        assert abs(stayed[ref] - count * share) < 5 * math.sqrt(count * share * (1 - share))


def test_of_two_shares_exactly_the_difference_moves() -> None:
    """From 10 % to 20 % the new version gains a tenth of all customers, and loses none of those it had."""
    count = 8_000
    moves = Counter(
        (arm_of(AB, key), arm_of({"production": 0.8, "staging": 0.2}, key)) for key in range(count)
    )

    assert moves["staging", "production"] == 0
    assert abs(moves["production", "staging"] - count * 0.1) < 5 * math.sqrt(count * 0.1 * 0.9)


def test_two_models_share_out_the_same_customers_independently() -> None:
    """Who is in the test of one model is in the test of another one no more often than anybody."""
    ways = {model: routing.arms(model, {"a": 0.5, "b": 0.5}) for model in ("churn", "price")}
    both = Counter(
        tuple(routing.choose(ways[model], str(key).encode()).ref for model in ways) for key in range(8_000)
    )

    assert all(abs(found - 2_000) < 5 * math.sqrt(8_000 * 0.25 * 0.75) for found in both.values())


@pytest.mark.parametrize(("one", "other"), [(7, "7"), ("7", b"7"), ("ключ", "ключ".encode()), (-3, "-3")])
def test_a_number_in_one_service_is_text_in_another(one: Any, other: Any) -> None:
    """A path parameter is text and a database's id a number: it is one customer."""
    assert routing.key_bytes(one) == routing.key_bytes(other)


def test_numpy_integers_are_keys() -> None:
    """An id from a frame goes where the same id from a request goes."""
    numpy = pytest.importorskip("numpy")

    assert routing.key_bytes(numpy.int64(7)) == b"7"


@pytest.mark.parametrize("key", [True, 1.5, None, "", b"", ("a", 1)])
def test_what_is_no_key_is_refused(registry: Registry, key: Any) -> None:
    """A float or a missing id would send a customer anywhere, or everybody to one version."""
    with pytest.raises(BadValueError):
        registry.route("churn", AB, key=key)


# what is given


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "a split is weights by reference"),
        ({"production": 0.9, "staging": 0.01}, "the weights add up to 0.91"),
        ({"production": 1.5, "staging": -0.5}, "the weight of 'staging' is -0.5"),
        ({"production": math.nan, "staging": 0.5}, "the weight of 'production' is nan"),
        ({"production": math.inf}, "the weight of 'production' is inf"),
        ({"production": True}, "the weight of 'production' is a bool"),
        ({"production": "0.9"}, "the weight of 'production' is a str"),
        ({"production": 0, "staging": 0}, "the weights add up to 0"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(
    registry: Registry, weights: dict[Any, Any], message: str
) -> None:
    """A typing error in a split is found by the first request, not by the month's revenue."""
    before = kinds(registry)
    with pytest.raises(BadValueError) as caught:
        registry.route("churn", weights, key=1)

    assert caught.value.message == message
    assert kinds(registry) == before


def test_percents_are_shares(registry: Registry) -> None:
    """90 and 10 are what people say; they are the same split."""
    for key in range(50):
        percents = registry.route("churn", {"production": 90, "staging": 10}, key=key)
        assert percents == registry.route("churn", AB, key=key)
    assert kinds(registry).count("split-set") == 1


@pytest.mark.parametrize("ref", ["2", 2, "2.0.0", "churn@2", "champion"])
def test_a_split_takes_every_way_to_name_a_version(registry: Registry, ref: Any) -> None:
    """A stage, a number, a name, an alias; with the model's name or without."""
    registry.set_alias("churn@2", "champion")
    ref = registry.get("churn@2").name if ref == "2.0.0" else ref

    assert registry.route("churn", {ref: 1.0}, key="ada").number == 2


def test_a_version_itself_may_stand_in_a_split(registry: Registry) -> None:
    """What a function returned need not be spelled again."""
    assert registry.route("churn", {registry.get("churn@2"): 1}, key=1).number == 2


def test_a_reference_that_stands_twice_is_refused(registry: Registry) -> None:
    """`3` and `churn@3` are one version with two weights."""
    with pytest.raises(BadReferenceError):
        registry.route("churn", {"2": 0.5, "churn@2": 0.5}, key=1)


def test_an_unknown_reference_is_an_error_and_is_not_recorded(registry: Registry) -> None:
    """A misspelled alias stops the deployment that has it, and leaves no event."""
    with pytest.raises(UnknownVersionError):
        registry.route("churn", {"production": 0.5, "chmapion": 0.5}, key=1)
    with pytest.raises(UnknownModelError):
        registry.route("chrun", AB, key=1)

    assert "split-set" not in kinds(registry)


# references mean what they mean now


def test_a_promotion_by_another_process_is_seen_by_the_next_call(registry: Registry) -> None:
    """Servers need no restart: the reference is looked up again when the journal has a new line."""
    assert registry.route("churn", {"production": 1}, key="ada").number == 1

    run("Registry(sys.argv[1]).promote('churn@2', 'production')", registry.location)
    assert registry.route("churn", {"production": 1}, key="ada").number == 2

    run("Registry(sys.argv[1]).rollback('churn')", registry.location)
    assert registry.route("churn", {"production": 1}, key="ada").number == 1


def test_versions_in_two_stages_answer_at_once(registry: Registry) -> None:
    """An A/B test: most customers get the one, some the other, and each the same one again."""
    shares = {"production": 0.7, "staging": 0.3}
    found = {key: registry.route("churn", shares, key=key).number for key in range(1_000)}

    staged = sum(number == 2 for number in found.values())
    assert abs(staged - 300) < 5 * math.sqrt(1_000 * 0.3 * 0.7)
    assert {key: registry.route("churn", shares, key=key).number for key in range(1_000)} == found


def test_a_stage_that_nobody_is_in_gives_its_share_to_the_others(registry: Registry) -> None:
    """Promoting the version of `staging` empties it: no request may fail for that."""
    others = [key for key in range(200) if registry.route("churn", AB, key=key).number == 2]
    assert others

    registry.promote("churn@2", "production")

    assert {registry.route("churn", AB, key=key).number for key in others} == {2}
    registry.retire("churn@2")
    with pytest.raises(UnknownVersionError):
        registry.route("churn", AB, key=1)


def test_a_customer_stays_with_the_reference_when_its_version_changes(registry: Registry) -> None:
    """Who tries what is in staging goes on trying what is in staging."""
    before = {key for key in range(300) if registry.route("churn", AB, key=key).number == 2}
    registry.register("churn", {"number": 3})
    registry.promote("churn@3", "staging")

    assert {key for key in range(300) if registry.route("churn", AB, key=key).number == 3} == before


# what is recorded


def test_a_split_is_an_event_once_for_each_change(registry: Registry) -> None:
    """An auditor sees when the shares changed; a thousand requests a second write nothing."""
    for key in range(100):
        registry.route("churn", AB, key=key)
    for key in range(100):
        registry.route("churn", {"production": 0.5, "staging": 0.5}, key=key)

    newest, oldest = [event for event in registry.events("churn") if event.kind == "split-set"]
    assert (oldest.facts["weights"], oldest.reason) == (AB, "FirstUse")
    assert (newest.facts["weights"], newest.facts["before"]) == ({"production": 0.5, "staging": 0.5}, AB)


def test_servers_of_two_releases_do_not_write_against_each_other(registry: Registry) -> None:
    """During a deployment old and new weights are in use at once: each process records its own once."""
    old, new = Registry(registry.location), Registry(registry.location)
    for key in range(20):
        old.route("churn", AB, key=key)
        new.route("churn", {"production": 0.5, "staging": 0.5}, key=key)

    assert kinds(registry).count("split-set") == 2


def test_an_operator_shifts_the_traffic_of_running_servers(registry: Registry) -> None:
    """Without weights in the code, the recorded split decides, from the next request on."""
    registry.set_split("churn", {"production": 1.0}, reason="Start")
    assert {registry.route("churn", key=key).number for key in range(100)} == {1}

    run("Registry(sys.argv[1]).set_split('churn', {'staging': 1}, reason='Switch')", registry.location)

    assert {registry.route("churn", key=key).number for key in range(100)} == {2}
    assert registry.split("churn").weights == {"staging": 1.0}
    assert registry.events("churn")[0].reason == "Switch"


def test_two_experiments_in_one_process_are_recorded_once_each(registry: Registry) -> None:
    """Weights that take turns call by call must not write a line for each request."""
    for key in range(20):
        registry.route("churn", AB, key=key)
        registry.route("churn", {"production": 0.5, "staging": 0.5}, key=key)

    assert kinds(registry).count("split-set") == 2


def test_weights_in_somebodys_code_do_not_move_the_operators_traffic(registry: Registry) -> None:
    """A notebook that tries out half and half changes nothing for the servers."""
    registry.set_split("churn", {"production": 1.0})

    Registry(registry.location).route("churn", {"production": 0.5, "staging": 0.5}, key="ada")

    assert registry.split("churn").weights == {"production": 1.0}
    assert {registry.route("churn", key=key).number for key in range(100)} == {1}


def test_a_split_that_is_set_already_writes_nothing(registry: Registry) -> None:
    """A deployment that says the same again is no event."""
    registry.set_split("churn", AB)
    before = len(kinds(registry))

    registry.set_split("churn", {"churn@production": 90, "staging": 10})

    assert len(kinds(registry)) == before


def test_a_split_ends(registry: Registry) -> None:
    """After the test is over, routing without weights is an error rather than yesterday's test."""
    registry.set_split("churn", AB)
    registry.set_split("churn", None, reason="TestOver")

    assert registry.split("churn") is None
    with pytest.raises(UnknownVersionError) as caught:
        registry.route("churn", key=1)
    assert caught.value.message == "'churn' has no split"


def test_set_split_refuses_a_reference_that_leads_nowhere(registry: Registry) -> None:
    """What an operator sets works, or is not set."""
    with pytest.raises(UnknownVersionError):
        registry.set_split("churn", {"production": 0.5, "candidate": 0.5})

    assert registry.split("churn") is None


def test_a_registry_that_cannot_be_written_routes(registry: Registry) -> None:
    """A server may have its registry mounted read-only: traffic goes on, unrecorded."""
    with tempfile.TemporaryDirectory() as name:
        public = Path(name, "registry")
        shutil.copytree(registry.location, public)
        Path(name).chmod(0o755)
        for path in (public, *public.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

        def work() -> list[int]:
            mine = Registry(public)
            return [mine.route("churn", AB, key=key).number for key in range(40)]

        if os.geteuid():
            public.chmod(0o555)  # there is no other user to become
        expected = [1 if arm_of(AB, key) == "production" else 2 for key in range(40)]
        assert as_nobody(work) == expected
        assert "split-set" not in kinds(Registry(public))


def test_the_function_uses_the_default_registry(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nbreg.route(…)` in a server that has `$NBREG_REGISTRY`."""
    monkeypatch.setenv("NBREG_REGISTRY", str(registry.location))

    assert nbreg.route("churn", AB, key="ada") == registry.route("churn", AB, key="ada")
    assert nbreg.route("churn", AB, key="ada", registry=registry).registry is registry


def test_processes_that_start_at_once_record_a_split_once(registry: Registry) -> None:
    """Eight workers of one server say the same: it is one event, and they agree on every key."""
    script = """
registry = Registry(sys.argv[1])
sys.stdin.read()
print([registry.route('churn', {'production': .9, 'staging': .1}, key=k).number for k in range(50)])
"""
    children = [start(script, registry.location) for _ in range(6)]
    told = {child.communicate()[0] for child in children}

    assert len(told) == 1
    assert kinds(registry).count("split-set") == 1


def test_a_damaged_journal_is_an_error_rather_than_an_old_answer(registry: Registry) -> None:
    """A server must not go on with what a vanished history said."""
    registry.route("churn", AB, key=1)
    journal = registry.location / "models" / "churn.model" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])

    with pytest.raises(NbregError):
        registry.route("churn", AB, key=1)
