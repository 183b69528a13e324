"""An output that shows a version tells which one that is, beside itself.

Somebody opens a notebook of a colleague, or chooses another registry in the sidebar: the badge on a cell and the
name on a card speak of the version that the output came from, and of no other one that has its number. The output
itself holds no id, so that two people who run one notebook get the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from kernels import MODEL, Kernel, running_kernel

from nbreg import Registry
from nbreg.display import VERSION_MIME


@pytest.fixture
def kernel(registry: Registry) -> Iterator[Kernel]:
    """A kernel with a model in it, nbreg loaded."""
    with running_kernel() as kernel:
        kernel.good(f"import os; os.environ['NBREG_REGISTRY'] = {str(registry.location)!r}\n%load_ext nbreg")
        kernel.good(f"{MODEL}\nclf = Mean().fit([1, 2])")
        yield kernel


def test_outputs_tell_whose_version_they_show(kernel: Kernel, registry: Registry) -> None:
    """However it was shown: registered, as a value, as a page, as a panel of somebody who can click."""
    shown = [
        *kernel.good("%register_model churn clf").metadata[-1:],  # before it stands where the registry is
        *kernel.good("import nbreg; registry = nbreg.Registry(); registry.get('churn@1')").metadata,
        *kernel.good("display(registry.get('churn@1'))").metadata,
        *kernel.good("%model churn@1").metadata,
        *kernel.run_in_front("%model churn@1", "cell-1").metadata[1:],  # the first is the view
    ]

    told = {VERSION_MIME: {"id": registry.get("churn@1").id, "registry": registry.id}}
    assert shown == [told] * 5


def test_the_output_itself_is_the_same_for_everybody(kernel: Kernel, registry: Registry) -> None:
    """Notebooks are committed with their outputs; an id in them would differ in each clone."""
    bundle = kernel.good("%register_model churn clf").bundles[-1]
    assert VERSION_MIME in bundle

    text = json.dumps(bundle)
    assert registry.get("churn@1").id[:12] not in text
    assert registry.id[:12] not in text


def test_of_a_registry_that_cannot_be_read_any_more_nothing_is_told(
    kernel: Kernel, registry: Registry
) -> None:
    """What was registered is still shown, without a badge that could not be asked of anything."""
    kernel.good(
        "%register_model churn clf\nimport nbreg; version = nbreg.Registry().get('churn@1'); repr(version)"
    )
    (registry.location / "registry.jsonl").write_bytes(b"no journal\n")

    shown = kernel.good("version")

    assert "churn" in shown.text
    assert shown.metadata == [{}]
