"""Rebuild the example photos, ``pairs.json``, ``labels.json`` and ``CREDITS.md``.

    python -m scripts.build_examples [--gcompris DIR] [--stamps DIR] [--skimage DIR]

What to build is data: ``assets/examples/recipe.json``. The pictures come from two Debian packages
(photographs in ``gcompris-qt-data``, cut-outs in ``tuxpaint-stamps-default``) and from
scikit-image's own data folder. A DIR is an unpacked package's ``usr/share/gcompris-qt/rcc`` or
``usr/share/tuxpaint/stamps``, or a ``skimage/data``; what is not given is fetched into a
temporary folder with ``apt-get download`` and ``pip download``. Needs Pillow.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter

from diml_core.photographs.qt_resources import rcc_files

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"
LONGEST = 640  # px
LARGEST = 120_000  # bytes
QUALITY = 88

# What a recipe's "from" starts with: the package, and the folder of its files.
DEBIAN = {
    "gcompris": ("gcompris-qt-data", "usr/share/gcompris-qt/rcc"),
    "stamps": ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps"),
}


def fetch(source: str, scratch: Path) -> Path:
    """Download a source's package and return the folder that holds its pictures."""
    target = scratch / source
    target.mkdir()
    if source == "skimage":
        spec = importlib.util.find_spec("skimage")
        if spec and spec.submodule_search_locations:
            return Path(spec.submodule_search_locations[0]) / "data"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "scikit-image"], cwd=target, check=True)
        with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
            wheel.extractall(target)
        return target / "skimage" / "data"
    package, folder = DEBIAN[source]
    subprocess.run(["apt-get", "download", package], cwd=target, check=True)
    deb = next(target.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", deb.name, "x"], cwd=target, check=True)
    return target / "x" / folder


def open_source(where: str, folders: dict[str, Path]) -> Image.Image:
    """The picture that a recipe's "from" names, in sRGB; with alpha if it is a cut-out."""
    source, name = where.split(":", 1)
    if source == "gcompris":  # "activity/file inside its resource folder"
        activity, name = name.split("/", 1)
        suffix = f"/{activity}/resource/{name}"
        files = rcc_files((folders[source] / f"{activity}.rcc").read_bytes())
        image = Image.open(io.BytesIO(next(data for path, data in files if path.endswith(suffix))))
    else:
        image = Image.open(folders[source] / name)
    if source == "stamps":
        return image.convert("RGBA")
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    if profile:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"))
    return image


def crop(image: Image.Image, box: list[float], turn: float) -> Image.Image:
    """Cut a box (fractions: left, top, right, bottom), turned by an angle about its own centre."""
    left, top, right, bottom = (
        round(part * side) for part, side in zip(box, image.size * 2, strict=True)
    )
    if turn:
        centre = ((left + right) / 2, (top + bottom) / 2)
        inside = Image.new("L", image.size, 255).rotate(turn, center=centre)
        if inside.crop((left, top, right, bottom)).getextrema()[0] < 255:
            raise ValueError("the turned crop leaves the picture")
        image = image.rotate(turn, Image.Resampling.BICUBIC, center=centre)
    return image.crop((left, top, right, bottom))


def underside(alpha: Image.Image) -> list[tuple[int, int]]:
    """Where a cut-out would touch the floor: the lower hull of its outline, from left to right."""
    width, height = alpha.size
    hull: list[tuple[int, int]] = []
    for x in range(width):
        box = alpha.crop((x, 0, x + 1, height)).point(lambda v: 255 * (v > 128)).getbbox()
        if not box or box[3] < 0.84 * height:
            continue
        point = (x, box[3])
        while len(hull) > 1 and (
            (hull[-1][0] - hull[-2][0]) * (point[1] - hull[-2][1])
            >= (hull[-1][1] - hull[-2][1]) * (point[0] - hull[-2][0])
        ):
            hull.pop()
        hull.append(point)
    return hull


def on_backdrop(cutout: Image.Image, look: dict) -> Image.Image:
    """Stand a cut-out on a plain floor before a plain wall, with a soft shadow where it touches."""
    width, height = look["size"]
    backdrop = Image.linear_gradient("L").resize((width, height))
    edge = round(255 * look["floor"])
    fade = backdrop.point(lambda v: max(0, min(255, 4 * (v - edge) + 128)))
    light = backdrop.point(lambda v: 255 - v // 8)
    walls = [Image.new("RGB", (width, height), look[name]) for name in ("floor_colour", "wall")]
    scene = ImageChops.multiply(
        Image.composite(*walls, fade), Image.merge("RGB", [light, light, light])
    )

    alpha = cutout.getchannel("A")
    solid = alpha.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(5))
    alpha = ImageChops.darker(alpha, solid)  # without stray lines around the cut-out
    cutout.putalpha(alpha)
    cutout = cutout.crop(alpha.getbbox())
    wide = round(look["width"] * width)
    tall = round(cutout.height * wide / cutout.width)
    cutout = cutout.resize((wide, tall), Image.Resampling.LANCZOS)
    left, top = (width - wide) // 2, round(look["stands"] * height) - tall

    ground = [(left + x, top + y) for x, y in underside(cutout.getchannel("A"))]
    above = [(x, y - tall // 7) for x, y in reversed(ground)]
    shadow = Image.new("L", (width, height))
    ImageDraw.Draw(shadow).polygon([(x, y + 2) for x, y in ground] + above, fill=190)
    shadow = shadow.filter(ImageFilter.GaussianBlur(5))
    scene.paste(Image.new("RGB", scene.size, (25, 25, 30)), mask=shadow)
    scene.paste(cutout, (left, top), cutout)
    return scene


def build(picture: dict, folders: dict[str, Path]) -> bytes:
    """One example photo, as the bytes of its JPEG file."""
    image = open_source(picture["from"], folders)
    if "backdrop" in picture:
        image = on_backdrop(image, picture["backdrop"])
    else:
        image = crop(image, picture.get("crop", [0, 0, 1, 1]), picture.get("turn", 0))
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    for quality in range(QUALITY, 40, -3):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= LARGEST:
            break
    return buffer.getvalue()


def changes(picture: dict) -> str:
    """What was done to the original, in words."""
    if "backdrop" in picture:
        return "scaled, set on a plain backdrop with a soft shadow"
    words = ["cropped"] if "crop" in picture else []
    words += [f"turned by {abs(picture['turn'])}°"] if "turn" in picture else []
    return ", ".join([*words, f"fitted into {LONGEST} pixels", "saved as JPEG"])


def source_in_words(where: str) -> str:
    """Package and file, for the credits."""
    source, name = where.split(":", 1)
    if source == "gcompris":
        activity, name = name.split("/", 1)
        return f"`gcompris-qt-data`: `{activity}.rcc`, `{name}`"
    return f"`{DEBIAN[source][0] if source in DEBIAN else 'scikit-image'}`: `{name}`"


def credits(recipe: dict) -> str:
    """``CREDITS.md``: where every photo comes from and what its licence is."""
    lines = [recipe["credits"]["before"], ""]
    lines += ["| File | Picture | Author | Package and file | Licence | Changes |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, picture in recipe["pictures"].items():
        title = picture["title"]
        if "original" in picture:
            title = f"[{title}]({picture['original']})"
        url = recipe["credits"]["licences"].get(picture["licence"])
        licence = f"[{picture['licence']}]({url})" if url else picture["licence"]
        cells = [f"`{name}`", title, picture["author"], source_in_words(picture["from"])]
        lines.append("| " + " | ".join([*cells, licence, changes(picture)]) + " |")
    return "\n".join([*lines, "", recipe["credits"]["after"], ""])


def main() -> None:
    """Build everything the recipe lists; what it no longer lists is removed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    for source in (*DEBIAN, "skimage"):
        parser.add_argument(f"--{source}", type=Path, metavar="DIR", help="see the top of the file")
    given = vars(parser.parse_args())

    recipe = json.loads((FOLDER / "recipe.json").read_text(encoding="utf-8"))
    pictures = recipe["pictures"]
    with tempfile.TemporaryDirectory() as scratch:
        needed = sorted({picture["from"].split(":", 1)[0] for picture in pictures.values()})
        folders = {source: given[source] or fetch(source, Path(scratch)) for source in needed}
        for name, picture in pictures.items():
            (FOLDER / name).write_bytes(build(picture, folders))
    for stale in set(FOLDER.glob("*.jpg")) - {FOLDER / name for name in pictures}:
        stale.unlink()

    labels = {name: row["imagenet"] for name, row in pictures.items() if "imagenet" in row}
    rows = ",\n".join("  " + json.dumps(pair, ensure_ascii=False) for pair in recipe["pairs"])
    (FOLDER / "pairs.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    rows = ",\n".join(f"  {json.dumps(name)}: {ids}" for name, ids in labels.items())
    (FOLDER / "labels.json").write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
    (FOLDER / "CREDITS.md").write_text(credits(recipe), encoding="utf-8")


if __name__ == "__main__":
    main()
