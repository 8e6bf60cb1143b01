"""The links of the lesson plan open what they are to show, and links are read as they are written."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from lesson import LESSON, QUERIES

from app.beside import SETTINGS
from app.links import read_link
from diml_core import explain, load_model
from diml_core.errors import InputError
from diml_core.network.checkpoints import DEFAULT_MODEL, shipped_models

ROOT = Path(__file__).parents[2]
LAYERS = re.findall(
    r'^\s+id: "(\w+)"',
    (ROOT / "diml_core" / "viewer" / "view" / "layers.js").read_text(encoding="utf-8"),
    re.MULTILINE,
)
STEPS = re.findall(
    r'"(\w+)"',
    (ROOT / "diml_core" / "viewer" / "view" / "steps" / "names.js").read_text(encoding="utf-8"),
)

model_named = cache(load_model)


def test_the_lesson_has_a_link_for_each_of_its_stages():
    stages = re.split(r"^## \d", LESSON, flags=re.MULTILINE)[1:]
    assert len(stages) >= 5
    assert all("](http://127.0.0.1:7860/?" in stage for stage in stages)
    minutes = [int(number) for number in re.findall(r"^## \d.*\((\d+) minutes\)", LESSON, re.M)]
    assert len(minutes) == len(stages)
    assert sum(minutes) == 30


@pytest.mark.parametrize("query", QUERIES)
def test_every_link_of_the_lesson_opens(query):
    link = read_link(query, DEFAULT_MODEL)
    assert link.model in shipped_models()
    assert link.beside in ("", SETTINGS, *shipped_models())
    model = model_named(link.model)
    explanation = explain(model, link.a, link.b, **link.options)
    model.options(**link.options | link.beside_options)
    values = dict(parse_qsl(query))
    assert values.get("layer", "none") in (*LAYERS, "none")
    assert values.get("step", "photos") in STEPS
    if "parts" in values:
        side, parts = re.fullmatch(r"([ab])(\d+(?:\.\d+)*)", values["parts"]).groups()
        rows, columns = explanation.grid_a if side == "a" else explanation.grid_b
        assert all(int(part) < rows * columns for part in parts.split("."))


def test_a_link_names_what_stands_beside_the_pair():
    link = read_link("a=cat.jpg&b=kitten.jpg&beside=settings&beside_grid=4&grid=8", DEFAULT_MODEL)
    assert link.options == {"grid": 8}
    assert (link.beside, link.beside_options) == ("settings", {"grid": 4})
    assert read_link("a=cat.jpg&b=kitten.jpg&c=koala.jpg", DEFAULT_MODEL).c.name == "koala.jpg"
    for wrong in ("c=nowhere.jpg", "beside=settings&beside_grid=many"):
        with pytest.raises(InputError):
            read_link(f"a=cat.jpg&b=kitten.jpg&{wrong}", DEFAULT_MODEL)
