"""Whether a TIFF file holds channels that Pillow does not read, or reads with a loss."""

from pathlib import Path

from PIL.TiffImagePlugin import ImageFileDirectory_v2

TIFF_SUFFIXES = (".tif", ".tiff")
BITS, PHOTOMETRIC, SAMPLES, EXTRA, FORMAT = 258, 262, 277, 338, 339  # tags of a TIFF file
# Kinds of numbers in FORMAT, and of how many bits Pillow reads each of one channel without a loss.
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
READ_WHOLE = {UNSIGNED: (1, 2, 4, 8, 12, 16), SIGNED: (16, 32), FLOATING: (32,)}
# How many channels colours have by what they mean: white is 0, black is 0, red, green and blue.
COLOURS = {0: 1, 1: 1, 2: 3}
# What an extra channel is that is transparency, of premultiplied colours or of others.
TRANSPARENCY = (1, 2)
BIG = 43  # the version of a TIFF file with offsets of 64 bits


def has_bands(file: Path, channels: int | None = None) -> bool:
    """Whether an image is a TIFF that Pillow would refuse, or read with a loss.

    Args:
        file: any file.
        channels: what is asked for; what is neither grey, colour nor colour and transparency must
            be there as it is.
    """
    if file.suffix.lower() not in TIFF_SUFFIXES:
        return False
    if channels not in (None, 1, 3, 4):
        return True
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
            tags = ImageFileDirectory_v2(start if BIG in start[2:4] else start[:8])
            opened.seek(tags.next)
            tags.load(opened)
        samples, bits = tags.get(SAMPLES, 1), tags.get(BITS, (1,))
        extra, meaning = tags.get(EXTRA, ()), tags.get(PHOTOMETRIC)
        kind = tags.get(FORMAT, (UNSIGNED,))[0]
    except Exception:  # damaged in any way: whoever reads the image says how
        return False
    if max(bits) not in READ_WHOLE.get(kind, ()) or (samples > 1 and max(bits) > 8):
        return True
    if meaning not in COLOURS:
        return samples not in (1, 3, 4)
    # Old writers of colours with transparency do not say that it is that.
    transparent = extra[0] in TRANSPARENCY if extra else meaning == 2
    return samples - COLOURS[meaning] not in ((0, 1) if transparent else (0,))
