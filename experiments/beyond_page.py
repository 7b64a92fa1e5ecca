"""The page of ``experiments.beyond``, from the cells that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dcsomrl.metrics import BY_KEY
from dcsomrl.writing import tabulate
from experiments.beyond_choice import EPOCHS
from experiments.beyond_views import STRENGTHS
from experiments.runs import CITATION, format_spread

Cells = Mapping[str, Mapping[str, Any]]
NAMES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}
# What others published: method, network, purity / NMI at 64 clusters, accuracy / NMI at ten.
PUBLISHED = {
    "mnist": [
        ("DC-SOMRL (the paper)", "0.884 / 0.521", ""),
        ("DESOM, Forest et al. 2019", "0.939 / 0.657", ""),
        ("DPSOM, Manduchi et al. 2021", "0.983 / 0.727 (geometric NMI)", ""),
        ("DEC with augmentation, Guo et al. 2018", "", "0.985 / 0.960"),
        ("N2D, McConville et al. 2021", "", "0.987 / 0.964"),
        ("DeepDPM, Ronen et al. 2022, number found", "", "0.98 / 0.94"),
    ],
    "fashion": [
        ("DC-SOMRL (the paper)", "0.679 / 0.404", ""),
        ("DESOM, Forest et al. 2019", "0.752 / 0.538", ""),
        ("DPSOM, Manduchi et al. 2021", "0.777 / 0.571 (geometric NMI)", ""),
        ("DEC with augmentation, Guo et al. 2018", "", "0.586 / 0.636"),
        ("N2D, McConville et al. 2021", "", "0.672 / 0.684"),
        ("DeepDPM, Ronen et al. 2022, number found", "", "0.63 / 0.68"),
    ],
}
SCORES = ("purity", "nmi", "cluster_accuracy", "cluster_nmi")
OTHERS = {
    "kmeans_nodes": "k-means on the same codes, as many clusters as nodes",
    "kmeans_ten": "k-means on the same codes, ten clusters",
    "mixture_ten": "Gaussian mixture on the same codes, ten",
    "hdbscan": "HDBSCAN on the same codes",
}


# What others make of the samples, in cells of their own.
BESIDE = {
    "umap_kmeans": "UMAP of the pixels, k-means, ten clusters",
    "umap_hdbscan": "UMAP of the pixels, HDBSCAN",
    "n2d": "N2D: autoencoder, UMAP, Gaussian mixture, ten",
}


def write_page(path: Path, kept: Cells, machine: str) -> None:
    """Write the page of the cells by name, which were measured on a kind of machine."""
    parts = [
        "# Beyond the paper: neighbours and views\n",
        "`python -m experiments.beyond` (what it adds is said in its docstring; "
        "`conf/model/neighbor_somrl.yaml` has the settings). Mean and deviation over the seeds "
        f"that have run; fully connected network 500-500-2000-22, 32-true, {machine}, one thread. "
        "Training split without labels, scores on the test split.\n",
        f"{CITATION}\n",
        *(_write_main(kept, dataset) for dataset in NAMES),
        _write_relevances(kept),
        _write_views(kept),
        _write_choice(kept),
        _write_usps(kept),
        _write_tables(kept),
        _write_ablation(kept),
    ]
    path.write_text("\n".join(part for part in parts if part))


def _write_main(kept: Cells, dataset: str) -> str:
    cells = [kept[name] for name in kept if name.startswith(f"main-{dataset}-")]
    if not cells:
        return ""
    beside = [kept[name] for name in kept if name.startswith(f"others-{dataset}-")]
    seeds = sorted(int(cell["seed"]) for cell in cells)
    rows = [
        *_list_levels(cells),
        *(
            [title, "", _format_pair(beside, f"{key}_accuracy", f"{key}_nmi")]
            for key, title in BESIDE.items()
            if beside
        ),
        *([name, nodes, ten] for name, nodes, ten in PUBLISHED[dataset]),
    ]
    return (
        f"## {NAMES[dataset]}: {cells[0]['epochs']} epochs, seeds {_list(seeds)}\n\n"
        + tabulate(["", "purity / NMI, at most 64 clusters", "accuracy / NMI, about ten"], rows)
        + f"\n{_write_numbers(cells)} "
        + (
            "HDBSCAN in the UMAP found "
            f"{_list(cell['umap_hdbscan_clusters'] for cell in beside)} clusters (seeds "
            f"{_list(int(cell['seed']) for cell in beside)}). "
            if beside
            else ""
        )
        + "Published figures are of other networks, epochs and splits.\n"
    )


def _list_levels(cells: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Rows of the map at every level, and of what others make of its codes."""
    return [
        ["nodes of the map, at most 64", _format_pair(cells, "purity", "nmi"), ""],
        ["nodes merged into ten", "", _format_pair(cells, "ten_accuracy", "ten_nmi")],
        ["nodes merged, number found", "", _format_pair(cells, "cluster_accuracy", "cluster_nmi")],
        *(
            [title, _format_pair(cells, f"{key}_purity", f"{key}_nmi"), ""]
            if key == "kmeans_nodes"
            else [title, "", _format_pair(cells, f"{key}_accuracy", f"{key}_nmi")]
            for key, title in OTHERS.items()
        ),
    ]


