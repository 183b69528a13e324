"""The grammar of names: what people type, read once and everywhere alike."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbreg.errors import BadNameError, BadReferenceError, BadTemplateError, NbregError
from nbreg.names import (
    BUMPS,
    Reference,
    SemanticVersion,
    check_model_name,
    check_version_name,
    fill_template,
    next_name,
    parse_moment,
    parse_reference,
    parse_semantic,
    template_values,
)

STAGES = ("none", "staging", "production", "archived")
WORD = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=20).filter(
    lambda text: text[0].isalnum()
)


def sentence(error: NbregError) -> None:
    """What a person can read."""
    assert error.message.isprintable()
    assert error.hint.isprintable()


def is_model_name(text: str) -> bool:
    try:
        return check_model_name(text) == text
    except BadNameError:
        return False


def is_version_name(text: str) -> bool:
    try:
        return check_version_name(text, STAGES) == text
    except BadNameError:
        return False


MODELS = st.lists(WORD, min_size=1, max_size=3).map("/".join).filter(is_model_name)
MOMENTS = st.none() | st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([UTC])
)


# references


@given(MODELS, st.one_of(
    st.tuples(st.sampled_from(["implicit", "latest"]), st.just("")),
    st.tuples(st.just("number"), st.integers(0, 10**17).map(str)),
    st.tuples(st.just("digest"), st.text("0123456789abcdef", min_size=8, max_size=64)),
    st.tuples(st.just("word"), WORD.filter(is_version_name)),
), MOMENTS)  # fmt: skip
def test_a_reference_is_read_as_it_is_written(
    model: str, what: tuple[Any, str], as_of: datetime | None
) -> None:
    """What an error or a pin prints can be typed again."""
    reference = Reference(model=model, kind=what[0], value=what[1], as_of=as_of)
    assert parse_reference(str(reference)) == reference
    assert parse_reference(f"  {reference}\n") == reference


@given(st.text(max_size=30) | st.text("ab1@.:-T/ ", max_size=20))
def test_any_text_is_a_reference_or_a_typed_error(text: str) -> None:
    """Never a traceback, whatever is typed."""
    try:
        reference = parse_reference(text)
    except (BadReferenceError, BadNameError) as error:
        sentence(error)
    else:
        assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("churn", "implicit", ""), ("churn@latest", "latest", ""), ("churn@3", "number", "3"),
        ("churn@003", "number", "3"), ("churn@1.2.0", "word", "1.2.0"), ("churn@v1.2.0", "word", "1.2.0"),
        ("churn@V1.2.0-rc.1+b", "word", "1.2.0-rc.1+b"), ("churn@rc2", "word", "rc2"), ("churn@v2", "word", "v2"),
        ("risk/churn@production", "word", "production"), ("churn@sha256:9F2C0011", "digest", "9f2c0011"),
        ("churn@2024_11_27", "word", "2024_11_27"), ("churn@1e5", "word", "1e5"),
    ],
)  # fmt: skip
def test_each_form_of_reference(text: str, kind: str, value: str) -> None:
    """The list in the manual."""
    reference = parse_reference(text)
    assert (reference.kind, reference.value, reference.as_of) == (kind, value, None)
    assert reference.moves == (kind in ("implicit", "latest"))
    dated = parse_reference(f"{text}@2026-02-09")
    assert (dated.kind, dated.value) == (kind, value)
    assert dated.as_of == datetime(2026, 2, 9, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-09", datetime(2026, 2, 9, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-02-09T10:00Z", datetime(2026, 2, 9, 10, tzinfo=UTC)),
        ("2026-02-09T10:00", datetime(2026, 2, 9, 10, tzinfo=UTC)),
        ("2026-02-09T10:00:00.5+02:00", datetime(2026, 2, 9, 8, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_a_day_means_its_end_in_utc(text: str, moment: datetime) -> None:
    """As-of the day of the incident includes all of that day."""
    assert parse_moment(text) == moment


@given(st.text(max_size=12) | st.text("0123456789-T:Z+", min_size=8, max_size=14))
def test_any_text_is_a_moment_or_a_typed_error(text: str) -> None:
    """As for references; also at the ends of the calendar."""
    try:
        assert parse_moment(text).tzinfo is UTC
    except BadReferenceError as error:
        sentence(error)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+05:00", "9999-12-31T23:59-05:00"])
def test_a_moment_beyond_the_calendar_is_a_typed_error(text: str) -> None:
    """An overflow is not a date."""
    with pytest.raises(BadReferenceError):
        parse_moment(text)


# names


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_a_typed_error(text: str) -> None:
    """A name that is allowed is safe as a folder's name on every system."""
    try:
        name = check_model_name(text)
    except BadNameError as error:
        sentence(error)
    else:
        assert name == text
        assert name.isascii()
        assert all(part and part[0].isalnum() and part == part.strip() for part in name.split("/"))
    try:
        assert check_version_name(text, STAGES).isascii()
    except BadNameError as error:
        sentence(error)


