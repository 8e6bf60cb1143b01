"""What every data set is once it is read: image files with class labels, one split of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from diml_core.errors import InputError

SPLITS = ("train", "validation", "test")
"""Names of splits; most data sets have no ``validation``, and refuse it."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})


@dataclass(frozen=True)
class Sample:
    """One image file.

    Attributes:
        path: where it lies.
        label: 0 to C - 1, the place of its class among the sorted classes of the split.
        class_name: name of its class.
    """

    path: Path
    label: int
    class_name: str


@dataclass(frozen=True)
class LabelledImages:
    """One split of a data set. In metric learning no class is in both splits.

    Attributes:
        name: name of the data set, as in :data:`diml_core.data.DATASETS`.
        split: one of :data:`SPLITS`.
        samples: the images, by class and then by path.
    """

    name: str
    split: str
    samples: tuple[Sample, ...]

    @classmethod
    def from_pairs(cls, name: str, split: str, pairs: Iterable[tuple[str, Path]]) -> LabelledImages:
        """Label ``(class name, path)`` pairs by the sorted order of the class names."""
        pairs = sorted(pairs)
        labels = {c: label for label, c in enumerate(sorted({c for c, _ in pairs}))}
        return cls(name, split, tuple(Sample(path, labels[c], c) for c, path in pairs))

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def labels(self) -> np.ndarray:
        """``[N]`` int64 labels, in the order of the samples."""
        return np.array([sample.label for sample in self.samples], dtype=np.int64)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names; the label of ``classes[i]`` is i."""
        return tuple(sorted({sample.class_name for sample in self.samples}))

    def subset_by_classes(self, names: Collection[str]) -> LabelledImages:
        """The images of some classes, labelled anew from 0.

        Raises:
            InputError: a name that is no class of this split.
        """
        unknown = sorted(set(names) - set(self.classes))
        if unknown:
            raise InputError(
                f"'{self.name}' has no class '{unknown[0]}' in its {self.split} split: choose among "
                f"its {len(self.classes)} classes, such as '{self.classes[0]}'."
            )
        wanted = set(names)
        return LabelledImages.from_pairs(
            self.name,
            self.split,
            ((s.class_name, s.path) for s in self.samples if s.class_name in wanted),
        )


def images_below(folder: Path) -> list[Path]:
    """Image files in a folder and its sub-folders, sorted; hidden ones (``._a.jpg``) are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