def _write_numbers(cells: Sequence[Mapping[str, Any]]) -> str:
    """How many nodes and clusters there were, and of HDBSCAN."""
    return (
        f"Nodes: {format_spread((cell['nodes'] for cell in cells), 1)}. Clusters found: "
        f"{_list(cell['clusters'] for cell in cells)} (HDBSCAN on the codes of at most 10,000 test "
        f"samples: {_list(cell['hdbscan_clusters'] for cell in cells)}, "
        f"{format_spread(cell['hdbscan_noise'] for cell in cells)} of them noise). Trained at "
        f"{_list(sorted({cell['git_commit'] for cell in cells}))}, merged and scored at "
        f"{_list(sorted({cell.get('scored_at', cell['git_commit']) for cell in cells}))}."
    )


def _write_relevances(kept: Cells) -> str:
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
        "of relevances below 0.2 and from 0.8 on, and what happens to a prototype whose dimensions "
        "of a relevance below 0.5 (*least*), as many *random* ones, or the *most* relevant ones "
        "are moved by two deviations.\n\n" + tabulate(header, rows)
    )


def _write_views(kept: Cells) -> str:
    rows = [
        [NAMES[dataset], *(f"{found[f'own_{strength}']:.3f}" for strength in STRENGTHS)]
        for dataset, found in kept.get("views", {}).items()
    ]
    if not rows:
        return ""
    return (
        "## How strong views were chosen, without labels and without training\n\n"
        "Share of the views of 1,000 training images to which, of all training images, their own "
        "is the nearest by its pixels. Taken is the strongest views of which this holds for at "
        "least half: stronger ones tell the network that images are the same which are less alike "
        "than two neighbours are. *Whole* is `augmentation=in_place`. The rule was made when short "
        "runs with other strengths had been scored, before the seeds of the tables above ran.\n\n"
        + tabulate(["", *STRENGTHS], rows)
    )


