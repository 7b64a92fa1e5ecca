"""Batches under a real trainer: every epoch, after every kind of interruption, and shared."""

import warnings
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from dcsomrl.data import Arrays, ClusterData, batches
from dcsomrl.data.batches import EpochPermutation, InOrder

N, BATCH, STEPS = 37, 8, 5  # the last of 5 batches is a partial one


class Recorder(LightningModule):
    """Writes down the rows of every batch."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.trainer.current_epoch, batch.index.tolist()))
        return self.layer(batch.x).mean()

    def validation_step(self, batch, batch_idx):
        self.log("val", self.layer(batch.x).mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


class Images:
    """Samples that are not a tensor, as those on the disk."""

    def __init__(self, x):
        self.x, self.shape = x, tuple(x.shape)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index]


class SaveAndStop(Callback):
    """Saves after a number of steps, in the middle of whatever epoch, and stops there."""

    def __init__(self, path, steps):
        self.path, self.steps = path, steps

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.steps:
            trainer.save_checkpoint(self.path)
            raise KeyboardInterrupt


def trained(folder, callbacks=(), workers=0, ckpt_path=None, **settings):
    """The batches that a training sees."""
    x = torch.rand(N, 2, generator=torch.Generator().manual_seed(0))
    source = Arrays(Images(x) if workers else x, None, x, None)
    data = ClusterData(
        lambda: source,
        "things",
        BATCH,
        val_fraction=0.2 if settings.pop("val", 0) else 0,
        num_workers=workers,
        seed=3,
    )
    model = Recorder()
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=any(isinstance(item, ModelCheckpoint) for item in callbacks),
        callbacks=list(callbacks),
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        **{"max_epochs": 3, **settings},
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*not resumable.*")
            trainer.fit(model, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    except SystemExit:  # Lightning's answer to the interruption
        pass
    return model.seen


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("whole"))


def test_every_epoch_is_another_permutation_of_all_rows(whole):
    epochs = [
        [row for epoch, rows in whole for row in rows if epoch == number] for number in range(3)
    ]
    assert all(sorted(epoch) == list(range(N)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [len(rows) for _, rows in whole[:STEPS]] == [8, 8, 8, 8, 5]


@pytest.mark.parametrize("steps", range(1, 3 * STEPS))
def test_a_run_stopped_after_any_step_goes_on_with_the_batches_to_come(whole, tmp_path, steps):
    path = tmp_path / "stopped.ckpt"
    before = trained(tmp_path, [SaveAndStop(path, steps)])
    after = trained(tmp_path, ckpt_path=path)
    assert [rows for _, rows in before] == [rows for _, rows in whole[:steps]]
    assert [rows for _, rows in after] == [rows for _, rows in whole[steps:]]


@pytest.mark.parametrize("steps", [2, STEPS + 3])
def test_a_run_stopped_twice_goes_on_with_the_batches_to_come(whole, tmp_path, steps):
    first, second = tmp_path / "first.ckpt", tmp_path / "second.ckpt"
    trained(tmp_path, [SaveAndStop(first, steps)])
    middle = trained(tmp_path, [SaveAndStop(second, steps + 1)], ckpt_path=first)
    after = trained(tmp_path, ckpt_path=second)
    assert [rows for _, rows in middle + after] == [rows for _, rows in whole[steps:]]


@pytest.mark.parametrize("steps", [1, STEPS - 1, STEPS, STEPS + 2])
def test_a_run_with_workers_goes_on_with_the_batches_to_come(whole, tmp_path, steps):
    path = tmp_path / "stopped.ckpt"
    trained(tmp_path, [SaveAndStop(path, steps)], workers=2)
    after = trained(tmp_path, ckpt_path=path, workers=2)
    assert [rows for _, rows in after] == [rows for _, rows in whole[steps:]]


@pytest.mark.parametrize("every", [1, 3, 4])
def test_checkpoints_of_every_few_steps_go_on_with_the_batches_to_come(whole, tmp_path, every):
    saver = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=every, save_top_k=-1)
    trained(tmp_path, [saver])
    for path in tmp_path.glob("*.ckpt"):
        steps = int(path.stem.removeprefix("step="))
        after = trained(tmp_path, ckpt_path=path)
        assert [rows for _, rows in after] == [rows for _, rows in whole[steps:]]


@pytest.mark.parametrize(
    ("settings", "at_train_end"),
    [({}, True), ({"limit_train_batches": 3}, True), ({"val": 1}, True), ({"val": 1}, False)],
)
def test_a_checkpoint_of_an_epochs_end_goes_on_with_the_next_epoch(
    tmp_path, settings, at_train_end
):
    whole = trained(tmp_path, **settings)
    saver = ModelCheckpoint(
        tmp_path, "{epoch}", save_top_k=-1, save_on_train_epoch_end=at_train_end
    )
    trained(tmp_path, [saver], **settings)
    after = trained(tmp_path, ckpt_path=tmp_path / "epoch=0.ckpt", **settings)
    steps = sum(epoch == 0 for epoch, _ in whole)
    assert [rows for _, rows in after] == [rows for _, rows in whole[steps:]]


@pytest.mark.parametrize("steps", [2, STEPS, STEPS + 2])
def test_a_run_that_counts_steps_goes_on_with_the_batches_to_come(whole, tmp_path, steps):
    path, limits = tmp_path / "stopped.ckpt", {"max_epochs": -1, "max_steps": 3 * STEPS}
    trained(tmp_path, [SaveAndStop(path, steps)], **limits)
    after = trained(tmp_path, ckpt_path=path, **limits)
    assert [rows for _, rows in after] == [rows for _, rows in whole[steps:]]


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_order_depends_on_the_seed_and_on_the_epoch(seed, other, epoch):
    def order(seed, epoch):
        sampler = EpochPermutation(40, 16, seed)
        sampler.set_epoch(epoch)
        return torch.cat(list(sampler)).tolist()

    assert order(seed, epoch) == order(seed, epoch)
    assert order(seed, epoch) != order(seed, epoch + 1)
    assert (order(seed, epoch) == order(other, epoch)) == (seed == other)


@pytest.fixture
def as_rank(monkeypatch):
    """Make this process one of several: ``as_rank(rank, size)``."""

    def become(rank, size):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
        monkeypatch.setattr(torch.distributed, "get_world_size", lambda: size)

    return become


@pytest.mark.parametrize("n", [N, 32, 33, 35])
def test_processes_share_every_batch_evenly(as_rank, n):
    size, sampler = 4, EpochPermutation(n, BATCH, 0)
    alone = [batch.tolist() for batch in sampler]
    shares = []
    for rank in range(size):
        as_rank(rank, size)
        shares.append([batch.tolist() for batch in sampler])
        assert len(shares[-1]) == len(sampler)
    for batch, parts in zip(alone, zip(*shares, strict=True), strict=False):
        together = [row for part in parts for row in part]
        assert together == batch[: len(batch) // size * size]
        assert len({len(part) for part in parts}) == 1
    assert len(shares[0]) == sum(len(batch) >= size for batch in alone)


@given(
    n=st.integers(1, 60), size=st.integers(1, 4), share=st.integers(1, 5), epoch=st.integers(0, 3)
)
def test_processes_divide_every_batch_evenly_and_miss_less_than_one_each(n, size, share, epoch):
    batch = size * share

    def rows(rank, size):
        """What one process gets."""
        original, batches.get_rank_and_size = batches.get_rank_and_size, lambda: (rank, size)
        try:
            sampler = EpochPermutation(n, batch, seed=3)
            sampler.set_epoch(epoch)
            parts = list(sampler)
            assert len(parts) == len(sampler)
            return parts
        finally:
            batches.get_rank_and_size = original

    alone = rows(0, 1)
    together = [rows(rank, size) for rank in range(size)]
    joined = [torch.cat(parts) for parts in zip(*together, strict=True)]
    for part, whole in zip(joined, alone, strict=False):
        assert torch.equal(part, whole[: len(part)])
    missed = n - sum(map(len, joined))
    assert 0 <= missed < size


def test_a_batch_that_cannot_be_shared_evenly_is_refused(as_rank):
    as_rank(0, 3)
    with pytest.raises(ValueError, match=r"batch_size=8. .* 3 processes"):
        next(iter(EpochPermutation(N, BATCH, 0)))


def test_processes_share_an_evaluation_in_order(as_rank):
    rows = []
    for rank in range(3):
        as_rank(rank, 3)
        rows += [row for batch in InOrder(N, 5, shared=True) for row in batch.tolist()]
        alone = [row for batch in InOrder(N, 5, shared=False) for row in batch.tolist()]
        assert alone == list(range(N))
    assert Counter(rows) == Counter(range(N))
    assert rows == sorted(rows)
