"""How long a frame of the viewer takes while the pointer sweeps over every part, and while options move.

    python benchmarks/viewer_frames.py        (needs Debian's chromium; draws in software, as CI does)

The pair is the first example in a saved report, so that no server is involved. At the finest grid, for every part of A
the pointer moves there and one frame is drawn. Then mass, epsilon and grid move over their ranges, at the model's default
and at its finest grid, each move explained anew and drawn. Reported: the script's share of the frame, and the time until
the browser has also done style, layout and paint. Target: 95% under 16 ms, and under 50 ms for moves at the finest grid.
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

MOVES = """async ([role, values]) => {
  const field = document.querySelector(`[data-role=${role}]`);
  const channel = new MessageChannel();
  const times = [];
  for (const value of values) {
    times.push(await new Promise((done) => {
      let start, script;
      channel.port1.onmessage = () => done([script - start, performance.now() - start]);
      requestAnimationFrame(() => (start = performance.now()));  // before the viewer's own
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      requestAnimationFrame(() => { script = performance.now(); channel.port2.postMessage(0); });
    }));
  }
  return times;
}"""
MASSES = [round(0.05 * k, 2) for k in range(1, 21)]
EPSILONS = [0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5]


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
            "| model | parts of A | what moves | script median, ms | frame median, ms | frame 95%, ms "
            "| under 16 ms | under 50 ms |\n|---|---|---|---|---|---|---|---|"
        )
        for name in shipped_models():
            model = load_model(name)
            explanation = explain(model, pair.a, pair.b, grid=model.max_grid)
            path = Path(folder) / f"{name}.html"
            explanation.to_html(path)
            page = browser.new_page(viewport={"width": 1366, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector(".diml[data-state=ready]")

            def report(what, times, page=page, name=name):
                script, frame = ([t[k] for t in times] for k in (0, 1))
                under = [sum(t < most for t in frame) / len(frame) for most in (16, 50)]
                words = page.get_attribute("[data-role=frame-a]", "aria-label").split()
                print(
                    f"| {name} | {words[2]} x {words[4]} | {what} | {statistics.median(script):.1f} "
                    f"| {statistics.median(frame):.1f} | {percentile(frame, 95):.1f} "
                    f"| {under[0]:.1%} | {under[1]:.1%} |"
                )

            for layer in ("similarity", "contribution", "rollout"):
                if page.is_disabled(f"[data-layer={layer}]"):
                    continue
                page.click(f"[data-layer={layer}]")
                page.evaluate(SWEEP)  # warm-up
                report(
                    f"pointer, {layer}",
                    [t for _ in range(arguments.rounds) for t in page.evaluate(SWEEP)],
                )
            page.mouse.move(0, 0)
            page.click("[data-role=options-drawer] summary")
            for grid in (model.max_grid, model.options().grid):
                for role, values, after in (
                    ("mass", MASSES, model.options().mass),
                    ("epsilon", EPSILONS, model.options().epsilon),
                    ("grid", [max(1, grid - 1), grid] * 8, grid),
                ):
                    page.fill("[data-role=grid]", str(grid))
                    page.evaluate(MOVES, [role, values])  # warm-up
                    rounds = range(arguments.rounds)
                    report(role, [t for _ in rounds for t in page.evaluate(MOVES, [role, values])])
                    page.fill(f"[data-role={role}]", str(after))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
