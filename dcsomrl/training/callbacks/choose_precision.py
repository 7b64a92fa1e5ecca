"""What ``trainer.precision=auto`` means: the faster precision on this very device."""

import copy
import logging
import statistics
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.plugins import MixedPrecision
from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.models import ClusteringModule
from dcsomrl.networks import Autoencoder

log = logging.getLogger(__name__)

AUTO: Final = "auto"
SINGLE: Final = "32-true"
HALF: Final = "bf16-mixed"
# How much longer a step must take in 32 bits for bf16 to be worth what it rounds off.
GAIN = 1.1
# Steps before the clock counts, steps at most, and seconds after which no further one begins.
WARM_UP, ROUNDS, BUDGET = 3, 15, 0.3


class ChoosePrecision(Callback):
    """Settles the precision of a new training: rank 0 measures, and all processes take its choice.

    Args:
        config: the resolved configuration, whose ``trainer.precision`` becomes what is chosen, so
            that checkpoints and results name it, and a training that is resumed keeps it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Choose before the strategy takes the model, when the processes have found each other."""
        assert isinstance(pl_module, ClusteringModule)
        device = trainer.strategy.root_device
        found: Any = (
            choose_precision(pl_module, device, trainer.world_size)
            if trainer.is_global_zero
            else None
        )
        precision, reason = trainer.strategy.broadcast(found)
        if trainer.is_global_zero:
            log.info("trainer.precision=auto: this training takes %s, since %s", precision, reason)
        self._config["trainer"]["precision"] = precision
        if precision == HALF:
            trainer.strategy.precision_plugin = MixedPrecision(HALF, device.type)


def choose_precision(
    model: ClusteringModule, device: torch.device, n_processes: int
) -> tuple[str, str]:
    """``bf16-mixed`` where a step of the network is clearly faster with it, else ``32-true``.

    On a CPU nothing is measured: the same seed is to give the same training on all of them,
    however busy they are.

    Args:
        model: attached to a trainer with its data; it stays as it is.
        device: where it will be trained.
        n_processes: that share a batch.

    Returns:
        The precision, and why, in words that follow "since".
    """
    network = getattr(model, "autoencoder", None)
    if not isinstance(network, Autoencoder):
        return SINGLE, "the model trains no network"
    if device.type != "cuda":
        return SINGLE, "a seed is to give the same result wherever there is no GPU"
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        return SINGLE, "the GPU has no bf16 arithmetic"
    size = min(model.data.batch_size, len(model.data.rows("train"))) // n_processes
    drawn = torch.Generator().manual_seed(0)
    x = torch.rand(max(size, 2), *network.input_shape, generator=drawn).to(device)
    single, half = time_steps(network, x)
    measured = f"a step of the network took {1e3 * single:.2f} ms in 32 bits and "
    measured += f"{1e3 * half:.2f} ms in bf16 on this {torch.cuda.get_device_name(device)}"
    return HALF if single > GAIN * half else SINGLE, measured


def time_steps(network: Autoencoder, x: Tensor) -> tuple[float, float]:
    """Median seconds of a forward and a backward pass in 32 bits and in bf16, timed in turns.

    On a GPU that is warm it takes less than half a second. Neither the network nor the state of
    the random numbers changes.

    Args:
        network: that is to be trained, on any device.
        x: (batch, *shape) samples on the device to measure.
    """
    network = copy.deepcopy(network).to(x.device).train()

    def wait() -> None:
        if x.device.type == "cuda":
            torch.cuda.synchronize(x.device)

    def step(half: bool) -> float:
        autocast: AbstractContextManager[object] = (
            torch.autocast(x.device.type, torch.bfloat16) if half else nullcontext()
        )
        wait()
        start = time.perf_counter()
        with autocast:
            loss = mse_loss(network.decode(network.encode(x)).float(), x)
        if loss.requires_grad:  # not of a network that is frozen
            loss.backward()
        wait()
        return time.perf_counter() - start

    with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):
        for half in (False, True) * WARM_UP:
            step(half)
        end = time.perf_counter() + BUDGET
        found = [(step(False), step(True))]
        while len(found) < ROUNDS and time.perf_counter() < end:
            found.append((step(False), step(True)))
    singles, halves = zip(*found, strict=True)
    return statistics.median(singles), statistics.median(halves)
