"""``python -m diml_core compare A B``: the score of two photos and the parts that make it, or of many pairs."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from diml_core.commands.many_pairs import compare_many
from diml_core.comparison.marginals import MARGINALS
from diml_core.comparison.points import points_of, share, shown_sum, written
from diml_core.comparison.scale import FALSE_MATCHES
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.errors import InputError
from diml_core.explain import explain
from diml_core.explanation import Explanation
from diml_core.network.checkpoints import DEFAULT_MODEL, load_model, model_names
from diml_core.network.devices import add_device, add_engine
from diml_core.photo.images import load_photo

_FIGURE_SUFFIXES = {".png", ".svg", ".pdf"}
_OPTIONS = ("grid", "marginals", "mass", "start_block", "head_fusion", "kept_mass", "epsilon")
_OF_ONE_PAIR = ("json", "npz", "csv", "figure", "top")
_TOP = 10


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="score two photos and list the parts that make the score, or score many pairs",
        description="Score two photos and list the pairs of parts that make the score; or, with --pairs, "
        "write a table of the scores of many pairs and a sheet of the most similar ones. "
        "Options that are left out take the model's defaults.",
    )
    parser.add_argument("image_a", metavar="A", nargs="?", type=Path, help="first photo")
    parser.add_argument("image_b", metavar="B", nargs="?", type=Path, help="second photo")
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="CSV_OR_FOLDER",
        help="in place of A and B: a CSV file with two paths per line, relative to its folder (a first line "
        "that names no photo is a header), or a folder, for all pairs of the photos directly in it",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where --pairs writes pairs.csv and sheet.png",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"{model_names()} (default: %(default)s)",
    )
    parser.add_argument("--grid", type=int, metavar="N", help="parts per side of a square photo")
    parser.add_argument("--marginals", metavar="NAME", help=", ".join(MARGINALS))
    parser.add_argument("--mass", type=float, metavar="M", help="transported mass, above 0 to 1")
    parser.add_argument(
        "--start-block", type=int, metavar="L", help="first block of the attention rollout (ViT)"
    )
    parser.add_argument("--head-fusion", metavar="NAME", help=", ".join(HEAD_FUSIONS))
    parser.add_argument(
        "--kept-mass", type=float, metavar="M", help="share of the rollout that truncation keeps"
    )
    parser.add_argument(
        "--epsilon", type=float, metavar="E", help="entropy of the transport, 0.005 to 1"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--npz", type=Path, metavar="FILE", help="write everything as NumPy arrays")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all pairs of parts as CSV")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw a .png, .svg or .pdf")
    parser.add_argument(
        "--top", type=int, metavar="K", help=f"part pairs to list (default: {_TOP})"
    )
    add_device(parser)
    add_engine(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Compare, print, and write what was asked for.

    Raises:
        InputError: bad image, option, model or output path. Nothing has been written then, unless
            the disk itself failed half-way. With --pairs also photos that cannot be used, at the end.
    """
    options = {name: getattr(arguments, name) for name in _OPTIONS}
    where = {"device": arguments.device, "engine": arguments.engine}
    if arguments.pairs or arguments.output:
        _check_many(arguments)
        compare_many(arguments.pairs, arguments.output, arguments.model, **where, **options)
        return
    if arguments.image_a is None or arguments.image_b is None:
        raise InputError("Give two photos, A and B, or many pairs with --pairs and --output.")
    top = _TOP if arguments.top is None else arguments.top
    _check_outputs(arguments, top)
    # Names from the command line, so that two photos called 1.jpg stay apart in a message.
    photos = [load_photo(path) for path in (arguments.image_a, arguments.image_b)]
    model = load_model(arguments.model, **where)
    explanation = explain(model, *photos, **options)
    print(report(explanation, top))
    try:
        if arguments.json:
            explanation.to_json(arguments.json)
        if arguments.npz:
            explanation.to_npz(arguments.npz)
        if arguments.csv:
            explanation.to_csv(arguments.csv)
        if arguments.figure:
            from diml_core.drawing import (
                save_figure,
            )  # matplotlib is slow to import, and optional here

            save_figure(explanation, arguments.figure)
    except OSError as error:
        raise InputError(
            f"'{error.filename}' cannot be written ({error.strerror}): choose another place."
        ) from error


