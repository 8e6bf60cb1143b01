"""Builds the photos of the page's gallery: ``python -m scripts.build_gallery --packages DIR``.

Composite scenes of ``python -m diml_core scenes``, small, with classes, so that the page can say what a
search found. Cut-outs and backgrounds come from packages under the same licence (GPL-2 or later), which
the scenes then carry, too. Writes ``assets/examples/scenes/CLASS/NN.jpg``.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from diml_core.scenes.build import build_scenes
from diml_core.scenes.packages import CUTOUT_FOLDER, CUTOUT_PACKAGE, unpack_packages
from diml_core.scenes.settings import SceneSettings
from diml_core.scenes.sources import stamp_files, wallpaper_files

TARGET = Path(__file__).resolve().parent.parent / "assets" / "examples" / "scenes"
_BACKGROUNDS = "plasma-workspace-wallpapers"
_TOPICS = ("animals-", "vehicles-", "hobbies-music", "food-fruit", "plants-flowers")
_CLASSES = 64
_SETTINGS = SceneSettings(views=4, size=208, seed=5, quality=82)

_CREDITS = """# Credits

Composite pictures for the gallery of the page, made by `scripts/build_gallery.py`: cut-outs of
`tuxpaint-stamps-default` (© 2002-2022 Bill Kendrick for the collection, GPL-2.0-or-later), turned, scaled,
tinted and set on crops of the wallpapers of `plasma-workspace-wallpapers` (GPL-2.0-or-later). The scenes are
[GPL-2.0-or-later](https://www.gnu.org/licenses/old-licenses/gpl-2.0.html).
"""


def _class_name(stamp: str) -> str:
    """The last word of a stamp's name that says what it is: ``rabbit``, not ``2``."""
    *topics, last = stamp.split("-")
    alone = last[0].isalpha() and last not in ("baby", "stand")
    return last if alone else f"{topics[-1]}-{last}"


def main() -> None:
    """Fetch, choose, compose, and replace the gallery's photos."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--packages", type=Path, required=True, help="where the .deb files are or go"
    )
    cache = parser.parse_args().packages
    unpacked = unpack_packages(cache)
    stamps = stamp_files(unpacked.folders[CUTOUT_PACKAGE] / CUTOUT_FOLDER)
    chosen = sorted(name for name in stamps if name.startswith(_TOPICS))
    step = len(chosen) / _CLASSES
    chosen = [chosen[int(k * step)] for k in range(_CLASSES)]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("cutouts", "backgrounds"):
            (work / name).mkdir()
        for name in chosen:
            shutil.copy(stamps[name], work / "cutouts" / f"{_class_name(name)}.png")
        for k, path in enumerate(wallpaper_files([unpacked.folders[_BACKGROUNDS]])):
            shutil.copy(path, work / "backgrounds" / f"{k:03}{path.suffix}")
        build_scenes(
            work / "scenes", _SETTINGS, cutouts=work / "cutouts", backgrounds=work / "backgrounds"
        )
        shutil.rmtree(TARGET, ignore_errors=True)
        for image in sorted(work.glob("scenes/t*/*/*.jpg")):
            place = TARGET / image.parent.name / image.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, place)
    (TARGET / "CREDITS.md").write_text(_CREDITS, encoding="utf-8")


if __name__ == "__main__":
    main()
