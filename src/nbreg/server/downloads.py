"""The verbs that give a file: made in a folder of its own, which goes when it was sent."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from nbreg.server import asked
from nbreg.server.visit import Visit


def archive(visit: Visit, question: asked.OneVersion, folder: Path) -> Path:
    """A version as the one file that another registry's `import_` takes in."""
    found = visit.registry.get(question.ref)
    return visit.registry.export(found, folder / f"{_stem(found.ref)}.nbreg")


def files(visit: Visit, question: asked.OneVersion, folder: Path) -> Path:
    """A version as ordinary files, in a zip: what `pull` writes."""
    found = visit.registry.get(question.ref)
    stem = _stem(found.ref)
    pulled = visit.registry.pull(found, folder / stem)
    target = folder / f"{stem}.zip"
    # Models hardly get smaller, and whoever waits for a gigabyte waits for the network already.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, strict_timestamps=False) as into:
        for base, _folders, names in os.walk(pulled):
            for name in sorted(names):
                path = Path(base, name)
                into.write(path, f"{stem}/{path.relative_to(pulled).as_posix()}")
                path.unlink()  # never both of them whole on disk
    return target


def audit(visit: Visit, question: asked.Audit, folder: Path) -> Path:
    """All that is recorded of a model, as one page without outside assets, for whoever has to check it."""
    target = folder / f"{_stem(question.model)}-audit.{question.form}"
    visit.registry.audit(question.model, target, verify=question.verify)
    return target


def _stem(ref: str) -> str:
    return ref.replace("/", "-").replace("@", "-")
