"""The code beside the cells: the project's git state, and a plain script's text and arguments.

Git is asked in `git`, before anything else is captured, and joined after.
"""

from __future__ import annotations

from typing import Any

from nbreg.capture.context import ScriptContext, script_text
from nbreg.capture.project.diff import redacted_diff
from nbreg.capture.project.git import GitStatus
from nbreg.capture.project.modules import capture_definitions, capture_modules
from nbreg.capture.secrets import Redactor
from nbreg.records import Context, Git, Source


def capture_source(
    context: Context, status: GitStatus, redactor: Redactor, names: tuple[str, ...] | None = None
) -> Source:
    """What a version keeps of the code beside its cells; `names` as for `capture_environment`."""
    is_script = context.kind == "script"
    modules = capture_modules(redactor, context.folder, names)
    # A script's text is kept as a whole, so that its definitions need not be.
    definitions = (
        {} if is_script else capture_definitions(dict(context.namespace), context.executions, redactor)
    )
    git, why = status.join()
    return Source(
        git=_redacted(git, redactor) if git else None,
        modules=modules.texts,
        edited=modules.edited,
        definitions=definitions,
        git_missing=why,
        script=redactor.text(script_text(context.script)) if is_script and context.script else "",
        argv=redactor.arguments(context.argv) if isinstance(context, ScriptContext) else [],
        notebook=redactor.text(context.notebook),
    )


def _redacted(git: Git, redactor: Redactor) -> Git:
    return Git(
        commit=git.commit,
        branch=redactor.text(git.branch),
        dirty=git.dirty,
        changed=[redactor.text(path) for path in git.changed],
        remotes={redactor.text(name): redactor.text(url) for name, url in git.remotes.items()},
        diff=redacted_diff(git.diff, redactor),
    )


def source_summary(source: Source) -> dict[str, Any]:
    """What a card says of the source; what is none of is not mentioned."""
    counts = {
        "diff": _changed_lines(source.git.diff) if source.git else 0,
        "modules": len(source.modules),
        "edited": len(source.edited),
        "definitions": len(source.definitions),
    }
    told = {key: count for key, count in counts.items() if count}
    if source.git is None:
        return {"git": f"not captured: {source.git_missing}", **told}
    git = source.git
    return {"commit": git.commit[:10], "branch": git.branch, "dirty": git.dirty, **told}


def _changed_lines(diff: str) -> int:
    return sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in diff.split("\n") if line)
