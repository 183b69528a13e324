"""An environment in the words of the tools that can make it again: pip, uv, conda.

What cannot be had from an index is told in a comment rather than written as if it could.
A record may come from somebody else's registry: what is no proper name, version or address
never reaches a line that a tool will act on.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nbreg.errors import BadInputError, CannotLoadError, ConflictError, option
from nbreg.records import Distribution, Environment

if TYPE_CHECKING:
    from subprocess import CompletedProcess

FORMATS: Final = ("requirements", "pylock", "conda")

UV_SECONDS: Final = 120.0
_MOST_REFUSED: Final = 50

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/?#@&+,%=\[\]-]+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SPEC = re.compile(r"(?:[\w.-]+::)?[\w.-]+=[\w.!+-]+=[\w.!+-]+")
_PACKAGE = re.compile(r'(?m)^name = "(?P<name>[^"]+)"$')


def requirement(distribution: Distribution) -> str:
    """What a person gives to pip to have it again: `a==1`, `a @ git+https://…@commit`, or nothing."""
    name, version, url = distribution.name, distribution.version, distribution.url
    if not (_NAME.fullmatch(name) and _VERSION.fullmatch(version)):
        return ""
    if distribution.origin == "vcs":
        sure = _URL.fullmatch(url) and _COMMIT.fullmatch(distribution.commit)
        return f"{name} @ {url}@{distribution.commit}" if sure else ""
    if distribution.origin in ("editable", "local"):
        return ""
    if url and distribution.origin == "unknown":  # an archive that was named by its address
        return f"{name} @ {url}" if _URL.fullmatch(url) else ""
    return f"{name}=={version}"


def why_not(distribution: Distribution) -> str:
    """What a reader must know before relying on `requirement`; empty where an index has it."""
    told = {
        "editable": "not rebuildable from an index: an editable install",
        "local": "not rebuildable from an index: built from a local folder or file",
        "vcs": "not from an index: from a repository",
        "conda": "installed by conda: a wheel of this version is another build",
    }
    if distribution.origin in told:
        return told[distribution.origin]
    if distribution.url:
        return "not from an index: from an address"
    if not requirement(distribution):
        return "not rebuildable: no proper name or version"
    if "+" in distribution.version:
        return "a local version: the main index does not have it"
    return "where it came from is not known" if distribution.origin == "unknown" else ""


def text(environment: Environment, form: str, *, needed_only: bool = False) -> str:
    """The environment in one of `FORMATS`. Raises `BadInputError` for another word."""
    if form == "requirements":
        return requirements(environment, needed_only=needed_only)
    if form == "pylock":
        return pylock(environment, needed_only=needed_only)
    if form == "conda":
        return conda(environment, needed_only=needed_only)
    raise BadInputError(f"{form!r} is no format of an environment", hint=f"one of {', '.join(FORMATS)}")


def write(
    environment: Environment,
    path: str | os.PathLike[str],
    form: str,
    *,
    needed_only: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write `text` to a file, whose folder is made, and say where.

    Raises `ConflictError` if it is there already.
    """
    target = Path(path)
    written = text(environment, form, needed_only=needed_only)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(written)
    except OSError as error:
        if isinstance(error, FileExistsError) and target.exists():  # else it is the folder that is none
            hint = f"{option('overwrite')} replaces it"
            raise ConflictError(f"{target} is there already", hint=hint) from None
        raise BadInputError(f"{target} cannot be written: {error.strerror}", hint="another path") from None
    return target


# requirements.txt


def requirements(environment: Environment, *, needed_only: bool = False) -> str:
    """A `requirements.txt` that pip and uv read; what they cannot install is a comment."""
    lines = _heading(environment)
    for each in _chosen(environment, needed_only):
        line, note = requirement(each), why_not(each)
        if line:
            lines += [f"# {note}"] if note else []
            lines.append(line)
        else:
            lines.append(f"# {_said(each)}: {note}")
    return "\n".join(lines) + "\n"


def _heading(environment: Environment) -> list[str]:
    python = environment.python
    said = f"{python.get('implementation', '')} {python.get('version', '')}".strip()
    system = f"{environment.os.get('system', '')} {environment.os.get('machine', '')}".strip()
    parts = ", ".join(part for part in (said, system) if part)
    return [f"# recorded by nbreg on {_harmless(parts)}" if parts else "# recorded by nbreg"]


def _chosen(environment: Environment, needed_only: bool) -> list[Distribution]:
    """In the order of their names; what the model needs alone, where that was asked for and found out."""
    every = sorted(environment.distributions, key=lambda each: each.name)
    if not needed_only:
        return every
    if all(each.needed is None for each in every):
        raise BadInputError(
            "what the model needs was not found out", hint="leave needed_only out: all that was installed"
        )
    return [each for each in every if each.needed]


def _said(distribution: Distribution) -> str:
    return _harmless(f"{distribution.name} {distribution.version}")


def _harmless(words: str) -> str:
    """Words for a comment: on one line, whatever a record holds."""
    return "".join(each if each.isprintable() else "?" for each in words)[:200]


# pylock.toml


def pylock(environment: Environment, *, needed_only: bool = False) -> str:
    """A `pylock.toml` (PEP 751) of exactly the recorded versions.

    A lock names files with their digests, which no installer leaves behind: `uv` asks the index
    for them, so this needs uv and the network. Raises `CannotLoadError` where it has neither.
    """
    chosen = _chosen(environment, needed_only)
    entries = {each.name: entry for each in chosen if (entry := _own_entry(each))}
    comments = [f"# {_said(each)}: {why_not(each)}" for each in chosen if not requirement(each)]
    wanted = [each for each in chosen if requirement(each) and each.name not in entries]
    found, refused = _of_index(wanted, _minor(environment))
    comments += [f"# {_said(each)}: the index has no such version" for each in refused]
    entries |= found
    head = [*_heading(environment), *sorted(comments)]
    head += ['lock-version = "1.0"', 'created-by = "nbreg"']
    if minor := _minor(environment):
        head.append(f'requires-python = "=={minor}.*"')
    return "\n".join(head) + "\n\n" + "\n".join(entries[name] for name in sorted(entries))