def report(explanation: Explanation, top: int) -> str:
    """The score as a sum, then the ``top`` strongest pairs of parts as a table."""
    pairs = explanation.strongest(top)
    scores = shown_sum(explanation.similarity, explanation.global_similarity)
    total, whole, parts = (written(score, 1) for score in scores)
    carried = points_of(sum(pair.contribution for pair in pairs))
    lines = [
        f"{explanation.name_a}  <->  {explanation.name_b}   ({explanation.model})",
        "",
        f"similarity  {total} points  =  {whole} global part  +  {parts} structural part",
        *_standing(explanation),
        f"transport   mass {explanation.mass:.2f}, {explanation.iterations} iterations, marginal error "
        f"{explanation.marginal_error:.1e}" + ("" if explanation.converged else ", NOT CONVERGED"),
        "",
        f"The {len(pairs)} strongest of {explanation.plan.size} pairs of parts (row, column) carry "
        f"{written(carried)} points ({share(carried, explanation.similarity)}) of {total}:",
        "  part of A   part of B     mass   cosine   points   of the score",
    ]
    for pair in pairs:
        a, b = ("({:2d}, {:2d})".format(*cell) for cell in (pair.cell_a, pair.cell_b))
        added = points_of(pair.contribution)
        lines.append(
            f"  {a:9}   {b:9}  {pair.mass:7.2%}  {pair.cosine:+7.4f}  {written(added, 2):>7}   "
            f"{share(added, explanation.similarity):>12}"
        )
    return "\n".join(lines)


def _standing(explanation: Explanation) -> list[str]:
    standing = explanation.standing
    if standing is None:
        return []
    return [
        f"standing    higher than {share_of_pairs(standing.different_below)} of different things; "
        f"{share_of_pairs(standing.same_above)} of the same kind are higher",
        f"            {FALSE_MATCHES:.0%} of pairs of different things score above {written(100 * standing.threshold, 1)} "
        f"points; so do {share_of_pairs(standing.same_above_threshold)} of the same kind",
        f"            (measured on {standing.photographs} photographs of {standing.kinds} kinds of things: "
        f"{standing.pairs_different:,} and {standing.pairs_same:,} pairs)",
    ]


def share_of_pairs(share: float) -> str:
    """In words, near either end to a tenth of a per cent, so that nearly all is not told as all.

    Args:
        share: of pairs, 0 to 1.
    """
    if share >= 1:
        return "all pairs"
    if share <= 0:
        return "no pairs"
    if share > 0.99:
        return f"{math.floor(1000 * share) / 10:.1f}% of pairs"
    if share < 0.01:
        return f"{math.ceil(1000 * share) / 10:.1f}% of pairs"
    return f"{share:.0%} of pairs"


def _check_many(arguments: argparse.Namespace) -> None:
    """Refuse what is for one pair where there are many, and half of what many need."""
    if not (arguments.pairs and arguments.output):
        raise InputError("--pairs and --output go together: give the pairs and a folder to write.")
    if arguments.image_a:
        raise InputError("Give either two photos, A and B, or --pairs: not both.")
    for name in _OF_ONE_PAIR:
        if getattr(arguments, name) is not None:
            raise InputError(
                f"--{name} is for one pair: leave it out, or give A and B, not --pairs."
            )


def _check_outputs(arguments: argparse.Namespace, top: int) -> None:
    """Refuse outputs that cannot work before minutes of work, not after."""
    if top < 0:
        raise InputError(f"--top must be 0 or more, not {top}.")
    outputs: list[Path | None] = [
        arguments.json,
        arguments.npz,
        arguments.csv,
        arguments.figure,
    ]
    for path in filter(None, outputs):
        if not path.parent.is_dir():
            raise InputError(
                f"The folder '{path.parent}' for '{path.name}' does not exist: create it first."
            )
        if path.is_dir():
            raise InputError(f"'{path}' is a folder: give the name of a file.")
    if arguments.figure and arguments.figure.suffix.lower() not in _FIGURE_SUFFIXES:
        raise InputError(
            f"A figure cannot be drawn as '{arguments.figure.name}': end the name in "
            f"{', '.join(sorted(_FIGURE_SUFFIXES))}."
        )
