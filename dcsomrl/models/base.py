"""What every clustering model shares: logging of losses, evaluation steps, the optimiser."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from dcsomrl.analysis.connectivity import Connectivity
from dcsomrl.data import Batch, ClusterData
from dcsomrl.data.batches import as_batch
from dcsomrl.data.notes import note
from dcsomrl.errors import ConfigError
from dcsomrl.losses import Step, Term
from dcsomrl.maps import Assignment
from dcsomrl.metrics import NodeUsage, QuantizationError, make_label_scores
from dcsomrl.models.checks import check_data, check_enough
from dcsomrl.models.clusterer import Clusterer
from dcsomrl.models.compilation import CompiledStep, CompileMode
from dcsomrl.models.sums import EpochSums
from dcsomrl.networks import Autoencoder, evaluating, find_batch_norms, share_buffers_

log = logging.getLogger(__name__)

OptimizerFactory = Callable[[Iterator[nn.Parameter]], Optimizer]


class ClusteringModule(Clusterer, LightningModule):
    """A model that trains by gradient and assigns samples to clusters; it never sees a label.

    Args:
        optimizer: makes the optimiser from the parameters.

    Attributes:
        epoch_sums: losses of the epoch so far.
        read: ``views`` and ``neighbor`` of a training batch where something read them; None where
            it is not known, before the first step and after older checkpoints.
    """

    # Whether every cluster starts at a training sample, or at the mean of some of its own.
    starts_at_samples = False

    def __init__(self, optimizer: OptimizerFactory) -> None:
        super().__init__()
        self._optimizer = optimizer
        self.epoch_sums = EpochSums()
        self.connectivity: Connectivity | None = None
        self._counted_at = -1
        self.read: set[str] | None = None
        self._compiled: CompiledStep | None = None

    @abstractmethod
    def terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a batch, 0-d each, ``loss`` their weighted sum.

        They are logged by their names, which are the same for every batch.
        """

    def update_connectivity(self) -> None:
        """Count how the nodes hang together by the trainer's data, if they have learned since."""
        if self._counted_at != self.global_step:
            self.count_connectivity(self.trainer.datamodule)  # type: ignore[attr-defined]
            self._counted_at = self.global_step

    def on_fit_start(self) -> None:
        """A new training has counted nothing yet, though its steps begin at the same number."""
        self._counted_at = -1

    def learn(self, z: Tensor) -> None:  # most maps follow the gradient, or there is none
        """A step of the map on the constant codes (batch, m) of a training batch."""

    def progress(self) -> dict[str, Tensor]:
        """Numbers, 0-d each, that are worth logging once an epoch beside the losses."""
        return self.codebook.progress()

    def setup(self, stage: str) -> None:
        """Refuse data that a training would find to lack something only once it has begun.

        Raises:
            ConfigError: see :func:`dcsomrl.models.checks.check_data`, or there are fewer training
                samples than clusters that start at them.
        """
        data = getattr(self.trainer, "datamodule", None)
        if stage == "fit" and isinstance(data, ClusterData):
            check_data(self, data, self.trainer.world_size)
            if self.starts_at_samples:
                check_enough(self.n_clusters, len(data.rows("train")))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        batch = self._read_batch(batch)
        # A batch of one sample has no statistics: the running ones take their place.
        alone = find_batch_norms(self) if len(batch.x) == 1 else []
        with evaluating(*alone):
            return self.learn_from(batch)["loss"]

    def _read_batch(self, batch: Any) -> Batch:
        """A batch of our own data as it is; of another loader its samples, see :func:`as_batch`."""
        return batch if isinstance(batch, Batch) else as_batch(batch, self.codebook.centers.dtype)

    def learn_from(self, batch: Batch) -> dict[str, Tensor]:
        """Terms of the loss on a training batch, 0-d each, which the sums of the epoch take in."""
        usual = self.prepare_step()
        take_step = self._compiled if self._compiled and usual else self.take_step
        losses, read = take_step(batch)
        self.read = (self.read or set()) | read
        self.epoch_sums.add(losses)
        return losses

    def prepare_step(self) -> bool:
        """What a step needs to know of the state of the training, which a compiler cannot follow.

        Returns:
            Whether the step is like most others, and so may run compiled.
        """
        return True

    def take_step(self, batch: Batch) -> tuple[dict[str, Tensor], set[str]]:
        """A step of the map, and the terms of the loss; ``views`` and ``neighbor`` if it read them.

        This is what is compiled, network and map together.
        """
        step = self.step(batch)
        return self.training_terms(step), step.read

    def compile_step(self, mode: CompileMode, batch_size: int) -> None:
        """Have the steps on whole batches run compiled, if the model trains a network.

        Args:
            mode: see :class:`dcsomrl.models.compilation.CompiledStep`.
            batch_size: samples of a whole batch in this process.
        """
        if any(isinstance(part, Autoencoder) for part in self.children()):
            self._compiled = CompiledStep(self.take_step, mode, batch_size)
        else:
            log.warning("compile=%s has no effect: %s trains no network", mode, type(self).__name__)

    def step(self, batch: Batch) -> Step:
        """A batch (batch, *shape) with its codes (batch, m)."""
        return Step(batch.x, self.encode(batch.x), self, batch.index, batch.views, batch.neighbor)

    def training_terms(self, step: Step) -> dict[str, Tensor]:
        """Terms of the loss on a training batch, on which the map takes its step first."""
        self.learn(step.z.detach())
        return self.terms(step)

    def on_after_backward(self) -> None:
        """Give all processes the running statistics of the first, as of its part of the batch.

        The state of a map is the same on all of them, or gathered by itself.
        """
        share_buffers_(part for part in self.modules() if isinstance(part, Autoencoder | Term))

    def on_train_epoch_end(self) -> None:
        """Log the means of the epoch."""
        for name, mean in self.epoch_sums.compute_means().items():
            self.log(f"train/{name}", mean, prog_bar=name == "loss", sync_dist=True)
        for name, value in self.progress().items():
            self.log(name, value.float(), prog_bar=name == "nodes")
        self.epoch_sums.clear()

    def validation_step(  # type: ignore[override]  # callbacks get what it returns
        self, batch: Batch, batch_idx: int
    ) -> Step:
        """Encode and assign a batch of the validation part; callbacks score what it returns."""
        self.prepare_step()
        batch = self._read_batch(batch)
        step = self.step(batch)
        for name, value in self.terms(step).items():
            self.log(f"val/{name}", value, batch_size=len(batch.x), sync_dist=True)
        return step

    def forward(self, x: Tensor) -> Assignment:
        """As :meth:`cluster`."""
        return self.cluster(x)

    def on_test_epoch_start(self) -> None:
        """Begin to score ``Trainer.test``."""
        data = getattr(self.trainer, "datamodule", None)
        classes = 0
        if isinstance(data, ClusterData) and data.arrays.test_y is not None:
            classes = data.num_classes
        self._tested: dict[str, Any] = {
            "distance": QuantizationError(),
            "nodes": NodeUsage(self.n_clusters),
            **({"labels": make_label_scores(self.n_clusters, classes)} if classes else {}),
        }
        for score in self._tested.values():
            score.to(self.device)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Assign a batch and take it into the scores of ``Trainer.test``."""
        batch = self._read_batch(batch)
        z = self.encode(batch.x.to(self.codebook.centers))
        found = self.assign(z)
        self._tested["distance"].update((z - self.codebook.centers[found.winner]).norm(dim=1))
        self._tested["nodes"].update(found.winner)
        if batch.y is not None and "labels" in self._tested:
            self._tested["labels"].update(found.winner, batch.y)

    def on_test_epoch_end(self) -> None:
        """Log the scores of nodes under ``test/``."""
        scores = {"quantization_error": self._tested["distance"].compute()}
        scores["nodes_used"] = self._tested["nodes"].compute()["nodes_used"]
        scores |= self._tested["labels"].compute() if "labels" in self._tested else {}
        self.log_dict({f"test/{name}": float(value) for name, value in scores.items()})
        del self._tested

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """``index``, ``node`` and ``activation`` of a batch, each (batch,), and ``code``.

        ``index`` is -1 where samples come from a loader that does not say it.
        """
        batch = self._read_batch(batch)
        z = self.encode(batch.x.to(self.codebook.centers))
        found = self.assign(z)
        given = {"index": batch.index, "node": found.winner, "activation": found.activation}
        return {**given, "code": z}

    @torch.no_grad()
    def training_codes(self) -> Tensor:
        """Codes (n, m) of the training part, in order, as in evaluation; of a stream of some."""
        with evaluating(self):
            if not self.data.is_streamed:
                return torch.cat([self.encode(x) for x in self.training_samples()])
            some = self.data.some_samples("train")
            codes = torch.cat([self.encode(x.to(self.codebook.centers)) for x in some])
        note(
            self.data.notes,
            f"{type(self).__name__} asks for the codes of all training samples at once: of a "
            f"stream it is given {len(codes):,}, evenly spaced over some of its blocks",
        )
        return codes

    def training_samples(self) -> Iterator[Tensor]:
        """The training part in order, in batches, without labels, in the precision of training."""
        for batch in self.data.split_dataloader("train"):
            yield batch.x.to(self.codebook.centers)

    @property
    def data(self) -> ClusterData:
        """The data of the training."""
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, ClusterData):
            raise ConfigError(
                f"{type(self).__name__} trains on data that it can ask for all samples: give the "
                "trainer datamodule=ClusterData(samples) in place of a loader"
            )
        return data

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the losses of an unfinished epoch, what was read, how the nodes hang together."""
        checkpoint["epoch_sums"] = self.epoch_sums.state_dict()
        if self.read is not None:
            checkpoint["read"] = sorted(self.read)
        if isinstance(getattr(self.trainer, "datamodule", None), ClusterData):
            self.update_connectivity()
        if self.connectivity is not None:
            checkpoint["connectivity"] = self.connectivity.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take back what :meth:`on_save_checkpoint` has kept."""
        self.epoch_sums.load_state_dict(checkpoint["epoch_sums"])
        self.read = set(checkpoint["read"]) if "read" in checkpoint else None
        self.connectivity = Connectivity.from_state(checkpoint.get("connectivity"))

    def configure_optimizers(self) -> Any:
        """The optimiser over all parameters."""
        return self._optimizer(self.parameters())


def to_single(x: Tensor) -> Tensor:
    """In single precision where a network ran in half; distances need it."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
