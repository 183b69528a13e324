"""Recipes of torch models: what a loop draws, shuffles and trains is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbreg import ModelVersion
from nbreg.capture.context import current_context
from nbreg.kernel import load
from notebooks import run, shell_in

torch: Any = pytest.importorskip("torch", reason="torch is not installed")

DATA = "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\nT = torch.arange(12.0).reshape(6, 2)"
NET = "net = torch.nn.Linear(2, 1)\nstep = torch.optim.SGD(net.parameters(), lr=0.01)"
LOOP = (
    "for (batch,) in loader:\n    step.zero_grad()\n    loss = net(batch).square().mean()\n"
    "    loss.backward()\n    step.step()"
)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """A shell that is watched."""
    with shell_in(tmp_path / "here", {}) as shell:
        load(shell)
        yield shell
        for each in ("v", "_v", "nameless"):
            if isinstance(version := shell.user_ns.get(each), ModelVersion):
                version.registry.close()


def kept(shell: Any, name: str) -> set[str]:
    """The sources that the recipe of that object keeps."""
    recipe = current_context().recipe_for(shell.user_ns[name])
    assert recipe is not None
    return {each.source for each in recipe.cells}


def replayed(folder: Path, cells: list[str], name: str) -> Any:
    """The object, made again by these cells alone in a shell with other random numbers."""
    torch.seed()
    with shell_in(folder, {}) as shell:
        run(shell, cells)
        return shell.user_ns[name]


def test_a_seed_and_the_draws_after_it_are_in_the_recipe(shell: Any) -> None:
    """A draw that nobody uses moves all that are drawn after it."""
    run(
        shell,
        [
            "import torch",
            "torch.manual_seed(3)",
            "unused = torch.rand(5)",
            "other = 1",
            "net = torch.nn.Linear(2, 1)",
        ],
    )

    assert kept(shell, "net") == {"import torch", "torch.manual_seed(3)", "unused = torch.rand(5)", "net = torch.nn.Linear(2, 1)"}  # fmt: skip


def test_a_training_loop_is_in_the_recipe(shell: Any) -> None:
    """It binds no name of the model's, and is the whole of its training."""
    cells = [DATA, "torch.manual_seed(0)", NET, "loader = DataLoader(TensorDataset(T), batch_size=2)", LOOP]
    run(shell, [*cells, "net(T)", "T.sum()"])

    assert kept(shell, "net") == set(cells)


def test_a_shuffle_draws_from_the_seeded_state(shell: Any, tmp_path: Path) -> None:
    """Epochs that were run only to look change the order of those that train."""
    shuffled = "loader = DataLoader(TensorDataset(T), batch_size=2, shuffle=True)"
    looked = "first = [batch for (batch,) in loader]"
    cells = [DATA, "torch.manual_seed(0)", NET, shuffled, looked, LOOP]
    run(shell, [*cells, "T.mean()"])
    weights = shell.user_ns["net"].weight.detach().clone()

    assert kept(shell, "net") == set(cells)
    assert torch.equal(replayed(tmp_path / "again", cells, "net").weight, weights)


def test_a_generator_of_its_own_is_followed(shell: Any) -> None:
    """It is not the state of the process: its own cell and draws count."""
    cells = [
        "import torch",
        "g = torch.Generator().manual_seed(1)",
        "x = torch.rand(2, generator=g)",
        "w = torch.rand(2, generator=g)",
    ]
    run(shell, [*cells[:3], "torch.rand(3)", cells[3]])

    assert kept(shell, "w") == set(cells)


def test_changing_a_view_changes_the_tensor(shell: Any) -> None:
    """Views share memory, and `mul_` binds nothing."""
    cells = ["import torch", "base = torch.ones(4)", "view = base[1:3]", "view.mul_(5)"]
    run(shell, [*cells, "other = base.clone()"])

    assert kept(shell, "base") == set(cells)


def test_watching_leaves_modules_as_they_are(shell: Any) -> None:
    """Train mode, gradients and random numbers: a result must not depend on being watched."""
    run(
        shell,
        [
            "import torch\ntorch.manual_seed(0)",
            "net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))",
            "T = torch.ones(4, 2); net(T).sum().backward()",
            "import nbreg\nbefore = torch.get_rng_state()",
            "v = nbreg.Registry('.nbreg').register('m', net, data={'train': T})",
            "same = torch.equal(before, torch.get_rng_state())",
        ],
    )
    names = shell.user_ns

    assert names["same"]
    assert all(module.training for module in names["net"].modules())
    assert all(each.grad is not None and each.grad.grad_fn is None for each in names["net"].parameters())
    assert names["v"].probe.summary == {"rows": 4, "outputs": "left to evidence"}
    assert len(names["v"].probe.inputs) > 0
