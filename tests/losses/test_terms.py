"""Terms by themselves: formulas in NumPy, what a step computes, and the model that sums them."""

import math

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback, Trainer

from dcsomrl.data import Arrays, Augmentation, ClusterData, Neighbors
from dcsomrl.errors import ConfigError, TrainingError
from dcsomrl.losses import (
    Consistency,
    Reconstruction,
    RelevanceDistance,
    Step,
    Term,
    commitment,
    divergence,
    grid_attraction,
    neighborhood,
    sharpen,
    smoothness,
    soft_assignment,
    sum_terms,
    transition,
)
from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.networks import MLPAutoencoder
from dcsomrl.training.callbacks.stop_on_nan import StopOnNaN
from dcsomrl.training.warnings import warn_of_unused


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_terms_on_a_grid_are_their_sums():
    distance, kernel, around = random(6, 4), random(4, 4, seed=1), random(6, 4, seed=2) > 0.5
    d, k = distance.numpy(), kernel.numpy()
    by_hand = sum(k[row.argmin()] @ row for row in d) / 6
    assert neighborhood(distance, kernel).item() == pytest.approx(by_hand)
    by_hand = d[around.numpy()].sum() / 6 / (5 * 3)
    assert grid_attraction(distance, around, 3).item() == pytest.approx(by_hand)
    assert grid_attraction(distance, around, 3, 7).item() == pytest.approx(by_hand * 5 / 7)
    z, e = random(5, 3), random(5, 3, seed=3)
    by_hand = ((z.numpy() - e.numpy()) ** 2).mean()
    assert commitment(z, e).item() == pytest.approx(by_hand)


def test_the_weights_of_a_neighborhood_are_constant():
    distance = random(6, 4).requires_grad_()
    kernel = random(4, 4, seed=1)
    neighborhood(distance, kernel).backward()
    expected = kernel[distance.argmin(1)] / 6
    torch.testing.assert_close(distance.grad, expected)


def test_the_divergence_of_a_soft_assignment_from_its_target():
    distance = random(7, 3)
    q = 1 / (1 + distance.numpy())
    q /= q.sum(1, keepdims=True)
    np.testing.assert_allclose(soft_assignment(distance), q)
    p = q**2 / q.sum(0)
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(sharpen(torch.tensor(q)), p)
    by_hand = (p * np.log(p / q)).sum() / 7
    assert divergence(torch.tensor(p), torch.tensor(q)).item() == pytest.approx(by_hand)
    # A target that is sure of a sample has no logarithm of zero in it.
    sure = torch.tensor([[1.0, 0.0]])
    assert divergence(sure, torch.tensor([[0.25, 0.75]])).item() == pytest.approx(np.log(4))


def test_terms_of_a_sequence_are_those_of_its_steps():
    logs, distance = random(4, 4).log_softmax(1), random(5, 4, seed=1)
    before, winner = torch.tensor([0, 0, 2, 3, 1]), torch.tensor([0, 2, 3, 1, 1])
    p = logs.exp().numpy()
    steps = list(zip(before.tolist(), winner.tolist(), strict=True))
    by_hand = -np.mean([np.log(p[a, b]) for a, b in steps])
    assert transition(logs, before, winner).item() == pytest.approx(by_hand)
    by_hand = np.mean([(p[a] * distance[i].numpy()).mean() for i, (a, _) in enumerate(steps)])
    assert smoothness(logs, before, distance).item() == pytest.approx(by_hand)


class Counting:
    """A model that counts what it is asked."""

    def __init__(self):
        self.asked = []

    def encode(self, x):
        self.asked.append("encode")
        return x

    def decode(self, z):
        self.asked.append("decode")
        return z

    def assign(self, z):
        self.asked.append("assign")
        return z


def test_a_step_computes_what_is_asked_for_once():
    model = Counting()
    step = Step(random(3, 2), random(3, 2, seed=1), model)
    assert model.asked == []
    assert Reconstruction()(step) == Reconstruction()(step)
    assert model.asked == ["decode"]


def test_the_sum_of_terms_has_their_weights():
    values = {"a": torch.tensor(2.0), "b": torch.tensor(3.0), "c": torch.tensor(5.0)}
    assert sum_terms(values, {"a": 1.0, "b": 0.5, "c": 0.0}) == 3.5


