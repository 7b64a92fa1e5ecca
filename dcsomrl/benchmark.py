"""Methods x datasets x seeds, trained where missing, in one table: ``python -m dcsomrl.benchmark``.

A cell that has its result is never run again, one that was interrupted goes on, and several
processes may work on one table: a cell that another one holds is left to it.
"""

from typing import Any

from dcsomrl.extras import explained

with explained(__name__):
    from omegaconf import DictConfig

    from dcsomrl.app import entry_point
    from dcsomrl.keys import keyed


def benchmark(cfg: DictConfig) -> Any:
    """See :func:`dcsomrl.commands.benchmark.benchmark`, which is imported when it is called.

    Help, and a mistake on the command line, are answered without torch and Lightning.
    """
    from dcsomrl.commands import benchmark as command

    with keyed(cfg):
        return command.benchmark(cfg)


main = entry_point("benchmark")(benchmark)

if __name__ == "__main__":
    main()
