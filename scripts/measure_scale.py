"""Measure where a shipped model's scores lie on real photographs, for "Is that high?": ``checkpoints/NAME/scale.json``.

    python -m diml_core photos photos/
    python -m scripts.measure_scale NAME --root photos/

Every photograph of ``photos``, both halves, with every other, at the model's default options. Nothing is chosen by it. To
be run again when weights or defaults change: ``tests/comparison/test_scale.py`` holds the options to the model's.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from diml_core.data import load_dataset
from diml_core.data.base import LabelledImages
from diml_core.data.photos import PHOTO_SPLITS
from diml_core.errors import InputError
from diml_core.evaluation.scale import measure_scale
from diml_core.network.checkpoint_files import SCALE
from diml_core.network.checkpoints import SHIPPED, load_model, shipped_models


def main() -> int:
    """Measure and write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=shipped_models())
    parser.add_argument("--root", type=Path, required=True, help="folder that 'photos' built")
    arguments = parser.parse_args()
    try:
        halves = [load_dataset("photos", arguments.root, split) for split in PHOTO_SPLITS]
        pairs = [(sample.class_name, sample.path) for half in halves for sample in half.samples]
        images = LabelledImages.from_pairs("photos", "validation", pairs)
        scale = measure_scale(load_model(arguments.name), images)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    path = SHIPPED / arguments.name / SCALE
    path.write_text(json.dumps(scale.to_dict()) + "\n", encoding="utf-8")
    for share in (0.01, 0.05):
        threshold = scale.threshold(share)
        found = scale.standing(threshold).same_above
        print(
            f"{share:.0%} of pairs of different things score above {threshold:.3f}: {found:.0%} of those of one kind"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
