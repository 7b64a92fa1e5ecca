"""A training ends on all processes when one of them has died or failed, and says why."""

import queue
import socket
import subprocess
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dcsomrl.training.callbacks.watch_processes import meet
from tests.conftest import SMALL
from tests.networks.two_processes import TWO
from tests.ranks import start_ranks

# What each rank does by its argument once the training is on its way; all tell that it is.
RANK = """
    import os, sys, time
    from pathlib import Path
    from pytorch_lightning import Callback
    from dcsomrl.train import main

    rank, act, folder = int(os.environ["LOCAL_RANK"]), sys.argv.pop(1), Path(sys.argv.pop(1))

    class Act(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch != 1:
                return
            (folder / f"there{rank}").touch()
            if act == "hang":  # as one that waits for a GPU which waits for another
                time.sleep(600)
            if act == "fail":
                raise RuntimeError("a mistake on purpose")

    main()
"""


@pytest.fixture
def train_together(tmp_path):
    """Start two processes that do something each; returns when both are at it."""
    ranks = []

    def start(*acts):
        act = "+callbacks.act={_target_: __main__.Act}"
        settings = [*TWO, *SMALL[2:], "trainer.max_epochs=100000", "~callbacks.progress", act]
        settings.append(f"hydra.run.dir={tmp_path / 'run'}")
        code = textwrap.dedent(RANK)
        arguments = [("-c", code, act, str(tmp_path), *settings) for act in acts]
        ranks.extend(start_ranks(*arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        end = time.monotonic() + 120
        while not all((tmp_path / f"there{rank}").exists() for rank in range(2)):
            assert time.monotonic() < end, "the training has not begun"
            time.sleep(0.05)
        return ranks

    yield start
    for one in ranks:
        one.kill()
        one.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("act", ["go on", "hang"])
@pytest.mark.parametrize("victim", [0, 1])
def test_the_others_end_when_a_process_is_killed(victim, act, train_together):
    acts = ["go on", "go on"]
    acts[1 - victim] = act
    ranks = train_together(*acts)
    ranks[victim].kill()
    other = ranks[1 - victim]
    said = other.communicate(timeout=60)[1]
    assert other.returncode == 1
    assert said.count(f"error: rank {victim} of 2 (process ") == 1
    assert "has died" in said
    assert "ckpt_path=last" in said


@pytest.mark.slow
def test_the_others_end_when_a_process_fails_and_leave_the_reason_to_it(train_together):
    ranks = train_together("hang", "fail")
    failed, other = (ranks[rank].communicate(timeout=60)[1] for rank in (1, 0))
    assert "a mistake on purpose" in failed
    assert "error: rank 1 of 2" in other
    assert "has ended with an error" in other


def test_a_stranger_who_finds_the_port_is_not_taken_for_a_process():
    told = queue.Queue()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(meet, "zero", 0, 2, "127.0.0.1", told.put)
        port, *rest = told.get(timeout=10)
        for words in (b"hello\n", b'["token", "two"]\n', b"[1]\n", b"\xff\n", b""):
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall(words)
        second = meet("one", 1, 2, "127.0.0.1", lambda nothing: (port, *rest))
        found = first.result(timeout=10)
    assert (list(found), list(second)) == (["one"], ["zero"])
    second["zero"].write(b"heard\n")
    second["zero"].flush()
    assert found["one"].readline() == b"heard\n"
