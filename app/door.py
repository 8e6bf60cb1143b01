"""The door: what comes from outside is judged here, before and around Gradio."""

from __future__ import annotations

import html
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import files
from app.inputs import GONE, NOT_FETCHED
from app.refusals import NOT_OURS, sentence
from diml_core.errors import InputError
from diml_core.photo.images import looks_like_photo

MOST_JSON = 4 << 20
"""Bytes of a request that is no upload: a photo of 3 MB in a ``data:`` URL; a larger one is sent as a file."""

MOST_UPLOAD = 1 << 30
"""Bytes of one upload: a gallery of 200 photos from a phone."""

_PREFIX = "/gradio_api"
# Ways into Gradio that the page does not use, and that write files, fetch from elsewhere or tell about the server.
_CLOSED = re.compile(
    r"/(deep_link|proxy=|process_recording|(undo-)?vibe-|run-history|runs|monitoring|dev/|component_server"
    r"|custom_component/|profiling/|stream/|login|logout|token|file/)|/file=(https?|ftp):",
    re.IGNORECASE,
)
# Gradio compresses by the ending of the path, and these have none. Event streams must not be held back.
_COMPRESSED = {"/", "/config", f"{_PREFIX}/info", f"{_PREFIX}/openapi.json"}
# In one call: Gradio looks up each. The tabs themselves say what is too many for them.
_MOST_FILES = 1000
_START = 256  # bytes by which load_photo tells what a file is
_SWEEP_FROM = 16 << 20


class GuardedBlocks(gr.Blocks):
    """Blocks whose events end in an answer or in one sentence, whatever they are sent."""

    async def process_api(self, block_fn: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run one event. Raises ``gr.Error`` only."""
        event = kwargs.get("event_data")
        try:
            if not block_fn.fn:  # it runs in the browser
                raise InputError(NOT_OURS)
            if event is not None and not isinstance(event._data, dict):
                event._data = {}
            return await super().process_api(block_fn, *args, **kwargs)
        except gr.Error as error:
            text = str(error.message)
        except Exception as error:
            text = sentence(error)
        if block_fn.api_visibility != "public":
            # The page shows HTML, and a file may be named <b>.
            text = html.escape(text, quote=False)
        raise gr.Error(text, print_exception=False)

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> Any:
        """Judge what was sent: Gradio would fetch a photo from any public address, without a limit."""
        try:
            if not isinstance(inputs, list):
                raise InputError(NOT_OURS)
            _judge(inputs)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError(GONE) from None
        except Exception as error:
            cause = error.__cause__
            raise cause if isinstance(cause, InputError) else InputError(NOT_OURS) from None
        finally:
            # Gradio keeps what was sent, for links to this state that the page does not offer.
            for block in block_fn.inputs if state is not None else ():
                if not block.stateful:
                    state._update_value_in_config(block._id, None)


class Door:
    """ASGI middleware: bounds what is read, closes what is not used, and turns whatever is raised into a sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        if _CLOSED.search(path.partition("/file=/")[0]):
            await _refuse(404, "There is nothing here.")(scope, receive, send)
            return
        app = self._compressed if path in _COMPRESSED else self._app
        visit = _Visit(path, receive, send)
        if visit.announced(scope) > visit.most:
            visit.too_large = True
        else:
            try:
                await app(scope, visit.receive, visit.send)
            except Exception as error:
                visit.failed = error
        await visit.finish(scope)
        await visit.tidy_up()


class _Visit:
    """One request: what is counted on the way in, and held back on the way out."""

    def __init__(self, path: str, receive: Receive, send: Send) -> None:
        self.is_upload = path.rstrip("/") == f"{_PREFIX}/upload"
        self.most = MOST_UPLOAD if self.is_upload else MOST_JSON
        self.too_large = False
        self.failed: Exception | None = None
        # Gradio, too, puts an upload into a folder that is named by a digest of what is in it.
        by_content = (files.shown(), files.own(), files.uploads())
        named = (f"{_PREFIX}/file={folder}/" for folder in by_content)
        self._is_kept = path.startswith(tuple(named))
        self._receive, self._send = receive, send
        self._read = 0
        self._started = self._has_length = False
        self._held: list[Message] = []

    @staticmethod
    def announced(scope: Scope) -> int:
        length = Headers(scope=scope).get("content-length", "0")
        return int(length) if length.isdecimal() and len(length) < 20 else 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self.most:
            self.too_large = True
            raise InputError("too large")  # whatever becomes of it, finish() answers
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self._started:
            return
        if self.is_upload:  # a short list of paths
            self._held.append(message)
            return
        if message["type"] == "http.response.start":
            self._started = True
            self._has_length = "content-length" in Headers(raw=message["headers"])
            if self._is_kept and message["status"] == 200:  # its name is its content's
                MutableHeaders(scope=message)["Cache-Control"] = "private, max-age=86400, immutable"
        await self._send(message)

    async def finish(self, scope: Scope) -> None:
        if self.too_large and not self._started:
            text = f"This is larger than the {self.most >> 20} MiB that are read here: send less, or photos as files."
            await _refuse(413, text)(scope, self._receive, self._send)
        elif self.failed is not None:
            if self._started:  # too late for a sentence
                await self._break_off(self.failed)
                return
            # Gradio looks things up by what was sent, such as the number of a function.
            theirs = isinstance(self.failed, (LookupError, TypeError, ValueError))
            status, text = (400, NOT_OURS) if theirs else (500, sentence(self.failed))
            await _refuse(status, text)(scope, self._receive, self._send)
        elif self._held:
            await anyio.to_thread.run_sync(_strip, self._held)
            for message in self._held:
                await self._send(message)

    async def tidy_up(self) -> None:
        """Make room again after a large upload, also after one that was refused or broken off."""
        if self.is_upload and self._read > _SWEEP_FROM:
            with suppress(OSError):  # of what vanished meanwhile
                await anyio.to_thread.run_sync(files.sweep)

    async def _break_off(self, error: Exception) -> None:
        if self._has_length:
            raise error
        # Who asks for the events of a session that there is not has been told so in the stream.
        if not isinstance(error.__cause__ or error, HTTPException):
            sentence(error)
        await self._send({"type": "http.response.body", "body": b""})


def _refuse(status: int, text: str) -> JSONResponse:
    return JSONResponse({"detail": text}, status)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    return _refuse(422, NOT_OURS)


def _strip(response: list[Message]) -> None:
    """Of uploads that are no photos keep the beginning only, from which the visitor is told what they are."""
    if response[0].get("status") != 200:
        return
    for path in map(Path, json.loads(b"".join(m.get("body", b"") for m in response))):
        if files.uploads() not in path.parents:
            continue
        with path.open("r+b") as file:
            if not looks_like_photo(file.read(_START)):
                file.truncate(_START)


def _judge(data: Any) -> None:
    """Raise InputError where Gradio would fetch something, a file whose path is a web address, or look up too many files,
    however deep they lie."""
    waiting, named = [data], 0
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            path = each.get("path")
            if isinstance(path, str) and re.match(r"\s*(https?|ftp):", path, re.IGNORECASE):
                raise InputError(NOT_FETCHED)
            named += "path" in each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    if named > _MOST_FILES:
        raise InputError(f"These are {named} files: send at most {_MOST_FILES} at once.")


def app_kwargs() -> dict[str, Any]:
    """What ``launch(app_kwargs=...)`` needs to put the door in front of Gradio."""
    return {
        "middleware": [Middleware(Door)],
        "exception_handlers": {RequestValidationError: _invalid},
        "docs_url": None,
        "redoc_url": None,
        "openapi_url": None,
    }
