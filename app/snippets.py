"""How to get the numbers on the page again, with the library and with the command line."""

from __future__ import annotations

import shlex
from dataclasses import asdict

from app.examples import is_example
from diml_core.comparison.options import ExplainOptions
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo

_ALWAYS = ("grid", "marginals", "mass", "start_block")  # what the page has controls for


def reproduce(explanation: Explanation) -> dict[str, str]:
    """Code that computes this explanation from the files.

    Returns:
        ``{"python": ..., "shell": ...}``, to be run where the repository is. Uploaded photos are named
        as their owner named them, and are expected in the working directory.
    """
    files = [
        _file(explanation.name_a, explanation.photo_a),
        _file(explanation.name_b, explanation.photo_b),
    ]
    defaults = asdict(ExplainOptions())
    options = {
        name: value
        for name, value in asdict(explanation.options).items()
        if value is not None and (name in _ALWAYS or value != defaults[name])
    }
    arguments = "".join(f"    {name}={value!r},\n" for name, value in options.items())
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = ["python", "-m", "diml_core", "compare", *map(_not_a_flag, files)]
    return {
        "python": "from diml_core import explain, load_model\n\n"
        f"model = load_model({explanation.model!r})\n"
        f"explanation = explain(\n    model,\n    {files[0]!r},\n    {files[1]!r},\n{arguments})\n"
        "print(explanation.similarity)",
        "shell": shlex.join([*command, f"--model={explanation.model}", *flags]),
    }


def _file(name: str, photo: Photo | None) -> str:
    return f"assets/examples/{name}" if photo is not None and is_example(photo) else name


def _not_a_flag(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name
