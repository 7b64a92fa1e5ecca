"""Files of networks and their trainings, which hold tensors as files of samples do."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from dcsomrl.errors import DataError

# What the weights of a network are called, within the names of its layers.
WEIGHTS = re.compile(
    r"(.+[./])?((in_proj_|q_|k_|v_)?weight(_[ihor]h_l\d+\w*)?|(in_proj_)?bias(_[ihor]h_l\d+\w*)?"
    r"|weight_[gv]|running_(mean|var)|num_batches_tracked|kernel|gamma|beta)(:\d+)?"
)
LAYER = re.compile(r".+[./]")
REMEDY = "give the file of the samples, or save what the network makes of them as a tensor"


def refuse_model(content: Mapping[str, Any], path: Path) -> None:
    """Refuse what holds the weights of a network, or the state of a training, and no samples.

    Args:
        content: what a file holds by name.
        path: the file.

    Raises:
        DataError: it is such.
    """
    if {"x", "X", "x_train", "X_train"} & content.keys():
        return
    within = [one for one in content.values() if isinstance(one, Mapping)]
    if "state_dict" in content or any(map(_are_weights, within)) or _is_optimizer(content):
        raise DataError(f"{path} is a checkpoint of a training and holds no samples: {REMEDY}")
    if _are_weights(content):
        raise DataError(f"{path} holds the weights of a network and no samples: {REMEDY}")


def refuse_script(path: Path) -> None:
    """Refuse a network that was saved with its code by TorchScript or torch.export.

    Raises:
        DataError: it is one.
    """
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, BadZipFile):  # whoever reads it says what is wrong
        return
    if any(re.fullmatch(r".*/constants\.pkl|(.*/)?serialized_exported_program.*", one)
           for one in names):  # fmt: skip
        raise DataError(f"{path} is a network with its code and holds no samples: {REMEDY}")


def _are_weights(content: Mapping[str, Any]) -> bool:
    """Whether most names are those of weights; one alone may be of samples in a plain dict."""
    named = [str(name) for name in content if WEIGHTS.fullmatch(str(name))]
    told = len(named) > 1 or isinstance(content, OrderedDict) or any(map(LAYER.match, named))
    return told and 2 * len(named) > len(content)


def _is_optimizer(content: Mapping[str, Any]) -> bool:
    return {"state", "param_groups"} <= content.keys()
