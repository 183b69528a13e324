"""Programs of torch.export, and layers whose weights torch keeps in lists: equal outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbreg import Registry
from nbreg.errors import TrustError
from nbreg.settings import Settings

torch = pytest.importorskip("torch", reason="PyTorch is not installed here", exc_type=ImportError)
nn = torch.nn


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "r", settings=Settings(capture=False))


def outputs(module: Any, rows: Any) -> Any:
    torch.manual_seed(0)
    with torch.no_grad():
        found = module(rows)
    return found[0] if isinstance(found, tuple) else found


def exported() -> Any:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    rows = torch.export.Dim("rows", min=2)
    return torch.export.export(net, (torch.randn(5, 3),), dynamic_shapes=({0: rows},))


def test_a_program_comes_back(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes the same, for other numbers of rows too; a stranger is asked."""
    program, rows = exported(), torch.randn(9, 3)
    version = registry.register("net", program)
    assert torch.equal(outputs(version.load().module(), rows), outputs(program.module(), rows))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    with pytest.raises(TrustError) as caught:
        version.load(trust=False)
    assert caught.value.untrusted == ("torch.export.load",)


def test_it_leaves_as_torchs_own_archive(registry: Registry, tmp_path: Path) -> None:
    """torch opens it with no nbreg in sight."""
    program, rows = exported(), torch.randn(4, 3)
    registry.register("net", program)
    registry.pull("net@1", tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*.pt2")
    assert torch.equal(outputs(torch.export.load(path).module(), rows), outputs(program.module(), rows))


LAYERS = {
    "LSTM": lambda: nn.LSTM(8, 5, num_layers=2, bidirectional=True, batch_first=True),
    "GRU": lambda: nn.GRU(8, 5, batch_first=True),
    "RNN": lambda: nn.RNN(8, 5, batch_first=True),
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_with_weights_in_lists_comes_back(registry: Registry, name: str) -> None:
    """A recurrent one keeps its weights by name and in a list; they stay the same tensors, and train on."""
    layer, rows = LAYERS[name]().eval(), torch.randn(2, 6, 8)
    loaded = registry.register("net", layer).load()
    assert torch.equal(outputs(loaded, rows), outputs(layer, rows))
    flat = vars(loaded).get("_flat_weights", [])
    assert {id(each) for each in flat} <= {id(each) for each in loaded.parameters()}
    with torch.no_grad():
        for each in loaded.parameters():
            each.add_(1.0)
    assert not torch.equal(outputs(loaded, rows), outputs(layer, rows))
