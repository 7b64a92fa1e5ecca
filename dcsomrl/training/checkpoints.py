"""Checkpoints that are never half written, know their run, and refuse to resume another."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO

from dcsomrl import __version__
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.errors import CheckpointError, shorten
from dcsomrl.migrations import RECORD, list_differences
from dcsomrl.writing import swapped

log = logging.getLogger(__name__)

# What may differ between a checkpoint and the run that continues it: where things lie and how
# long and on what the run goes. Everything else would change what is being trained.
FREE = (
    *("name", "data_dir", "ckpt_path", "init", "num_threads", "trust"),
    *("logger", "callbacks", "trainer"),
)
FREE_LEAVES = ("data_dir", "path", "name", "cache_dir")
BOUND = ("trainer.precision",)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the old file and swaps, so that a kill or a full disk leaves the old one.

    Args:
        config: the run's resolved configuration, plain values only. It goes into every
            checkpoint, which can so be used by itself.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self._record = {"config": config, "version": __version__}

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Save, or raise :class:`CheckpointError` and leave what was there."""
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with swapped(target, alone=True) as part, part.open("wb") as file:
                torch.save({**checkpoint, RECORD: self._record}, file)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, RuntimeError) as error:
            reason = error.__context__ if isinstance(error.__context__, OSError) else error
            raise CheckpointError(
                f"could not write the checkpoint {target} ({shorten(reason)}): make room, then "
                "continue with ckpt_path=last; the checkpoint before it is untouched"
            ) from error

    def load_checkpoint(
        self,
        path: str | os.PathLike[str],
        map_location: Any = "cpu",
        weights_only: bool | None = True,
    ) -> dict[str, Any]:
        """Load tensors and plain values only, whatever the caller asked for."""
        return read_checkpoint(path, map_location)


def find_checkpoint(run_dir: Path, ckpt_path: str | None) -> Path | None:
    """The file to continue from, or None to start afresh; the log says which.

    Args:
        run_dir: the run's folder.
        ckpt_path: None, ``last``, or a path.

    Raises:
        CheckpointError: a path that does not exist.
    """
    if ckpt_path is None:
        return None
    if ckpt_path != "last":
        if not Path(ckpt_path).is_file():
            raise CheckpointError(f"there is no checkpoint at {ckpt_path}: check ckpt_path")
        return Path(ckpt_path)
    # A requeued job has saved itself in the middle of an epoch under a name of Lightning's own.
    files = [run_dir / "checkpoints" / "last.ckpt", *run_dir.glob("hpc_ckpt_*.ckpt")]
    files = [file for file in files if file.is_file()]
    return max(files, key=lambda file: file.stat().st_mtime, default=None)


def check_same_run(checkpoint: Mapping[str, Any], config: Mapping[str, Any], path: Path) -> None:
    """Refuse to continue a run under another configuration.

    A setting that was not there when the checkpoint was written counts as its default.

    Raises:
        CheckpointError: names every setting that differs.
    """
    saved, now = dict(_list_bound(checkpoint[RECORD]["config"])), dict(_list_bound(config))
    if differing := list_differences(saved, now, config):
        raise CheckpointError(
            f"the checkpoint {path} belongs to another configuration ({'; '.join(differing)}): set "
            "these back, or start afresh with ckpt_path=null"
        )


def _list_bound(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _list_bound(value, f"{name}.")
        elif name in BOUND or (name.split(".")[0] not in FREE and key not in FREE_LEAVES):
            yield name, value
