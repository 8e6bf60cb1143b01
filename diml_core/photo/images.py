"""Open any picture a user may hand us: the one place where image files are read.

Files come from strangers, so the order is fixed: weigh the bytes, recognise the format, read the
header, judge it, and only then decode. Every refusal is one sentence with the remedy in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from PIL import BmpImagePlugin as Bmp
from PIL import GifImagePlugin as Gif
from PIL import Image, features
from PIL import JpegImagePlugin as Jpeg
from PIL import PngImagePlugin as Png
from PIL import PpmImagePlugin as Ppm
from PIL import TiffImagePlugin as Tiff
from PIL import WebPImagePlugin as WebP

from diml_core.errors import InputError
from diml_core.photo._colours import flatten, to_bytes, to_srgb
from diml_core.photo._guards import MAX_READS, Pieces, exif_orientation, is_hostile

_Avif: Any = None
with contextlib.suppress(ImportError):  # Pillow before 11.3
    from PIL.AvifImagePlugin import AvifImageFile as _Avif

# The allow-list. The readers are called directly, for `Image.open(formats=...)` warns or raises by
# the process-wide MAX_IMAGE_PIXELS, which no thread can silence for itself. An MPO is read as the
# JPEG it begins with. Formats that run other programs (EPS, WMF) or hold pictures of another size
# than they announce (ICO, ICNS, PSD) stay out.
_READERS: dict[bytes, tuple[str, Any]] = {
    rb"\xff\xd8\xff": ("JPEG", Jpeg.JpegImageFile),
    rb"\x89PNG\r\n\x1a\n": ("PNG", Png.PngImageFile),
    rb"GIF8[79]a": ("GIF", Gif.GifImageFile),
    rb"RIFF....WEBP": ("WEBP", WebP.WebPImageFile),
    rb"....ftyp(?:....){0,16}?avi[fs]": ("AVIF", _Avif),
    rb"II\*\0|MM\0\*": ("TIFF", Tiff.TiffImageFile),
    rb"BM": ("BMP", Bmp.BmpImageFile),
    rb"P[1-6fF]\s": ("PPM", Ppm.PpmImageFile),
}
_OTHERS = {  # what people hand in instead, and the remedy that fits it; the last fits everything
    rb"....ftyp(?:....){0,16}?(?:hei[cfmsx]|hev[cmsx]|mif1|msf1)": (
        "a HEIC photo",
        "convert it to JPEG",
    ),
    rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ": (
        "a video or camera raw file",
        "save one picture as JPEG",
    ),
    rb"%PDF": ("a PDF", "export the page as PNG"),
    rb"PK\x03\x04": ("a zip archive", "take the image out of it"),
    rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|!--|svg|!DOCTYPE svg)": ("an SVG drawing", "export it as PNG"),
    rb"(?i:\s*<(?:!doctype )?html)": ("a web page", "save the picture on it as PNG"),
    rb"": ("of an unknown kind", "open it in an image program and save it as JPEG or PNG"),
}

_ADDRESS = re.compile(r"data:|[a-zA-Z][\w+.-]+://")
_FLIP = Image.Transpose  # by EXIF orientation: what makes the picture upright
_UPRIGHT = dict(enumerate((_FLIP.FLIP_LEFT_RIGHT, _FLIP.ROTATE_180, _FLIP.FLIP_TOP_BOTTOM), 2))
_UPRIGHT |= {5: _FLIP.TRANSPOSE, 6: _FLIP.ROTATE_270, 7: _FLIP.TRANSVERSE, 8: _FLIP.ROTATE_90}

# For decoders that Pillow has in Python only: a small file could keep them busy for hours.
_MAX_SLOW_PIXELS = 1_000_000


class ImageError(InputError):
    """A picture cannot be used; the sentence names it, says why, and what to do instead."""


@dataclass(frozen=True)
class ImageLimits:
    """What is accepted (bytes of a file, width x height) and kept (longest side in pixels)."""

    max_bytes: int = 64 << 20
    max_pixels: int = 64_000_000
    working_side: int = 2048


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture ready for use.

    Attributes:
        image: mode RGB, upright, longest side at most ``ImageLimits.working_side`` pixels, no metadata.
        name: one printable line of at most 80 characters, for messages and tables (not HTML-escaped).
        size: (width, height) of the upright original in pixels.
        digest: SHA-256 (hex) of the size and pixels of ``image``: equal pixels have equal digests,
            whatever the file format, metadata or name.
    """

    image: Image.Image
    name: str
    size: tuple[int, int]
    digest: str


