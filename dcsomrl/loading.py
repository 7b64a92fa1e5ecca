"""A trained model back from its checkpoint, which is all that is needed."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from dcsomrl.analysis.connectivity import Connectivity
from dcsomrl.checkpoints import count_epochs, describe_damage, read_checkpoint
from dcsomrl.construction import Trust, build
from dcsomrl.data import ClusterData
from dcsomrl.errors import CheckpointError, DataError
from dcsomrl.migrations import RECORD
from dcsomrl.models import ClusteringModule


class Trained(NamedTuple):
    """A trained model and what it was trained on.

    Attributes:
        model: in evaluation mode, on the CPU.
        data: the datamodule with the normalisation of the training, nothing loaded yet.
        config: the resolved configuration of the run.
        epochs: whole epochs that it has been trained for.
        step: steps that it has been trained for.
    """

    model: ClusteringModule
    data: ClusterData
    config: dict[str, Any]
    epochs: int
    step: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples that the model takes."""
        return tuple(self.config["input_shape"])


def load(
    path: str | os.PathLike[str],
    data_dir: str | None = None,
    trust: Trust = (),
    data_path: str | None = None,
) -> Trained:
    """Load a checkpoint written by ``train``; no code runs that comes with it.

    Args:
        path: the checkpoint; or the name of a model that comes with the package, ``mnist``,
            ``fashion`` or ``usps``.
        data_dir: folder of the datasets; None for the one of the training.
        trust: your own packages whose classes it may name, as modules or their names; those of
            this package and of torch are known. See :func:`dcsomrl.construction.build`.
        data_path: file or folder of the training's own data, where it has been moved; None for
            where it was.

    Raises:
        CheckpointError: the file is missing, damaged, or not of this package, or names a class
            that is not trusted.
    """
    checkpoint = read_checkpoint(path)
    config = checkpoint[RECORD]["config"]
    try:
        model, data = (
            build(config["model"], trust),
            build(_move(config, data_dir, data_path), trust),
        )
        if not isinstance(model, ClusteringModule) or not isinstance(data, ClusterData):
            raise TypeError("its configuration describes no model and its data")
        model.load_state_dict(checkpoint["state_dict"])
        _check_weights(model)
        model.connectivity = Connectivity.from_state(checkpoint.get("connectivity"))
        model.read = set(checkpoint["read"]) if "read" in checkpoint else None
        data.load_state_dict(checkpoint[type(data).__qualname__])
        trained = Trained(
            model.eval(), data, config, count_epochs(checkpoint), checkpoint["global_step"]
        )
    except CheckpointError as error:
        raise CheckpointError(f"the checkpoint {path}: {error}") from error
    except (LookupError, TypeError, AttributeError, RuntimeError, DataError) as error:
        raise describe_damage(path, error) from error
    return trained


def _check_weights(model: ClusteringModule) -> None:
    """Refuse numbers that are none, as a training leaves that has diverged.

    Raises:
        CheckpointError: names the part that holds them.
    """
    for name, values in model.state_dict().items():
        if values.is_floating_point() and values.isnan().any():
            raise CheckpointError(
                f"its {name} holds NaN, so that it assigns nothing: its training diverged, or it "
                "is damaged; use another one"
            )


def load_data(trained: Trained) -> None:
    """Load the data that a model was trained on, where it lies now.

    Raises:
        DataError: it is not there, or other data is.
    """
    source, data = trained.config["dataset"]["source"], trained.data
    remedy = "say where it lies now by `data_path`"
    if data.path is not None and not Path(data.path).exists():
        place = Path(data.path).absolute()
        raise DataError(f"the data of the training is not at {place}: {remedy}")
    test = source.get("test_path")
    if test is not None and data.path is not None:
        test = _follow(test, Path(source["path"]), Path(data.path))
    if test is not None and not Path(test).exists():
        raise DataError(
            f"the test split of the training is not at {test}: bring it back there, or lay it "
            f"where it lay beside {data.path}"
        )
    try:
        data.setup("test")
        data.check_same()
    except DataError as error:
        if data.path == source.get("path"):
            raise
        # Another file is meant, and not another column of this one.
        said = str(error).removesuffix(": name one of these")
        raise DataError(
            f"{data.path} does not hold the data of the training, which lay at {source['path']} "
            f"({said}): {remedy}"
        ) from error


def _move(config: dict[str, Any], data_dir: str | None, path: str | None) -> dict[str, Any]:
    """The configuration of a dataset whose files lie in another folder, or at another path.

    Raises:
        CheckpointError: a path was given, and the data has none.
    """
    dataset = config["dataset"]
    source = dataset["source"]
    lay, old = source.get("path"), config.get("data_dir")
    if path is None and data_dir and lay and old and Path(lay).is_relative_to(old):
        path = str(Path(data_dir) / Path(lay).relative_to(old))
    if path is not None and "path" not in source:
        raise CheckpointError(f"its data, {dataset['name']}, has no path: leave `data_path` out")
    if path is not None:
        moved = {**source, "path": path}
        if source.get("test_path") is not None:
            moved["test_path"] = _follow(source["test_path"], Path(source["path"]), Path(path))
        dataset, source = {**dataset, "path": path}, moved
    if data_dir is not None and "data_dir" in source:
        source = {**source, "data_dir": data_dir}
    return {**dataset, "source": source}


def _follow(test: str, old: Path, new: Path) -> str:
    """Where a test split lies that lay beside data that has been moved."""
    if Path(test).exists():
        return test
    beside = new.parent / os.path.relpath(test, old.parent)
    return str(beside) if beside.exists() else test
