"""What earlier versions saved, in the terms of this one: checkpoints, searches, configurations.

Whoever renames, moves, adds or removes what a file may hold says so here, and nowhere else:

- a class or function that moves gets a line in :data:`MOVED`;
- a key of a constructor needs nothing: where it is absent, its default holds;
- any other new key of the configuration gets a line in :data:`ADDED`, a key without a meaning one
  in :data:`IGNORED`;
- everything else gets a function in :data:`MIGRATIONS`.
"""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from dcsomrl.errors import CheckpointError

TARGET = "_target_"
# Dotted paths that lie elsewhere now; of a module, whatever lies in it.
MOVED: dict[str, str] = {
    "dcsomrl.runs.callbacks": "dcsomrl.training.callbacks",
    "dcsomrl.runs.collapse": "dcsomrl.training.callbacks",
    "dcsomrl.runs.paths": "dcsomrl.training.callbacks",
    "dcsomrl.runs.usage": "dcsomrl.training.callbacks",
}
# Keys whose value where they are absent no constructor tells, with that value; or ${another.key}.
ADDED: dict[str, Any] = {
    "model.losses.reconstruction._target_": "dcsomrl.losses.Reconstruction",
    "model.losses.clustering._target_": "dcsomrl.losses.RelevanceDistance",
    "model.losses.clustering.weight": "${model.alpha}",
    "compile": False,
}
# Keys that a file may hold and that say nothing of what is trained.
IGNORED = ("name", "dataset.name", "n_clusters")
# What each model added up in version 0.1, in order.
EPOCH_SUMS = {
    "DCSOMRL": ("loss", "reconstruction", "clustering", "latent_spread"),
    "AutoencoderModel": ("loss",),
    "DESOM": ("loss", "reconstruction", "som"),
    "DEC": ("loss", "reconstruction", "clustering"),
    "SOMVAE": (
        "loss",
        "reconstruction_q",
        "reconstruction_e",
        "commitment",
        "som",
        "transition",
        "smoothness",
    ),
    "KMeansModel": ("loss",),
    "KohonenModel": ("loss",),
    "RelevanceMapModel": ("loss",),
}
# Where a checkpoint holds the configuration of its run.
RECORD = "dcsomrl"
Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _name_epoch_sums(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Sums of an unfinished epoch by name, which once were a buffer in a fixed order."""
    state = dict(checkpoint.get("state_dict", {}))
    sums = state.pop("epoch_sums", None)
    if sums is None:
        return checkpoint
    model = str(checkpoint[RECORD]["config"].get("model", {}).get(TARGET))
    names = EPOCH_SUMS.get(model.rpartition(".")[2], ())[: len(sums) - 1]
    # Of a model that is not ours the names are not known: its epoch's means begin anew.
    named = dict(zip((*names, "steps"), sums.tolist() if names else [0.0], strict=True))
    return {**checkpoint, "state_dict": state, "epoch_sums": named}


def _follow_weight(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """``alpha`` as the weight of the clustering term, which counted where the two differed."""
    record = checkpoint[RECORD]
    model = record["config"].get("model") or {}
    is_ours = str(model.get(TARGET)).rpartition(".")[2] == "DCSOMRL"
    if not is_ours or "alpha" not in model or not isinstance(model.get("losses"), Mapping):
        return checkpoint
    weight = (model["losses"].get("clustering") or {}).get("weight")
    config = {**record["config"], "model": {**model, "alpha": weight}}
    return {**checkpoint, RECORD: {**record, "config": config}}


# What makes a checkpoint of an earlier version one of the version beside it, in order. Each takes
# and returns a whole checkpoint, and leaves one alone that has the change already.
MIGRATIONS: tuple[tuple[str, Migration], ...] = (
    ("1.0", _name_epoch_sums),
    ("1.0", _follow_weight),
)


def migrate(checkpoint: dict[str, Any], now: str) -> dict[str, Any]:
    """A checkpoint of this or an earlier version as one of this version.

    Args:
        checkpoint: as it was read.
        now: this version.

    Raises:
        CheckpointError: a later version wrote it, or none that there is.
    """
    written = str(checkpoint[RECORD].get("version", "0.1.0"))
    try:
        version = Version(written)
    except InvalidVersion:
        raise CheckpointError(f"says that version {written!r} wrote it, which is none") from None
    if version > Version(now):
        raise CheckpointError(f"was written by dcsomrl {written}, and this is {now}: update it")
    for since, change in MIGRATIONS:
        if version < Version(since):
            checkpoint = change(checkpoint)
    config = follow_moves(checkpoint[RECORD]["config"])
    return {**checkpoint, RECORD: {**checkpoint[RECORD], "config": config}}


def find_moved(path: str) -> str:
    """Where a class or function lies now."""
    for old, new in MOVED.items():
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path


def follow_moves(config: Any) -> Any:
    """A plain configuration that names every class where it lies now."""
    if isinstance(config, Mapping):
        return {
            key: find_moved(value)
            if key == TARGET and isinstance(value, str)
            else follow_moves(value)
            for key, value in config.items()
        }
    return [follow_moves(one) for one in config] if isinstance(config, list) else config


def list_differences(
    saved: Mapping[str, Any], now: Mapping[str, Any], config: Mapping[str, Any]
) -> list[str]:
    """Settings that differ, each in words; a key that was absent then counts as its default.

    Args:
        saved: values by dotted key, as they were.
        now: as they are.
        config: the configuration of ``now``, nested, whose constructors have the defaults.
    """
    defaults = dict(_list_defaults(follow_moves(config))) | ADDED

    def value(settings: Mapping[str, Any], key: str) -> Any:
        last = key.rpartition(".")[2]
        found = settings.get(key, defaults.get(key, "absent"))
        found = list(found) if isinstance(found, tuple) else found  # as a configuration has it
        if isinstance(found, str) and (named := re.fullmatch(r"\$\{([\w.]+)\}", found)):
            found = settings.get(named[1], found)
        return follow_moves({last: found})[last]

    keys = sorted({*saved, *now} - {*IGNORED})
    pairs = ((key, value(saved, key), value(now, key)) for key in keys)
    return [f"{key} was {then} and is {here}" for key, then, here in pairs if then != here]


def _list_defaults(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Defaults of the constructors that a configuration names, by dotted key."""
    if not isinstance(config, Mapping):
        return
    for name, parameter in _read_parameters(config.get(TARGET)).items():
        if parameter.default is not inspect.Parameter.empty:
            yield f"{prefix}{name}", parameter.default
    for key, value in config.items():
        yield from _list_defaults(value, f"{prefix}{key}.")


def _read_parameters(path: Any) -> Mapping[str, inspect.Parameter]:
    """What a class or function takes, by name; nothing where it cannot be told."""
    if not isinstance(path, str):
        return {}
    try:
        return inspect.signature(pkgutil.resolve_name(path)).parameters
    except Exception:  # any module may be imported here, and fail in its own way
        return {}
