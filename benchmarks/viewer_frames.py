"""How long a frame of the viewer takes while the pointer sweeps over every part.

    python benchmarks/viewer_frames.py        (needs Debian's chromium; draws in software, as CI does)

The pair is the first example at the finest grid, in a saved report, so that no server is involved. For every
part of A the pointer moves there and one frame is drawn. Reported per layer: the script's share of the frame,
and the time until the browser has also done style, layout and paint. Target: 95% of frames under 16 ms.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from app.examples import example_pairs  # noqa: E402
from app.report import report_html  # noqa: E402
from diml_core import explain, load_model  # noqa: E402
from diml_core.network.checkpoints import shipped_models  # noqa: E402

SWEEP = """async () => {
  const frame = document.querySelector('[data-role=frame-a]');
  const [rows, columns] = frame.ariaLabel.match(/\\d+/g).map(Number);
  const box = frame.getBoundingClientRect();
  const channel = new MessageChannel();
  const times = [];
  for (let part = 0; part < rows * columns; part++) {
    times.push(await new Promise((done) => {
      let start, script;
      channel.port1.onmessage = () => done([script - start, performance.now() - start]);
      requestAnimationFrame(() => (start = performance.now()));  // before the viewer's own
      frame.dispatchEvent(new PointerEvent('pointermove', {
        bubbles: true,
        clientX: box.left + ((part % columns) + 0.5) * box.width / columns,
        clientY: box.top + (Math.floor(part / columns) + 0.5) * box.height / rows,
      }));
      requestAnimationFrame(() => { script = performance.now(); channel.port2.postMessage(0); });
    }));
  }
  return times;
}"""


def percentile(values: list[float], percent: float) -> float:
    """Nearest-rank percentile."""
    return sorted(values)[min(len(values) - 1, int(percent / 100 * len(values)))]


def main() -> None:
    """Measure both models in every layer and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pair = example_pairs()[0]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        print(
            "| model | parts of A | layer | script median, ms | frame median, ms | frame 95%, ms | under 16 ms |"
        )
        print("|---|---|---|---|---|---|---|")
        for name in shipped_models():
            model = load_model(name)
            explanation = explain(model, pair.a, pair.b, grid=model.max_grid)
            path = Path(folder) / f"{name}.html"
            path.write_text(report_html(explanation), encoding="utf-8")
            page = browser.new_page(viewport={"width": 1366, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector(".diml[data-state=ready]")
            for layer in ("similarity", "contribution", "rollout"):
                if page.is_disabled(f"[data-layer={layer}]"):
                    continue
                page.click(f"[data-layer={layer}]")
                page.evaluate(SWEEP)  # warm-up
                times = [t for _ in range(arguments.rounds) for t in page.evaluate(SWEEP)]
                script, frame = ([t[k] for t in times] for k in (0, 1))
                under = sum(t < 16 for t in frame) / len(frame)
                rows, columns = explanation.grid_a
                print(
                    f"| {name} | {rows} x {columns} | {layer} | {statistics.median(script):.1f} "
                    f"| {statistics.median(frame):.1f} | {percentile(frame, 95):.1f} | {under:.1%} |"
                )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
