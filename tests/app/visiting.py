"""Visitors without a browser: they speak Gradio's protocol to the app, as its page does."""

import contextlib
import io
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from PIL import Image


def tiny_photo(seed, side=32):
    """A PNG of noise: bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Visitor:
    """One session on a running app.

    Attributes:
        http: for plain requests.
        session: its hash.
    """

    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=120)
        self.session = secrets.token_hex(8)

    def config(self):
        return self.http.get("/config").json()

    def upload(self, data, name="photo.png"):
        """File data as a component sends it."""
        answer = self.http.post("/gradio_api/upload", files={"files": (name, data)})
        answer.raise_for_status()
        return {
            "path": answer.json()[0],
            "orig_name": name,
            "meta": {"_type": "gradio.FileData"},
        }

    def ask(self, number, data, event=None, trigger=None):
        """Join the queue; the response, whose JSON has ``event_id`` if it was let in."""
        body = {
            "fn_index": number,
            "data": data,
            "session_hash": self.session,
            "event_data": event,
            "trigger_id": trigger,
        }
        return self.http.post(
            "/gradio_api/queue/join",
            content=json.dumps(body),
            headers={"content-type": "application/json"},
        )

    def messages(self):
        """What comes back until nothing is pending."""
        with self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self.session}
        ) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    if message["msg"] == "close_stream":
                        return
                    yield message

    def call(self, number, data, event=None, trigger=None):
        """The values of the last message, or the error in a string."""
        response = self.ask(number, data, event, trigger)
        if response.status_code != 200:
            return str(response.json()["detail"])
        *_, last = (m for m in self.messages() if m["msg"] == "process_completed")
        return last["output"]["data"] if last["success"] else last["output"]["error"]

    def leave(self):
        """Close the connection, as a closed tab does."""
        self.http.close()


def events_of(config, elem_id, name):
    """Numbers of the functions that an event of a component triggers."""
    ids = {c["id"] for c in config["components"] if c["props"].get("elem_id") == elem_id}
    return [
        d["id"]
        for d in config["dependencies"]
        if any(component in ids and event == name for component, event in d["targets"])
    ]


def endpoint(config, api_name):
    """Number of a public endpoint."""
    return next(d["id"] for d in config["dependencies"] if d["api_name"] == api_name)


@contextlib.contextmanager
def busy(url, name, values, count=24):
    """Strangers who ask for new photos, for a ``with`` block that gets whether some of them still wait.

    Args:
        url: of the app.
        name: of the public endpoint they ask.
        values: what they send, of a photo that nobody has sent before.
        count: how many.
    """
    strangers = [Visitor(url) for _ in range(count)]
    number = endpoint(strangers[0].config(), name)

    def ask(stranger):
        photo = stranger.upload(tiny_photo(secrets.randbits(32)))
        answer = stranger.call(number, values(photo))
        stranger.leave()
        return answer

    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(ask, stranger) for stranger in strangers]
        time.sleep(0.5)
        yield lambda: not all(each.done() for each in asked)
        for each in asked:
            assert not isinstance(each.result(), str), each.result()


def comparing(photo):
    """What ``/compare`` is sent of one photo, for the slower model."""
    return [photo, photo, "dinov2-s14", *[None] * 7, "summary", False]
