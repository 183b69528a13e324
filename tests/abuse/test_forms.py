"""Artifacts of the forms that are no pickle, planted with digests that are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from victim import artifact_of, canary_sings, outcome

from nbreg import Registry, families
from nbreg.settings import Settings

SETTINGS = Settings(capture=False)
ARCHIVE = {"family": "keras", "form": "keras"}
MEMBERS = ["config.json", "model.weights.h5"]
CODE = b'{"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__"}}}'
# graph { initializer { external_data { key: "location" value: "/etc/passwd" } data_location: EXTERNAL } }
EXTERNAL = b":\x1d*\x1bj\x17\n\x08location\x12\x0b/etc/passwdp\x01"
PLANTED: dict[str, tuple[list[bytes], dict[str, Any]]] = {
    "a graph that names a file of others": ([EXTERNAL], {"family": "onnx", "form": "onnx"}),
    "a graph that is none": ([b"\xff" * 64], {"family": "onnx", "form": "onnx"}),
    "a graph of two parts": ([b"", b"x"], {"family": "onnx", "form": "onnx"}),
    "a graph of absurd lengths": ([b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"], {"family": "onnx", "form": "onnx"}),
    "an archive that leaves its folder": (
        [b"{}", b"h5", b"x"], {**ARCHIVE, "facts": {"members": [*MEMBERS, "../../canary"]}}
    ),
    "an archive with a whole path": (
        [b"{}", b"h5", b"x"], {**ARCHIVE, "facts": {"members": [*MEMBERS, "/etc/canary"]}}
    ),
    "an archive that says nothing": ([b"{}", b"h5"], ARCHIVE),
    "an archive with code in it": ([CODE, b"h5"], {**ARCHIVE, "facts": {"members": MEMBERS}}),
    "a tokenizer": ([b"{}"], {"family": "tokenizers", "form": "json"}),
    "a program": ([b"PK\x03\x04"], {"family": "torch.export", "form": "pt2"}),
    "a booster's text": ([b"\x80\x05N."], {"family": "lightgbm", "form": "pickle5"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_hostile_form_is_refused(tmp_path: Path, name: str) -> None:
    """Before a library of anybody's sees it, unless somebody said yes."""
    registry = Registry(tmp_path / "r", settings=SETTINGS)
    (first, *rest), fields = PLANTED[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "dump", lambda name, value, take: artifact_of(first, rest, **fields))
        registry.register("churn", 1)
    told = outcome(lambda: Registry(registry.location, settings=SETTINGS).load("churn", trust=False))
    assert told in ("not-trusted", "object-damaged") or (name == "a booster's text" and told == "loaded"), (
        told
    )
    assert not canary_sings()
    assert not list(tmp_path.rglob("canary"))


def test_the_graph_that_names_a_file_is_one() -> None:
    """Else it would be refused for another reason."""
    from nbreg.families import wire

    assert wire.look(EXTERNAL).outside == ["/etc/passwd"]