def load_photo(
    source: Any, *, name: str | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Photo:
    """Open a picture as an upright RGB :class:`Photo`.

    Of animations and multi-page files the first picture is taken, transparency is laid on white, colours
    are converted to sRGB.

    Args:
        source: a path, the bytes of a file, a binary file object (read from its beginning), a PIL
            image (not changed, only loaded), a :class:`Photo` (returned as it is), or an array of shape
            (H, W), (H, W, 1), (H, W, 3) or (H, W, 4): uint8 in 0..255, uint16 in 0..65535, bool, or
            float in 0..1.
        name: what messages call the picture; by default the file's base name.
        limits: how much is read.

    Raises:
        ImageError: one sentence with the remedy, whenever there is no such picture.
    """
    if isinstance(source, Photo):
        return source
    is_path = isinstance(source, (str, os.PathLike))
    if source is None or (is_path and not os.fspath(source)):
        where = f" as '{clean_name(name)}'" if name else ""
        raise ImageError(f"No image was given{where}: choose one, such as a JPEG or PNG file.")
    if name is None:
        path = source if is_path else getattr(source, "filename", getattr(source, "name", ""))
        path = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        name = (not _ADDRESS.match(path) and os.path.basename(path)) or path or "image"
    name = clean_name(name)

    if isinstance(source, Image.Image):
        image = source
        kinds = {kind for kind, _ in _READERS.values()} | {"MPO"}
        if getattr(image, "tile", None) and image.format not in kinds:  # decoding is still due
            _refuse(name, f"is a {image.format} file, which we do not decode: save it as PNG")
    elif isinstance(source, np.ndarray):
        image = _from_array(source, name, limits)
    elif is_path:
        image = _open(_read_path(os.fsdecode(source), name, limits), name, limits)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        image = _open(bytes(source), name, limits)
    elif hasattr(source, "read"):
        image = _open(_read_object(source, name, limits), name, limits)
    else:
        kind = clean_name(type(source).__name__)
        _refuse(name, f"is a Python {kind}: give a path, bytes, a PIL image or a NumPy array")
    _check_size(image.size, name, limits)
    image, size = _decode(image, name, limits, is_ours=image is not source)
    digest = hashlib.sha256(b"%d %d " % image.size + image.tobytes()).hexdigest()
    return Photo(image, name, size, digest)


def looks_like_photo(start: bytes) -> bool:
    """Whether a file is of a kind that :func:`load_photo` reads: its first 256 bytes tell, also why it is not."""
    return any(
        reader and re.match(mark, start[:256], re.DOTALL) for mark, (_, reader) in _READERS.items()
    )


def clean_name(text: object, width: int = 80) -> str:
    """`text` as one line of printable characters; beyond `width` its middle is left out."""
    text = str(text)
    if len(text) > 4 * width:  # a data: URL given as a name can be megabytes long
        text = text[:width] + text[-width:]
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    tail = width // 4  # has the file extension
    return text if len(text) <= width else f"{text[: width - tail - 1]}…{text[-tail:]}"


def _refuse(name: str, what: str) -> NoReturn:
    raise ImageError(f"'{name}' {what}.") from None


def _damaged(name: str) -> NoReturn:
    _refuse(name, "is damaged or cut short: get a fresh copy, or save it again as JPEG or PNG")


def _check_size(size: tuple[int, int], name: str, limits: ImageLimits) -> None:
    if min(size) < 1:
        _refuse(name, f"has no pixels ({size[0]} × {size[1]}): choose another image")
    if size[0] * size[1] > limits.max_pixels:
        most = f"more than the {limits.max_pixels:,} pixels accepted: scale it down first"
        _refuse(name, f"is {size[0]} × {size[1]} pixels large, {most}")


def _check_bytes(count: int, name: str, limits: ImageLimits) -> None:
    if count == 0:
        _refuse(name, "is empty (0 bytes): get a fresh copy or choose another image")
    if count > limits.max_bytes:
        most = f"{limits.max_bytes / 2**20:.3g} MiB"
        _refuse(name, f"is larger than {most}: scale it down or save it as JPEG first")


def _read_path(path: str, name: str, limits: ImageLimits) -> bytes:
    if _ADDRESS.match(path):
        _refuse(name, "is a web address, not a file: download the image first and give the file")
    try:
        info = os.stat(path)
        # Before opening: opening a pipe waits for its other end, and a device may never end.
        if stat.S_ISDIR(info.st_mode):
            _refuse(name, "is a folder: choose one image file in it")
        if not stat.S_ISREG(info.st_mode):
            _refuse(name, "is a pipe or a device, not a file: save the image to a file first")
        _check_bytes(info.st_size, name, limits)
        with open(path, "rb") as file:
            return file.read(limits.max_bytes + 1)
    except PermissionError:
        _refuse(name, "may not be read: allow reading it, or choose another image")
    except (FileNotFoundError, NotADirectoryError):
        _refuse(name, "does not exist: check the folder and the spelling of the name")
    except ImageError:
        raise
    except (OSError, ValueError):  # such as a name too long for any file, or with a NUL in it
        _refuse(name, "cannot be opened under this name: check the name, or choose another image")


def _read_object(file: Any, name: str, limits: ImageLimits) -> bytes:
    data = None
    with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or not for reading
        if not hasattr(file, "seekable") or file.seekable():
            file.seek(0)
        data = file.read(limits.max_bytes + 1)
    if not isinstance(data, bytes):
        _refuse(name, "gives no bytes: open the file in binary mode ('rb') and keep it open")
    return data


def _open(data: bytes, name: str, limits: ImageLimits) -> Image.Image:
    """The picture with its header read, but not decoded yet; its size is still to be judged."""
    _check_bytes(len(data), name, limits)
    match = (v for m, v in (_READERS | _OTHERS).items() if re.match(m, data[:256], re.DOTALL))
    kind, reader = next(match)
    if isinstance(reader, str):
        known = "JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP or PPM"
        _refuse(name, f"is {kind}, not an image we can read ({known}): {reader}")
    if kind in ("AVIF", "WEBP") and not (reader and features.check(kind.lower())):
        _refuse(name, f"is {kind}, which this installation cannot read: save it as JPEG or PNG")
    if is_hostile(kind, data):
        _refuse(name, "is put together as no camera does it: save it again as JPEG or PNG")
    stream = Pieces(data)
    try:
        image = reader(stream)
        stream.reads_left = MAX_READS
        is_slow = {tile[0] for tile in image.tile} & {"bmp_rle", "ppm", "ppm_plain"}
        if is_slow and image.width * image.height > _MAX_SLOW_PIXELS:
            _refuse(name, f"is a large {kind} of a kind that is slow to read: save it as PNG")
        if kind == "TIFF":
            tags = image.tag_v2
            if tags.get(254) == 1 or 50706 in tags or data[8:10] == b"CR":
                _refuse(name, "is a camera raw file that holds a preview only: export it as JPEG")
            # A tile is decoded whole, however small the picture in it is.
            _check_size((tags.get(322, 1), tags.get(323, 1)), name, limits)
        if kind == "PNG":  # decoding skips the checksums of the pixels
            check = Pieces(data)
            check.reads_left = MAX_READS
            reader(check).verify()
    except ImageError:
        raise
    except Exception:  # a parser of hostile bytes may raise anything
        _damaged(name)
    return image


def _decode(
    image: Image.Image, name: str, limits: ImageLimits, is_ours: bool
) -> tuple[Image.Image, tuple[int, int]]:
    """The upright RGB working image and the (width, height) of the upright original."""
    size, side = image.size, limits.working_side
    try:
        bits = getattr(image, "tag_v2", {}).get(258)
        if is_ours and image.format == "JPEG":  # its decoder can halve, which spares most work
            image.draft(None, _fit(size, side))
        is_drafted = image.size != size
        image.load()
        size = size if is_drafted else image.size  # a TIFF may have been turned by Pillow
        orientation, profile = (
            exif_orientation(image.info.get("exif")),
            image.info.get("icc_profile"),
        )
        image = flatten(_eight_bit(image, name, top=4095 if bits == (12,) else 65535))
        if max(image.size) > side:
            image = image.resize(_fit(image.size, side), Image.Resampling.LANCZOS, reducing_gap=3)
        image = to_srgb(image, profile)
        if orientation in _UPRIGHT:
            image = image.transpose(_UPRIGHT[orientation])
    except ImageError:
        raise
    except Exception:  # a decoder of hostile bytes may raise anything
        _damaged(name)
    image.info = {}  # such as the place where it was taken
    return image, size[::-1] if orientation in (5, 6, 7, 8) else size


def _fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _eight_bit(image: Image.Image, name: str, top: float) -> Image.Image:
    """Deep greys (16-bit, 32-bit integer, float) as L; integers have their white at `top`."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    low, high = values.min(), values.max()
    if image.mode == "F":  # scientific files have white at 1, Pillow's own conversions at 255
        top = 1 if high <= 1 else 255
    if not (low >= 0 and high <= top):  # NaN, too
        _refuse(name, f"has brightness {low} to {high}, not 0 to {top}: save it as 8-bit PNG")
    grey = Image.fromarray(to_bytes(values, top))
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey.putalpha(Image.fromarray(to_bytes(values != key, 1)))
    return grey


def _from_array(values: np.ndarray, name: str, limits: ImageLimits) -> Image.Image:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 and (values.ndim != 3 or values.shape[2] not in (3, 4)):
        _refuse(name, f"is an array of shape {values.shape}: give (H, W), (H, W, 3) or (H, W, 4)")
    _check_size(values.shape[1::-1], name, limits)
    if values.dtype == bool:
        values = to_bytes(values, 1)
    elif values.dtype == np.uint16:
        values = to_bytes(values, 65535)
    elif values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if not np.isfinite(low + high):
            _refuse(name, "is an array with NaN or infinite values: replace them first")
        if low < -1e-4 or high > 1 + 1e-4:  # the caller's rounding errors are forgiven
            what = f"is a float array with values {low:.4g} to {high:.4g}, not 0 to 1"
            _refuse(name, f"{what}: divide values up to 255 by 255, or convert them to uint8")
        values = to_bytes(np.clip(values, 0, 1), 1)
    elif values.dtype != np.uint8:
        _refuse(name, f"is an array of {values.dtype}: convert it to uint8 with values 0 to 255")
    return Image.fromarray(np.ascontiguousarray(values))
