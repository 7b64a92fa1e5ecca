"""What a command asks to search: Hydra's grammar read as distributions, and what is refused."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from dcsomrl.errors import ConfigError
from dcsomrl.search.grammar import read_distribution
from dcsomrl.search.request import check_numbers, read_request
from dcsomrl.search.sweeping import read_numbers


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("a=interval(0,1)", FloatDistribution(0, 1)),
        ("a=interval(0.5,1)", FloatDistribution(0.5, 1)),
        ("a=interval(1,2.5)", FloatDistribution(1, 2.5)),
        ("a=tag(log,interval(1e-3,0.1))", FloatDistribution(1e-3, 0.1, log=True)),
        ("a=int(interval(3,9))", IntDistribution(3, 9)),
        ("a=tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
        ("a=range(2,9,3)", IntDistribution(2, 8, step=3)),
        ("a=range(0,1,0.25)", FloatDistribution(0, 0.75, step=0.25)),
        ("a=range(0,1,0.3)", FloatDistribution(0, 0.9, step=0.3)),
        ("a=range(0.5,1,0.3)", FloatDistribution(0.5, 0.8, step=0.3)),
        ("a=1,2.5,null,true", CategoricalDistribution([1, 2.5, None, True])),
        ("a=relu,tanh", CategoricalDistribution(["relu", "tanh"])),
        ("a=choice([16,8],[4])", CategoricalDistribution(["[16,8]", "[4]"])),
    ],
)
def test_overrides_in_hydras_grammar_are_distributions(override, expected):
    (parsed,) = OverridesParser.create().parse_overrides([override])
    assert read_distribution(parsed) == expected


@pytest.mark.parametrize(
    "override", ["a=interval(2,1)", "a=tag(log,interval(0.0,1.0))", "a=range(3,3)"]
)
def test_ranges_without_values_are_refused(override):
    (parsed,) = OverridesParser.create().parse_overrides([override])
    with pytest.raises(ConfigError, match="a: no values in"):
        read_distribution(parsed)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("a=glob(*)", r"a: glob\(\*\) is not searched: name the values"),
        ("a=tag(log,range(1,9))", r"a: log goes with interval\(a,b\).* not with tag"),
        ("a=tag(log,choice(1,9))", "a: log goes with interval"),
    ],
)
def test_what_cannot_be_searched_is_refused(override, sentence):
    (parsed,) = OverridesParser.create().parse_overrides([override])
    with pytest.raises(ConfigError, match=sentence):
        read_distribution(parsed)


@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_a_seed_is_no_setting_of_a_search(sign):
    with pytest.raises(ConfigError, match=r"hydra\.sweeper\.seeds=\[0\]: set that"):
        read_request([f"{sign}seed=3", "model.n_clusters=int(interval(5,24))"], {}, None, [0])


def test_the_command_line_wins_whatever_the_sign_before_a_key():
    params = {"model.n_clusters": "int(interval(5,24))", "+model.extra": "choice(1,2)", "b": 1}
    asked = read_request(["++model.n_clusters=7", "b=range(1,3)"], params, None, [0])
    assert asked.fixed == ["++model.n_clusters=7"]
    assert asked.space == {
        "+model.extra": CategoricalDistribution([1, 2]),
        "b": IntDistribution(1, 2),
    }


def test_a_seed_given_twice_is_refused():
    with pytest.raises(ConfigError, match=r"seeds=\[0, 1, 0\] repeats one"):
        check_numbers({"nmi": "maximize"}, [0, 1, 0], 1, 0.3)


def test_scores_on_the_test_split_are_no_objective():
    returned = {"split": "test", "nmi": 0.9, "seconds": 3.0, "epochs": 30, "val/nmi": 0.8}
    expected = {"seconds": 3.0, "epochs": 30.0, "val/nmi": 0.8}
    assert read_numbers(returned | {"dataset": "digits"}) == expected
    assert read_numbers({"split": "val", "nmi": 0.7, "done": True}) == {"nmi": 0.7}
    assert read_numbers(0.5) == {"result": 0.5}
