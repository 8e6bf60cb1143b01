"""The pages on extending: their code, put where they say into a copy of the library, works on tiny models."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from pages import DOCS, ROOT, blocks, put, script
from PIL import Image

pytest.importorskip(
    "accelerate", reason="no accelerate here: pip install -r requirements-train.txt"
)

from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig

PAGES = {
    page.stem: page for page in sorted((DOCS / "extending").glob("*.md")) if page.name != "index.md"
}
CLASSES, IMAGES, SIDE = 4, 4, 64
# What a page cannot show: the hub is not asked for weights, and a run takes two steps of small batches.
BEFORE = """
import diml_core
import timm
_create = timm.create_model
timm.create_model = lambda name, pretrained=False, **options: _create(name, **options)
"""
SHORT = {
    "steps": 2, "warmup": 0, "views": 1, "classes_per_batch": 3, "images_per_class": 2, "validation_share": 0,
}  # fmt: skip
# What must hold after the code of the page.
AFTER = {
    "timm": """
        assert model.name == "timm:resnet18"
        assert trained.dim == 128 and trained.config.trained_with_diml
    """,
    "backbone": """
        assert model.max_grid == 14 and model.backbone.flexible and not model.has_rollout
        from diml_core.data import load_dataset
        from diml_core.learning.config import TrainConfig
        from diml_core.learning.training import Training
        from pathlib import Path
        config = TrainConfig(
            "models/patches", {"head": 8}, "folder", trained_blocks=-1, steps=1, views=1,
            classes_per_batch=3, images_per_class=2, validation_share=0,
        )
        images = load_dataset("folder", Path("photos"), "train")
        assert Training(config, images, Path("runs/patches")).run().is_dir()
    """,
    "marginal": """
        assert explanation.options.marginals == "softmax"
        import numpy as np
        assert abs(explanation.marginals_a.sum() - 1) < 1e-9
        assert not np.allclose(explanation.marginals_a, explain(model, "a.jpg", "b.jpg").marginals_a)
        from diml_core.retrieval import Gallery, index_photos
        index_photos("photos", "gallery", model=model)
        assert len(Gallery.open("gallery", model=model).search("a.jpg", marginals="softmax")) > 1
        explanation.to_html("pair.html")
        assert '"softmax"]' in open("pair.html", encoding="utf-8").read()  # the page offers it
    """,
    "pooling": """
        assert before.structural_similarity != after.structural_similarity
        assert load_model("models/tent").config.grid_pooling == "tent"
        after.to_html("pair.html")
        assert '"fixed": {' in open("pair.html", encoding="utf-8").read()
        import torch
        from diml_core.embedding.pooling import tent_pooling
        assert torch.equal(tent_pooling(5, 5), torch.eye(5))
    """,
    "loss": """
        assert training.step == 2 and training.history[-1]["loss"] > 0
        assert training.loss.loss.temperature == 0.07
    """,
    "auxiliary": """
        assert training.history[-1]["uniformity loss"] < 0 < training.history[-1]["loss"]
    """,
    "dataset": """
        assert images.name == "listing" and len(images.classes) == 2
    """,
    "truth": """
        import numpy as np
        truth = known_truth(images, root)
        views = {sample.path.stem: row for row, sample in enumerate(images.samples)}
        # Photograph 2 shows what lies 16 of 64 pixels to the right.
        moved = truth.between(np.array([views["1"]]), np.array([views["2"]]))[0] @ [0.5, 0.5, 1]
        assert np.allclose(moved, [0.25, 0.5, 1]), moved
        assert training.history[-1]["correspondence loss"] > 0
    """,
    "ranking": """
        import numpy as np
        from diml_core import explain
        assert "cell-length" in rankings_for(model) and len(rankings_for(model)) == len(RANKINGS)
        pair = explain(model, a, b, **vars(options))
        assert in_a.shape == pair.marginals_a.shape and in_b.shape == pair.marginals_b.shape
        # By the longest of what each part averages: no part is longer than the longest cell.
        assert 0 < in_a.max() <= a.map.norm(dim=-1).max() + 1e-6
        assert [curve.key for curve in curves] == ["diml", "diml", "cell-length", "cell-length"]
    """,
    "view": """
        from pathlib import Path
        assert Path("plan.png").read_bytes().startswith(b"\\x89PNG")
        assert "sent-a" in Path("pair.svg").read_text()
    """,
}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Photos, and tiny networks with random weights under the names that the pages use."""
    folder = tmp_path_factory.mktemp("material")
    torch.manual_seed(0)
    given = {"architecture_options": {"img_size": SIDE}, "input": InputConfig(size=SIDE)}
    rollout = {"grid": 4, "marginals": "product", "mass": 0.5, "start_block": 3}
    save_model(
        DimlModel(
            ModelConfig("dinov2-s14", "test_vit", layer=3, pooling="rollout", defaults=rollout, **given)
        ),
        folder / "checkpoints" / "dinov2-s14",
    )  # fmt: skip
    given["architecture_options"] = {}
    save_model(
        DimlModel(
            ModelConfig("efficientnet-lite0-imagenet", "test_efficientnet", layer=-2, defaults={"grid": 4}, **given)
        ),
        folder / "checkpoints" / "efficientnet-lite0-imagenet",
    )  # fmt: skip
    random = np.random.default_rng(0)
    rows = []
    for place in ("photos", "listed"):
        for label in range(2 * CLASSES):
            for index in range(IMAGES):
                path = folder / place / f"class-{label}" / f"{index}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                _picture(random).save(path)
                split = "train" if label < 2 * CLASSES - 2 else "test"
                rows.append((path.relative_to(folder / place), path.parent.name, split))
    with (folder / "listed" / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "class", "split"), *rows[len(rows) // 2 :]])
    for name in ("a", "b"):
        _picture(random).save(folder / f"{name}.jpg")
    for plane in range(6):
        path = folder / "hpatches" / f"plane-{plane}"
        path.mkdir(parents=True)
        picture = _picture(random)
        picture.save(path / "1.ppm")
        picture.transform((SIDE, SIDE), Image.Transform.AFFINE, (1, 0, 16, 0, 1, 0)).save(
            path / "2.ppm"
        )
        np.savetxt(path / "H_1_2", [[1, 0, -16], [0, 1, 0], [0, 0, 1]])
    return folder


def _picture(random):
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_works_and_touches_the_files_it_names(name, material, tmp_path):
    page = PAGES[name]
    library, here = tmp_path / "library", tmp_path / "here"
    shutil.copytree(material, here)
    shutil.copytree(
        ROOT / "diml_core", library / "diml_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    touched = set()
    for block in blocks(page):
        if block.file is None:
            continue
        if block.file.startswith("diml_core/"):
            new = block.language != "diff"
            touched.add(f"`{block.file}`" + (" (new)" if new else ""))
            put(block, library)
        elif block.language == "json":
            shortened = json.loads(block.text) | SHORT
            put(block._replace(text=json.dumps(shortened)), here)
        else:
            put(block, here)
    assert _named(page) == touched
    check = "\n".join(line[8:] for line in AFTER[name].splitlines())
    (here / "page.py").write_text("\n".join([BEFORE, script(page), check]), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "page.py"],
        cwd=here,
        env=os.environ
        | {"PYTHONPATH": str(library), "DIML_CHECKPOINTS": "checkpoints", "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def _named(page):
    """What a page says of itself under its heading, as its table of contents repeats."""
    line = re.search(r"\*\*Files of the library:\*\* (.*?)\.\n\n", page.read_text("utf-8"), re.S)
    said = line.group(1).replace("\n", " ")
    return set() if said == "none" else set(said.split(", "))


def test_every_page_has_its_line_in_the_table():
    table = (DOCS / "extending" / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| .*\]\((\w+)\.md\)", table, re.M) == re.findall(
        r"```\{toctree\}\n:hidden:\n\n(.*?)\n```", table, re.S
    )[0].split("\n")
    assert set(PAGES) == set(AFTER) == set(re.findall(r"\]\((\w+)\.md\)", table))
