"""Reports of real small runs: what they hold, and runs that lack something.

Figures by number are those of "Shaping latent representations using Self-Organizing Maps with
Relevance Learning", submitted to ICLR 2022.
"""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from dcsomrl.analysis.steps import find_step_of_share, score_by_chance
from dcsomrl.configuration import compose_config
from dcsomrl.loading import load
from dcsomrl.reporting.cluster_sheet import make_clusters
from dcsomrl.reporting.context import Context
from dcsomrl.reporting.notes import list_notes
from dcsomrl.reporting.page import draw_report, write_figures
from dcsomrl.reporting.run_data import read_run
from dcsomrl.reporting.sections.disturbances import draw_disturbances
from dcsomrl.reporting.sections.merging import draw_merging
from dcsomrl.reporting.sections.relevances import draw_relevances
from dcsomrl.reporting.sections.steps import draw_steps
from dcsomrl.train import train
from tests.conftest import read_test_split

pytestmark = pytest.mark.slow

ALL = {
    "clusters", "prototypes", "plane", "relevances", "disturbed", "disturbances", "traversals",
    "walks", "pairs", "topology", "quality", "shared", "neighbors", "outliers", "merging", "steps",
    "paths", "life",
    *("isolation", "components"),
}  # fmt: skip


def test_the_same_run_gives_the_same_page(run, portrait):
    sections, page = portrait
    again = {part.name: part for part in draw_report(run, "pca", 0)[0]}
    assert again.keys() == sections.keys()
    drawn = {picture.name: picture.svg for picture in page.pictures}
    for picture in draw_report(run, "pca", 0)[1].pictures:
        assert picture.svg == drawn[picture.name], picture.name


def test_arrays_are_those_of_the_model_and_its_metrics(trained, run):
    model = load(trained / "checkpoints" / "last.ckpt").model
    live = model.codebook.live_slots()
    assert run.slots.tolist() == live.tolist()
    assert len(run.slots) == run.metrics["nodes"] > 5
    np.testing.assert_array_equal(run.centers, model.som.centers[live])
    np.testing.assert_array_equal(run.relevances, model.som.relevances[live])
    adjacency = model.codebook.adjacency()[live][:, live]
    expected = {(i, j) for i, j in adjacency.nonzero().tolist() if i < j}
    assert {tuple(edge) for edge in run.edges.tolist()} == expected
    assignments = read_test_split(trained)
    assert run.slots[run.winner].tolist() == assignments["node"].tolist()
    # Purity, from the nodes' classes.
    assert run.classes.max(1).sum() / len(run.winner) == pytest.approx(run.metrics["purity"])
    assert run.trained_wins.sum() == 1294
    assert run.counts.sum() == 2 * 1294  # every sample of the training part has a first and second


def test_codes_are_found_and_decoded_as_by_the_model(run):
    np.testing.assert_array_equal(run.find(run.latent), run.winner)
    np.testing.assert_array_equal(run.find(run.centers), np.arange(len(run.slots)))
    np.testing.assert_allclose(run.decode(run.centers), run.decoded, atol=1e-6)
    error = ((run.decode(run.latent) - run.samples) ** 2).mean()
    assert error < ((run.samples.mean(0) - run.samples) ** 2).mean()
    assert run.samples.min() == 0
    assert run.samples.max() == 1


def test_every_section_of_an_image_run_is_there(portrait, tmp_path):
    found, page = portrait
    assert set(found) == ALL
    assert [picture.name for picture in page.pictures] == [
        name for name in found if found[name].figure is not None
    ]
    write_figures(found.values(), page, tmp_path)
    for name, section in found.items():
        assert (section.figure is None) != (tmp_path / f"{name}.svg").exists()
        assert not re.search(r"\bnan\b", section.caption), section.caption
    measures = json.loads((tmp_path / "measures.json").read_text())
    assert 0 < measures["trustworthiness"] <= 1
    assert measures["merging, spectral on winners: clusters"] == 10


