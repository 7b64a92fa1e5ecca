"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def train(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.train.train`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import train as command

    with keyed(cfg):
        return command.train(cfg)


def check_ahead(cfg: DictConfig) -> None:
    """See :func:`dcsomrl.commands.train.check_ahead`, likewise."""
    from dcsomrl.commands import train as command

    with keyed(cfg):
        command.check_ahead(cfg)


main = entry_point("train", check_ahead)(train)

if __name__ == "__main__":
    main()
