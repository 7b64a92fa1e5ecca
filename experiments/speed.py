"""What the map costs: a training step of DC-SOMRL against the plain autoencoder's.

``make bench`` runs it on MNIST with the published settings. The two steps and the map alone are
timed in turns, so that other load on the machine falls on all of them alike, and the medians of
the ratios are printed. Then a real epoch runs under the trainer, to see what is lost outside the
step. ``python -m experiments.speed dataset=digits`` does the same on another dataset, and
``model=neighbor_somrl`` with neighbours and views, which are made within the step. With
``compile=default`` the step of DC-SOMRL is timed compiled and as it is, in turns, and nothing else.
"""

import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.profilers import SimpleProfiler
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.configuration import find_config_dir
from dcsomrl.data import Batch, ClusterData
from dcsomrl.data.views import add_views
from dcsomrl.errors import DcsomrlError
from dcsomrl.models import DCSOMRL
from dcsomrl.training.callbacks import StopOnNaN, ValidationScores
from experiments.map_speed_timing import time_call

WARM_UP, ROUNDS = 60, 200
PRECISIONS = {"32-true": False, "bf16-mixed": True}


def main(overrides: list[str]) -> None:
    """Print the table."""
    cfg = compose_training(["dataset=mnist", "trainer=cpu", *overrides])
    torch.set_flush_denormal(True)  # as a training does
    seed_everything(cfg.seed, verbose=False)
    data = instantiate(cfg.dataset)
    data.setup("fit")
    cfg.input_shape = list(data.shape)
    if cfg.compile:
        print(f"compiled: {time_compiled(cfg, data):.3f} of the time of the step as it is")
        return
    table = Table(title=f"{cfg.dataset.name}, batch {cfg.dataset.batch_size}, {describe_machine()}")
    for column in ("precision", "autoencoder ms", "DC-SOMRL ms", "ratio", "map's share", "outside"):
        table.add_column(column, justify="right")
    for precision, half in PRECISIONS.items():
        plain, whole, ratio, share = time_steps(cfg, data, half)
        outside = time_trainer(cfg, data, precision)
        table.add_row(
            precision,
            f"{1e3 * plain:.2f}",
            f"{1e3 * whole:.2f}",
            f"{ratio:.3f}",
            f"{share:.1%}",
            f"{outside:.1%}",
        )
    Console(width=100).print(table)
    print(
        "ratio: whole step over the plain autoencoder's; map's share: of the whole step; outside: "
        "share of an epoch under the trainer that is not the step (loader, callbacks, logging)"
    )


def compose_training(overrides: list[str]) -> DictConfig:
    """The training's configuration."""
    fixed = ["name=speed", "model_name=dcsomrl", "trainer.default_root_dir=."]
    with initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        return compose("train", overrides=[*fixed, *overrides])


def time_steps(cfg: DictConfig, data: ClusterData, half: bool) -> tuple[float, float, float, float]:
    """Median seconds of both steps, and the medians of their ratio and of the map's share."""
    model = instantiate(cfg.model).train()
    twin = instantiate(cfg.model.autoencoder)
    optimizer, twin_optimizer = (
        torch.optim.Adam(module.parameters(), cfg.model.optimizer.lr, fused=True)
        for module in (model, twin)
    )
    batches = [batch for batch, _ in zip(data.train_dataloader(), range(64), strict=False)]

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast("cpu", torch.bfloat16) if half else nullcontext()

    def plain_step(batch: Batch) -> None:
        twin_optimizer.zero_grad()
        with autocast():
            loss = mse_loss(twin.decode(twin.encode(batch.x)).float(), batch.x)
        loss.backward()
        twin_optimizer.step()

    def whole_step(batch: Batch) -> None:
        optimizer.zero_grad()
        if data.augmentation is not None:
            batch = add_views(batch, data.augmentation, 0, 0, 0.0, data.augmentation.replace)
        with autocast():
            loss = model.training_terms(model.step(batch))["loss"]
        loss.backward()
        optimizer.step()

    def map_alone(z: Tensor) -> None:
        model.som(z)

    for index in range(WARM_UP):
        plain_step(batches[index % len(batches)])
        whole_step(batches[index % len(batches)])
    plain, whole, alone = [], [], []
    for index in range(ROUNDS):
        batch = batches[index % len(batches)]
        plain.append(time_call(partial(plain_step, batch)))
        whole.append(time_call(partial(whole_step, batch)))
        alone.append(time_call(partial(map_alone, model.encode(batch.x).detach())))
    ratio = statistics.median(b / a for a, b in zip(plain, whole, strict=True))
    share = statistics.median(c / b for b, c in zip(whole, alone, strict=True))
    return statistics.median(plain), statistics.median(whole), ratio, share


def time_compiled(cfg: DictConfig, data: ClusterData) -> float:
    """Median ratio of the step of DC-SOMRL compiled to the same as it is, in single precision."""
    batches = [batch for batch, _ in zip(data.train_dataloader(), range(64), strict=False)]
    batches = [batch for batch in batches if len(batch.x) == data.batch_size]
    steps: list[Callable[[Batch], None]] = []
    for compiled in (True, False):
        seed_everything(cfg.seed, verbose=False)
        model: DCSOMRL = instantiate(cfg.model).train()
        optimizer = torch.optim.Adam(model.parameters(), cfg.model.optimizer.lr, fused=True)
        if compiled:
            model.compile_step(cfg.compile, data.batch_size)
        steps.append(partial(learn, model, optimizer))
    for index in range(WARM_UP):
        for step in steps:
            step(batches[index % len(batches)])
    ratios = []
    for index in range(ROUNDS):
        first, second = (time_call(partial(step, batches[index % len(batches)])) for step in steps)
        ratios.append(first / second)
    return statistics.median(ratios)


def learn(model: DCSOMRL, optimizer: torch.optim.Optimizer, batch: Batch) -> None:
    """One step of training."""
    optimizer.zero_grad()
    model.learn_from(batch)["loss"].backward()
    optimizer.step()


def time_trainer(cfg: DictConfig, data: ClusterData, precision: str) -> float:
    """Share of the training epochs that is not spent in the step."""
    model: DCSOMRL = instantiate(cfg.model)
    with tempfile.TemporaryDirectory() as folder:
        profiler = SimpleProfiler(dirpath=folder, filename="profile")
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=2,
            precision=precision,  # type: ignore[arg-type]
            profiler=profiler,
            logger=False,
            enable_checkpointing=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
            enable_model_summary=False,
            callbacks=[ValidationScores(), StopOnNaN()],
            default_root_dir=Path(folder),
        )
        trainer.fit(model, datamodule=data)
    step = sum(profiler.recorded_durations["run_training_batch"])
    epoch = sum(profiler.recorded_durations["run_training_epoch"])
    return 1 - step / epoch


def describe_machine() -> str:
    """Processor kind, threads, and torch's version."""
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, torch {torch.__version__}"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DcsomrlError as error:
        sys.exit(f"error: {error}")
