"""Completion by the tab key, in bash itself."""

import shutil
import subprocess

import pytest

from tests.warm import PYTHON

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
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


def test_after_a_blank_every_setting_is_offered(tmp_path):
    script = SCRIPT.format(python=PYTHON, line="dcsomrl train ")
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert {"dataset=", "model=", "seed="} <= set(done.stdout.split()), done.stderr
