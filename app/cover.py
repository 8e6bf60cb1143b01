"""The viewer's question to the network: what becomes of the score if this region is covered?"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.component import ObjectHTML
from app.refusals import sentence
from app.service import Explorer
from diml_core.counterfactual import Counterfactual, counterfactual_steps, covered_photo
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.viewer.pair import jpeg

_PREVIEW_SIDE = 240  # px
_MOST_PARTS = (
    4096  # more than the finest grid has; a list of millions would be looked through first
)
_NO_QUESTION = "That is not a question about parts of this pair: reload the page."
_TELL = "window.dispatchEvent(new CustomEvent('diml-answer', {detail: %s}))"


class Answers(ObjectHTML):
    """Where answers arrive: tells the page by a ``diml-answer`` event on ``window``, its ``detail`` the answer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            html_template="",
            js_on_load=f"watch('value', () => {_TELL % 'props.value'});",
            visible="hidden",
            **kwargs,
        )


def connect_cover(explorer: Explorer, viewer: gr.HTML, queue: str) -> None:
    """Answer what a viewer asks by ``trigger('cover', question)``, below it on the page.

    A question is ``{id, model, digests: [a, b], options, side, parts, cover}``. The answers come as ``diml-answer``
    events: ``{id, progress}`` before every forward pass, and then ``{id, answer}`` or ``{id, error}``. Where the queue
    is full, or the connection lost, nobody has read the question: then it is ``{id: null, error}``.

    Args:
        explorer: has seen the pair, for the session that asks.
        viewer: a component that triggers ``cover``.
        queue: ``concurrency_id`` of covering. Who leaves takes his questions along, also one half answered.
    """
    answers = Answers()
    lost = "{id: null, error: 'The server is busy or out of reach: try again in a moment.'}"
    viewer.cover(
        answer_cover(explorer),
        None,
        answers,
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_id=queue,
        concurrency_limit=1,
    ).failure(None, js=f"() => {{ {_TELL % lost}; }}")


def answer_cover(explorer: Explorer) -> Callable[..., Iterator[dict[str, Any]]]:
    """The generator behind :func:`connect_cover`.

    The network is free between two forward passes, and whoever asked may be gone by the next one. An answer has
    the scores before and after, what the parts had promised, what an average region of this size would promise, the
    falls for other regions, and the covered photo.
    """

    def cover(event: gr.EventData, request: gr.Request) -> Iterator[dict[str, Any]]:
        question = event._data
        number = question.get("id") if isinstance(question, dict) else None
        if not isinstance(number, (int, str)) or len(str(number)) > 100:
            number = None
        try:
            steps = _steps(explorer, question, request.session_hash)
            while True:
                try:
                    done, total = next(steps)
                except StopIteration as end:
                    yield {"id": number, "answer": end.value}
                    return
                yield {
                    "id": number,
                    "progress": f"The network is looking again: {done + 1} of {total}",
                }
        except Exception as error:
            yield {"id": number, "error": sentence(error)}

    return cover


def _steps(explorer: Explorer, question: Any, session: str | None) -> Any:
    try:
        side, parts, how = question["side"], question["parts"], question["cover"]
        name, digests, options = question["model"], question["digests"], question["options"]
        if not (
            all(isinstance(text, str) for text in (side, how, name, *digests))
            and isinstance(options, dict)
            and isinstance(parts, list)
            and len(parts) <= _MOST_PARTS
            and all(type(part) is int for part in parts)
        ):
            raise TypeError
        digest_a, digest_b = digests
        given = {str(key): value for key, value in options.items()}
    except (KeyError, TypeError, ValueError):
        raise InputError(_NO_QUESTION) from None
    model = explorer.model(name)
    try:
        chosen = model.options(**given)
    except TypeError:  # an option of another name
        raise InputError(_NO_QUESTION) from None
    a, b = (explorer.remembered(name, digest, session) for digest in (digest_a, digest_b))
    result = yield from counterfactual_steps(model, a, b, chosen, side, parts, how)
    return _answer(result, a if side == "a" else b)


def _answer(result: Counterfactual, covered: Any) -> dict[str, Any]:
    before = result.before
    grid = before.grid_a if result.side == "a" else before.grid_b
    area = len(result.parts) / (grid[0] * grid[1])
    photo = jpeg(covered_photo(covered.photo, grid, result.parts, result.cover), _PREVIEW_SIDE)
    return {
        "before": _scores(before),
        "after": _scores(result.after),
        "promised": result.promised,
        "expected": area * before.structural_similarity / 2,
        "controls": list(result.controls),
        "photo": "data:image/jpeg;base64," + base64.b64encode(photo).decode(),
    }


def _scores(explanation: Explanation) -> dict[str, float]:
    return {
        "similarity": explanation.similarity,
        "global": explanation.global_similarity,
        "structural": explanation.structural_similarity,
    }
