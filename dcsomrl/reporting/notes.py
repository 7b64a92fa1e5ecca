"""What a reader should know before reading the rest."""

from dcsomrl.figures.clusters import MOST_CLUSTERS
from dcsomrl.reporting.run_data import RunData
from dcsomrl.training.warnings import warn_of_clusters, warn_of_map


def list_notes(run: RunData) -> list[str]:
    """Sentences on what is out of the ordinary with a run, and on how to read its scores."""
    said = []
    n = len(run.slots)
    growing = run.relevances is not None
    if run.labels is None:
        said.append("The data has no labels: everything that needs them is left out.")
    if len(run.winner) < run.n_test:
        said.append(
            f"Figures and captions cover {len(run.winner):,} test samples, evenly spaced among all "
            f"{run.n_test:,}; the summary covers all of them."
        )
    said += warn_of_map(n, run.max_nodes, growing)
    used = int((run.wins > 0).sum())
    said += warn_of_clusters(used, n, len(run.winner), int((run.winner < 0).sum()))
    if n > 1 and run.edges is None:
        said.append("This model has no map: its clusters have no neighbours.")
    elif n > 1 and len(run.graph) == 0:
        said.append("No two nodes activate each other at the threshold: the graph has no edge.")
    if run.cluster is not None and n and (number := int(run.cluster.max()) + 1) > MOST_CLUSTERS:
        said.append(f"Of {number} clusters, the {MOST_CLUSTERS} largest are shown.")
    if unused := int((run.wins == 0).sum()):
        said.append(f"{unused} of {n} nodes won no test sample.")
    if run.labels is not None and n > 1:
        said.append(
            "Purity rises with the number of nodes and NMI falls with it: compare them only "
            "between runs with similar numbers. Labels are for colours and scores; none was used "
            "in training."
        )
    return said
