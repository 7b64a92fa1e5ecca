"""No channel and no depth of an image is lost without a word, and none is made up."""

import struct
import zlib

import numpy as np
import PIL
import pytest
from PIL import Image

from dcsomrl.data.images import images
from dcsomrl.errors import DataError

RNG = np.random.default_rng(0)


def write_png16(path, pixels):
    """A PNG of 16 bits a channel of pixels (height, width, channels)."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind, data):
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">2I5B", width, height, 16, kind, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    path.write_bytes(png + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_tiff(path, pixels, meaning, extra=None, **settings):
    """A TIFF of pixels (height, width, channels)."""
    tifffile = pytest.importorskip("tifffile")
    given = {} if extra is None else {"extrasamples": [extra]}
    tifffile.imwrite(path, pixels, photometric=meaning, planarconfig="contig", **given, **settings)


# What the channels mean, how many there are, what the extra one is, and how many are read.
TIFF = [
    ("rgb", 3, None, 3),
    ("rgb", 4, "unspecified", 4),
    ("rgb", 4, "unassalpha", 3),
    ("rgb", 4, "assocalpha", 3),
    ("minisblack", 2, "unspecified", 2),
    ("minisblack", 2, "unassalpha", 1),
    pytest.param(
        *("minisblack", 2, "assocalpha", 1),
        marks=pytest.mark.skipif(
            int(PIL.__version__.split(".")[0]) < 13, reason="Pillow reads such files from 13 on"
        ),
    ),
    ("minisblack", 3, None, 3),
    ("minisblack", 4, None, 4),
    ("miniswhite", 2, "unspecified", 2),
]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("meaning", "samples", "extra", "channels"), TIFF)
def test_channels_of_a_tiff_are_kept_unless_they_are_transparency(
    tmp_path, meaning, samples, extra, channels, big
):
    x = RNG.integers(0, 256, (4, 6, 7, samples)).astype(np.uint8)
    if samples > channels:
        x[..., -1] = 255
    for i, image in enumerate(x):
        write_tiff(tmp_path / f"{i}.tif", image, meaning, extra, bigtiff=big)
    got = images(str(tmp_path), test_fraction=0.25)
    assert got.train_x.shape == (3, channels, 6, 7)
    rows = [int(file[0]) for file in got.train_about["file"]]
    expected = x[rows][..., :channels].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(got.train_x.numpy(), expected)
    assert not got.notes


KINDS = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64"


@pytest.mark.parametrize("kind", KINDS.split())
def test_one_channel_of_any_kind_of_number_is_read_as_it_is(tmp_path, kind):
    x = RNG.integers(0, 2 if kind == "bool" else 100, (4, 6, 7))
    x = x - 50 if kind.startswith(("int", "float")) else x
    x = (x * (4_000_000_000 // 100) if kind in ("uint32", "uint64") else x).astype(kind)
    for i, image in enumerate(x):
        write_tiff(tmp_path / f"{i}.tif", image, "minisblack")
    got = images(str(tmp_path), test_fraction=0.25)
    rows = [int(file[0]) for file in got.train_about["file"]]
    full = {"bool": 1 / 255, "uint16": 65535}.get(kind, 1)  # of bytes that stay bytes
    np.testing.assert_allclose(got.train_x[:, 0].numpy(), x[rows] / full, rtol=1e-6)
    assert not got.notes


def test_an_image_with_more_channels_than_the_first_is_refused(tmp_path):
    x = RNG.integers(0, 256, (6, 7, 4)).astype(np.uint8)
    for i in range(3):
        write_tiff(tmp_path / f"{i}.tif", x[..., :3], "rgb")
    write_tiff(tmp_path / "3.tif", x, "rgb", "unspecified")
    with pytest.raises(DataError, match=r"3\.tif has channels that are read by themselves"):
        images(str(tmp_path))


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("colours", [1, 3])
def test_only_what_is_transparent_is_called_so(tmp_path, opaque, depth, colours):
    for i in range(4):
        top = 2**depth - 1
        pixels = RNG.integers(0, top, (6, 7, colours + 1))
        pixels[..., -1] = top
        if not opaque:
            pixels[0, 0, -1] = 0
        if depth == 16:
            write_png16(tmp_path / f"{i}.png", pixels)
        else:
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{i}.png")
    got = images(str(tmp_path))
    assert any("are transparent" in one for one in got.notes) == (not opaque)
    assert any("have 16 bits a channel and are read" in one for one in got.notes) == (depth == 16)
    # Grey before a white background is grey.
    assert got.train_x.shape[1] == (colours if opaque or colours == 1 else 3)


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "PA"])
def test_opaque_images_of_other_kinds_are_not_called_transparent(tmp_path, mode):
    for i in range(4):
        image = Image.fromarray(RNG.integers(0, 256, (6, 7, 3)).astype(np.uint8)).convert("L")
        suffix = "tif" if mode == "PA" else "png"
        image.convert(mode).save(tmp_path / f"{i}.{suffix}")
    assert not any("transparent" in one for one in images(str(tmp_path)).notes)


@pytest.mark.parametrize(("greatest", "said"), [(255, False), (4095, True), (65535, True)])
@pytest.mark.parametrize("plain", [False, True])
def test_colours_of_a_ppm_file_that_are_cut_are_said(tmp_path, greatest, said, plain):
    for i in range(4):
        pixels = RNG.integers(0, greatest + 1, (4, 5, 3))
        head = f"P{3 if plain else 6}\n5 4\n{greatest}\n".encode()
        raw = pixels.astype(">u2" if greatest > 255 else "u1").tobytes()
        words = " ".join(map(str, pixels.ravel())).encode()
        (tmp_path / f"{i}.ppm").write_bytes(head + (words if plain else raw))
    notes = images(str(tmp_path)).notes
    assert any("have 16 bits a channel and are read with 8" in one for one in notes) == said


def test_grey_of_16_bits_with_transparency_is_one_channel(tmp_path):
    grey = RNG.integers(0, 65536, (4, 6, 7, 1))
    for i, pixels in enumerate(grey):
        write_png16(tmp_path / f"{i}.png", np.dstack([pixels, np.full_like(pixels, 65535)]))
    got = images(str(tmp_path), test_fraction=0.25)
    rows = [int(file[0]) for file in got.train_about["file"]]
    expected = (grey[rows] >> 8).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(got.train_x.numpy(), expected)
