"""How far a node reaches, at five settings: ``python -m experiments.threshold``.

Two moons and a blob of 1,500 samples, seed 0, 20 passes in batches of 100. Draws
``docs/threshold.png`` and prints the radius, the activation
threshold that it stands for in the end, and the number of nodes and of clusters.
"""

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_blobs, make_moons

from dcsomrl import SOMRL, GrowingSOM
from dcsomrl.configuration import find_config_dir
from dcsomrl.writing import save_figure

RADII = (1.5, 1.0, 0.6, 0.35, 0.15)


def main() -> None:
    """Fit a map at every radius and draw them beside each other."""
    samples = make_samples()
    figure = Figure(figsize=(15, 3.6), layout="constrained")
    for axes, radius in zip(figure.subplots(1, len(RADII)), RADII, strict=True):
        found = GrowingSOM(
            radius=radius,
            max_nodes=200,
            batch_size=100,
            max_epochs=20,
            random_state=0,
            device="cpu",
        ).fit(samples)
        axes.scatter(*samples.T, s=3, c=found.labels_, cmap="tab10", alpha=0.5, vmax=9)
        axes.scatter(*found.prototypes_.T, s=22, c="black")
        nodes, clusters = len(found.prototypes_), found.n_clusters_
        axes.set_title(f"radius {radius}: nodes {nodes}, clusters {clusters}")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal")
        som = found.model_.codebook
        assert isinstance(som, SOMRL)
        threshold = float(som.threshold)
        print(f"radius {radius}, threshold {threshold:.4f}: nodes {nodes}, clusters {clusters}")
    save_figure(figure, find_config_dir().parent / "docs" / "threshold.png", dpi=100)


def make_samples() -> np.ndarray:
    """Samples (1500, 2) in [0, 1]: two moons and a blob."""
    moons, _ = make_moons(1000, noise=0.08, random_state=0)
    blob, _ = make_blobs(500, centers=[[0.5, 2.0]], cluster_std=0.25, random_state=0)
    both = np.vstack([moons, blob])
    low, high = both.min(), both.max()
    return (both - low) / (high - low)


if __name__ == "__main__":
    main()
