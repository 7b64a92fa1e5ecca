"""Score a trained model on any split or dataset: ``python -m dcsomrl.evaluate ckpt=...``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def evaluate(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.evaluate.evaluate`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import evaluate as command

    with keyed(cfg):
        return command.evaluate(cfg)


main = entry_point("evaluate")(evaluate)

if __name__ == "__main__":
    main()
