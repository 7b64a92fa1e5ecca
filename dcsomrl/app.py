"""What the entry points share: they compose, run a task, and end a mistake in one sentence."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dcsomrl.configuration import (
    find_config_dir,
    list_needed,
    list_overrides,
    split_hydra,
    update_config,
    update_overrides,
)
from dcsomrl.errors import ConfigError
from dcsomrl.inputs import check_inputs
from dcsomrl.kept import check_kept
from dcsomrl.mistakes import PLACED, explain
from dcsomrl.typed import check_numbers

Task = Callable[[DictConfig], Any]
Check = Callable[[DictConfig], None]
# Of ANSI terminals.
RED = 31


def entry_point(
    config_name: str, check_ahead: Check | None = None
) -> Callable[[Task], Callable[[], None]]:
    """Turn a task into a command: Hydra composes, and a user's mistake ends in one sentence.

    Args:
        config_name: the file in ``conf``, without its ending.
        check_ahead: raises what the task would; under ``-m`` it sees the configuration of every
            run before the first one begins.

    Returns:
        A decorator; what it makes takes its arguments from the command line, and exits with
        status 2 after a mistake of the user's.
    """

    def wrap(task: Task) -> Callable[[], None]:
        def check(cfg: DictConfig) -> DictConfig:
            for group in set(PLACED) & {str(key) for key in cfg}:
                raise ConfigError(f"+{group}=... has no place at the top: type {PLACED[group]}=...")
            for key in list_needed(config_name):
                if key not in cfg:
                    raise ConfigError(f"~{key} takes away what is needed: leave it out")
            updated_cfg = update_config(cfg)
            check_inputs(config_name, updated_cfg)
            check_numbers(config_name, updated_cfg, list_overrides())
            return updated_cfg

        def check_composed(cfg: DictConfig) -> None:
            checked = check(split_hydra(cfg, cfg.hydra.sweep.dir))
            if check_ahead is not None:
                check_ahead(checked)

        def command() -> None:
            # Hydra would print a mangled traceback of its own; it lets the error through so.
            os.environ.setdefault("HYDRA_FULL_ERROR", "1")
            runs: list[list[str]] = []
            failed: dict[int, Exception] = {}

            @wraps(task)
            def run_job(cfg: DictConfig) -> Any:
                runs.append(list_overrides())
                try:
                    return task(check(cfg))
                except Exception as error:
                    if not _ends_here(HydraConfig.get()):
                        raise
                    # Hydra would write the overrides over its sentence; under -m others go on.
                    failed[len(runs) - 1] = error
                    return None

            run_job.check = check_composed  # type: ignore[attr-defined]
            run = hydra.main(
                version_base="1.3", config_path=str(find_config_dir()), config_name=config_name
            )(run_job)
            try:
                sys.argv[1:] = update_overrides(config_name, _gather(sys.argv[1:]))
                check_kept(sys.argv[1:], find_config_dir())
                run()
                for error in failed.values():
                    raise error
            except BrokenPipeError:
                if not {"--help", "-h", "--cfg", "-c", "--info", "-i"} & set(sys.argv[1:]):
                    raise
                # Who reads, as `head`, has seen enough; nor is there one for what is left to write.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except Exception as error:
                sentence = explain(error, config_name, sys.argv[1:])
                if sentence is None:
                    raise
                told = f"{_tell_apart(runs, list(failed))}{sentence}"
                print(f"{_color('error:', RED)} {told}", file=sys.stderr)
                sys.exit(2)

        return command

    return wrap


def _color(label: str, code: int) -> str:
    """A label in colour where a terminal reads the errors and ``NO_COLOR`` is not set."""
    shown = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[1;{code}m{label}\033[0m" if shown else label


def _gather(arguments: list[str]) -> list[str]:
    """Arguments with ``-m`` before them: argparse wants overrides in one piece."""
    several = [one for one in arguments if one in ("-m", "--multirun")]
    return several + [one for one in arguments if one not in several]


def _ends_here(hydra: HydraConf) -> bool:
    """Whether nobody but the command itself deals with what a run could not do.

    A search counts the runs that failed, and a launcher with processes of its own hands over what
    they raised.
    """
    if hydra.mode is not RunMode.MULTIRUN:
        return True
    return all(
        str(part.get("_target_")).endswith(("CheckingSweeper", "BasicLauncher"))
        for part in (hydra.sweeper, hydra.launcher)
    )


def _tell_apart(runs: Sequence[Sequence[str]], failed: Sequence[int]) -> str:
    """How many of several runs failed, and what the first of them has alone; empty for one run.

    Args:
        runs: overrides of each.
        failed: numbers of those that did.
    """
    if not failed or len(runs) < 2:
        return ""
    shared = set.intersection(*map(set, runs))
    own = " ".join(one for one in runs[failed[0]] if one not in shared)
    return f"{len(failed)} of {len(runs)} runs failed; the first, {own}: "
