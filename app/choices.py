"""What a visitor chose last in one of our own components.

Gradio asks again for a choice that was made while it was busy, but then sends along the data of an event before it, so
choices are not read from event data: the component notes them in the browser, and whoever listens has them sent with its
inputs, by JavaScript that runs as late as the request does.
"""


def note(name: str, value: str) -> str:
    """JavaScript: note ``value``, an expression, as the newest choice of that name."""
    return f"(window.dimlChosen ??= {{}}).{name} = {value};"


def newest(name: str) -> str:
    """JavaScript: the newest choice of that name, or an empty text."""
    return f"(window.dimlChosen?.{name} ?? '')"
