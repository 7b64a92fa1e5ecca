import re
import struct
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from dcsomrl.data.arrays import check_arrays
from dcsomrl.data.images import images
from dcsomrl.errors import DataError


def draw(path, seed=0, size=(6, 5), mode="RGB"):
    """An image of noise; returns its pixels (channels, height, width)."""
    width, height = size
    shape = (height, width) if mode == "L" else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels.reshape(height, width, -1).transpose(2, 0, 1)


def test_folders_are_classes_and_pixels_are_kept(tmp_path):
    drawn = {}
    for i in range(12):
        name = ("cat", "dog", "eel")[i % 3]
        drawn[draw(tmp_path / name / "deep" / f"{i}.png", i).tobytes()] = name
    got = check_arrays(images(str(tmp_path)), "animals")
    assert got.class_names == ["cat", "dog", "eel"]
    x, y = torch.cat([got.train_x, got.test_x]), torch.cat([got.train_y, got.test_y])
    assert x.shape == (12, 3, 5, 6)
    assert len(got.test_x) == 2
    found = {
        pixels.numpy().tobytes(): got.class_names[label] for pixels, label in zip(x, y, strict=True)
    }
    assert found == drawn


def test_a_flat_folder_has_no_labels_and_the_split_never_changes(tmp_path):
    for i in range(10):
        draw(tmp_path / f"{i}.png", i, mode="L")
    one, two = images(str(tmp_path)), images(str(tmp_path))
    assert one.train_y is None
    assert one.class_names is None
    assert one.train_x.shape == (8, 1, 5, 6)
    assert torch.equal(one.test_x, two.test_x)


def test_train_and_test_folders_are_the_splits(tmp_path):
    train = [draw(tmp_path / "train" / name / "0.png", i) for i, name in enumerate("ab")]
    draw(tmp_path / "test" / "b" / "0.png", 5)
    draw(tmp_path / "test" / "c" / "0.png", 6)
    got = check_arrays(images(str(tmp_path)), "letters")
    assert np.array_equal(got.train_x.numpy(), np.stack(train))
    assert got.class_names == ["a", "b", "c"]
    assert got.train_y.tolist() == [0, 1]
    assert got.test_y.tolist() == [1, 2]


def test_size_and_channels_are_brought_to_what_is_asked(tmp_path):
    for i, size in enumerate([(6, 5), (9, 9), (3, 8)]):
        draw(tmp_path / f"{i}.png", i, size)
    assert images(str(tmp_path), image_size=7, channels=1).train_x.shape[1:] == (1, 7, 7)
    assert images(str(tmp_path), image_size=7).train_x.shape[1:] == (3, 7, 7)


def test_the_channels_of_the_training_split_hold_for_both(tmp_path):
    draw(tmp_path / "train" / "0.png", mode="L")
    draw(tmp_path / "test" / "0.png", mode="RGB")
    assert images(str(tmp_path)).test_x.shape[1] == 1


def test_large_folders_stay_on_the_disk_and_give_the_same_pixels(tmp_path):
    for i in range(10):
        draw(tmp_path / "ab"[i % 2] / f"{i}.png", i)
    whole, lazy = images(str(tmp_path)), images(str(tmp_path), in_memory_limit=100)
    assert not isinstance(lazy.train_x, torch.Tensor)
    index = torch.tensor([5, 0, 5])
    assert torch.equal(lazy.train_x[index], whole.train_x[index])
    assert lazy.train_x.shape == whole.train_x.shape
    assert torch.equal(lazy.train_y, whole.train_y)


def test_hidden_files_are_passed_over(tmp_path):
    for i in range(4):
        draw(tmp_path / "a" / f"{i}.png", i)
    draw(tmp_path / ".thumbnails" / "0.png")
    (tmp_path / "a" / "._0.png").write_bytes(b"resource fork")
    assert images(str(tmp_path)).class_names == ["a"]


