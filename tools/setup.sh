#!/bin/sh
# Make or bring up to date the environment in .venv: sh tools/setup.sh EXTRA[,EXTRA…]
#
# Needs a Python >= 3.11 with venv, and nothing else. Says one line when it works, and what the
# tools said when it does not. `make` calls this only when pyproject.toml changed.
set -eu
cd "$(dirname "$0")/.."
extras=$1

suitable() {
    # Run it: a launcher of pyenv or asdf may be on PATH with no interpreter behind it.
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
        # Every one on PATH, not only the first: the next may be the one that works.
        old_ifs=$IFS IFS=:
        for folder in $PATH; do
            IFS=$old_ifs
            case $name in */*) candidate=$name ;; *) candidate=$folder/$name ;; esac
            if [ -x "$candidate" ] && suitable "$candidate"; then
                echo "$candidate"
                return
            fi
        done
        IFS=$old_ifs
    done
    echo "no Python >= 3.11 with venv on PATH (Debian, Ubuntu: apt install python3-venv); or say make PYTHON=/path/to/python" >&2
    return 1
}

# What was installed is bound to the folder: an environment that was moved with it is made again.
if [ -f .venv/.folder ] && { [ "$(cat .venv/.folder)" != "$PWD" ] || ! suitable .venv/bin/python; }; then
    echo "setup: .venv was moved or has lost its Python: making it again"
    rm -rf .venv
fi
if [ ! -d .venv ]; then
    python=$(find_python)
    echo "setup: making .venv with $("$python" --version)"
    "$python" -m venv .venv || { rm -rf .venv; exit 1; }
elif ! suitable .venv/bin/python; then
    echo "setup: .venv is not a Python >= 3.11 environment; move it away and try again" >&2
    exit 1
fi
echo "$PWD" >.venv/.folder

# The JupyterLab extension is built by the targets that need it, with Python alone installed as it is.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 NBREG_SKIP_LABEXTENSION=1
echo "setup: installing nbreg[$extras]"
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
with_uv() {
    .venv/bin/python -m uv pip install --quiet --python .venv/bin/python --editable ".[$extras]"
}

# uv is quicker but optional. It trusts its own list of authorities; a company's may be the system's.
if .venv/bin/python -m uv --version >/dev/null 2>&1 || .venv/bin/python -m pip install --quiet uv; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    with_uv 2>"$log" || UV_SYSTEM_CERTS=true with_uv 2>>"$log" && exit
    cat "$log" >&2
    echo "setup: uv could not; trying pip" >&2
fi
.venv/bin/python -m pip install --quiet --editable ".[$extras]"
