"""Assign new samples to a trained map: ``python -m dcsomrl.predict ckpt=... input=...``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from omegaconf import DictConfig
from rich.progress import track
from torch import Tensor

from dcsomrl.commands.evaluate import choose_device, choose_number
from dcsomrl.data.files import Reading, read_features
from dcsomrl.data.image_checks import check_files, describe_bad
from dcsomrl.data.image_files import ImageFiles, Look
from dcsomrl.data.image_folders import IMAGE_SUFFIXES, image_files
from dcsomrl.data.images import read_as, read_size
from dcsomrl.data.roles import Roles, read_name, read_names
from dcsomrl.data.tables import SUFFIXES
from dcsomrl.data.text_tables import Writing, name_kind
from dcsomrl.errors import DataError
from dcsomrl.extras import require
from dcsomrl.keys import name_note
from dcsomrl.kinds import settle_kinds
from dcsomrl.loading import Trained, load
from dcsomrl.scoring import describe_assignment, read_number
from dcsomrl.training.results import write_table
from dcsomrl.training.warnings import warn_of_number
from dcsomrl.writing import make_room

BATCH = 1024
# Settings of a source by which other tables are read as well.
WRITING = ("separator", "decimal", "encoding", "header", "skip_lines")
KEPT = (*WRITING, "id", "keep", "missing", "layout")


@torch.no_grad()
def predict(cfg: DictConfig) -> pd.DataFrame:
    """Write sample, node, cluster, activation and code of everything in the input, a row each.

    Args:
        cfg: see ``conf/predict.yaml``.

    Returns:
        What was written: ``sample`` (path of a picture, or row from 0), for tables ``id`` and kept
        columns, ``node`` and ``cluster`` (-1 for none), ``activation`` in (0, 1], ``second``,
        ``distance``, ``outlier``, with ``soft`` ``membership_0`` and so on, ``latent_0`` and so on.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not of this package.
        DataError: the input is absent, damaged, or of another shape or other columns than the
            training's; or the output's ending is none of those that can be written.
    """
    settle_kinds(cfg)
    output = Path(str(cfg.output))
    if output.suffix not in (".parquet", ".csv"):
        raise DataError(f"output must end in .parquet or .csv, got {cfg.output}")
    if output.suffix == ".parquet":
        require("pyarrow")
    trained = load(cfg.ckpt, trust=cfg.trust)
    make_room(output)
    device = choose_device(cfg.device)
    model = trained.model.to(device)
    merged = model.merged(read_number(choose_number(cfg, trained)))
    notes: list[str] = []
    names, x = read_samples(Path(cfg.input), trained, cfg, notes)
    normalize = trained.data.normalizer(x, cfg.input)
    parts = []
    rows = torch.arange(len(names)).split(BATCH)
    for index in track(rows, description="predict"):
        z = model.encode(normalize(x[index]).to(device))
        described = describe_assignment(model, model.assign(z), merged)
        codes = z.cpu().numpy()
        table = pd.DataFrame({name: column.cpu().numpy() for name, column in described.items()})
        if cfg.soft:
            share = model.memberships(z, merged).cpu().numpy()
            table = table.join(pd.DataFrame(share).add_prefix("membership_"))
        code = pd.DataFrame(codes, columns=[f"latent_{i}" for i in range(codes.shape[1])])
        parts.append(pd.concat([table, code], axis=1))
    table = pd.concat([names, pd.concat(parts, ignore_index=True)], axis=1)
    write_table(output, table)
    used = table["cluster"].nunique()
    print(f"{len(table)} samples in {used} clusters, written to {output}")
    for note in [
        *notes,
        *warn_of_number(read_number(choose_number(cfg, trained)), int(merged.max()) + 1),
    ]:
        print(f"warning: {name_note(note, cfg)}")
    return table


def read_samples(
    source: Path, trained: Trained, cfg: DictConfig, notes: list[str]
) -> tuple[pd.DataFrame, Tensor | ImageFiles]:
    """Names of the samples, and the raw samples in the shape that the model takes.

    Of a table the columns of the training are taken, by their names; others are left out.

    Args:
        source: a folder of images, an image, or a file of features.
        trained: the model; its data says how its own samples were read.
        cfg: ``source``, ``id`` and ``keep`` of the command.
        notes: gets a sentence on everything that was guessed or left out.

    Raises:
        DataError: the input is absent, damaged, or of another shape.
    """
    x: Tensor | ImageFiles
    given = {key: value for key, value in cfg.source.items() if value is not None}
    settings = {**trained.config["dataset"]["source"], **given}
    if source.is_dir() or source.suffix.lower() in IMAGE_SUFFIXES:
        files = read_images(source, trained.shape, settings, notes)
        root = source if source.is_dir() else source.parent
        names = pd.DataFrame({"sample": [str(file.relative_to(root)) for file in files.files]})
        x = files
    elif len(trained.shape) > 1 and name_kind(source) in SUFFIXES:
        raise DataError(
            f"{source} is a table, but the model was trained on images of shape {trained.shape}: "
            "give pictures, or an array of that shape"
        )
    else:
        found = read_features(
            source, choose_reading(settings, cfg), notes, "", trained.data.feature_names
        )
        names = found.about.rename(columns={"row": "sample"})
        x = torch.from_numpy(found.x)
        allowed = settings.get("missing") == "median"
        if allowed and trained.data.preparation.fill is None:
            raise DataError(
                "`missing=median` needs a training with it, whose medians are taken: set "
                "`missing=drop` to leave out rows with missing values"
            )
        if x.is_floating_point() and not (x.isfinite() | (x.isnan() & allowed)).all():
            raise DataError(
                f"{source} holds NaN or infinite values: fix or remove these rows, or set "
                "`missing=drop` where they are missing"
            )
    if tuple(x.shape[1:]) != trained.shape:
        raise DataError(
            f"{source} holds samples of shape {tuple(x.shape[1:])}, but the model was trained on "
            f"{trained.shape}: bring them to that shape"
        )
    return names, x


def read_images(
    source: Path, shape: tuple[int, ...], settings: Mapping[str, Any], notes: list[str]
) -> ImageFiles:
    """The images of a folder, or the one of a file, brought to what the training had."""
    files = [source] if source.is_file() else image_files(source, notes)[0]
    look = Look(
        read_size(settings.get("image_size")),
        shape[0] if len(shape) == 3 else None,
        # Checkpoints of before there was a background were trained on black ones.
        settings.get("background", "black"),
        settings.get("fit", "stretch"),
    )
    return read_all(read_as(files, look), source, settings, notes)


def read_all(
    files: ImageFiles, source: Path, settings: Mapping[str, Any], notes: list[str]
) -> ImageFiles:
    """The files that can be read; the others are refused, or left out as in the training."""
    found = check_files(files, keep=False)
    notes += [f"{source}: {n} of {len(files)} images {what}" for what, n in found.changed.items()]
    if found.bad:
        said = describe_bad(found.bad, len(files), source)
        if settings.get("on_error", "refuse") == "refuse" or not found.good:
            raise DataError(said)
        notes.append(f"left out: {said}")
    return files.copy_with([files.files[i] for i in found.good])


def choose_reading(settings: Mapping[str, Any], cfg: DictConfig) -> Reading:
    """How a table is read: as the training's, with rows named as the command says."""
    known = {key: settings[key] for key in KEPT if key in settings}
    id, keep = (known.get(key) if cfg[key] is None else cfg[key] for key in ("id", "keep"))
    roles = Roles(
        id=None if id is None else read_name(id, "id"),
        keep=read_names(() if keep is None else keep, "keep"),
        missing=known.get("missing", "refuse"),
        lenient=cfg.id is None and cfg.keep is None,
    )
    writing = Writing(**{key: known[key] for key in WRITING if key in known})
    return Reading(roles, writing, known.get("layout", "auto"))
