"""Takes the README's picture of the page: ``python -m scripts.take_screenshot`` (needs Debian's chromium).

Starts the app on a free port, points at a part of the first example, and writes ``assets/screenshot.jpg``.
"""

from __future__ import annotations

import io
import shutil
import socket
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from app.page import build_page, launch_options

TARGET = Path(__file__).resolve().parent.parent / "assets" / "screenshot.jpg"
_POINT = (0.45, 0.4)  # of photo A: the castle's main building
_WIDTH = 1200  # px


def main() -> None:
    """Take the picture."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = build_page()
    _, url, _ = page.launch(
        server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, **launch_options()
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1366, "height": 960}, device_scale_factor=2)
        tab.goto(url)
        tab.wait_for_selector(".diml[data-state=ready]")
        box = tab.locator("[data-role=frame-a]").bounding_box()
        tab.mouse.move(
            *(
                box[k] + f * box[s]
                for k, s, f in zip("xy", ("width", "height"), _POINT, strict=True)
            )
        )
        tab.wait_for_selector(".diml-readout table")
        picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        browser.close()
    page.close()
    height = round(picture.height * _WIDTH / picture.width)
    picture.resize((_WIDTH, height), Image.Resampling.LANCZOS).save(TARGET, quality=85)


if __name__ == "__main__":
    main()
