from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hypothesis import given
from hypothesis import strategies as st

from dcsomrl import metrics

N_CLUSTERS, N_CLASSES, N_SAMPLES = 20, 5, 300
KEYS = {
    "purity": metrics.purity,
    "nmi": metrics.nmi,
    "nmi_geometric": lambda counts: metrics.nmi(counts, "geometric"),
    "ari": metrics.ari,
    "ami": metrics.ami,
    "homogeneity": metrics.homogeneity,
    "completeness": metrics.completeness,
    "accuracy": metrics.accuracy,
    "clustering_error": metrics.clustering_error,
    "classes": metrics.count_classes,
}


def make_batch(n_samples=N_SAMPLES):
    """Clusters (some -1), labels, second units, distances and an adjacency, always the same."""
    generator = torch.Generator().manual_seed(0)
    clusters = torch.randint(-1, N_CLUSTERS, (n_samples,), generator=generator)
    noise = torch.randint(2, (n_samples,), generator=generator)
    labels = (clusters.clamp(min=0) + noise) % N_CLASSES
    second = torch.randint(-1, N_CLUSTERS, (n_samples,), generator=generator)
    distances = torch.rand(n_samples, generator=generator)
    adjacency = torch.rand(N_CLUSTERS, N_CLUSTERS, generator=generator) < 0.3
    return clusters, labels, second, distances, adjacency


def make_metrics():
    return (
        metrics.make_label_scores(N_CLUSTERS, N_CLASSES),
        metrics.QuantizationError(),
        metrics.TopographicError(),
        metrics.NodeUsage(N_CLUSTERS),
    )


def take_in(measures, batch, part=slice(None)):
    clusters, labels, second, distances, adjacency = batch
    scores, quantization, topographic, usage = measures
    scores.update(clusters[part], labels[part])
    quantization.update(distances[part])
    topographic.update(clusters[part], second[part], adjacency)
    usage.update(clusters[part])


def values(measures):
    scores, quantization, topographic, usage = measures
    return {
        **{name: float(value) for name, value in scores.compute().items()},
        **{name: float(value) for name, value in usage.compute().items()},
        "quantization": float(quantization.compute()),
        "topographic": float(topographic.compute()),
    }


def expected_values():
    """By the functions, on everything at once."""
    clusters, labels, second, distances, adjacency = make_batch()
    counts = metrics.count_contingency(clusters, labels, N_CLUSTERS, N_CLASSES)
    return {
        **{name: float(score(counts)) for name, score in KEYS.items()},
        "nodes_used": float(metrics.count_used(counts.sum(1))),
        "perplexity": float(metrics.perplexity(counts.sum(1))),
        "quantization": float(distances.mean()),
        "topographic": float(metrics.topographic_error(clusters, second, adjacency)),
    }


@given(st.lists(st.integers(0, N_SAMPLES), max_size=5))
def test_batches_add_up_to_the_whole(cuts):
    measures = make_metrics()
    edges = [0, *sorted(cuts), N_SAMPLES]
    for start, stop in pairwise(edges):
        take_in(measures, make_batch(), slice(start, stop))
    assert values(measures) == pytest.approx(expected_values(), rel=1e-6)


def test_reset_begins_anew():
    measures = make_metrics()
    take_in(measures, make_batch(), slice(0, 50))
    values(measures)
    for measure in measures:
        measure.reset()
    take_in(measures, make_batch())
    assert values(measures) == pytest.approx(expected_values(), rel=1e-6)


def test_an_update_after_a_result_counts():
    measures = make_metrics()
    take_in(measures, make_batch(), slice(0, 50))
    values(measures)
    take_in(measures, make_batch(), slice(50, None))
    assert values(measures) == pytest.approx(expected_values(), rel=1e-6)


def test_scores_share_one_matrix():
    scores = metrics.make_label_scores(N_CLUSTERS, N_CLASSES)
    assert set(scores.keys()) == set(KEYS)
    clusters, labels, *_ = make_batch()
    for _ in range(2):
        scores.update(clusters, labels)
    assert list(scores.compute_groups.values()) == [list(KEYS)]
    members = list(scores.values(copy_state=False))
    assert len({member.matrix.data_ptr() for member in members}) == 1
    assert members[0].matrix.sum() == 2 * (clusters >= 0).sum()


def test_update_asks_nothing_of_the_device():
    # Tensors on the meta device hold no values: reading one, a mask or bincount raises.
    measures = [measure.to("meta") for measure in make_metrics()]
    batch = [part.to("meta") for part in make_batch()]
    take_in(measures, batch)
    assert measures[0]["purity"].matrix.device.type == "meta"


def run_rank(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    measures = make_metrics()
    # Unequal parts in unequal numbers of batches.
    for part in ([slice(0, 40)], [slice(40, 45), slice(45, None)])[rank]:
        take_in(measures, make_batch(), part)
    torch.save(values(measures), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_value_of_one(tmp_path):
    mp.spawn(run_rank, args=(str(tmp_path),), nprocs=2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(expected_values(), rel=1e-6)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (-1, 3)])
def test_sizes_below_1_are_refused(sizes):
    with pytest.raises(ValueError, match="at least 1, got"):
        metrics.make_label_scores(*sizes)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        metrics.NodeUsage(0)
