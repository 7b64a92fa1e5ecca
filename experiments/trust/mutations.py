"""Changes to the bytes of a file, drawn at random: what disks, copies and enemies do to it."""

import gzip
import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]
HUGE = 10**12


def flip_bytes(data: bytes, draw: random.Random) -> bytes:
    """Other values of a few bytes."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 4, 30))):
        changed[draw.randrange(len(changed))] ^= draw.randrange(1, 256)
    return bytes(changed)


def flip_start(data: bytes, draw: random.Random) -> bytes:
    """Another value of a byte among the first, where headers are."""
    changed = bytearray(data)
    changed[draw.randrange(min(len(changed), 128))] ^= draw.randrange(1, 256)
    return bytes(changed)


def cut(data: bytes, draw: random.Random) -> bytes:
    """The first part alone, as of a copy that was interrupted."""
    return data[: draw.randrange(1, len(data))]


def cut_start(data: bytes, draw: random.Random) -> bytes:
    """The last part alone."""
    return data[draw.randrange(1, len(data)) :]


def splice(data: bytes, draw: random.Random) -> bytes:
    """Random bytes in between."""
    at = draw.randrange(len(data))
    return data[:at] + draw.randbytes(draw.choice((1, 16, 500))) + data[at:]


def duplicate(data: bytes, draw: random.Random) -> bytes:
    """A block twice."""
    first, last = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:last] + data[last:]


def remove(data: bytes, draw: random.Random) -> bytes:
    """A block left out."""
    first, last = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def blank(data: bytes, draw: random.Random) -> bytes:
    """A block of zeros, as after a crash of the system."""
    first, last = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + bytes(last - first) + data[last:]


def empty(data: bytes, draw: random.Random) -> bytes:
    """Nothing at all."""
    return b""


def zeros(data: bytes, draw: random.Random) -> bytes:
    """As many bytes, all zero."""
    return bytes(len(data))


def claim_more(data: bytes, draw: random.Random) -> bytes:
    """A number in it far greater: a count of a header, a size, a value."""
    if data.startswith(b"\x89PNG"):
        return _claim_pixels(data, draw)
    numbers = [one.span() for one in re.finditer(rb"\d+", data[:4096])]
    if numbers and (data.startswith(b"\x93NUMPY") or _is_text(data)):
        first, last = draw.choice(numbers)
        huge = str(draw.choice((HUGE, 2**31, 2**63, 10**30))).encode()
        changed = data[:first] + huge + data[last:]
        # The header of an npy file keeps its length, at the cost of its padding.
        return changed.replace(b" " * (len(huge) - last + first) + b"\n", b"\n", 1)
    width, code = draw.choice(((4, "<I"), (4, ">I"), (8, "<Q"), (8, ">Q")))
    at = draw.randrange(0, max(1, min(len(data), 4096) - width))
    value = draw.choice((HUGE, 2**31 - 1, 2**32 - 1, 2**40)) % 2 ** (8 * width)
    return data[:at] + struct.pack(code, value) + data[at + width :]


def change_value(data: bytes, draw: random.Random) -> bytes:
    """Another value in a text: a number, word or constant; in JSON one of another kind."""
    if not _is_text(data):
        return flip_bytes(data, draw)
    try:
        content = json.loads(data)
    except ValueError:
        words = [one.span() for one in re.finditer(rb"[\w.+-]+", data)]
        first, last = draw.choice(words)
        other = draw.choice((b"nan", b"-1", b"1e400", b"null", b"", b"x" * 5000, b"'", b"[", b"\0"))
        return data[:first] + other + data[last:]
    parent, key = draw.choice(list(_list_places(content)))
    parent[key] = draw.choice((None, -1, 1e400, "x", [], {}, True, HUGE, {"_target_": "os.system"}))
    return json.dumps(content, indent=2).encode()


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def _list_places(node: Any) -> list[tuple[Any, Any]]:
    """Where values stand in content of JSON: containers and their keys."""
    if not isinstance(node, dict | list):
        return []
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
    found = [(node, key) for key in keys]
    return found + [place for key in keys for place in _list_places(node[key])]


def _claim_pixels(data: bytes, draw: random.Random) -> bytes:
    """A PNG whose header has the right sum and other sides."""
    sides = draw.choice(((2**31 - 1, 2**31 - 1), (10**6, 10**6), (30_000, 5_000), (0, 8)))
    header = b"IHDR" + struct.pack(">II", *sides) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


PLAIN: tuple[Mutate, ...] = (
    *(flip_bytes, flip_start, cut, cut_start, splice, duplicate, remove, blank, empty, zeros),
    *(claim_more, claim_more, change_value, change_value),
)


def mutate(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """Change the bytes of a file; of an archive also what is packed in it, with right sums.

    Returns:
        The bytes, and what was done, in words.
    """
    inside = draw.random() < 0.6
    if inside and data.startswith(b"PK"):
        return _mutate_member(data, draw)
    if inside and data.startswith(b"\x1f\x8b"):
        changed, what = mutate(gzip.decompress(data), draw)
        return gzip.compress(changed, mtime=0), f"inside: {what}"
    chosen = draw.choice(PLAIN)
    return chosen(data, draw), chosen.__name__


def _mutate_member(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {one: archive.read(one) for one in archive.infolist()}
    filled = [one for one, content in members.items() if content]
    chosen = draw.choice(filled)
    changed, what = mutate(members[chosen], draw)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for one, content in members.items():
            archive.writestr(one, changed if one is chosen else content)
    return packed.getvalue(), f"{chosen.filename.rpartition('/')[2]}: {what}"
