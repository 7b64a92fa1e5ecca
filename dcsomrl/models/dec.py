"""DEC and IDEC: codes that sharpen their own soft assignment to centres."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dcsomrl import losses
from dcsomrl.data import Batch
from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.losses import Step
from dcsomrl.maps import Assignment
from dcsomrl.maps.grid import squared_distances
from dcsomrl.models.autoencoder import load_autoencoder, run_kmeans
from dcsomrl.models.base import OptimizerFactory, to_single
from dcsomrl.models.centers import CenterModel
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import Count, Natural, NonNegative, Seed, Several, ShareBelowOne

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=1e-3, fused=True)


class DEC(CenterModel):
    r"""Deep embedded clustering, without reconstruction (DEC) or with it (IDEC).

    First the autoencoder learns to reconstruct, for ``pretrain_epochs``. Then k-means on the codes
    of the training part gives the centres, and the loss is
    ``reconstruction * mse(x, decoder(z)) + clustering * KL(P || Q)``. :math:`q_{bk}` is
    proportional to :math:`(1 + |z_b - \mu_k|^2)^{-1}`, the target :math:`p_{bk}` to
    :math:`q_{bk}^2 / \sum_b q_{bk}` over the whole training part; it is renewed every
    ``update_interval`` steps. The training ends early when fewer than ``tolerance`` of the
    samples change their cluster between two renewals. The activation of a sample is its largest q.

    On a validation batch the target is that of the batch's own q.

    Args:
        autoencoder: networks from samples to codes and back.
        n_clusters: K, at least 2.
        reconstruction: weight >= 0 of the reconstruction after the pretraining: 0 in DEC.
        clustering: weight >= 0 of the divergence: 1 in DEC, 0.1 in IDEC.
        pretrain_epochs: epochs of plain reconstruction, at least 0.
        pretrained: checkpoint of a trained model, from which the autoencoder takes its weights.
        update_interval: steps between renewals of the target, at least 1.
        tolerance: share in [0, 1) of changed assignments that ends the training.
        n_init: starts of k-means, of which the best is kept; at least 1.
        seed: draws them.
        optimizer: makes the optimiser from the parameters; begun anew after the pretraining.

    Raises:
        ValueError: an argument outside its range.

    Source: Xie et al. 2016 (DEC); Guo et al. 2017 (IDEC).
    """

    starts_at_samples = True
    started: Tensor
    steps: Tensor

    @check_arguments
    def __init__(
        self,
        autoencoder: Autoencoder,
        n_clusters: Several = 10,
        reconstruction: NonNegative = 0.0,
        clustering: NonNegative = 1.0,
        pretrain_epochs: Natural = 20,
        pretrained: str | None = None,
        update_interval: Count = 140,
        tolerance: ShareBelowOne = 1e-3,
        n_init: Count = 20,
        seed: Seed = 0,
        optimizer: OptimizerFactory = ADAM,
    ) -> None:
        super().__init__(optimizer)
        if pretrain_epochs == 0 and pretrained is None:
            raise ValueError("without pretraining give the checkpoint of a network: pretrained")
        self.autoencoder = autoencoder
        self.reconstruction, self.clustering = reconstruction, clustering
        self.pretrain_epochs, self._pretrained = pretrain_epochs, pretrained
        self.update_interval, self.tolerance = update_interval, tolerance
        self.n_init, self.seed = n_init, seed
        self.centers = nn.Parameter(torch.zeros(n_clusters, autoencoder.latent_dim))
        self.register_buffer("started", torch.tensor(False))
        # Steps since the centres are there.
        self.register_buffer("steps", torch.tensor(0))
        # (n, K) of the training part; as long as the data, so no buffer but part of a checkpoint.
        self._target: Tensor | None = None
        self._assigned: Tensor | None = None

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), unbounded, of samples (batch, *shape)."""
        return to_single(self.autoencoder.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes (batch, m), through the decoder."""
        return to_single(self.autoencoder.decode(z))

    def assign_softly(self, z: Tensor) -> Tensor:
        """Soft assignment q (batch, K) of codes (batch, m)."""
        return losses.soft_assignment(squared_distances(z, self.centers))

    def terms(self, step: Step) -> dict[str, Tensor]:
        """Terms with the target of the batch's own q."""
        q = self.assign_softly(step.z)
        return self._compute_terms(step, q, losses.sharpen(q.detach()))

    def _compute_terms(self, step: Step, q: Tensor, p: Tensor) -> dict[str, Tensor]:
        """Terms with a soft assignment and its target, both (batch, K)."""
        reconstruction = losses.reconstruction(step.reconstruction, step.x)
        clustering = losses.divergence(p, q)
        # In the pretraining a term without weight: processes share the gradients of all weights.
        weights = (self.reconstruction, self.clustering) if self.started else (1.0, 0.0)
        loss = weights[0] * reconstruction + weights[1] * clustering
        return {"loss": loss, "reconstruction": reconstruction, "clustering": clustering}

    def assign(self, z: Tensor) -> Assignment:
        """The best two clusters of codes (batch, m); the activation is the largest q."""
        return super().assign(z)._replace(activation=self.assign_softly(z).amax(1))

    def training_terms(self, step: Step) -> dict[str, Tensor]:
        """Terms with the target of the whole training part, once there is one."""
        if not self.started:
            return self.terms(step)
        self.steps += 1
        assert self._target is not None
        assert step.index is not None
        p = self._target[step.index.to(self._target.device)].to(step.z)
        return self._compute_terms(step, self.assign_softly(step.z), p)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Renew the target when it is time, before the batch moves any statistics."""
        if self.started and self.steps % self.update_interval == 0:
            self._renew_target()

    @torch.no_grad()
    def _renew_target(self) -> None:
        """The target from the network as it is; end the training if little has changed."""
        q = self.assign_softly(self.training_codes())
        assigned = q.argmax(1)
        if self._assigned is not None:
            changed = (assigned != self._assigned.to(assigned.device)).float().mean()
            self.trainer.should_stop = bool(changed < self.tolerance)
        self._target, self._assigned = losses.sharpen(q), assigned

    def on_fit_start(self) -> None:
        """Refuse a training that would end before the clustering begins, and a stream.

        Raises:
            ConfigError: it is either.
        """
        super().on_fit_start()
        if self.data.is_streamed:
            raise ConfigError(
                f"{type(self).__name__} keeps a target for every training sample, which a stream "
                "does not hold at once: choose another model"
            )
        limits = self.trainer.max_epochs, self.trainer.max_steps
        steps = len(self.trainer.datamodule.train_dataloader()) * self.pretrain_epochs  # type: ignore[attr-defined]
        names = ("max_epochs", "epochs", self.pretrain_epochs), ("max_steps", "steps", steps)
        for limit, (name, what, needed) in zip(limits, names, strict=True):
            if self.pretrain_epochs and limit is not None and 0 <= limit <= needed:
                raise ConfigError(
                    f"`{name}={limit}` ends before the clustering begins, which comes after "
                    f"{needed} {what} of pretraining (`pretrain_epochs="
                    f"{self.pretrain_epochs}`): raise `{name}` or lower `pretrain_epochs`"
                )

    def on_train_start(self) -> None:
        """Take the pretrained network over."""
        if self._pretrained is not None and self.global_step == 0:
            load_autoencoder(self.autoencoder, self._pretrained)

    @torch.no_grad()
    def on_train_epoch_start(self) -> None:
        """After the pretraining: centres by k-means, and an optimiser without a past."""
        if self.started or self.current_epoch < self.pretrain_epochs:
            return
        self.centers.copy_(
            run_kmeans(self.training_codes(), self.n_clusters, self.seed, self.n_init)
        )
        self.trainer.optimizers[0].state.clear()
        self.started.fill_(True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the target (n, K) and the assignments (n,) that it was made with."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["target"] = {"p": self._target, "assigned": self._assigned}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take back the target (n, K) and the assignments (n,)."""
        super().on_load_checkpoint(checkpoint)
        target = checkpoint["target"]
        self._target, self._assigned = target["p"], target["assigned"]
