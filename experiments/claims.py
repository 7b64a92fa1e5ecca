"""What the paper claims, and whether our runs bear it out: a sentence each, with the number.

Numbered figures, tables, sections and equations are those of "Shaping latent representations using
Self-Organizing Maps with Relevance Learning", submitted to ICLR 2022.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

HOLDS, PARTLY, NOT = "holds", "holds partly", "does not hold"
UNKNOWN = "not measured"
Measures = Mapping[str, float | None]


class Verdict(NamedTuple):
    """Whether a claim holds on one dataset.

    Attributes:
        claim: of the paper, in our words.
        where: figure, table or section.
        verdict: holds, holds partly, does not hold, or not measured.
        evidence: the numbers that say so.
    """

    claim: str
    where: str
    verdict: str
    evidence: str


def grade(value: float, holds: float, partly: float) -> str:
    """The verdict on a number of which more is better."""
    return HOLDS if value >= holds else PARTLY if value >= partly else NOT


def judge_nodes(m: Measures) -> tuple[str, str]:
    """60 to 80 nodes at the end."""
    n = m["nodes"] or 0
    verdict = HOLDS if 60 <= n <= 80 else PARTLY if 40 <= n <= 130 else NOT
    return verdict, f"{n:.0f} live nodes, published 60 to 80"


def judge_relevances(m: Measures) -> tuple[str, str]:
    """Relevances distinguish dimensions: many near 1, some near 0."""
    low, high = m["relevance_near_zero"] or 0, m["relevance_near_one"] or 0
    share = min(low, high) if low and high else 0.0
    evidence = f"{low:.0%} near 0 (below 0.2), {high:.0%} near 1 (from 0.8), the rest between"
    return grade(share, 0.1, 0.02), evidence


def judge_disturbed_winner(m: Measures) -> tuple[str, str]:
    """A prototype with its least relevant dimensions disturbed stays its own."""
    least = m["disturbance_winner_flips_least_relevant"] or 0
    chance = m["disturbance_winner_flips_random"] or 0
    if not m["disturbance_dimensions"] or not chance:
        return UNKNOWN, "nothing was disturbed, or no other node could win"
    verdict = HOLDS if least < 0.1 else PARTLY if least < chance else NOT
    return verdict, (
        "with the dimensions with a relevance below 0.5 moved by two standard deviations, another "
        f"node wins in {least:.0%} of cases; with as many random ones, in {chance:.0%}"
    )


def judge_disturbed_picture(m: Measures) -> tuple[str, str]:
    """Disturbing the least relevant dimensions leaves the decoded prototype as it is."""
    least = m["disturbance_change_least_relevant"] or 0
    chance = m["disturbance_change_random"] or 1
    most = m["disturbance_change_most_relevant"] or 0
    if not m["disturbance_dimensions"]:
        return UNKNOWN, "no relevance lies below 0.5"
    verdict = HOLDS if least < 0.5 * chance else PARTLY if least < 0.9 * chance else NOT
    return verdict, (
        f"a decoded pixel changes by {least:.3f} (RMS), by {chance:.3f} with as many random "
        f"dimensions and by {most:.3f} with the most relevant"
    )


def judge_walks(m: Measures) -> tuple[str, str]:
    """Walks between neighbours change gradually."""
    near, far = m["walk_unevenness_connected"], m["walk_unevenness_unconnected"]
    if near is None or far is None:
        return UNKNOWN, "the graph has no edge"
    p = m["walk_unevenness_p"]
    sure = p is not None and p < 0.05
    verdict = NOT if near >= far else HOLDS if near <= 1.25 and sure else PARTLY
    return verdict, (
        f"the largest of ten steps is {near:.2f} times the mean one along edges, {far:.2f} times "
        f"between others (p {p:.2g})"
    )


def judge_neighbors(m: Measures) -> tuple[str, str]:
    """Neighbours on the map are alike."""
    share, chance = m.get("edge_agreement"), m.get("edge_agreement_chance")
    if share is None or chance is None:
        return UNKNOWN, "the graph has no edge"
    verdict = HOLDS if share >= 0.8 else PARTLY if share >= 2 * chance else NOT
    return verdict, f"{share:.0%} of the edges join nodes of one class, by chance {chance:.0%}"


def judge_likeness(m: Measures) -> tuple[str, str]:
    """Prototypes of one class that the graph joins share their form."""
    share, chance = m["shared_light"] or 0, m["shared_light_chance"] or 0
    verdict = grade(share - chance, 0.3, 0.1)
    return verdict, (
        f"joined prototypes of one class share {share:.0%} of their light, as many drawn from all "
        f"{chance:.0%}"
    )


def judge_steps(m: Measures) -> tuple[str, str]:
    """The scores are there after a few steps, beyond what chance gives to as many nodes."""
    at, later, total = (
        m.get(name) for name in ("steps_to_90%_purity", "steps_to_99%_purity", "steps")
    )
    if at is None or later is None or not total:
        return UNKNOWN, "no lead over chance, or no run with scores at every step"
    verdict = HOLDS if at <= 0.1 * total else PARTLY if at <= 0.3 * total else NOT
    return verdict, (
        f"90 % of the final purity's lead over chance at step {at:.0f} of {total:.0f}, 99 % at "
        f"{later:.0f}"
    )


def judge_nearest(m: Measures) -> tuple[str, str]:
    """A decoded prototype looks like the samples next to it."""
    prototype, mean = m["typicality_prototype"] or 0, m["typicality_mean"] or 1
    verdict = grade(mean / prototype, 1.0, 0.8) if prototype else HOLDS
    return verdict, (
        f"the ten nearest samples lie {prototype:.3f} (RMS) from the prototype, {mean:.3f} from "
        "the mean sample of its cluster"
    )


def judge_merged(m: Measures) -> tuple[str, str]:
    """k-means on the prototypes finds clusters of one class, against as many by the graph."""
    plain, before = m["merging, all nodes: purity"] or 0, m["merging, all nodes: clusters"] or 0
    kmeans, after = (m[f"merging, k-means on centres: {of}"] or 0 for of in ("purity", "clusters"))
    graph = m["merging, spectral on winners: purity"] or 0
    verdict = NOT if kmeans < graph - 0.02 else HOLDS if kmeans >= plain - 0.05 else PARTLY
    return verdict, (
        f"purity {plain:.3f} with {before:.0f} nodes, {kmeans:.3f} with k-means of their centres "
        f"in {after:.0f} clusters, {graph:.3f} with as many by the graph"
    )


def judge_pruned(m: Measures) -> tuple[str, str]:
    """Nodes that win little can be pruned without loss."""
    before, after = m["merging, all nodes: purity"] or 0, m["merging, pruned: purity"] or 0
    left = m["merging, pruned: clusters"] or 0
    verdict = HOLDS if after >= before - 0.005 else PARTLY if after >= before - 0.02 else NOT
    return verdict, f"purity {before:.3f} before, {after:.3f} with the {left:.0f} nodes that stay"


def judge_scores(m: Measures) -> tuple[str, str]:
    """The published purity and NMI are reached, by the mean of the benchmark's seeds."""
    ours = [m["benchmark_purity"] or 0, m["benchmark_nmi"] or 0]
    published = [m["published_purity"] or 0, m["published_nmi"] or 0]
    reached = [a >= b - 0.02 for a, b in zip(ours, published, strict=True)]
    verdict = HOLDS if all(reached) else PARTLY if any(reached) else NOT
    said = [" / ".join(f"{value:.3f}" for value in pair) for pair in (ours, published)]
    return verdict, (
        f"purity / NMI {said[0]}, published {said[1]}; the map has {m['benchmark_nodes_used']:.0f} "
        "nodes in use"
    )


