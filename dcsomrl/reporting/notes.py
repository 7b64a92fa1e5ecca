"""What a reader should know before reading the rest."""

from dcsomrl.inspection import Inspected


def notes(run: Inspected) -> list[str]:
    """Sentences on what is out of the ordinary with a run, and on how to read its scores."""
    said = []
    n = len(run.slots)
    growing = run.relevances is not None
    if run.labels is None:
        said.append("The data has no labels: everything that needs them is left out.")
    if len(run.winner) < run.n_test:
        said.append(
            f"Figures and captions are of {len(run.winner):,} test samples, evenly spaced over all "
            f"{run.n_test:,}; the summary is of all."
        )
    if n == 0:
        said.append("The map has no live node: it has learned nothing.")
    elif n == 1:
        said.append("The map has a single node: it tells nothing apart.")
    elif growing and n == run.max_nodes:
        said.append(
            f"The map is full: all {n} of its slots are in use, and it could not grow where the "
            "data asked for it. Raise model.som.max_nodes or lower model.som.activation_threshold."
        )
    if n > 1 and run.edges is None:
        said.append("This model has no map: its clusters have no neighbours.")
    elif n > 1 and len(run.edges if run.edges is not None else ()) == 0:
        said.append("No two nodes activate each other at the threshold: the graph has no edge.")
    if unused := int((run.wins == 0).sum()):
        said.append(f"{unused} of {n} nodes won no test sample.")
    if run.labels is not None and n > 1:
        said.append(
            "Purity rises with the number of nodes and NMI falls with it: compare them only "
            "between runs of about as many. Labels colour and score; none was used in training."
        )
    return said
