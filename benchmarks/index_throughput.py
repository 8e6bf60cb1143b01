"""How much reading photos and storing their embeddings adds to the network that embeds them.

    python benchmarks/index_throughput.py [--photos 222] [--side 1024] [--engine onnx]

Writes the example photos as JPEGs of many sizes, so that all differ, into a temporary folder, and embeds them (1) by
the bare network in the batches of ``index``, from tensors that lie ready, (2) one photo after the other, as a loop
over ``model.extract`` does, (3) by ``index_photos`` into a new folder and (4) by ``embed_all``, as ``evaluate`` does;
one after the other in every round, so that a drift of the machine's speed hits all alike. Prints the photos per
second of (1), and the median over rounds of what the others reach of it in the same round.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from PIL import Image  # noqa: E402
from timing import seconds  # noqa: E402

from diml_core import load_model, load_photo  # noqa: E402
from diml_core.embedding.packing import packed  # noqa: E402
from diml_core.evaluation.embedding import embed_all  # noqa: E402
from diml_core.network.batches import batch_size, by_shape  # noqa: E402
from diml_core.network.checkpoints import DEFAULT_MODEL  # noqa: E402
from diml_core.network.devices import add_engine  # noqa: E402
from diml_core.retrieval import index_photos  # noqa: E402


def write_photos(folder: Path, count: int, side: int) -> list[Path]:
    """``count`` photos, their longest side ``side`` pixels or some fewer."""
    examples = sorted((ROOT / "assets" / "examples").glob("*.jpg"))
    for number in range(count):
        copy, example = divmod(number, len(examples))
        with Image.open(examples[example]) as image:
            scale = (side - 2 * copy) / max(image.size)
            size = [round(pixels * scale) for pixels in image.size]
            image.resize(size).save(folder / f"{number:04}.jpg", quality=90)
    return sorted(folder.glob("*.jpg"))


def main() -> None:
    """Measure the models and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=222, help="how many")
    parser.add_argument("--side", type=int, default=1024, help="pixels of their longer side")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    add_engine(parser)
    parser.add_argument("models", nargs="*", default=[DEFAULT_MODEL, "dinov2-s14"])
    arguments = parser.parse_args()

    print(
        "| model | batch | bare, photos/s | one by one | index | embed_all |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "photos")
        folder.mkdir()
        paths = write_photos(folder, arguments.photos, arguments.side)
        for name in arguments.models:
            model = load_model(name, device=arguments.device, engine=arguments.engine)
            options = model.options()
            embedder = model.embedder(options)
            size = batch_size(model, options.start_block)
            ready = [(path, model.preprocess(load_photo(path))) for path in paths]

            def bare(model=model, ready=ready, size=size) -> None:
                with torch.inference_mode():
                    for _, images in by_shape(ready, size):
                        model(images.to(model.device), None)[0].cpu()

            def one_by_one(model=model, embedder=embedder) -> None:
                for path in paths:
                    packed(embedder(model.extract(load_photo(path), embedder.start_block)))

            def index(model=model) -> None:
                with tempfile.TemporaryDirectory() as gallery:
                    index_photos(folder, gallery, model=model)

            def evaluate(model=model, embedder=embedder) -> None:
                embed_all(model, paths, [embedder], progress=False)

            steps = (one_by_one, index, evaluate)
            bare()
            base, ratios = [], {step: [] for step in steps}
            for _ in range(arguments.rounds):
                base.append(seconds(bare))
                for step in steps:
                    ratios[step].append(base[-1] / seconds(step))
            shown = [f"{statistics.median(ratios[step]):.0%}" for step in steps]
            rate = len(paths) / statistics.median(base)
            print(f"| {name} | {size} | {rate:.0f} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
