"""Put a trained model into ``checkpoints/``, with a card made of what was measured.

    python -m scripts.build_backbones
    python -m diml_core photos photos/ && python -m diml_core photos varied/ --set varied
    python -m diml_core scenes scenes/ --photographs varied/ --photograph-views 8
    python -m diml_core train configs/NAME.json --root scenes/     # of dinov2-s14, NAME-kinds.json before it
    python -m diml_core evaluate --model START --data photos scenes --root photos/ scenes/ --keypoints --output tables/NAME-before
    python -m diml_core evaluate --model runs/NAME/model --against START --data photos scenes --root photos/ scenes/ \
        --keypoints --output tables/NAME
    python -m diml_core evaluate --model runs/NAME/model --data photos --root photos/ --tables --output tables/NAME-ablations
    python -m diml_core evaluate --model runs/NAME/model --data photos --root photos/ --faithfulness \
        --output tables/NAME-faithfulness
    python -m scripts.publish_model NAME --run runs/NAME --before tables/NAME-before \
        --after tables/NAME --ablations tables/NAME-ablations --faithfulness tables/NAME-faithfulness

START is what training began from: `efficientnet-lite0-imagenet`, or `backbones/dinov2-s14`.
What a card says beside the figures is in ``scripts/cards/NAME.md``. A model that is worse than its start on real
photographs is refused, unless it is to be published as such: then its card says so in its first paragraph.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from diml_core.errors import InputError
from diml_core.evaluation.against import title_against
from diml_core.evaluation.faithfulness.tables import IN_SHORT
from diml_core.learning.validation import CHOSEN_BY
from diml_core.network.checkpoints import SHIPPED, load_model

CARDS = Path(__file__).resolve().parent / "cards"


def main() -> int:
    """Copy the model and write its card; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted(path.stem for path in CARDS.glob("*.md")))
    parser.add_argument("--run", type=Path, required=True, help="run folder of the training")
    parser.add_argument("--before", type=Path, required=True, help="tables of the start")
    parser.add_argument("--after", type=Path, required=True, help="tables of the trained model")
    parser.add_argument(
        "--ablations", type=Path, required=True, help="its tables of one thing changed at a time"
    )
    parser.add_argument(
        "--faithfulness", type=Path, required=True, help="its tables beside other methods"
    )
    parser.add_argument(
        "--default",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="another default than the run's, e.g. mass=0.75, chosen on the validation half of photos",
    )
    parser.add_argument(
        "--worse-than-start",
        action="store_true",
        help="publish a model that is worse than its start on real photographs; its card will say so",
    )
    arguments = parser.parse_args()
    try:
        folder = SHIPPED / arguments.name
        losses = losses_on_photographs(arguments.after)
        if losses and not arguments.worse_than_start:
            raise InputError(
                f"On real photographs {arguments.name} is worse than its start ({', '.join(losses)}): train it "
                "better, or publish it as such with --worse-than-start."
            )
        card = model_card(
            arguments.name,
            arguments.run,
            arguments.before,
            arguments.after,
            arguments.ablations,
            arguments.faithfulness,
        )
        config = load_model(arguments.run / "model").config  # before anything is replaced
        chosen = dict(item.split("=", 1) for item in arguments.default)
        defaults = config.defaults | {key: json.loads(value) for key, value in chosen.items()}
        folder.mkdir(exist_ok=True)
        shutil.copyfile(arguments.run / "model" / "model.safetensors", folder / "model.safetensors")
        text = json.dumps(replace(config, defaults=defaults).to_dict(), indent=2) + "\n"
        (folder / "config.json").write_text(text, encoding="utf-8")
        load_model(folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
    except (InputError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{folder}: {(folder / 'model.safetensors').stat().st_size / 1e6:.1f} MB")
    return 0


def losses_on_photographs(after: Path) -> list[str]:
    """By which figures a model is worse than its start, each with the points that it lost.

    Raises:
        InputError: the evaluation was not made on photographs, against the start.
    """
    with (after / "tables.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == title_against("photos")]
    gains = {
        f"{row['row']} {row['column'].removesuffix(', gain')}": 100 * float(row["mean"])
        for row in rows
        if row["column"].endswith(", gain")
    }
    if not gains:
        raise InputError(
            f"'{after}' does not say how the model does on real photographs: evaluate it with --data photos and "
            "--against its start."
        )
    return [f"{name} {gain:.1f}" for name, gain in gains.items() if gain < 0]


def model_card(
    name: str, run: Path, before: Path, after: Path, ablated: Path, faithful: Path
) -> str:
    """The card of ``name``: its text, its training, and the tables before, after, of ablations and of faithfulness."""
    text = (CARDS / f"{name}.md").read_text(encoding="utf-8")
    losses = losses_on_photographs(after)
    filled = {
        "warning": f"**On real photographs it is worse than its start: {', '.join(losses)} points.**\n"
        if losses
        else "",
        "training": _training(run),
        "before": _tables(before),
        "after": _tables(after),
        "ablations": _ablations(ablated),
        "faithfulness": faithfulness_in_short(faithful),
    }
    for key, value in filled.items():
        text = text.replace(f"<!-- {key} -->", value)
    return text


def _training(run: Path) -> str:
    """The configuration that was run, and where it was stopped."""
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get(CHOSEN_BY)]
    stopped = f"All training classes, {config['steps']} steps."
    if rows:
        best = max(rows, key=lambda row: float(row[CHOSEN_BY]))
        scores = ", ".join(
            f"{key} {float(value):.1f}" for key, value in best.items() if "@" in key and value
        )
        stopped = f"Step {best['step']} of {config['steps']} was best on held-out training classes: {scores}."
    return f"{stopped}\n\n```json\n{json.dumps(config, indent=2)}\n```"


def _ablations(folder: Path) -> str:
    """The tables in which one thing is changed at a time: all but the first, which is among the others."""
    return "### " + _tables(folder).split("### ", 2)[2]


def faithfulness_in_short(folder: Path) -> str:
    """The one table of an evaluation that says how explanations did beside those of other methods.

    Raises:
        InputError: the evaluation did not put them to the test.
    """
    found = _tables(folder).partition(f"### {IN_SHORT}\n")[2].partition("\n### ")[0].strip()
    if not found:
        raise InputError(
            f"'{folder}' does not say whether its explanations are true: evaluate it with --faithfulness."
        )
    return found


def _tables(folder: Path) -> str:
    """An evaluation's tables without their heading."""
    text = (folder / "tables.md").read_text(encoding="utf-8")
    return text.partition("\n")[2].strip()


if __name__ == "__main__":
    sys.exit(main())
