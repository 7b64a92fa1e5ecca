"""What is said of data that is guessed, left out or changed."""

import logging

log = logging.getLogger(__name__)


def note(notes: list[str], sentence: str) -> None:
    """Say what was guessed or left out in the log, once, and keep it for the summary of a run."""
    if sentence in notes:
        return
    log.warning(sentence)
    notes.append(sentence)
