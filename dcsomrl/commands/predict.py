"""Assign new samples to a trained map: ``python -m dcsomrl.predict ckpt=... input=...``."""

from pathlib import Path

import pandas as pd
import torch
from omegaconf import DictConfig
from rich.progress import track
from torch import Tensor

from dcsomrl.commands.evaluate import choose_device, wanted
from dcsomrl.data.files import read_features
from dcsomrl.data.images import ImageFiles, image_files
from dcsomrl.errors import DataError
from dcsomrl.loading import Trained, load
from dcsomrl.scoring import merge_winners, number_of

BATCH = 1024


@torch.no_grad()
def predict(cfg: DictConfig) -> pd.DataFrame:
    """Write sample, node, cluster, activation and code of everything in the input, a row each.

    Args:
        cfg: see ``conf/predict.yaml``.

    Returns:
        What was written: ``sample`` (name of a file, or row), ``node`` and ``cluster`` (-1 for
        none), ``activation`` in (0, 1], ``latent_0`` and so on.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not of this package.
        DataError: the input is absent, damaged, or of another shape or other columns than the
            training's; or the output's ending is none of those that can be written.
    """
    output = Path(cfg.output)
    if output.suffix not in (".parquet", ".csv"):
        raise DataError(f"output must end in .parquet or .csv, got {cfg.output}")
    trained = load(cfg.ckpt, trust=cfg.trust)
    device = choose_device(cfg.device)
    model = trained.model.to(device)
    merged = model.merged(number_of(wanted(cfg, trained)))
    names, x = samples(Path(cfg.input), trained)
    normalize = trained.data.normalizer(x, cfg.input)
    parts = []
    rows = torch.arange(len(names)).split(BATCH)
    for index in track(rows, description="predict"):
        z = model.encode(normalize(x[index]).to(device))
        found = model.assign(z)
        codes = z.cpu().numpy()
        table = pd.DataFrame(codes, columns=[f"latent_{i}" for i in range(codes.shape[1])])
        table.insert(0, "activation", found.activation.cpu().numpy())
        table.insert(0, "cluster", merge_winners(found.winner, merged).cpu().numpy())
        table.insert(0, "node", found.winner.cpu().numpy())
        parts.append(table)
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "sample", names)
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".csv":
        table.to_csv(output, index=False)
    else:
        table.to_parquet(output, index=False)
    used = table["cluster"].nunique()
    print(f"{len(table)} samples in {used} clusters, written to {output}")
    return table


def samples(source: Path, trained: Trained) -> tuple[list[str], Tensor | ImageFiles]:
    """Names of the samples, and the raw samples in the shape that the model takes.

    Of a table the columns of the training are taken, by their names; others are left out.

    Raises:
        DataError: the input is absent, damaged, or of another shape.
    """
    x: Tensor | ImageFiles
    if source.is_dir():
        files, _ = image_files(source)
        names = [str(file.relative_to(source)) for file in files]
        source_config = trained.config["dataset"]["source"]
        channels = trained.shape[0] if len(trained.shape) == 3 else None
        # Checkpoints of before there was a background were trained on black ones.
        background = source_config.get("background", "black")
        x = ImageFiles(files, source_config.get("image_size"), channels, background)
    else:
        features, _, _ = read_features(source, columns=trained.data.feature_names)
        names = [str(row) for row in range(len(features))]
        x = torch.from_numpy(features)
        if x.is_floating_point() and not x.isfinite().all():
            raise DataError(f"{source} holds NaN or infinite values: mend or remove these rows")
    if tuple(x.shape[1:]) != trained.shape:
        raise DataError(
            f"{source} holds samples of shape {tuple(x.shape[1:])}, but the model was trained on "
            f"{trained.shape}: bring them to that shape"
        )
    return names, x
