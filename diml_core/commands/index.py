"""``python -m diml_core index PHOTOS -o GALLERY``: make or update a gallery of a photo folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from diml_core.errors import InputError
from diml_core.network.checkpoints import DEFAULT_MODEL, model_names
from diml_core.network.devices import add_device, add_engine
from diml_core.retrieval.indexing import index_photos
from diml_core.retrieval.store import Store

_OPTIONS = ("grid", "marginals", "mass", "start_block", "head_fusion", "kept_mass", "epsilon")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "index",
        help="make a gallery of a folder of photos, or bring it up to date",
        description="Embed every photo below a folder into a gallery for 'search'. Call it again "
        "after photos were added, changed or removed, or after it was interrupted: only what is "
        "new is computed. Options that are left out take the model's defaults.",
    )
    parser.add_argument("photos", metavar="PHOTOS", type=Path, help="folder of photos")
    parser.add_argument(
        "-o", "--output", metavar="GALLERY", type=Path, required=True, help="folder to write"
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"{model_names()} (default: %(default)s)",
    )
    parser.add_argument("--grid", type=int, metavar="N", help="parts per side of a square photo")
    parser.add_argument("--marginals", metavar="NAME", help="default marginals of a search")
    parser.add_argument("--mass", type=float, metavar="M", help="default transported mass")
    parser.add_argument("--start-block", type=int, metavar="L", help="first block of the rollout")
    parser.add_argument("--head-fusion", metavar="NAME", help="mean, max or min over the heads")
    parser.add_argument("--kept-mass", type=float, metavar="M", help="share of the rollout kept")
    parser.add_argument("--epsilon", type=float, metavar="E", help="default transport entropy")
    parser.add_argument(
        "--hnsw",
        action="store_true",
        help="also build a FAISS graph, which makes the search of a large gallery faster and a little "
        "less complete (needs faiss-cpu)",
    )
    add_device(parser)
    add_engine(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Index, and say what was done and which files cannot be used.

    Raises:
        InputError: see :func:`index_photos`; or no photo at all below the folder.
    """
    report = index_photos(
        arguments.photos,
        arguments.output,
        model=arguments.model,
        device=arguments.device,
        engine=arguments.engine,
        progress=True,
        **{name: getattr(arguments, name) for name in _OPTIONS},
    )
    if not report.photos and not report.broken:
        raise InputError(f"There are no photos below '{arguments.photos}': give another folder.")
    print(
        f"{report.photos} photos in {arguments.output}: {report.embedded} embedded, "
        f"{report.reused} known, {report.removed} removed."
    )
    if arguments.hnsw:
        recall = Store(arguments.output).build_graph()
        print(f"HNSW graph built: it finds {recall:.1%} of the 100 nearest photos.")
    if report.broken:
        print(f"{len(report.broken)} files cannot be used:")
        for record in report.broken:
            print(f"  {record.problem}")
