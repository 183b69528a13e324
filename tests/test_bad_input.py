"""What people type by mistake: each is one sentence, and nothing is changed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from nbreg import NbregError, Registry
from nbreg.errors import (
    BadInputError,
    BadNameError,
    BadReferenceError,
    BadTemplateError,
    BadValueError,
    CannotStoreError,
    NameTakenError,
    SecretFoundError,
    UnknownArtifactError,
)
from nbreg.settings import Settings

LONG = "x" * 10_000
NOT_NAMES = [
    "", " ", ".", "..", "../x", "a/../b", "/etc/passwd", "a//b", "a/", "/a", "a/b/c/d", "a\\b", "a b", "a\nb", "a\0b",
    "a\x1b[31mb", "a\u202eb", "🚀", "café", "ünï", "-a", "_a", ".a", "a.", "con", "NUL", "com1.txt", "a/aux", "x.model",
    "a@b", "a:b", "a*", "~", "~/x", "$HOME", "%x", LONG, "a/" + LONG, "a\n", "\ta",
]  # fmt: skip
NOT_VERSIONS = [
    "", " ", "..", "../x", "a/b", "a\\b", "a b", "a\n", "a\0", "🚀", "é", "-a", ".a", "1", "007", "latest", "LATEST",
    "production", "Production", "none", "archived", "2026-01-01", "2026-01-01T10:00", "sha256:12345678", "a@b", LONG,
]  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


def sentence(error: NbregError) -> str:
    """Any error's line must be one short printable line."""
    assert error.message
    assert "\n" not in error.line
    assert error.line.isprintable()
    assert len(error.line) < 600, len(error.line)
    assert not error.message.endswith(".")
    return error.line


def nothing_there(registry: Registry) -> bool:
    return not registry.models() and not list(registry.location.rglob("objects/??/*"))


@pytest.mark.parametrize("name", NOT_NAMES)
def test_a_bad_model_name_is_one_sentence(registry: Registry, name: str) -> None:
    """And never a folder somewhere else."""
    for verb in (
        lambda: registry.register(name, 1), lambda: registry.check(name), lambda: registry.preview(name, 1),
        lambda: registry.versions(name), lambda: registry.rollback(name), lambda: registry.events(name),
        lambda: registry.aliases(name), lambda: registry.drop_alias(name, "x"),
    ):  # fmt: skip
        with pytest.raises((BadNameError, BadTemplateError)) as caught:
            verb()
        sentence(caught.value)
    assert not registry.location.exists()
    assert sorted(path.name for path in registry.location.parent.iterdir()) == ["home", "project"]


@pytest.mark.parametrize("name", NOT_VERSIONS)
def test_a_bad_version_name_or_alias_is_one_sentence(registry: Registry, name: str) -> None:
    """A reference to it would mean something else."""
    for options in ({"version": name},):
        with pytest.raises((BadNameError, BadTemplateError)) as caught:
            registry.register("churn", 1, **options)
        sentence(caught.value)
    assert nothing_there(registry)
    version = registry.register("churn", 1)
    with pytest.raises(BadNameError) as caught_alias:
        registry.set_alias(version, name)
    sentence(caught_alias.value)
    assert registry.aliases("churn") == {}


@pytest.mark.parametrize("thing", [None, 5, b"churn", ["churn"], Path("churn"), object()])
def test_a_name_that_is_no_text_is_one_sentence(registry: Registry, thing: Any) -> None:
    """As from a typo in a loop over models."""
    for verb in (
        lambda: registry.register(thing, 1),
        lambda: registry.get(thing),
        lambda: registry.promote(thing, "production"),
        lambda: registry.load(thing),
        lambda: registry.rollback(thing),
    ):
        with pytest.raises(BadInputError) as caught:
            verb()
        sentence(caught.value)
    if thing is not None:
        with pytest.raises(BadInputError):
            registry.register("churn", 1, version=thing)
    assert nothing_there(registry)


