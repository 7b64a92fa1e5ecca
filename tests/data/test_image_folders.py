"""Every file of a folder is taken, or said to be left out; links are followed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dcsomrl.data.image_folders import HIDDEN, IMAGE_SUFFIXES, image_files
from dcsomrl.data.images import images
from dcsomrl.errors import DataError


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)


def fill(folder, classes="abc", n=4):
    for name in classes:
        for i in range(n):
            draw(folder / name / f"{i}.png")


@settings(max_examples=60, deadline=None)
@given(
    names=st.sets(
        st.tuples(
            st.sampled_from(["a", "b", "c/d", "e/f/g"]),
            st.integers(0, 3),
            st.sampled_from([".png", ".JPG", ".jp2", ".avif", ".txt", "", ".tar.gz", "."]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_file_is_taken_or_counted(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("x")
    files = [folder / place / f"{i}{suffix}" for place, i, suffix in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    pictures = sorted(file for file in files if file.suffix.lower() in IMAGE_SUFFIXES)
    notes = []
    if not pictures:
        with pytest.raises(DataError, match=r"holds no images .*, but \d+ with"):
            image_files(folder, notes)
        return
    found, classes = image_files(folder, notes)
    assert found == pictures
    assert classes == [file.relative_to(folder).parts[0] for file in found]
    said = " ".join(notes)
    for suffix in {file.suffix.lower() for file in files} - set(IMAGE_SUFFIXES):
        n = sum(file.suffix.lower() == suffix for file in files)
        assert (f"{n} with suffix {suffix} (as " if suffix else f"{n} without a suffix") in said
    bare = {file.relative_to(folder).parts[0] for file in files} - set(classes)
    assert ("folders without images are left out: " + ", ".join(sorted(bare)) in said) == bool(bare)


@pytest.mark.parametrize("linked", ["a class", "every class", "a folder in a class", "a file"])
def test_links_are_followed(tmp_path, linked):
    fill(tmp_path / "real")
    folder = tmp_path / "x"
    if linked == "every class":
        folder.mkdir()
        for name in "abc":
            (folder / name).symlink_to(f"../real/{name}")
    else:
        fill(folder, "bc")
        (folder / "a").mkdir()
        if linked == "a class":
            (folder / "a").rmdir()
            (folder / "a").symlink_to("../real/a")
        elif linked == "a file":
            for i in range(4):
                (folder / "a" / f"{i}.png").symlink_to(f"../../real/a/{i}.png")
        else:
            (folder / "a" / "more").symlink_to("../../real/a")
    got = images(str(folder))
    assert got.class_names == ["a", "b", "c"]
    assert len(got.train_x) + len(got.test_x) == 12
    assert not any("left out" in one for one in got.notes)


def test_links_that_lead_nowhere_or_around_are_said(tmp_path):
    fill(tmp_path / "x")
    (tmp_path / "x" / "a" / "broken.png").symlink_to("/nowhere/to/be/found.png")
    (tmp_path / "x" / "b" / "around").symlink_to("..")
    (tmp_path / "x" / "c" / "self").symlink_to("self")
    got = images(str(tmp_path / "x"))
    assert len(got.train_x) + len(got.test_x) == 12
    (said,) = (one for one in got.notes if "left out" in one)
    assert "2 links that lead nowhere (as a/broken.png)" in said
    assert "1 links to a folder around them (as b/around)" in said


def test_what_is_no_picture_is_said(tmp_path):
    fill(tmp_path, "ab")
    for name in ("c/0.jp2", "c/1.jp2", "a/readme", "b/0.avif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    for name in HIDDEN:
        (tmp_path / "a" / f"{name}x").touch()
    notes = images(str(tmp_path)).notes
    first = "left out: 1 without a suffix (as a/readme), 1 with suffix .avif (as b/0.avif), 2 with"
    assert any(first in one for one in notes)
    assert any("folders without images are left out: c, empty" in one for one in notes)
    assert not any("Thumbs" in one or "MACOSX" in one for one in notes)


def test_files_beside_the_splits_are_said(tmp_path):
    for split in ("train", "test"):
        fill(tmp_path / split, "ab")
    draw(tmp_path / "stray.png")
    (tmp_path / "labels.csv").touch()
    notes = images(str(tmp_path)).notes
    assert any("2 files beside the splits are left out, as labels.csv" in one for one in notes)


def test_splits_may_be_links(tmp_path):
    for split in ("one", "two"):
        fill(tmp_path / split, "ab")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "train").symlink_to("../one")
    (tmp_path / "x" / "test").symlink_to("../two")
    got = images(str(tmp_path / "x"))
    assert (len(got.train_x), len(got.test_x)) == (8, 8)


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("train", "test")])
def test_splits_that_were_unpacked_into_folders_of_their_own_names(tmp_path, names):
    for name in names:
        fill(tmp_path / name / name)
    got = images(str(tmp_path))
    assert got.class_names == ["a", "b", "c"]
    assert len(got.train_x) == len(got.test_x) == 12
    assert sum("which is read as the split" in one for one in got.notes) == 2


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["images", "masks"], True),
        (["Images", "labels"], True),
        (["with_mask", "without_mask"], False),
        (["images", "drawings"], False),
        (["mask", "hat"], False),
    ],
)
def test_masks_beside_their_images_are_said(tmp_path, classes, said):
    fill(tmp_path, classes)
    notes = images(str(tmp_path)).notes
    assert any("is read as a class beside the images" in one for one in notes) == said


def test_an_archive_in_the_place_of_a_folder_is_said(tmp_path):
    path = tmp_path / "pictures.zip"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(DataError, match=r"pictures.zip is a zip archive: unpack it"):
        images(str(path))


def fill_splits(folder, splits=("train", "test"), classes=("cat", "dog"), n=4):
    for name in classes:
        for split in splits:
            fill(folder / name, [split], n)


@pytest.mark.parametrize(
    ("splits", "read"),
    [
        (("train", "test"), ("train", "test")),
        (("Train", "val"), ("Train", "val")),
        (("train", "val", "test"), ("train", "test")),
        (("train_images", "images_test"), ("train_images", "images_test")),
    ],
)
def test_splits_within_classes_are_read_as_such(tmp_path, splits, read):
    fill_splits(tmp_path, splits)
    (tmp_path / "cat" / "readme.txt").touch()
    (tmp_path / "papers").mkdir()
    got = images(str(tmp_path))
    assert got.class_names == ["cat", "dog"]
    for about, y, split in ((got.train_about, got.train_y, 0), (got.test_about, got.test_y, 1)):
        assert set(about["file"].str.split("/").str[1]) == {read[split]}
        assert list(about["file"].str.split("/").str[0]) == [got.class_names[i] for i in y]
        assert len(about) == 8
    assert any("are read as the splits, as cat/" in one for one in got.notes)
    assert any("val within the classes are left out" in one for one in got.notes) == (
        len(splits) > 2
    )


@pytest.mark.parametrize("odd", ["dog/9.png", "cat/more/1.png", "cow/1.png", "cow/test/1.png"])
def test_splits_within_some_classes_are_refused_by_what_is_in_none(tmp_path, odd):
    fill_splits(tmp_path)
    draw(tmp_path / odd)
    with pytest.raises(DataError, match="move the splits above the classes, as train/cat") as found:
        images(str(tmp_path))
    assert odd.split("/")[0] in str(found.value)


def test_labels_beside_images_by_splits_are_no_class(tmp_path):
    fill(tmp_path / "images", ["train", "val"])
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "0.txt").write_text("0 0.5 0.5 1 1")
    (tmp_path / "labels" / "val").mkdir()
    with pytest.raises(DataError, match=r"as .*images$"):
        images(str(tmp_path))
    fill_splits(tmp_path, ("train", "val"), ("masks",))
    assert any("masks is read as a class beside" in one for one in images(str(tmp_path)).notes)


def test_a_class_may_hold_a_folder_called_as_a_split(tmp_path):
    fill(tmp_path / "vehicle", ["train", "car"])
    fill(tmp_path / "animal", ["dog"])
    got = images(str(tmp_path))
    assert got.class_names == ["animal", "vehicle"]


@pytest.mark.parametrize(
    ("train", "test"),
    [("train_images", "test_images"), ("images_train", "images_test"), ("TrainSet", "ValSet")],
)
def test_splits_with_a_word_for_images_are_known(tmp_path, train, test):
    fill(tmp_path / train)
    fill(tmp_path / test)
    got = images(str(tmp_path))
    assert set(got.train_about["file"].str.split("/").str[0]) == {train}
    assert got.class_names == ["a", "b", "c"]
