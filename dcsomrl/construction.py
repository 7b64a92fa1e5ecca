"""Objects from a configuration that came with a file: known classes only, no code of its own."""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any

from pytorch_lightning import LightningDataModule
from torch import nn

from dcsomrl.data import Neighbors
from dcsomrl.errors import CheckpointError
from dcsomrl.migrations import TARGET, find_moved

PARTIAL = "_partial_"
# Keys that Hydra reads beside these; nothing here needs another than its usual value.
IGNORED = ("_recursive_", "_convert_")
OWN = "dcsomrl"
TORCH = ("torch.nn", "torch.optim")
Trust = Iterable[str | ModuleType]


def build(config: Any, trust: Trust = ()) -> Any:
    """Make what a plain configuration describes, its parts first, as Hydra's ``instantiate`` does.

    Models, networks, maps, datamodules and data sources of this package are made, and classes of
    ``torch.nn`` and ``torch.optim``; also classes that derive from one of this package and whose
    module the caller has imported, and whatever lies in a package that is trusted. Text stays
    text: no interpolation is resolved.

    Args:
        config: dicts, lists and values; a dict with ``_target_`` becomes an object.
        trust: packages, as names or modules, that may be imported and called.

    Raises:
        CheckpointError: a target is none of these, or cannot be made from its arguments.
    """
    if isinstance(config, list):
        return [build(one, trust) for one in config]
    if not isinstance(config, dict):
        return config
    parts = {name: build(one, trust) for name, one in config.items() if name not in IGNORED}
    if TARGET not in parts:
        return parts
    path, part = parts.pop(TARGET), parts.pop(PARTIAL, False)
    make = find(path, trust)
    if part:
        return partial(make, **parts)
    if inspect.isfunction(make) and not _is_inside(path, _list_trusted(trust)):
        raise CheckpointError(
            f"{path} was not called: a file may name a data source with _partial_: true alone, "
            "which reads and fetches nothing until its data is asked for"
        )
    try:
        return make(**parts)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be made from its settings: {error}") from error


def find(path: object, trust: Trust = ()) -> Callable[..., Any]:
    """The class or function of a dotted path, if it may be made from a file.

    Raises:
        CheckpointError: it may not, or there is none.
    """
    path = find_moved(path) if isinstance(path, str) else path
    trusted = _list_trusted(trust)
    if isinstance(path, str) and re.fullmatch(r"\w+(\.\w+)+", path):
        explicit = _is_inside(path, trusted)
        imports = explicit or _is_inside(path, (OWN, *TORCH))
        found = _locate(path, imports)
        if found is not None and (
            (explicit and _is_inside(getattr(found, "__module__", None), trusted))
            or _is_known(found)
        ):
            return found
    root = str(path).partition(".")[0]
    raise CheckpointError(
        f"{path} was not made: a file may name models and data sources of dcsomrl, and classes of "
        f"torch.nn and torch.optim; if you trust it, allow its package with trust=[{root}]"
    )


def _list_trusted(trust: Trust) -> list[str]:
    """The packages that are trusted, by name."""
    given = [trust] if isinstance(trust, str) else trust
    return [one if isinstance(one, str) else one.__name__ for one in given]


def _is_inside(path: object, packages: Iterable[str]) -> bool:
    """Whether a dotted path lies in one of the packages."""
    return isinstance(path, str) and any(f"{path}.".startswith(f"{one}.") for one in packages)


def _locate(path: str, imports: bool) -> Any:
    """What lies at a dotted path; without ``imports`` only in modules that are there already."""
    parts = path.split(".")
    for n in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:n])
        if imports:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                continue
        found: Any = sys.modules.get(name)
        if found is None:
            continue
        for attribute in parts[n:]:
            found = getattr(found, attribute, None)
        return found if callable(found) else None
    return None


def _is_known(found: Any) -> bool:
    """Whether an object is of a kind that runs harm from no file.

    The object is looked at, not its path: a module's own imports are reached through it.
    """
    if inspect.isfunction(found):
        returned = inspect.get_annotations(found).get("return")
        is_source = getattr(returned, "__name__", returned) == "Arrays"
        return is_source and _is_inside(found.__module__, ["dcsomrl.data"])
    if not inspect.isclass(found):
        return False
    if _is_inside(found.__module__, TORCH):
        return True
    kinds = issubclass(found, nn.Module | LightningDataModule | Neighbors)
    return kinds and any(_is_inside(base.__module__, [OWN]) for base in found.__mro__)
