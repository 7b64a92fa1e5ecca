"""What channels side by side in memory save: ``python -m experiments.layouts``.

A step of the convolutional autoencoders, forward and backward, is timed in turns with
:class:`~dcsomrl.networks.convolution.ChannelsLastConv2d` and with ``torch.nn.Conv2d``. Medians over
the rounds are printed.
"""

import statistics
import time
from contextlib import nullcontext

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import nn

from dcsomrl.networks import Autoencoder, ConvAutoencoder, ResNetAutoencoder
from dcsomrl.networks.convolution import ChannelsLastConv2d
from experiments.speed import describe_machine

ROUNDS, BATCH = 8, 256
SHAPES = {"1 x 28 x 28": (1, 28, 28), "3 x 64 x 64": (3, 64, 64)}
NETWORKS = {"conv": ConvAutoencoder, "resnet": ResNetAutoencoder}


def main() -> None:
    """Print the table."""
    table = Table(title=f"batch {BATCH}, {describe_machine()}")
    for column in ("network", "images", "precision", "seconds", "channels last, seconds", "ratio"):
        table.add_column(column, justify="right")
    cases = [(net, shape, half) for net in NETWORKS for shape in SHAPES for half in (False, True)]
    for net, shape, half in track(cases, "layouts"):
        autoencoder = NETWORKS[net](SHAPES[shape], 22)
        pairs = [time_pair(autoencoder, half) for _ in range(ROUNDS + 1)][1:]
        plain, last = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        precision = "bf16" if half else "float32"
        table.add_row(net, shape, precision, f"{plain:.3f}", f"{last:.3f}", f"{ratio:.3f}")
    Console(width=100).print(table)


def time_pair(autoencoder: Autoencoder, half: bool) -> tuple[float, float]:
    """Seconds of a step with torch's convolution, and with ours."""
    own = ChannelsLastConv2d.forward
    ChannelsLastConv2d.forward = nn.Conv2d.forward  # type: ignore[method-assign]
    try:
        plain = time_step(autoencoder, half)
    finally:
        ChannelsLastConv2d.forward = own  # type: ignore[method-assign]
    return plain, time_step(autoencoder, half)


def time_step(autoencoder: Autoencoder, half: bool) -> float:
    """Seconds of a step, forward and backward."""
    x = torch.rand(BATCH, *autoencoder.input_shape)
    started = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
        loss = autoencoder.decode(autoencoder.encode(x)).float().square().mean()
    loss.backward()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
