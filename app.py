"""Starts DIML Explorer: ``python app.py``. Hugging Face Spaces runs this file too."""

import argparse
import os
import signal
import sys

# Neither pages nor start-up may depend on the network.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Or Gradio makes a table of the last 10,000 events after each, for a page about them that is closed here.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))

from app import files, lanes, tools
from app.galleries import Galleries
from app.models import with_own
from app.page import build_page, launch_options
from app.service import Explorer
from diml_core.errors import InputError
from diml_core.network.devices import add_device, add_engine


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until it is interrupted; the exit code, which is 2 for what cannot be offered."""
    parser = argparse.ArgumentParser(
        prog="python app.py",
        description="Serve the page of DIML Explorer, and its API. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT "
        "say where; GRADIO_MCP_SERVER=True offers it as tools of the Model Context Protocol.",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="PATH|timm:NAME|hf:USER/REPO",
        help="offer this model, too: a checkpoint folder, a timm model or one of the Hugging Face hub; the first "
        "is the page's default (may be repeated)",
    )
    # A Space on ZeroGPU borrows its GPU photo by photo, see app/hardware.py.
    add_device(parser, default="cpu")
    add_engine(parser)
    given = parser.parse_args(arguments)
    # A service that is stopped cleans up like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        lanes.share_processors()
        tools.install()
        explorer = Explorer(with_own(given.model, given.engine, given.device))
    except InputError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    galleries = Galleries(explorer)
    page = build_page(explorer, galleries)
    galleries.build_ahead()
    files.keep_tidy()
    page.launch(**launch_options())  # until it is interrupted
    galleries.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
