"""Starts DIML Explorer: ``python app.py``. Hugging Face Spaces runs this file too."""

import os

# Neither pages nor start-up may depend on the network.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from app.page import build_page, launch_options

if __name__ == "__main__":
    build_page().launch(**launch_options())
