"""Configuration: one traitlets class becomes the plain settings of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import MODEL, running_kernel
from traitlets import TraitError
from traitlets.config import Config

from nbreg.config import Nbreg
from nbreg.settings import Settings


def test_without_configuration_the_settings_are_the_defaults() -> None:
    """One place says what the defaults are."""
    assert Nbreg().settings() == Settings()
    assert Nbreg().location is None


def test_every_setting_can_be_configured_and_says_what_it_does() -> None:
    """A setting that nobody can reach is none."""
    traits = Nbreg.class_own_traits(config=True)

    assert set(traits) == {"registry", "prove", *Settings.__struct_fields__}
    assert all(trait.help.endswith(".") for trait in traits.values())


def test_configuration_files_fill_it(tmp_path: Path) -> None:
    """As with everything else of Jupyter."""
    config = Config({"Nbreg": {"naming": "number", "registry": str(tmp_path / "r"), "capture": False}})

    found = Nbreg(config=config)

    assert found.settings() == Settings(naming="number", capture=False)
    assert found.location == str(tmp_path / "r")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("naming", "poetic"),
        ("lock_seconds", -1.0),
        ("inline_bytes", -1),
        ("retention_days", "long"),
        ("capture", "x"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, value: object) -> None:
    """A wrong setting is found where it is made, not where it hurts."""
    with pytest.raises(TraitError, match=name):
        setattr(Nbreg(), name, value)


def test_a_file_is_no_registry(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / "f").touch()

    with pytest.raises(TraitError, match="must be a folder"):
        Nbreg(registry=str(tmp_path / "f"))


def test_config_in_a_notebook_takes_effect_at_once(tmp_path: Path) -> None:
    """`%config` is how IPython is told; the next registration obeys."""
    with running_kernel() as kernel:
        kernel.good(f"%load_ext nbreg\n%config Nbreg.registry = {str(tmp_path / 'r')!r}")
        kernel.good("%config Nbreg.naming = 'number'\n%config Nbreg.capture = False")
        text = kernel.good(MODEL + "clf = Mean().fit([1])\n%register_model churn clf").text

    assert "\nchurn #1 · " in f"\n{text}"
    assert "(switched off)" in text
    assert (tmp_path / "r" / "registry.jsonl").exists()
