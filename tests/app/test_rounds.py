"""Rounds of the quiz: what is asked has a clear answer, by the model's own numbers, and nothing else is answered."""

import random
import tracemalloc
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from app.asking import NO_QUESTION
from app.examples import FOLDER, example_pairs, is_shared
from app.fairness import (
    CLEAR_DIFFERENCE,
    CLEAR_POINTS,
    CLEAR_SHARE,
    clear_parts,
    difference,
    reach_of,
    share_at,
)
from app.galleries import MOST_UPLOADS
from app.inputs import Upload
from app.rounds import draws, round_steps
from app.service import Explorer
from diml_core import load_photo
from diml_core.errors import InputError

CNN, VIT = "efficientnet-lite0", "dinov2-s14"
EXAMPLES = {"source": "examples", "model": CNN, "seen": []}


@pytest.fixture(scope="module")
def explorer():
    return Explorer()


def answer(explorer, question, *uploads):
    """The round, after all pauses."""
    steps = round_steps(explorer, question, "a visitor", *uploads)
    while True:
        try:
            assert isinstance(next(steps), str)
        except StopIteration as end:
            return end.value


def uploads(*names):
    return [Upload(FOLDER / f"{name}.jpg", f"{name}.jpg") for name in names]


def explained(explorer, pair):
    """The explanation of what a viewer is sent."""
    photos = [load_photo(FOLDER / pair[side]["name"], name=pair[side]["name"]) for side in "ab"]
    return explorer.compare(pair["model"]["name"], *photos)


def plan_of(rows, grid, **more):
    """As much of an explanation as it takes to judge a plan, whose rows are the parts of A."""
    plan = np.array(rows, dtype=float)
    plan /= plan.sum()
    marginals = more.pop("marginals", plan.sum(1))
    return SimpleNamespace(plan=plan, grid_b=grid, mass=1.0, marginals_a=marginals)