@pytest.mark.parametrize(
    "ref",
    [
        "", "@", "churn@", "@1", "churn@@", "churn@1@", "churn@1@2@3", "churn@1@yesterday", "churn@2026-13-01",
        "churn@2026-02-30", "churn@1@2026-01-01T25:00", "churn@sha256:", "churn@sha256:123", "churn@sha256:xyz12345",
        "churn@-1", "churn@1 .5", "churn@ 1", "churn@🚀", "churn@a/b", "churn@" + LONG, LONG, "churn@" + "9" * 5000,
        "churn@\0", "churn@../x", "churn@1\n2", "churn@²",
    ],
)  # fmt: skip
def test_a_bad_reference_is_one_sentence(registry: Registry, ref: str) -> None:
    """What can be said about it is said, and its thousands of characters are not repeated."""
    registry.register("churn", 1)
    for verb in (
        registry.get,
        registry.load,
        registry.pin,
        registry.delete,
        lambda r: registry.promote(r, "staging"),
    ):
        with pytest.raises((BadReferenceError, BadNameError)) as caught:
            verb(ref)
        sentence(caught.value)
    assert len(registry.events("churn")) == 1


def test_references_that_are_right_but_odd(registry: Registry) -> None:
    """Blanks around it, leading zeros, capital digits."""
    version = registry.register("churn", 1)
    for ref in (
        " churn@1 ",
        "churn@01",
        f"churn@sha256:{version.id.upper()}",
        "churn@1@2100-01-01",
        "churn@v1.0.0",
    ):
        assert registry.get(ref) == version
    for missing in ("churn@99999999999999999999", "churn@999999999", "churn@0"):
        with pytest.raises(NbregError) as caught:
            registry.get(missing)
        sentence(caught.value)


def test_case_twins_are_one_folder_on_some_systems(registry: Registry) -> None:
    """`Churn` beside `churn` would be one model on a Mac and two on Linux."""
    registry.register("risk/churn", 1)
    for twin in ("risk/Churn", "RISK/churn", "Risk/CHURN"):
        with pytest.raises(NameTakenError, match="only in case") as caught:
            registry.register(twin, 2)
        sentence(caught.value)
        with pytest.raises(NbregError, match="no model named"):
            registry.get(twin)
    assert [row.name for row in registry.models()] == ["risk/churn"]


