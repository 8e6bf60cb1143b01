"""``python -m diml_core evaluate``: measure a model on classes it has not seen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from diml_core.comparison.marginals import MARGINALS
from diml_core.comparison.options import ExplainOptions
from diml_core.data import DATASETS, LabelledImages, known_truth, load_dataset
from diml_core.data.base import SPLITS
from diml_core.data.scenes import SceneTruth
from diml_core.errors import InputError
from diml_core.evaluation.against import against
from diml_core.evaluation.faithfulness.rivals import RANKINGS, rankings_for
from diml_core.evaluation.faithfulness.tables import PAIRS, chosen_keys, faithfulness_tables
from diml_core.evaluation.keypoints import keypoint_tables, load_keypoints
from diml_core.evaluation.metrics import PROTOCOLS
from diml_core.evaluation.report import evaluate
from diml_core.evaluation.side_by_side import side_by_side
from diml_core.evaluation.tables import Table, as_csv, as_markdown
from diml_core.network.checkpoints import DEFAULT_MODEL, load_model, model_names
from diml_core.network.devices import add_device, add_engine
from diml_core.network.model import DimlModel


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
        help=f"{model_names()} (default: %(default)s)",
    )
    parser.add_argument(
        "--data",
        choices=sorted(DATASETS),
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"one data set or several ({', '.join(sorted(DATASETS))}), then also side by side in one table",
    )
    parser.add_argument(
        "--root",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="the folder that each of them lies in",
    )
    parser.add_argument(
        "--against",
        metavar="MODEL",
        help="another model, such as what this one was trained from: the difference, paired",
    )
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
        "--faithfulness",
        action="store_true",
        help="put explanations to the test on pairs of one class, beside those of other methods",
    )
    parser.add_argument(
        "--pairs-limit",
        type=int,
        default=PAIRS,
        metavar="N",
        help="faithfulness: at most so many pairs, one of every class first (default: %(default)s)",
    )
    parser.add_argument(
        "--rivals",
        nargs="+",
        metavar="NAME",
        help=f"faithfulness: these alone, of {', '.join(RANKINGS)} (default: those of at most two more runs of "
        "the network per pair)",
    )
    parser.add_argument(
        "--slow-rivals",
        action="store_true",
        help="faithfulness: those that run the network hundreds of times per pair, too",
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
    add_device(parser)
    add_engine(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure, print and write.

    Raises:
        InputError: nothing to measure, a data set that is not as it should be, a bad option or model,
            or an output folder that cannot be written; before the long work wherever possible.
    """
    if not (arguments.data or arguments.keypoints):
        raise InputError("There is nothing to measure: give --data and --root, or --keypoints.")
    if len(arguments.data) != len(arguments.root):
        raise InputError(
            "--data and --root go together: name each data set, and in the same order the folder it lies in."
        )
    if len(set(arguments.data)) < len(arguments.data):
        raise InputError("--data names a data set twice: evaluate its folders one at a time.")
    if arguments.against and not arguments.data:
        raise InputError("--against compares on data: give --data and --root, too.")
    if arguments.faithfulness and not arguments.data:
        raise InputError("--faithfulness tries pairs of a data set: give --data and --root, too.")
    if arguments.faithfulness and arguments.engine != "torch":
        raise InputError(
            "--faithfulness asks for gradients and shuffles weights, which torch alone can do: leave --engine out."
        )
    if arguments.rivals and arguments.slow_rivals:
        raise InputError(
            "--rivals names them all: leave --slow-rivals out, or name the slow ones, too."
        )
    if arguments.pairs_limit < 1:
        raise InputError(f"--pairs-limit must be at least 1, not {arguments.pairs_limit}.")
    if arguments.top_k < 1:
        raise InputError(f"--top-k must be at least 1, not {arguments.top_k}.")
    if arguments.ratio is not None and "folder" not in arguments.data:
        raise InputError(
            "--ratio is for --data folder: the other data sets have a split of their own."
        )
    if arguments.output:
        _prepare(arguments.output)
    where = {"device": arguments.device, "engine": arguments.engine}
    model = load_model(arguments.model, **where)
    start = None
    if arguments.against:
        start = load_model(arguments.against, **where)
    options = model.options(
        **{
            n: getattr(arguments, n)
            for n in ("grid", "marginals", "mass", "start_block", "kept_mass")
        }
    )
    if arguments.faithfulness:
        chosen_keys(model, _rivals(arguments, model))
    loaded = _loaded(arguments)
    heading = f"## {model.name}" + (
        f" on {' and '.join(arguments.data)}, {arguments.split}" if loaded else ""
    )
    print(f"{heading}\n\n{_described(options)}\n")
    tables: list[Table] = []
    for table in _measured(arguments, model, options, start, loaded):
        print(as_markdown([table]), flush=True)
        tables.append(table)
        if arguments.output:  # after every table, for some take an hour
            text = f"{heading}\n\n{_described(options)}\n\n{as_markdown(tables)}"
            (arguments.output / "tables.md").write_text(text, encoding="utf-8")
            (arguments.output / "tables.csv").write_text(as_csv(tables), encoding="utf-8")


def _loaded(arguments: argparse.Namespace) -> list[tuple[LabelledImages, SceneTruth | None]]:
    loaded = []
    for name, root in zip(arguments.data, arguments.root, strict=True):
        ratio = arguments.ratio if name == "folder" else None
        extra = {} if ratio is None else {"ratio": ratio}
        dataset = load_dataset(name, root, arguments.split, **extra)
        loaded.append((dataset, known_truth(dataset, root)))
    return loaded


def _measured(
    arguments: argparse.Namespace,
    model: DimlModel,
    options: ExplainOptions,
    start: DimlModel | None,
    loaded: list[tuple[LabelledImages, SceneTruth | None]],
) -> Iterator[Table]:
    how = {"top_k": arguments.top_k, "protocol": arguments.protocol}
    by_candidates = {}

    def named(table: Table, dataset: LabelledImages) -> Table:
        return replace(table, title=f"{table.title}, {dataset.name}") if len(loaded) > 1 else table

    for dataset, truth in loaded:
        if start is not None:
            yield against(model, options, start, dataset, **how)
        measured = evaluate(model, dataset, options, tables=arguments.tables, truth=truth, **how)
        for number, table in enumerate(measured):
            if number == 0:
                by_candidates[dataset.name] = table
            yield named(table, dataset)
    if len(loaded) > 1:
        yield side_by_side(by_candidates)
    if arguments.faithfulness:
        for dataset, truth in loaded:
            for table in faithfulness_tables(
                model,
                dataset,
                options,
                truth=truth,
                keys=_rivals(arguments, model),
                pairs=arguments.pairs_limit,
            ):
                yield named(table, dataset)
    if arguments.keypoints:
        yield from keypoint_tables(model, load_keypoints(), options)


def _rivals(arguments: argparse.Namespace, model: DimlModel) -> list[str] | None:
    return rankings_for(model) if arguments.slow_rivals else arguments.rivals


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
