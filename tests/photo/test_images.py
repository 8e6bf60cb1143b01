import hashlib
import io
import os
import signal
import socket
import warnings

import numpy as np
import odd_files as odd
import pytest
from PIL import Image, ImageFile, features

from diml_core.errors import InputError
from diml_core.photo import images
from diml_core.photo.images import ImageError, ImageLimits, Photo, clean_name, load_photo

RED, GREEN, BLUE, WHITE = *odd.COLOURS.values(), (255, 255, 255)
PATTERN = (RED, GREEN, BLUE, WHITE)  # corners: top left, top right, bottom left, bottom right
SECONDS = 5


@pytest.fixture(autouse=True)
def _no_hang():
    """Fail, rather than wait, where the platform has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_):
        pytest.fail(f"took more than {SECONDS} s")  # no Exception, which load_photo would answer

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def corners(image):
    right, bottom = image.width - 1, image.height - 1
    return [image.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))]


def assert_refused(source, *words, name=None, shown=None, limits=images.DEFAULT_LIMITS):
    with pytest.raises(ImageError) as caught:
        load_photo(source, name=name, limits=limits)
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    assert sentence.isprintable()
    assert sentence.endswith(".")
    assert ": " in sentence, "no remedy"
    for word in (shown or name or os.path.basename(source), *words):
        assert word in sentence


def file(kind, image, **options):
    return lambda: odd.saved(image, kind, **options)


def grey(value):
    return [(value,) * 3] * 4


needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")

RGB, CMYK, LAB = odd.pattern(), odd.pattern("CMYK"), Image.new("LAB", (8, 8), (255, 128, 128))
HALF_RED, PALE_GREY = Image.new("RGBA", (8, 8), (255, 0, 0, 128)), Image.new("LA", (8, 8), (0, 51))
PINK = [(255, 127, 127)] * 4
GREY_16 = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
GREY_FLOAT = Image.fromarray(np.full((8, 8), 0.5, np.float32))
WIDE, HIGH = Image.new("RGB", (20_000, 1), RED), Image.new("RGB", (1, 20_000), RED)
SWAPPED = [colour[::-1] for colour in PATTERN]

GOOD = {  # name: (bytes, size, corners, tolerance)
    "rgb.png": (file("PNG", RGB), (48, 32), PATTERN, 0),
    "photo.jpg": (file("JPEG", RGB, quality=95), (48, 32), PATTERN, 4),
    "progressive.jpg": (file("JPEG", RGB, quality=95, progressive=True), (48, 32), PATTERN, 4),
    "photo.webp": (file("WEBP", RGB, lossless=True), (48, 32), PATTERN, 0),
    "photo.bmp": (file("BMP", RGB), (48, 32), PATTERN, 0),
    "photo.ppm": (file("PPM", RGB), (48, 32), PATTERN, 0),
    "photo.gif": (file("GIF", RGB), (48, 32), PATTERN, 2),
    "photo.tif": (file("TIFF", RGB), (48, 32), PATTERN, 0),
    "lzw.tif": (file("TIFF", RGB, compression="tiff_lzw"), (48, 32), PATTERN, 0),
    "photo.avif": pytest.param(
        file("AVIF", RGB, quality=95), (48, 32), PATTERN, 6, marks=needs_avif
    ),
    "png inside.jpg": (file("PNG", RGB), (48, 32), PATTERN, 0),
    "no extension": (file("JPEG", RGB, quality=95), (48, 32), PATTERN, 4),
    "schöne 图\nzwei <b>.png": (file("PNG", RGB), (48, 32), PATTERN, 0),
    "palette.png": (file("PNG", odd.pattern().quantize(4)), (48, 32), PATTERN, 2),
    "cmyk.jpg": (file("JPEG", CMYK, quality=95), (48, 32), PATTERN, 6),
    "cmyk.tif": (file("TIFF", CMYK), (48, 32), PATTERN, 1),
    "lab.tif": (file("TIFF", LAB), (8, 8), grey(255), 1),
    "grey.png": (file("PNG", Image.new("L", (8, 8), 77)), (8, 8), grey(77), 0),
    "bits.png": (file("PNG", Image.new("1", (8, 8), 1)), (8, 8), grey(255), 0),
    "grey16.png": (file("PNG", GREY_16), (8, 8), grey(156), 0),
    "grey16.tif": (file("TIFF", GREY_16), (8, 8), grey(156), 0),
    "grey16.pgm": (file("PPM", GREY_16.convert("I")), (8, 8), grey(156), 0),
    "grey16 key.png": (odd.grey16_with_key, (4, 4), grey(255), 0),
    "rgb16.png": (odd.rgb16, (2, 2), grey(156), 0),
    "float.tif": (file("TIFF", GREY_FLOAT), (8, 8), grey(128), 0),
    "alpha.png": (file("PNG", HALF_RED), (8, 8), PINK, 1),
    "alpha.webp": (file("WEBP", HALF_RED, lossless=True), (8, 8), PINK, 1),
    "grey alpha.png": (file("PNG", PALE_GREY), (8, 8), grey(204), 1),
    "palette key.png": (odd.palette_with_key, (48, 32), (WHITE, GREEN, BLUE, WHITE), 2),
    "rgb key.png": (
        file("PNG", RGB, transparency=RED),
        (48, 32),
        (WHITE, GREEN, BLUE, WHITE),
        0,
    ),
    "animated.gif": (lambda: odd.animation("GIF"), (16, 12), [RED] * 4, 1),
    "animated.webp": (lambda: odd.animation("WEBP"), (16, 12), [RED] * 4, 1),
    "animated.png": (lambda: odd.animation("PNG"), (16, 12), [RED] * 4, 0),
    "pages.tif": (lambda: odd.animation("TIFF"), (16, 12), [RED] * 4, 0),
    "pictures.mpo": (lambda: odd.animation("MPO"), (16, 12), [RED] * 4, 3),
    "small frame.gif": (odd.gif_with_small_first_frame, (12, 12), [WHITE] * 4, 0),
    "swapped.png": (file("PNG", RGB, icc_profile=odd.swapped_profile()), (48, 32), SWAPPED, 1),
    "broken profile.png": (file("PNG", RGB, icc_profile=b"none" * 99), (48, 32), PATTERN, 0),
    "1x1.png": (file("PNG", Image.new("RGB", (1, 1), RED)), (1, 1), [RED] * 4, 0),
    "wide.png": (file("PNG", WIDE), (20_000, 1), [RED] * 4, 0),
    "high.jpg": (file("JPEG", HIGH, quality=95), (1, 20_000), [RED] * 4, 3),
    "tiny.tif": (odd.tiff, (4, 4), grey(0), 0),
}


def rows(table):
    found = []
    for name, row in table.items():
        values, marks = (row.values, row.marks) if hasattr(row, "marks") else (row, ())
        found.append(pytest.param(name, *values, marks=marks, id=clean_name(name)))
    return found


@pytest.mark.parametrize(("name", "make", "size", "expected", "tolerance"), rows(GOOD))
def test_good_file(tmp_path, name, make, size, expected, tolerance):
    path = tmp_path / name
    path.write_bytes(make())
    photo = load_photo(path)
    assert photo.image.mode == "RGB"
    assert photo.size == size
    assert max(photo.image.size) == min(2048, max(size))
    assert min(photo.image.size) >= 1
    assert photo.image.info == {}
    assert photo.name == clean_name(name)
    np.testing.assert_allclose(corners(photo.image), expected, atol=tolerance)


TURNED = {1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB"}


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind, orientation):
    data = odd.saved(odd.pattern(), kind, exif=odd.exif(orientation), quality=95)
    photo = load_photo(data)
    assert photo.size == photo.image.size == ((48, 32) if orientation < 5 else (32, 48))
    expected = [PATTERN["RGBW".index(c)] for c in TURNED[orientation]]
    np.testing.assert_allclose(corners(photo.image), expected, atol=8)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_large_photo_is_scaled_down_and_keeps_its_size(kind, orientation):
    large = odd.pattern(size=(1000, 600))
    data = odd.saved(large, kind, exif=odd.exif(orientation))
    photo = load_photo(data, limits=ImageLimits(working_side=200))
    assert photo.size == ((1000, 600) if orientation == 1 else (600, 1000))
    assert photo.image.size == ((200, 120) if orientation == 1 else (120, 200))
    expected = PATTERN if orientation == 1 else (BLUE, RED, WHITE, GREEN)
    np.testing.assert_allclose(corners(photo.image), expected, atol=8)


def truncated(kind, part=0.6, **options):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = odd.saved(Image.fromarray(noise), kind, **options)
    return data[: int(len(data) * part)]


BAD = {  # name: (bytes, words of the sentence)
    "empty.png": (lambda: b"", "empty", "fresh copy"),
    "bomb.png": (odd.bomb_png, "12000 × 12000", "scale it down"),
    "warned bomb.png": (lambda: odd.png(10_000, 10_000, b""), "10000 × 10000", "scale it down"),
    "huge header.png": (lambda: odd.png(2**31 - 1, 2**31 - 1, b""), "scale it down"),
    "huge.ppm": (lambda: b"P6 99999 99999 255\n", "scale it down"),
    "huge.bmp": (
        lambda: odd.saved(odd.pattern(), "BMP").replace(
            b"\x30\0\0\0\x20\0\0\0", b"\xff\xff\0\0" * 2
        ),
        "65535 × 65535",
        "scale it down",
    ),
    "no width.png": (lambda: odd.png(0, 4, b""), "damaged", "fresh copy"),
    "text bomb.png": (lambda: odd.png_with_packed(b"zTXt"), "damaged", "save it again"),
    "profile bomb.png": (lambda: odd.png_with_packed(b"iCCP"), "damaged", "save it again"),
    "many chunks.png": (
        lambda: odd.png(4, 4, extra=odd.chunk(b"abCd") * 500_000),
        "damaged",
        "save it again",
    ),
    "checksum IHDR.png": (lambda: odd.png_with_bad_checksum(b"IHDR"), "damaged", "fresh copy"),
    "checksum IDAT.png": (lambda: odd.png_with_bad_checksum(b"IDAT"), "damaged", "fresh copy"),
    "wild bits.png": (odd.png_with_wild_bits, "damaged", "fresh copy"),
    "cut.png": (lambda: truncated("PNG"), "cut short", "fresh copy"),
    "cut in header.png": (lambda: truncated("PNG", 0.002), "damaged", "fresh copy"),
    "cut.jpg": (lambda: truncated("JPEG"), "cut short", "fresh copy"),
    "cut progressive.jpg": (lambda: truncated("JPEG", progressive=True), "cut short"),
    "cut.gif": (lambda: truncated("GIF"), "cut short", "fresh copy"),
    "cut.webp": (lambda: truncated("WEBP"), "cut short", "fresh copy"),
    "cut.bmp": (lambda: truncated("BMP"), "cut short", "fresh copy"),
    "cut.ppm": (lambda: truncated("PPM"), "cut short", "fresh copy"),
    "cut.tif": (lambda: truncated("TIFF"), "cut short", "fresh copy"),
    "cut deflate.tif": (lambda: truncated("TIFF", compression="tiff_deflate"), "cut short"),
    "cut.avif": pytest.param(
        lambda: truncated("AVIF"), "cut short", "fresh copy", marks=needs_avif
    ),
    "signature only.jpg": (lambda: b"\xff\xd8\xff", "damaged", "fresh copy"),
    "long comment.gif": (odd.gif_with_long_comment, "damaged", "save it again"),
    "many scans.jpg": (odd.jpeg_with_many_scans, "no camera", "save it again"),
    "greedy exif.jpg": (odd.jpeg_with_greedy_exif, "no camera", "save it again"),
    "greedy.tif": (odd.greedy_directory, "no camera", "save it again"),
    "many strips.tif": (odd.tiff_with_many_strips, "no camera", "save it again"),
    "huge tile.tif": (
        lambda: odd.tiff({322: (4, 1, 60_000), 323: (4, 1, 60_000)}),
        "60000 × 60000",
        "scale it down",
    ),
    "preview of raw.nef": (lambda: odd.tiff({254: (4, 1, 1)}), "camera raw", "export it as JPEG"),
    "endless comment.ppm": (lambda: b"P5\n#" + b"x" * 3_000_000, "damaged", "save it again"),
    "slow.ppm": (lambda: b"P3 3000 3000 255 " + b"9 " * 99, "slow to read", "save it as PNG"),
    "photo.heic": (lambda: odd.ftyp(b"heic", b"mif1", b"heic"), "HEIC photo", "convert it to JPEG"),
    "photo2.heic": (lambda: odd.ftyp(b"mif1", b"heic"), "HEIC photo", "convert it to JPEG"),
    "film.mp4": (lambda: odd.ftyp(b"isom", b"mp41"), "video", "save one picture as JPEG"),
    "film.webm": (lambda: b"\x1aE\xdf\xa3" + b"\0" * 50, "video", "save one picture as JPEG"),
    "drawing.svg": (lambda: b'<svg xmlns="..."/>', "SVG drawing", "export it as PNG"),
    "drawing.png": (lambda: b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG", "export it"),
    "page.pdf": (lambda: b"%PDF-1.7\n...", "a PDF", "export the page"),
    "page.html": (lambda: b"\n<!DOCTYPE html><html>", "web page", "save the picture"),
    "photos.zip": (lambda: b"PK\x03\x04" + b"\0" * 40, "zip archive", "take the image out"),
    "note.txt": (lambda: b"just some words", "not an image we can read", "save it as JPEG or PNG"),
    "script.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    "icon.ico": (lambda: odd.saved(odd.pattern(), "ICO", sizes=[(16, 16)]), "not an image we can"),
    "layers.psd": (lambda: b"8BPS\0\1" + b"\0" * 60, "not an image we can read", "save it as"),
    "noise.jpg": (lambda: np.random.default_rng(1).bytes(4096), "not an image we can read"),
    "deep.tif": (
        lambda: odd.saved(Image.fromarray(np.array([[-5, 9]], np.int32)), "TIFF"),
        "brightness",
        "8-bit PNG",
    ),
    "nan.tif": (
        lambda: odd.saved(Image.fromarray(np.array([[np.nan, 1]], np.float32)), "TIFF"),
        "brightness",
        "8-bit PNG",
    ),
    "<img src=x onerror=alert(1)>.png": (lambda: b"no", "not an image we can read"),
}


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [pytest.param(*p.values[:2], p.values[2:], marks=p.marks, id=p.id) for p in rows(BAD)],
)
def test_bad_file(tmp_path, name, make, words):
    path = tmp_path / name
    path.write_bytes(make())
    assert_refused(path, *words)
    if path.stat().st_size:
        assert_refused(path.read_bytes(), *words, name="image B")


def test_the_bomb_is_small_and_refused_undecoded_without_warnings(monkeypatch):
    def decode(*_):
        pytest.fail("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    monkeypatch.setattr(Image.Image, "load", decode)
    monkeypatch.setattr(Image.Image, "draft", decode, raising=False)
    bomb = odd.bomb_png()
    assert len(bomb) < 500_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_refused(bomb, "scale it down", name="bomb.png")
        lazy = Image.new("1", (10_000, 10_000))
        assert_refused(lazy, "scale it down", name="image A")


@pytest.mark.parametrize(
    ("kind", "make"),
    [("JPEG", odd.jpeg_with_greedy_exif), ("TIFF", odd.greedy_directory)],
)
def test_greedy_metadata_does_not_reach_pillow(monkeypatch, kind, make):
    readers = {
        magic: (k, lambda _: pytest.fail("opened")) for magic, (k, _) in images._READERS.items()
    }
    monkeypatch.setattr(images, "_READERS", readers)
    assert_refused(make(), "save it again", name=kind)


class TestPaths:
    def test_missing(self, tmp_path):
        assert_refused(tmp_path / "no.png", "does not exist", "check the folder")
        assert_refused(str(tmp_path / "no" / "no.png"), "does not exist")

    def test_below_a_file(self, tmp_path):
        (tmp_path / "file").write_bytes(b"x")
        assert_refused(tmp_path / "file" / "a.png", "does not exist")

    def test_folder(self, tmp_path):
        assert_refused(tmp_path, "is a folder", "choose one image file")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.png")
        assert_refused(tmp_path / "pipe.png", "pipe or a device", "save the image to a file")

    @pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no device files here")
    def test_device(self):
        assert_refused("/dev/zero", "pipe or a device", "save the image to a file")

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no socket files here")
    def test_socket(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.png")
            assert_refused("socket.png", "pipe or a device")

    def test_no_permission(self, tmp_path, monkeypatch):
        path = tmp_path / "mine.png"
        path.write_bytes(odd.saved(odd.pattern(), "PNG"))

        def forbid(*_):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(images, "open", forbid, raising=False)  # root may read everything
        assert_refused(path, "may not be read", "allow reading")

    @pytest.mark.parametrize(
        "path",
        [
            "data:image/png;base64," + "iVBORw0KGgo" * 99,
            "https://example.org/a.png",
            "file:///a.png",
        ],
    )
    def test_web_address(self, path):
        assert_refused(path, "web address", "download", shown=path[:20])

    def test_impossible_names(self):
        assert_refused("a\0b.png", "check the name", shown=r"a\x00b.png")
        assert_refused("x" * 5000 + ".png", "check the name", shown="x…x")

    def test_size_is_weighed_before_reading(self, tmp_path, monkeypatch):
        path = tmp_path / "large.png"
        with path.open("wb") as file:
            file.truncate((64 << 20) + 1)
        monkeypatch.setattr(images, "open", lambda *_: pytest.fail("opened"), raising=False)
        assert_refused(path, "larger than 64 MiB", "scale it down")

    def test_limits_also_hold_for_bytes_and_files(self):
        data, limits = odd.saved(odd.pattern(), "PNG"), ImageLimits(max_bytes=50)
        assert_refused(data, "larger than", name="image A", limits=limits)
        assert_refused(io.BytesIO(data), "larger than", name="image A", limits=limits)
        assert_refused(data, "48 × 32", name="image A", limits=ImageLimits(max_pixels=48 * 32 - 1))
        assert load_photo(data, limits=ImageLimits(max_pixels=48 * 32)).size == (48, 32)


@pytest.mark.parametrize(
    "values",
    [
        np.asarray(odd.pattern()),
        np.asarray(odd.pattern()) / 255,
        (np.asarray(odd.pattern()) / 255).astype(np.float32),
        np.asarray(odd.pattern()).astype(np.uint16) * 257,
        np.asarray(odd.pattern("RGBA")),
        np.asarray(odd.pattern())[::-1][::-1],
        np.asfortranarray(odd.pattern()),
    ],
)
def test_arrays_are_the_same_picture(values):
    photo = load_photo(values)
    assert photo.name == "image"
    assert photo.digest == load_photo(odd.pattern()).digest


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[True, False]]), [255, 0]),
        (np.array([[[7], [9]]], np.uint8), [7, 9]),
        (np.array([[0, 65535]], np.uint16), [0, 255]),
        (np.array([[0.5, 1 + 1e-7]]), [128, 255]),
        (np.zeros((1, 2, 4), np.uint8), [255, 255]),
    ],
)
def test_array_values(values, expected):
    photo = load_photo(values)
    assert photo.size == (2, 1)
    assert [photo.image.getpixel((x, 0)) for x in (0, 1)] == [(v,) * 3 for v in expected]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (np.array([[np.nan, 0]]), "NaN"),
        (np.array([[np.inf, 0]]), "infinite"),
        (np.array([[-0.5, 0]]), "-0.5 to 0"),
        (np.array([[0.0, 255.0]]), "divide"),
        (np.zeros(4, np.uint8), "(H, W)"),
        (np.array(1.0), "(H, W)"),
        (np.zeros((3, 8, 8), np.uint8), "(H, W, 3)"),
        (np.zeros((1, 8, 8, 3), np.uint8), "(H, W, 3)"),
        (np.zeros((0, 8, 3), np.uint8), "no pixels"),
        (np.zeros((8, 0)), "no pixels"),
        (np.zeros((2, 2), np.int64), "uint8"),
        (np.zeros((2, 2), complex), "uint8"),
        (np.array([[None, 1]]), "uint8"),
        (np.broadcast_to(np.uint8(0), (9000, 9000)), "scale it down"),
    ],
)
def test_bad_array(values, word):
    assert_refused(values, word, name="image A")


class TestPillowImages:
    @pytest.mark.parametrize("mode", ["HSV", "YCbCr", "RGBX", "RGBa", "LAB", "PA", "CMYK", "P"])
    def test_modes(self, mode):
        convert = {"RGBa": "RGBA", "PA": "P", "LAB": None}.get(mode)
        if mode == "LAB":
            picture = Image.merge("LAB", [Image.new("L", (4, 4), v) for v in (255, 128, 128)])
            expected = [WHITE] * 4
        else:
            picture = (odd.pattern(convert) if convert else odd.pattern()).convert(mode)
            expected = PATTERN
        photo = load_photo(picture)
        np.testing.assert_allclose(corners(photo.image), expected, atol=30)

    @pytest.mark.parametrize("mode", ["I", "I;16", "I;16B", "I;16L"])
    def test_deep_modes(self, mode):
        deep = Image.fromarray(np.full((2, 2), 40_000, np.uint16)).convert("I").convert(mode)
        assert corners(load_photo(deep).image) == grey(156)

    @pytest.mark.parametrize("orientation", [1, 6])
    def test_the_callers_image_is_untouched(self, orientation):
        mine = odd.pattern()
        mine.info["exif"] = odd.exif(orientation).tobytes()
        photo = load_photo(mine)
        assert photo.size == ((48, 32) if orientation == 1 else (32, 48))
        photo.image.putpixel((0, 0), (1, 2, 3))
        assert mine.size == (48, 32)
        assert mine.info["exif"]
        assert corners(mine) == list(PATTERN)

    def test_an_unread_eps_would_start_ghostscript(self):
        eps = Image.open(io.BytesIO(odd.saved(odd.pattern(), "EPS")))
        assert_refused(eps, "EPS", "save it as PNG", name="image A")

    def test_broken_or_closed(self, tmp_path):
        assert_refused(Image.open(io.BytesIO(truncated("PNG"))), "cut short", name="image A")
        assert_refused(Image.new("RGB", (0, 5)), "no pixels", name="image A")


class TestOtherSources:
    def test_nothing(self):
        for nothing in (None, ""):
            assert_refused(nothing, "No image was given", "choose one", shown=" ")
            assert_refused(nothing, "No image was given", "choose one", name="image A")

    def test_photo_is_returned_as_it_is(self):
        photo = load_photo(odd.pattern(), name="mine")
        assert load_photo(photo, name="other") is photo

    @pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
    def test_bytes(self, wrap):
        assert load_photo(wrap(odd.saved(odd.pattern(), "PNG"))).size == (48, 32)

    def test_open_file(self, tmp_path):
        path = tmp_path / "open.png"
        path.write_bytes(odd.saved(odd.pattern(), "PNG"))
        with path.open("rb") as file:
            file.read(7)
            assert load_photo(file).name == "open.png"
        assert_refused(file, "keep it open", shown="open.png")
        with path.open(encoding="latin-1") as file:
            assert_refused(file, "binary mode", shown="open.png")

    @pytest.mark.parametrize("thing", [7, [1, 2], object(), {}])
    def test_something_else(self, thing):
        assert_refused(thing, type(thing).__name__, "give a path", name="image A")


class TestDigest:
    def test_formats_names_and_metadata_do_not_matter(self):
        data = [
            odd.saved(odd.pattern(), "PNG", dpi=(300, 300)),
            odd.saved(odd.pattern(), "TIFF"),
            odd.saved(odd.pattern(), "BMP"),
            odd.saved(RGB, "WEBP", lossless=True, exif=odd.exif(1)),
        ]
        digests = {load_photo(d, name=f"image {i}").digest for i, d in enumerate(data)}
        assert len(digests) == 1
        expected = hashlib.sha256(b"48 32 " + odd.pattern().tobytes()).hexdigest()
        assert digests == {expected}

    def test_one_pixel_or_another_shape_matter(self):
        other = odd.pattern()
        other.putpixel((5, 5), (220, 20, 31))
        shapes = [Image.new("RGB", size) for size in ((4, 2), (2, 4))]
        digests = {load_photo(i).digest for i in (odd.pattern(), other, *shapes)}
        assert len(digests) == 4


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\r\t\x1b[31m.png", r"a\nb\r\t\x1b[31m.png"),
        ("rtl\u202egnp.exe", r"rtl\u202egnp.exe"),
        ("lone \udcff.png", r"lone \udcff.png"),
        ("grüße 图.png", "grüße 图.png"),
        ("x" * 300 + ".png", "x" * 59 + "…" + "x" * 16 + ".png"),
    ],
)
def test_clean_name(name, shown):
    assert clean_name(name) == shown
    assert len(shown) <= 80
    assert_refused(b"no image", "save it as", name=name, shown=shown)


def test_errors_are_input_errors_and_photos_compare_by_identity():
    assert issubclass(ImageError, InputError)
    a, b = load_photo(odd.pattern()), load_photo(odd.pattern())
    assert isinstance(a, Photo)
    assert a != b