class Scalar:
    """A number of a library that is not installed: numpy's and torch's look like this."""

    ndim = 0
    size = 1

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Rude:
    """An object that is no help."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __str__(self) -> str:
        raise RuntimeError("no str")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class Slow:
    """An object whose repr takes for ever."""

    def __repr__(self) -> str:
        threading.Event().wait(3600)
        return ""


def test_numbers_of_libraries_are_numbers(registry: Registry) -> None:
    """`accuracy = (a == b).mean()` is a numpy scalar."""
    numpy = pytest.importorskip("numpy")
    given = {
        "f64": numpy.float64(0.5), "f32": numpy.float32(0.25), "i": numpy.int64(3), "zero": numpy.array(1.5),
        "torch": Scalar(2.5), "int": 7, "bignum": 2**53,
    }  # fmt: skip
    version = registry.register(
        "churn", 1, metrics=given, params={"n": numpy.int32(5), "flag": numpy.bool_(True)}
    )
    assert version.metrics == {
        "f64": 0.5, "f32": 0.25, "i": 3.0, "zero": 1.5, "torch": 2.5, "int": 7.0, "bignum": float(2**53),
    }  # fmt: skip
    assert all(type(value) is float for value in version.metrics.values())
    assert version.params == {"n": 5, "flag": True}


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), Scalar(float("nan")), Scalar("text"), Scalar(RuntimeError("device lost")), "0.9",
        True, None, [0.9], {"a": 1}, 2**64, 1j, b"1", object(), pytest.param(Rude(), id="rude"), Slow(), Rude, print,
    ],
)  # fmt: skip
def test_a_metric_that_is_no_finite_number_is_named(registry: Registry, value: Any) -> None:
    """JSON has no NaN, and a list of versions cannot be sorted by one."""
    for verb in (
        lambda: registry.register("churn", 1, metrics={"good": 1, "auc": value}),
        lambda: registry.check("churn", metrics={"auc": value}),
    ):
        with pytest.raises(BadValueError, match=r"metrics\.auc") as caught:
            verb()
        sentence(caught.value)
    assert nothing_there(registry)


def test_a_numpy_nan_is_named_too(registry: Registry) -> None:
    """As from a fold without positives."""
    numpy = pytest.importorskip("numpy")
    for value in (
        numpy.float32("nan"),
        numpy.array([1.0, 2.0]),
        numpy.datetime64("2026-01-01"),
        numpy.complex64(1j),
    ):
        with pytest.raises(BadValueError, match=r"metrics\.auc"):
            registry.register("churn", 1, metrics={"auc": value})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("field", ["params", "content"])
@pytest.mark.parametrize("value", [{1: 2}, {Rude(): 1}, {None: 1}, {"\ud800": 1}, [1], "text", 5])
def test_names_that_are_no_text_are_refused(registry: Registry, field: str, value: Any) -> None:
    """Whatever stands beside them."""
    with pytest.raises(BadValueError, match=field) as caught:
        registry.register("churn", 1, **{field: value})
    sentence(caught.value)
    assert nothing_there(registry)


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), pytest.param(Rude(), id="rude"), "\ud800", 2**70, b"x", nested(100), float("inf")],
)
def test_a_parameter_of_any_kind_is_told(registry: Registry, value: Any) -> None:
    """And asked nothing: a version is not lost over what its parameters are."""
    version = registry.register("churn", 1, params={"a": value})
    assert registry.get("churn@1").params == version.params
    assert list(version.params) == ["a"]


@pytest.mark.parametrize("field", ["content"])
@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")}, {"a": {1, 2}}, {"a": object()}, {"a": Rude()}, {1: 2}, {Rude(): 1}, {None: 1},
        {"a": "\ud800"}, {"\ud800": 1}, {"a": 2**70}, {"a": b"x"}, {"a": nested(100)}, [1], "text", 5, pytest.param(Rude(), id="rude"),
    ],
)  # fmt: skip
def test_what_json_cannot_carry_is_named(registry: Registry, field: str, value: Any) -> None:
    """With its place."""
    with pytest.raises(BadValueError, match=field) as caught:
        registry.register("churn", 1, **{field: value})
    sentence(caught.value)
    assert nothing_there(registry)


def test_something_that_holds_itself_is_a_sentence(registry: Registry) -> None:
    """Not a recursion error."""
    loop: dict[str, Any] = {}
    loop["me"] = loop
    with pytest.raises(BadValueError, match="nested too deeply") as caught:
        registry.register("churn", 1, content=loop)
    assert len(caught.value.message) < 600
    assert registry.register("churn", loop).load()["me"]["me"].keys() == {"me"}, "as a model it is fine"


@pytest.mark.parametrize(
    "tags", ["word", [""], [" "], [5], [None], [LONG], ["a\nb"], 5, ["\ud800"], [["a"]], [b"a"]]
)
def test_bad_tags_are_refused(registry: Registry, tags: Any) -> None:
    """A text is not a list of letters."""
    with pytest.raises(BadValueError) as caught:
        registry.register("churn", 1, tags=tags)
    sentence(caught.value)
    assert nothing_there(registry)


@pytest.mark.parametrize("field", ["description", "message", "reason"])
def test_texts_are_texts(registry: Registry, field: str) -> None:
    """Of a size that a row can carry."""
    for value in (5, b"x", None, ["x"], "\ud800", "x" * 1_000_001):
        with pytest.raises(BadValueError) as caught:
            registry.register("churn", 1, **{field: value})  # type: ignore[arg-type]
        sentence(caught.value)
    assert nothing_there(registry)
    text = 'quotes " and \\ and \n and 🚀 and \x00 and </script>'
    version = registry.register("churn", 1, **{field: text})  # type: ignore[arg-type]
    told = {
        "description": version.description,
        "message": version.message,
        "reason": registry.events()[0].reason,
    }
    assert told[field] == text
    assert registry.verify().ok


@pytest.mark.parametrize("verb", ["promote", "retire", "rollback", "delete", "set_alias", "update"])
def test_reasons_and_messages_of_every_verb_are_texts(registry: Registry, verb: str) -> None:
    """A lone surrogate from a mangled clipboard is a sentence, not a traceback out of a transaction."""
    versions = [registry.register("churn", n, stage="production") for n in (1, 2)]
    calls: dict[str, Any] = {
        "promote": lambda **o: registry.promote(versions[0], "staging", **o),
        "retire": lambda **o: registry.retire(versions[1], **o),
        "rollback": lambda **o: registry.rollback("churn", **o),
        "delete": lambda **o: registry.delete(versions[0], **{"reason": "x", **o}, include_protected=True),
        "set_alias": lambda **o: registry.set_alias(versions[0], "x", **o),
        "update": lambda **o: registry.update(versions[0], tags=["x"], **o),
    }
    for value in ("\ud800", 5, None, b"x"):
        for field in ("reason", "message"):
            with pytest.raises(NbregError) as caught:
                calls[verb](**{field: value})
            sentence(caught.value)
    assert len(registry.events("churn")) == 2
    assert registry.verify().ok


@pytest.mark.parametrize("name", ["", "a/b", "/", "..", ".", "a\nb", LONG, 5, None, "a\0"])
def test_bad_artifact_names_are_refused(registry: Registry, name: Any) -> None:
    """They become file names where a version is pulled."""
    with pytest.raises(BadNameError) as caught:
        registry.register("churn", 1, artifacts={name: 1})
    sentence(caught.value)
    assert nothing_there(registry)


# objects


class Holder:
    """A model with something in it."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


