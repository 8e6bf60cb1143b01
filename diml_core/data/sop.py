"""Stanford Online Products: the split of its own lists, 11,318 and 11,316 products."""

from __future__ import annotations

from pathlib import Path

from diml_core.data.base import LabelledImages
from diml_core.data.counts import Counts, Expected, checked
from diml_core.data.places import first_folder, lines_of
from diml_core.errors import InputError

EXPECTED = {"train": Counts(59551, 11318), "test": Counts(60502, 11316)}

_HEADER = "image_id class_id super_class_id path"


def load_sop(root: Path, split: str, expected: Expected | None = EXPECTED) -> LabelledImages:
    """Read Stanford Online Products.

    Takes the layout of the DIML authors (``online_products/images/**`` and
    ``online_products/Info_Files/Ebay_train.txt``) and the distributed one
    (``Stanford_Online_Products/Ebay_train.txt`` beside the folders of images). ``root`` is that folder
    or the one that holds it.

    Args:
        root: where the data set lies.
        split: ``train`` or ``test``.
        expected: counts to insist on; by default those of the benchmark.

    Raises:
        InputError: nothing there, a list of another form, a listed image missing, or other counts
            than expected.
    """
    names = ("", "online_products", "Stanford_Online_Products")
    list_name = f"Ebay_{split}.txt"
    in_info = any((root / name / "Info_Files" / list_name).is_file() for name in names)
    landmark = f"Info_Files/{list_name}" if in_info else list_name
    folder = first_folder(root, names, landmark, "Stanford Online Products")
    listing = folder / landmark
    images = folder / "images" if in_info else folder
    with listing.open(encoding="utf-8", errors="replace") as lines:
        header = lines.readline().strip()
    if header != _HEADER:
        raise InputError(
            f"'{listing}' begins with '{header[:60]}' where '{_HEADER}' belongs: unpack the data set again."
        )
    pairs = []
    for _, class_id, _, name in lines_of(listing, 4, header=True):
        path = images / name
        if not path.is_file():
            raise InputError(
                f"'{listing}' lists '{name}', which is not in '{images}': unpack the complete data set "
                "there again."
            )
        pairs.append((f"{int(class_id):05d} {Path(name).parts[0].removesuffix('_final')}", path))
    return checked(LabelledImages.from_pairs("sop", split, pairs), expected, str(folder))
