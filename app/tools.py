"""The endpoints as tools of the Model Context Protocol: what Gradio makes of them, but for photos and pictures.

Gradio would write a ``data:`` URL into a folder of its own, ask for addresses on the internet, which are not fetched
here, and answer with a picture only where that is all there is.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio.mcp

from app.inputs import NOT_FETCHED
from diml_core.errors import InputError

_UPLOADED = "/gradio_api/file="
# A model that reads the answer sees a picture, and has no use for 100,000 characters of numbers.
_DEFAULTS = {"picture": True, "parts": False}


def install() -> None:
    """Have Gradio offer these tools where ``GRADIO_MCP_SERVER`` asks for any.

    Raises:
        InputError: it does, and the package for it is missing.
    """
    wanted = os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"
    if wanted and importlib.util.find_spec("mcp") is None:
        raise InputError("GRADIO_MCP_SERVER needs the package mcp: pip install '.[app,mcp]'.")
    gradio.mcp.GradioMCPServer = Tools


class Tools(gradio.mcp.GradioMCPServer):
    """Gradio's MCP server, with photos as text on the way in, and pictures beside JSON on the way out."""

    def simplify_filedata_schema(
        self, schema: dict[str, Any]
    ) -> tuple[dict[str, Any], list[list[str | int]]]:
        """A photo is a text; and some arguments have another default than for programs."""
        simple, positions = super().simplify_filedata_schema(schema)
        properties = simple["properties"]
        for (name,) in positions:
            properties[name] = {
                "type": "string",
                "description": properties[name].get("description", ""),
            }
        for name in _DEFAULTS.keys() & properties.keys():
            properties[name]["default"] = _DEFAULTS[name]
        return simple, positions

    def _prepare_tool_call_args(self, name: str, arguments: dict[str, Any]) -> Any:
        schema, _ = self.get_input_schema(name)
        defaults = {key: _DEFAULTS[key] for key in _DEFAULTS.keys() & schema["properties"].keys()}
        return super()._prepare_tool_call_args(name, defaults | arguments)

    def convert_strings_to_filedata(
        self, value: dict[str, Any], filedata_positions: list[list[str | int]]
    ) -> dict[str, Any]:
        """Photos as the endpoints take them; nothing is fetched or written. Raises InputError."""
        names = {name for (name,) in filedata_positions}
        return {key: _photo(key, each) if key in names else each for key, each in value.items()}

    def postprocess_output_data(self, data: Any, root_url: str) -> list[Any]:
        """An answer as JSON, and its picture as an image."""
        (answer,) = data
        picture = answer.pop("picture", None)
        content = [self.types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))]
        if picture is not None:
            encoded = base64.b64encode(Path(picture["path"]).read_bytes()).decode()
            content.append(
                self.types.ImageContent(type="image", data=encoded, mimeType=picture["mime_type"])
            )
        return content


def _photo(name: str, text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        raise InputError(f"'{name}' must be a text: send the photo as a data: URL.")
    if text.startswith("data:"):
        return {"url": text, "orig_name": name}
    _, ours, path = text.partition(_UPLOADED)
    if ours:  # of a file that was uploaded before; whether it was, the endpoint judges
        return {"path": unquote(path)}
    raise InputError(NOT_FETCHED)
