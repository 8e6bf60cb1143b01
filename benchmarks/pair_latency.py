"""How much DIML adds to the network it explains.

    python benchmarks/pair_latency.py

Times, from two decoded photos, (1) the bare forward pass of the backbone on the same two inputs, (2) a
finished Explanation and (3) what the page is sent, its photos and features as bytes; one after the other in every
round, so that a drift of the machine's speed hits all alike. Prints the median over rounds of each time as a multiple
of (1) of the same round. What a slider costs is the browser's: see viewer_frames.py.
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

from diml_core import explain, load_model, load_photo  # noqa: E402
from diml_core.network.checkpoints import shipped_models  # noqa: E402
from diml_core.viewer.pair import inside, live_pair  # noqa: E402

TARGETS = {"explanation": 1.15, "payload": 1.3}


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

    print("| model | bare forward, ms | explanation | payload |\n|---|---|---|---|")
    for name in shipped_models():
        model = load_model(name)
        network = model.backbone.network
        inputs = [model.preprocess(photo)[None] for photo in photos]

        def bare(network=network, inputs=inputs) -> None:
            with torch.inference_mode():
                for tensor in inputs:
                    network.forward_features(tensor)

        def explanation(model=model) -> object:
            return explain(model, *photos)

        def page(model=model) -> bytes:
            # As the page does it: with the attention of all blocks, for every start block.
            features = map(model.extract, photos)
            return orjson.dumps(live_pair(model, *features, model.options(), inside))

        steps = {"explanation": explanation, "payload": page}
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
