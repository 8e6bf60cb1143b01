"""What the library makes of pairs of photos, written for the viewer's engine to make the same of.

``python tests/viewer/write_golden.py DIR`` writes into an empty folder ``pairs/*.json``, each with a payload of
the viewer and what :func:`diml_core.explain` gave; ``looks/*.json``, where parts looked; ``rivals/*.json``, what other
methods say; ``binaries/``, which their addresses name; and ``transports/`` and ``tables/``, what single functions give.
"""

import base64
import copy
import hashlib
import json
import random
import sys
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diml_core import load_model, load_photo
from diml_core.comparison.marginals import marginal_names
from diml_core.comparison.transport import partial_transport
from diml_core.counterfactual import COVERS
from diml_core.embedding.grids import grid_on_map
from diml_core.embedding.pooling import GRID_POOLINGS, pooling_matrix
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.evaluation.faithfulness import RANKINGS, order_of, rankings_for
from diml_core.explain import explain_features
from diml_core.network.checkpoints import shipped_models
from diml_core.viewer.pair import fixed_pair, live_pair

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
# Landscape, portrait, nearly square, and strips that the examples lack: left, top, right, bottom of what is cut out.
PAIRS = (
    ("heron.jpg", "harrier.jpg"),
    ("giraffes.jpg", "giraffe-head.jpg"),
    ("kingfisher.jpg", "koala.jpg"),
    ("red-panda-turned.jpg", "red-panda.jpg"),
    (("crocodile.jpg", (0, 100, 640, 240)), "komodo-dragon.jpg"),
    (("liberty.jpg", (150, 0, 310, 640)), ("cat.jpg", (0, 0, 300, 300))),
)
HARD = (
    {"epsilon": 0.005, "mass": 0.99},
    {"epsilon": 0.005, "mass": 1.0, "marginals": "uniform"},
    {"epsilon": 0.005, "mass": 0.05},
    {"mass": 0.05},
    {"mass": 0.25, "tolerance": 1e-12},
)


