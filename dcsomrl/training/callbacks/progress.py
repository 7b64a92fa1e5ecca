"""The bar on the terminal."""

from importlib.util import find_spec

from pytorch_lightning.callbacks import ProgressBar, RichProgressBar, TQDMProgressBar


def progress_bar() -> ProgressBar:
    """A bar by Rich, which leaves nothing behind, or by tqdm where Rich is not installed."""
    return RichProgressBar(leave=False) if find_spec("rich") else TQDMProgressBar()
