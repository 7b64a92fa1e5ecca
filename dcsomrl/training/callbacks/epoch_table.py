"""The table of epochs."""

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from dcsomrl.training.tables import GrowingTable, goes_on_beside


class EpochTable(Checkpoint):
    """Writes every logged number into a CSV file, a row an epoch; resumes with the run.

    It counts as a checkpoint so that Lightning calls it when all of the epoch's numbers are
    there, and before the checkpoint itself: a row can be one ahead, never one behind.

    Args:
        path: the CSV file.
    """

    def __init__(self, path: str) -> None:
        self._table = GrowingTable(path, "epoch")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the rows of the epochs that a resumed run has behind it."""
        goes_on = goes_on_beside(trainer, self._table.path)
        self._table.restore(trainer.current_epoch if goes_on else 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row."""
        if not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self._table.rows.append(
            {"epoch": trainer.current_epoch, "step": trainer.global_step, **values}
        )
        self._table.save()
