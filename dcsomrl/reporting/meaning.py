"""What the nodes mean: relevances, disturbances, traversals, neighbours, outliers."""

import numpy as np

from dcsomrl.analysis.disturbance import KINDS, disturb, disturbance_curve
from dcsomrl.analysis.neighbors import intersection, nearest_samples, shared_light, typicality
from dcsomrl.analysis.relevance import MATTERS, learned, relevance_profile
from dcsomrl.analysis.topology import components
from dcsomrl.analysis.walks import traverse
from dcsomrl.figures.images import image_rows
from dcsomrl.figures.relevance import disturbance_lines, relevance_histograms
from dcsomrl.inspection import Array, Inspected
from dcsomrl.reporting.section import Section, most_used, shown

# Rows of the figures that show some nodes.
ROWS = 8
# Prototypes of a class that are compared.
SHARING = 5
# Draws of as many prototypes from the whole map, for each such group.
CHANCE = 50
# Thresholds below which, and then above which, the source disturbs prototypes in Fig. 3.
BELOW = (0.3, 0.4, 0.5)


def spread(run: Inspected) -> float:
    """Mean deviation of a dimension of the codes: how far a disturbance moves each."""
    return float(run.latent.std(0).mean())


def relevances(run: Inspected) -> Section | None:
    """Fig. 2."""
    if run.relevances is None or not (kept := learned(run.relevances)).any():
        return None
    profile = relevance_profile(run.relevances[kept])
    used = profile.nodes_per_dimension
    caption = (
        f"{profile.near_zero:.0%} of the relevances are near 0, {profile.moderate:.0%} moderate "
        f"and {profile.near_one:.0%} near 1; a dimension matters to {used.mean():.1f} of "
        f"{kept.sum()} nodes in the mean, from {used.min()} to {used.max()}."
    )
    if new := int((~kept).sum()):
        caption += (
            f" Left out: {new} of {len(kept)} nodes, which have not learned any relevance yet."
        )
    measures = {
        "relevance_near_zero": profile.near_zero,
        "relevance_moderate": profile.moderate,
        "relevance_near_one": profile.near_one,
        "relevance_entropy": float(profile.entropy.mean()),
    }
    figure = relevance_histograms(run.relevances[kept])
    return Section("relevances", "Relevances (Fig. 2)", caption, figure, measures)


def disturbed_prototypes(run: Inspected, seed: int) -> Section | None:
    """Fig. 3."""
    if run.relevances is None or not run.image:
        return None
    rng = np.random.default_rng(seed)
    size = 2 * spread(run)
    columns = [run.decoded]
    for threshold in BELOW:
        mask = run.relevances < threshold
        columns.append(run.decode(disturb(run.centers, mask, size, rng, run.box)))
    mask = run.relevances > MATTERS
    columns.append(run.decode(disturb(run.centers, mask, size, rng, run.box)))
    nodes = most_used(run.wins, ROWS)
    figure = image_rows(
        list(shown(np.stack(columns, 1)[nodes])),
        [f"node {run.slots[node]}" for node in nodes],
        ["prototype", *(f"< {threshold}" for threshold in BELOW), f"> {MATTERS}"],
    )
    caption = (
        "Prototypes of the most used nodes, decoded after all their dimensions of a relevance "
        f"below 0.3, 0.4 and 0.5, and above {MATTERS}, were moved by {size:.3f}, two deviations of "
        "the codes. The further right of the first four, the more dimensions move."
    )
    return Section("disturbed", "Disturbed prototypes (Fig. 3)", caption, figure)


def disturbances(run: Inspected, seed: int) -> Section | None:
    """The claim of Fig. 3, over all prototypes that have learned relevances."""
    if run.relevances is None or not (kept := learned(run.relevances)).any():
        return None
    classes = None if run.labels is None else run.node_class
    table = disturbance_curve(
        run.centers[kept], run.relevances[kept], 2 * spread(run),
        lambda z: run.decode(z) / run.unit, run.find, classes, run.box, seed=seed,
    )  # fmt: skip
    at = table[table["threshold"] == 0.5].set_index("kind")
    measures = {
        f"disturbance_{name}_{kind.replace(' ', '_')}": float(at[name][kind])
        for kind in KINDS
        for name in ("change", "winner_flips", "class_flips")
        if name in at
    }
    least, chance, most = (at.loc[kind] for kind in KINDS)
    measures["disturbance_dimensions"] = float(at["dimensions"][KINDS[0]])
    caption = (
        f"With the {least['dimensions']:.1f} dimensions of a relevance below 0.5 moved, another "
        f"node wins in {least['winner_flips']:.0%} of cases, against {chance['winner_flips']:.0%} "
        f"with as many random ones and {most['winner_flips']:.0%} with the most relevant; the "
        f"decoded sample changes by {least['change']:.3f}, {chance['change']:.3f} and "
        f"{most['change']:.3f}{'' if run.image else ' deviations of a column'}. Over {kept.sum()} "
        "nodes; bands: 95 %."
    )
    figure = disturbance_lines(table)
    title = "Does relevance say what matters? (Fig. 3)"
    return Section("disturbances", title, caption, figure, measures)


