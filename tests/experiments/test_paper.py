"""The page about the paper: from a short run on the digits, and its verdicts on known numbers."""

import os
import re
import subprocess
import sys

import pytest

from experiments.claims import CLAIMS, HOLDS, NOT, PARTLY, UNKNOWN, judge_claims

pytestmark = pytest.mark.slow

GOOD = {
    "benchmark_purity": 0.88, "benchmark_nmi": 0.53, "benchmark_nodes_used": 70,
    "published_purity": 0.884, "published_nmi": 0.521,
    "shared_light": 0.7, "shared_light_chance": 0.2, "disturbance_dimensions": 4.0,
    "nodes": 70, "relevance_near_zero": 0.3, "relevance_near_one": 0.2,
    "disturbance_winner_flips_least_relevant": 0.05, "disturbance_winner_flips_random": 0.5,
    "disturbance_change_least_relevant": 0.1, "disturbance_change_random": 0.4,
    "disturbance_change_most_relevant": 0.6,
    "walk_unevenness_connected": 1.1, "walk_unevenness_unconnected": 1.3,
    "walk_unevenness_p": 0.001,
    "edge_agreement": 0.9, "edge_agreement_chance": 0.1,
    "steps": 1000, "steps_to_90%_purity": 50, "steps_to_99%_purity": 400,
    "typicality_prototype": 0.1, "typicality_mean": 0.12,
    "merging, all nodes: clusters": 70, "merging, k-means on centres: clusters": 10,
    "merging, k-means on centres: purity": 0.88, "merging, spectral on winners: purity": 0.89,
    "merging, all nodes: purity": 0.9,
    "merging, pruned: purity": 0.9, "merging, pruned: clusters": 60,
    "threshold_prcc": -0.8, "threshold_prcc_low": -0.9, "threshold_prcc_high": -0.6,
    "other_prcc": 0.3, "other_prcc_low": -0.1, "other_prcc_high": 0.6, "others_sure": 0,
}  # fmt: skip


def test_every_claim_holds_on_numbers_that_bear_it_out():
    assert [one.verdict for one in judge_claims(GOOD)] == [HOLDS] * len(CLAIMS)


@pytest.mark.parametrize(
    ("changed", "number", "verdict"),
    [
        ({"benchmark_nmi": 0.4}, 0, PARTLY),
        ({"benchmark_nmi": 0.4, "benchmark_purity": 0.5}, 0, NOT),
        ({"nodes": 105}, 1, PARTLY),
        ({"nodes": 200}, 1, NOT),
        ({"relevance_near_one": 0.01}, 2, NOT),
        ({"disturbance_winner_flips_least_relevant": 0.4}, 3, PARTLY),
        ({"disturbance_winner_flips_least_relevant": 0.6}, 3, NOT),
        ({"disturbance_winner_flips_random": 0.0}, 3, UNKNOWN),
        ({"disturbance_change_least_relevant": 0.41}, 4, NOT),
        ({"walk_unevenness_unconnected": 1.05}, 5, NOT),
        ({"walk_unevenness_p": 0.2}, 5, PARTLY),
        ({"walk_unevenness_connected": None}, 5, UNKNOWN),
        ({"edge_agreement": 0.5}, 6, PARTLY),
        ({"edge_agreement": 0.12}, 6, NOT),
        ({"edge_agreement": None}, 6, UNKNOWN),
        ({"shared_light": 0.35}, 7, PARTLY),
        ({"shared_light": 0.25}, 7, NOT),
        ({"steps_to_90%_purity": 200}, 8, PARTLY),
        ({"steps_to_90%_purity": None}, 8, UNKNOWN),
        ({"typicality_mean": 0.05}, 9, NOT),
        ({"typicality_prototype": 0.0}, 9, HOLDS),
        ({"merging, k-means on centres: purity": 0.86}, 10, NOT),
        (
            {
                "merging, k-means on centres: purity": 0.84,
                "merging, spectral on winners: purity": 0.8,
            },
            10,
            PARTLY,
        ),
        ({"merging, pruned: purity": 0.8}, 11, NOT),
        ({"others_sure": 1}, 12, PARTLY),
        ({"other_prcc": -0.85}, 12, NOT),
        ({"threshold_prcc_high": 0.1}, 12, NOT),
    ],
)
def test_a_claim_falls_with_its_number_and_no_other_with_it(changed, number, verdict):
    judged = [one.verdict for one in judge_claims(GOOD | changed)]
    assert judged[number] == verdict
    assert judged[:number] + judged[number + 1 :] == [HOLDS] * (len(CLAIMS) - 1)


def test_where_nothing_is_disturbed_nothing_is_claimed():
    judged = [one.verdict for one in judge_claims(GOOD | {"disturbance_dimensions": 0.0})]
    assert judged == [HOLDS] * 3 + [UNKNOWN] * 2 + [HOLDS] * (len(CLAIMS) - 5)


def test_what_was_not_measured_is_said():
    assert {one.verdict for one in judge_claims({})} == {UNKNOWN}


def test_the_quick_page_judges_every_claim_and_shows_its_pictures(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "experiments.paper"],
        cwd=tmp_path,
        env={**os.environ, "QUICK": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "paper-quick"
    page = (folder / "README.md").read_text()
    for claim, where, _ in CLAIMS:
        assert re.search(rf"\| {re.escape(claim)} \| {re.escape(where)} \| \*\*\w", page)
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    assert len(pictures) >= 10
    assert all((folder / picture).stat().st_size > 1000 for picture in pictures)
    assert "| dcsomrl | 0.884 / 0.521 | 0.679 / 0.404 | 60-80 |" in page
    assert "| model.som.activation_threshold | 0.99 |" in page