class Golden:
    """The folder that is written."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("pairs", "looks", "rivals", "transports", "tables", "binaries"):
            (folder / name).mkdir()

    def place(self, ending, _, content):
        """A :data:`diml_core.viewer.pair.Place`: equal bytes are one file, whatever they are called."""
        data = content()
        address = f"binaries/{hashlib.sha256(data).hexdigest()}.{ending}"
        (self.folder / address).write_bytes(data)
        return address

    def write(self, kind, name, values):
        (self.folder / kind / f"{name}.json").write_text(json.dumps(values), encoding="utf-8")


def text(array):
    """Base64 of float64."""
    return base64.b64encode(array.astype("<f8").tobytes()).decode()


def photo(which):
    name, box = which if isinstance(which, tuple) else (which, None)
    with Image.open(EXAMPLES / name) as image:
        return load_photo(image.crop(box) if box else image.copy(), name=name)


def values_of(model):
    """What every option is tried with."""
    finest, blocks = model.max_grid, model.backbone.attention_blocks
    values = {
        "grid": sorted({1, 4, model.options().grid, finest}),
        "marginals": marginal_names(model.has_rollout),
        "mass": [0.25, 0.75, 1.0],
        "epsilon": [0.02, 0.05, 0.5],
    }
    if model.has_rollout:
        values |= {
            "start_block": sorted({0, blocks // 2, blocks - 1}),
            "head_fusion": list(HEAD_FUSIONS),
            "kept_mass": [1.0, 0.6],
        }
    return values


def covering(model, seed):
    """Options such that every value of each is there, mixed anew for every pair."""
    values = values_of(model)
    count = max(map(len, values.values()))
    mix = random.Random(seed)
    columns = {}
    for key, those in values.items():
        columns[key] = [those[k % len(those)] for k in range(count)]
        mix.shuffle(columns[key])
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def write_pair(golden, model, name, features, options):
    a, b = features
    chosen = model.options(**options)
    explanation = explain_features(model, a, b, chosen)
    values = explanation.to_dict()
    known = fixed_pair(values, a.photo, b.photo, golden.place)
    golden.write(
        "pairs",
        name,
        {
            "payload": live_pair(model, a, b, chosen, golden.place),
            "fixed": known,
            "scores": [values[f"{kind}similarity"] for kind in ("", "global_", "structural_")],
            "against": [text(explanation.against_a), text(explanation.against_b)],
        },
    )
    return explanation


def write_looks(golden, model, name, features, options):
    """Where all parts of a grid looked, by attention as coarse as the browser gets it."""
    chosen = model.options(**options)
    pair = live_pair(model, features, features, chosen, golden.place)
    tokens, blocks = pair["a"]["tokens"], len(features.attentions)
    sent = (golden.folder / pair["a"]["attention"]).read_bytes()
    levels = np.frombuffer(sent, "u1").reshape(blocks, 1, tokens, tokens).astype(np.float64)
    coarse = torch.from_numpy(levels / levels.sum(-1, keepdims=True))
    map_shape = (features.map.shape[0], features.map.shape[1])
    looked = model.embedder(chosen).part_rollout(map_shape, tuple(coarse))
    grid = grid_on_map(map_shape, chosen.grid)
    golden.write("looks", name, {"payload": pair, "grid": grid, "looked": text(looked.numpy())})


def write_rivals(golden, model, name, features, options):
    """What all methods say that ask neither the network again nor chance."""
    chosen = model.options(**options)
    weights = {
        key: [text(side) for side in RANKINGS[key].weights(model, *features, chosen)]
        for key in rankings_for(model)
        if RANKINGS[key].passes == 0 and not RANKINGS[key].is_drawn
    }
    pair = live_pair(model, *features, chosen, golden.place)
    golden.write("rivals", name, {"payload": pair, "weights": weights})


def write_tables(golden):
    """What single functions give: grids, poolings, halves, covers, and the order of parts that count alike."""
    grids = [
        [[height, width], side, grid_on_map((height, width), side)]
        for height in range(1, 21)
        for width in range(1, 21)
        for side in range(1, 17)
    ]
    poolings = [
        [method, cells, parts, text(along(cells, parts).numpy())]
        for method, along in GRID_POOLINGS.items()
        for cells in range(1, 21)
        for parts in range(1, cells + 1)
    ]
    matrices = [
        [method, shape, grid, text(pooling_matrix(shape, grid, method).numpy())]
        for method in GRID_POOLINGS
        for shape, grid in (((7, 9), (3, 5)), ((11, 18), (6, 7)), ((5, 3), (5, 3)))
    ]
    halves = text(np.arange(2**16, dtype=np.uint16).view(np.float16))
    covers = []
    for width, height in ((300, 20), (24, 310), (40, 30), (512, 24)):
        pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        whole = {cover: text(hide(pixels)) for cover, hide in COVERS.items()}
        covers.append([width, height, text(pixels), whole])
    golden.write(
        "tables",
        "tables",
        {"grids": grids, "poolings": poolings, "matrices": matrices, "halves": halves}
        | {"covers": covers}
        | {"orders": [order_of(np.arange(n) // 3).tolist() for n in (1, 2, 3, 16, 49, 144, 999)]},
    )


def write_transports(golden):
    """Problems harder than photos give: all mass must cross, some parts have none, epsilon is least."""
    random_numbers = torch.Generator().manual_seed(0)
    x, y = (torch.linspace(0, 1, n, dtype=torch.float64) for n in (22, 27))
    noise = torch.rand(len(x), len(y), generator=random_numbers, dtype=torch.float64)
    line = (x[:, None] - y).abs()
    # The last is dearer than any two cosines: its scalings leave the number range unless they are absorbed.
    costs = {"along a line": 2 * line, "without order": 2 * noise, "far along a line": 12 * line}
    u, v = (0.8 - x).clamp_min(0), y**3
    u, v = u / u.sum(), v / v.sum()
    for kind, cost in costs.items():
        for mass in (0.2, 0.6, 0.97, 1.0):
            for epsilon in (0.005, 0.02, 0.2):
                for tolerance in (1e-6, 1e-11):
                    found = partial_transport(
                        cost, u, v, mass, epsilon=epsilon, tolerance=tolerance
                    )
                    golden.write(
                        "transports",
                        f"{kind}, mass {mass}, epsilon {epsilon}, to {tolerance}",
                        {name: text(a.numpy()) for name, a in (("cost", cost), ("u", u), ("v", v))}
                        | {"mass": mass, "epsilon": epsilon, "tolerance": tolerance}
                        | {"plan": text(found.plan.numpy()), "iterations": int(found.iterations)},
                    )


def write(folder):
    golden = Golden(folder)
    write_tables(golden)
    write_transports(golden)
    for model in map(load_model, shipped_models()):

        @cache
        def seen(which, attention_from=0, model=model):
            return model.extract(photo(which), attention_from)

        for number, pair in enumerate(PAIRS):
            cases = covering(model, f"{model.name} {number}")
            if number % 3 == 0:
                cases += HARD
            for case, options in enumerate(cases):
                label = f"{model.name} pair {number} case {case}"
                write_pair(golden, model, label, [seen(which) for which in pair], options)

        # A photo and its opposite: no part resembles the other whole, so that all must count the same.
        first = seen(PAIRS[0][0])
        opposite = replace(first, map=-first.map)
        for kind in sorted({"cross-correlation", "product"} & set(values_of(model)["marginals"])):
            label = f"{model.name} opposite {kind}"
            options = {"grid": 2, "marginals": kind}
            found = write_pair(golden, model, label, [first, opposite], options)
            assert np.ptp(found.marginals_a) == np.ptp(found.marginals_b) == 0

        # The poolings that no shipped model has.
        authors = copy.copy(model)
        authors.config = replace(model.config, pooling="grid", grid_pooling="resampled")
        for grid in values_of(model)["grid"]:
            label = f"{model.name} as the authors pool, grid {grid}"
            write_pair(golden, authors, label, [seen(which) for which in PAIRS[4]], {"grid": grid})
        for which, pooled in ((model, "its own"), (authors, "the authors'")):
            label = f"{model.name} with {pooled} pooling"
            write_rivals(golden, which, label, [seen(each) for each in PAIRS[4]], {"mass": 0.75})

        if model.has_rollout:
            write_attention(golden, model, seen)


def write_attention(golden, model, seen):
    """Attention of the last blocks only; and where parts looked."""
    last = model.backbone.attention_blocks - 1
    for start in (last - 1, last):
        options = {"start_block": start, "kept_mass": 0.6, "head_fusion": "max"}
        features = [seen(which, last - 1) for which in PAIRS[1]]
        write_pair(
            golden, model, f"{model.name} from block {last - 1} at {start}", features, options
        )
    for number, (grid, start, kept) in enumerate(
        # Bytes have ties, of which truncation may keep any: so not where one block makes a row.
        ((5, last - 1, 0.6), (8, 0, 0.6), (16, 4, 1.0), (7, last, 1.0))
    ):
        options = {"grid": grid, "start_block": start, "kept_mass": kept}
        write_looks(golden, model, f"{model.name} looks {number}", seen(PAIRS[2][0]), options)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # an unconverged transport is a case like another
    write(Path(sys.argv[1]))
