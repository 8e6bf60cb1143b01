"""Stanford Cars: the first 98 classes train, the other 98 test (not the split of its own labels)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diml_core.data.base import LabelledImages, images_below
from diml_core.data.counts import Counts, Expected, checked
from diml_core.data.places import first_folder
from diml_core.errors import InputError

EXPECTED = {"train": Counts(8054, 98), "test": Counts(8131, 98)}

_LAYOUTS = ("cars_annos.mat", "devkit/cars_meta.mat", "images")


def load_cars196(root: Path, split: str, expected: Expected | None = EXPECTED) -> LabelledImages:
    """Read Stanford Cars.

    Takes three layouts, in ``root`` itself or in ``cars196``, ``cars`` or ``stanford_cars`` below it:

    - ``images/CLASS NAME/*.jpg``, as the DIML authors lay it out;
    - ``cars_annos.mat`` and ``car_ims/*.jpg``, as it was first distributed;
    - ``devkit/cars_meta.mat``, ``devkit/cars_train_annos.mat``, ``cars_test_annos_withlabels.mat`` (here
      or in the devkit) and ``cars_train/*.jpg``, ``cars_test/*.jpg``.

    Args:
        root: where the data set lies.
        split: ``train`` or ``test``: classes, not the images its own files call so.
        expected: counts to insist on; by default those of the benchmark.

    Raises:
        InputError: nothing there, a listed image missing, or other counts than expected; or SciPy,
            which reads ``.mat``, is not installed.
    """
    names = ("", "cars196", "cars", "stanford_cars")
    for landmark in _LAYOUTS:
        if any((root / name / landmark).exists() for name in names):
            break
    folder = first_folder(root, names, landmark, "Stanford Cars")
    read = {"cars_annos.mat": _from_annotations, "images": _from_folders}
    pairs = read.get(landmark, _from_devkit)(folder)
    classes = sorted({name for name, _ in pairs})
    half = set(classes[: len(classes) // 2] if split == "train" else classes[len(classes) // 2 :])
    dataset = LabelledImages.from_pairs("cars196", split, (p for p in pairs if p[0] in half))
    return checked(dataset, expected, str(folder))


def _from_folders(folder: Path) -> list[tuple[str, Path]]:
    images = folder / "images"
    return [(path.relative_to(images).parts[0], path) for path in images_below(images)]


def _from_annotations(folder: Path) -> list[tuple[str, Path]]:
    stored = _read_mat(folder / "cars_annos.mat")
    names = _class_names(stored)
    return [
        (names[int(entry["class"]) - 1], _existing(folder / str(entry["relative_im_path"])))
        for entry in stored["annotations"]
    ]


def _from_devkit(folder: Path) -> list[tuple[str, Path]]:
    names = _class_names(_read_mat(folder / "devkit" / "cars_meta.mat"))
    pairs = []
    for images, file in (
        ("cars_train", "cars_train_annos.mat"),
        ("cars_test", "cars_test_annos_withlabels.mat"),
    ):
        beside = folder / file
        stored = _read_mat(beside if beside.is_file() else folder / "devkit" / file)
        pairs += [
            (names[int(entry["class"]) - 1], _existing(folder / images / str(entry["fname"])))
            for entry in stored["annotations"]
        ]
    return pairs


def _class_names(stored: dict[str, Any]) -> list[str]:
    """Names that sort like the numbers of the classes, by which the standard split is made."""
    return [f"{n:03d} {name}" for n, name in enumerate(stored["class_names"], 1)]


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            f"The annotations of Stanford Cars list '{path}', which is not there: unpack the complete "
            "data set there again."
        )
    return path


def _read_mat(path: Path) -> dict[str, Any]:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise InputError(
            "Reading the annotations of Stanford Cars (.mat) needs SciPy: pip install scipy, or lay the "
            "images out as images/CLASS NAME/*.jpg."
        ) from error
    try:
        return loadmat(path, squeeze_me=True)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"'{path}' cannot be read ({error}): unpack the data set again."
        ) from error
