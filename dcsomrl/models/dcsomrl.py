"""DC-SOMRL: an autoencoder whose codes gather about a growing map with relevances.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dcsomrl.errors import ConfigError
from dcsomrl.hints import check_arguments
from dcsomrl.losses import (
    Reconstruction,
    RelevanceDistance,
    Step,
    Term,
    compute_terms,
    name_terms,
    sum_terms,
)
from dcsomrl.maps import SOMRL
from dcsomrl.models.base import ClusteringModule, OptimizerFactory, to_single
from dcsomrl.models.schedule import Schedule, make_cosine_schedule
from dcsomrl.networks import Autoencoder
from dcsomrl.ranges import NonNegative, ShareBetween

ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=1e-3, fused=True)
# Logged beside the terms: the total, and the deviation of the codes, which shows a collapse.
TOTAL, SPREAD = "loss", "latent_spread"
# The term that alpha weighs, and by how much where nothing is said.
CLUSTERING, ALPHA = "clustering", 0.1


class DCSOMRL(ClusteringModule):
    r"""Autoencoder and SOMRL map, trained together.

    The code is ``z = sigmoid(encoder(x))``. A step first moves the map to the batch's codes, then
    takes the gradient of ``mse(x, decoder(z)) + alpha * D_w(z, c_winner)`` (eq. 7), in which the
    map is constant: the clustering term moves the encoder alone. Means are taken over pixels and
    batch for the reconstruction, the sum over dimensions and the mean over the batch for the
    distance.

    Args:
        autoencoder: networks from samples to codes and back.
        som: the map, as wide as the codes.
        alpha: :math:`\alpha` >= 0, weight of the clustering loss, 0.1 where nothing is said.
            Beside ``losses`` it may be left out, or be the weight of the term ``clustering``.
        optimizer: makes the optimiser from the parameters; Adam by default.
        losses: terms of the loss by the name under which they are logged, each with its own weight;
            None for the two of eq. 7, ``reconstruction`` and ``clustering``.
        regrow: share of the training, in (0, 1), after which the map grows anew once: what it was
            at first, when codes hardly differed, says little of where they are by then, and nodes
            that still win something never leave. None for a map that is never cleared.
        schedule: ``constant`` learning rate, or ``cosine``: falling to a hundredth of it over the
            whole training.

    Raises:
        ValueError: alpha is negative or not the weight that the losses have, the map and the codes
            differ in width, the terms are none or of another class or have a name that is taken or
            all begin later, regrow is out of its range, or there is no such schedule.

    Source: section 3.7 and eq. 7.
    """

    @check_arguments
    def __init__(
        self,
        autoencoder: Autoencoder,
        som: SOMRL,
        alpha: NonNegative | None = None,
        optimizer: OptimizerFactory = ADAM,
        losses: Mapping[str, Term] | None = None,
        schedule: Schedule = "constant",
        regrow: ShareBetween | None = None,
    ) -> None:
        if losses is None:
            pull = RelevanceDistance(ALPHA if alpha is None else alpha)
            losses = {"reconstruction": Reconstruction(), CLUSTERING: pull}
        named = name_terms(losses)
        if not losses or {TOTAL, SPREAD} & set(losses):
            raise ValueError(
                f"losses must be terms by names other than {TOTAL} and {SPREAD}, got "
                f"{', '.join(losses) or 'none'}"
            )
        if all(term.begin > 0 for term in losses.values()):
            raise ValueError("a term of the loss must count from the beginning: set a begin to 0")
        weight = losses[CLUSTERING].weight if CLUSTERING in losses else None
        if alpha not in (None, weight):
            raise ValueError(
                f"alpha={alpha} is the weight of the term {CLUSTERING}, "
                f"{'which losses have not' if weight is None else f'which is {weight} in losses'}: "
                "leave alpha out"
            )
        super().__init__(optimizer)
        if som.n_features != autoencoder.latent_dim:
            raise ValueError(
                f"the map takes {som.n_features} features, but a code has "
                f"{autoencoder.latent_dim} dimensions"
            )
        self.autoencoder = autoencoder
        self.som = som
        self.schedule, self.regrow = schedule, regrow
        self._regrows_at, self._regrown_at = -1, -1
        self._regrows_now = False
        self.losses = named
        self._begins_at = dict.fromkeys(losses, 0)
        self._begun = tuple(losses)

    @property
    def codebook(self) -> SOMRL:
        """The map."""
        return self.som

    def encode(self, x: Tensor) -> Tensor:
        """Codes (batch, m) in [0, 1]."""
        # In single precision also where the network ran in half: at a threshold of 0.9989 a node
        # reaches 0.034 a dimension, near the grain of bfloat16 about 0.5.
        return to_single(self.autoencoder.encode(x)).sigmoid()

    def decode(self, z: Tensor) -> Tensor:
        """Samples (batch, *shape) from codes (batch, m)."""
        return to_single(self.autoencoder.decode(z))

    def prepare_step(self) -> bool:
        """Which terms count by now, and whether the map grows anew, which cannot be compiled."""
        step = self.global_step
        self._begun = tuple(name for name, at in self._begins_at.items() if step >= at)
        # Once, also where several batches make a step of the optimiser.
        self._regrows_now = self._regrows_at == step != self._regrown_at
        return not self._regrows_now

    def learn(self, z: Tensor) -> None:
        """A step of the map, which first is cleared where it grows anew."""
        if self._regrows_now:
            self.som.clear_()
            # Before any code is drawn to it: codes of groups that share a node become one group.
            self.som.fill_(z)
            self._regrown_at, self._regrows_now = self.global_step, False
        self.som.learn_(z)

    def terms(self, step: Step) -> dict[str, Tensor]:
        """The terms, their weighted sum and the deviation of the codes, on the map as it is."""
        losses: dict[str, Any] = dict(self.losses.items())
        values = compute_terms(losses, step)
        begun = {name: values[name] for name in self._begun}
        spread = step.z.detach().std(0, correction=0).mean()
        # Read anew in every step: a weight may change in the course of a training.
        weights = {name: losses[name].weight for name in begun}
        return {TOTAL: sum_terms(begun, weights), **values, SPREAD: spread}

    def configure_optimizers(self) -> Any:
        """The optimiser over all parameters, and the schedule of its learning rate.

        Raises:
            ConfigError: something goes by the length of the training, which has no end.
        """
        optimizer = super().configure_optimizers()
        begins = {name: float(term.begin) for name, term in self.losses.items()}  # type: ignore[arg-type]
        self._begins_at = dict.fromkeys(begins, 0)
        if self.schedule == "constant" and self.regrow is None and not any(begins.values()):
            return optimizer
        steps = self.trainer.estimated_stepping_batches
        if not math.isfinite(steps) or steps < 1:
            raise ConfigError(
                "a cosine schedule, a map that grows anew and a term that begins later go by the "
                "length of the training, and this one has no end: set `max_epochs` or `max_steps`, "
                "or `schedule=constant`, `regrow=None` and a `begin` of 0"
            )
        self._begins_at = {name: round(begin * steps) for name, begin in begins.items()}
        if self.regrow is not None:
            self._regrows_at = max(round(self.regrow * steps), 1)
        if self.schedule == "constant":
            return optimizer
        schedule = make_cosine_schedule(optimizer, int(steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
