"""Means of an epoch's losses: by name, over a stop in the middle, and of what is not a number."""

import torch

from dcsomrl.models.sums import EpochSums


def losses(seed: int) -> dict[str, torch.Tensor]:
    values = torch.rand(3, generator=torch.Generator().manual_seed(seed))
    return dict(zip(("loss", "near", "far"), values, strict=True))


def test_means_are_those_of_the_steps_by_name():
    sums = EpochSums()
    for epoch in (0, 10):
        steps = [losses(epoch + step) for step in range(4)]
        for step in steps:
            sums.add(step)
        found = sums.compute_means()
        assert list(found) == ["loss", "near", "far"]
        for name, mean in found.items():
            torch.testing.assert_close(mean, torch.stack([step[name] for step in steps]).mean())
        sums.clear()


def test_an_epoch_that_is_stopped_in_its_middle_has_the_same_means():
    whole, before = EpochSums(), EpochSums()
    for step in range(2):
        whole.add(losses(step))
        before.add(losses(step))
    state = before.state_dict()
    before.add(losses(9))  # what is kept is a copy
    after = EpochSums()
    # Names in another order, as of a term that is configured elsewhere now.
    after.load_state_dict(dict(sorted(state.items())))
    for step in range(2, 5):
        whole.add(losses(step))
        after.add(losses(step))
    assert {name: float(mean) for name, mean in after.compute_means().items()} == {
        name: float(mean) for name, mean in whole.compute_means().items()
    }


def test_one_loss_that_is_no_number_shows_for_the_rest_of_the_epoch():
    sums = EpochSums()
    sums.add(losses(0))
    assert sums.find_not_finite() == []
    sums.add(losses(1) | {"near": torch.tensor(float("inf"))})
    sums.add(losses(2))
    assert sums.find_not_finite() == ["near"]
    sums.clear()
    assert sums.find_not_finite() == []
