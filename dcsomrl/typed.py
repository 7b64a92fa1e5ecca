"""Settings as they are typed: words in the place of numbers, told before torch is imported."""

from collections.abc import Mapping, Sequence
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from dcsomrl.errors import ConfigError

# Settings that are numbers in conf/ and can be something else too, beside auto.
FREE = ("trainer.devices",)


def check_numbers(command: str, cfg: DictConfig, overrides: Sequence[str]) -> None:
    """Refuse words and lists in the place of settings that are numbers in conf/.

    What else is of another kind than what takes it is refused by :mod:`dcsomrl.kinds`, which
    imports all of that.

    Args:
        command: the configuration's name.
        cfg: as Hydra has composed it.
        overrides: by which.

    Raises:
        ConfigError: there is such a setting.
    """
    given: Any = OmegaConf.to_container(cfg)
    typed = [one.partition("=")[0] for one in overrides if not one.startswith(("+", "~"))]
    odd = {key: value for key in typed if _is_no_number(value := _find(given, key))}
    if not set(odd) - set(FREE):
        return
    chosen = [one for one in overrides if one.partition("=")[0] not in odd]
    plain: Any = OmegaConf.to_container(hydra.compose(command, overrides=chosen))
    for key, value in odd.items():
        known = _find(plain, key)
        if isinstance(known, int | float) and not isinstance(known, bool) and key not in FREE:
            raise ConfigError(f"{key} must be a number such as {known}, got {value}")


def _find(node: Any, key: str) -> Any:
    """What stands at a dotted key; None for nothing."""
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _is_no_number(value: Any) -> bool:
    """Whether a setting is a word other than auto, or a list, and refers to no other."""
    return isinstance(value, list) or (
        isinstance(value, str) and value != "auto" and "${" not in value
    )
