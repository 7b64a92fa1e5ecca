"""Commands with settings at, inside and outside their ranges, drawn from a number."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.configuration import compose_config, find_config_dir
from experiments.trust.values import (
    CHOICES,
    COMMANDS,
    DATA,
    FURTHER,
    GIVEN,
    MODELS,
    NARROW,
    NUMBERS,
    ODD,
    OTHERS,
    OUTSIDE,
    PLACES,
    SEARCHED,
    SHALLOW,
    SHORT,
    SPARED,
    SWEEPER,
    WORK,
)


class Drawn(NamedTuple):
    """A command.

    Attributes:
        command: such as ``train``.
        kind: how it was drawn, for the table of outcomes.
        overrides: its arguments.
    """

    command: str
    kind: str
    overrides: list[str]


def draw(number: int) -> Drawn:
    """The command of a trial."""
    rng = random.Random(number)
    place = rng.random()
    if place < 0.74:
        return _draw_training(rng)
    return _draw_search(rng) if place < 0.82 else _draw_other(rng)


def _draw_training(rng: random.Random) -> Drawn:
    chosen, kind = _draw_groups(rng)
    return Drawn("train", kind, [*chosen, *_draw_changes(rng, "train", chosen)])


def _draw_groups(rng: random.Random) -> tuple[list[str], str]:
    """Choices of groups, with what makes the training small, and the model's name."""
    model, data = rng.choice(MODELS), rng.choice(list(DATA))
    chosen = [f"model={model}", f"dataset={data}", *DATA[data], *SHORT]
    fits = data not in ("arrays", "stream") or rng.random() < 0.05
    network = rng.choice(["mlp", "mlp", "conv", "resnet", "pooled_conv"]) if fits else "mlp"
    if model not in SHALLOW:
        chosen += [f"autoencoder={network}"] if network != "mlp" else []
        chosen += NARROW[network]
    if rng.random() < 0.04:
        chosen += [f"autoencoder={_draw_option(rng, 'autoencoder')}"]
    if model in ("dec", "idec"):
        chosen += ["trainer.max_epochs=2", "model.pretrain_epochs=1", "model.n_init=1"]
    for group, share in (("callbacks", 0.3), ("neighbors", 0.1), ("augmentation", 0.15)):
        if rng.random() < share * (1 if fits else 0.3):
            chosen.append(f"{group}={_draw_option(rng, group)}")
    for group in OTHERS:
        if rng.random() < 0.05:
            option = _draw_option(rng, group.partition("@")[0].lstrip("+"))
            chosen += [f"{group}={option}"]
    if rng.random() < 0.05:
        chosen.append(f"logger={_draw_option(rng, 'logger')}")
    if rng.random() < 0.03:
        chosen.append(f"trainer={_draw_option(rng, 'trainer')}")
    return chosen, f"train {model}"


def _draw_option(rng: random.Random, group: str) -> str:
    return rng.choice(sorted(one.stem for one in (find_config_dir() / group).glob("[!_]*.yaml")))


def _draw_search(rng: random.Random) -> Drawn:
    chosen = ["-m", f"search={_draw_option(rng, 'search')}", "model=dcsomrl", *DATA["digits"]]
    chosen += [*SHORT, *NARROW["mlp"], "hydra.sweeper.n_trials=2", "hydra.sweep.dir=found"]
    changes = [rng.choice(SEARCHED)] if rng.random() < 0.7 else []
    names = rng.sample(sorted(SWEEPER), rng.choice([0, 0, 1, 1, 2]))
    changes += [f"hydra.sweeper.{name}={rng.choice(SWEEPER[name])}" for name in names]
    return Drawn("train", "search", chosen + changes)


def _draw_other(rng: random.Random) -> Drawn:
    command = rng.choice(COMMANDS)
    given = GIVEN[command]
    return Drawn(command, command, given + _draw_changes(rng, command, given))


def _draw_changes(rng: random.Random, command: str, chosen: Sequence[str]) -> list[str]:
    """One to six settings of a configuration, changed: in half of all cases none is odd."""
    leaves = _list_leaves(command, chosen)
    wild = rng.random() < 0.55
    changes = []
    for place, key in enumerate(rng.choices(sorted(leaves), k=rng.choice([1, 1, 2, 3, 4, 6]))):
        known = leaves[key]
        if wild and place == 0 and command == "train" and rng.random() < 0.25:
            further = rng.choice(sorted(FURTHER))
            plus = "" if further in leaves or further.startswith("hydra") else "++"
            changes.append(f"{plus}{further}={rng.choice(FURTHER[further])}")
        elif wild and place == 0:
            changes.append(_spoil(rng, key, known))
        else:
            changes.append(f"{key}={_draw_inside(rng, key, known)}")
    return changes


def _list_leaves(command: str, chosen: Sequence[str]) -> dict[str, Any]:
    """The settings of a configuration, unresolved, by their keys; without those of each class."""
    try:
        cfg = compose_config(command, list(chosen), Path("run"))
    except (HydraException, OmegaConfBaseException):  # groups that do not fit each other
        cfg = compose_config(command, [] if command == "train" else list(GIVEN[command]), Path("x"))
    leaves = _walk(OmegaConf.to_container(cfg), "")
    return {key: known for key, known in leaves if "${." not in str(known)}


def _walk(node: Any, prefix: str) -> list[tuple[str, Any]]:
    if not isinstance(node, Mapping) or not node:
        return [(prefix, node)]
    return [
        leaf
        for name, value in node.items()
        if not str(name).startswith("_")
        for leaf in _walk(value, f"{prefix}.{name}" if prefix else str(name))
    ]


def _draw_inside(rng: random.Random, key: str, known: Any) -> str:
    """A value that is most likely in the range of a setting."""
    name = key.rpartition(".")[2]
    if name in CHOICES:
        return rng.choice(CHOICES[name])
    if isinstance(known, bool):
        return rng.choice(["true", "false"])
    if isinstance(known, int | float) and name not in (*SPARED, *WORK) and rng.random() < 0.2:
        return rng.choice(NUMBERS)
    if isinstance(known, int):
        near = [known, known + 1, max(known // 2, 0), 1, 2, 3, 5]
        return str(known if name in SPARED else min(rng.choice(near), 2000))
    if isinstance(known, float):
        return repr(rng.choice([known, known * rng.uniform(0.5, 1.5), rng.random()]))
    if isinstance(known, str):  # references to other settings stay what they are
        return known if "${" in known else f"'{known}'"
    return json.dumps(known)


def _spoil(rng: random.Random, key: str, known: Any) -> str:
    """A setting with a value that may well be outside its range, or set in an odd way."""
    name = key.rpartition(".")[2]
    is_number = isinstance(known, int | float) and not isinstance(known, bool)
    kinds: list[Callable[[], str]] = [
        lambda: f"{key}={rng.choice(NUMBERS)}",
        lambda: f"{key}={rng.choice(OUTSIDE)}",
        lambda: f"{key}={rng.choice(PLACES.get(name, ODD))}",
        lambda: rng.choice([f"~{key}", f"+{key}=1", f"{key}x=1", f"++{key}.b=1", f"{key}"]),
        lambda: f"{key.rpartition('.')[0] or key}={rng.choice(ODD)}",
    ]
    weights = [4, 6, 3, 1, 1] if is_number else [1, 1, 6, 1, 1]
    change = rng.choices(kinds, weights)[0]()
    while name in (*SPARED, *WORK) and _is_large(change):
        change = rng.choices(kinds, weights)[0]()
    return change


def _is_large(change: str) -> bool:
    try:
        return float(change.partition("=")[2]) > 4
    except ValueError:
        return False
