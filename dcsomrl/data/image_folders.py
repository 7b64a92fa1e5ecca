"""The images of a folder: which folders in it are splits or classes, and what is left out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dcsomrl.data.constant import list_some
from dcsomrl.data.foreign import refuse_foreign
from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

# How names begin that are passed over; the others are of archives made on a Mac and of Windows.
HIDDEN = (".", "__MACOSX", "Thumbs.db", "desktop.ini")
TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation", "eval", "dev")
# Folders of pictures, and those beside them that say what stands where in these.
PICTURES = ("images", "image", "imgs", "img", "inputs", "input", "photos")
MASKS = ("masks", "mask", "annotations", "labels", "segmentations", "targets", "gt")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


def find_split(path: Path) -> tuple[str, bool] | None:
    """The word in a name that names a split, and whether the name has no other.

    Words are told apart by signs, digits and capitals, as in ``train2017`` and ``trainA``; what
    names of splits often end with, as ``test_images``, is no other word. None where there is not
    exactly one such word.
    """
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", path.name)
    plain = [re.sub(r"(sets?|data|images?|imgs?|splits?)$", "", part.lower()) for part in parts]
    words = [word for word in plain if word]
    named = [word for word in words if word in (*TRAIN_NAMES, *TEST_NAMES)]
    return (named[0], len(words) == 1) if len(named) == 1 else None


def find_splits(root: Path, notes: list[str]) -> tuple[Path, Path] | None:
    """The folders of the training and the test split, or None where there are none.

    Names that have other words, too, as ``train2017`` and ``val2017``, are those of splits where
    there are both.

    Raises:
        DataError: folders named like splits that are not one of each, or others beside them.
    """
    folders = [one for one in list_folder(root) if one.is_dir()] if root.is_dir() else []
    named = {one: found for one in folders if (found := find_split(one)) is not None}
    train = [one for one, (word, _) in named.items() if word in TRAIN_NAMES]
    test = [one for one, (word, _) in named.items() if word in TEST_NAMES]
    plain = any(alone for _, alone in named.values())
    if not plain and not (train and test):
        return None
    chosen = [one for one in test if named[one][0] in ("test", "testing")] or test
    others = [one for one in folders if one not in named]
    if len(train) != 1 or len(chosen) != 1 or others:
        raise DataError(
            f"{root} holds folders named like splits, "
            f"{list_some([one.name for one in train + test])}"
            + (f", beside {list_some([one.name for one in others])}" if others else "")
            + ": name one train and one test and move others away, or give classes other names"
        )
    if not (named[train[0]][1] and named[chosen[0]][1]):
        note(notes, f"{root}: {train[0].name} and {chosen[0].name} are read as the splits")
    beside = [one for one in list_folder(root) if not one.is_dir()]
    if beside:
        note(
            notes,
            f"{root}: {len(beside)} files beside the splits are left out, as {beside[0].name}",
        )
    for left in test:
        if left is not chosen[0]:
            note(notes, f"{left} is left out: the splits are {train[0]} and {chosen[0]}")
    return _unwrap(train[0], notes), _unwrap(chosen[0], notes)


def _unwrap(split: Path, notes: list[str]) -> Path:
    """The folder of a split, or the only one in it where that is named as a split once more."""
    held = list_folder(split)
    if len(held) != 1 or not held[0].is_dir():
        return split
    outer, inner = find_split(split), find_split(held[0])
    if inner is None or outer is None or inner[0] != outer[0]:
        return split
    note(notes, f"{split} holds nothing but {held[0].name}, which is read as the split")
    return _unwrap(held[0], notes)


def check_labelled(
    splits: tuple[Path, Path], train: list[str] | None, test: list[str] | None, notes: list[str]
) -> None:
    """Warn of classes in one split that the other has not."""
    if train is not None and test is not None and (unknown := sorted({*test} - {*train})):
        note(notes, f"{splits[1]} has classes that {splits[0]} has not: {list_some(unknown)}")


def classify(folder: Path, notes: list[str]) -> tuple[list[Path], list[str] | None]:
    """As :func:`image_files`, where the subfolders are plainly classes.

    Raises:
        DataError: as there, or a single subfolder that holds folders of its own.
    """
    files, names = image_files(folder, notes)
    deep = [file for file in files if len(file.relative_to(folder).parts) > 2]
    if names is not None and deep and len(set(names)) == 1:
        raise DataError(
            f"{folder} holds one folder, {names[0]}, with folders in it: give the one whose "
            f"folders are the classes or the splits, as {_find_innermost(folder / names[0])}"
        )
    if deep:
        note(
            notes,
            f"{folder}: folders within the classes are not told apart, as {deep[0].parent}",
        )
    warn_of_masks(names or [], folder, notes)
    if names is not None and len(set(names)) == 1:
        note(notes, f"{folder} holds a single folder, {names[0]}: all images are of one class")
    return files, names


def warn_of_masks(names: Sequence[str], folder: Path, notes: list[str]) -> None:
    """Note classes that are called as masks beside one that is called as images."""
    classes = {name.lower(): name for name in names}
    masks = [classes[name] for name in MASKS if name in classes]
    if masks and not classes.keys().isdisjoint(PICTURES):
        note(
            notes,
            f"{folder}: {list_some(masks)} is read as a class beside the images: move it away if "
            "it holds their masks",
        )


def holds_images(folder: Path) -> bool:
    """Whether there is a file in a folder, or in those within, that is an image by its suffix."""
    return any(file.suffix.lower() in IMAGE_SUFFIXES for file in _walk(folder, ()))


def _find_innermost(folder: Path) -> Path:
    """The folder itself, or the one in it that does not hold a single folder alone."""
    inner = list_folder(folder)
    alone = len(inner) == 1 and inner[0].is_dir()
    return (
        _find_innermost(inner[0])
        if alone and any(one.is_dir() for one in inner[0].iterdir())
        else folder
    )


def image_files(folder: Path, notes: list[str]) -> tuple[list[Path], list[str] | None]:
    """Images of a folder in order and, where they lie in subfolders, the subfolders' names.

    Links are followed.

    Args:
        folder: the folder.
        notes: gets a sentence on files that are left out, and on folders without images.

    Raises:
        DataError: no such folder, no images in it, or images both in subfolders and beside them.
    """
    if not folder.is_dir():
        if folder.is_file():
            refuse_foreign(folder)
            raise DataError(
                f"{folder} is a file, and a folder of images is needed here: files of rows or "
                "arrays are read by `dcsomrl.data.files.arrays`"
            )
        raise DataError(f"there is no folder {folder}: check `path`")
    files = sorted(_walk(folder, ()))
    found = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()]
    taken = set(found)
    others = _describe_others(folder, [file for file in files if file not in taken])
    if not found:
        held = f", but {list_some(others)}" if others else ""
        raise DataError(
            f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}){held}: check `path`, or "
            "convert them"
        )
    if others:
        note(
            notes, f"{folder}: what is not an image by its suffix is left out: {list_some(others)}"
        )
    filled = {file.relative_to(folder).parts[0] for file in found}
    if bare := [one.name for one in list_folder(folder) if one.is_dir() and one.name not in filled]:
        note(notes, f"{folder}: folders without images are left out: {list_some(bare)}")
    beside = [file for file in found if file.parent == folder]
    if len(beside) == len(found):
        return found, None
    if beside:
        raise DataError(
            f"{folder} holds images both in folders, which are read as classes, and beside them, "
            f"as {beside[0].name}: move these into a folder or away"
        )
    return found, [file.relative_to(folder).parts[0] for file in found]


def list_folder(folder: Path) -> list[Path]:
    """What a folder holds, in order, but for what is passed over.

    Raises:
        DataError: it may not be read.
    """
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith(HIDDEN))
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error}): check its permissions") from error


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """All files of a folder and those in it, through links, but for a link to a folder above it."""
    above = (*above, folder.resolve())
    for one in list_folder(folder):
        if not one.is_dir() or one.resolve() in above:
            yield one
        else:
            yield from _walk(one, above)


def _describe_others(folder: Path, files: Sequence[Path]) -> list[str]:
    """What files are that are not images, each kind in words, with the first of it."""
    kinds = [_name_kind(file) for file in files]
    return [
        f"{n} {kind} (as {files[kinds.index(kind)].relative_to(folder)})"
        for kind, n in Counter(kinds).items()
    ]


def _name_kind(file: Path) -> str:
    if file.is_symlink() and (file.is_dir() or not file.exists()):
        return "links to a folder around them" if file.is_dir() else "links that lead nowhere"
    if not file.is_file():
        return "of no ordinary kind"
    return f"with suffix {file.suffix.lower()}" if file.suffix else "without a suffix"
