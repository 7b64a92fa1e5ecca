"""Part 4: the map alone by its number of nodes, beside the two products that it needs."""

from functools import partial
from itertools import product
from typing import Any

import torch

from dcsomrl.maps import SOMRL
from experiments.gpu.setting import Cells, Setting

NODES = (64, 1024, 4096, 16384)
FEATURES = 22


def list_cells(setting: Setting) -> Cells:
    """Every size of map with every batch."""
    sizes = NODES[:2] if setting.dry else NODES
    return {
        f"{nodes} nodes, batch {batch}": partial(time_map, setting, nodes, batch)
        for batch, nodes in product(setting.batches, sizes)
    }


@torch.no_grad()
def time_map(setting: Setting, nodes: int, batch: int) -> dict[str, Any]:
    """Milliseconds of a step with its assignment, all nodes alive; and the most memory of it."""
    torch.set_float32_matmul_precision("highest")
    device = setting.device
    som = SOMRL(FEATURES, max_nodes=nodes, life_decay=0.0).train()
    stream = torch.Generator().manual_seed(0)
    som.centers.copy_(torch.rand(nodes, FEATURES, generator=stream))
    som.live.fill_(True)
    som.life.fill_(1.0)
    som.to(device)
    z = torch.rand(batch, FEATURES, generator=stream).to(device)
    squares = z.square()

    def products() -> None:
        squares @ som.relevances.T
        z @ som.centers.T

    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    before = measure_memory(device)
    som(z)
    peak = measure_memory(device, most=True)
    found = setting.time_steps({"map": partial(som, z), "products": products})
    assert int(som.n_live) == nodes, f"{int(som.n_live)} of {nodes} nodes are alive"
    return {
        "map ms": found["map"],
        "two products ms": found["products"],
        "ratio": found["map"] / found["products"],
        "peak MiB": None if peak is None or before is None else (peak - before) / 2**20,
    }


def measure_memory(device: torch.device, most: bool = False) -> int | None:
    """Bytes in use on a GPU, or the most there were; None on a CPU."""
    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated() if most else torch.cuda.memory_allocated()
