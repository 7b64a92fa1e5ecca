"""How the step runs: without waiting, compiled, in single precision, on several processes."""

import subprocess
import sys
import textwrap
from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dcsomrl.maps import SOMRL, nearest, somrl, state
from tests.warm import PYTHON

BATCHES = 20


def batches(n=BATCHES, batch=24, m=5, dtype=torch.float32, device="cpu"):
    stream = torch.Generator().manual_seed(0)
    middles = torch.rand(6, m, generator=stream)
    for _ in range(n):
        chosen = middles[torch.randint(6, (batch,), generator=stream)]
        z = chosen + 0.05 * torch.randn(batch, m, generator=stream)
        yield z.clamp(0, 1).to(device, dtype)


def made(**options):
    return SOMRL(5, max_nodes=16, activation_threshold=0.99, **options).train()


def trained(som, **where):
    for z in batches(**where):
        som(z)
    return som


def assert_equal(one, two):
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """No shape goes by what a tensor holds, which a processor does for speed."""
    for module in (nearest, somrl, state):
        monkeypatch.setattr(module, "may_wait", lambda x: False)


class NoSync(TorchDispatchMode):
    """Fails on what would make the host wait for a GPU, or shape tensors by their content."""

    WAITS = ("_local_scalar_dense", "item", "nonzero", "masked_select", "unique", "is_nonzero")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        waits = any(name == word or name.startswith(f"{word}_") for word in self.WAITS)
        if name.startswith(("index", "_index_put")) and len(args) > 1:
            indices = args[1] if isinstance(args[1], list | tuple) else []
            waits |= any(
                i is not None and i.dtype in (torch.bool, torch.uint8)
                for i in indices
                if isinstance(i, torch.Tensor)
            )
        if waits:
            raise AssertionError(f"{func} waits for the device")
        return func(*args, **(kwargs or {}))


OPTIONS = [
    {},
    {"distance_mode": "spread", "repel_mode": "signed"},
    {"neighborhood_form": "quotient", "repel_mode": "proportional"},
    {"repel_mode": "none"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_step_never_waits_for_the_device(options, as_on_a_gpu):
    som = trained(made(**options))
    with NoSync():
        for z in batches(3):
            som(z.requires_grad_())


@pytest.mark.parametrize(
    "waiting",
    [
        lambda x: x.sum().item(),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: 1 if x.sum() > 0 else 0,
    ],
)
def test_the_watch_notices_what_waits(waiting):
    with NoSync(), pytest.raises(AssertionError, match="waits"):
        waiting(torch.ones(3))


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_whole_step_compiles_into_one_graph(options):
    som, twin = made(**options), made(**options)

    def step(z):
        som.step_(som.reduce(som.statistics(z)))

    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    for z in batches(6):
        compiled(z)
        twin.step_(twin.reduce(twin.statistics(z)))
        assert torch.equal(som.live, twin.live)
        torch.testing.assert_close(som.centers, twin.centers)
        torch.testing.assert_close(som.relevances, twin.relevances)


@pytest.mark.parametrize("options", OPTIONS[:2], ids=str)
def test_the_map_is_single_precision_under_autocast(options):
    one, two = made(**options), made(**options)
    for z in batches():
        one(z)
        with torch.autocast("cpu", torch.bfloat16):
            assert two(z).distance.dtype == torch.float32
    assert_equal(one, two)


def test_a_map_taken_up_from_its_state_goes_on_alike():
    one = trained(made(distance_mode="spread"))
    two = made(distance_mode="spread")
    two.load_state_dict(one.state_dict())
    for z in batches(5):
        one(z)
        two(z)
    assert_equal(one, two)


def test_no_gradient_flows_into_the_map_and_the_right_one_into_the_samples():
    som = trained(made()).eval()
    z = torch.rand(7, 5, requires_grad=True)
    assigned = som(z)
    assigned.distance.sum().backward()
    winner = assigned.winner
    expected = 2 * som.relevances[winner] * (z.detach() - som.centers[winner])
    torch.testing.assert_close(z.grad, expected)
    assert not assigned.activation.requires_grad
    assert all(not buffer.requires_grad for buffer in som.buffers())


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation makes."""

    def __init__(self):
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, list | tuple) else [made]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return made


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_no_tensor_holds_features_of_every_pair(options):
    batch, nodes, m = 64, 48, 40
    som = SOMRL(m, nodes, activation_threshold=0.9, **options).train()
    z = torch.rand(batch, m)
    som(z)
    with Largest() as largest:
        som(z)
    # Activations of every pair, the packed statistics, and the two factors side by side.
    assert largest.numel <= max(batch * nodes, nodes * (3 * m + 2), 2 * batch * m, 2 * nodes * m)
    assert largest.numel * 10 < batch * nodes * m


# What processes of a group do together.
COLLECTIVES = (
    *("all_reduce", "reduce", "broadcast", "all_gather", "gather", "scatter", "all_to_all"),
    *("reduce_scatter", "all_gather_into_tensor", "all_gather_object", "broadcast_object_list"),
    *("barrier", "send", "recv", "isend", "irecv"),
)


def counting(name, counted):
    """The collective operation of a name, which is counted."""
    operation = getattr(torch.distributed, name)

    def count(*args, **kwargs):
        counted[name] += 1
        return operation(*args, **kwargs)

    return count


def distributed_rank(rank, size, folder, options):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=size
    )
    som, counted = made(**options).double(), Counter()
    for name in COLLECTIVES:
        setattr(torch.distributed, name, counting(name, counted))
    for z in batches(dtype=torch.float64):
        som(z.chunk(size)[rank])
    torch.save({"state": som.state_dict(), "collectives": dict(counted)}, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "options"), [(2, {}), (2, {"distance_mode": "drift"}), (4, {})], ids=str
)
def test_processes_hold_the_same_map_as_one_by_one_all_reduce_a_step(tmp_path, size, options):
    torch.multiprocessing.spawn(distributed_rank, (size, str(tmp_path), options), nprocs=size)
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(size)]
    alone = trained(made(**options).double(), dtype=torch.float64).state_dict()
    for one in ranks:
        assert one["collectives"] == {"all_reduce": BATCHES}
        for name, value in alone.items():
            assert torch.equal(one["state"][name], ranks[0]["state"][name]), name
            torch.testing.assert_close(one["state"][name], value, msg=name)


LARGE = """
    import resource, torch
    from dcsomrl.maps import SOMRL, nearest, somrl
    som = SOMRL(512, 10_000, activation_threshold=0.9).train()
    som.centers.copy_(torch.rand(10_000, 512))
    som.live.fill_(True)
    som.life.fill_(1.0)
    assigned = som(som.centers[:2048] * 0.98 + 0.01)
    assert assigned.winner.unique().numel() > 2000
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts KiB on Linux alone")
def test_ten_thousand_nodes_of_512_features_take_less_than_4_gib():
    done = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(LARGE)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 4