def test_titles_are_plain_words_and_the_papers_numbers_stand_beside_them(portrait):
    found, page = portrait
    numbered = re.compile(r"\b(Figs?\.|Table|Appendix|Section|A\.\d)")
    for section in found.values():
        assert not numbered.search(section.title), section.title
        assert not numbered.search(section.caption), section.caption
    assert found["plane"].source == "Fig. 5"
    assert {picture.name: picture.source for picture in page.pictures}["relevances"] == "Fig. 2"


def test_samples_of_a_table_are_called_by_their_ids(tmp_path):
    digits = load_digits()
    table = pd.DataFrame(digits.data[:200]).rename(columns="pixel {}".format)
    table.insert(0, "name", [f"digit {number}" for number in range(200)])
    table.to_csv(tmp_path / "digits.csv", index=False)
    settings = ["dataset=arrays", f"dataset.path={tmp_path / 'digits.csv'}", "trainer=cpu"]
    settings += ["dataset.source.id=name", "trainer.max_epochs=1", "dataset.batch_size=64"]
    (tmp_path / "run").mkdir()
    train(compose_config("train", settings, tmp_path / "run"))
    found = read_run(tmp_path / "run")
    names = read_test_split(tmp_path / "run")["id"].tolist()
    assert found.called == names
    _, page = draw_report(found, "pca", 0)
    assert page.answers["odd"].rows[0][0] in names
    assert set(page.clusters[0].facts["typical samples"].split(", ")) <= set(names)


def test_captions_say_what_was_measured(portrait, run):
    found, page = portrait
    topology = found["topology"]
    assert topology.measures["edges"] == len(run.edges)
    assert f"{len(run.edges)} edges join {len(run.slots)} nodes" in topology.caption
    merged = found["merging"].measures
    assert merged["merging, all nodes: purity"] == pytest.approx(run.metrics["purity"])
    assert ("purity", f"{run.metrics['purity']:.3f}") in page.summary
    steps = found["steps"]
    chance = np.array([score_by_chance(n, np.full(10, 10))[0] for n in run.steps["nodes"]])
    lead = (run.steps["purity"] - chance) / (1 - chance)
    first = run.steps[lead >= 0.9 * lead.tail(7).median()]
    assert steps.measures["steps_to_90%_purity"] == first["step"].iloc[0]
    assert f"Purity ends at {run.steps['purity'].tail(7).median():.3f}" in steps.caption
    at, nmi = run.steps["step"].to_numpy(), run.steps["nmi"].to_numpy()
    assert steps.measures["steps_to_99%_final_nmi"] == find_step_of_share(at, nmi, 0.99) > 1


def test_a_cluster_is_a_row_with_the_samples_of_its_nodes(portrait, run):
    (axis,) = portrait[0]["clusters"].figure.axes
    number = run.cluster.max() + 1
    assert portrait[0]["clusters"].measures == {"clusters": number}
    assert number == run.metrics["clusters"]
    assert [text.get_text().split(" (")[0] for text in axis.texts] == [
        f"cluster {one}: {run.wins[run.cluster == one].sum():,}" for one in range(number)
    ]
    assert f"merged into {number} clusters, a number that holds" in (
        portrait[0]["clusters"].caption
    )


def test_the_sheet_of_clusters_is_of_the_assignments(trained, portrait, run):
    sheet = portrait[1].clusters
    assigned = read_test_split(trained)
    assert len(sheet) == run.metrics["clusters"]
    for row in sheet:
        own = assigned[assigned["cluster"] == row.number]
        assert row.facts["samples"] == f"{len(own):,}"
        assert row.facts["nodes"] == str((run.cluster == row.number).sum())
        # By hand: distances to all nodes, each weighted by its relevances.
        z = run.latent[own["index"]]
        apart = (run.relevances * (z[:, None] - run.centers) ** 2).sum(2)
        inside = run.cluster == row.number
        clear = apart[:, ~inside].min(1) >= 4 * apart[:, inside].min(1)
        assert row.facts["clear"] == f"{clear.mean():.0%}"
        classes = np.bincount(run.labels[own["index"]])
        share = f"{classes.max() / len(own):.0%}"
        assert row.facts["most frequent class"] == f"{classes.argmax()} ({share})"
        assert row.pictures.shape == (min(8, len(own)), 8, 8, 1)
        best = own.sort_values("activation", ascending=False).iloc[0]["index"]
        first = np.round(run.samples[int(best), 0].clip(0, 1) * 255)
        np.testing.assert_array_equal(row.pictures[0, :, :, 0], first)


