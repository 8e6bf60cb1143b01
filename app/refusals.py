"""Whatever goes wrong, a visitor reads one sentence."""

from __future__ import annotations

import logging

from diml_core.errors import InputError

NOT_OURS = "That is not what this page sends: reload it, or look at its API for what may be called."
UNEXPECTED = "Something went wrong here, and was noted: reload the page and try again."

_log = logging.getLogger("diml.app")


def sentence(error: BaseException) -> str:
    """What to tell about an exception. One that nobody expected is logged, and says nothing of itself."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, AttributeError) and "'EventData' object" in str(error):
        return NOT_OURS  # a handler looked for what was not sent along with its event
    _log.error("Unexpected: %r", error, exc_info=error)
    return UNEXPECTED
