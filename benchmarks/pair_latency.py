"""How much DIML adds to the network it explains.

    python benchmarks/pair_latency.py

Times, from two decoded photos, (1) the bare forward pass of the backbone on the same two inputs, (2) a
finished Explanation, (3) the page's payload as JSON, written as Gradio writes it, and (4) a slider move,
whose features are cached; one after the other in every round, so that a drift of the machine's speed
hits all alike. Prints the median over rounds of each time as a multiple of (1) of the same round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import orjson  # noqa: E402
import torch  # noqa: E402
from timing import seconds  # noqa: E402

from app import payload  # noqa: E402
from app.payload import viewer_payload  # noqa: E402
from diml_core import explain, load_model, load_photo  # noqa: E402
from diml_core.explain import explain_features  # noqa: E402
from diml_core.network.checkpoints import shipped_models  # noqa: E402

TARGETS = {"explanation": 1.15, "payload": 1.3, "slider move": 0.1}


def main() -> None:
    """Measure every shipped model and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    examples = ROOT / "assets" / "examples"
    parser.add_argument(
        "images", nargs="*", default=[examples / "heron.jpg", examples / "harrier.jpg"]
    )
    arguments = parser.parse_args()
    photos = [load_photo(path) for path in arguments.images[:2]]

    print(
        "| model | bare forward, ms | explanation | payload | slider move |\n|---|---|---|---|---|"
    )
    for name in shipped_models():
        model = load_model(name)
        network = model.backbone.network
        inputs = [model.preprocess(photo)[None] for photo in photos]
        features = [model.extract(photo) for photo in photos]
        # A slider between two positions, so that nothing can be remembered from the last move.
        grids = [model.options(grid=g) for g in (model.options().grid, model.max_grid - 1)]
        moves = 0

        def bare(network=network, inputs=inputs) -> None:
            with torch.inference_mode():
                for tensor in inputs:
                    network.forward_features(tensor)

        def explanation(model=model) -> object:
            return explain(model, *photos)

        def page(model=model) -> bytes:
            payload._encoded.cache_clear()  # new photos: their JPEGs are part of the work
            # As the page does it: with the attention of all blocks, for every later slider move.
            return orjson.dumps(viewer_payload(explain(model, *map(model.extract, photos))))

        def slider(model=model, features=features, grids=grids) -> bytes:
            nonlocal moves
            moves += 1
            return orjson.dumps(
                viewer_payload(explain_features(model, *features, grids[moves % 2]))
            )

        steps = {"explanation": explanation, "payload": page, "slider move": slider}
        for warm_up in (bare, *steps.values()):
            warm_up()
        base, ratios = [], {key: [] for key in steps}
        for _ in range(arguments.rounds):
            base.append(seconds(bare))
            for key, step in steps.items():
                ratios[key].append(seconds(step) / base[-1])
        shown = [
            f"{statistics.median(ratios[key]):.2f}x (target <= {TARGETS[key]})" for key in steps
        ]
        print(f"| {name} | {1e3 * statistics.median(base):.0f} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
