"""The test of an explanation against other methods, in the page without a server."""

import numpy as np
import pytest
from static_site import ASK, PARITY

from diml_core import load_model, load_photo
from diml_core.evaluation.faithfulness import RANKINGS, curves_steps
from diml_core.steps import result_of
from scripts.site.models import MODELS

QUESTIONS = (
    "async ({ pair, name, options, questions }) => {"
    + ASK
    + """
  const photoOf = async (name) => ({ name, file: await (await fetch(`examples/${name}`)).blob() });
  const looked = await ask("look", { model, photos: await Promise.all(pair.map(photoOf)) });
  const about = { model, digests: looked.map(({ digest }) => digest), options: { ...model.defaults, ...options } };
  const answers = [];
  for (const question of questions) answers.push(await ask(question.about, { ...about, ...question }));
  return answers;
}"""
)

# Gives up after three words of progress, then waits for a question that takes as long.
GIVEN_UP = (
    "async ({ pair, name, question }) => {"
    + """
  const counted = [];
  const Plain = Worker;
  window.Worker = class extends Plain {
    constructor(...how) {
      super(...how);
      this.addEventListener("message", ({ data }) => counted.push(data));
    }
  };
"""
    + ASK
    + """
  const photoOf = async (name) => ({ name, file: await (await fetch(`examples/${name}`)).blob() });
  const looked = await ask("look", { model, photos: await Promise.all(pair.map(photoOf)) });
  const about = { model, digests: looked.map(({ digest }) => digest), options: { ...model.defaults, grid: 4 } };
  const words = [];
  const leaving = new AbortController();
  const gone = new Promise((resolve) => leaving.signal.addEventListener("abort", resolve));
  counted.length = 0;
  ask("curves", { ...about, ...question }, (told) => words.push(told) === 3 && leaving.abort(), leaving.signal);
  await gone;
  const { id } = counted.at(-1);
  const { curves } = await ask("curves", { ...about, ...question });
  return [words.length, counted.filter((each) => each.id === id).length, curves.length === 6];
}"""
)


@pytest.mark.parametrize(
    ("name", "side", "rivals"),
    [
        ("efficientnet-lite0", "b", ["best-match", "second-order"]),
        ("dinov2-s14", "a", ["rollout", "nearest"]),
    ],
)
def test_other_methods_say_and_score_what_they_do_in_the_library(
    visit_site, examples, name, side, rivals
):
    pair, options = ("cat.jpg", "kitten.jpg"), {"grid": 4}
    questions = [{"about": "rival", "rival": key} for key in [*rivals, "marginals"]]
    questions.append({"about": "curves", "rivals": rivals, "side": side, "cover": "blur"})
    asked = {"pair": pair, "name": name, "options": options, "questions": questions}
    *says, tested = visit_site().evaluate(QUESTIONS, asked)
    model = load_model(name)
    photos = [model.extract(load_photo(examples / each)) for each in pair]
    chosen = model.options(**options)
    for question, said in zip(questions, says, strict=False):
        expected = RANKINGS[question["rival"]].weights(model, *photos, chosen)
        for each, weights in zip("ab", expected, strict=True):
            scaled = (weights - weights.min()) / np.ptp(weights)
            # As many times less exact as the weights lie closer together than scores do.
            most = PARITY / min(1, np.ptp(weights))
            np.testing.assert_allclose(said[each], scaled, atol=most, err_msg=question["rival"])
    curves = result_of(curves_steps(model, *photos, chosen, ["diml", *rivals], side=side))
    found = tested["curves"]
    assert [(c["key"], c["kind"]) for c in found] == [(c.key, c.kind) for c in curves]
    for one, other in zip(found, curves, strict=True):
        assert one["fractions"] == pytest.approx(other.fractions)
        assert one["scores"] == pytest.approx(other.overall, abs=PARITY)
        assert one["area"] == pytest.approx(other.area, abs=PARITY)


def test_an_explanation_is_tested_without_a_server(visit_site, screenshots):
    page = visit_site("?a=cat.jpg&b=kitten.jpg&grid=6")
    page.click("#viewer [data-role=trial-drawer] summary")
    drawer = page.locator("#viewer [data-role=trial]")
    said = drawer.locator("p[role=status]")
    drawer.get_by_role("button", name="Start").click()
    drawer.locator(".diml-charts").wait_for(timeout=60_000)
    drawer.get_by_role("button", name="Stop").click()
    assert "Stopped" in said.text_content()
    drawer.get_by_role("button", name="Start").click()
    drawer.get_by_text("On this pair only").wait_for(timeout=60_000)
    assert drawer.locator("tbody tr").count() == 3
    page.screenshot(path=screenshots / "site-tested.png", full_page=True)
    page.locator("#viewer [data-role=rivals] select").select_option("second-order")
    page.wait_for_selector("#viewer [data-role=legends]:has-text('global similarity')")


def test_the_worker_looks_no_longer_for_who_has_gone(visit_site):
    """What it says comes from behind the page's back: the page itself listens no more."""
    question = {"about": "curves", "rivals": ["nearest", "marginals"], "side": "a", "cover": "grey"}
    asked = {"pair": ("cat.jpg", "kitten.jpg"), "name": MODELS[0], "question": question}
    before, after, answered = visit_site().evaluate(GIVEN_UP, asked)
    assert before == 3
    assert after <= before + 1  # one may have been on its way
    assert answered  # a question that came after is