def test_a_place_is_about_a_quarter_of_the_photo_across_on_every_grid():
    """As in tests/viewer/quiz.test.js: the browser scores by the same places."""
    grids = [(4, 5), (6, 6), (7, 9), (12, 11), (12, 16), (10, 18)]
    assert [reach_of(grid) for grid in grids] == [0, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("grid", [(4, 5), (7, 9), (12, 16)])
def test_a_place_gets_what_its_parts_get(grid):
    rows, columns = grid
    mass = np.random.default_rng(0).random(rows * columns)
    reach = reach_of(grid)
    expected = np.empty(grid)
    for row in range(rows):
        for column in range(columns):
            block = mass.reshape(grid)[
                max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
            ]
            expected[row, column] = block.sum() / mass.sum()
    np.testing.assert_allclose(share_at(mass, grid), expected.ravel(), atol=1e-12)


def test_parts_are_clear_where_most_goes_to_one_place_the_clearest_first():
    grid = (6, 6)
    to_one, spread, to_two = np.zeros(36), np.full(36, 1 / 36), np.zeros(36)
    to_one[0] = 1
    to_two[[0, 35]] = 0.7, 0.3
    assert clear_parts(plan_of([spread, to_two, to_one], grid)).tolist() == [2, 1]


def test_parts_that_send_little_are_not_asked_about():
    rows = np.zeros((4, 36))
    rows[:, 0] = 1, 1, 1, 0.3  # the last sends less than half of what an average part does
    assert 3 not in clear_parts(plan_of(rows, (6, 6)))
    left_behind = np.array([0.25, 0.25, 0.25, 0.25])
    left_behind[0] = 0.9  # of its importance most is left out
    assert 0 not in clear_parts(plan_of(np.ones((4, 1)) * rows[0], (6, 6), marginals=left_behind))


def test_two_models_differ_by_what_they_put_elsewhere():
    def seen(cells):
        weights = np.zeros(64)
        weights[cells] = 1 / len(cells)
        return SimpleNamespace(marginals_a=weights, marginals_b=weights, grid_a=(8, 8), grid_b=(8, 8))  # fmt: skip

    whole = SimpleNamespace(marginals_a=np.ones(1), marginals_b=np.ones(1), grid_a=(1, 1), grid_b=(1, 1))  # fmt: skip
    assert difference(seen([0, 1]), seen([0, 1])) == pytest.approx(0)
    assert difference(seen([0, 1]), seen([1, 2])) == pytest.approx(0.5)
    assert difference(seen([0]), seen([63])) == pytest.approx(1)
    assert difference(seen(list(range(64))), whole) == pytest.approx(0)  # whatever the grids


def test_a_part_that_is_asked_about_has_a_name_and_a_clear_answer(explorer):
    for _ in range(4):
        asked = answer(explorer, EXAMPLES | {"kind": "part"})
        (pair,) = asked["pairs"]
        explanation = explained(explorer, pair)
        assert asked["asked"]["side"] == "a"
        assert asked["asked"]["name"]
        x, y = asked["asked"]["marked"]
        assert 0 <= x <= 1
        assert 0 <= y <= 1
        (part,) = asked["asked"]["parts"]
        assert share_at(explanation.plan[part], explanation.grid_b).max() >= CLEAR_SHARE


def test_two_pairs_lie_clearly_apart_and_either_comes_first(explorer):
    higher = set()
    for _ in range(20):
        asked = answer(explorer, EXAMPLES | {"kind": "pair"})
        first, second = (explained(explorer, pair).similarity for pair in asked["pairs"])
        assert abs(first - second) * 100 >= CLEAR_POINTS
        higher.add(first > second)
    assert higher == {True, False}  # one in 500,000 times they would all be the same


def test_two_drawings_are_of_different_networks_and_differ(explorer):
    asked = answer(explorer, EXAMPLES | {"kind": "model"})
    assert {pair["model"]["name"] for pair in asked["pairs"]} == {CNN, VIT}
    one, other = (explained(explorer, pair) for pair in asked["pairs"])
    assert one.name_a == other.name_a
    assert asked["apart"] == pytest.approx(difference(one, other), abs=1e-6)
    assert asked["apart"] >= CLEAR_DIFFERENCE
    assert asked["wanted"] in (0, 1)


def test_what_was_asked_does_not_come_again_while_there_is_something_else(explorer):
    own = uploads("cat", "kitten", "red-panda")
    question = {"source": "own", "model": CNN, "kind": "part"}
    seen = []
    for _ in range(3):
        seen.append(answer(explorer, question | {"seen": seen}, None, own)["key"])
    assert len(set(seen)) == 3
    assert answer(explorer, question | {"seen": seen}, own)["key"] in seen


def test_photos_of_the_visitor_are_asked_about_and_cannot_be_linked(explorer):
    own = [Upload((FOLDER / f"{name}.jpg").read_bytes(), "mine.jpg") for name in ("cat", "kitten")]
    asked = answer(explorer, {"source": "own", "model": CNN, "kind": "part", "seen": []}, own, [])
    (pair,) = asked["pairs"]
    assert pair["a"]["name"] == "mine.jpg"
    assert not pair["a"]["shared"]
    assert asked["asked"]["name"] is None


def test_the_built_in_gallery_is_asked_about_by_pairs_of_one_kind():
    found = draws("built-in", "part", [], random.Random(1))
    assert len(found) > 20
    assert all(draw.a.parent == draw.b.parent and draw.a != draw.b for draw in found)
    mixed = draws("built-in", "pair", [], random.Random(1))
    assert {draw.a.parent == draw.b.parent for draw in mixed} == {True, False}


def test_a_photo_with_itself_is_too_easy():
    found = draws("examples", "pair", [], random.Random(1))
    assert len(found) == sum(pair.a != pair.b for pair in example_pairs())
    assert all(draw.a != draw.b for draw in found)


def test_a_link_asks_about_its_pair_at_its_options(explorer):
    link = f"a=kingfisher.jpg&b=macaw.jpg&model={CNN}&grid=7&mass=0.8&parts=a"
    scores = explorer.compare(CNN, FOLDER / "kingfisher.jpg", FOLDER / "macaw.jpg", grid=7)
    rows, columns = scores.grid_a
    beak = int(0.23 * rows) * columns + int(0.717 * columns)
    asked = answer(explorer, {"link": f"{link}{beak}"})
    (pair,) = asked["pairs"]
    assert pair["options"]["grid"] == 7
    assert pair["options"]["mass"] == 0.8
    assert all(pair[side]["shared"] for side in "ab")
    assert asked["asked"]["parts"] == [beak]
    assert asked["asked"]["name"] == "beak"
    back = answer(explorer, {"link": f"a=kingfisher.jpg&b=macaw.jpg&model={CNN}&parts=b90.91"})
    assert back["asked"] == {"side": "b", "parts": [90, 91], "name": None, "marked": None}


def test_a_link_may_ask_about_the_built_in_gallery(explorer):
    first, second = sorted((FOLDER / "scenes" / "bear").glob("*.jpg"))[:2]
    names = [path.relative_to(FOLDER).as_posix() for path in (first, second)]
    photo = load_photo(first, name=names[0])
    assert is_shared(photo)
    assert not is_shared(load_photo(first, name="heron.jpg"))
    asked = answer(explorer, {"link": f"a={names[0]}&b={names[1]}&parts=a90"})
    assert [asked["pairs"][0][side]["name"] for side in "ab"] == names


@pytest.mark.parametrize(
    "link",
    [
        "a=../../app.py&b=harrier.jpg&parts=a1", "a=/etc/passwd&b=harrier.jpg&parts=a1", "b=harrier.jpg&parts=a1",
        "a=heron.jpg&b=harrier.jpg", "a=heron.jpg&b=harrier.jpg&parts=c1", "a=heron.jpg&b=harrier.jpg&parts=a99999",
        "a=heron.jpg&b=harrier.jpg&parts=a-1", "a=heron.jpg&b=harrier.jpg&model=timm:resnet18&parts=a1",
        "a=heron.jpg&b=harrier.jpg&grid=many&parts=a1", "a=heron.jpg&b=harrier.jpg&grid=400&parts=a1", "x" * 5000, 5, None,
    ],
)  # fmt: skip
def test_a_link_that_asks_nothing_is_refused_in_a_sentence(explorer, link):
    with pytest.raises(InputError, match=r"\.$"):
        answer(explorer, {"link": link})


@pytest.mark.parametrize(
    "change",
    [
        {"source": "elsewhere"}, {"source": ["examples"]}, {"kind": "all"}, {"kind": {}}, {"seen": "x"}, {"seen": [1]},
        {"seen": ["x"] * 1000},
    ],
)  # fmt: skip
def test_another_question_is_refused(explorer, change):
    with pytest.raises(InputError, match=NO_QUESTION):
        answer(explorer, EXAMPLES | {"kind": "part"} | change)


def test_too_few_photos_or_no_such_model_is_said(explorer):
    own = {"source": "own", "model": CNN, "seen": []}
    with pytest.raises(InputError, match="at least 2 photos"):
        answer(explorer, own | {"kind": "part"}, None, uploads("cat"))
    with pytest.raises(InputError, match="at least 3 photos"):
        answer(explorer, own | {"kind": "pair"}, uploads("cat", "kitten"))
    with pytest.raises(InputError, match="no model of that name"):
        answer(explorer, EXAMPLES | {"kind": "part", "model": "timm:resnet18"})


def test_of_many_photos_a_few_pairs_are_drawn_and_too_many_are_refused(explorer):
    own = [Upload(b"", str(number)) for number in range(25_000)]  # 312 million pairs
    tracemalloc.start()
    found = draws("own", "pair", own, random.Random(1))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20
    assert len({frozenset(draw[:2]) for draw in found}) == len(found) == 60
    assert all(draw.a != draw.b for draw in found)
    question = {"source": "own", "model": CNN, "kind": "pair", "seen": []}
    with pytest.raises(InputError, match=f"are {MOST_UPLOADS + 1} files.* most {MOST_UPLOADS}"):
        answer(explorer, question, None, own[: MOST_UPLOADS + 1])


def test_each_pair_of_a_few_photos_is_drawn_once():
    own = [Upload(b"", str(number)) for number in range(5)]
    found = draws("own", "part", own, random.Random(1))
    assert {frozenset(draw[:2]) for draw in found} == set(map(frozenset, combinations(own, 2)))
    assert len(found) == 10


def test_one_model_alone_is_not_told_apart(explorer):
    alone = Explorer({CNN: lambda: explorer.model(CNN)})
    with pytest.raises(InputError, match="only one model"):
        answer(alone, EXAMPLES | {"kind": "model"})
