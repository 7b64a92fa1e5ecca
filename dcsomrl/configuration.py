"""The configuration: where it lies, what it computes, and how it is composed."""

import hashlib
import re
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from dcsomrl.errors import CheckpointError
from dcsomrl.migrations import RECORD, TARGET, follow_moves

# Keys of commands by what they were called.
FORMER = {"sensitivity": {"sweep": "folder"}}
# What trained data of one's own in version 0.1, where no model was chosen.
BEFORE = ("model=dcsomrl", "settings=none")
# Longest name of a folder of a run.
LONGEST = 150
# The model that data of one's own is given where none is chosen.
MODELS = {
    "dataset=arrays": "neighbor_somrl",
    "dataset=images": "neighbor_somrl",
    "dataset=stream": "somrl",
}


def find_config_dir() -> Path:
    """Folder of the configuration: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def update_overrides(
    config_name: str, overrides: list[str], run_dir: Path | None = None
) -> list[str]:
    """Overrides of a command as this version takes them.

    Args:
        config_name: the command.
        overrides: as they were typed.
        run_dir: folder of a run; None where its configuration says which.
    """
    if config_name == "train":
        return choose_model(overrides, run_dir)
    renamed = FORMER.get(config_name, {})
    return [
        f"{renamed.get(key, key)}{sign}{value}"
        for key, sign, value in (one.partition("=") for one in overrides)
    ]


def choose_model(overrides: list[str], run_dir: Path | None = None) -> list[str]:
    """Overrides of a training, with a model for data of one's own where none is chosen.

    Such data has no published settings, and gets the model whose settings carry over; a stream,
    among whose samples no neighbours are found, gets the map alone, and a run of before this was
    so goes on with the one that it has. An experiment chooses for itself. (Hydra lets no choice
    that depends on another bring overrides.)
    """
    groups = [one.lstrip("+").partition("=")[0] for one in overrides]
    own = [i for i, one in enumerate(overrides) if one in MODELS]
    if not own or {"model", "experiment"} & set(groups):
        return overrides
    place = own[-1] + 1  # beside it: argparse takes overrides in one piece
    chosen = (f"model={MODELS[overrides[own[-1]]]}",)
    now, before = ([*overrides[:place], *some, *overrides[place:]] for some in (chosen, BEFORE))
    if not any(one.startswith("ckpt_path=") for one in overrides):
        return now
    model = _find_resumed(now, run_dir) or _find_resumed(before, run_dir) or {}
    is_of_before = str(model.get(TARGET)).endswith(".DCSOMRL") and "losses" not in model
    return before if is_of_before else now


def _find_resumed(overrides: list[str], run_dir: Path | None) -> dict[str, Any] | None:
    """The model's configuration in the checkpoint that a training goes on with; None without one.

    Args:
        overrides: of the training.
        run_dir: its folder; None for that of the configuration.
    """
    try:
        with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
            cfg = hydra.compose("train", overrides=overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        given, folder = str(cfg.ckpt_path), run_dir or Path(cfg.hydra.run.dir)
    except (HydraException, OmegaConfBaseException):
        return None  # whoever composes it next says what is wrong
    path = folder / "checkpoints" / "last.ckpt" if given == "last" else Path(given).expanduser()
    if not path.is_file():
        return None
    from dcsomrl.checkpoints import read_checkpoint  # late: it needs torch

    try:
        return read_checkpoint(path)[RECORD]["config"].get("model")
    except CheckpointError:
        return None  # likewise


def find_published(model: str, dataset: str) -> str:
    """The file in ``conf/settings`` that a model has for a dataset; ``none`` where it has none.

    ``conf/train.yaml`` chooses it as ``${published:<model>,<dataset>}``. A folder given by
    ``--config-dir`` is searched, too.
    """
    found = GlobalHydra.instance().config_loader().get_group_options("settings")
    name = f"{model}_{dataset}"
    return name if name in found else "none"


def name_data(path: object) -> str:
    """The last part of a path without its ending, which names the data that lies there."""
    return Path(str(path)).resolve().stem


def unless(given: object, value: object) -> object:
    """A value, or None where something else is given in its place."""
    return value if given is None else None


def name_folder(overrides: str) -> str:
    """A name for the folder of a run, of its overrides, that can be typed without quotes.

    ``model.alpha=0.1,seed=2`` becomes ``model.alpha-0.1_seed-2``. What other signs are left out of,
    or is cut at :data:`LONGEST` signs, ends with a digest of the whole.
    """
    plain = overrides.replace("=", "-").replace(",", "_")
    kept = re.sub(r"[^A-Za-z0-9._+-]+", "-", plain).strip("-")
    if kept == plain and len(kept) <= LONGEST:
        return kept
    digest = hashlib.blake2b(overrides.encode(), digest_size=4).hexdigest()
    return f"{kept[: LONGEST - 9]}-{digest}"


def describe_settings(name: str) -> str:
    """The settings of a command with their meanings: its file in ``conf``, as a person reads it.

    Args:
        name: of the file, as ``predict``.

    Returns:
        Its lines without the list of defaults and without Hydra's own settings.
    """
    text = (find_config_dir() / f"{name}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^hydra:\n.*", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^defaults:\n(?:  .*\n)*", "", text, flags=re.MULTILINE).strip()
    return text.replace("$", "$$")  # Hydra fills in what a dollar names


OmegaConf.register_new_resolver("settings_of", describe_settings, replace=True)
OmegaConf.register_new_resolver("published", find_published, replace=True)
OmegaConf.register_new_resolver("folder", name_folder, replace=True)
OmegaConf.register_new_resolver("unless", unless, replace=True)
OmegaConf.register_new_resolver("stem", name_data, replace=True)


def compose_config(config_name: str, overrides: list[str], run_dir: Path) -> DictConfig:
    """The configuration as ``hydra.main`` hands it to a task, for runs in the caller's process."""
    overrides = update_overrides(config_name, overrides, run_dir)
    with hydra.initialize_config_dir(str(find_config_dir()), version_base="1.3"):
        cfg = hydra.compose(config_name, overrides=overrides, return_hydra_config=True)
    return update_config(split_hydra(cfg, run_dir))


