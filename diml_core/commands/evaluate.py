"""``python -m diml_core evaluate``: measure a model on classes it has not seen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from diml_core.checkpoints import DEFAULT_MODEL, load_model, shipped_models
from diml_core.errors import InputError
from diml_core.evaluation.keypoints import keypoint_tables, load_keypoints
from diml_core.evaluation.metrics import PROTOCOLS
from diml_core.evaluation.report import evaluate
from diml_core.evaluation.tables import Table, as_csv, as_markdown
from diml_core.learning.data import DATASETS, LabelledImages, load_dataset
from diml_core.learning.data.base import SPLITS
from diml_core.learning.data.scenes import SceneTruth, load_truth
from diml_core.marginals import MARGINALS
from diml_core.model import DimlModel
from diml_core.options import ExplainOptions


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "evaluate",
        help="measure retrieval and part matching on a data set",
        description="Measure retrieval with the global embedding alone and re-ranked by parts, with "
        "95%% intervals over classes; on scenes also whether parts are matched where they went. "
        "Prints Markdown; --output keeps it, and CSV.",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"{', '.join(shipped_models())}, a checkpoint folder, an authors' .pth file, or timm:NAME "
        "(default: %(default)s)",
    )
    parser.add_argument("--data", choices=sorted(DATASETS), help="the data set")
    parser.add_argument("--root", type=Path, metavar="DIR", help="the folder that it lies in")
    parser.add_argument("--split", choices=SPLITS, default="test", help="default: %(default)s")
    parser.add_argument(
        "--ratio",
        type=float,
        metavar="R",
        help="folder: share of the classes that train (default: 0.5)",
    )
    parser.add_argument(
        "--keypoints",
        action="store_true",
        help="score matches of the example photos against hand-marked keypoints, instead of or beside --data",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        default=100,
        metavar="K",
        help="candidates to re-rank (default: %(default)s)",
    )
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="usual",
        help="authors: the query counts among its own positives, as in their code",
    )
    parser.add_argument("--tables", action="store_true", help="every ablation table, too")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write tables.md and tables.csv there"
    )
    parser.add_argument("--grid", type=int, metavar="N", help="parts per side of a square photo")
    parser.add_argument("--marginals", metavar="NAME", help=", ".join(MARGINALS))
    parser.add_argument("--mass", type=float, metavar="M", help="transported mass, above 0 to 1")
    parser.add_argument(
        "--start-block", type=int, metavar="L", help="first block of the rollout (ViT)"
    )
    parser.add_argument(
        "--kept-mass", type=float, metavar="M", help="share of the rollout kept (ViT)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure, print and write.

    Raises:
        InputError: nothing to measure, a data set that is not as it should be, a bad option or model,
            or an output folder that cannot be written; before the long work wherever possible.
    """
    if not (arguments.data or arguments.keypoints):
        raise InputError("There is nothing to measure: give --data and --root, or --keypoints.")
    if bool(arguments.data) != bool(arguments.root):
        raise InputError(
            "--data and --root go together: name the data set and the folder it lies in."
        )
    if arguments.top_k < 1:
        raise InputError(f"--top-k must be at least 1, not {arguments.top_k}.")
    if arguments.ratio is not None and arguments.data != "folder":
        raise InputError(
            "--ratio is for --data folder: the other data sets have a split of their own."
        )
    if arguments.output:
        _prepare(arguments.output)
    model = load_model(arguments.model)
    options = model.options(
        **{
            n: getattr(arguments, n)
            for n in ("grid", "marginals", "mass", "start_block", "kept_mass")
        }
    )
    dataset, truth = _loaded(arguments) if arguments.data else (None, None)
    heading = f"## {model.name}" + (
        f" on {arguments.data}, {arguments.split}" if arguments.data else ""
    )
    print(f"{heading}\n\n{_described(options)}\n")
    tables: list[Table] = []
    for table in _measured(arguments, model, options, dataset, truth):
        print(as_markdown([table]), flush=True)
        tables.append(table)
        if arguments.output:  # after every table, for some take an hour
            text = f"{heading}\n\n{_described(options)}\n\n{as_markdown(tables)}"
            (arguments.output / "tables.md").write_text(text, encoding="utf-8")
            (arguments.output / "tables.csv").write_text(as_csv(tables), encoding="utf-8")


def _loaded(arguments: argparse.Namespace) -> tuple[LabelledImages, SceneTruth | None]:
    extra = {} if arguments.ratio is None else {"ratio": arguments.ratio}
    dataset = load_dataset(arguments.data, arguments.root, arguments.split, **extra)
    scenes = arguments.data == "scenes"
    return dataset, load_truth(dataset.samples, arguments.root) if scenes else None


def _measured(
    arguments: argparse.Namespace,
    model: DimlModel,
    options: ExplainOptions,
    dataset: LabelledImages | None,
    truth: SceneTruth | None,
) -> Iterator[Table]:
    if arguments.keypoints:
        yield from keypoint_tables(model, load_keypoints(), options)
    if dataset is not None:
        yield from evaluate(
            model,
            dataset,
            options,
            top_k=arguments.top_k,
            protocol=arguments.protocol,
            tables=arguments.tables,
            truth=truth,
        )


def _described(options: ExplainOptions) -> str:
    """The options in a line, so that a table says what it was made with."""
    values = {k: v for k, v in vars(options).items() if v is not None}
    return "Options: " + ", ".join(f"{k} {v}" for k, v in values.items()) + "."


def _prepare(folder: Path) -> None:
    """Find out now, not after an hour, that nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("tables.md", "tables.csv"):
            with (folder / name).open("a", encoding="utf-8"):
                pass
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written ({error.strerror}): choose another."
        ) from error