def judge_sensitivity(m: Measures) -> tuple[str, str]:
    """Of all settings the activation threshold alone matters."""
    if "threshold_prcc" not in m:
        return UNKNOWN, "the search has not run"
    threshold, low, high = (m[f"threshold_prcc{end}"] or 0 for end in ("", "_low", "_high"))
    largest, sure = m["other_prcc"] or 0, m["others_sure"] or 0
    least, most = (m[f"other_prcc{end}"] or 0 for end in ("_low", "_high"))
    if low <= 0 <= high or abs(threshold) < abs(largest):
        verdict = NOT
    else:
        verdict = HOLDS if sure == 0 else PARTLY
    return verdict, (
        f"partial rank correlation with NMI {threshold:+.2f} ({low:+.2f} to {high:+.2f}), of "
        f"another setting at most {largest:+.2f} ({least:+.2f} to {most:+.2f}); p below 0.05, "
        f"corrected for their number, with {sure:.0f} of the others"
    )


CLAIMS: tuple[tuple[str, str, Callable[[Measures], tuple[str, str]]], ...] = (
    ("The published scores are reached", "Table 1", judge_scores),
    ("The map ends with 60 to 80 nodes", "Table 1", judge_nodes),
    ("Relevances distinguish dimensions", "Fig. 2", judge_relevances),
    (
        "A prototype disturbed in its least relevant dimensions still belongs to its node",
        "Fig. 3",
        judge_disturbed_winner,
    ),
    (
        "Disturbing the least relevant dimensions leaves the image unchanged",
        "Fig. 3",
        judge_disturbed_picture,
    ),
    ("Walks between neighbours change gradually", "Fig. 4", judge_walks),
    ("Neighbours on the map are alike", "Fig. 5", judge_neighbors),
    ("Prototypes of a class share their form", "Figs. 8, 9", judge_likeness),
    ("The scores are reached after few steps", "Fig. 7", judge_steps),
    ("A prototype looks like the samples next to it", "Fig. 10", judge_nearest),
    ("k-means on the prototypes finds the classes", "A.3", judge_merged),
    ("Nodes that win little can be pruned", "A.3", judge_pruned),
    ("Only the activation threshold matters much", "Fig. 6", judge_sensitivity),
)


def judge_claims(measures: Measures) -> list[Verdict]:
    """Every claim about a run, judged by its measures; one that lacks a number is not measured."""
    judged = []
    for claim, where, judge in CLAIMS:
        try:
            verdict, evidence = judge(measures)
        except KeyError as missing:
            verdict, evidence = UNKNOWN, f"no {missing.args[0]}"
        judged.append(Verdict(claim, where, verdict, evidence))
    return judged
