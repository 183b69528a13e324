"""Which version an output shows, told beside the output.

The output itself holds no id, so that two people who run one notebook get the same. A page that shows it
has to know all the same whether the registry that it asks is the one that the output came from.
"""

from __future__ import annotations

from typing import Any

from nbreg.display import VERSION_MIME
from nbreg.errors import NbregError
from nbreg.registry import ModelVersion


def identity(version: ModelVersion) -> dict[str, Any]:
    """The metadata of an output that shows this version; none where its registry cannot be read any more."""
    try:
        return {VERSION_MIME: {"id": version.id, "registry": version.registry.id}}
    except NbregError:
        return {}
