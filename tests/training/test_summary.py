"""What a run prints at its end."""

import shlex

from dcsomrl.training.results import print_summary


def test_the_summary_of_a_run_names_the_next_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "my runs" / "seed0"  # the space has to be quoted
    print_summary({"warnings": []}, "a title", run, report=True)
    lines = capsys.readouterr().out.splitlines()
    commands = [shlex.split(line.partition(": ")[2]) for line in lines if "python -m" in line]
    assert [command[2:] for command in commands] == [
        ["dcsomrl.report", "run=my runs/seed0"],
        ["dcsomrl.predict", "ckpt=my runs/seed0/checkpoints/last.ckpt", "input=..."],
    ]
    print_summary({"warnings": []}, "a title", run)
    assert "python -m" not in capsys.readouterr().out
