"""A finished run as arrays: what every analysis, figure and page about it starts from."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dcsomrl.analysis import count_winners
from dcsomrl.analysis.clusters import list_numbers
from dcsomrl.construction import Trust
from dcsomrl.errors import DataError
from dcsomrl.figures.images import rescale_images
from dcsomrl.inputs import LAST, check_finished, read_json
from dcsomrl.loading import Trained, load, load_data
from dcsomrl.reporting.assigned import assign_split
from dcsomrl.reporting.former import Former, assign_former
from dcsomrl.scoring import read_number
from dcsomrl.training.assignments import name_sample
from dcsomrl.training.callbacks.sample_paths import DAMAGE, read_paths

log = logging.getLogger(__name__)
Array = NDArray[np.floating]
Nodes = NDArray[np.int64]
# Codes that are decoded at once: a convolutional network takes megabytes for each.
AT_ONCE = 128


@dataclass(frozen=True)
class RunData:
    """A trained map and the test split on it. Nodes are numbered 0 to K-1 in the order of slots.

    Attributes:
        name: of model, dataset and seed.
        config: the resolved configuration.
        metrics: what stands in ``metrics.json``.
        history: logged numbers, a row an epoch; empty where there are none.
        steps: scores at every step, of ``callbacks=step_scores``; None without.
        paths: ``sample``, ``slot`` and ``decoded`` of ``callbacks=history``; None without.
        slots: (K,) slot of every node.
        max_nodes: slots of the map.
        centers: (K, m) prototypes.
        relevances: (K, m), or None.
        decoded: (K, *shape) prototypes as raw samples; bytes as [0, 1], and other images brought
            there by the range of the samples.
        edges: (E, 2) connected nodes; None where the model has no map.
        trained_wins: (K,) training samples that every node won.
        counts: (K, K) how often two nodes are first and second winner on the training part.
        cluster: (K,) cluster of every node, from 0, the largest first; None in version 0.1.
        latent: (n, m) codes of the test split.
        winner: (n,) node of every test sample, -1 where there is none; ``second`` likewise.
        activation: (n,) of the winner.
        clear: (n,) whether a sample is at least twice as near to a node of its cluster as to any of
            another; None where nodes are not merged.
        outlier: (n,) whether a sample lies further from its node than samples of the training do;
            None where nodes are not merged.
        called: n names of the samples, by file or id; None where they have none.
        numbers: of clusters that are found, by what share of the resolutions each holds over; None
            where nodes are not merged.
        merge: clusters of all slots in a given number, -1 for slots that are not in use; likewise.
        labels: (n,) classes; None without.
        samples: (n, *shape) raw, as ``decoded``.
        index: (n,) number of every test sample in the whole split.
        class_names: by class; None without labels.
        feature_names: of a table's columns; None otherwise.
        n_test: samples of the whole test split.
        box: bounds of the codes; None where they have none.
        decode: raw samples (n, *shape) from codes (n, m).
        find: (n,) node that wins each of n codes, -1 where none does.
        lattice: (K, 2) places of the nodes on their grid; None where they have none.
        topology: of the grid, ``rectangular`` or ``hexagonal``; None likewise.
        former: clusters of the test samples (n,) before a training that began with another; None
            where it began with none, or that is gone.
    """

    name: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    history: pd.DataFrame
    steps: pd.DataFrame | None
    paths: dict[str, NDArray[Any]] | None
    slots: Nodes
    max_nodes: int
    centers: Array
    relevances: Array | None
    decoded: Array
    edges: Nodes | None
    trained_wins: Nodes
    counts: NDArray[np.float64]
    cluster: Nodes | None
    latent: Array
    winner: Nodes
    second: Nodes
    activation: Array
    labels: Nodes | None
    samples: Array
    index: Nodes
    class_names: list[str] | None
    feature_names: list[str] | None
    n_test: int
    box: tuple[float, float] | None
    decode: Callable[[Array], Array]
    find: Callable[[Array], Nodes]
    lattice: Array | None = None
    topology: str | None = None
    former: Former | None = None
    clear: NDArray[np.bool_] | None = None
    outlier: NDArray[np.bool_] | None = None
    called: list[str] | None = None
    numbers: dict[int, float] | None = None
    merge: Callable[[int], Nodes] | None = None

    def call(self, place: int) -> str:
        """What to call a test sample by."""
        return self.called[place] if self.called else f"test {self.index[place]}"

    @property
    def wins(self) -> Nodes:
        """(K,) test samples that every node won."""
        return np.bincount(self.winner[self.winner >= 0], minlength=len(self.slots))

    @property
    def classes(self) -> NDArray[np.int64]:
        """(K, classes) test samples of every class that each node won; no column without labels."""
        table = np.zeros((len(self.slots), len(self.class_names or [])), dtype=np.int64)
        if self.labels is not None:
            won = self.winner >= 0
            np.add.at(table, (self.winner[won], self.labels[won]), 1)
        return table

    @property
    def node_class(self) -> Nodes:
        """(K,) class of most of the samples that a node won, -1 where there is none."""
        if self.labels is None:
            return np.full(len(self.slots), -1)
        return np.where(self.wins > 0, self.classes.argmax(1), -1)

    @property
    def graph(self) -> Nodes:
        """(E, 2) connected nodes; none where the model has no map."""
        return np.empty((0, 2), dtype=np.int64) if self.edges is None else self.edges

    @property
    def spread(self) -> float:
        """Mean deviation of a dimension of the codes: how far a disturbance moves each."""
        return float(self.latent.std(0).mean())

    @property
    def unit(self) -> Array:
        """What changes of a raw sample are measured in: 1 for images, else each column's deviation.

        Columns of a table have units of their own, and the one of the largest would be all.
        """
        if self.image:
            return np.ones(1)
        deviation = self.samples.std(0)
        return np.where(deviation > 0, deviation, 1.0)

    @property
    def image(self) -> bool:
        """Whether samples are images of one or three channels."""
        return self.decoded.ndim == 4 and self.decoded.shape[1] in (1, 3)


def read_run(
    run: str | Path,
    data_dir: str | None = None,
    trust: Trust = (),
    data_path: str | None = None,
) -> RunData:
    """Read a run directory that ``train`` has finished.

    Args:
        run: the directory.
        data_dir: folder of the datasets; None for the one of the training.
        trust: see :func:`dcsomrl.loading.load`.
        data_path: likewise.

    Raises:
        DataError: no such directory, a run that is not finished, or its results are damaged or
            not those of its checkpoint.
        CheckpointError: its checkpoint is damaged, or names what is not trusted.
    """
    folder = Path(run)
    check_finished(folder)
    trained = load(folder / LAST, data_dir, trust, data_path)
    load_data(trained)
    metrics = _read_metrics(folder / "metrics.json", trained)
    return _arrange(trained, folder, metrics, assign_former(trained, "test", trust))


def _read_metrics(file: Path, trained: Trained) -> dict[str, Any]:
    """The results of a run, if they are those of its checkpoint."""
    remedy = "train the run again with ckpt_path=last, which writes it anew"
    metrics = read_json(file, remedy)
    try:
        # Runs of before there was a step in their results have the epochs alone.
        scored = metrics["epochs"], metrics.get("step", trained.step)
        metrics["model"], metrics["dataset"], metrics["seed"]
    except KeyError as error:
        raise DataError(f"{file} is damaged (it lacks {error}): {remedy}") from error
    if scored != (trained.epochs, trained.step):
        raise DataError(
            f"{file} holds the results of epoch {scored[0]}, step {scored[1]}, but the checkpoint "
            f"is of epoch {trained.epochs}, step {trained.step}: the training went on and did not "
            "end; finish it with ckpt_path=last"
        )
    return metrics


@torch.no_grad()
def _arrange(
    trained: Trained, folder: Path, metrics: dict[str, Any], former: Former | None
) -> RunData:
    model, data, book = trained.model, trained.data, trained.model.codebook
    live = book.live_slots()
    number = torch.full((model.n_clusters + 1,), -1)  # the last is slot -1: no node
    number[live] = torch.arange(len(live))
    merged = None if model.connectivity is None else _find_clusters(trained)
    test = assign_split(trained, "test", number, merged)
    first, second = (assign_split(trained, "train", number)[name] for name in ("winner", "second"))
    adjacency = book.adjacency()
    relevances = None if book.relevances is None else book.relevances[book.live]
    history, steps, paths = (
        folder / name for name in ("metrics.csv", "step_scores.csv", "paths.npz")
    )
    samples = test["samples"]

    def seen(x: Tensor) -> Array:
        raw = data.denormalize(x.float()).numpy()
        return rescale_images(raw, samples) if raw.ndim == 4 else raw

    @torch.no_grad()
    def decode(z: Array) -> Array:
        return np.concatenate([seen(model.decode(part)) for part in _to_tensor(z).split(AT_ONCE)])

    @torch.no_grad()
    def find(z: Array) -> Nodes:
        return number[model.assign(_to_tensor(z)).winner].numpy()

    return RunData(
        name=f"{metrics['model']} on {metrics['dataset']}, seed {metrics['seed']}",
        config=trained.config,
        metrics=metrics,
        history=_read_shown(history, partial(_read_table, key="epoch"), pd.DataFrame()),
        steps=_read_shown(steps, partial(_read_table, key="step"), None),
        paths=_read_shown(paths, partial(_read_paths, samples=samples), None),
        slots=live.numpy(),
        max_nodes=model.n_clusters,
        centers=book.prototypes().numpy(),
        relevances=None if relevances is None else relevances.numpy(),
        decoded=seen(model.decoded_prototypes()),
        edges=None if adjacency is None else number[adjacency.triu(1).nonzero()].numpy(),
        trained_wins=np.bincount(first[first >= 0], minlength=len(live)),
        counts=count_winners(first, second, len(live)),
        cluster=None if merged is None else merged[live].numpy(),
        **{**test, "samples": rescale_images(samples, samples) if samples.ndim == 4 else samples},
        class_names=data.class_names if test["labels"] is not None else None,
        feature_names=data.feature_names,
        n_test=len(data.rows("test")),
        box=book.bounds,
        decode=decode,
        find=find,
        lattice=None if book.grid is None else book.grid.places()[live].numpy(),
        topology=None if book.grid is None else book.grid.topology,
        former=former and former._replace(cluster=former.cluster[test["index"]]),
        called=_call_samples(trained, test["index"]),
        numbers=None if merged is None else _list_numbers(trained),
        merge=None if merged is None else lambda number: model.merged(number).numpy(),
    )


def _call_samples(trained: Trained, index: Nodes) -> list[str] | None:
    """Names of test samples, by their files or ids."""
    about = trained.data.about("test", torch.from_numpy(index))
    if about is None or not {"file", "id"} & {*about}:
        return None
    return [name_sample(row) for _, row in about.iterrows()]


def _list_numbers(trained: Trained) -> dict[int, float]:
    """Numbers of clusters that are found, as the training looks for them."""
    found = trained.model.connectivity
    assert found is not None
    used = found.used & trained.model.codebook.live.numpy()
    return list_numbers(found.between[np.ix_(used, used)]) if used.any() else {}


def _find_clusters(trained: Trained) -> Tensor:
    """The cluster of every slot."""
    return trained.model.merged(read_number(trained.config.get("n_clusters")))


def _read_shown(file: Path, read: Callable[[Path], Any], absent: Any) -> Any:
    """What a file holds that is only for show; a damaged one is left out with a warning."""
    if not file.exists():
        return absent
    try:
        return read(file)
    except DAMAGE as error:
        log.warning("%s is damaged (%s): what is made of it is left out", file, error)
        return absent


def _read_table(file: Path, key: str) -> pd.DataFrame:
    table = pd.read_csv(file)
    if not all(dtype.kind in "iufb" for dtype in table.dtypes) or table[key].isna().any():
        raise ValueError("it holds more than numbers")
    return table


def _read_paths(file: Path, samples: Array) -> dict[str, NDArray[Any]]:
    found = read_paths(file)
    if found["sample"].shape[1:] != samples.shape[1:]:
        raise ValueError("its samples are of another shape")
    if samples.ndim == 4:
        found |= {name: rescale_images(found[name], samples) for name in ("sample", "decoded")}
    return found


def _to_tensor(z: Array) -> Tensor:
    return torch.as_tensor(z, dtype=torch.float32)
