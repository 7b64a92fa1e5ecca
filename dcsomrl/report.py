"""A page about trained maps: ``python -m dcsomrl.report run=runs/.../seed0``."""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def report(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.report.report`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import report as command

    with keyed(cfg):
        return command.report(cfg)


main = entry_point("report")(report)

if __name__ == "__main__":
    main()
