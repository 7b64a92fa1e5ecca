"""What lies behind the scores of ``experiments.beyond``: choices, tables and ablations.

Figures by number are those of "Shaping latent representations using Self-Organizing Maps with
Relevance Learning", submitted to ICLR 2022.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dcsomrl.metrics import BY_KEY
from dcsomrl.writing import tabulate
from experiments.beyond_choice import EPOCHS
from experiments.beyond_format import NAMES, Cells, format_pair, list_all
from experiments.beyond_views import STRENGTHS
from experiments.runs import format_spread

SCORES = ("purity", "nmi", "cluster_accuracy", "cluster_nmi")


def write_relevances(kept: Cells) -> str:
    """Whether relevances say what matters."""
    rows = []
    for dataset, title in NAMES.items():
        cells = [
            cell
            for name, cell in kept.items()
            if name.startswith(f"main-{dataset}-") and "relevance_near_one" in cell
        ]
        if cells:
            shown = (
                *("relevance_near_zero", "relevance_near_one"),
                *(
                    f"disturbance_{what}_{kind}"
                    for what in ("winner_flips", "change")
                    for kind in ("least_relevant", "random", "most_relevant")
                ),
            )
            rows.append([title, *(format_spread(cell[name] for cell in cells) for name in shown)])
    if not rows:
        return ""
    header = ["", "relevances near 0", "near 1"]
    header += [f"another node wins: {kind}" for kind in ("least", "random", "most")]
    header += [f"pixel changes: {kind}" for kind in ("least", "random", "most")]
    return (
        "## Do relevances say what matters?\n\n"
        "The paper's Figs. 2 and 3 on these codes, over the seeds of the tables above: the share "
        "of relevances below 0.2 and of those from 0.8, and what happens to a prototype when its "
        "dimensions with a relevance below 0.5 (*least*), as many *random* ones, or as many of "
        "the *most* relevant ones are moved by two standard "
        "deviations.\n\n" + tabulate(header, rows)
    )


def write_views(kept: Cells) -> str:
    """How strong views were chosen."""
    rows = [
        [NAMES[dataset], *(f"{found[f'own_{strength}']:.3f}" for strength in STRENGTHS)]
        for dataset, found in kept.get("views", {}).items()
    ]
    if not rows:
        return ""
    return (
        "## How the strength of the views was chosen, without labels and without training\n\n"
        "The share of the views of 1,000 training images whose own image is the "
        "nearest of all training images, by pixels. The strongest views for which "
        "this holds for at least half were taken: stronger ones tell the network "
        "that two images are the same although they are less alike than "
        "neighbours are. *Whole* is `augmentation=in_place`. The rule was made "
        "after short runs with other strengths had been scored, and before the "
        "seeds of the tables above ran.\n\n" + tabulate(["", *STRENGTHS], rows)
    )


def write_choice(kept: Cells) -> str:
    """What two seeds agree on."""
    rows = []
    for dataset, title in NAMES.items():
        for name in (name for name in kept if name.startswith("choice-") and dataset in name):
            cell = kept[name]
            both = cell["agreement_nodes"], cell["agreement_clusters"]
            views, radius = name.removeprefix("choice-").removesuffix(f"-{dataset}").split("-")
            scores = [" and ".join(f"{value:.3f}" for value in cell[key]) for key in SCORES]
            counts = [" and ".join(map(str, cell[key])) for key in ("nodes", "clusters")]
            agreed = [f"{value:.3f}" for value in (sum(both) / 2, *both)]
            rows.append([title, views, radius, *agreed, *counts, *scores])
    if not rows:
        return ""
    rows.sort(key=lambda row: (row[0] != NAMES["mnist"], -float(row[3])))
    header = ["", "views", "radius", "agreement", "of nodes", "of clusters", "nodes", "clusters"]
    header += [BY_KEY[key].title for key in SCORES]
    return (
        "## What two seeds agree on\n\n"
        f"Two seeds that no other table has, {EPOCHS} epochs each, trained with the same settings: "
        "their nodes, and the clusters that each found, are compared on the training split by "
        "adjusted mutual information, which needs no labels. Scores on the test split are shown "
        "next to it, to see how far the agreement can be trusted. It was used to choose the "
        "settings of earlier tables; the views now follow the rule above. MNIST has the default "
        "radius, Fashion-MNIST the largest of 0.4, 0.5, 0.6 and 0.7 at which the map uses all its "
        "nodes. Strength of the views: *whole* is `augmentation=in_place`, *half* and *third* are "
        "fractions of it, *still* is none, and *light* is whole plus brighter or darker; "
        "Fashion-MNIST always uses flips. Weights, temperature and k were fixed beforehand. The "
        "decision that the map grows anew halfway through the training was made on short runs on "
        "MNIST whose scores were known.\n\n" + tabulate(header, rows) + _write_told(kept)
    )


def _write_told(kept: Cells) -> str:
    """How far two seeds agree on ten clusters, by the way to merge nodes."""
    cells = {name: cell for name, cell in kept.items() if name.startswith("choice-")}
    ways = {
        "told_join": "joined by Ward's method, weighted",
        "told_kmeans": "k-means of the nodes, weighted",
        "told_spectral": "spectral clustering of the graph",
    }
    rows = [
        [
            title,
            *(
                format_spread(cell[way] for name, cell in cells.items() if one in name)
                for one in NAMES
            ),
        ]
        for way, title in ways.items()
    ]
    return (
        "\nThe same agreement with nodes merged into ten clusters, over all "
        "settings of a dataset, does not distinguish the ways of merging:\n\n"
        + tabulate(["", *NAMES.values()], rows)
        + "\nA given number of clusters is made from the communities that are found "
        "(`dcsomrl.analysis.clusters.divide`), so asking for the number that would be found "
        "anyway changes nothing. Before, the nodes themselves were joined; this was changed after "
        "scores had been seen.\n"
    )


def write_tables(kept: Cells) -> str:
    """The defaults on tables."""
    cells_of = [name.removeprefix("tables-") for name in kept if name.startswith("tables-")]
    names = sorted({name.rpartition("-seed")[0] for name in cells_of})
    rows = []
    for name in names:
        cells = [kept[cell] for cell in kept if cell.startswith(f"tables-{name}-seed")]
        rows.append(
            [
                name.replace("-", " "),
                f"{cells[0]['rows']} x {cells[0]['columns']}",
                f"{cells[0]['classes']:.0f}",
                format_pair(cells, "kmeans_accuracy", "kmeans_nmi"),
                format_pair(cells, "ten_accuracy", "ten_nmi"),
                _compare_with_kmeans(cells),
                list_all(cell["clusters"] for cell in cells),
                format_pair(cells, "cluster_accuracy", "cluster_nmi"),
                format_spread((cell["nodes"] for cell in cells), 1),
                format_spread((cell["seconds"] for cell in cells), 0),
            ]
        )
    if not rows:
        return ""
    header = ["", "rows x columns", "classes", "k-means, number given: accuracy / NMI"]
    header += [
        "the map, number given",
        "accuracy: difference (chance)",
        "number found",
        "the map, number found",
        "nodes",
    ]
    return (
        "## Tables, the defaults\n\n"
        "`model=neighbor_somrl dataset=arrays` with no further settings: all rows are used for "
        "training and scoring, with columns scaled to [0, 1]; k-means is given the same. "
        "*Subspaces*, *pen tracks* and *embeddings* are synthetic (`experiments/tabular.py`, "
        "`experiments/beyond_tables.py`). Chance is twice the standard deviation that the "
        "accuracy of k-means would have over other samples of the same size from the same source. "
        "Seconds are training times with other programs running on the machine.\n\n"
        + tabulate([*header, "seconds"], rows)
    )


def _compare_with_kmeans(cells: Sequence[Mapping[str, Any]]) -> str:
    """How far the mean accuracy is ahead of that of k-means, and how far it could be by chance."""
    ours, theirs = (
        sum(cell[key] for cell in cells) / len(cells) for key in ("ten_accuracy", "kmeans_accuracy")
    )
    chance = 2 * (theirs * (1 - theirs) / cells[0]["rows"]) ** 0.5
    return f"{ours - theirs:+.3f} ({chance:.3f})"


def write_ablation(kept: Cells) -> str:
    """What each part gives."""
    found = sorted({name.split("-")[1] for name in kept if name.startswith("ablation-")})
    if not found:
        return ""
    rows = []
    for dataset in NAMES:
        for name in sorted(found, key=lambda one: (one != "whole", one)):
            start = f"ablation-{name}-{dataset}-"
            cells = [kept[cell] for cell in kept if cell.startswith(start)]
            if cells:
                rows.append(
                    [
                        NAMES[dataset],
                        name.replace("_", " "),
                        f"{len(cells)}",
                        format_spread((cell["nodes"] for cell in cells), 0),
                        format_pair(cells, "purity", "nmi"),
                        format_pair(cells, "ten_accuracy", "ten_nmi"),
                        ", ".join(f"{cell['clusters']}" for cell in cells),
                    ]
                )
    header = ["dataset", "", "seeds", "nodes", "purity / NMI", "merged into ten: accuracy / NMI"]
    return "## What each part gives, 10 epochs\n\n" + tabulate([*header, "clusters found"], rows)
