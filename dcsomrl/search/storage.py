"""Where a search keeps what it knows: a journal file in its folder, or a database."""

import re
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import optuna
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend

from dcsomrl.errors import ConfigError, shorten
from dcsomrl.kept import MEANING
from dcsomrl.locks import Lock, make_lock
from dcsomrl.writing import write_text

Direction = Literal["minimize", "maximize"]
# What holds the name of a folder's study.
MARK = ".search"


def open_study(folder: Path, url: str | None, directions: Sequence[Direction]) -> optuna.Study:
    """The study of a folder, in the database of a URL or in a journal file of the folder.

    Its name lies in the folder, so that it is found wherever the folder is seen from. A journal
    holds one study, which is found without the name as well.

    Raises:
        ConfigError: it cannot be read, has another number of objectives, or is not there any more.
    """
    mark, journal = folder / MARK, folder / "study.journal"
    place = url or journal
    try:
        storage: BaseStorage = open_journal(journal) if url is None else get_storage(url)
        known = [one.study_name for one in storage.get_all_studies()]
        name = mark.read_text(errors="replace") if mark.exists() else None
        if url is None and name not in known and len(known) == 1:
            name = known[0]
        if name not in known and (folder / MEANING).exists():
            sentence = f"{folder} holds points of a search that {place} does not know (any more)"
            raise ConfigError(
                f"{_hide_password(sentence)}: bring {place if url is None else mark} back as it "
                "was, or choose another folder with hydra.sweep.dir"
            )
        if name is None:
            name = f"{folder.absolute().name}-{uuid4().hex}"
        if not mark.exists() or mark.read_text(errors="replace") != name:
            write_text(mark, name)
        return optuna.create_study(
            storage=storage, study_name=name, directions=list(directions), load_if_exists=True
        )
    except (ConfigError, OSError):
        raise
    except Exception as error:  # Optuna raises many kinds for a damaged journal
        remedy = (
            "check hydra.sweeper.storage" if url else f"bring back a {journal.name} that is whole"
        )
        sentence = f"the search in {place} cannot be opened ({shorten(error)}): {remedy}"
        raise ConfigError(
            f"{_hide_password(sentence)}, or choose another folder with hydra.sweep.dir"
        ) from error


class Journal(JournalFileBackend):
    """A journal that is not written into another file that has taken its place.

    Args:
        path: the file; made where there is none.
        lock: held while it is written.
    """

    def __init__(self, path: Path, lock: Lock) -> None:
        super().__init__(str(path), lock_obj=lock)  # type: ignore[arg-type]
        self._path = path
        self._number = path.stat().st_ino

    def _check(self) -> None:
        """See that the file is still there.

        Raises:
            ConfigError: it was moved, removed or replaced.
        """
        if not self._path.exists() or self._path.stat().st_ino != self._number:
            raise ConfigError(
                f"{self._path} was moved or replaced while the search went on: bring it back, and "
                "run the same command again"
            )

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """As of Optuna's."""
        self._check()
        return super().read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """As of Optuna's."""
        self._check()
        super().append_logs(logs)


def _hide_password(text: str) -> str:
    """A sentence that may go into a log."""
    return re.sub(r"(://[^:/@\s]*):\S*@", r"\1:***@", text)


def open_journal(journal: Path) -> JournalStorage:
    """A journal file, shared by processes that may be killed at any moment."""
    # Optuna's own lock outlives a process that is killed; this one does not.
    lock = make_lock(journal.parent, "journal")
    with lock:
        _mend(journal)
    return JournalStorage(Journal(journal, lock))


def _mend(journal: Path) -> None:
    """Drop a last line that a full disk cut off: what is appended to it could not be read."""
    if journal.exists() and not (text := journal.read_bytes()).endswith(b"\n"):
        with journal.open("r+b") as file:
            file.truncate(text.rfind(b"\n") + 1)
