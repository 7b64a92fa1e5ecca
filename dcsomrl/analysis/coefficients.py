"""Which parameters of a search move a result, by regression over its points."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm, spearmanr

from dcsomrl.analysis.holm import correct_p_values
from dcsomrl.extras import explained

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults

# Of the normal distribution: limits that hold 95 %.
WIDE = float(norm.ppf(0.975))
# Points below which a rank correlation is nothing but chance.
FEWEST = 5


def make_regressors(parameters: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Parameters as the columns of a regression, and the names of those that have an order.

    A parameter without an order gets a column for each of its values but one: it is accounted for
    and has no coefficient of its own. Parameters that never change are left out.

    Args:
        parameters: a row a point, a column a parameter.
    """
    varied = parameters.loc[:, parameters.nunique(dropna=False) > 1]
    ordered = varied.select_dtypes("number", exclude="bool").astype(float)
    others = varied.drop(columns=ordered.columns).fillna("null").astype(str)
    if others.empty:
        return ordered, list(map(str, ordered))
    dummies = pd.get_dummies(others, drop_first=True, dtype=float)
    return ordered.join(dummies), list(map(str, ordered))


def measure_sensitivity(
    parameters: pd.DataFrame, result: pd.Series
) -> tuple[pd.DataFrame, float, float]:
    """Regression coefficients of a result on the parameters of a search, with 95 % intervals.

    Args:
        parameters: a row a point, a column a parameter; one searched on a logarithmic scale as its
            logarithm.
        result: of every point, finite.

    Returns:
        A row for each parameter, with the columns ``src`` (change of the result per change of the
        parameter, both in standard deviations), ``srrc`` (the same of their ranks) and ``prcc``
        (correlation of the ranks with all other parameters held fixed), and for each
        ``<name>_low`` and ``<name>_high``, 95 % by itself; ``p`` that a parameter's ranks go with
        the result's by chance, corrected after Holm for the number of parameters. NaN for a
        parameter without an order or one that never changes. Then the share of the variance that
        the parameters explain linearly (R2), and that of the ranks'.

    Raises:
        ValueError: fewer points than the regression needs, or a result that never changes.

    Source: Saltelli et al. 2008, chapter 1; Marino et al. 2008 for ``prcc``, whose interval is
    that of Fisher's z.
    """
    x, ordered = make_regressors(parameters)
    # Fisher's z of a correlation given the q - 1 others wants n - (q - 1) - 3 > 0.
    least = x.shape[1] + 3
    if len(x) < least:
        raise ValueError(
            f"{len(x)} points with a result are too few for {x.shape[1]} parameters: run at "
            f"least {least}"
        )
    if result.nunique() < 2:
        raise ValueError(f"{result.name} is the same at every point: no parameter moves it")
    raw, ranks = _fit(x, result), _fit(x.rank(), result.rank())
    table = pd.DataFrame(index=ordered)
    for name, fit in (("src", raw), ("srrc", ranks)):
        interval = fit.conf_int()
        table[name] = fit.params[ordered]
        table[f"{name}_low"], table[f"{name}_high"] = interval.loc[ordered].T.to_numpy()
    t = ranks.tvalues[ordered]
    table["prcc"] = t / np.sqrt(t**2 + ranks.df_resid)
    margin = WIDE / np.sqrt(len(x) - least + 1)
    z = np.arctanh(table["prcc"].clip(-1 + 1e-12, 1 - 1e-12))
    table["prcc_low"], table["prcc_high"] = np.tanh(z - margin), np.tanh(z + margin)
    if ordered:
        table["p"] = correct_p_values(ranks.pvalues[ordered])
    return table.reindex(parameters.columns), float(raw.rsquared), float(ranks.rsquared)


def correlate_ranks(parameters: pd.DataFrame, result: pd.Series) -> pd.DataFrame:
    """Spearman's correlation of a result with each parameter by itself, for a few points.

    The other parameters are not accounted for: a design keeps them apart, chance alone does not.

    Args:
        parameters: a row a point, a column a parameter.
        result: of every point, finite.

    Returns:
        A row for each parameter that has an order and changes, with the columns ``rho``; the
        limits of its interval, 95 % by itself, ``rho_low`` and ``rho_high``; ``p`` that it is so
        far from 0 by chance, corrected after Holm for the number of parameters.

    Raises:
        ValueError: fewer than 5 points, or a result that never changes.

    Source: Bonett & Wright 2000 for the interval, that of Fisher's z with a wider error.
    """
    if len(result) < FEWEST:
        raise ValueError(
            f"{len(result)} points with a result tell nothing of a parameter: run at least {FEWEST}"
        )
    if result.nunique() < 2:
        raise ValueError(f"{result.name} is the same at every point: no parameter moves it")
    x, ordered = make_regressors(parameters)
    found = [spearmanr(x[name], result) for name in ordered]
    table = pd.DataFrame({"rho": [one.statistic for one in found]}, index=ordered, dtype=float)
    if ordered:
        margin = WIDE * np.sqrt((1 + table["rho"] ** 2 / 2) / (len(result) - 3))
        z = np.arctanh(table["rho"].clip(-1 + 1e-12, 1 - 1e-12))
        table["rho_low"], table["rho_high"] = np.tanh(z - margin), np.tanh(z + margin)
        table["p"] = correct_p_values([one.pvalue for one in found])
    return table


def _fit(x: pd.DataFrame, y: pd.Series) -> "RegressionResults":
    """Least squares of what has mean 0 and deviation 1."""
    with explained():
        from statsmodels.regression.linear_model import OLS
        from statsmodels.tools import add_constant

    return OLS((y - y.mean()) / y.std(), add_constant((x - x.mean()) / x.std())).fit()
