"""Drawn configurations: made again from their number, and each run or refused in a sentence."""

import pytest

from experiments.trust.configurations import find_odd_numbers, judge, make_inputs, run_trial
from experiments.trust.drawn import draw
from experiments.trust.forked import Ended

NUMBERS = range(5000, 5015)


def test_a_number_draws_one_command():
    drawn = [draw(number) for number in range(6)]
    assert drawn == [draw(number) for number in range(6)]
    assert len({tuple(one.overrides) for one in drawn}) == 6


@pytest.mark.parametrize(
    ("ended", "names", "verdict"),
    [
        (Ended(0, "", ""), ["metrics.json"], "ran"),
        (Ended(0, "", ""), ["other.json"], "failed"),
        (Ended(2, "", "error: seed must be 1\n"), [], "refused"),
        (Ended(2, "", "error: one\nerror: two\n"), [], "failed"),
        (Ended(2, "", "Traceback (most recent call last):\nerror: x\n"), [], "failed"),
        (Ended(2, "", "Error executing job with overrides: []\nerror: x\n"), [], "failed"),
        (Ended(1, "", "error: x\n"), [], "failed"),
        (Ended(-11, "", ""), ["metrics.json"], "failed"),
        (Ended(None, "", ""), ["metrics.json"], "failed"),
    ],
)
def test_what_came_of_a_command_is_judged(ended, names, verdict, tmp_path):
    for name in names:
        (tmp_path / name).write_text("{}")
    assert judge("train", ended, set(tmp_path.iterdir()))["verdict"] == verdict


def test_epochs_behind_a_refusal_are_counted(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch\n0\n1\n")
    said = judge("train", Ended(2, "", "error: x\n"), set(tmp_path.iterdir()))
    assert said["epochs"] == 2


@pytest.mark.parametrize(
    ("name", "content", "odd"),
    [
        ("a.json", '{"a": NaN}', True),
        ("a.json", '{"a": null, "inf": 1}', False),
        ("a.csv", "a,b\n1,inf\n", True),
        ("a.csv", "nano,b\ninfo,\n", False),
    ],
)
def test_numbers_that_are_none_are_found_in_results(name, content, odd, tmp_path):
    (tmp_path / name).write_text(content)
    assert bool(find_odd_numbers([tmp_path / name])) == odd


@pytest.mark.slow
def test_drawn_configurations_run_or_are_refused(tmp_path):
    make_inputs(tmp_path)
    failed = [one for n in NUMBERS if (one := run_trial(n, tmp_path))["verdict"] == "failed"]
    assert not failed