def traversals(run: Inspected) -> Section | None:
    """Fig. 4, one dimension at a time."""
    if not run.image:
        return None
    nodes, steps = most_used(run.wins, ROWS), 11
    low, high = np.quantile(run.latent, [0.01, 0.99], axis=0)
    weights = run.latent.std(0) * (1 if run.relevances is None else run.relevances)
    rows, labels = [], []
    for node in nodes:
        dimension = int(np.broadcast_to(weights, run.centers.shape)[node].argmax())
        walk = traverse(run.centers[node], dimension, low[dimension], high[dimension], steps)
        rows.append(shown(run.decode(walk)))
        labels.append(f"node {run.slots[node]}, z{dimension}")
    caption = (
        "Each row: a prototype with the dimension of the largest relevance and spread going from "
        "the lowest to the highest hundredth of the test samples."
    )
    return Section("traversals", "Along one dimension (Fig. 4)", caption, image_rows(rows, labels))


def shared(run: Inspected, seed: int) -> Section | None:
    """Figs. 8 and 9: the connected prototypes of one class, found by the graph."""
    if not run.image or run.labels is None or run.edges is None or len(run.edges) == 0:
        return None
    first, second = run.node_class[run.edges].T
    same = run.edges[(first == second) & (first >= 0)]
    part = components(same, len(run.slots))
    if len(same) == 0:
        return None
    names, images = run.class_names or [], shown(run.decoded)
    rows, labels, groups = [], [], []
    for number in range(3):
        nodes = np.flatnonzero(part == number)
        if len(nodes) < 2:
            break
        nodes = nodes[np.argsort(-run.wins[nodes], kind="stable")][:SHARING]
        groups.append(nodes)
        common, beyond = intersection(images[nodes])
        name = names[run.node_class[nodes[0]]]
        rows += [np.concatenate([common[None], images[nodes]])]
        rows += [np.concatenate([np.zeros_like(common[None]), beyond])]
        labels += [f"{name}: prototypes", "beyond what they share"]
    rng, won = np.random.default_rng(seed), np.flatnonzero(run.wins > 0)
    within = float(np.mean([shared_light(images[nodes]) for nodes in groups]))
    others = [rng.permutation(won)[: len(nodes)] for nodes in groups for _ in range(CHANCE)]
    chance = float(np.mean([shared_light(images[nodes]) for nodes in others]))
    caption = (
        f"The {SHARING} most used nodes of the largest parts of the graph that have one class. "
        "First what their prototypes share, the pixelwise minimum, then the prototypes, and below "
        f"what each has beyond it. They share {within:.0%} of their light, as many nodes drawn "
        f"from all of the map {chance:.0%}."
    )
    measures = {"shared_light": within, "shared_light_chance": chance}
    figure, title = image_rows(rows, labels, ["shared"]), "What prototypes of a class share"
    return Section("shared", f"{title} (Figs. 8, 9)", caption, figure, measures)


def neighbors(run: Inspected) -> Section | None:
    """Fig. 10."""
    if not run.image or len(run.samples) < 10:
        return None
    near = nearest_samples(run.centers, run.latent, 10, run.relevances)
    found = typicality(run.decoded, run.samples, run.winner, near.row)
    prototype, mean = np.nanmean(found.prototype), np.nanmean(found.mean_sample)
    nodes = most_used(run.wins, ROWS)
    rows: list[Array] = [
        shown(np.concatenate([run.decoded[node][None], run.samples[near.row[node]]]))
        for node in nodes
    ]
    labels = [f"node {run.slots[node]}" for node in nodes]
    caption = (
        "Prototypes of the most used nodes, and the ten test samples nearest to each. The decoded "
        f"prototypes lie {prototype:.3f} (RMS a pixel) from their ten samples in the mean over the "
        f"nodes, the mean samples of the clusters {mean:.3f}."
    )
    measures = {"typicality_prototype": float(prototype), "typicality_mean": float(mean)}
    figure = image_rows(rows, labels, ["prototype"])
    return Section("neighbors", "Nearest samples (Fig. 10)", caption, figure, measures)


def outliers(run: Inspected) -> Section | None:
    """What the map knows least."""
    if len(run.samples) < 2:
        return None
    order = np.argsort(run.activation, kind="stable")[:24]
    if not run.image:
        rows_of = ", ".join(f"{run.index[i]} ({run.activation[i]:.4f})" for i in order[:10])
        caption = f"The test samples that activate their winner least, by number: {rows_of}."
        return Section("outliers", "Outliers", caption, None)
    rows = [shown(run.samples[part]) for part in np.array_split(order, 2)]
    ends = [f"{run.activation[order[i]]:.4f}" for i in (0, -1)]
    caption = f"The test samples that activate their winner least, from {ends[0]} to {ends[1]}."
    return Section("outliers", "Outliers", caption, image_rows(rows, ["", ""]))
