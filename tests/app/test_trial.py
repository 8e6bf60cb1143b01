"""The page's test of an explanation against other methods: as much as it may cost, and what it tells on the way."""

import numpy as np
import pytest
from test_service import CNN, Event, Request, question

from app.asking import Stops, answering
from app.service import Explorer
from app.trial import MOST_PASSES, curve_steps, rival_steps, rivals_of
from diml_core.evaluation.faithfulness import RANKINGS, curves_steps
from diml_core.steps import result_of

VIT = "dinov2-s14"


@pytest.fixture
def explorer():
    return Explorer()


def asked(explorer, **changes):
    return question(
        explorer, "me", **({"rivals": ["grad-cam", "random"], "cover": "blur"} | changes)
    )


def curves_of(explorer, **changes):
    return list(answering(explorer, curve_steps)(Event(asked(explorer, **changes)), Request("me")))


@pytest.mark.parametrize("side", ["a", "b"])
def test_the_curves_are_the_librarys_and_grow_to_what_they_are(explorer, side):
    *progress, last = curves_of(explorer, side=side)
    model = explorer.model(CNN)
    a, b = (explorer.remembered(CNN, digest, "me") for digest in asked(explorer)["digests"])
    keys = ["diml", "grad-cam", "random"]
    expected = result_of(curves_steps(model, a, b, model.options(grid=4), keys, side=side))
    found = last["answer"]["curves"]
    assert [(c["key"], c["kind"]) for c in found] == [(c.key, c.kind) for c in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one["scores"], other.overall, atol=1e-5)  # of other batches
        assert sorted(one["order"]) == list(range(16))
    done = [each["progress"]["done"] for each in progress]
    assert done == sorted(done)
    known = [sum(len(c["scores"]) for c in each["progress"]["curves"]) for each in progress]
    assert known == sorted(known)
    assert known[-1] < sum(len(c["scores"]) for c in found)


@pytest.mark.parametrize("name", [CNN, VIT])
def test_no_question_takes_more_passes_than_it_may(explorer, name):
    """Counted where photos go through the network, for the dearest rivals and the finest grid."""
    model = explorer.model(name)
    seen = []
    hook = model.backbone.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    keys = sorted((r["key"] for r in rivals_of(model)), key=lambda k: -RANKINGS[k].passes)[:2]
    assert RANKINGS[keys[0]].passes > 0
    wanted = asked(explorer, rivals=keys)
    for digest in wanted["digests"]:
        photo = explorer.remembered(CNN, digest, "me").photo
        explorer.features(name, photo, "me")
    seen.clear()
    wanted |= {"model": name, "options": {"grid": model.max_grid}}
    *progress, last = answering(explorer, curve_steps)(Event(wanted), Request("me"))
    hook.remove()
    assert "answer" in last
    assert 3 * 2 * 5 < sum(seen) <= MOST_PASSES
    assert progress[-1]["progress"]["total"] == sum(seen)


def test_a_visitor_who_leaves_is_not_worked_for_any_longer(explorer):
    seen = []
    wanted = asked(explorer)
    explorer.model(CNN).register_forward_hook(lambda *_: seen.append(1))
    answers = answering(explorer, curve_steps)(Event(wanted), Request("me"))
    while not next(answers)["progress"]["curves"]:
        pass
    next(answers)
    answers.close()
    assert len(seen) == 1


def test_a_question_is_stopped_by_who_asked_it_and_by_nobody_else(explorer):
    stops = Stops()
    wanted = asked(explorer)
    answers = answering(explorer, curve_steps, stops)(Event(wanted), Request("me"))
    next(answers)
    stops.add(Event({"id": wanted["id"]}), Request("stranger"))
    stops.add(Event("nonsense"), Request("me"))
    assert "progress" in next(answers)
    stops.add(Event({"id": wanted["id"]}), Request("me"))
    (last,) = answers
    assert last == {"id": wanted["id"], "error": "Stopped: ask again."}


def test_every_method_that_can_be_chosen_gives_a_map_of_each_photo(explorer):
    rivals = rivals_of(explorer.model(CNN))
    assert {"grad-cam", "marginals", "random"} <= {rival["key"] for rival in rivals}
    assert not {"diml", "rise", "covering", "rollout"} & {rival["key"] for rival in rivals}
    for rival in rivals:
        assert rival["title"].endswith(".")
        wanted = asked(explorer, rival=rival["key"])
        *_, last = answering(explorer, rival_steps)(Event(wanted), Request("me"))
        for side in "ab":
            values = last["answer"][side]
            assert len(values) == 16
            assert min(values) == 0
            assert max(values) in (0, 1)


def test_a_model_with_attention_has_its_rollout_to_choose(explorer):
    assert "rollout" in {rival["key"] for rival in rivals_of(explorer.model(VIT))}


@pytest.mark.parametrize(
    "wrong",
    [
        {"rivals": ["grad-cam"]},
        {"rivals": ["grad-cam", "grad-cam"]},
        {"rivals": ["grad-cam", "rise"]},
        {"rivals": ["diml", "random"]},
        {"rivals": ["rollout", "random"]},  # of a model without attention
        {"rivals": ["random"] * 100_000},
        {"rivals": "random"},
        {"rivals": [1, 2]},
        {"rivals": None},
        {"side": "both"},
        {"side": "x" * 10_000},
        {"side": []},
        {"cover": "paint"},
        {"cover": None},
        {"digests": ["0" * 64] * 2},
        {"options": {"grid": 99}},
    ],
)
def test_a_wrong_question_is_one_short_sentence_and_no_pass(explorer, wrong, caplog):
    seen = []
    wanted = asked(explorer, **wrong)
    explorer.model(CNN).backbone.register_forward_hook(lambda *_: seen.append(1))
    (answer,) = answering(explorer, curve_steps)(Event(wanted), Request("me"))
    assert answer["error"].endswith(".")
    assert len(answer["error"]) < 300
    assert not seen
    assert not caplog.records


@pytest.mark.parametrize("wrong", [{}, {"rival": "rise"}, {"rival": "diml"}, {"rival": []}])
def test_a_map_of_what_is_no_method_here_is_refused(explorer, wrong, caplog):
    (answer,) = answering(explorer, rival_steps)(Event(asked(explorer, **wrong)), Request("me"))
    assert answer["error"].endswith(".")
    assert not caplog.records
