"""Coefficients against their definitions, computed the long way."""

import gc

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr, t

from dcsomrl.analysis import correlate_ranks, measure_sensitivity


def points(n=40, seed=0, effect=(3.0, -1.0, 0.0)):
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.random((n, 3)) * [1, 50, 1e-3], columns=["a", "b", "c"])
    y = sum(size * x[name] / x[name].std() for size, name in zip(effect, x, strict=True))
    return x, pd.Series(y + rng.normal(size=n), name="score")


def standard(values):
    return (values - values.mean(0)) / values.std(0, ddof=1)


@pytest.fixture
def little_to_collect():
    """Hide what the tests before have left: statsmodels collects garbage with every correction."""
    gc.freeze()
    yield
    gc.unfreeze()


def residual(of, given):
    given = np.column_stack([np.ones(len(of)), given])
    return of - given @ np.linalg.lstsq(given, of, rcond=None)[0]


def test_coefficients_are_those_of_least_squares_on_standard_values_and_ranks():
    x, y = points()
    table, r2, rank_r2 = measure_sensitivity(x, y)
    for name, given, of, share in (
        ("src", x.to_numpy(), y.to_numpy(), r2),
        ("srrc", rankdata(x, axis=0), rankdata(y), rank_r2),
    ):
        left, right = standard(given), standard(of)
        expected = np.linalg.lstsq(left, right, rcond=None)[0]
        np.testing.assert_allclose(table[name], expected, atol=1e-10)
        assert share == pytest.approx(1 - ((right - left @ expected) ** 2).sum() / (len(y) - 1))


def test_the_partial_correlation_is_that_of_what_the_others_leave():
    x, y = points()
    table, *_ = measure_sensitivity(x, y)
    ranks, of = rankdata(x, axis=0), rankdata(y)
    for i, name in enumerate(x):
        others = np.delete(ranks, i, axis=1)
        expected = pearsonr(residual(ranks[:, i], others), residual(of, others)).statistic
        assert table["prcc"][name] == pytest.approx(expected, abs=1e-10)
        # Fisher: the interval of a plain correlation of as many points as the others leave.
        plain = pearsonr(*np.random.default_rng(0).random((2, len(x) - 2)))
        width = np.arctanh(plain.confidence_interval().high) - np.arctanh(plain.statistic)
        low, high = np.arctanh(table.loc[name, ["prcc_low", "prcc_high"]].astype(float))
        assert (high - low) / 2 == pytest.approx(width)


def test_p_is_that_of_the_partial_correlations_after_holm():
    x, y = points(effect=(1.0, -0.3, 0.1))
    table, *_ = measure_sensitivity(x, y)
    r, df = table["prcc"], len(x) - 4
    raw = 2 * t.sf(r.abs() * np.sqrt(df / (1 - r**2)), df)
    order = np.argsort(raw)
    expected = np.minimum(np.maximum.accumulate(raw[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(table["p"].to_numpy()[order], expected, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.usefixtures("little_to_collect")
def test_intervals_hold_the_truth_in_19_of_20_searches():
    tables = [measure_sensitivity(*points(30, seed, (0, 0, 0)))[0] for seed in range(300)]
    # And p says that something matters in one of 20 where nothing does.
    assert 0.02 < np.mean([(table["p"] < 0.05).any() for table in tables]) < 0.08
    for name in ("src", "srrc", "prcc"):
        inside = [(table[f"{name}_low"] <= 0) & (table[f"{name}_high"] >= 0) for table in tables]
        assert 0.93 < np.mean(inside) < 0.97


def test_parameters_without_an_order_are_accounted_for_and_have_no_coefficient():
    x, y = points(effect=(1.0, 0.0, 0.0))
    kind = pd.Series(["one", "two", None, "two"] * 10, dtype=object)
    flag = pd.Series([True] * 20 + [False] * 20)
    moved = (y + kind.map({"one": 30.0, "two": 0.0}).fillna(-30.0) + 20 * flag).rename("score")
    table, r2, _ = measure_sensitivity(x.assign(kind=kind, flag=flag, fixed=1.0), moved)
    assert list(table.index) == ["a", "b", "c", "kind", "flag", "fixed"]
    assert table.loc[["kind", "flag", "fixed"]].isna().all(axis=None)
    assert table.loc["a", "src_low"] > 0
    assert r2 > 0.99
    assert measure_sensitivity(x, moved)[1] < 0.5


def test_too_few_points_or_nothing_to_explain_are_refused():
    x, y = points(6)
    measure_sensitivity(x, y)
    with pytest.raises(ValueError, match="5 points with a result are too few for 3 parameters"):
        measure_sensitivity(x[:5], y[:5])
    with pytest.raises(ValueError, match="score is the same at every point"):
        measure_sensitivity(x, y * 0)


def test_a_few_points_have_rank_correlations():
    x, y = points(n=6, effect=(1.0, -0.3, 0.1))
    table = correlate_ranks(x.assign(kind=list("aabbab"), fixed=1), y)
    assert list(table.index) == ["a", "b", "c"]
    raw = np.array([spearmanr(x[name], y).pvalue for name in x])
    for name in x:
        expected = pearsonr(rankdata(x[name]), rankdata(y)).statistic
        assert table["rho"][name] == pytest.approx(expected, abs=1e-10)
    order = np.argsort(raw)
    expected = np.minimum(np.maximum.accumulate(raw[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(table["p"].to_numpy()[order], expected, rtol=1e-8)
    with pytest.raises(ValueError, match="4 points with a result tell nothing"):
        correlate_ranks(x[:4], y[:4])
    with pytest.raises(ValueError, match="score is the same at every point"):
        correlate_ranks(x, y * 0)


@pytest.mark.slow
@pytest.mark.usefixtures("little_to_collect")
def test_the_interval_of_a_rank_correlation_holds_it_in_95_of_100_cases():
    rng, true, held = np.random.default_rng(0), 0.6, 0
    for _ in range(400):
        # Spearman's rho of two normal variables is 6 / pi * asin(r / 2).
        both = rng.multivariate_normal([0, 0], [[1, 0.618], [0.618, 1]], 12)
        table = correlate_ranks(pd.DataFrame({"a": both[:, 0]}), pd.Series(both[:, 1]))
        held += table["rho_low"]["a"] <= true <= table["rho_high"]["a"]
    assert 0.92 < held / 400 < 0.98
