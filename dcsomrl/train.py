"""Train a model on a dataset, score it on the test split: ``python -m dcsomrl.train``."""

from typing import Any

from omegaconf import DictConfig

from dcsomrl.app import entry_point
from dcsomrl.mistakes import keyed


def train(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.train.train`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import train as command

    with keyed(cfg):
        return command.train(cfg)


main = entry_point("train")(train)

if __name__ == "__main__":
    main()
