"""The page about a search: from its table alone, with values of every kind."""

import math
import shutil

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from dcsomrl.errors import ConfigError, DataError
from dcsomrl.search import Grid, LatinHypercube, Search
from dcsomrl.search.outcome import PARAMETER, collect_outcome, read, save, shorten_names
from dcsomrl.search.sensitivity_page import measure_importances, write_sensitivity

pytestmark = pytest.mark.slow

SPACE = {
    "som.threshold": FloatDistribution(0.95, 0.999),
    "alpha": FloatDistribution(1e-3, 1, log=True),
    "latent": IntDistribution(10, 50),
    "kind": CategoricalDistribution(["relu", "1", None]),
    "width": CategoricalDistribution([1, 2.5, 4]),
    "flag": CategoricalDistribution([True, False]),
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search whose NMI depends on the threshold, and whose purity on the logarithm of alpha."""
    folder = tmp_path_factory.mktemp("searches") / "search"
    search = Search(folder, SPACE, LatinHypercube(), 30, {"nmi": "maximize"}, {"of": "a test"})
    rng = np.random.default_rng(0)
    while claim := search.claim():
        if claim.point == 3:
            search.fail(claim, 'a comma, and "quotes"')
            continue
        nmi = 1 - 10 * (claim.params["som.threshold"] - 0.95)
        purity = math.log10(claim.params["alpha"]) / 3 + 1
        results = {"nmi": nmi, "purity": purity, "odd": math.nan, "same": 1.0}
        noise = rng.normal(size=2) / 50
        search.succeed(claim, [results | {"nmi": nmi + one} for one in noise])
    save(collect_outcome(search), folder)
    return search


def test_the_table_holds_the_search_with_every_value_as_it_was(searched, tmp_path):
    shutil.copytree(searched.folder, tmp_path / "moved")
    was, now = collect_outcome(searched), read(tmp_path / "moved")
    assert now.space == was.space
    assert now.objectives == was.objectives
    for name in SPACE:
        before, after = list(was.points[f"params/{name}"]), list(now.points[f"params/{name}"])
        assert list(map(repr, map(plain, before))) == list(map(repr, map(plain, after)))
    rest = [name for name in was.points if not name.startswith("params/")]
    pd.testing.assert_frame_equal(was.points[rest], now.points[rest], check_dtype=False)
    assert now.points["error"][3] == 'a comma, and "quotes"'


def test_choices_that_look_like_nothing_or_numbers_come_back(tmp_path):
    choices = ("None", "nan", "null", "032", 1, None)
    space = {"a": CategoricalDistribution(choices)}
    search = Search(tmp_path, space, Grid(), len(choices), {"nmi": "maximize"}, {})
    while claim := search.claim():
        search.succeed(claim, [{"nmi": 1.0}], commit="123456789012")
    save(collect_outcome(search), tmp_path)
    points = read(tmp_path).points
    assert list(points["params/a"]) == list(choices)
    assert list(points["git_commit"]) == ["123456789012"] * len(choices)


def plain(value):
    """None for what a table holds in place of it, a float for every number."""
    if value is None or value != value:
        return None
    return float(value) if type(value) is not bool and not isinstance(value, str) else value


def test_the_page_says_what_moves_each_result(searched, tmp_path):
    page = write_sensitivity(read(searched.folder), ["nmi", "purity"], tmp_path)
    table = pd.read_csv(tmp_path / "coefficients.csv", index_col=["result", "parameter"])
    for result, parameter in (("nmi", "threshold"), ("purity", "alpha")):
        of = table.loc[result]
        assert of["importance"].idxmax() == parameter
        assert of["importance"].sum() == pytest.approx(1)
        assert of["src"].abs().idxmax() == parameter
        sure = (of["prcc_low"] > 0) | (of["prcc_high"] < 0)
        assert sure[parameter]
    # On the scale it was searched on, alpha alone explains all of it.
    assert table.loc[("purity", "alpha"), "src"] == pytest.approx(1, abs=1e-6)
    text = page.read_text()
    assert "29 points succeeded of 30 tried" in text
    assert "| kind | no order |" in text
    for name in ("scatter-nmi", "scatter-purity", "coefficients", "distribution"):
        assert f"]({name}.png)" in text
    rows = [line for line in text.splitlines() if line.startswith("| threshold")]
    assert "**" in rows[0]
    assert "**" not in rows[1]
    for name in ("scatter-nmi", "scatter-purity", "coefficients", "distribution"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_importances_are_of_the_parameters_that_matter():
    space = {"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)}
    parameters = pd.DataFrame(np.random.default_rng(0).random((60, 2)), columns=["a", "b"])
    found = measure_importances(parameters, 3 * parameters["a"] + parameters["b"], space)
    assert found["a"] == pytest.approx(0.9, abs=0.08)  # 9 parts of the variance against 1


def test_results_that_cannot_be_explained_are_named_and_shown(searched, tmp_path):
    found = read(searched.folder)
    with pytest.raises(ConfigError, match="no result nmis: there are nmi, nmi deviation, purity"):
        write_sensitivity(found, ["nmis"], tmp_path)
    text = write_sensitivity(found, ["same", "odd", "purity"], tmp_path).read_text()
    assert "No regression: same is the same at every point" in text
    assert "No regression: 0 points with a result are too few" in text
    assert "| alpha |" in text
    assert {path.name for path in tmp_path.glob("*.png")} == {
        *("scatter-same.png", "scatter-purity.png", "coefficients.png", "distribution.png")
    }
    few = found._replace(points=found.points[:7])
    text = write_sensitivity(few, ["nmi"], tmp_path / "few").read_text()
    assert "No regression: 6 points with a result are too few for 7 parameters" in text
    assert {path.name for path in (tmp_path / "few").iterdir()} == {
        *("sensitivity.md", "scatter-nmi.png", "distribution.png", "correlations.csv")
    }
    table = pd.read_csv(tmp_path / "few" / "correlations.csv", index_col=["result", "parameter"])
    row = table.loc[("nmi", "threshold")]
    rho = f"{row['rho']:+.2f} ({row['rho_low']:+.2f} to {row['rho_high']:+.2f})"
    assert f"| threshold | {rho} | " in text
    complete = few.points[few.points["state"] == "complete"]
    given = complete[[PARAMETER + name for name in few.space]]
    by_name = measure_importances(given, complete["nmi"], few.space)
    expected = {short: by_name[name] for name, short in shorten_names(few.space).items()}
    for (_, name), value in table["importance"].items():
        assert value == pytest.approx(expected[name])
    text = write_sensitivity(few._replace(points=few.points[:4]), ["nmi"], tmp_path).read_text()
    assert "Rank correlation" not in text


def test_a_folder_without_a_search_is_refused(searched, tmp_path):
    with pytest.raises(DataError, match=r"holds no outcome of a search, trials\.csv and search"):
        read(tmp_path)
    shutil.copy(searched.folder / "search.json", tmp_path)
    (tmp_path / "trials.csv").write_text("point,state\n0,complete\n")
    with pytest.raises(DataError, match="holds no outcome of a search"):
        read(tmp_path)


def test_names_are_short_where_they_can_be():
    space = dict.fromkeys(["a.lr", "b.lr", "a.rate"], FloatDistribution(0, 1))
    assert shorten_names(space) == {"a.lr": "a.lr", "b.lr": "b.lr", "a.rate": "rate"}


def test_the_command_prints_and_writes_it(searched, cli, tmp_path):
    done = cli("sensitivity", f"folder={searched.folder}", "metrics=[purity]", "output=out")
    assert done.returncode == 0, done.stderr
    assert "## purity" in done.stdout
    assert (tmp_path / "out" / "sensitivity.md").exists()
    done = cli("sensitivity", "sweep=nowhere")
    assert done.returncode == 2
    assert "error: nowhere holds no outcome of a search" in done.stderr
