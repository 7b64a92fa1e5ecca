"""Which parameters of a search matter: ``python -m dcsomrl.sensitivity folder=runs/search/...``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def sensitivity(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.sensitivity.sensitivity`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import sensitivity as command

    with keyed(cfg):
        return command.sensitivity(cfg)


main = entry_point("sensitivity")(sensitivity)

if __name__ == "__main__":
    main()
