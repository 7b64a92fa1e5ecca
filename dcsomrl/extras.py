"""Packages that an extra brings: what is said where they are not installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from dcsomrl.errors import MissingPackageError

# What is imported of the extra ``train`` of pyproject.toml.
TRAIN = ("h5py", "hydra", "matplotlib", "omegaconf", "optuna", "pyarrow", "rich", "statsmodels")


def name_command(extra: str) -> str:
    """The command that installs an extra, as a shell takes it."""
    return f'pip install "dcsomrl[{extra}]"'


def explain_absence(error: BaseException | None) -> str | None:
    """One sentence where an error comes of a package of ``train`` not being installed, else None.

    Args:
        error: as it was raised; what it was raised from counts, too.
    """
    while error is not None:
        if isinstance(error, MissingPackageError):
            return str(error)
        if isinstance(error, ModuleNotFoundError) and error.name in TRAIN:
            return f"{error.name} is not installed, which this needs: {name_command('train')}"
        error = error.__cause__
    return None


@contextmanager
def explained(module: str = "") -> Iterator[None]:
    """Explain what is not installed of what is imported inside.

    Args:
        module: the ``__name__`` of the module that imports; ``__main__``, that of a command, ends
            with the sentence and status 2.

    Raises:
        MissingPackageError: a package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        said = explain_absence(error)
        if said is None:
            raise
        if module == "__main__":
            print(f"error: {said}", file=sys.stderr)
            sys.exit(2)
        raise MissingPackageError(said) from None


def require(module: str) -> None:
    """See whether a package of the extra is installed, before others look for it.

    Raises:
        MissingPackageError: it is not.
    """
    with explained():
        import_module(module)
