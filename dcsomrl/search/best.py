"""The best settings of a search, as an experiment and as the command that trains it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from optuna.trial import FrozenTrial

from dcsomrl.search.grammar import format_value, quote
from dcsomrl.search.study import Search

# Groups that say what is trained; of the others those are kept that were given.
WHAT = ("dataset", "autoencoder", "model")
# Where and how often a run is made, which is the next user's choice.
ELSEWHERE = (
    *("hydra", "search", "experiment", "logger"),
    *("data_dir", "num_threads", "trust", "ckpt_path", "seed"),
)
EXPERIMENT = "best"


def format_experiment(
    trial: FrozenTrial, search: Search, fixed: Sequence[str], choices: Mapping[str, Any]
) -> str:
    """The settings of a point as a file of the group ``experiment``.

    Args:
        trial: the point.
        search: that it is of.
        fixed: overrides that all runs share.
        choices: of the groups of a run's configuration.
    """
    given = _index_by_key(
        [*fixed, *(f"{key}={format_value(value)}" for key, value in trial.params.items())]
    )
    # A chosen experiment brings its own groups; those of the command line come on top.
    chosen = given.get("experiment")
    base = choices.get("experiment") if chosen is None else chosen.value()
    defaults: list[Any] = [base] if base else []
    kept = {key: o for key, o in given.items() if key.split(".")[0] not in ELSEWHERE}
    if not base:
        implied = [key for key in WHAT if choices.get(key) and key not in kept]
        defaults += [{f"override /{key}": choices[key]} for key in implied]
    tree = OmegaConf.create({"name": f"{EXPERIMENT}_{search.folder.name}"})
    for key, override in kept.items():
        if override.is_delete():
            continue
        if key in choices:
            entry = f"/{key}" if override.is_add() else f"override /{key}"
            defaults.append({entry: override.value()})
        else:
            OmegaConf.update(tree, key, override.value())
    origin = f"point {trial.user_attrs['point']} of {search.folder.name}"
    head = ["# @package _global_", f"# {origin.capitalize()}: {format_scores(trial, search)}."]
    if without := list_deletions(fixed):
        head.append(f"# A file cannot take settings away; add to the command: {without}")
    parts = [OmegaConf.to_yaml(OmegaConf.create({"defaults": defaults})), OmegaConf.to_yaml(tree)]
    return "\n".join([*head, *parts])


def _index_by_key(lines: Sequence[str]) -> dict[str, Override]:
    """Overrides by key, without the sign before it."""
    overrides = OverridesParser.create().parse_overrides(list(lines))
    return {o.get_key_element().lstrip("+~"): o for o in overrides}


def list_deletions(fixed: Sequence[str]) -> str:
    """The overrides that take a setting away, for a shell."""
    return shlex.join(line for line in fixed if line.startswith("~"))


def format_command(hydra: DictConfig, folder: Path, fixed: Sequence[str]) -> str:
    """What trains the best of a search, for a shell.

    Args:
        hydra: Hydra's own configuration of the search.
        folder: of the search.
        fixed: overrides that all its runs share.
    """
    sources = hydra.runtime.config_sources
    own = [source.path for source in sources if source.provider == "command-line"]
    # There is one --config-dir, and the user may need it.
    places = [f"file://{folder.absolute()}"] if own else []
    places += hydra.searchpath or []
    words = ["python", "-m", "dcsomrl.train", "--config-dir", own[0] if own else str(folder)]
    if places:
        words.append(f"hydra.searchpath=[{','.join(map(quote, places))}]")
    return f"{shlex.join([*words, f'experiment={EXPERIMENT}'])} {list_deletions(fixed)}".strip()


def format_scores(trial: FrozenTrial, search: Search) -> str:
    """The objectives of a point, for a person."""
    pairs = zip(search.objectives, trial.values, strict=True)
    return ", ".join(f"{name} {value:.4f}" for name, value in pairs)