def _write_choice(kept: Cells) -> str:
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
        f"Two seeds that no other table has, {EPOCHS} epochs each, trained with the same settings; "
        "their nodes, and the clusters whose number each found, are compared on the training split "
        "by adjusted mutual information, which needs no labels. Scores on the test split stand "
        "beside to show how far that can be trusted. It chose the settings of earlier tables; by "
        "now the views follow the rule above. MNIST has the default radius, Fashion-MNIST the "
        "largest of 0.4, 0.5, 0.6 and 0.7 at which the map uses all its nodes. Strength of the "
        "views: *whole* is `augmentation=in_place`, *half* and *third* a part of it, *still* none, "
        "*light* whole and brighter or darker; Fashion-MNIST always with flips. Weights, "
        "temperature and k were "
        "fixed beforehand. That the map grows anew at half of the training was set on short runs "
        "of MNIST whose scores were in sight.\n\n" + tabulate(header, rows) + _write_told(kept)
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
        "\nThe same agreement when nodes are merged into ten, over all settings of a set, does not "
        "tell the ways apart:\n\n"
        + tabulate(["", *NAMES.values()], rows)
        + "\nA number that is told is made of the communities that are found (`dcsomrl.analysis."
        "clusters.divide`), so that to be told the number that is found changes nothing. Before "
        "that nodes themselves were joined; this was decided after scores had been seen.\n"
    )


def _write_usps(kept: Cells) -> str:
    cells = [kept[name] for name in kept if name.startswith("usps-")]
    if not cells:
        return ""
    return (
        f"## USPS, the defaults: {cells[0]['epochs']} epochs, {len(cells)} seeds\n\n"
        + tabulate(
            ["", "purity / NMI, at most 64 clusters", "accuracy / NMI, about ten"],
            _list_levels(cells),
        )
        + f"\n{_write_numbers(cells)}\n"
    )


def _write_tables(kept: Cells) -> str:
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
                _format_pair(cells, "kmeans_accuracy", "kmeans_nmi"),
                _format_pair(cells, "ten_accuracy", "ten_nmi"),
                _compare_with_kmeans(cells),
                _list(cell["clusters"] for cell in cells),
                _format_pair(cells, "cluster_accuracy", "cluster_nmi"),
                format_spread((cell["nodes"] for cell in cells), 1),
                format_spread((cell["seconds"] for cell in cells), 0),
            ]
        )
    if not rows:
        return ""
    header = ["", "rows x columns", "classes", "k-means, told the number: accuracy / NMI"]
    header += [
        "the map, told the number",
        "accuracy: difference (chance)",
        "number found",
        "the map, number found",
        "nodes",
    ]
    return (
        "## Tables, the defaults\n\n"
        "`model=neighbor_somrl dataset=arrays` and nothing else: all rows are trained on and "
        "scored, columns scaled to [0, 1]; k-means sees the same. *Subspaces*, *pen tracks* and "
        "*embeddings* are made up (`experiments/tabular.py`, `experiments/beyond_tables.py`). "
        "Chance is twice the deviation that the accuracy of k-means would have over other rows, "
        "as many, of the same kind. Seconds are those of the training as they came, whatever else "
        "the machine did.\n\n" + tabulate([*header, "seconds"], rows)
    )


def _compare_with_kmeans(cells: Sequence[Mapping[str, Any]]) -> str:
    """How far the mean accuracy is ahead of that of k-means, and how far it could be by chance."""
    ours, theirs = (
        sum(cell[key] for cell in cells) / len(cells) for key in ("ten_accuracy", "kmeans_accuracy")
    )
    chance = 2 * (theirs * (1 - theirs) / cells[0]["rows"]) ** 0.5
    return f"{ours - theirs:+.3f} ({chance:.3f})"


def _write_ablation(kept: Cells) -> str:
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
                        _format_pair(cells, "purity", "nmi"),
                        _format_pair(cells, "ten_accuracy", "ten_nmi"),
                        ", ".join(f"{cell['clusters']}" for cell in cells),
                    ]
                )
    header = ["dataset", "", "seeds", "nodes", "purity / NMI", "merged into ten: accuracy / NMI"]
    return "## What each part gives, 10 epochs\n\n" + tabulate([*header, "clusters found"], rows)


def _format_pair(cells: Sequence[Mapping[str, Any]], one: str, other: str) -> str:
    return " / ".join(format_spread(cell[name] for cell in cells) for name in (one, other))


def _list(numbers: Iterable[Any]) -> str:
    return ", ".join(map(str, numbers))
