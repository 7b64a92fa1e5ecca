"""Part 2: how often the host waits for the GPU in a training step, and where."""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.losses import Step
from dcsomrl.training.run import fit
from experiments.gpu.setting import Cells, Setting
from experiments.gpu.training import make_trainer

# Steps that are watched, after some that may wait once: for kernels, for memory.
STEPS, FIRST = 40, 10


def list_cells(setting: Setting) -> Cells:
    """A wait that must be seen, the step by itself, and the step as a run takes it."""
    return {
        "control": partial(watch_wait, setting),
        "step": partial(watch_step, setting),
        "trainer": partial(watch_trainer, setting),
    }


@contextmanager
def count_waits(device: torch.device, places: Counter[str]) -> Iterator[None]:
    """Count what waits for the GPU, by the line of Python that asked for it."""
    if device.type != "cuda":
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")
    for warning in caught:
        if "called a synchronizing" in str(warning.message):
            places[f"{'/'.join(Path(warning.filename).parts[-2:])}:{warning.lineno}"] += 1


def watch_wait(setting: Setting) -> dict[str, Any]:
    """Three numbers brought to the host, to see that waits are counted.

    Raises:
        AssertionError: one went unseen.
    """
    places: Counter[str] = Counter()
    number = torch.ones((), device=setting.device)
    with count_waits(setting.device, places):
        for _ in range(3):
            number.item()
    seen = sum(places.values())
    assert setting.dry or seen == 3, f"saw {seen} of 3 waits"
    return {"steps": 3, "waits": seen}


def watch_step(setting: Setting) -> dict[str, Any]:
    """Forward, backward and optimiser's step.

    Raises:
        AssertionError: something waits.
    """
    _, data, model = setting.make()
    model.to(setting.device).train()
    optimizer = model.configure_optimizers()
    batches = [batch.x.to(setting.device) for batch in data.train_dataloader()]
    places: Counter[str] = Counter()

    def step(x: torch.Tensor) -> None:
        optimizer.zero_grad()
        model.training_terms(Step(x, model.encode(x), model))["loss"].backward()
        optimizer.step()

    for index in range(FIRST):
        step(batches[index % len(batches)])
    with count_waits(setting.device, places):
        for index in range(STEPS):
            step(batches[index % len(batches)])
    assert not places, f"waits: {dict(places)}"
    return {"steps": STEPS, "waits": sum(places.values())}


class Watch(Callback):
    """Watches some steps of a training."""

    def __init__(self, device: torch.device) -> None:
        self.places: Counter[str] = Counter()
        self.steps = 0
        self._device = device
        self._watch: Any = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        """Begin, count, and end."""
        done = trainer.global_step
        if self._watch is None and done == FIRST:
            self._watch = count_waits(self._device, self.places)
            self._watch.__enter__()
        elif self._watch is not None and self.steps < STEPS:
            self.steps += 1
            if self.steps == STEPS:
                self._watch.__exit__(None, None, None)


def watch_trainer(setting: Setting) -> dict[str, Any]:
    """Steps under the trainer, with the loader and all callbacks of a run."""
    watch = Watch(setting.device)
    epochs = 1 + (FIRST + STEPS) // 20 if setting.dry else 1
    trainer, model, data = make_trainer(setting, epochs, callbacks=[watch])
    fit(trainer, model, data, None)
    return {
        "steps": watch.steps,
        "waits": sum(watch.places.values()),
        "where": dict(watch.places.most_common(5)),
    }
