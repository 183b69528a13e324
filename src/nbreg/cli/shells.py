"""The scripts that let a shell ask nbreg what may stand where the cursor is."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete, split_arg_string

VARIABLE: Final = "_NBREG_COMPLETE"
"""Set by the scripts: nbreg then answers with words instead of running a command."""

_INSTALL: Final = {
    "bash": """put this line into ~/.bashrc:  eval "$(nbreg completion bash)\"""",
    "zsh": """put this line into ~/.zshrc, below compinit:  eval "$(nbreg completion zsh)\"""",
    "fish": "run this once:  nbreg completion fish > ~/.config/fish/completions/nbreg.fish",
}


class Bash(BashComplete):
    """Bash takes `churn@1.0` for three words, since `@` and `:` may start a host and a port.

    So the whole line is asked about, and of the answer only what stands behind the last such sign
    is given back.
    """

    source_template = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" response word
    local IFS=$'\\n'
    response=$(env COMP_WORDS="$line" COMP_CWORD=-1 %(complete_var)s=bash_complete "$1" 2>/dev/null)
    local typed="${line##*[[:space:]]}"
    local before="${typed%%"$2"}"
    for word in $response; do
        case "$word" in
            file,*) compopt -o default ;;
            dir,*) compopt -o dirnames ;;
            plain,*) word="${word#plain,}"; COMPREPLY+=("${word#"$before"}") ;;
        esac
    done
    [[ "${COMPREPLY[0]}" == *[@=/] ]] && compopt -o nospace
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the one that it is in."""
        import os

        line = os.environ["COMP_WORDS"]
        if os.environ.get("COMP_CWORD") != "-1":
            return super().get_completion_args()
        words = split_arg_string(line)
        incomplete = "" if not words or line[-1].isspace() else words.pop()
        return words[1:], incomplete


SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": Bash, "zsh": ZshComplete, "fish": FishComplete}


def script(shell: str) -> str:
    """The script for one shell; its first line says where it goes."""
    source = _of(shell).source_template % _of(shell).source_vars()
    return f"# {_INSTALL[shell]}\n{source}".rstrip()


def _of(shell: str) -> ShellComplete:
    from nbreg.cli import COMMANDS

    return SHELLS[shell](COMMANDS, {}, "nbreg", VARIABLE)


def answer(instruction: str) -> tuple[str, int]:
    """What a shell's script asked for, and the exit code."""
    shell, _, wanted = instruction.partition("_")
    if shell not in SHELLS or wanted not in ("complete", "source"):
        raise click.UsageError(f"{VARIABLE} is {instruction!r}")
    return (script(shell) if wanted == "source" else _of(shell).complete()), 0
