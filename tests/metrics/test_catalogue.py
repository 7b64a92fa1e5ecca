"""Every measure has one title, which figures, pages and tables take from the catalogue."""

import re
from pathlib import Path

import dcsomrl
from dcsomrl.benchmarking.table import MERGED_NODES
from dcsomrl.metrics import BY_KEY, CATALOGUE, CLUSTER, CLUSTER_SCORES, LABEL_SCORES, REPORTED


def test_a_key_and_a_title_stand_once():
    measures = [*CATALOGUE, *REPORTED]
    assert len(BY_KEY) == len(measures) == len({one.title for one in measures})


def test_clusters_are_scored_alike_everywhere():
    assert set(CLUSTER_SCORES) <= set(LABEL_SCORES)
    assert {CLUSTER + name for name in CLUSTER_SCORES} <= set(BY_KEY)
    assert [key for _, key, _ in MERGED_NODES[:4]] == [f"merged_{one}" for one in CLUSTER_SCORES]


def test_no_other_file_has_titles_of_its_own():
    titles = re.compile(r'"(NMI|ARI|AMI|neighbourhood preservation|edges of the graph)"')
    top = Path(dcsomrl.__file__).parent
    found = {
        str(file.relative_to(top)) for file in top.rglob("*.py") if titles.search(file.read_text())
    }
    assert found == {"metrics/catalogue.py"}
