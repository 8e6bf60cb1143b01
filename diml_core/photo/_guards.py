"""What keeps a hostile file from filling the memory or taking hours before a picture is even decoded."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import struct
from collections.abc import Iterator
from typing import Any

# A small file can keep a parser busy for hours or fill the memory; real files stay far below.
_MAX_SCANS = 64  # of a progressive JPEG; cameras and encoders write about ten
_MAX_PIECES = 10_000  # read before the picture starts
MAX_READS = 2_500_000  # while decoding
_MAX_STRIPS = 200_000  # of a TIFF
_UNIT_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8)  # of the TIFF types 0 to 16


class Pieces(io.BytesIO):
    """Bytes that count how often they are read: Pillow's parsers loop over pieces in Python."""

    reads_left = _MAX_PIECES

    def read(self, *args: Any) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise RuntimeError("too many pieces")
        return super().read(*args)


def is_hostile(kind: str, data: bytes) -> bool:
    """Whether opening (not even decoding) this file could take all the memory or time."""
    blocks: list[bytes | memoryview] = [data] if kind == "TIFF" else []
    if kind == "JPEG":
        scans, exif = _walk_jpeg(data)
        if scans > _MAX_SCANS:
            return True
        blocks = [exif]
    if kind == "AVIF":  # metadata lies anywhere; what looks like it by chance points nowhere
        hits = itertools.islice(re.finditer(rb"II\*\0|MM\0\*", data), 17)
        blocks = [memoryview(data)[hit.start() :] for hit in hits]
    return len(blocks) > 16 or any(_amplifies(block) for block in blocks)


def _walk_jpeg(data: bytes) -> tuple[float, bytes]:
    """Number of scans (each costs a pass over all pixels) and the EXIF block of a JPEG."""
    marker = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")  # coded pixels have none: FF is stuffed there
    position, scans, exif = 2, 0, b""
    for _ in range(_MAX_PIECES):
        hit = marker.search(data, position)
        if hit is None or hit[0] == b"\xff\xd9":
            return scans, exif
        position = hit.end() + int.from_bytes(data[hit.end() : hit.end() + 2], "big")
        scans += hit[0] == b"\xff\xda"
        if hit[0] == b"\xff\xe1" and data.startswith(b"Exif\0\0", hit.end() + 2):
            exif += data[hit.end() + 8 : position]
    return float("inf"), b""


def _entries(tiff: bytes | memoryview, start: int | None = None) -> Iterator[tuple[int, ...]]:
    """(tag, type, count, value or offset) of a directory of a TIFF file or EXIF block."""
    order = "<" if tiff[:2] == b"II" else ">"
    with contextlib.suppress(struct.error):  # ends early
        if start is None:
            (start,) = struct.unpack_from(order + "L", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for i in range(count):
            yield struct.unpack_from(order + "HHLL", tiff, start + 2 + 12 * i)


def _amplifies(tiff: bytes | memoryview) -> bool:
    """Whether reading the metadata makes far more of it than there is.

    Pillow copies what each entry points to; thousands of entries may point to the same megabytes.
    """
    budget = 4 * len(tiff) + (1 << 20)
    starts: list[int | None] = [None]
    for start in starts:
        for tag, kind, count, value in _entries(tiff, start):
            budget -= count * (_UNIT_BYTES[kind] if kind < len(_UNIT_BYTES) else 0)
            if tag in (34665, 34853, 40965) and len(starts) < 4:  # directories that Pillow follows
                starts.append(value)
            # Tags below 700 are numbers, each a Python object once read: above all the strips.
            if budget < 0 or (tag < 700 and count > _MAX_STRIPS):
                return True
    return False


def exif_orientation(exif: object) -> int:
    """The orientation (1 to 8) that an EXIF block asks for; 1 without one.

    Read here and not by Pillow, which would read all the rest of the block, too.
    """
    if not isinstance(exif, bytes):
        return 1  # a TIFF, too, has none here: Pillow turns those while decoding
    exif = exif.removeprefix(b"Exif\0\0")
    shift = 0 if exif[:2] == b"II" else 16  # a 16-bit value lies in the first half of its field
    return next((v >> shift & 0xFFFF for tag, _, _, v in _entries(exif) if tag == 0x0112), 1)
