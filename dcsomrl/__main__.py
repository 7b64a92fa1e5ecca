"""The commands under one name: ``dcsomrl train dataset=fashion``."""

import ast
import difflib
import os
import sys
from pathlib import Path

from dcsomrl import __version__

COMMANDS = ("train", "evaluate", "predict", "export", "report", "benchmark", "sensitivity")

# Bash's and, after bashcompinit, zsh's: the line goes to Hydra as if the command were the program.
COMPLETION = """\
_dcsomrl() {{
  local command=${{COMP_WORDS[1]}} word=${{COMP_WORDS[COMP_CWORD]}} line choices
  if (( COMP_CWORD < 2 )); then
    COMPREPLY=($(compgen -W "{commands}" -- "$word"))
    return
  fi
  line="dcsomrl ${{COMP_LINE#*"$command" }}"
  choices=$(COMP_LINE=$line COMP_POINT=${{#line}} dcsomrl "$command" -sc query=bash 2>/dev/null)
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
}}
COMP_WORDBREAKS=${{COMP_WORDBREAKS//=}}
complete -o nospace -o default -F _dcsomrl dcsomrl
"""


def summarize(command: str) -> str:
    """What a command does, from the first line of its module, which is not imported."""
    source = Path(__file__).with_name(f"{command}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    return text.partition(": ``")[0]


def describe_usage() -> str:
    """The commands, a line each."""
    lines = [f"  {command:<12} {summarize(command)}" for command in COMMANDS]
    return "\n".join(
        [
            "usage: dcsomrl COMMAND [KEY=VALUE ...]",
            "",
            *lines,
            "",
            "dcsomrl COMMAND --help shows a command's settings; dcsomrl --version the version;",
            "source <(dcsomrl completion) enables tab completion in bash and zsh.",
        ]
    )


def main() -> None:
    """Become ``python -m dcsomrl.<command>``, which a process that it starts can start again."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("--help", "-h"):
        print(describe_usage())
    elif command == "--version":
        print(f"dcsomrl {__version__}")
    elif command == "completion":
        print(COMPLETION.format(commands=" ".join(COMMANDS)), end="")
    elif command in COMMANDS:
        line = [sys.executable, "-m", f"dcsomrl.{command}", *arguments]
        sys.stdout.flush()
        os.execv(sys.executable, line)
    else:
        close = difflib.get_close_matches(command, COMMANDS, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        known = ", ".join(COMMANDS)
        print(f"error: there is no command {command}; {meant}there are {known}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
