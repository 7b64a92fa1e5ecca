"""Part 3: a training step of DC-SOMRL beside the plain autoencoder's, by precision and batch."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import cycle, islice, product
from typing import Any

import torch
from hydra.utils import instantiate
from torch import Tensor
from torch.nn.functional import mse_loss

from dcsomrl.losses import Step
from experiments.gpu.setting import Cells, Setting

PRECISIONS = ("float32", "TF32", "bf16")
# "graphs": compiled, and replayed as one CUDA graph.
MODES = ("eager", "compiled", "graphs")


def list_cells(setting: Setting) -> Cells:
    """Every combination, but graphs in single precision alone; what takes longest comes last.

    In miniature only single precision is compiled.
    """
    return {
        f"{precision}, {mode}, batch {batch}": partial(time_both, setting, precision, mode, batch)
        for mode, batch, precision in product(MODES, setting.batches, PRECISIONS)
        if precision == "float32" or mode == "eager" or (mode == "compiled" and not setting.dry)
    }


def time_both(setting: Setting, precision: str, mode: str, batch: int) -> dict[str, Any]:
    """Milliseconds of both steps, timed in turns, and of the map's call alone."""
    torch.set_float32_matmul_precision("high" if precision == "TF32" else "highest")
    cfg, data, model = setting.make(f"dataset.batch_size={batch}")
    twin = instantiate(cfg.model.autoencoder)
    model, twin = model.to(setting.device).train(), twin.to(setting.device).train()
    batches = cycle([one.x.to(setting.device) for one in islice(data.train_dataloader(), 8)])
    half = precision == "bf16"

    def plain(x: Tensor) -> Tensor:
        return mse_loss(twin.decode(twin.encode(x)).float(), x)

    def whole(x: Tensor) -> Tensor:
        return model.training_terms(Step(x, model.encode(x), model))["loss"]

    losses = {"autoencoder": plain, "DC-SOMRL": whole}
    networks = {"autoencoder": twin, "DC-SOMRL": model}
    steps: dict[str, Callable[[], object]] = {}
    for name, loss in losses.items():
        call = loss if mode == "eager" else compile_loss(loss, mode, setting.dry)
        optimizer = torch.optim.Adam(
            networks[name].parameters(), cfg.model.optimizer.lr, fused=True
        )
        steps[name] = make_step(call, optimizer, partial(next, batches), setting.device, half)
    codes = model.encode(next(batches)).detach()
    steps["map"] = partial(model.som, codes)
    found = setting.time_steps(steps)
    return {
        **{f"{name} ms": value for name, value in found.items()},
        "ratio": found["DC-SOMRL"] / found["autoencoder"],
        "nodes": int(model.som.n_live),
    }


def compile_loss(
    loss: Callable[[Tensor], Tensor], mode: str, dry: bool
) -> Callable[[Tensor], Tensor]:
    """The loss, compiled; in miniature by the compiler's first stage alone, which takes seconds."""
    if dry:
        return torch.compile(loss, backend="aot_eager")
    return torch.compile(loss, mode="reduce-overhead" if mode == "graphs" else None)


def make_step(
    loss: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    following: Callable[[], Tensor],
    device: torch.device,
    half: bool,
) -> Callable[[], None]:
    """One step of training on the batch that follows."""

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16) if half else nullcontext()

    def step() -> None:
        optimizer.zero_grad()
        with autocast():
            value = loss(following())
        value.backward()
        optimizer.step()

    return step
