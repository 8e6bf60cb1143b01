"""``python -m diml_core scenes OUT``: build the data set whose correspondences are known."""

from __future__ import annotations

import argparse
from pathlib import Path

from diml_core.scenes.settings import SceneSettings


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    usual = SceneSettings()
    parser = commands.add_parser(
        "scenes",
        help="build composite scenes with known masks and correspondences",
        description="Build composite scenes with known masks and correspondences from Debian's photo "
        "packages (downloaded, not installed; about 370 MB), or from your own folders. Building again "
        "into the same folder adds what is missing.",
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to build in")
    parser.add_argument(
        "--cutouts", type=Path, metavar="DIR", help="your own images with transparency"
    )
    parser.add_argument("--backgrounds", type=Path, metavar="DIR", help="your own photographs")
    parser.add_argument(
        "--photographs",
        type=Path,
        metavar="DIR",
        help="further photographs to train on, in crops under known warps (see 'photos --set varied')",
    )
    parser.add_argument(
        "--packages",
        type=Path,
        metavar="DIR",
        help="keep or find the .deb files here (default: in OUT)",
    )
    for name, what in (
        ("views", "images per class"),
        ("photograph_views", "crops of each photograph and training background"),
        ("size", "pixels per side"),
        ("seed", "another number gives another set"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=getattr(usual, name),
            metavar="N",
            help=f"{what} (default: %(default)s)",
        )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Build and say what there is.

    Raises:
        InputError: see :func:`diml_core.scenes.build.build_scenes`.
    """
    from diml_core.scenes.build import build_scenes  # OpenCV, which no other command needs

    settings = SceneSettings(
        arguments.views, arguments.photograph_views, arguments.size, arguments.seed
    )
    manifest = build_scenes(
        arguments.out,
        settings,
        cutouts=arguments.cutouts,
        backgrounds=arguments.backgrounds,
        packages=arguments.packages,
        photographs=arguments.photographs,
    )
    for split, names in manifest["classes"].items():
        print(
            f"{split}: {len(names) * settings.views:,} images of {len(names)} classes, on "
            f"{len(manifest['backgrounds'][split])} backgrounds"
        )
    if manifest["photographs"]:
        count = len(manifest["photographs"])
        print(f"train: {count * settings.photograph_views:,} crops of {count} photographs")
    print(f"Look at {arguments.out / 'contact_sheet.png'} to check them.")