@pytest.mark.parametrize(
    "name", ["churn", "risk/churn", "a/b/c", "A-1._x", "0", "x" * 128, "con2", "a.b.model2"]
)
def test_model_names_that_are_right(name: str) -> None:
    """Up to three parts."""
    assert check_model_name(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("1.2.0", "1.2.0"), ("v1.2.0", "1.2.0"), ("V1.2.0-rc.1", "1.2.0-rc.1"), ("v1.2", "v1.2"), ("vrc", "vrc"),
        ("rc2", "rc2"), ("2024_11_27-11_07_09_326492", "2024_11_27-11_07_09_326492"), ("1.0.0+build.5", "1.0.0+build.5"),
        ("v01.2.0", "v01.2.0"), ("20240101", None), ("latest2", "latest2"), ("2026-01-01x", "2026-01-01x"),
    ],
)  # fmt: skip
def test_version_names_that_are_right(name: str, kept: str | None) -> None:
    """A leading v before a semantic version is dropped, and nothing else is changed."""
    if kept is None:
        with pytest.raises(BadNameError, match="is a number"):
            check_version_name(name, STAGES)
    else:
        assert check_version_name(name, STAGES) == kept


@given(WORD)
def test_a_version_name_is_its_own_reference(name: str) -> None:
    """Whatever a version may be named, `model@name` reads as that name and as nothing else."""
    try:
        kept = check_version_name(name, STAGES)
    except BadNameError:
        assume(False)
    reference = parse_reference(f"churn@{kept}")
    assert (reference.kind, reference.value, reference.as_of) == ("word", kept, None)
    assert check_version_name(kept, STAGES) == kept


# semantic versions


def test_semantic_versions_are_in_the_order_of_the_specification() -> None:
    """Section 11 of semver.org, shuffled and sorted."""
    names = [
        "0.0.0", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0",
    ]  # fmt: skip
    shuffled = random.Random(1).sample(names, len(names))
    assert sorted(shuffled, key=lambda name: parse_semantic(name).order) == names  # type: ignore[union-attr]


@given(st.text("0123456789.-+abv", max_size=14))
def test_what_is_semantic_prints_as_it_was(text: str) -> None:
    """But for build metadata, which plays no part."""
    version = parse_semantic(text)
    if version is not None:
        assert str(version) == text.partition("+")[0]
        assert version.order <= version.order
        assert all(version.bumped(bump).order > version.order for bump in BUMPS)


@pytest.mark.parametrize(
    "text", [None, "", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "v1.2.3", "1.2.3-", "1.2.3 ", "1.2.x", "²"]
)
def test_what_is_not_semantic(text: str | None) -> None:
    """Near misses."""
    assert parse_semantic(text) is None


@given(st.sets(st.integers(0, 6)), st.sampled_from(BUMPS))
def test_the_next_name_is_free_and_higher(taken: set[int], bump: Any) -> None:
    """It passes over what is taken."""
    base = SemanticVersion(1, 2, 3)
    candidates = [base.bumped(bump)]
    while len(candidates) < 8:
        candidates.append(candidates[-1].bumped(bump))
    names = {str(candidates[i]) for i in taken}
    name = next_name(base, bump, names.__contains__)
    assert name not in names
    assert parse_semantic(name).order > base.order  # type: ignore[union-attr]
    assert next_name(None, bump, lambda _: False) == "1.0.0"


# templates


def test_date_and_time_are_utc_and_frozen() -> None:
    """All names of one run agree."""
    moment = datetime(2024, 11, 27, 12, 7, 9, 326492, tzinfo=UTC)
    values = template_values(moment.astimezone(datetime.now().astimezone().tzinfo))
    assert values == {"date": "2024_11_27", "time": "12_07_09_326492"}
    assert fill_template("run-{date}-{ time }", values) == "run-2024_11_27-12_07_09_326492"
    assert fill_template("plain", values) == "plain"
    assert template_values(moment + timedelta(microseconds=1)) != values
    with pytest.raises(BadTemplateError, match=r"unknown placeholder \{dat\}") as caught:
        fill_template("{dat}", values)
    assert caught.value.hint == "known: {date}, {time}"
    with pytest.raises(BadTemplateError, match="empty name"):
        fill_template("{x}", {"x": ""})


@given(st.text(max_size=20))
def test_any_template_is_filled_or_a_typed_error(text: str) -> None:
    """Braces of any kind."""
    try:
        filled = fill_template(text, {"a": 1})
    except BadTemplateError as error:
        sentence(error)
    else:
        assert filled
