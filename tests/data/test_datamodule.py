import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning import Callback, LightningModule, Trainer

from dcsomrl.data import Arrays, ClusterData, batches
from dcsomrl.data.batches import EpochPermutation
from dcsomrl.errors import DataError


def source(n=50, labels=True):
    x = torch.rand(n, 3, generator=torch.Generator().manual_seed(0))
    y = torch.arange(n) % 4 if labels else None
    return Arrays(x, y, x[:10] + 1, None if y is None else y[:10])


def made(n=50, **settings):
    data = ClusterData(lambda: source(n), "toy", **{"batch_size": 8, **settings})
    data.setup()
    return data


def test_training_batches_carry_no_labels_and_evaluation_batches_do():
    data = made()
    assert all(batch.y is None for batch in data.train_dataloader())
    for split in ("train", "val", "test"):
        assert all(batch.y is not None for batch in data.split_dataloader(split))


def test_the_validation_part_is_drawn_by_seed_and_apart_from_training():
    parts = {}
    for seed in (0, 0, 1):
        data = made(val_fraction=0.3, seed=seed, normalization="none")
        train, val = (
            torch.cat([batch.x for batch in data.split_dataloader(split)])
            for split in ("train", "val")
        )
        assert (len(train), len(val)) == (35, 15)
        assert len(torch.cat([train, val]).unique(dim=0)) == 50
        parts.setdefault(seed, []).append(val)
    assert torch.equal(*parts[0])
    assert not torch.equal(parts[0][0], parts[1][0])


def test_an_epoch_is_a_permutation_and_every_epoch_another():
    data = made(val_fraction=0)
    loader = data.train_dataloader()
    epochs = []
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        epochs.append(torch.cat([batch.index for batch in loader]))
        assert epochs[-1].sort().values.tolist() == list(range(50))
    assert not torch.equal(epochs[0], epochs[1])
    loader.sampler.set_epoch(1)
    assert torch.equal(torch.cat([batch.index for batch in loader]), epochs[1])


@given(
    n=st.integers(1, 60), size=st.integers(1, 4), share=st.integers(1, 5), epoch=st.integers(0, 3)
)
def test_processes_divide_every_batch_evenly_and_miss_less_than_one_each(n, size, share, epoch):
    batch = size * share

    def rows(rank, size):
        """What one process gets."""
        original, batches.world = batches.world, lambda: (rank, size)
        try:
            sampler = EpochPermutation(n, batch, seed=3)
            sampler.set_epoch(epoch)
            parts = list(sampler)
            assert len(parts) == len(sampler)
            return parts
        finally:
            batches.world = original

    alone = rows(0, 1)
    together = [rows(rank, size) for rank in range(size)]
    joined = [torch.cat(parts) for parts in zip(*together, strict=True)]
    for part, whole in zip(joined, alone, strict=False):
        assert torch.equal(part, whole[: len(part)])
    missed = n - sum(map(len, joined))
    assert 0 <= missed < size


def test_normalisation_is_by_the_training_part_alone():
    data = made(normalization="standard")
    train = torch.cat([batch.x for batch in data.split_dataloader("train")])
    assert float(train.mean()) == pytest.approx(0, abs=1e-5)
    assert float(train.std()) == pytest.approx(1, abs=1e-5)
    raw = source().train_x[data._rows["train"]]
    torch.testing.assert_close(data.denormalize(train), raw)
    test = torch.cat([batch.x for batch in data.split_dataloader("test")])
    torch.testing.assert_close(test, (source().test_x - raw.mean()) / raw.std())


def test_minmax_is_by_feature_and_stays_in_the_cube():
    data = made(normalization="minmax")
    train, test = (
        torch.cat([batch.x for batch in data.split_dataloader(split)])
        for split in ("train", "test")
    )
    assert train.amin(0).tolist() == [0, 0, 0]
    assert train.amax(0).tolist() == [1, 1, 1]
    assert float(test.max()) == 1


def test_half_and_bytes():
    x = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    data = ClusterData(lambda: Arrays(x, None, x, None), "b", 1, 0.0, "half")
    data.setup()
    assert data.transform(x).tolist() == [pytest.approx([-1, -0.6, 1])]
    assert data.num_classes == 0


def test_the_normalisation_travels_as_plain_values():
    data = made(normalization="minmax")
    other = ClusterData(lambda: source(), "toy", normalization="minmax")
    other.load_state_dict(data.state_dict())
    x = torch.rand(4, 3)
    assert torch.equal(other.transform(x.clone()), data.transform(x.clone()))


def test_fewer_samples_than_a_batch_are_refused():
    with pytest.raises(DataError, match=r"45 training samples.*batch_size to at most 45"):
        made(batch_size=46)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"val_fraction": 1.0}, r"val_fraction must be in \[0, 1\)"),
        ({"normalization": "zscore"}, "normalization must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        ClusterData(source, "toy", **settings)


def test_an_empty_or_unknown_split_is_refused():
    with pytest.raises(DataError, match="val split of toy is empty"):
        made(val_fraction=0).split_dataloader("val")
    with pytest.raises(DataError, match="split must be"):
        made().split_dataloader("dev")


class Recorder(LightningModule):
    """Notes the rows of every batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch.index.tolist())
        return (batch.x @ self.weight).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def trained(folder, model, resume=None, save_at=None):
    class SaveAt(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == save_at:
                trainer.save_checkpoint(folder / "mid.ckpt")
                trainer.should_stop = True

    trainer = Trainer(
        accelerator="cpu",
        max_epochs=3,
        callbacks=[SaveAt()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        use_distributed_sampler=False,
        default_root_dir=folder,
        min_epochs=None,
    )
    trainer.fit(
        model, datamodule=made(val_fraction=0), ckpt_path=resume, weights_only=resume and True
    )
    return model.seen


@pytest.mark.parametrize("save_at", [1, 6, 7, 8, 10, 14])
def test_a_run_saved_in_the_middle_of_an_epoch_goes_on_with_the_batches_to_come(tmp_path, save_at):
    whole = trained(tmp_path, Recorder())
    assert len(whole) == 3 * 7
    trained(tmp_path, Recorder(), save_at=save_at)
    rest = trained(tmp_path, Recorder(), resume=tmp_path / "mid.ckpt")
    assert rest == whole[save_at:]
