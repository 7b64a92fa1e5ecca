"""Completion by the tab key, in bash and zsh themselves."""

import os
import pty
import select
import shutil
import subprocess
import time

import pytest

from tests.warm import PYTHON

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
SCRIPT = """
dcsomrl() {{ {python} -m dcsomrl "$@"; }}
source <(dcsomrl completion)
COMP_LINE="{line}"
COMP_WORDS=({line})
[[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_dcsomrl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@needs_bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dcsomrl tr", {"train"}),
        ("dcsomrl train dataset=fa", {"dataset=fashion", "dataset=fashion_all"}),
        ("dcsomrl train seed=1 trainer.max_ep", {"trainer.max_epochs="}),
        ("dcsomrl predict sof", {"soft="}),
    ],
)
def test_commands_options_and_keys_are_completed(line, offered, tmp_path):
    script = SCRIPT.format(python=PYTHON, line=line)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert set(done.stdout.split()) == offered, done.stderr


@needs_bash
def test_after_a_blank_every_setting_is_offered(tmp_path):
    script = SCRIPT.format(python=PYTHON, line="dcsomrl train ")
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert {"dataset=", "model=", "seed="} <= set(done.stdout.split()), done.stderr


class Shell:
    """An interactive zsh without settings, on a terminal of its own."""

    def __init__(self, folder):
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            ["zsh", "-f", "-i"],
            stdin=end,
            stdout=end,
            stderr=end,
            cwd=folder,
            env=os.environ | {"TERM": "dumb", "PS1": "$ "},
            start_new_session=True,
        )
        os.close(end)

    def type(self, keys, until, limit=60.0):
        """Everything shown after the keys, to the awaited text or the limit in seconds."""
        os.write(self.terminal, keys.encode())
        shown, end = "", time.monotonic() + limit
        while until not in shown and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.2)[0]:
                shown += os.read(self.terminal, 65536).decode(errors="replace")
        return shown

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


@needs_zsh
def test_zsh_completes_what_bash_does(tmp_path):
    shell = Shell(tmp_path)
    try:
        setup = "autoload -U compinit bashcompinit && compinit -u -D && bashcompinit"
        command = f'dcsomrl() {{ {PYTHON} -m dcsomrl "$@"; }}'
        ready = "source <(dcsomrl completion); echo rea''dy"
        assert "ready" in shell.type(f"{setup}; {command}; {ready}\n", "ready")
        for typed, completed in {
            "dcsomrl pre": "dcsomrl predict",
            "dcsomrl train dataset=fa": "dataset=fashion",
            "dcsomrl train model.al": "model.alpha=",
        }.items():
            assert completed in shell.type(f"{typed}\t", completed)
            shell.type("\x15", "$")
    finally:
        shell.close()