def test_an_object_that_cannot_be_pickled_names_the_attribute(registry: Registry) -> None:
    """Which of forty attributes holds the lock is what a person must know."""
    model = Holder(fine=1, deep={"list": [1, Holder(lock=threading.Lock())]})
    with pytest.raises(CannotStoreError) as caught:
        registry.register("churn", model)
    assert caught.value.message.startswith("Holder.deep['list'][1].lock cannot be pickled: TypeError: ")
    assert caught.value.hint.startswith("take that attribute out")
    with pytest.raises(CannotStoreError) as whole:
        registry.register("churn", (each for each in range(3)))
    assert whole.value.hint == "store what it was made of, or what it gives, such as a list"
    sentence(caught.value)
    assert nothing_there(registry)


def refuses(*_: Any) -> Any:
    raise RuntimeError("not today\nat all")


@pytest.mark.parametrize(
    "model",
    [
        (n for n in range(3)), Holder(g=(n for n in ())), type("R", (), {"__reduce_ex__": refuses})(),
        type("G", (), {"__getstate__": refuses})(), threading.Lock(),
    ],
)  # fmt: skip
def test_whatever_an_object_does_when_it_is_pickled_is_one_sentence(
    registry: Registry, model: object
) -> None:
    """Its own exceptions included."""
    with pytest.raises(CannotStoreError) as caught:
        registry.register("churn", model)
    sentence(caught.value)
    assert nothing_there(registry)


def test_an_object_whose_repr_raises_or_never_ends_is_stored(registry: Registry) -> None:
    """Nobody needs its repr."""
    for model in (Slow(), Holder(rude=Slow())):
        version = registry.register("churn", model, new=True)
        assert type(version.load()) is type(model)
        assert repr(version)


@pytest.mark.parametrize("path", ["missing", "", "/dev/null/x"])
def test_a_file_that_is_not_there_is_one_sentence(registry: Registry, path: str, tmp_path: Path) -> None:
    """A path is a file; a text would be data."""
    with pytest.raises(CannotStoreError, match="no file") as caught:
        registry.register("churn", artifacts={"a": tmp_path / "no" / path})
    sentence(caught.value)
    assert registry.register("churn", str(tmp_path / "no")).load() == str(tmp_path / "no")


def test_folders_that_lead_elsewhere_are_refused(registry: Registry, tmp_path: Path) -> None:
    """A link in a model's folder must not carry /etc away."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for make in (
        lambda p: p.symlink_to("/etc/hostname"), lambda p: p.symlink_to("/etc"), lambda p: p.symlink_to("nowhere"),
        lambda p: __import__("os").mkfifo(p), lambda p: p.symlink_to(p),
    ):  # fmt: skip
        make(folder / "odd")
        with pytest.raises(CannotStoreError) as caught:
            registry.register("churn", folder)
        sentence(caught.value)
        (folder / "odd").unlink()
    assert nothing_there(registry)


class Overwrites:
    """Storing it writes to a file, as a training that goes on does."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text

    def __reduce__(self) -> Any:
        self.path.write_text(self.text)
        return str, (self.text,)


@pytest.mark.parametrize("size", [100, 300_000])
def test_a_file_that_changes_while_it_is_stored_is_stored_whole(
    registry: Registry, tmp_path: Path, size: int
) -> None:
    """As it was or as it is: what is registered can be read, whatever became of the file meanwhile."""
    path = tmp_path / "weights"
    path.write_text("a" * size)

    version = registry.register("churn", artifacts={"file": path, "later": Overwrites(path, "b" * size)})

    assert registry.load(version, "file").read_text() in ("a" * size, "b" * size)
    assert registry.verify().ok


