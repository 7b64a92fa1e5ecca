"""The page of ``experiments.beyond``, from the cells that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dcsomrl.writing import markdown_table
from experiments.runs import spread

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
OTHERS = {
    "kmeans_nodes": "k-means on the same codes, as many clusters as nodes",
    "kmeans_ten": "k-means on the same codes, ten clusters",
    "mixture_ten": "Gaussian mixture on the same codes, ten",
    "hdbscan": "HDBSCAN on the same codes",
}


def write_page(path: Path, kept: Cells, machine: str) -> None:
    """Write the page of the cells by name, which were measured on a kind of machine."""
    parts = [
        "# Beyond the paper: neighbours and views\n",
        "`python -m experiments.beyond` (what it adds is said in its docstring; "
        "`conf/model/neighbor_somrl.yaml` has the settings). Mean and deviation over the seeds "
        f"that have run; fully connected network 500-500-2000-22, 32-true, {machine}, one thread. "
        "Training split without labels, scores on the test split.\n",
        "Where the settings come from: weights, temperature and k were fixed beforehand. The "
        "radius and the moment at which the map grows anew were chosen on short runs of seed 0 (5 "
        "to 8 epochs) whose scores on the test split were in sight: a choice without labels, on "
        "the training split alone, is still to be made.\n",
        *(_main(kept, dataset) for dataset in NAMES),
        _ablation(kept),
    ]
    path.write_text("\n".join(part for part in parts if part))


def _main(kept: Cells, dataset: str) -> str:
    cells = [kept[name] for name in kept if name.startswith(f"main-{dataset}-")]
    if not cells:
        return ""
    seeds = sorted(int(cell["seed"]) for cell in cells)
    rows = [
        ["nodes of the map, at most 64", _pair(cells, "purity", "nmi"), ""],
        ["nodes merged into ten", "", _pair(cells, "ten_accuracy", "ten_nmi")],
        ["nodes merged, number found", "", _pair(cells, "cluster_accuracy", "cluster_nmi")],
        *(
            [
                title,
                _pair(cells, f"{key}_purity", f"{key}_nmi") if key == "kmeans_nodes" else "",
                "" if key == "kmeans_nodes" else _pair(cells, f"{key}_accuracy", f"{key}_nmi"),
            ]
            for key, title in OTHERS.items()
        ),
        *([name, nodes, ten] for name, nodes, ten in PUBLISHED[dataset]),
    ]
    numbers = ", ".join(f"{cell['clusters']}" for cell in cells)
    hdbscan = ", ".join(f"{cell['hdbscan_clusters']}" for cell in cells)
    return (
        f"## {NAMES[dataset]}: {cells[0]['epochs']} epochs, seeds {_list(seeds)}\n\n"
        + markdown_table(
            ["", "purity / NMI, at most 64 clusters", "accuracy / NMI, about ten"], rows
        )
        + f"\nNodes: {spread((cell['nodes'] for cell in cells), 1)}. Clusters found: {numbers} "
        f"(HDBSCAN on the codes of 10,000 test samples: {hdbscan}, "
        f"{spread(cell['hdbscan_noise'] for cell in cells)} of them noise). "
        "Published figures are of other networks, epochs and splits.\n"
    )


def _ablation(kept: Cells) -> str:
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
                        spread((cell["nodes"] for cell in cells), 0),
                        _pair(cells, "purity", "nmi"),
                        _pair(cells, "ten_accuracy", "ten_nmi"),
                        ", ".join(f"{cell['clusters']}" for cell in cells),
                    ]
                )
    header = ["dataset", "", "seeds", "nodes", "purity / NMI", "merged into ten: accuracy / NMI"]
    return "## What each part gives, 10 epochs\n\n" + markdown_table(
        [*header, "clusters found"], rows
    )


def _pair(cells: Sequence[Mapping[str, Any]], one: str, other: str) -> str:
    return " / ".join(spread(cell[name] for cell in cells) for name in (one, other))


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
