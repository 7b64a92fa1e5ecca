"""The way of a few samples through the map while it is trained."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from dcsomrl.data.numpy_files import check_npz
from dcsomrl.hints import check_arguments
from dcsomrl.models import ClusteringModule
from dcsomrl.networks import evaluating
from dcsomrl.ranges import Count
from dcsomrl.training.data import get_data
from dcsomrl.training.tables import goes_on_beside, leave_out
from dcsomrl.writing import swapped

# What reading a damaged npz raises.
DAMAGE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, NotImplementedError)


class SamplePaths(Callback):
    """Keeps, after every epoch, which node wins some test samples and what that node decodes to.

    Args:
        path: the npz file: ``sample`` (n, *shape), and by epoch ``slot`` (epochs, n), -1 where no
            node won, and ``decoded`` (epochs, n, *shape), all as raw samples.
        n_samples: how many, evenly spaced over the test split; at least 1.

    Raises:
        ValueError: n_samples below 1.
    """

    @check_arguments
    def __init__(self, path: str, n_samples: Count = 10) -> None:
        self._path, self._n = Path(path), n_samples
        self._x: Tensor
        self._epochs: list[dict[str, np.ndarray]] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Choose the samples; keep what a resumed run has behind it."""
        x = torch.cat([batch.x for batch in get_data(trainer).split_dataloader("test")])
        rows = torch.linspace(0, len(x) - 1, min(self._n, len(x))).long()
        self._x = x[rows].to(pl_module.device)
        self._epochs = []
        if goes_on_beside(trainer, self._path) and self._path.exists():
            try:
                found = read_paths(self._path)
                if found["sample"].shape != self._x.shape:
                    raise ValueError(f"it holds samples of shape {found['sample'].shape}")
            except DAMAGE as error:
                leave_out(self._path, error)
                return
            pairs = zip(found["slot"], found["decoded"], strict=True)
            epochs = [{"slot": slot, "decoded": decoded} for slot, decoded in pairs]
            self._epochs = epochs[: trainer.current_epoch]

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch, and write."""
        assert isinstance(pl_module, ClusteringModule)
        if not trainer.is_global_zero:
            return
        with evaluating(pl_module):
            slot = pl_module.cluster(self._x).winner
            live, decoded = pl_module.codebook.live_slots(), pl_module.decoded_prototypes()
        number = torch.full((pl_module.n_clusters + 1,), -1, device=live.device)
        number[live] = torch.arange(len(live), device=live.device)
        won = number[slot]
        pictures = torch.zeros_like(self._x, dtype=torch.float32)
        pictures[won >= 0] = decoded[won[won >= 0]]
        self._epochs.append(
            {"slot": slot.cpu().numpy(), "decoded": self._denormalize(trainer, pictures)}
        )
        self._save({"sample": self._denormalize(trainer, self._x)})

    def _denormalize(self, trainer: Trainer, x: Tensor) -> np.ndarray:
        return get_data(trainer).denormalize(x.cpu()).float().numpy()

    def _save(self, arrays: dict[str, Any]) -> None:
        """Write all epochs and swap in."""
        for name in ("slot", "decoded"):
            arrays[name] = np.stack([epoch[name] for epoch in self._epochs])
        with swapped(self._path, alone=True) as part, part.open("wb") as file:
            np.savez_compressed(file, **arrays)


def read_paths(path: Path) -> dict[str, np.ndarray]:
    """What :class:`SamplePaths` has written.

    Raises:
        OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error: it is damaged.
    """
    check_npz(path)
    with np.load(path, allow_pickle=False) as kept:
        sample, slot, decoded = (kept[name] for name in ("sample", "slot", "decoded"))
    if decoded.ndim < 2 or slot.shape != decoded.shape[:2] or decoded.shape[1:] != sample.shape:
        raise ValueError("its arrays do not fit each other")
    return {"sample": sample, "slot": slot, "decoded": decoded}