@pytest.mark.parametrize("size", [100, 3 * 1024 * 1024])
def test_a_file_that_is_cut_off_while_it_is_stored_ends_no_kernel(tmp_path: Path, size: int) -> None:
    """A checkpoint is written anew every minute: a map of it would be memory that is gone."""
    code = f"""
import sys
from pathlib import Path
from nbreg import NbregError, Registry
class CutsOff:
    def __reduce__(self):
        path.write_text('')
        return str, ()
path = Path(sys.argv[1]) / 'weights'
path.write_text('a' * {size})
registry = Registry(Path(sys.argv[1]) / 'r')
try:
    registry.register('churn', artifacts={{'file': path, 'later': CutsOff()}})
except NbregError as error:
    print(error.code)
else:
    assert registry.load('churn', 'file').read_text() == 'a' * {size}
    print('whole')
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() in ("whole", "cannot-store"), (done.returncode, done.stderr)


def test_odd_options_are_refused(registry: Registry) -> None:
    """Each by its own name."""
    version = registry.register("churn", 1)
    for verb in (
        lambda: registry.register("churn", 2, bump="huge"),  # type: ignore[arg-type]
        lambda: registry.register("churn", 2, version="{what}"),
        lambda: registry.register("{}", 2),
        lambda: registry.register("churn", 2, substitutions={"a": 1}, version="{b}"),  # type: ignore[dict-item]
        lambda: registry.register("churn", 2, base="other@1"),
        lambda: registry.load(version, on_drift="maybe"),
        lambda: registry.versions("churn", limit=-1),
        lambda: registry.load(version, "no such artifact"),
        lambda: registry.load(version, LONG),
        lambda: registry.promote(version, "prodution"),
        lambda: registry.promote(version, LONG),
        lambda: registry.rollback("churn", "prod"),
        lambda: registry.drop_alias("churn", LONG),
        lambda: registry.events(since="soon"),
        lambda: registry.verify(expect=["not a hash"]) and registry.get("churn@9"),
    ):
        with pytest.raises(NbregError) as caught:
            verb()
        sentence(caught.value)
    with pytest.raises(UnknownArtifactError, match="has no artifact 'modle'") as artifact:
        version.load("modle")
    assert "did you mean 'model'?" in artifact.value.hint
    assert len(registry.events("churn")) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"run": "abc"}, {"artifacts": ["a"]}, {"artifacts": {1: 2}}, {"data": {1: 2}}, {"data": [1]},
        {"data": {"\ud800": 1}}, {"substitutions": {1: 2}}, {"substitutions": [1]}, {"parent": 5}, {"base": 5},
    ],
)  # fmt: skip
def test_options_of_another_kind_are_refused_before_anything_is_stored(
    registry: Registry, options: dict[str, Any]
) -> None:
    """By a sentence, and with nothing left behind."""
    with pytest.raises(BadInputError) as caught:
        registry.register("churn", 1, **options)
    sentence(caught.value)
    assert nothing_there(registry)


def test_arguments_of_reading_verbs_are_checked(registry: Registry) -> None:
    """A float for a number is a sentence, too."""
    registry.register("churn", 1)
    wrong: list[Any] = [
        lambda: registry.versions("churn", limit=1.5),  # type: ignore[arg-type]
        lambda: registry.versions("churn", offset=-1),
        lambda: registry.versions("churn", sort=3),  # type: ignore[arg-type]
        lambda: registry.events("churn", limit=-1),
        lambda: registry.rollback("churn", to=1),  # type: ignore[arg-type]
        lambda: registry.drop_alias("churn", 5),  # type: ignore[arg-type]
        lambda: registry.get(5),  # type: ignore[arg-type]
    ]
    for call in wrong:
        with pytest.raises(BadInputError) as caught:
            call()
        sentence(caught.value)


def test_check_takes_what_register_takes(registry: Registry) -> None:
    """So that the cell form can ask first with all that it has."""
    first = registry.register("churn", 1)
    options: dict[str, Any] = {"parent": first, "base": first, "tags": ["a"]}
    registry.check("churn", artifacts={"a": 1}, data={"b": 2}, **options)
    assert registry.preview("churn", 2, artifacts={"a": 1}, **options).parent == first.id


def test_a_large_log_is_searched_for_secrets_as_a_small_one_is(registry: Registry, tmp_path: Path) -> None:
    """A secret does not hide behind six megabytes of text."""
    log = tmp_path / "train.log"
    log.write_text("epoch 1 loss 0.5\n" * 400_000 + "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8")
    with pytest.raises(SecretFoundError):
        registry.register("churn", 1, artifacts={"log": log})
