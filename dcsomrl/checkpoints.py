"""Reading a checkpoint: tensors and plain values, nothing that could run."""

import os
from collections.abc import Mapping
from pickle import UnpicklingError
from typing import Any
from zipfile import ZipFile

import torch

from dcsomrl import __version__
from dcsomrl.errors import CheckpointError, shorten
from dcsomrl.inputs import find_checkpoint
from dcsomrl.migrations import RECORD, migrate


def read_checkpoint(path: str | os.PathLike[str], map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint of this package, ``weights_only=True``, and check the sums of its parts.

    What an earlier version wrote comes back as this one writes it.

    Raises:
        CheckpointError: it is missing, damaged, not of this package, or of a later version.
    """
    file = find_checkpoint(path)
    try:
        with ZipFile(file) as parts:  # torch does not look at the sums in it
            broken = parts.testzip()
        if broken is not None:
            raise ValueError(f"the sum of {broken} is wrong")
        checkpoint = torch.load(file, map_location=map_location, weights_only=True)
    except UnpicklingError as error:  # of which torch says how to run what is in it
        raise CheckpointError(
            f"the checkpoint {path} cannot be read, since it holds Python objects, which might "
            "run code of their own: use one that train wrote"
        ) from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(
            f"the checkpoint {path} cannot be read ({shorten(error)}): it is damaged or no "
            "checkpoint; use another one"
        ) from error
    record = checkpoint.get(RECORD) if isinstance(checkpoint, dict) else None
    if not isinstance(record, dict) or not isinstance(record.get("config"), dict):
        raise CheckpointError(
            f"{path} is not a checkpoint that train wrote: use such a one, or, of a plain Trainer, "
            "make the model yourself by its class's load_from_checkpoint(path, autoencoder=..., "
            "som=...)"
        )
    try:
        return migrate(checkpoint, __version__)
    except CheckpointError as error:
        raise CheckpointError(f"the checkpoint {path} {error}") from error


def describe_damage(path: str | os.PathLike[str], error: BaseException) -> CheckpointError:
    """The error to raise where parts of a checkpoint are missing, or of other kinds or shapes."""
    lacks = isinstance(error, KeyError) and str(error.args[0]).isidentifier()
    said = f"{shorten(error)} is missing" if lacks else shorten(error)
    return CheckpointError(
        f"the checkpoint {path} cannot be used ({said}): it is damaged, or of another version of "
        "dcsomrl; use another one"
    )


def count_epochs(checkpoint: Mapping[str, Any]) -> int:
    """Whole epochs behind a checkpoint; its own ``epoch`` counts from 0 and lags by one."""
    return checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