def list_needed(config_name: str) -> list[str]:
    """Settings with a default that a command reads itself, beside those of the groups."""
    own: Any = OmegaConf.to_container(OmegaConf.load(find_config_dir() / f"{config_name}.yaml"))
    given = [key for key, value in own.items() if value != "???"]
    return [key for key in given if key not in ("defaults", "hydra")]


def list_overrides() -> list[str]:
    """Overrides of the run that Hydra has composed, as they were typed."""
    typed: Any = OmegaConf.to_container(HydraConfig.get().overrides.task)  # ${...} as it stands
    return list(typed)


def split_hydra(cfg: DictConfig, run_dir: str | Path) -> DictConfig:
    """A composed configuration without Hydra's own, which is where a task finds it.

    Args:
        cfg: with ``hydra`` in it; nothing is taken out of it.
        run_dir: that the task would run in.
    """
    own = cfg.copy()
    with open_dict(own):
        own.hydra.runtime.output_dir = str(run_dir)
        HydraConfig.instance().set_config(own)
        del own.hydra
    return own


def update_config(cfg: DictConfig) -> DictConfig:
    """A configuration that names every class where it lies in this version, and ~ in full."""
    given = OmegaConf.to_container(cfg)
    followed = _expand_home(follow_moves(given))
    if followed == given:
        return cfg
    moved = OmegaConf.create(followed)
    OmegaConf.set_struct(moved, True)
    return moved


def _expand_home(node: Any) -> Any:
    """The same with the user's folder for a leading ~, which quotes have kept from the shell."""
    if isinstance(node, dict):
        return {key: _expand_home(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand_home(value) for value in node]
    is_path = isinstance(node, str) and f"{node}/".startswith("~/")
    return str(Path(node).expanduser()) if is_path else node
