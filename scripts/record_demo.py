"""Records the README's looping picture: ``python -m scripts.record_demo`` (needs Debian's chromium).

Starts the app on a free port, points at the parts of a heron and of a harrier, keeps one, changes the layer and moves
two options, and writes ``assets/demo.webp``. A frame is taken when the page has painted, however long that takes, and
shown for a tenth of a second: the picture shows what happens, not how fast.

It is an animated WebP, half a megabyte: a GIF of the same frames has 14, and 256 colours, too few for photographs under
coloured overlays. GitHub and the Hugging Face hub show both.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app.page import build_page, launch_options

TARGET = Path(__file__).resolve().parent.parent / "assets" / "demo.webp"
_FRAME = 100  # ms
_QUALITY = 70
# The first only: nobody seeks in it, and each costs a whole picture.
_KEY_FRAMES = {"kmin": 999, "kmax": 1000}
_MARGIN = 12  # px beside and below the viewer
_ABOVE = 4  # px: there is a caption
_VIEWPORT = {"width": 1366, "height": 1300}  # px; a laptop's width, and no scrolling
_SCALE = 0.836  # makes the picture 800 px wide as it is drawn: letters made smaller afterwards are blurred
_PAIR = "heron-harrier"
# Over photo A, as shares of its width and height.
_SHOULDER, _BREAST, _HEAD, _WING = (0.42, 0.42), (0.62, 0.6), (0.79, 0.61), (0.47, 0.14)

# Screenshots have no pointer of their own.
_POINTER = """() => {
  const pointer = document.createElement("div");
  pointer.innerHTML = `<svg width="22" height="30" viewBox="0 0 22 30"><path d="M1 1v22l6-5 4 10 4-2-4-9h8z"
    fill="#fff" stroke="#111" stroke-width="1.6" stroke-linejoin="round"/></svg>`;
  pointer.style.cssText = "position: fixed; z-index: 99999; pointer-events: none;";
  document.body.append(pointer);
  addEventListener("pointermove", (event) => {
    pointer.style.left = `${event.clientX}px`;
    pointer.style.top = `${event.clientY}px`;
  }, true);
}"""
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Recorder:
    """A pointer that leaves a frame at every step."""

    def __init__(self, tab: Page, start: tuple[float, float]):
        self._tab = tab
        self._at = start
        self._clip: Any = _whole_viewer(tab)
        self.frames: list[Image.Image] = []
        tab.evaluate(_POINTER)
        tab.mouse.move(*start)

    def hold(self, frames: int) -> None:
        """Stand still."""
        self._tab.evaluate(_PAINTED)
        shot = self._tab.screenshot(clip=self._clip, animations="disabled")
        self.frames += [Image.open(io.BytesIO(shot)).convert("RGB")] * frames

    def move(self, to: tuple[float, float], frames: int) -> None:
        """Go somewhere in a straight line, slowly at both ends."""
        (x, y), (to_x, to_y) = self._at, to
        for frame in range(1, frames + 1):
            share = frame / frames
            way = share * share * (3 - 2 * share)
            self._tab.mouse.move(x + way * (to_x - x), y + way * (to_y - y))
            self.hold(1)
        self._at = to


def main() -> None:
    """Record the picture."""
    page = build_page()
    _, url, _ = page.launch(server_name="127.0.0.1", prevent_thread_lock=True, **launch_options())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        frames = record(browser, url)
        browser.close()
    page.close()
    frames[0].save(
        TARGET,
        save_all=True,
        append_images=frames[1:],
        duration=_FRAME,
        loop=0,
        quality=_QUALITY,
        method=6,
        **_KEY_FRAMES,
    )
    print(f"{TARGET}: {len(frames)} frames, {TARGET.stat().st_size / 1e3:.0f} kB")


def record(browser: Browser, url: str) -> list[Image.Image]:
    """What the pointer does, and what the page answers."""
    tab = browser.new_page(viewport=_VIEWPORT, device_scale_factor=_SCALE)
    tab.goto(url)
    tab.wait_for_selector(".diml[data-state=ready]")
    tab.click(f".strip button[data-pair={_PAIR}]")
    tab.wait_for_selector("#viewer [data-role=name-a]:text-matches('^heron')")
    tab.click("#viewer [data-role=options-drawer] summary")
    recorder = Recorder(tab, _place(tab, "[data-role=frame-a]", -0.02, 1.05))
    recorder.hold(4)
    for spot, steps in ((_SHOULDER, 7), (_BREAST, 7), (_HEAD, 5), (_WING, 10)):
        recorder.move(_place(tab, "[data-role=frame-a]", *spot), steps)
        recorder.hold(2)
    _click(tab)  # keeps the part
    recorder.hold(4)
    recorder.move(_place(tab, "[data-layer=marginals]", 0.5, 0.6), 8)
    _click(tab)
    recorder.hold(6)
    _drag(recorder, tab, "grid", 0.45, 9)
    recorder.hold(6)
    _drag(recorder, tab, "mass", 0.45, 9)
    recorder.hold(12)
    return recorder.frames


def _click(tab: Page) -> None:
    tab.mouse.down()
    tab.mouse.up()


def _drag(recorder: Recorder, tab: Page, option: str, to: float, frames: int) -> None:
    slider = f"#viewer [data-role=controls] [data-role={option}-slider]"
    recorder.move(_place(tab, slider, 0.98, 0.5), 6)
    tab.mouse.down()
    recorder.move(_place(tab, slider, to, 0.5), frames)
    tab.mouse.up()


def _place(tab: Page, selector: str, x: float, y: float) -> tuple[float, float]:
    box = tab.locator(selector).first.bounding_box()
    if box is None:
        raise RuntimeError(
            f"The page does not show '{selector}' any more: this script has to follow it."
        )
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def _whole_viewer(tab: Page) -> dict[str, float]:
    """From the score to the options."""
    left, top = _place(tab, "#viewer .diml-score", 0, 0)
    right, bottom = _place(tab, "#viewer [data-role=options-drawer]", 1, 1)
    return {
        "x": left - _MARGIN,
        "y": top - _ABOVE,
        "width": right - left + 2 * _MARGIN,
        "height": bottom - top + _ABOVE + _MARGIN,
    }


if __name__ == "__main__":
    main()
