"""Settings are checked by pydantic, where their fields are declared; what it finds is said in our own sentences."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from diml_core.errors import InputError

T = TypeVar("T")
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_SHOWN = 60  # characters of a value in a sentence


def _plain_number(value: Any) -> Any:
    """Numbers of NumPy become Python's, and 8.0 becomes 8, as JSON cannot tell the two apart."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    return int(number) if number.is_integer() else number


def name_in(registry: Mapping[str, Any]) -> BeforeValidator:
    """For an annotation: a name in a registry as it is when it is asked, for programs may add to it."""

    def known(value: Any) -> Any:
        if not isinstance(value, str) or value not in registry:
            raise PydanticCustomError(
                "no_such_name", "no such name", {"names": ", ".join(registry)}
            )
        return value

    return BeforeValidator(known)


# Last in an Annotated: before it, pydantic would not tell which range was asked for.
PLAIN = BeforeValidator(_plain_number)
Whole = Annotated[int, PLAIN]
Number = Annotated[float, PLAIN]
Positive = Annotated[int, Field(ge=1), PLAIN]
Seed = Annotated[int, Field(ge=0, le=2**31), PLAIN]
Weight = Annotated[float, Field(ge=0), PLAIN]
Share = Annotated[float, Field(ge=0, le=1), PLAIN]

if TYPE_CHECKING:  # to which it is one of the standard library, which asdict() and replace() take
    from dataclasses import dataclass as settings
else:

    def settings(cls: type[T]) -> type[T]:
        """Make a frozen dataclass of ``cls`` that cannot hold what its annotations exclude.

        "400" and true are no numbers. Made with such a value, with a name that it does not have, or without
        one that it needs, it raises :class:`InputError`: one sentence that calls the field by its name, or
        "The ..." with its ``description``.
        """
        made = dataclass(frozen=True, config=_STRICT)(cls)
        init = made.__init__

        @functools.wraps(init)
        def __init__(self: T, *args: Any, **kwargs: Any) -> None:
            try:
                init(self, *args, **kwargs)
            except ValidationError as error:
                raise InputError(_sentence(made, error, args, kwargs)) from error

        made.__init__ = __init__
        return made


def from_object(cls: type[T], values: Any) -> T:
    """``cls`` of an object that was read from JSON; one of ``cls`` stays what it is.

    Raises:
        InputError: it is none, or what ``cls`` refuses.
    """
    if isinstance(values, cls):
        return values
    if not isinstance(values, dict):
        raise InputError(f"An object with names and values is needed, not {shortened(values)}.")
    return cls(**values)


def _sentence(cls: type, error: ValidationError, args: tuple, kwargs: dict[str, Any]) -> str:
    first = error.errors(include_url=False)[0]
    fields = TypeAdapter(cls).json_schema()["properties"]
    values = dict(zip(fields, args, strict=False)) | kwargs
    name = first["loc"][0] if first["loc"] else None
    name = [*fields][name] if isinstance(name, int) else name
    own = first.get("ctx", {}).get("error")
    if isinstance(own, InputError):  # from __post_init__, or from an object in a field
        return str(own) if name is None else f"In '{name}': {own}"
    if name not in fields:
        near = get_close_matches(name, fields, n=1)
        what = f"did you mean '{near[0]}'?" if near else "leave it out."
        return f"There is no such option as {shortened(name)}: {what}"
    if name not in values:
        return f"'{name}' is missing: add it."
    schema, value = fields[name], values[name]
    subject = f"The {schema['description']}" if "description" in schema else f"'{name}'"
    names = ", ".join(schema.get("enum", ())) or first.get("ctx", {}).get("names")
    if names:
        return f"{subject} cannot be {shortened(value)}: choose one of {names}."
    rule = _rule(schema)
    if isinstance(value, Real) and not isinstance(value, bool):
        rule = re.sub("^a number (of )?", "", rule)
    return f"{subject} must be {rule}, not {shortened(value)}."


def shortened(value: Any) -> str:
    """A value as a sentence can have it: on one line, and not too long."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."


_ONE_AND_MANY = {
    "integer": ("a whole number", "whole numbers"), "number": ("a number", "numbers"),
    "string": ("a text", "texts"), "object": ("an object", "objects"),
    "boolean": ("true or false", "true or false"), "null": ("null", "null"),
}  # fmt: skip
_BOUNDS = {
    "integer": (" ", {"minimum": "from", "maximum": "to"}),
    "number": (" and ", {"minimum": "of at least", "exclusiveMinimum": "above", "maximum": "at most",
                         "exclusiveMaximum": "below"}),
}  # fmt: skip


def _rule(schema: dict[str, Any], many: bool = False) -> str:
    """What a JSON schema allows, in words."""
    if "anyOf" in schema:
        return " or ".join(_rule(each, many) for each in schema["anyOf"])
    if "const" in schema:
        return repr(schema["const"])
    kind = schema.get("type", "object")  # a class that is described elsewhere
    if kind == "array":
        several = schema.get("prefixItems")
        count = f"{len(several)} " if several else ""
        return f"a list of {count}{_rule(several[0] if several else schema['items'], many=True)}"
    between, words = _BOUNDS.get(kind, ("", {}))
    bounds = [f"{word} {schema[key]:,.12g}" for key, word in words.items() if key in schema]
    return f"{_ONE_AND_MANY[kind][many]} {between.join(bounds)}".rstrip()
