"""``python -m diml_core train CONFIG``: train a model with the structural similarity in the loss."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from diml_core.data import DATASETS
from diml_core.errors import InputError
from diml_core.learning.config import TrainConfig
from diml_core.network.devices import add_device

_NEEDED = {"pytorch_metric_learning": "pytorch-metric-learning", "accelerate": "accelerate"}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "train",
        help="train a model with the structural similarity in the loss",
        description="Train a model on the training classes of a data set. Interrupted runs go on where "
        "they were. Several processes: accelerate launch -m diml_core train CONFIG ...",
    )
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a JSON file as in configs/")
    parser.add_argument(
        "--root",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder that the data set lies in",
    )
    parser.add_argument(
        "--data", choices=sorted(DATASETS), help="the data set (default: the config's)"
    )
    parser.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        dest="folder",
        help="run folder (default: runs/<config's name>)",
    )
    parser.add_argument(
        "--start", metavar="MODEL", help="model to start from (default: the config's)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="change a value of the config, any number of times: steps=800, model.head=256, loss=null "
        "(JSON, or else text; a dot leads into an object)",
    )
    add_device(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train, and say where the model is.

    Raises:
        InputError: packages that are missing, or whatever is wrong with config, data or run folder.
    """
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise InputError(
            f"Training needs {' and '.join(missing)}: pip install {' '.join(missing)}."
        )
    from diml_core.data import known_truth, load_dataset
    from diml_core.learning.processes import accelerator_on
    from diml_core.learning.training import Training, with_overrides

    accelerator = accelerator_on(arguments.device)
    config = with_overrides(_config(arguments), start=arguments.start, data=arguments.data)
    images = load_dataset(config.data, arguments.root, "train")
    truth = known_truth(images, arguments.root) if config.needs_truth else None
    folder = arguments.folder or Path("runs") / arguments.config.stem
    training = Training(config, images, folder, truth=truth, accelerator=accelerator)
    model = training.run()
    if training.main:
        chosen = f", held-out MAP@R {training.best:.1f}" if training.best >= 0 else ""
        print(f"{training.step} steps{chosen}: the model is in {model}")


def _config(arguments: argparse.Namespace) -> TrainConfig:
    try:
        return TrainConfig.read(arguments.config, arguments.settings)
    except InputError as error:
        given = " ".join(f"--set {setting}" for setting in arguments.settings)
        raise InputError(f"With {given}: {error}" if given else str(error)) from error
