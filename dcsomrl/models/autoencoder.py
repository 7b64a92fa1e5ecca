"""The plain autoencoder, whose codes k-means divides: what clustering adds is seen against it."""

from functools import partial

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.data import Batch
from dcsomrl.errors import CheckpointError
from dcsomrl.hints import check_arguments
from dcsomrl.losses import Step, reconstruction
from dcsomrl.models.base import OptimizerFactory, to_single
from dcsomrl.models.centers import CenterModel
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import Seed, Several

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=1e-3, fused=True)


class AutoencoderModel(CenterModel):
    """An autoencoder trained for reconstruction alone, ``mse(x, decoder(encoder(x)))``.

    At the end of every epoch k-means is fitted to the codes of the training part; it has no part
    in the training.

    Args:
        autoencoder: networks from samples to codes and back.
        n_clusters: K of k-means, at least 2.
        seed: starts k-means.
        optimizer: makes the optimiser from the parameters; Adam by default.

    Raises:
        ValueError: fewer than two clusters.

    Source: the network of Xie et al. 2016, without their clustering.
    """

    starts_at_samples = True

    @check_arguments
    def __init__(
        self,
        autoencoder: Autoencoder,
        n_clusters: Several = 64,
        seed: Seed = 0,
        optimizer: OptimizerFactory = ADAM,
    ) -> None:
        super().__init__(optimizer)
        self.autoencoder = autoencoder
        self.seed = seed
        self.register_buffer("centers", torch.zeros(n_clusters, autoencoder.latent_dim))

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m), unbounded, of samples (batch, *shape)."""
        return to_single(self.autoencoder.encode(x))

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes (batch, m), through the decoder."""
        return to_single(self.autoencoder.decode(z))

    def terms(self, step: Step) -> dict[str, Tensor]:
        """The reconstruction error."""
        return {"loss": reconstruction(step.reconstruction, step.x)}

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """After the last batch of an epoch, divide the codes."""
        if self.trainer.is_last_batch:
            self.centers.copy_(run_kmeans(self.training_codes(), self.n_clusters, self.seed))


def run_kmeans(codes: Tensor, n_clusters: int, seed: int, n_init: int = 1) -> Tensor:
    """Centres (K, m) of scikit-learn's k-means; k-means++ starts, the best of ``n_init``."""
    fitted = KMeans(n_clusters, n_init=n_init, random_state=seed).fit(codes.cpu().numpy())
    return torch.as_tensor(fitted.cluster_centers_, dtype=codes.dtype)


def load_autoencoder(autoencoder: Autoencoder | None, path: str) -> None:
    """Take the weights of a trained model's autoencoder, in place.

    Raises:
        CheckpointError: the file is missing or damaged, or its network is of another shape.
    """
    assert autoencoder is not None
    prefix = "autoencoder."
    state = read_checkpoint(path)["state_dict"]
    weights = {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}
    try:
        autoencoder.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} holds no autoencoder of this shape: choose the autoencoder and its latent_dim "
            "with which it was trained"
        ) from error