def absent(folder):
    return folder / "nowhere"


def empty(folder):
    (folder / "notes.txt").write_text("no image")
    return folder


def broken(folder):
    draw(folder / "0.png")
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes()[:60])
    return folder / "1.png"


def unlike(folder):
    draw(folder / "0.png")
    draw(folder / "1.png")
    draw(folder / "2.png", size=(8, 8))
    return folder / "2.png"


def mixed(folder):
    draw(folder / "a" / "0.png")
    draw(folder / "stray.png")
    return "stray.png"


def deep(folder):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(folder / "0.png")
    draw(folder / "1.png")
    return folder


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (absent, "no folder"),
        (empty, "no images"),
        (broken, "cannot be read"),
        (unlike, "8x8"),
        (mixed, "classes"),
        (deep, "8 bits"),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused_by_name(tmp_path, make, said):
    named = make(tmp_path)
    path = named if make is absent else tmp_path
    with pytest.raises(DataError, match=said) as caught:
        images(str(path))
    assert str(named) in str(caught.value)


@pytest.mark.parametrize("settings", [{"channels": 2}, {"image_size": 0}, {"test_fraction": 1.5}])
def test_settings_out_of_range_are_refused(tmp_path, settings):
    for i in range(3):
        draw(tmp_path / f"{i}.png", i)
    with pytest.raises(ValueError, match=next(iter(settings))):
        images(str(tmp_path), **settings)