def test_of_a_table_the_sheet_names_what_sets_clusters_apart(run):
    samples = np.random.default_rng(0).normal(size=(len(run.samples), 4))
    own = run.cluster[run.winner] == 0
    samples[own, 2] -= 3
    table = replace(
        run,
        samples=samples,
        decoded=np.zeros((len(run.slots), 4)),
        feature_names=["a", "b", "c", "d"],
    )
    name, far = make_clusters(table)[0].facts["set apart by"].split(", ")[0].split()
    expected = (samples[own, 2].mean() - samples[~own, 2].mean()) / samples[:, 2].std()
    assert (name, float(far)) == ("c", pytest.approx(expected, abs=0.05))


def test_clusters_that_are_not_shown_are_said(run):
    assert not any("clusters the" in one for one in list_notes(run))
    many = replace(run, cluster=np.arange(len(run.slots)) + 40)
    said = f"Of {len(run.slots) + 40} clusters, the 40 largest are shown."
    assert said in list_notes(many)
    assert len(make_clusters(many)) == 40


def test_a_course_without_a_lead_over_chance_reaches_nothing(run):
    flat = run.steps.assign(purity=0.1, nmi=0.0, nodes=1)
    steps = draw_steps(Context(replace(run, steps=flat)))
    assert steps.measures["steps_to_90%_purity"] is None
    assert "there is none to be reached" in steps.caption


def test_the_use_of_nodes_at_the_end_is_that_of_the_trained_map(run):
    share = run.trained_wins[run.trained_wins > 0] / run.trained_wins.sum()
    last = run.history.iloc[-1]
    assert last["usage/nodes_used"] == len(share)
    assert last["usage/perplexity"] == pytest.approx(np.exp(-(share * np.log(share)).sum()))


def test_nodes_that_have_learned_nothing_say_nothing_of_relevances(portrait, run):
    new = np.concatenate([run.relevances, np.ones_like(run.relevances[:1])])
    grown = replace(
        run,
        slots=np.append(run.slots, run.slots.max() + 1),
        centers=np.concatenate([run.centers, run.centers[:1]]),
        relevances=new,
    )
    for section, before in (
        (draw_relevances(Context(grown)), portrait[0]["relevances"]),
        (draw_disturbances(Context(grown)), portrait[0]["disturbances"]),
    ):
        assert section.measures == before.measures
    number = (np.ptp(new, axis=1) == 0).sum()
    assert f"Left out: {number} of {len(new)} nodes" in draw_relevances(Context(grown)).caption
    assert draw_relevances(Context(replace(run, relevances=np.ones_like(run.relevances)))) is None
    assert draw_disturbances(Context(replace(run, relevances=np.ones_like(run.relevances)))) is None


def test_nodes_are_pruned_by_what_they_won_in_training(run):
    wins = np.where(np.arange(len(run.slots)) < 3, 1000, 1)
    pruned = draw_merging(Context(replace(run, trained_wins=wins))).measures
    assert pruned["merging, pruned: clusters"] == 3


def test_the_explorer_holds_the_map(portrait, run):
    explorer = portrait[1].explorer
    assert explorer.wins.sum() == len(run.winner)
    np.testing.assert_array_equal(explorer.slots, run.slots)
    assert explorer.tiles.shape == (len(run.slots), 8, 8, 1)
    # No dimension lies below a relevance of 0, all lie below 1 but those of newborn nodes.
    np.testing.assert_array_equal(explorer.disturbed[0], explorer.tiles)
    assert (explorer.disturbed[-1] != explorer.tiles).mean() > 0.3
    near = explorer.nearest_rows[:, 0]
    own = run.winner[near] == np.arange(len(run.slots))
    assert own[run.wins > 5].mean() > 0.9


def test_samples_are_called_by_their_number_in_the_whole_split(run):
    np.testing.assert_array_equal(run.index, np.arange(len(run.samples)))
    some = run.index % 3 == 1
    fewer = replace(
        run,
        **{name: getattr(run, name)[some] for name in ("samples", "latent", "winner", "second")},
        **{name: getattr(run, name)[some] for name in ("activation", "labels", "index")},
        **{name: getattr(run, name)[some] for name in ("clear", "outlier")},
    )
    assert set(draw_report(fewer, "pca", 0)[1].explorer.nearest_rows.ravel() % 3) == {1}


