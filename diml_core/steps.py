"""Long work as a generator: it pauses for whoever wants to tell its progress or to stop, and returns what it came to."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")


def result_of(steps: Generator[Any, None, Result]) -> Result:
    """What such work comes to, done without a pause. Raises what it raises."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
