"""Folders of images whose classes hold the splits: cat/train, cat/test, dog/train, dog/test."""

from pathlib import Path

from dcsomrl.data.constant import list_some
from dcsomrl.data.image_folders import (
    IMAGE_SUFFIXES,
    TRAIN_NAMES,
    find_split,
    holds_images,
    image_files,
    list_folder,
    warn_of_masks,
)
from dcsomrl.data.notes import note
from dcsomrl.errors import DataError

TEST = ("test", "testing")


def find_inner_splits(
    root: Path, notes: list[str]
) -> tuple[tuple[list[Path], list[str]], tuple[list[Path], list[str]]] | None:
    """Images of the training and of the test split, and the class of each.

    None where no folder in one of the root holds both a training and a test split.

    Args:
        root: holds the classes.
        notes: gets a sentence on what is read as the splits and what is left out.

    Raises:
        DataError: only some of the classes hold splits, or other things beside them.
    """
    folders = [one for one in list_folder(root) if one.is_dir()] if root.is_dir() else []
    if not any(_tell_splits(one) for one in folders):
        return None
    classes = [one for one in folders if holds_images(one)]
    held = {one: _tell_splits(one) for one in classes}
    named = [one for one, words in held.items() if {"train", "test"} <= set(words.values())]
    if not named or len(classes) < 2:  # the splits of one folder are to be given as they are
        return None
    train, test = ({one: _choose(words, split) for one, words in held.items()}
                   for split in ("train", "test"))  # fmt: skip
    shown = f"{named[0].name}/{train[named[0]]} and {named[0].name}/{test[named[0]]}"
    for one, words in held.items():
        odd = [inside.name for inside in list_folder(one) if _may_hold(inside, words)]
        if odd or train[one] is None:
            lies = f"{one.name}/{odd[0]} is in none" if odd else f"{one.name} has none to train on"
            raise DataError(
                f"{root} holds classes with splits in them, as {shown}, but {lies}: move the "
                f"splits above the classes, as train/{named[0].name} and test/{named[0].name}"
            )
    warn_of_masks([one.name for one in classes], root, notes)
    if bare := [one.name for one in folders if one not in classes]:
        note(notes, f"{root}: folders without images are left out: {list_some(bare)}")
    note(notes, f"{root}: folders within the classes are read as the splits, as {shown}")
    taken = {*train.values(), *test.values()}
    if left := sorted({name for words in held.values() for name in words if name not in taken}):
        note(notes, f"{root}: {list_some(left)} within the classes are left out")
    return _gather(train, notes), _gather(test, notes)


def _may_hold(inside: Path, words: dict[str, str]) -> bool:
    """Whether what a class holds is not a split, and images or a folder."""
    return inside.name not in words and (inside.is_dir() or inside.suffix.lower() in IMAGE_SUFFIXES)


def _tell_splits(folder: Path) -> dict[str, str]:
    """Folders in one that are named as splits and nothing else: by name, ``train`` or ``test``."""
    found = {one.name: find_split(one) for one in list_folder(folder) if one.is_dir()}
    return {
        name: "train" if split[0] in TRAIN_NAMES else "test"
        for name, split in found.items()
        if split is not None and split[1]
    }


def _choose(words: dict[str, str], split: str) -> str | None:
    """The folder of a split among those of a class, test before val; None where there is none."""
    names = sorted(name for name, word in words.items() if word == split)
    return next((name for name in names if name.lower() in TEST), names[0] if names else None)


def _gather(splits: dict[Path, str | None], notes: list[str]) -> tuple[list[Path], list[str]]:
    """All images of a split, and the class of each."""
    files: list[Path] = []
    names: list[str] = []
    for folder, name in splits.items():
        if name is not None:
            found, deeper = image_files(folder / name, notes)
            if deeper is not None:
                note(notes, f"{folder / name}: folders within are not told apart, as {deeper[0]}")
            files += found
            names += [folder.name] * len(found)
    return files, names
