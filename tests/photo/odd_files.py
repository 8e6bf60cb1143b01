"""Generators of odd and hostile image files; each returns the bytes of one file."""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

COLOURS = {"red": (220, 20, 30), "green": (20, 200, 40), "blue": (30, 40, 210)}


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pattern(mode="RGB", size=(48, 32)):
    """White with red, green and blue quarters: no two turns or flips of it look alike."""
    width, height = size
    image = Image.new("RGB", size, "white")
    image.paste(COLOURS["red"], (0, 0, width // 2, height // 2))
    image.paste(COLOURS["green"], (width // 2, 0, width, height // 2))
    image.paste(COLOURS["blue"], (0, height // 2, width // 2, height))
    return image.convert(mode)


def palette_with_key():
    """A palette picture in which the colour of the top left corner is transparent."""
    image = pattern().quantize(4)
    return saved(image, "PNG", transparency=image.getpixel((0, 0)))


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def chunk(name, data=b""):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, rows=None, *, depth=8, colour=0, extra=b"", after=b""):
    """A PNG whose header says `width` x `height`, with `rows` as its (unpacked) data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = b"\0" * height * (width * depth // 8 + 1) if rows is None else rows
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + after
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND")


def grey16_with_key():
    return png(4, 4, depth=16, extra=chunk(b"tRNS", b"\0\0"))


def rgb16():
    return png(2, 2, (b"\0" + b"\x9c\x40" * 6) * 2, depth=16, colour=2)


@functools.cache
def bomb_png(side=12_000):
    """About 140 KB that decode to `side` x `side` pixels of black RGB (432 MB for 12,000)."""
    packer = zlib.compressobj(6)
    row = b"\0" * (1 + 3 * side)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND")


def png_with_packed(name, size=80_000_000):
    """A PNG with `size` zero bytes packed into a text (zTXt) or colour profile (iCCP) chunk."""
    return png(4, 4, extra=chunk(name, b"note\0\0" + zlib.compress(b"\0" * size)))


def png_with_bad_checksum(name):
    data = bytearray(saved(pattern(), "PNG"))
    at = data.index(name)
    length = struct.unpack(">I", data[at - 4 : at])[0]
    data[at + 4 + length] ^= 0xFF
    return bytes(data)


def png_with_wild_bits():
    """Bits flipped in the pixels, and a right checksum over them."""
    pixels = zlib.compress(np.random.default_rng(0).bytes(65 * 64))
    pixels = pixels[:200] + bytes(b ^ 0x55 for b in pixels[200:260]) + pixels[260:]
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + body


def animation(kind, first="red"):
    """The second frame changes a few pixels only, which encoders store as a small rectangle."""
    start = Image.new("RGB", (16, 12), COLOURS[first])
    then = start.copy()
    then.paste(COLOURS["green"], (3, 3, 6, 6))
    options = {"lossless": True} if kind == "WEBP" else {}
    return saved(start, kind, save_all=True, append_images=[then], **options)


def gif_with_small_first_frame():
    """Only the middle of the canvas is drawn by the only frame; the rest is transparent."""
    palette = bytes(COLOURS["red"] + COLOURS["blue"])
    screen = b"GIF89a" + struct.pack("<HHBBB", 12, 12, 0x80, 0, 0) + palette
    control = b"!\xf9\x04\x01\0\0\x01\0"
    frame = b"," + struct.pack("<HHHHB", 4, 4, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + control + frame + b";"


def gif_with_long_comment(blocks=30_000):
    """Pillow joins the blocks one by one: twice the length takes four times as long."""
    data = saved(Image.new("P", (4, 4)), "GIF")
    at = data.index(b",", 13 + 3 * 2)
    return data[:at] + b"!\xfe" + (b"\xff" + b"x" * 255) * blocks + b"\0" + data[at:]


def jpeg_with_many_scans(scans=2_000):
    data = saved(Image.new("L", (256, 256), 90), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def directory(entries):
    """A TIFF header and directory of (tag, type, count, value)."""
    packed = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + packed + b"\0\0\0\0"


def greedy_directory(entries=5_000, size=100_000):
    """Every entry claims the same `size` bytes: read one by one they fill 500 MB."""
    data = directory([(1000 + i, 7, size, 8) for i in range(entries)])
    return data + b"\0" * (size + 8 - len(data))


def jpeg_with_greedy_exif():
    data, block = saved(pattern(), "JPEG"), greedy_directory()
    parts = [b"Exif\0\0" + block[i : i + 60_000] for i in range(0, len(block), 60_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(p) + 2) + p for p in parts)
    return data[:2] + segments + data[2:]


def tiff(extra=(), *, size=(4, 4)):
    """An uncompressed grey TIFF of 4 x 4 zeros with more, or other, entries."""
    entries = {256: (3, 1, size[0]), 257: (3, 1, size[1]), 258: (3, 1, 8), 259: (3, 1, 1)}
    entries |= {262: (3, 1, 1), 273: (4, 1, 400), 277: (3, 1, 1), 278: (3, 1, 4), 279: (4, 1, 16)}
    entries |= dict(extra)
    data = directory([(tag, *rest) for tag, rest in sorted(entries.items())])
    return data.ljust(416, b"\0")


def tiff_with_many_strips(strips=2_000_000):
    return tiff({273: (4, strips, 416), 279: (4, strips, 416)}) + b"\0" * 4 * strips


def swapped_profile():
    """An ICC profile in which the columns of red and blue change places."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.index(b"rXYZ", 128), data.index(b"bXYZ", 128)
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return (
        bytes(data)
        .replace(b"s\0R\0G\0B\0", b"t\0e\0s\0t\0")
        .replace(b"\0s\0R\0G\0B", b"\0t\0e\0s\0t")
    )


def ftyp(*brands):
    box = b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands)
    return struct.pack(">I", 4 + len(box)) + box + b"\0" * 64
