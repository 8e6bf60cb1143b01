"""What a viewer asks the network, and how it is answered: one generator for every kind of question."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from app.component import ObjectHTML
from app.refusals import sentence
from app.service import Explorer
from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.network.model import DimlModel

NO_QUESTION = "That is not a question about this pair: reload the page."

_MOST_STOPS = 1000  # kept; one that is forgotten costs a visitor who has left nothing
_STOPPED = "Stopped: ask again."
_TELL = "window.dispatchEvent(new CustomEvent('diml-answer', {detail: %s}))"
_LOST = "{id: null, error: 'The server is busy or out of reach: try again in a moment.'}"

Steps = Callable[..., Generator[Any, None, dict[str, Any]]]
"""Answers one kind of question, from the explorer, the question, the hash of the session that asks, and the values of
components that go along with it. Pauses with what there is to
tell before every run of the network, which is free then, and whoever asked may be gone by the next one. Raises
InputError."""


class Answers(ObjectHTML):
    """Where answers arrive: tells the page by a ``diml-answer`` event on ``window``, its ``detail`` the answer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            html_template="",
            js_on_load=f"watch('value', () => {_TELL % 'props.value'});",
            visible="hidden",
            **kwargs,
        )


class AskedPair(NamedTuple):
    """What a question is about.

    Attributes:
        model: the network.
        a, b: what it saw.
        options: how the pair is compared.
    """

    model: DimlModel
    a: ImageFeatures
    b: ImageFeatures
    options: ExplainOptions


def asked_pair(explorer: Explorer, question: Any, session: str | None) -> AskedPair:
    """The pair of a question ``{model, digests: [a, b], options, ...}``.

    Raises:
        InputError: another question, or a pair that this session has not seen.
    """
    try:
        name, digests, options = question["model"], question["digests"], question["options"]
        if not (
            all(isinstance(text, str) for text in (name, *digests)) and isinstance(options, dict)
        ):
            raise TypeError
        digest_a, digest_b = digests
        given = {str(key): value for key, value in options.items()}
    except (KeyError, TypeError, ValueError):
        raise InputError(NO_QUESTION) from None
    model = explorer.model(name)
    try:
        chosen = model.options(**given)
    except TypeError:  # an option of another name
        raise InputError(NO_QUESTION) from None
    a, b = (explorer.remembered(name, digest, session) for digest in (digest_a, digest_b))
    return AskedPair(model, a, b, chosen)


class Stops:
    """Questions that nobody wants answered any more: those stopped last, by session and id.

    Not Gradio's ``cancels``: what is asked before that has ended is never answered.
    """

    def __init__(self) -> None:
        self._stopped: OrderedDict[tuple[str | None, object], None] = OrderedDict()

    def add(self, event: gr.EventData, request: gr.Request) -> None:
        """Stop ``{id}``, of the session that says so; the handler of the event."""
        self._stopped[request.session_hash, _id_of(event._data)] = None
        while len(self._stopped) > _MOST_STOPS:
            self._stopped.popitem(last=False)

    def listen_to(self, component: gr.HTML) -> None:
        """Let a component that asks stop its questions by ``trigger("stop", {id})``."""
        # Not in the queue of what it asks, where it would wait for what it is to stop.
        component.stop(
            self.add,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
        )

    def __contains__(self, question: object) -> bool:
        """Whether ``(session, id)`` was stopped."""
        return question in self._stopped


def answering(
    explorer: Explorer, steps: Steps, stops: Container[object] = ()
) -> Callable[..., Iterator[dict[str, Any]]]:
    """The event handler of one kind of question.

    A question is what ``steps`` answers, and ``id``. The answers are ``{id, progress}`` at every pause, and then
    ``{id, answer}`` or ``{id, error}``. One that is stopped ends at the next pause.
    """

    def answer(event: gr.EventData, request: gr.Request, *inputs: Any) -> Iterator[dict[str, Any]]:
        question = event._data
        number = _id_of(question)
        try:
            under_way = steps(explorer, question, request.session_hash, *inputs)
            while True:
                try:
                    progress = next(under_way)
                except StopIteration as end:
                    yield {"id": number, "answer": end.value}
                    return
                if (request.session_hash, number) in stops:
                    raise InputError(_STOPPED)
                yield {"id": number, "progress": progress}
        except Exception as error:
            yield {"id": number, "error": sentence(error)}

    return answer


def _id_of(question: Any) -> int | str | None:
    number = question.get("id") if isinstance(question, dict) else None
    return number if isinstance(number, (int, str)) and len(str(number)) <= 100 else None


def connect(
    explorer: Explorer,
    viewer: gr.HTML,
    event: str,
    steps: Steps,
    queue: str,
    stops: Stops,
    inputs: Sequence[Component] = (),
) -> None:
    """Answer what a viewer asks by ``trigger(event, question)``, below it on the page, by ``diml-answer`` events.

    Where the queue is full, or the connection lost, nobody has read the question: then it is ``{id: null, error}``.

    Args:
        explorer: has seen the pair, for the session that asks.
        viewer: a component that triggers the event.
        event: its name.
        steps: answers.
        queue: ``concurrency_id`` of what the network is asked again. Who leaves takes his questions along, also one
            half answered.
        stops: those that are to end.
        inputs: components whose values go along with the question.
    """
    getattr(viewer, event)(
        answering(explorer, steps, stops),
        list(inputs),
        Answers(),
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_id=queue,
        concurrency_limit=1,
    ).failure(None, js=f"() => {{ {_TELL % _LOST}; }}")
