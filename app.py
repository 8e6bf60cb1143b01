"""Starts DIML Explorer: ``python app.py``. Hugging Face Spaces runs this file too."""

import os
import signal

# Neither pages nor start-up may depend on the network.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Or Gradio makes a table of the last 10,000 events after each, for a page about them that is closed here.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))

from app import files
from app.galleries import Galleries
from app.page import build_page, launch_options
from app.service import Explorer

if __name__ == "__main__":
    # A service that is stopped cleans up like one that is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    explorer = Explorer()
    galleries = Galleries(explorer)
    page = build_page(explorer, galleries)
    galleries.build_ahead()
    files.keep_tidy()
    page.launch(**launch_options())  # until it is interrupted
    galleries.stop()
