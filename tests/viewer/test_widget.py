"""The notebook's widget, as Python has it: what comes from the viewer is put in by the way it comes in a notebook."""

import sys

import numpy as np
import pytest

from diml_core import Explanation, InputError, explain, widget

pytest.importorskip("anywidget", reason="no anywidget here: pip install anywidget")


@pytest.fixture
def explanation(model, examples):
    return explain(model, examples / "heron.jpg", examples / "cat.jpg")


@pytest.fixture
def shown(explanation):
    return widget(explanation)


def test_the_explanation_is_the_one_given_until_the_viewer_moves(shown, explanation):
    shown.set_state(
        {"options": dict(shown.options)}
    )  # which a viewer says as soon as it shows a pair
    assert shown.explanation is explanation
    assert shown.selected is None


def test_the_explanation_at_the_viewers_options_is_what_explain_gives(shown, model, examples):
    moved = {"grid": 5, "mass": 0.75, "marginals": "uniform", "epsilon": 0.1}
    shown.set_state({"options": shown.options | moved})
    expected = explain(model, examples / "heron.jpg", examples / "cat.jpg", **moved)
    found = shown.explanation
    assert found.options == expected.options
    assert found.similarity == pytest.approx(expected.similarity, abs=1e-6)
    assert np.abs(found.plan - expected.plan).max() < 1e-6
    assert shown.explanation is found


def test_what_the_viewer_selects_is_observed(shown):
    told = []
    shown.observe(lambda change: told.append(change["new"]), names="selected")
    for selected in ({"side": "b", "parts": [0, 1]}, None):
        shown.set_state({"selected": selected})
        assert shown.selected == selected
    assert told == [{"side": "b", "parts": [0, 1]}, None]


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        {},
        {"side": "a"},
        {"side": "c", "parts": [0]},
        {"side": "a", "parts": []},
        {"side": "a", "parts": "0"},
        {"side": "a", "parts": [-1]},
        {"side": "a", "parts": [True]},
        {"side": "a", "parts": [100000]},
        {"side": "a", "parts": [0], "cursor": 0},
    ],
)
def test_what_are_no_parts_cannot_be_selected(cnn, examples, wrong):
    shown = widget(explain(cnn, examples / "heron.jpg", examples / "cat.jpg"))
    shown.selected = {"side": "a", "parts": [7]}
    with pytest.raises(InputError, match=r"selects no parts: give None or .* of 'a' and "):
        shown.selected = wrong
    assert shown.selected == {"side": "a", "parts": [7]}


def test_there_are_as_many_parts_as_the_viewers_grid_has(shown):
    shown.set_state({"options": shown.options | {"grid": 3}})
    last = int(np.prod(shown.explanation.grid_b)) - 1
    shown.selected = {"side": "b", "parts": [last]}
    with pytest.raises(InputError, match=f"0 to {last} of 'b'"):
        shown.selected = {"side": "b", "parts": [last + 1]}


def test_an_explanation_from_a_file_is_shown_as_it_is(explanation, tmp_path):
    explanation.to_npz(tmp_path / "pair.npz")
    loaded = Explanation.from_npz(tmp_path / "pair.npz")
    shown = widget(loaded)
    shown.selected = {"side": "a", "parts": [loaded.plan.shape[0] - 1]}
    with pytest.raises(InputError, match="selects no parts"):
        shown.selected = {"side": "a", "parts": [loaded.plan.shape[0]]}
    assert shown.explanation is loaded
    assert shown.pair["fixed"]


def test_only_the_viewer_moves_the_options(shown):
    with pytest.raises(Exception, match='The "options" trait is read-only'):
        shown.options = {}


def test_without_photos_there_is_no_widget(explanation, tmp_path):
    explanation.to_json(tmp_path / "pair.json")
    with pytest.raises(InputError, match="has no photos"):
        widget(Explanation.from_json(tmp_path / "pair.json"))


def test_without_anywidget_one_sentence_says_what_to_install(explanation, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(InputError, match="pip install anywidget"):
        widget(explanation)
