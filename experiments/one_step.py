"""One step of the map in pictures: ``python -m experiments.one_step``.

A map of two features meets a batch in which two groups have moved, a third one is new and another
one is missing, as it was in the two batches before (seed 0, 40 samples of a group). Draws
``docs/step.png``.
"""

from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor

from dcsomrl import SOMRL
from dcsomrl.configuration import find_config_dir
from dcsomrl.writing import save_figure

# Centre and deviation of a group in both features.
WIDE, TALL, NEW = (0.3, 0.75, 0.09, 0.02), (0.75, 0.65, 0.02, 0.09), (0.72, 0.18, 0.03, 0.03)
FORMER = (0.12, 0.2, 0.02, 0.02)
# How far both have moved in the last batch, one against the other.
MOVED = torch.tensor([0.05, 0.04])
SIZE = 40
ARROW = {"arrowstyle": "-|>", "lw": 1.4, "shrinkA": 0, "shrinkB": 0, "color": "tab:blue"}


class Nodes(NamedTuple):
    """The live nodes of a map.

    Attributes:
        slots: (nodes,) their places.
        centers: (nodes, 2).
        axes: (nodes, 2) how far a node reaches in each feature.
        new: (nodes,) whether the last step has made them.
    """

    slots: Tensor
    centers: Tensor
    axes: Tensor
    new: Tensor


def main() -> None:
    """Take the step and draw what happens in it."""
    torch.manual_seed(0)
    som = SOMRL(
        2,
        max_nodes=12,
        activation_threshold=0.987,
        learning_rate=0.8,
        relevance_rate=0.6,
        relevance_smoothness=1.0,
        neighborhood_decay=2.0,
        repel_mode="none",
        life_decay=0.35,
    )
    for _ in range(8):
        som.learn_(torch.cat([draw(WIDE), draw(TALL), draw(FORMER)]))
    for _ in range(2):
        som.learn_(torch.cat([draw(WIDE), draw(TALL)]))
    batch = torch.cat([draw(WIDE) + MOVED, draw(TALL) - MOVED, draw(NEW)])
    before, activation = read(som), som.eval()(batch)
    som.train().learn_(batch)
    after = read(som)
    figure = Figure(figsize=(15, 5), layout="constrained")
    first, second, third = figure.subplots(1, 3)
    satisfied = activation.activation >= float(som.threshold)
    draw_wins(first, batch, activation.winner, satisfied, before)
    draw_pulls(second, batch, activation.winner, satisfied, before, after)
    draw_map(third, batch, before, after)
    for axes in (first, second, third):
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    save_figure(figure, find_config_dir().parent / "docs" / "step.png", dpi=100)


def draw(group: tuple[float, float, float, float]) -> Tensor:
    """Samples (SIZE, 2) of a group."""
    return (torch.tensor(group[:2]) + torch.randn(SIZE, 2) * torch.tensor(group[2:])).clamp(0, 1)


def read(som: SOMRL) -> Nodes:
    """The nodes there are, and how far they reach."""
    slots = som.live.nonzero()[:, 0]
    relevances, threshold = som.relevances[slots], float(som.threshold)
    # A sample is satisfied where the weighted squared distance is below this.
    reach = relevances.sum(1, keepdim=True) * (1 - threshold) / threshold
    new = som.distances[slots].sum(1) == 0  # they follow from the next step on
    return Nodes(slots, som.centers[slots].clone(), (reach / relevances).sqrt(), new)


def draw_wins(axes: Axes, batch: Tensor, winner: Tensor, satisfied: Tensor, nodes: Nodes) -> None:
    """Which node wins a sample, and whether it reaches that far."""
    axes.set_title("1  Every sample has a winner.\nThose out of its reach ask for a node.")
    draw_reach(axes, nodes, "black")
    color = winner % 10
    put(axes, batch[satisfied], s=14, c=color[satisfied], cmap="tab10", vmin=0, vmax=9)
    lost = ~satisfied
    put(axes, batch[lost], s=22, facecolors="none", edgecolors="tab:gray", label="asks")
    put(axes, nodes.centers, s=60, c="black", marker="o", label="node, and its reach")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False)


def draw_pulls(
    axes: Axes, batch: Tensor, winner: Tensor, satisfied: Tensor, before: Nodes, after: Nodes
) -> None:
    """Where the groups are, and how the nodes that were there move."""
    axes.set_title("2  The mean of a winner's samples pulls it,\nand its neighbours by their rank.")
    put(axes, batch[satisfied], s=8, c="lightgray")
    groups = [batch[satisfied & (winner == slot)] for slot in before.slots]
    means = torch.stack([group.mean(0) for group in groups if len(group)])
    put(axes, means, s=70, c="tab:red", marker="x", label="mean of a group")
    put(axes, before.centers, s=25, c="black", label="node before the step")
    for slot, old in zip(before.slots, before.centers, strict=True):
        for to in after.centers[(after.slots == slot) & ~after.new].tolist():
            axes.annotate("", xy=to, xytext=old.tolist(), arrowprops=ARROW)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False)


def draw_map(axes: Axes, batch: Tensor, before: Nodes, after: Nodes) -> None:
    """The map as the step leaves it."""
    axes.set_title("3  Relevances follow, a node without a life\nleaves, and who asked gets one.")
    put(axes, batch, s=8, c="lightgray")
    draw_reach(axes, after, "black")
    gone = ~torch.isin(before.slots, after.slots[~after.new])
    put(axes, after.centers[~after.new], s=60, c="black", label="node after the step")
    put(axes, after.centers[after.new], s=160, c="tab:green", marker="*", label="new")
    put(axes, before.centers[gone], s=80, c="tab:red", marker="X", label="gone")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False)


def put(axes: Axes, points: Tensor, **settings: Any) -> None:
    """Draw points (n, 2)."""
    axes.scatter(points[:, 0], points[:, 1], **settings)


def draw_reach(axes: Axes, nodes: Nodes, color: str) -> None:
    """The line at which the activation of each node falls below the threshold."""
    for center, (width, height) in zip(nodes.centers, nodes.axes.tolist(), strict=True):
        outline = Ellipse(
            center.tolist(), 2 * width, 2 * height, fill=False, color=color, lw=0.8, alpha=0.6
        )
        axes.add_patch(outline)


if __name__ == "__main__":
    main()
