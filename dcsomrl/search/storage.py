"""Where a search keeps what it knows: a journal file in its folder, or a database."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from uuid import uuid4

import optuna
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import SQLAlchemyError

from dcsomrl.errors import ConfigError, shorten
from dcsomrl.locks import make_lock
from dcsomrl.writing import write_text

Direction = Literal["minimize", "maximize"]


def open_study(folder: Path, url: str | None, directions: Sequence[Direction]) -> optuna.Study:
    """The study of a folder, in the database of a URL or in a journal file of the folder.

    Its name lies in the folder, so that it is found wherever the folder is seen from.

    Raises:
        ConfigError: it cannot be read, or has another number of objectives.
    """
    mark, journal = folder / ".search", folder / "study.journal"
    if not mark.exists():
        write_text(mark, f"{folder.absolute().name}-{uuid4().hex}")
    try:
        storage: BaseStorage = open_journal(journal) if url is None else get_storage(url)
        return optuna.create_study(
            storage=storage,
            study_name=mark.read_text(),
            directions=list(directions),
            load_if_exists=True,
        )
    except (SQLAlchemyError, ImportError, ValueError, LookupError, TypeError) as error:
        remedy = "put back what was there, or choose another folder with hydra.sweep.dir"
        remedy = remedy if url is None else "check hydra.sweeper.storage"
        sentence = f"the search in {url or journal} cannot be opened ({shorten(error)}): {remedy}"
        raise ConfigError(_hide_password(sentence)) from error


def _hide_password(text: str) -> str:
    """A sentence that may go into a log."""
    return re.sub(r"(://[^:/@\s]*):\S*@", r"\1:***@", text)


def open_journal(journal: Path) -> JournalStorage:
    """A journal file, shared by processes that may be killed at any moment."""
    # Optuna's own lock outlives a process that is killed; this one does not.
    lock = make_lock(journal.parent, "journal")
    with lock:
        _mend(journal)
    return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))  # type: ignore[arg-type]


def _mend(journal: Path) -> None:
    """Drop a last line that a full disk cut off: what is appended to it could not be read."""
    if journal.exists() and not (text := journal.read_bytes()).endswith(b"\n"):
        with journal.open("r+b") as file:
            file.truncate(text.rfind(b"\n") + 1)
