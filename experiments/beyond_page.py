"""The page of ``experiments.beyond``, from the cells that are kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dcsomrl.writing import tabulate
from experiments.beyond_format import NAMES, Cells, format_pair, list_all
from experiments.beyond_sections import (
    write_ablation,
    write_choice,
    write_relevances,
    write_tables,
    write_views,
)
from experiments.runs import CITATION, format_spread

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
        "`python -m experiments.beyond` (its docstring says what it adds to the paper; the "
        "settings are in `conf/model/neighbor_somrl.yaml`). Mean and standard deviation over the "
        f"seeds that have run; fully connected network 500-500-2000-22, 32-true, {machine}, one "
        "thread. Trained on the training split without labels, scored on the test split.\n",
        f"{CITATION}\n",
        *(_write_main(kept, dataset) for dataset in NAMES),
        _write_convolution(kept),
        write_relevances(kept),
        write_views(kept),
        write_choice(kept),
        _write_usps(kept),
        write_tables(kept),
        write_ablation(kept),
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
            [title, "", format_pair(beside, f"{key}_accuracy", f"{key}_nmi")]
            for key, title in BESIDE.items()
            if beside
        ),
        *([name, nodes, ten] for name, nodes, ten in PUBLISHED[dataset]),
    ]
    return (
        f"## {NAMES[dataset]}: {cells[0]['epochs']} epochs, seeds {list_all(seeds)}\n\n"
        + tabulate(["", "purity / NMI, at most 64 clusters", "accuracy / NMI, about ten"], rows)
        + f"\n{_write_numbers(cells)} "
        + (
            "HDBSCAN in the UMAP found "
            f"{list_all(cell['umap_hdbscan_clusters'] for cell in beside)} clusters (seeds "
            f"{list_all(int(cell['seed']) for cell in beside)}). "
            if beside
            else ""
        )
        + "Published figures were obtained with other networks, epochs and splits.\n"
    )


def _write_convolution(kept: Cells) -> str:
    cells = {
        title: [kept[name] for name in kept if name.startswith(f"convolution-{dataset}-")]
        for dataset, title in NAMES.items()
    }
    parts = [
        f"### {title}, seeds {list_all(sorted(int(cell['seed']) for cell in found))}\n\n"
        + tabulate(
            ["", "purity / NMI, at most 64 clusters", "accuracy / NMI, about ten"],
            _list_levels(found),
        )
        + f"\n{_write_numbers(found)}\n"
        for title, found in cells.items()
        if found
    ]
    if not parts:
        return ""
    return (
        "## A convolutional network\n\nThe same settings with `autoencoder=conv` (channels 32, 64, "
        "128) and `trainer.precision=bf16-mixed`.\n\n" + "\n".join(parts)
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


def _list_levels(cells: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Rows of the map at every level, and of what others make of its codes."""
    return [
        ["nodes of the map, at most 64", format_pair(cells, "purity", "nmi"), ""],
        ["nodes merged into ten", "", format_pair(cells, "ten_accuracy", "ten_nmi")],
        ["nodes merged, number found", "", format_pair(cells, "cluster_accuracy", "cluster_nmi")],
        *(
            [title, format_pair(cells, f"{key}_purity", f"{key}_nmi"), ""]
            if key == "kmeans_nodes"
            else [title, "", format_pair(cells, f"{key}_accuracy", f"{key}_nmi")]
            for key, title in OTHERS.items()
        ),
    ]


def _write_numbers(cells: Sequence[Mapping[str, Any]]) -> str:
    """How many nodes and clusters there were, and of HDBSCAN."""
    return (
        f"Nodes: {format_spread((cell['nodes'] for cell in cells), 1)}. Clusters found: "
        f"{list_all(cell['clusters'] for cell in cells)} (HDBSCAN on the codes of at most 10,000 "
        f"test samples: {list_all(cell['hdbscan_clusters'] for cell in cells)}, "
        f"{format_spread(cell['hdbscan_noise'] for cell in cells)} of them noise). Trained at "
        f"{list_all(sorted({cell['git_commit'] for cell in cells}))}, merged and scored at "
        f"{list_all(sorted({cell.get('scored_at', cell['git_commit']) for cell in cells}))}."
    )