def shapes(folder, colour=(0, 0, 0), n=6):
    """Squares of one colour at several places, on nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        pixels = np.zeros((8, 8, 4), np.uint8)
        pixels[i : i + 2, i : i + 2] = (*colour, 255)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return str(folder)


def test_shapes_on_nothing_are_seen(tmp_path):
    got = images(shapes(tmp_path / "black"))
    assert len(torch.cat([got.train_x, got.test_x]).flatten(1).unique(dim=0)) == 6
    assert (got.train_x == 255).any()
    white = shapes(tmp_path / "white", (255, 255, 255))
    with pytest.raises(DataError, match=r"set `background=black`"):
        images(white)
    got = images(white, background="black")
    assert len(torch.cat([got.train_x, got.test_x]).flatten(1).unique(dim=0)) == 6
    assert images(white, background="#204060").train_x.shape[1] == 3
    with pytest.raises(DataError, match="must be a colour"):
        images(white, background="transparent")


@pytest.mark.parametrize("mode", ["LA", "P"])
def test_other_kinds_of_transparency_are_seen(tmp_path, mode):
    shapes(tmp_path)
    for file in tmp_path.glob("*.png"):
        image = Image.open(file)
        if mode == "LA":
            image.convert("LA").save(file)
        else:
            alpha = np.asarray(image)[..., 3]
            flat = Image.fromarray((alpha > 0).astype(np.uint8)).convert("P")
            flat.putpalette([255, 0, 0, 0, 0, 0])
            flat.save(file, transparency=0)
    got = images(str(tmp_path), channels=1)
    assert len(torch.cat([got.train_x, got.test_x]).flatten(1).unique(dim=0)) == 6


@pytest.mark.parametrize(
    ("train", "test"), [("train", "val"), ("Train", "Test"), ("training", "validation")]
)
def test_folders_named_like_splits_are_splits(tmp_path, train, test):
    for i, name in enumerate("ab"):
        draw(tmp_path / train / name / "0.png", i)
        draw(tmp_path / test / name / "1.png", i + 2)
    got = images(str(tmp_path))
    assert got.class_names == ["a", "b"]
    assert len(got.train_x) == len(got.test_x) == 2


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *[("training_set", "test_set"), ("train_images", "val_images"), ("Train", "Dev")],
        *[("train2017", "val2017"), ("X_train", "X_test"), ("01_train", "02_test")],
        *[("trainA", "testA"), ("seg_train", "seg_test"), ("train", "test1")],
    ],
)
def test_splits_may_have_longer_names(tmp_path, train, test):
    for i, split in enumerate((train, train, test)):
        draw(tmp_path / split / "ab"[i % 2] / f"{i}.png", i)
    draw(tmp_path / "__MACOSX" / train / "._0.png")
    got = images(str(tmp_path))
    assert got.class_names == ["a", "b"]
    assert (len(got.train_x), len(got.test_x)) == (2, 1)


def test_a_split_in_a_longer_name_is_said_and_one_alone_is_a_class(tmp_path):
    for i, name in enumerate(("train2017", "val2017")):
        draw(tmp_path / "one" / name / "0.png", i)
    assert "train2017 and val2017 are read as the splits" in " ".join(
        images(str(tmp_path / "one")).notes
    )
    for i, name in enumerate(("steam_train", "tram", "steam_train", "tram")):
        draw(tmp_path / "two" / name / f"{i}.png", i)
    assert images(str(tmp_path / "two")).class_names == ["steam_train", "tram"]


def test_a_third_split_is_left_out_and_said(tmp_path, caplog):
    for split in ("train", "val", "test"):
        draw(tmp_path / split / "a" / "0.png")
    assert images(str(tmp_path)).class_names == ["a"]
    assert "val is left out" in caplog.text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["train/a/0.png"], "named like splits"),
        (["test/0.png", "cat/0.png"], "named like splits"),
        (["train/0.png", "val/0.png", "dog/0.png"], "beside dog"),
        (["train/0.png", "training/0.png", "test/0.png"], "named like splits"),
        (["val/0.png", "valid/0.png"], "named like splits"),
        (["seg_train/0.png", "seg_test/0.png", "seg_pred/0.png"], "beside seg_pred"),
        (["trainA/0.png", "trainB/0.png", "testA/0.png", "testB/0.png"], "named like splits"),
        (["pictures/cat/0.png", "pictures/dog/0.png"], "folders in it"),
        (["pictures/cat/0.png"], "folders in it"),
        (["train/all/cat/0.png", "train/all/dog/0.png", "test/cat/0.png"], "folders in it"),
    ],
)
def test_folders_that_are_not_plainly_classes_are_refused(tmp_path, files, said):
    for i, file in enumerate(files):
        draw(tmp_path / file, i)
    with pytest.raises(DataError, match=said):
        images(str(tmp_path))


def test_a_program_is_no_image_whatever_its_name(tmp_path):
    draw(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(DataError, match=r"1\.png cannot be read"):
        images(str(tmp_path))


def test_an_image_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    draw(tmp_path / "0.png")
    draw(tmp_path / "1.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(DataError, match="pixels are too many"):
        images(str(tmp_path))


def faulty(folder):
    """Nine images, three of which cannot be read."""
    for i in range(9):
        draw(folder / "ab"[i % 2] / f"{i}.png", i)
    (folder / "a" / "0.png").write_bytes(b"")
    (folder / "b" / "3.png").write_bytes(b"no image")
    whole = (folder / "a" / "8.png").read_bytes()
    (folder / "a" / "8.png").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.mark.parametrize("limit", [0, 2**31])
def test_all_images_that_cannot_be_read_are_named_at_once_or_left_out(tmp_path, limit):
    root = faulty(tmp_path)
    with pytest.raises(DataError, match="on_error=skip") as caught:
        images(str(root), in_memory_limit=limit)
    assert all(name in str(caught.value) for name in ("a/0.png", "b/3.png", "a/8.png"))
    got = images(str(root), on_error="skip", in_memory_limit=limit)
    files = [*got.train_about["file"], *got.test_about["file"]]
    assert sorted(files) == [f"{'ab'[i % 2]}/{i}.png" for i in (2, 4, 6, 1, 5, 7)]
    assert len(got.train_x) == len(got.train_about) == len(got.train_y)
    assert sum("left out" in note for note in got.notes) == 1
    classes = [got.class_names[y] for y in torch.cat([got.train_y, got.test_y])]
    assert classes == [file[0] for file in files]


def test_a_camera_held_upright_is_turned(tmp_path):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    for i in range(2):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png", exif=exif)
    got = images(str(tmp_path))
    assert got.train_x[0, 0].tolist() == np.rot90(pixels, -1).tolist()


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_deep_images_keep_their_values(tmp_path, kind):
    rng = np.random.default_rng(0)
    values = (rng.random((4, 5, 6)) * (60000 if kind == np.uint16 else 3)).astype(kind)
    for i, image in enumerate(values):
        Image.fromarray(image).save(tmp_path / f"{i}.tif")
    got = images(str(tmp_path))
    assert got.train_x.dtype == torch.float32
    places = [int(file[0]) for file in got.train_about["file"]]
    expected = values[places] / (65535 if kind == np.uint16 else 1)
    np.testing.assert_allclose(got.train_x[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
def test_sizes_need_not_be_square_and_proportions_can_be_kept(tmp_path, fit):
    for i in range(3):
        pixels = np.zeros((10, 20), np.uint8)
        pixels[:, 8:12] = 200
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    got = images(str(tmp_path), image_size=[12, 8], fit=fit, background="white")
    image = got.train_x[0, 0].float()
    assert image.shape == (12, 8)
    # The bar's share of the width: as it was, as it was within white bands, or of a cut-out.
    width = (image[6] > 100).sum()
    assert {"stretch": width <= 3, "pad": (image[0] == 255).all(), "crop": width >= 4}[fit]


def test_several_frames_and_a_single_class_are_said(tmp_path):
    for i in range(3):
        frames = [Image.fromarray(np.full((4, 4), 50 * i + j, np.uint8)) for j in (0, 9)]
        (tmp_path / "cat").mkdir(exist_ok=True)
        frames[0].save(tmp_path / "cat" / f"{i}.gif", save_all=True, append_images=frames[1:])
    notes = images(str(tmp_path)).notes
    assert any("several frames" in note for note in notes)
    assert any("single folder, cat" in note for note in notes)


def test_sizes_that_differ_are_listed(tmp_path):
    for i, size in enumerate([(5, 4), (5, 4), (9, 7), (3, 8)]):
        draw(tmp_path / f"{i}.png", i, size)
    with pytest.raises(DataError, match=r"image_size.*sizes are .*5x4"):
        images(str(tmp_path))


def test_four_channels_keep_transparency(tmp_path):
    for i in range(3):
        pixels = np.full((4, 4, 4), 10 * i, np.uint8)
        Image.fromarray(pixels, "RGBA").save(tmp_path / f"{i}.png")
    got = images(str(tmp_path), channels=4)
    assert got.train_x.shape[1:] == (4, 4, 4)


def test_what_pictures_lose_is_said(tmp_path):
    for i, mode in enumerate(["L", "RGB", "RGB", "L", "RGB", "L"]):
        draw(tmp_path / f"{i}.png", i, mode=mode)
    assert any(
        "3 of 6 images are in colour and read as grey (`channels`)" in one
        for one in said_of(tmp_path)
    )
    assert not said_of(tmp_path, channels=1)
    assert images(str(tmp_path), channels=3).train_x.shape[1] == 3


def test_transparency_that_is_lost_is_said(tmp_path):
    for i in range(6):
        draw(tmp_path / f"{i}.png", i)
        with Image.open(tmp_path / f"{i}.png") as image:
            seen = image.convert("RGBA")
        if i % 2:
            seen.putpixel((0, 0), (0, 0, 0, 0))
            seen.save(tmp_path / f"{i}.png")
    assert any("3 of 6 images are transparent" in one for one in said_of(tmp_path))
    assert not said_of(tmp_path, channels=4)


def said_of(folder, **settings):
    return images(str(folder), **settings).notes


def test_an_image_size_beyond_memory_is_refused(tmp_path):
    draw(tmp_path / "0.png")
    draw(tmp_path / "1.png")
    with pytest.raises(DataError, match="10,000,000,000 pixels"):
        images(str(tmp_path), image_size=100_000)


def test_the_folder_to_give_is_the_one_that_holds_the_splits(tmp_path):
    for split in ("train", "test"):
        for name in "ab":
            draw(tmp_path / "data" / split / name / "0.png")
    with pytest.raises(DataError, match=f"as {tmp_path / 'data'}$"):
        images(str(tmp_path))


def write_bands(folder, kind, shape, channels="contig", n=4):
    """TIFF files of random channels; returns them as (n, channels, height, width)."""
    tifffile = pytest.importorskip("tifffile")
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    high = 2.0 if np.dtype(kind).kind == "f" else np.iinfo(kind).max
    x = (rng.random((n, *shape)) * high).astype(kind)
    for i, image in enumerate(x):
        given = {"photometric": "minisblack"}
        if channels == "contig":
            image, given["planarconfig"] = image.transpose(1, 2, 0), "contig"
        elif channels == "separate":
            given["planarconfig"] = "separate"
        tifffile.imwrite(folder / f"{i}.tif", image, **given)
    return x


@pytest.mark.parametrize("channels", ["contig", "separate", "pages"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "int16"])
def test_tiff_files_have_any_number_of_channels(tmp_path, kind, channels):
    x = write_bands(tmp_path / "x", kind, (5, 6, 7), channels)
    # Pages are frames, unless it is said that they are channels.
    asked = {"channels": 5} if channels == "pages" else {}
    found = images(str(tmp_path / "x"), test_fraction=0.5, **asked)
    assert found.train_x.shape[1:] == (5, 6, 7)
    scale = 65535 if kind == "uint16" else 1
    rows = [int(file[0]) for file in found.train_about["file"]]
    np.testing.assert_allclose(found.train_x.numpy(), x[rows] / np.float32(scale), rtol=1e-6)


def test_colours_of_16_bits_keep_their_values(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    x = np.random.default_rng(0).integers(0, 65536, (3, 8, 9, 3), dtype=np.uint16)
    for i, image in enumerate(x):
        tifffile.imwrite(tmp_path / f"{i}.TIF", image, photometric="rgb")
    found = images(str(tmp_path), test_fraction=0.34)
    expected = x.transpose(0, 3, 1, 2) / np.float32(65535)
    rows = [int(file[0]) for file in found.train_about["file"]]
    np.testing.assert_allclose(found.train_x.numpy(), expected[rows], rtol=1e-6)


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
def test_channels_are_brought_to_a_size_one_by_one(tmp_path, fit):
    x = write_bands(tmp_path / "x", "float32", (6, 10, 8))
    found = images(str(tmp_path / "x"), image_size=5, fit=fit, test_fraction=0.25)
    for c in range(6):
        alone = tmp_path / f"{c}-{fit}"
        alone.mkdir()
        for i in range(4):
            Image.fromarray(x[i, c]).save(alone / f"{i}.tif")
        one = images(str(alone), image_size=5, fit=fit, test_fraction=0.25)
        torch.testing.assert_close(found.train_x[:, c], one.train_x[:, 0])


@pytest.mark.parametrize(
    ("make", "settings", "said"),
    [
        (lambda x: write_bands(x, "uint8", (5, 6, 7)), {"channels": 3}, "has 5 channels of 8 bits"),
        (lambda x: [draw(x / f"{i}.png") for i in range(3)], {"channels": 5}, "has no 5 channels"),
        (
            lambda x: (write_bands(x, "uint8", (5, 6, 7)), write_bands(x, "uint8", (6, 6, 7), n=1)),
            {},
            "channels of 8 bits, but the first image",
        ),
        (
            lambda x: (write_bands(x, "uint8", (5, 6, 7)), write_bands(x, "uint8", (5, 8, 7), n=1)),
            {},
            "to bring all to one size; sizes are 7x",
        ),
    ],
)
def test_channels_that_do_not_fit_are_refused(tmp_path, make, settings, said):
    (tmp_path / "x").mkdir()
    make(tmp_path / "x")
    with pytest.raises(DataError, match=said):
        images(str(tmp_path / "x"), **settings)


def test_a_damaged_tiff_is_named_and_tifffile_is_asked_for(tmp_path, monkeypatch, caplog):
    write_bands(tmp_path / "x", "uint16", (5, 6, 7))
    whole = (tmp_path / "x" / "2.tif").read_bytes()
    (tmp_path / "x" / "2.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"2\.tif cannot be read"):
        images(str(tmp_path / "x"))
    images(str(tmp_path / "x"), on_error="skip", test_fraction=0.3)
    assert "left out" in caplog.text
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(DataError, match=r'pip install "dcsomrl\[tiff\]"'):
        images(str(tmp_path / "x"))


def test_colours_of_16_bits_in_a_png_are_said_to_be_cut(tmp_path, caplog):
    def chunk(kind, data):
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))  # 4 pixels of 3 times 2 bytes
    for i in range(3):
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 4, 4, 16, 2, 0, 0, 0))
        png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        (tmp_path / f"{i}.png").write_bytes(png)
    images(str(tmp_path))
    assert "3 of 3 images have 16 bits a channel and are read with 8" in caplog.text


@pytest.mark.parametrize(
    ("background", "share"), [("white", 1), ("black", 0), ("#808080", 128 / 255)]
)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_images_of_every_depth_are_padded_with_the_background(tmp_path, background, share, kind):
    full = {np.uint8: 255, np.uint16: 65535}.get(kind, 1)
    for i in range(4):
        pixels = np.random.default_rng(i).random((6, 10))
        pixels[0, :2] = 0, 1  # of floats the least and the greatest tell black and white
        Image.fromarray((pixels * full).astype(kind)).save(tmp_path / f"{i}.tif")
    got = images(str(tmp_path), image_size=[10, 10], fit="pad", background=background)
    x = got.train_x / (255 if kind == np.uint8 else 1)
    border = torch.cat([x[..., :2, :], x[..., -2:, :]], 2)
    assert border.numpy() == pytest.approx(share, abs=1e-3)


def test_whole_numbers_of_32_bits_are_taken_as_they_are(tmp_path):
    pixels = np.random.default_rng(0).integers(-70_000, 70_000, (4, 6, 5)).astype(np.int32)
    for i, one in enumerate(pixels):
        Image.fromarray(one).save(tmp_path / f"{i}.tif")
    got = images(str(tmp_path))
    taken = torch.cat([got.train_x, got.test_x])[:, 0].numpy()
    assert sorted(map(tuple, taken.reshape(4, -1))) == sorted(map(tuple, pixels.reshape(4, -1)))


def test_the_log_says_what_images_are_in_their_files(tmp_path, caplog):
    caplog.set_level("INFO")
    for i in range(6):
        draw(tmp_path / f"{i}.png", i, size=(6, 5) if i else (8, 7), mode="RGB" if i < 4 else "L")
    images(str(tmp_path), image_size=5, channels=3)
    assert re.search(r"RGB 6x5 \(3\), L 6x5 \(2\), RGB 8x7 \(1\), from \d+ to \d+", caplog.text)


def test_sizes_that_differ_are_those_of_turned_images(tmp_path):
    for i, orientation in enumerate((1, 6, 1, 6, 1, 6)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.new("RGB", (24, 16)).save(tmp_path / f"{i}.jpg", exif=exif)
    with pytest.raises(DataError, match=r"jpg is (16x24|24x16), but.*sizes are 16x24, 24x16"):
        images(str(tmp_path))
