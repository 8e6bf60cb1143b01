"""The files in a Qt binary resource (``.rcc``), which GCompris keeps its pictures in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_FOLDER, _COMPRESSED = 2, 1


def rcc_files(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents, in the order of the file's own tree.

    Raises:
        ValueError: no Qt resource.
    """
    if blob[:4] != b"qres":
        raise ValueError("not a Qt resource file")
    version, tree, data, names = struct.unpack_from(">4I", blob, 4)
    size = 22 if version >= 2 else 14

    def walk(index: int, parents: str) -> Iterator[tuple[str, bytes]]:
        start = tree + index * size
        name_at, flags = struct.unpack_from(">IH", blob, start)
        (length,) = struct.unpack_from(">H", blob, names + name_at)
        at = names + name_at + 6
        name = parents + (blob[at : at + 2 * length].decode("utf-16-be") if index else "")
        if flags & _FOLDER:
            count, first = struct.unpack_from(">2I", blob, start + 6)
            for child in range(first, first + count):
                yield from walk(child, name + "/" if name else "")
            return
        (offset,) = struct.unpack_from(">I", blob, start + 10)
        (length,) = struct.unpack_from(">I", blob, data + offset)
        content = blob[data + offset + 4 : data + offset + 4 + length]
        yield name, zlib.decompress(content[4:]) if flags & _COMPRESSED else content

    yield from walk(0, "")
