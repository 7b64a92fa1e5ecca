"""Write a trained model as one file for other programs: ``python -m dcsomrl.export run=...``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def export(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.export.export`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import export as command

    with keyed(cfg):
        return command.export(cfg)


main = entry_point("export")(export)

if __name__ == "__main__":
    main()
