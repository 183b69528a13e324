"""The records: what stands on disk under these names, for ever."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbreg import errors, records
from nbreg.errors import BadValueError, NbregError, TrustError
from nbreg.records import (
    Actor,
    AnyRule,
    Manifest,
    Record,
    Row,
    Rule,
    VersionRow,
    as_doc,
    canonical,
    from_doc,
    plain,
    timestamp,
)

RECORDS = [
    each for each in vars(records).values()
    if isinstance(each, type) and issubclass(each, Record) and each not in (Record, Row)
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_plain_values_stay_what_they_are(value: Any) -> None:
    """And their one spelling is one."""
    assert plain(value) == value
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_plain_copies() -> None:
    """A list that the caller goes on using is not the registry's."""
    mine = {"a": [1, {"b": (2,)}]}
    copy = plain(mine)
    assert copy == {"a": [1, {"b": [2]}]}
    mine["a"].append(3)
    assert copy == {"a": [1, {"b": [2]}]}


def test_what_is_refused_is_named_by_its_place() -> None:
    """In a content of a thousand entries."""
    for value, place in (
        ({"a": [1, {"b": math.nan}]}, r"content\.a\[1\]\.b is nan"),
        ({"a": {1: 2}}, r"content\.a has the key 1"),
        ([2**63], r"content\[0\] does not fit"),
        ({"a": object()}, r"content\.a is a builtins\.object"),
    ):
        with pytest.raises(BadValueError, match=place):
            plain(value, "content")


def test_canonical_is_sorted_and_bare() -> None:
    """Written down once, so that a digest can be checked by any program."""
    assert canonical({"b": 1, "a": [1.0, "é", None]}) == '{"a":[1.0,"é",null],"b":1}'.encode()
    actor = Actor(user="ada", host="lab")
    assert canonical(actor) == b'{"host":"lab","source":"system","user":"ada"}'


@pytest.mark.parametrize(
    "kind", [kind for kind in RECORDS if not issubclass(kind, Rule)], ids=lambda kind: kind.__name__
)
def test_every_record_is_frozen_and_ignores_what_a_later_release_adds(kind: Any) -> None:
    """A field that is added later must not keep an older kernel from reading."""
    assert get_type_hints(kind)
    sample = msgspec.json.encode(_sample(kind))
    record = msgspec.json.decode(sample, type=kind)
    later = msgspec.json.encode({**json.loads(sample), "a later field": {"x": [1]}})
    assert msgspec.json.decode(later, type=kind) == record
    with pytest.raises(AttributeError):
        setattr(record, kind.__struct_fields__[0], 1)
    assert from_doc(as_doc(record), kind) == record


@pytest.mark.parametrize("kind", sorted(get_args(AnyRule), key=str), ids=lambda kind: kind.__name__)
def test_a_rule_with_a_field_of_a_later_release_is_not_understood(kind: Any) -> None:
    """Half of a rule would be another rule, and let through what the whole one stops."""
    assert issubclass(kind, Rule)
    sample = {**_sample(kind), "rule": kind.__struct_config__.tag}
    rule = msgspec.convert(sample, AnyRule)
    assert type(rule) is kind
    assert msgspec.convert(as_doc(rule), AnyRule) == rule
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**sample, "unless": "x"}, AnyRule)
    with pytest.raises(AttributeError):
        rule.by = 0


def _sample(kind: Any) -> dict[str, Any]:
    """The least that the record needs."""
    return {info.encode_name: _value(info.type) for info in msgspec.structs.fields(kind) if info.required}


def _value(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, Record):
        return _sample(hint)
    if getattr(hint, "__args__", None) and str(hint).startswith("typing.Literal"):
        return hint.__args__[0]
    if isinstance(hint, UnionType):
        return _value(hint.__args__[0])
    simple = {str: "x", int: 1, float: 1.0, bool: True}
    if hint in simple:
        return simple[hint]
    return [] if str(hint).startswith("list") else {}


def test_a_row_leaves_out_what_is_empty() -> None:
    """A model of 100,000 versions is 100,000 rows."""
    row = VersionRow(number=1, id="a", content_digest="b", bundle="c", created="d", actor="e")
    assert as_doc(row).keys() == {"number", "id", "content_digest", "bundle", "created", "actor"}


def test_a_manifest_knows_nothing_that_can_change() -> None:
    """So that a copy keeps its id."""
    assert not set(Manifest.__struct_fields__) & {
        "model", "number", "name", "stage", "tags", "description", "message", "aliases",
    }  # fmt: skip


def test_runs_that_begin_in_one_millisecond_are_in_their_order() -> None:
    """A loop over short trainings is listed as it went, and the newest run is the last one."""
    ids = [records.new_run_id() for _ in range(100)]

    assert len({each[:12] for each in ids}) < len(ids)  # some did
    assert sorted(ids) == ids
    assert {len(each) for each in ids} == {32}


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 1, 1)), st.integers(-12, 12))
def test_timestamps_sort_as_times_do(moment: datetime, hours: int) -> None:
    """Text order is time order, whatever the zone it was taken in."""
    there = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = timestamp(there)
    assert len(text) == 27
    assert datetime.fromisoformat(text) == there
    assert timestamp(there + timedelta(microseconds=1)) > text
    assert timestamp(there.astimezone(UTC)) == text


ERRORS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, NbregError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_go_through_processes_whole(kind: type[NbregError]) -> None:
    """A worker's refusal reaches its parent with its hint."""
    error = kind("the fact", hint="the step")
    if isinstance(error, TrustError):
        error = TrustError("the fact", hint="the step", untrusted=["a.b"])
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.message, back.hint, back.code, str(back)) == ("the fact", "the step", kind.code, "the fact")
    assert back.line == "the fact (the step)"
    assert getattr(back, "untrusted", None) == getattr(error, "untrusted", None)


def test_every_error_has_a_code_of_its_own() -> None:
    """Programs decide by it."""
    codes = [kind.code for kind in ERRORS]
    assert len(set(codes)) == len(codes)
