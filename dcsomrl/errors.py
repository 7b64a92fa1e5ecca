"""Errors that the user can fix: one sentence that says what is wrong and what to do."""


class DcsomrlError(ValueError):
    """Base of the errors that entry points print as one sentence, without a traceback."""


class ConfigError(DcsomrlError):
    """Settings that do not fit each other."""


class DataError(DcsomrlError):
    """A dataset is missing, damaged, or does not fit what was asked of it."""


class CheckpointError(DcsomrlError):
    """A checkpoint is missing, damaged, or belongs to another run, or cannot be written."""


class MissingPackageError(DcsomrlError, ImportError):
    """A package that only an extra brings is not installed."""


class TrainingError(DcsomrlError):
    """Training cannot go on, as when the loss is no longer a number."""


def shorten(error: BaseException | None) -> str:
    """What an error says, without its details: its first line, and what that announces."""
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    return f"{first} {others[0].strip()}" if first.endswith(":") and others else first
