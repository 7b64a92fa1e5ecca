"""Every number that a result holds: its name, how it reads, and what it says.

Tables, summaries and pages take titles and decimals from here. A score against labels is computed
because it stands here: a new one is a function of a contingency matrix and an entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pkgutil import resolve_name
from typing import Literal

from torch import Tensor

from dcsomrl.metrics import functional
from dcsomrl.writing import tabulate

Better = Literal["higher", "lower", "neither"]
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Measure:
    """A number of a result.

    Attributes:
        key: its name in ``metrics.json``, and in ``metrics.csv`` behind ``val/``.
        title: in tables and on pages.
        decimals: that tables show, at least 0.
        better: which of two results is the better one.
        range: from where to where, in words.
        about: what it is, and what to compare it with.
        score: the number from a contingency matrix (n_clusters, n_classes) of counts, as a 0-d
            tensor, or the dotted path of such a function; None for what is no such score.
        labelled: whether it needs labels.
    """

    key: str
    title: str
    decimals: int
    better: Better
    range: str
    about: str
    score: Score | str | None = None
    labelled: bool = False


# Scores of clusters into which nodes are merged, here and by the benchmark; of a run's own clusters
# they bear their usual names behind the prefix.
CLUSTER = "cluster_"
CLUSTER_SCORES = ("accuracy", "nmi", "ari", "purity")
CATALOGUE = (
    Measure(
        "purity", "purity", 3, "higher", "0 to 1",
        "share of samples that belong to the most frequent class of their cluster. Rises with the "
        "number of clusters: compare at equal numbers only",
        functional.purity,
    ),
    Measure(
        "nmi", "NMI", 3, "higher", "0 to 1",
        "mutual information of clusters and classes, divided by the arithmetic mean of their "
        "entropies. Falls with the number of clusters: with ten classes and 64 clusters, each of "
        "equal size, it cannot exceed 0.713",
        functional.nmi,
    ),
    Measure(
        "nmi_geometric", "NMI, geometric", 3, "higher", "0 to 1",
        "the same divided by the geometric mean, as in scikit-learn before 0.22 and in older "
        "publications",
        partial(functional.nmi, average="geometric"),
    ),
    Measure(
        "ari", "ARI", 3, "higher", "up to 1, 0 by chance",
        "pairs of samples that clusters and classes agree on, corrected for chance. Penalises "
        "every cluster beyond the number of classes",
        functional.ari,
    ),
    Measure(
        "ami", "AMI", 3, "higher", "up to 1, 0 by chance", "NMI corrected for chance",
        functional.ami,
    ),
    Measure(
        "homogeneity", "homogeneity", 3, "higher", "0 to 1",
        "whether each cluster holds a single class", functional.homogeneity,
    ),
    Measure(
        "completeness", "completeness", 3, "higher", "0 to 1",
        "whether all of a class lies in one cluster", functional.completeness,
    ),
    Measure(
        "accuracy", "accuracy", 3, "higher", "0 to 1",
        "share of samples in the cluster that is matched to their class, one to one. Low by design "
        "if there are more clusters than classes: look at `cluster_accuracy`",
        functional.accuracy,
    ),
    Measure(
        "clustering_error", "clustering error", 3, "lower", "0 to 1",
        "1 - `accuracy`, as in the literature on subspace clustering",
        functional.clustering_error,
    ),
    Measure(
        "classes", "classes", 0, "neither", "count",
        "number of classes among the samples that were scored; with only one, scores against "
        "labels are left out",
        functional.count_classes,
    ),
    Measure(
        "clusters", "clusters", 0, "neither", "count",
        "number of clusters into which nodes are merged: as many as `n_clusters` asks for, or the "
        "number found",
    ),
    Measure(
        "cluster_accuracy", "cluster accuracy", 3, "higher", "0 to 1",
        "`accuracy` of the merged clusters", labelled=True,
    ),
    Measure(
        "cluster_nmi", "cluster NMI", 3, "higher", "0 to 1", "`nmi` of the merged clusters",
        labelled=True,
    ),
    Measure(
        "cluster_ari", "cluster ARI", 3, "higher", "up to 1, 0 by chance",
        "`ari` of the merged clusters",
        labelled=True,
    ),
    Measure(
        "cluster_purity", "cluster purity", 3, "higher", "0 to 1",
        "`purity` of the merged clusters",
        labelled=True,
    ),
    Measure("nodes", "nodes", 0, "neither", "count", "number of live nodes"),
    Measure(
        "nodes_used", "nodes used", 0, "neither", "count",
        "number of nodes that win at least one sample of the split",
    ),
    Measure(
        "perplexity", "perplexity", 1, "neither", "1 to `nodes`",
        "exponential of the entropy of the nodes' shares of the samples: the number of nodes that "
        "would have this entropy if all were used equally",
    ),
    Measure(
        "quantization_error", "quantization error", 3, "lower", "from 0",
        "mean distance of a code from its node's centre, in the model's own space: compare runs of "
        "the same model only",
    ),
    Measure(
        "topographic_error", "topographic error", 3, "lower", "0 to 1",
        "share of samples whose first and second winner are not neighbours; n/a for models without "
        "a map",
    ),
    Measure(
        "silhouette", "silhouette", 3, "higher", "-1 to 1",
        "how much closer codes lie to their own node's samples than to the next node's; 0 for a "
        "single node. Computed on the validation part only, for searches",
    ),
    Measure("epochs", "epochs", 0, "neither", "count", "number of whole epochs trained"),
    Measure("seconds", "seconds", 0, "lower", "from 0", "training time"),
)  # fmt: skip
# What a report adds, in the order of its page; these lie in its ``measures.json``.
REPORTED = (
    Measure("edges", "edges of the graph", 0, "neither", "count", "pairs of neighbouring nodes"),
    Measure(
        "components", "parts of the graph", 0, "neither", "count",
        "groups of nodes connected by edges",
    ),
    Measure(
        "edge_agreement", "class agreement across edges", 3, "higher", "0 to 1",
        "share of the edges whose two nodes have the same most frequent class", labelled=True,
    ),
    Measure(
        "edge_agreement_chance", "class agreement by chance", 3, "neither", "0 to 1",
        "the same with the classes of the nodes permuted", labelled=True,
    ),
    Measure(
        "trustworthiness", "trustworthiness", 3, "higher", "0 to 1",
        "whether neighbours on the map are neighbours in the data",
    ),
    Measure(
        "preservation", "neighbourhood preservation", 3, "higher", "0 to 1",
        "whether neighbours in the data are neighbours on the map",
    ),
    Measure(
        "distortion", "distortion", 3, "lower", "from 0",
        "squared distance of codes from all nodes, weighted more the closer a node is to the "
        "winner on the map",
    ),
)  # fmt: skip
BY_KEY = {measure.key: measure for measure in (*CATALOGUE, *REPORTED)}
# Those against labels, by name.
LABEL_SCORES: dict[str, Score] = {
    one.key: resolve_name(one.score) if isinstance(one.score, str) else one.score
    for one in CATALOGUE
    if one.score is not None
}


def describe() -> str:
    """The catalogue as a table in Markdown, whose rows stand in ``docs/results.md``."""
    labels = ["yes" if one.score or one.labelled else "no" for one in CATALOGUE]
    rows = [
        [f"`{one.key}`", one.range, one.better, needed, one.about]
        for one, needed in zip(CATALOGUE, labels, strict=True)
    ]
    header = ["key", "range", "better", "labels", "what, and what to compare it with"]
    return tabulate(header, rows)
