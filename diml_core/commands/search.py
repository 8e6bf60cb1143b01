"""``python -m diml_core search GALLERY QUERY``: the most similar photos, globally and by parts."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from diml_core.comparison.marginals import MARGINALS
from diml_core.comparison.points import shown_sum, written
from diml_core.errors import InputError
from diml_core.network.devices import add_device, add_engine
from diml_core.retrieval.gallery import DEFAULT_TOP_K, SEARCH_OPTIONS, Gallery
from diml_core.retrieval.results import Result


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "search",
        help="find the photos of a gallery that are most similar to a photo",
        description="Find the K globally most similar photos of a gallery and re-rank them by "
        "their parts. Options that are left out are those of the index.",
    )
    parser.add_argument("gallery", metavar="GALLERY", type=Path, help="folder that 'index' wrote")
    parser.add_argument("query", metavar="QUERY", type=Path, help="photo to search for")
    parser.add_argument(
        "--top-k",
        type=int,
        metavar="K",
        default=DEFAULT_TOP_K,
        help="photos to re-rank and list (default: %(default)s)",
    )
    parser.add_argument("--marginals", metavar="NAME", help=", ".join(MARGINALS))
    parser.add_argument("--mass", type=float, metavar="M", help="transported mass, above 0 to 1")
    parser.add_argument("--epsilon", type=float, metavar="E", help="entropy, 0.005 to 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    add_device(parser)
    add_engine(parser)
    parser.set_defaults(run=run, tolerance=None)


def run(arguments: argparse.Namespace) -> None:
    """Search, print a table, and write JSON if asked to.

    Raises:
        InputError: no gallery, a bad photo or option, or a file that cannot be written.
    """
    file = arguments.json
    if file and not file.parent.is_dir():
        raise InputError(f"The folder '{file.parent}' for '{file.name}' does not exist: create it.")
    if not arguments.query.is_file():  # before the model is loaded
        raise InputError(f"There is no photo '{arguments.query}': give an image file.")
    gallery = Gallery.open(arguments.gallery, device=arguments.device, engine=arguments.engine)
    given = {name: getattr(arguments, name) for name in SEARCH_OPTIONS}
    results = gallery.search(arguments.query, top_k=arguments.top_k, **given)
    print(table(results))
    if file:
        spec = gallery.collection.spec
        changed = {name: value for name, value in given.items() if value is not None}
        content = {
            "format": 1,
            "query": str(arguments.query),
            "gallery": str(arguments.gallery),
            "model": spec.model,
            "options": asdict(spec.options) | changed,
            "results": [result.to_dict() for result in results],
        }
        try:
            file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"'{file}' cannot be written ({error.strerror}): choose another place."
            ) from error


def table(results: list[Result]) -> str:
    """One line per photo in DIML order, with its place in the global order and its score as a sum, in points."""
    lines = [" rank  global rank   rise   points  =  global part  +  structural part   photo"]
    for result in results:
        rise = f"{result.rise:+d}" if result.rise else "0"
        scores = shown_sum(result.similarity, result.global_similarity)
        total, whole, parts = (written(score, 1) for score in scores)
        lines.append(
            f"{result.rank:5}  {result.global_rank:11}  {rise:>5}   {total:>6}     {whole:>11}     {parts:>15}   "
            f"{result.path}"
        )
    return "\n".join(lines)