class Scale(Term):
    """A term with a parameter of its own."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(weight)
        self.scale = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, step: Step) -> torch.Tensor:
        return (self.scale - 1) ** 2 + 0 * step.z.sum()


def model(**losses: Term) -> DCSOMRL:
    torch.manual_seed(0)
    autoencoder = MLPAutoencoder((1, 4, 4), 3, hidden_dims=(8,))
    return DCSOMRL(autoencoder, SOMRL(3, 10), losses=losses or None, alpha=None if losses else 0.5)


def test_a_model_sums_its_terms_and_trains_their_parameters():
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    usual = model()
    found = usual.training_terms(Step(x, usual.encode(x), usual))
    more = model(
        reconstruction=Reconstruction(), clustering=RelevanceDistance(0.5), scale=Scale(0.25)
    )
    terms = more.training_terms(Step(x, more.encode(x), more))
    assert list(terms) == ["loss", "reconstruction", "clustering", "scale", "latent_spread"]
    torch.testing.assert_close(terms["loss"], found["loss"] + 0.25)
    terms["loss"].backward()
    assert more.losses["scale"].scale.grad == 0.5
    assert "losses.scale.scale" in more.state_dict()
    assert model().state_dict().keys() == model(reconstruction=Reconstruction()).state_dict().keys()


def test_terms_that_make_no_loss_are_refused():
    with pytest.raises(ValueError, match="weight must be at least 0 and finite, got -1"):
        Reconstruction(-1)
    with pytest.raises(ValueError, match="names other than loss and latent_spread, got loss"):
        model(loss=Reconstruction())
    autoencoder = MLPAutoencoder((4,), 3, hidden_dims=(8,))
    for losses, said in (
        ({}, "got none"),
        ([Reconstruction()], "losses must map names to terms.*got list"),
        ({"a.b": Reconstruction()}, r"cannot be called 'a\.b' \(.*choose another name"),
        ({"pop": Reconstruction()}, "cannot be called 'pop'"),
        ({5: Reconstruction()}, "cannot be called 5"),
        ({"a": torch.nn.ReLU()}, r"term a of losses is of class ReLU, which must derive from"),
    ):
        with pytest.raises(ValueError, match=said):
            DCSOMRL(autoencoder, SOMRL(3), losses=losses)


def test_alpha_and_the_weight_of_the_clustering_are_one():
    assert model().losses["clustering"].weight == 0.5
    autoencoder = MLPAutoencoder((4,), 3, hidden_dims=(8,))
    pull, error = RelevanceDistance(0.2), Reconstruction()
    both = {"reconstruction": error, "clustering": pull}
    assert DCSOMRL(autoencoder, SOMRL(3), 0.2, losses=both).losses["clustering"].weight == 0.2
    with pytest.raises(ValueError, match=r"alpha=9.0 .* which is 0\.2 in losses: leave alpha out"):
        DCSOMRL(autoencoder, SOMRL(3), 9.0, losses=both)
    with pytest.raises(ValueError, match=r"alpha=0.1 .* which losses have not: leave alpha out"):
        DCSOMRL(autoencoder, SOMRL(3), 0.1, losses={"reconstruction": error})


def test_a_weight_that_changes_counts_from_the_next_step_on():
    x = random(8, 1, 4, 4).float()
    found = model().eval()
    step = Step(x, found.encode(x), found)
    before = found.terms(step)
    found.losses["clustering"].weight = 100.0
    found.losses["reconstruction"].weight = 0.0
    after = found.terms(step)
    torch.testing.assert_close(after["loss"], 100 * before["clustering"])


class Returning(Term):
    """A term that returns what it is given."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value

    def forward(self, step: Step) -> torch.Tensor:
        return self.value


@pytest.mark.parametrize(
    ("value", "said"),
    [(torch.zeros(8), r"shape \(8,\)"), (torch.zeros(1), "shape"), (1.0, "float")],
)
def test_a_term_that_returns_no_number_is_named(value, said):
    found = model(odd=Returning(value))
    x = random(8, 1, 4, 4).float()
    with pytest.raises(ConfigError, match=f"term odd of the loss, Returning, returns {said}"):
        found.terms(Step(x, found.encode(x), found))


class Reading(Term):
    """A term that reads views and neighbours, and says so or not."""

    def __init__(self, *parts: str, compares_neighbors: bool = False) -> None:
        super().__init__()
        self.parts, self.compares_neighbors = parts, compares_neighbors

    def forward(self, step: Step) -> torch.Tensor:
        codes = [code for part in self.parts for code in getattr(step, part)]
        return sum((code.mean() for code in codes), step.z.mean())


def train(found: DCSOMRL, *callbacks: Callback, **settings: object) -> ClusterData:
    """The data that a model is trained on for an epoch."""
    arrays = Arrays(random(40, 1, 4, 4).float(), None, random(8, 1, 4, 4).float(), None)
    data = ClusterData(lambda: arrays, batch_size=20, val_fraction=0, **settings)
    quiet = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, callbacks=list(callbacks), **dict.fromkeys(quiet, False)
    )
    trainer.fit(found, data)
    return data


def test_a_term_that_is_no_number_is_named():
    odd = Returning(torch.tensor(math.nan))
    with pytest.raises(
        TrainingError, match=r"being a number \(odd\) in epoch 0, by step 1; .*term"
    ):
        train(model(reconstruction=Reconstruction(), odd=odd), StopOnNaN())


@pytest.mark.parametrize("parts", [(), ("view_codes",), ("views", "neighbor_codes"), ("neighbor",)])
def test_what_terms_compare_is_known_by_what_they_read(parts):
    found = model(plain=Reading(*parts))
    assert found.read is None
    data = train(found, neighbors=Neighbors(1, cache_dir=None), augmentation=Augmentation(views=1))
    said = " ".join(warn_of_unused(data, found))
    assert ("views" in said) == all("view" not in part for part in parts)
    assert ("neighbours" in said) == all("neighbor" not in part for part in parts)
    kept: dict = {}
    found.on_save_checkpoint(kept)
    again = model(plain=Reading(*parts))
    again.on_load_checkpoint(kept)
    assert again.read == found.read
    again.on_load_checkpoint({"epoch_sums": kept["epoch_sums"]})  # of before it was kept
    assert warn_of_unused(data, again) == []


def test_data_without_what_a_term_compares_is_refused_before_the_first_step():
    found = model(pair=Reading("neighbor_codes", compares_neighbors=True))
    before = {name: value.clone() for name, value in found.state_dict().items()}
    seen: list[int] = []
    found.on_train_start = lambda: seen.append(1)
    with pytest.raises(ConfigError, match="term pair of the loss compares neighbours, and the da"):
        train(found)
    assert seen == []
    assert all(torch.equal(value, before[name]) for name, value in found.state_dict().items())
    with pytest.raises(ConfigError, match="term view of the loss compares views, and the data ma"):
        train(model(view=Consistency(), whole=Reconstruction()))
