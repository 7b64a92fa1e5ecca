"""The commands under one name: ``dcsomrl train dataset=fashion``."""

import ast
import difflib
import os
import sys
from pathlib import Path

from dcsomrl import __version__

COMMANDS = ("train", "evaluate", "predict", "export", "report", "benchmark", "sensitivity")


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
            "dcsomrl COMMAND --help shows a command's settings; dcsomrl --version the version.",
        ]
    )


def main() -> None:
    """Become ``python -m dcsomrl.<command>``, which a process that it starts can start again."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("--help", "-h"):
        print(describe_usage())
    elif command == "--version":
        print(f"dcsomrl {__version__}")
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
