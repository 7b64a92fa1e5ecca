"""A trained model as one file for other programs: ``python -m dcsomrl.export run=...``."""

import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from dcsomrl.commands.evaluate import choose_number, find_results_folder
from dcsomrl.data.preparation import Preparation
from dcsomrl.errors import ConfigError
from dcsomrl.extras import name_command
from dcsomrl.inputs import LAST
from dcsomrl.kinds import settle_kinds
from dcsomrl.loading import Trained, load
from dcsomrl.models import ClusteringModule
from dcsomrl.scoring import merge_winners, read_number
from dcsomrl.writing import make_room, swapped

FILES = {"onnx": "model.onnx", "torch": "model.pt2"}
GIVEN = ("node", "cluster", "activation", "code")
# Names what a file holds beside the model: the columns of a table, in order, as JSON.
COLUMNS = "columns"
# Samples of the batch that is traced; any other number may be given later.
TRACED = 3


class Assigner(nn.Module):
    """A model from raw samples on, with its normalisation and its clusters inside.

    Args:
        model: in evaluation mode.
        preparation: from raw samples to what it was trained on.
        merged: (K,) cluster of every slot.
    """

    merged: Tensor

    def __init__(self, model: ClusteringModule, preparation: Preparation, merged: Tensor) -> None:
        super().__init__()
        self.model, self.preparation = model, preparation
        self.register_buffer("merged", merged)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Assign raw samples (batch, *shape), bytes or numbers as they were trained on.

        Returns:
            ``node`` (batch,) int64, slot of the map, and ``cluster``, -1 for none;
            ``activation`` (batch,) in (0, 1]; ``code`` (batch, m).
        """
        z = self.model.encode(self.preparation(x))
        found = self.model.assign(z)
        cluster = merge_winners(found.winner, self.merged)
        given = (found.winner, cluster, found.activation, z)
        return dict(zip(GIVEN, given, strict=True))


def export(cfg: DictConfig) -> Path:
    """Write the file, and say what goes in and comes out.

    Args:
        cfg: see ``conf/export.yaml``.

    Returns:
        The file.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not of this package.
        ConfigError: an unknown format, no run, or packages that are not installed.
    """
    settle_kinds(cfg)
    if cfg.format not in FILES:
        raise ConfigError(f"format must be onnx or torch, got {cfg.format}")
    ending = Path(FILES[cfg.format]).suffix
    if cfg.output and Path(cfg.output).suffix != ending:
        raise ConfigError(
            f"output must end in {ending} for format={cfg.format}, got {cfg.output}: give the file "
            "this ending, by which others know it"
        )
    if (cfg.run is None) == (cfg.ckpt is None):
        raise ConfigError("give run=<folder of a run> or ckpt=<checkpoint>, one of them")
    lacking = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if cfg.format == "onnx" and lacking:
        raise ConfigError(
            f"format=onnx needs {' and '.join(lacking)}: {name_command('onnx')}, or choose "
            "format=torch"
        )
    ckpt = Path(cfg.ckpt or Path(cfg.run) / LAST)
    trained = load(ckpt, trust=cfg.trust)
    output = Path(cfg.output) if cfg.output else find_results_folder(ckpt) / FILES[cfg.format]
    make_room(output)
    merged = trained.model.merged(read_number(choose_number(cfg, trained)))
    module = Assigner(trained.model, trained.data.preparation, merged).eval().requires_grad_(False)
    example = take_raw_samples(trained)
    with swapped(output) as part, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        columns = trained.data.feature_names or []
        (_write_onnx if cfg.format == "onnx" else _write_torch)(module, example, columns, part)
    shape = ", ".join(str(side) for side in example.shape[1:])
    kind = str(example.dtype).removeprefix("torch.")
    print(f"{output}: takes x (batch, {shape}) of {kind}; gives {', '.join(GIVEN)}")
    if columns:
        print(f"columns of x, in this order, which the file holds too: {', '.join(columns)}")
    return output


def take_raw_samples(trained: Trained) -> Tensor:
    """Some raw samples (batch, *shape) of the kind that the model was trained on."""
    preparation = trained.data.preparation
    shape = (TRACED, *trained.shape)
    if preparation.scale is not None and preparation.scale.is_bytes:
        return torch.zeros(shape, dtype=torch.uint8)
    return torch.zeros(shape, dtype=preparation.normalization.offset.dtype)


def _write_torch(module: Assigner, example: Tensor, columns: list[str], path: Path) -> None:
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(module, (example,), dynamic_shapes=({0: batch},))
    with path.open("wb") as file:
        torch.export.save(program, file, extra_files={COLUMNS: json.dumps(columns)})


def _write_onnx(module: Assigner, example: Tensor, columns: list[str], path: Path) -> None:
    for name in ("onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.WARNING)
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(
        module,
        (example,),
        input_names=["x"],
        output_names=list(GIVEN),
        dynamic_shapes=({0: batch},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    proto.metadata_props.add(key=COLUMNS, value=json.dumps(columns))
    path.write_bytes(proto.SerializeToString())
