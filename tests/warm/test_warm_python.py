"""The interpreter that starts warm, beside the one that starts from nothing."""

import os
import signal
import subprocess
import sys

import pytest
from filelock import FileLock, Timeout

from tests.warm import PYTHON

pytestmark = pytest.mark.slow

PROGRAMS = {
    "arguments, folder and environment": (
        "import os, sys; print(sys.argv, os.getcwd(), os.environ['MINE'], sys.stdin.read())"
    ),
    "exit code": "import sys; print('out'); sys.exit(3)",
    "exit with a message": "import sys; sys.exit('no')",
    "exit without one": "import sys; sys.exit()",
    "handlers at exit": "import atexit; atexit.register(print, 'bye'); print('end')",
    "a thread that outlives the program": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()"
    ),
    "killed": "import os; os.kill(os.getpid(), 9)",
    "terminated": "import os; os.kill(os.getpid(), 15)",
    "main": "import __main__; x = 1; print(__name__, __main__.x)",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_ends_as_in_an_interpreter_that_starts_from_nothing(program, tmp_path):
    warm, plain = (
        subprocess.run(
            [python, "-c", program, "a b", "--c=ä"],
            cwd=tmp_path,
            env={**os.environ, "MINE": "yes"},
            input="some text",
            capture_output=True,
            text=True,
        )
        for python in (sys.executable, PYTHON)
    )
    assert sys.executable != PYTHON
    assert (warm.stdout, warm.stderr) == (plain.stdout, plain.stderr)
    assert warm.returncode == plain.returncode


def test_an_error_is_printed_and_a_module_that_is_not_there_named():
    failed = subprocess.run([sys.executable, "-c", "1/0"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.endswith("ZeroDivisionError: division by zero\n")
    lacking = subprocess.run([sys.executable, "-m", "no_such"], capture_output=True, text=True)
    assert lacking.returncode == 1
    assert lacking.stderr.endswith("No module named no_such\n")


@pytest.mark.skipif(sys.platform != "linux", reason="starts from nothing elsewhere")
def test_what_is_imported_is_there_at_once():
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True\n"


HOLD = r"""
import os, signal, sys
from filelock import FileLock
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"heard\n"))
with FileLock(sys.argv[1]):
    print("held", flush=True)
    while True:
        signal.pause()
"""


def test_a_signal_is_passed_on_and_a_lock_dies_with_its_process(tmp_path):
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "heard\n"
    with pytest.raises(Timeout):
        FileLock(path).acquire(timeout=0)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    with FileLock(path).acquire(timeout=10):
        pass


def test_a_descriptor_is_inherited_under_its_number(tmp_path):
    reads, writes = os.pipe()
    program = f"import os; os.write({writes}, b'through the pipe')"
    process = subprocess.Popen([sys.executable, "-c", program], pass_fds=[writes])
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        assert pipe.read() == b"through the pipe"  # ends once nobody else holds the other end
    assert process.wait() == 0


def test_processes_draw_random_numbers_of_their_own():
    program = "import random, numpy; print(random.random(), numpy.random.rand())"
    drawn = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert not set(drawn[0].split()) & set(drawn[1].split())