def test_images_of_another_range_are_brought_to_one_that_can_be_seen(tmp_path):
    digits = load_digits()
    np.savez(tmp_path / "digits.npz", x=digits.images[:, None] - 8, y=digits.target)
    settings = ["dataset=arrays", f"dataset.path={tmp_path / 'digits.npz'}", "trainer=cpu",
                "trainer.max_epochs=1", "dataset.normalization=standard",
                "dataset.batch_size=64"]  # fmt: skip
    (tmp_path / "run").mkdir()
    train(compose_config("train", settings, tmp_path / "run"))
    found = read_run(tmp_path / "run")
    assert found.image
    np.testing.assert_allclose([found.samples.min(), found.samples.max()], [0, 1], atol=1e-6)
    assert 0.1 < found.decoded.mean() < 0.6
    np.testing.assert_allclose(found.decode(found.centers), found.decoded, atol=1e-6)


def names(run):
    return {section.name for section in draw_report(run, "pca", 0)[0]}


def test_without_labels_what_needs_them_is_left_out(run):
    bare = replace(run, labels=None, class_names=None)
    found, page = draw_report(bare, "pca", 0)
    left = {section.name: section for section in found}
    assert set(left) == ALL - {"shared", "merging", "steps"}
    assert "edge_agreement" not in left["topology"].measures
    assert page.explorer.point_class is None
    assert page.notes[0].startswith("The data has no labels")


def test_a_graph_without_edges_a_full_map_and_no_map_are_said(run):
    empty = np.empty((0, 2), dtype=np.int64)
    unlinked = replace(run, edges=empty, max_nodes=len(run.slots))
    found, page = draw_report(unlinked, "pca", 0)
    assert {section.name for section in found} == ALL - {"walks", "pairs", "shared", "isolation"}
    edgeless = "No two nodes activate each other at the threshold: the graph has no edge."
    assert edgeless in page.notes
    assert any("The map is full" in note for note in page.notes)
    lacking = {"relevances": None, "steps": None, "paths": None, "history": pd.DataFrame()}
    mapless = replace(run, edges=None, **lacking)
    found, page = draw_report(mapless, "pca", 0)
    assert {section.name for section in found} == {
        *("clusters", "prototypes", "plane", "traversals", "neighbors", "outliers", "merging"),
        "components",
    }
    assert any("has no map" in note for note in page.notes)


def only(run, node):
    """The run with a single node, which wins every sample."""
    return replace(
        run,
        slots=run.slots[[node]],
        centers=run.centers[[node]],
        relevances=run.relevances[[node]],
        decoded=run.decoded[[node]],
        edges=np.empty((0, 2), dtype=np.int64),
        trained_wins=run.trained_wins.sum(keepdims=True),
        counts=np.zeros((1, 1)),
        cluster=np.zeros(1, dtype=np.int64),
        winner=np.zeros_like(run.winner),
        second=np.full_like(run.second, -1),
        find=lambda z: np.zeros(len(z), dtype=np.int64),
    )


def test_a_single_node_gives_a_page(run):
    found, page = draw_report(only(run, 0), "pca", 0)
    assert {"prototypes", "plane", "relevances"} <= {section.name for section in found}
    assert any("one live node" in note for note in page.notes)
    assert page.explorer.wins.tolist() == [len(run.winner)]


def test_a_map_without_a_node_gives_a_page(run):
    none = only(run, 0)
    none = replace(
        none,
        slots=none.slots[:0],
        centers=none.centers[:0],
        relevances=none.relevances[:0],
        decoded=none.decoded[:0],
        winner=np.full_like(none.winner, -1),
        trained_wins=none.trained_wins[:0],
        counts=np.zeros((0, 0)),
        cluster=none.cluster[:0],
    )
    found, page = draw_report(none, "pca", 0)
    assert [section.name for section in found] == ["life"]
    assert page.explorer is None
    assert any("no live node" in note for note in page.notes)
