"""What the operating system refuses, files and memory, in one sentence."""

import errno
import os
import re

# What keeps a file or folder from being used, by the number of the operating system's error.
IN_THE_WAY = "a file is there where a folder is needed: choose another place, or move it away"
FORBIDDEN = "that is not allowed: choose another place, or change the permissions"
FULL = "no space is left: free some, or choose another place"
LARGE = "files are not allowed to be so large: raise the limit (ulimit -f), or choose another place"
GONE = "its disk fails or is gone: see to it, then run the same again"
NO_LOCKS = "its file system has no locks, which keep processes apart: choose a place on another one"
SYSTEM = {
    errno.EEXIST: IN_THE_WAY,
    errno.ENOTDIR: IN_THE_WAY,
    errno.EISDIR: "a folder is there where a file is needed: choose another name",
    errno.ENOENT: "it is not there, and cannot be made there: check the path",
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: FORBIDDEN,
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: LARGE,
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENODEV), GONE),
    **dict.fromkeys((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP), NO_LOCKS),
    errno.EMFILE: "too many files are open: raise the limit, as by ulimit -n 4096",
}
# Those that are raised without the name of a file, by what is written into one that is open.
NAMELESS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE)
# What torch and NumPy say where memory ends, or a size is beyond what they count to.
MEMORY = re.compile(
    r"can't allocate memory|out of memory|not enough memory|Cannot allocate memory"
    r"|storage size calculation overflowed|numel: integer multiplication overflow",
    re.IGNORECASE,
)


def explain_system(error: BaseException | None) -> str | None:
    """What the operating system has against a file, a folder or a size; None for other errors."""
    if isinstance(error, MemoryError) or is_lack_of_memory(error):
        return (
            "there is not enough memory: lower what takes it, such as dataset.batch_size, "
            "model.som.max_nodes or the widths of the network, or give less data"
        )
    error = error if isinstance(error, OSError) else _find_cause(error)
    if error is None or error.errno in (None, errno.EPIPE):
        return None
    if isinstance(error.filename, str | bytes | os.PathLike):
        path = error.filename2 or error.filename
        reason = SYSTEM.get(error.errno, f"{error.strerror}: check the path")
        # As `swapped` names what it writes.
        whole = re.sub(r"(\.[0-9a-f]{8})?\.part$", "", os.fsdecode(path))
        return f"{whole} cannot be read or written, since {reason}"
    if error.errno in NAMELESS:
        return f"a file cannot be written, since {SYSTEM[error.errno]}"
    if error.errno == errno.EMFILE:
        return SYSTEM[error.errno]
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        return "the folder that the command was started in is gone: change to one that is there"
    return f"the operating system refuses it: {error.strerror}"


def is_lack_of_memory(error: BaseException | None) -> bool:
    """Whether torch could not get the memory for what it was to make."""
    return isinstance(error, RuntimeError | OSError) and bool(MEMORY.search(str(error)))


def _find_cause(error: BaseException | None) -> OSError | None:
    """What happened to a disk while an error of a library's was raised; None where nothing did.

    A library that writes a file may fail once more while it closes what could not be written.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError) and error.errno in NAMELESS:
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _is_somewhere() -> bool:
    try:
        return bool(os.getcwd())  # noqa: PTH109  which raises where it is gone
    except FileNotFoundError:
        return False