def _minor(environment: Environment) -> str:
    match = re.match(r"\d+\.\d+", environment.python.get("version", ""))
    return match[0] if match else ""


def _own_entry(distribution: Distribution) -> str:
    """The entry of what came from a repository or an address; empty for all that an index has."""
    line = requirement(distribution)
    if not line or "@" not in line:
        return ""
    kind, _, url = distribution.url.partition("+")
    name = f'[[packages]]\nname = "{distribution.name}"\n'
    if distribution.origin == "vcs":
        body = f'vcs = {{ type = "{kind}", url = "{url}", commit-id = "{distribution.commit}" }}'
        return f'{name}version = "{distribution.version}"\n{body}\n'
    method, _, digest = distribution.commit.partition(":")
    if not (method.isalnum() and _COMMIT.fullmatch(digest)):
        return ""  # a lock must name the digest; uv is asked for it
    body = f'archive = {{ url = "{distribution.url}", hashes = {{ {method} = "{digest}" }} }}'
    return f'{name}version = "{distribution.version}"\n{body}\n'


def _of_index(wanted: list[Distribution], python: str) -> tuple[dict[str, str], list[Distribution]]:
    """The entries of what the index has, by name, and what it has not."""
    refused: list[Distribution] = []
    while wanted:
        done = _uv([requirement(each) for each in wanted], python)
        if done.returncode == 0:
            return dict(_entries(done.stdout)), refused
        missing = [each for each in wanted if _is_refused(each, done.stderr)]
        if not missing or len(refused) > _MOST_REFUSED:
            raise CannotLoadError(
                f"uv could not lock the environment: {_last_line(done.stderr)}",
                hint=f"{option('format', 'requirements')} needs neither uv nor the network",
            )
        refused += missing
        wanted = [each for each in wanted if each not in missing]
    return {}, refused


def _uv(lines: Iterable[str], python: str) -> CompletedProcess[str]:
    import subprocess

    command = [_find_uv(), "pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate", "--quiet"]
    command += ["--format", "pylock.toml", "--color", "never"]
    command += ["--python-version", python] if python else []
    try:
        return subprocess.run(
            command, input="\n".join(lines), capture_output=True, text=True, timeout=UV_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotLoadError(f"uv took longer than {UV_SECONDS:g} s", hint="try again later") from None


def uv_here() -> str | None:
    """`uv` beside the interpreter, where pip puts it, or on the path."""
    import shutil

    beside = Path(sys.executable).parent
    return shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")


def _find_uv() -> str:
    found = uv_here()
    if found is None:
        raise CannotLoadError(
            "a pylock.toml names files by digest, and uv, which asks the index for them, is not here",
            hint=f"pip install uv, or {option('format', 'requirements')}",
        )
    return found


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    for block in lock.split("[[packages]]\n")[1:]:
        if match := _PACKAGE.search(block):
            yield match["name"], f"[[packages]]\n{block.rstrip()}\n"


def _is_refused(distribution: Distribution, said: str) -> bool:
    """Whether uv's reason is that there is no such distribution, or no such version of it."""
    words = " ".join(said.split())
    name, version = re.escape(distribution.name), re.escape(distribution.version)
    return bool(
        re.search(rf"there is no version of {name}==?={version}(?![\w.])", words)
        or re.search(rf"\b{name} was not found in the package registry", words)
        or re.search(rf"\b{name}==?={version} (?:has no|cannot be used|was yanked)", words)
    )


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _harmless(lines[-1]) if lines else "no reason given"


# conda


def conda(environment: Environment, *, needed_only: bool = False) -> str:
    """An `environment.yml`: conda's own packages exactly, and what pip installed below `pip:`.

    Made of an environment that conda did not make, only Python itself comes from conda.
    """
    chosen = [each for each in _chosen(environment, needed_only) if each.origin != "conda"]
    specs = [spec for spec in environment.conda if _SPEC.fullmatch(spec)]
    lines = [*_heading(environment), "name: nbreg", "channels:"]
    lines += [f"  - {channel}" for channel in _channels(specs)]
    lines.append("dependencies:")
    if specs:
        lines += [f"  - {spec}" for spec in specs]
    else:
        minor = environment.python.get("version", "")
        lines += [f"  - python={minor}" if re.fullmatch(r"[\w.]+", minor) else "  - python", "  - pip"]
    return "\n".join([*lines, *_below_pip(chosen)]) + "\n"


def _channels(specs: Iterable[str]) -> list[str]:
    named = {spec.partition("::")[0] for spec in specs if "::" in spec}
    return sorted(named) or ["conda-forge"]


def _below_pip(chosen: Iterable[Distribution]) -> list[str]:
    lines: list[str] = []
    for each in chosen:
        line, note = requirement(each), why_not(each)
        if line:
            lines += [f"      # {note}"] if note else []
            lines.append(f"      - {_quoted(line)}")
        else:
            lines.append(f"      # {_said(each)}: {note}")
    installed = any(not line.lstrip().startswith("#") for line in lines)
    return ["  - pip:", *lines] if installed else [line.replace("      ", "  ", 1) for line in lines]


def _quoted(line: str) -> str:
    """A requirement may hold what YAML reads as its own; in double quotes it is a text."""
    return f'"{line}"' if re.search(r"[#@!*&\[\]{}:,%]", line) else line
