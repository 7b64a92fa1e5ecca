"""Assign new samples to a trained map: ``python -m dcsomrl.predict ckpt=... input=...``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def predict(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.predict.predict`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import predict as command

    with keyed(cfg):
        return command.predict(cfg)


main = entry_point("predict")(predict)

if __name__ == "__main__":
    main()
