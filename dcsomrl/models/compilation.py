"""A training step that runs compiled where it can be."""

import logging
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from dcsomrl.data import Batch
from dcsomrl.errors import TrainingError, shorten

log = logging.getLogger(__name__)

CompileMode = Literal["default", "reduce-overhead"]
Step = Callable[[Batch], tuple[dict[str, Tensor], set[str]]]


class CompiledStep:
    """Runs a step compiled into one graph; as it is, after a sentence, where that fails.

    Only batches of one size run compiled, so that a training that is resumed runs the same code on
    the same batch: a smaller one, the last of an epoch, runs as it is.

    Args:
        step: that is compiled when the first whole batch comes; all its parts must be traceable.
        mode: ``default``, or ``reduce-overhead``, which on a GPU replays the step as one CUDA graph
            and on a CPU is the same.
        batch_size: samples of a whole batch.
    """

    def __init__(self, step: Step, mode: CompileMode, batch_size: int) -> None:
        self._step, self._mode, self._batch_size = step, mode, batch_size
        self._compiled: Callable[..., Any] | None = None
        self._failed = False

    def __call__(self, batch: Batch) -> tuple[dict[str, Tensor], set[str]]:
        """Take the step.

        Raises:
            TrainingError: it was compiled on some processes of a group and not on others.
        """
        if self._failed or len(batch.x) != self._batch_size:
            return self._step(batch)
        if self._compiled is not None:
            return self._try(self._compiled, batch)
        start = time.monotonic()
        self._compiled = self._make(batch.x.device)
        taken = self._try(self._compiled, batch)
        _check_alike(self._failed, batch.x.device)
        if not self._failed:
            spent = time.monotonic() - start
            log.info("compile=%s: the step was compiled, in %.0f s", self._mode, spent)
        return taken

    def _try(
        self, compiled: Callable[..., Any], batch: Batch
    ) -> tuple[dict[str, Tensor], set[str]]:
        """Take the step compiled, or as it is where it cannot be, as from then on."""
        try:
            if self._mode == "reduce-overhead":
                torch.compiler.cudagraph_mark_step_begin()
            return compiled(batch)
        except TorchDynamoException as error:
            # Of one graph nothing has run that far, and a mistake in the step shows again as it is;
            # an error of a graph that runs, as where memory ends, is none of these.
            taken = self._step(batch)
            self._failed = True
            log.warning(
                "compile=%s: the step cannot be compiled (%s: %s), and runs as it is",
                *(self._mode, type(error).__name__, shorten(error)),
            )
            return taken

    def _make(self, device: torch.device) -> Callable[..., Any]:
        """Compile, when it is first called."""
        if self._mode == "reduce-overhead" and device.type != "cuda":
            log.info("compile=reduce-overhead is the same as compile=default on a %s", device.type)
        return torch.compile(self._step, fullgraph=True, dynamic=False, mode=self._mode)


def _check_alike(failed: bool, device: torch.device) -> None:
    """Refuse to go on where maps would differ by how they are rounded on each process."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    number = torch.tensor(float(failed), device=device)
    torch.distributed.all_reduce(number)
    if 0 < number < torch.distributed.get_world_size():
        raise TrainingError(
            "the step was compiled on some processes and cannot be on others, whose maps would "
            "differ: set `compile=false`, or see to it that all machines have the same compilers"
        )
