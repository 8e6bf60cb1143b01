"""Changing single values of a config without writing another file: ``steps=800``, ``model.head=256``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from diml_core.errors import InputError


def with_settings(values: Any, settings: Sequence[str]) -> Any:
    """What was read from a config file, with some values set; whether they fit is for the config to say.

    Args:
        values: the file's object. Anything else is returned as it is, for the config to refuse.
        settings: ``key=value`` each, the later wins. Dots lead into objects, which are made where there are none.
            A value is JSON, or text where it is none (so ``NaN``, which is no JSON, is text).

    Raises:
        InputError: no ``key=value``, or a dot after what is no object.
    """
    for setting in settings if isinstance(values, dict) else ():
        key, equals, value = setting.partition("=")
        path = key.split(".")
        if not equals or not all(path):
            raise InputError(
                f"'{setting}' sets nothing: write key=value, such as steps=800 or model.head=256."
            )
        values = _set(values, path, _parsed(value))
    return values


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _set(values: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    name, *deeper = path
    if deeper:
        inner = values.get(name, {})
        if not isinstance(inner, dict):
            raise InputError(
                f"'{name}' is {json.dumps(inner)}, not an object, so nothing in it can be set: set it as a whole."
            )
        value = _set(inner, deeper, value)
    return values | {name: value}
