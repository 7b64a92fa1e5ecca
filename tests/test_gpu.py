"""What only a CUDA device can show. Imports nothing beyond what training needs, and pytest."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from pytorch_lightning import Trainer

from dcsomrl import metrics
from dcsomrl.data import ClusterData
from dcsomrl.data.sources import digits
from dcsomrl.maps import SOMRL
from dcsomrl.networks import MLPAutoencoder
from dcsomrl.training.callbacks.choose_precision import time_steps

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
OPTIONS = [
    {},
    {"distance_mode": "drift", "repel_mode": "signed"},
    {"neighborhood_form": "quotient", "repel_mode": "proportional"},
    {"repel_mode": "none"},
]


@contextmanager
def no_waiting() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def batches(dtype=torch.float32):
    stream = torch.Generator().manual_seed(0)
    middles = torch.rand(6, 5, generator=stream)
    chosen = middles[torch.randint(6, (20, 24), generator=stream)]
    noisy = chosen + 0.05 * torch.randn(20, 24, 5, generator=stream)
    return noisy.clamp(0, 1).to(dtype)


def made(**options):
    return SOMRL(5, max_nodes=16, activation_threshold=0.99, **options).train()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_step_of_the_map_never_waits(options):
    som = made(**options).cuda()
    ready = batches().cuda()
    for z in ready[:10]:
        som(z)
    with no_waiting():
        for z in ready[10:]:
            som(z)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_map_is_that_of_the_cpu(options):
    one, two = made(**options).double(), made(**options).double().cuda()
    for z in batches(torch.float64):
        one(z)
        two(z.cuda())
    assert torch.equal(one.live, two.live.cpu())
    torch.testing.assert_close(one.centers, two.centers.cpu())
    torch.testing.assert_close(one.relevances, two.relevances.cpu())


def test_small_data_lies_on_the_gpu_and_is_taken_without_waiting():
    data = ClusterData(digits, "digits", batch_size=64)
    data.setup("fit")
    data.trainer = Trainer(accelerator="gpu", devices=1, logger=False)
    batches = iter(data.train_dataloader())
    assert next(batches).x.device.type == "cuda"
    with no_waiting():
        assert next(batches).x.device.type == "cuda"


def test_scores_are_taken_in_without_waiting_and_equal_the_cpu():
    stream = torch.Generator().manual_seed(0)
    clusters = torch.randint(-1, 20, (300,), generator=stream)
    labels = torch.randint(5, (300,), generator=stream)
    distances = torch.rand(300, generator=stream)
    found = []
    for device in ("cpu", "cuda"):
        scores = metrics.make_label_scores(20, 5).to(device)
        error, usage = metrics.QuantizationError().to(device), metrics.NodeUsage(20).to(device)
        given = [part.to(device) for part in (clusters, labels, distances)]
        with no_waiting():
            scores.update(given[0], given[1])
            error.update(given[2])
            usage.update(given[0])
        computed = {**scores.compute(), **usage.compute(), "error": error.compute()}
        found.append({name: float(value) for name, value in computed.items()})
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_the_precision_that_is_faster_is_measured_on_the_device():
    network = MLPAutoencoder((1, 8, 8), latent_dim=5, hidden_dims=[16])
    single, half = time_steps(network, torch.rand(64, 1, 8, 8, device="cuda"))
    assert min(single, half) > 0
    assert next(network.parameters()).device.type == "cpu"
