"""Part 1: the tests that need a GPU, and how far the GPU's numbers are from the CPU's."""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from pytorch_lightning import Trainer

from dcsomrl.losses import Step
from dcsomrl.maps import SOMRL
from experiments.gpu.setting import Cells, Setting

TESTS = Path(__file__).parents[2] / "tests" / "test_gpu.py"
# The most that may differ, relative to the CPU's value. In double precision only the order of sums
# differs. In single precision a sample at the threshold falls to either side of it, and the maps
# part from there on. So does the CPU from itself: three seeds with two threads for one, or with
# weights changed by 1e-7, differed by up to 0.01, 0.05 and 0.42 after this epoch.
TOLERANCE = {
    "map, float64": {"centers": 1e-9, "nodes": 0.0},
    "losses": {"loss": 1e-5, "gradient": 1e-3},
    "epoch": {"train/reconstruction": 0.02, "val/reconstruction": 0.1, "nodes": 0.5},
}


def list_cells(setting: Setting) -> Cells:
    """The tests, then the map, the losses with their gradient, and an epoch on both devices."""
    return {
        "tests": partial(run_tests, setting),
        "map, float64": partial(compare_maps, setting),
        "losses": partial(compare_losses, setting),
        "epoch": partial(compare_epochs, setting),
    }


def run_tests(setting: Setting) -> dict[str, Any]:
    """How many tests of the GPU passed; without one they are skipped.

    Raises:
        AssertionError: one failed.
    """
    # Without the project's options, whose plugins need not be there.
    pytest = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", "."]
    done = subprocess.run(
        [*pytest, str(TESTS)], cwd=TESTS.parents[1], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-400:] + done.stderr[-200:]
    counts = re.findall(r"(\d+) (passed|skipped)", done.stdout.splitlines()[-1])
    found = {word: int(number) for number, word in counts}
    assert setting.dry or not found.get("skipped"), f"skipped on a GPU: {found}"
    return found


def compare_maps(setting: Setting) -> dict[str, Any]:
    """The map after 200 steps in double precision on the same samples."""
    stream = torch.Generator().manual_seed(0)
    middles = torch.rand(12, 8, generator=stream, dtype=torch.float64)
    noise = 0.05 * torch.randn(200, 64, 8, generator=stream, dtype=torch.float64)
    chosen = torch.randint(12, (200, 64), generator=stream)
    batches = (middles[chosen] + noise).clamp(0, 1)
    maps = []
    for device in (torch.device("cpu"), setting.device):
        som = SOMRL(8, max_nodes=64, activation_threshold=0.99).double().train().to(device)
        for z in batches.to(device):
            som(z)
        maps.append(som.cpu())
    one, two = maps
    apart = measure_difference(one.centers, two.centers)
    return judge("map, float64", centers=apart, nodes=measure_difference(one.n_live, two.n_live))


def compare_losses(setting: Setting) -> dict[str, Any]:
    """Loss and gradient of the first step, with the same weights and samples."""
    _, data, model = setting.make()
    found = []
    for device in (torch.device("cpu"), setting.device):
        _, _, model = setting.make()
        model.to(device).train()
        x = next(iter(data.train_dataloader())).x.to(device)
        loss = model.training_terms(Step(x, model.encode(x), model))["loss"]
        loss.backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        found.append((loss.detach().cpu(), torch.cat(gradients).cpu()))
    (loss, gradient), (other, its) = found
    return judge(
        "losses", loss=measure_difference(loss, other), gradient=measure_difference(gradient, its)
    )


def compare_epochs(setting: Setting) -> dict[str, Any]:
    """What one epoch reaches on both devices."""
    found = []
    for device in (torch.device("cpu"), setting.device):
        cfg, _, model = setting.make()
        trainer = Trainer(
            accelerator="cpu" if device.type == "cpu" else "gpu",
            devices=1,
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=setting.runs,
        )
        trainer.fit(model, datamodule=instantiate(cfg.dataset))
        found.append(trainer.callback_metrics)
    one, two = found
    return judge(
        "epoch", **{name: measure_difference(one[name], two[name]) for name in TOLERANCE["epoch"]}
    )


def measure_difference(one: torch.Tensor, two: torch.Tensor) -> float:
    """Norm of the difference over the norm of the first."""
    one, two = one.double().cpu(), two.double().cpu()
    return float((one - two).norm() / one.norm().clamp(min=1e-30))


def judge(name: str, **apart: float) -> dict[str, Any]:
    """Differences beside what is allowed.

    Raises:
        AssertionError: one is larger.
    """
    allowed = TOLERANCE[name]
    assert all(apart[key] <= allowed[key] for key in allowed), f"{apart}, allowed {allowed}"
    return {"relative difference": apart, "allowed": allowed}
