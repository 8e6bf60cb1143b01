"""A class at work: many visitors at once, each by Gradio's own protocol, on an app that this starts.

    python benchmarks/visitors.py                                   # 50 visitors, 450 comparisons
    python benchmarks/visitors.py --visitors 5 --comparisons 3      # a short look

Every visitor uploads two fresh photos for each comparison and fetches what the page would fetch, the photos and
their features; in between it covers a part of its pair once and searches the built-in gallery once. Moves of sliders
are in the browser and ask nothing. Prints

- lost and wrong answers: a wrong one shows other photos than were sent, or (every tenth is recomputed here)
  features that are not theirs by more than float16 rounds;
- comparisons per second, and all forward passes per second as a share of what the bare network does alone, on
  the same photos in a process of its own with the same number of threads, before and after;
- how long comparisons, covers and searches took from the visitor's click, median and 95th percentile;
- the server's memory along the way.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "app")]

import httpx  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402
from visiting import Visitor, events_of  # noqa: E402

from diml_core import load_model, load_photo  # noqa: E402
from diml_core.network.checkpoints import DEFAULT_MODEL, shipped_models  # noqa: E402

_BARE = """
import sys, time, torch
sys.path.insert(0, {root!r})
from diml_core import load_model, load_photo
model = load_model({model!r})
images = [model.preprocess(load_photo(path))[None] for path in {paths!r}]
with torch.inference_mode():
    for image in images[:3]:
        model.backbone(image, 0)
    start = time.perf_counter()
    for image in images:
        model.backbone(image, 0)
print(len(images) / (time.perf_counter() - start))
"""
_BARE_PHOTOS = 24
_CHECKED = 10  # one answer in so many is recomputed
_ROUNDING = (
    2e-3  # of the largest feature: float16 keeps 1 / 2048, and a network sums in another order
)


@dataclass
class Report:
    """What all visitors met; safe for several threads."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {"comparison": [], "cover": [], "search": []}
    )
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    passes: int = 0
    memory: dict[int, float] = field(default_factory=dict)
    to_check: list[tuple[bytes, bytes, list[int]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def done(self, kind: str, seconds: float, passes: int) -> int:
        """Note one answer; how many of its kind there are."""
        with self.lock:
            self.seconds[kind].append(seconds)
            self.passes += passes
            return len(self.seconds[kind])


def fresh_photo(seed: int, side: int) -> bytes:
    """A JPEG that nobody has sent yet: a part of an example, maybe mirrored."""
    choice = random.Random(seed)
    paths = sorted((ROOT / "assets" / "examples").glob("*.jpg"))
    with Image.open(paths[seed % len(paths)]) as image:
        image = image.convert("RGB")
        left, top = (choice.random() * 0.2 * edge for edge in image.size)
        image = image.crop((int(left), int(top), image.width - choice.randint(0, 60), image.height))
        image = ImageOps.mirror(image) if choice.random() < 0.5 else image
        image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=choice.randint(80, 92))
    return file.getvalue()


def bare_rate(model: str, photos: list[bytes]) -> float:
    """Forward passes per second of the network alone."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, photo in enumerate(photos[:_BARE_PHOTOS]):
            paths.append(f"{folder}/{number}.jpg")
            Path(paths[-1]).write_bytes(photo)
        code = _BARE.format(root=str(ROOT), model=model, paths=paths)
        return float(
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        )


class Student:
    """One visitor's session, and the numbers of the functions that it calls."""

    def __init__(self, url: str, model: str, report: Report) -> None:
        self.visitor, self.model, self.report = Visitor(url), model, report
        config = self.visitor.config()
        (chosen,) = events_of(config, "photo-a", "input")
        self.compare = next(d["id"] for d in config["dependencies"] if d["trigger_after"] == chosen)
        (self.cover,) = events_of(config, "viewer", "cover")
        (self.search,) = events_of(config, "results", "again")
        self.pair: dict = {}
        self.photo: dict = {}

    def compares(self, photos: list[bytes], names: list[str]) -> None:
        """Upload both, ask, and fetch what the page draws."""
        start = time.perf_counter()
        sent = [self.visitor.upload(data, name) for data, name in zip(photos, names, strict=True)]
        answer = self.visitor.call(self.compare, [*sent, None, self.model, "", "", ""])
        if isinstance(answer, str) or "error" in answer[0] or "a" not in answer[0]:
            self.report.lost.append(f"comparison: {str(answer)[:200]}")
            return
        self.pair, self.photo = answer[0], sent[0]
        got = {}
        for side in "ab":
            for what in ("photo", "features"):
                response = self.visitor.http.get(self.pair[side][what])
                response.raise_for_status()
                got[side, what] = response.content
        count = self.report.done("comparison", time.perf_counter() - start, 2)
        digests = [load_photo(data).digest for data in photos]
        if [self.pair[side]["digest"] for side in "ab"] != digests:
            self.report.wrong.append("comparison: other photos than were sent")
        elif count % _CHECKED == 0:
            self.report.to_check.append((photos[1], got["b", "features"], self.pair["b"]["map"]))

    def covers(self) -> None:
        """Cover the first part of A."""
        start = time.perf_counter()
        options = {name: value for name, value in self.pair["options"].items() if value is not None}
        question = {
            "id": 1,
            "model": self.model,
            "options": options,
            "side": "a",
            "parts": [0],
            "cover": "grey",
        }
        question["digests"] = [self.pair[side]["digest"] for side in "ab"]
        response = self.visitor.ask(self.cover, [], question)
        if response.status_code != 200:
            self.report.lost.append(f"cover: {response.text[:200]}")
            return
        messages = [m for m in self.visitor.messages() if m["msg"].startswith("process_")]
        last = messages[-1]["output"]
        told = str([m.get("output") for m in messages])
        if "controls" not in told or not last or last.get("error"):
            self.report.lost.append(f"cover: {told[-200:]}")
            return
        passes = (
            sum(m["msg"] == "process_generating" for m in messages) - 1
        )  # the last has the answer
        self.report.done("cover", time.perf_counter() - start, passes)

    def searches(self) -> None:
        """Search by the photo A."""
        start = time.perf_counter()
        answer = self.visitor.call(self.search, [self.photo, self.model, "built-in", None])
        if isinstance(answer, str) or len(answer[0].get("items", ())) < 10:
            self.report.lost.append(f"search: {str(answer)[:200]}")
            return
        self.report.done("search", time.perf_counter() - start, 0)  # the photo was seen


def resident(pid: int) -> float:
    """GiB of a process in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 2**20


def check(report: Report, model_name: str) -> None:
    """Recompute the features of some answers."""
    model = load_model(model_name)
    for photo, sent, shape in report.to_check:
        expected = model.extract(load_photo(photo)).map.numpy().astype(np.float64)
        count = int(np.prod(shape))
        got = np.frombuffer(sent, "<f2", count).reshape(shape).astype(np.float64)
        if (
            got.shape != expected.shape
            or np.abs(got - expected).max() > _ROUNDING * np.abs(expected).max()
        ):
            report.wrong.append("features: not those of the photo that was sent")


def start_app(environment: dict[str, str]) -> tuple[subprocess.Popen, str]:
    """``python app.py`` on a free port, and its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=os.environ | environment | {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/"
    while True:
        try:
            httpx.get(url, timeout=2)
            return process, url
        except httpx.HTTPError:
            if process.poll() is not None:
                raise SystemExit("app.py has ended: start it by hand to see why.") from None
            time.sleep(0.3)


def wait_for_galleries(url: str, model: str) -> None:
    """Until the background has nothing more to do."""
    student = Student(url, model, Report())
    for name in shipped_models():
        while (
            "preparing" in student.visitor.call(student.search, [None, name, "built-in", None])[0]
        ):
            time.sleep(1)


def visit_all(
    url: str, pid: int, arguments: argparse.Namespace, photos: list[bytes]
) -> tuple[Report, float]:
    """Let every visitor do its work; what came of it, and the seconds it took."""
    report = Report()
    marks = [round(arguments.visitors * arguments.comparisons * third / 3) for third in (1, 2, 3)]

    def work(number: int) -> None:
        student = Student(url, arguments.model, report)
        moments = random.Random(number).sample(range(arguments.comparisons), 2)
        for turn in range(arguments.comparisons):
            first = 2 * (number * arguments.comparisons + turn)
            student.compares(photos[first : first + 2], [f"{first}.jpg", f"{first + 1}.jpg"])
            done = len(report.seconds["comparison"])
            for mark in marks:
                if done >= mark and mark not in report.memory:
                    report.memory[mark] = resident(pid)
            if turn == moments[0] and student.pair:
                student.covers()
            if turn == moments[1] and student.pair:
                student.searches()
        student.visitor.leave()

    start = time.perf_counter()
    with ThreadPoolExecutor(arguments.visitors) as pool:
        for future in [pool.submit(work, number) for number in range(arguments.visitors)]:
            future.result()
    return report, time.perf_counter() - start


def main() -> None:
    """Measure, and print a few lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--comparisons", type=int, default=9, help="of each visitor, at least 2")
    parser.add_argument("--model", default=DEFAULT_MODEL, choices=shipped_models())
    parser.add_argument("--side", type=int, default=640, help="longer side of the photos, px")
    arguments = parser.parse_args()
    count = 2 * arguments.visitors * arguments.comparisons
    with ThreadPoolExecutor() as pool:
        photos = list(pool.map(lambda seed: fresh_photo(seed, arguments.side), range(count)))

    process, url = start_app({})
    try:
        wait_for_galleries(url, arguments.model)
        at_rest = resident(process.pid)
        before = bare_rate(arguments.model, photos)
        report, seconds = visit_all(url, process.pid, arguments, photos)
        bare = statistics.mean([before, bare_rate(arguments.model, photos)])
    finally:
        process.terminate()
        process.wait(30)
    check(report, arguments.model)

    rate = len(report.seconds["comparison"]) / seconds
    print(f"{arguments.visitors} visitors, {arguments.model}, {seconds:.0f} s")
    print(f"lost answers: {len(report.lost)}, wrong answers: {len(report.wrong)}")
    for line in [*report.lost, *report.wrong][:5]:
        print(f"  {line}")
    print(
        f"{rate:.2f} comparisons/s, where the bare network does {bare / 2:.2f} pairs/s; with covers "
        f"{report.passes / seconds:.1f} forward passes/s of {bare:.1f}: {report.passes / seconds / bare:.2f} of it"
    )
    for kind, times in report.seconds.items():
        if times:
            p50, p95 = np.percentile(times, [50, 95])
            print(f"{kind}: {len(times)}, median {p50:.2f} s, 95th percentile {p95:.2f} s")
    marks = ", ".join(
        f"{memory:.2f} after {mark}" for mark, memory in sorted(report.memory.items())
    )
    print(f"memory: {at_rest:.2f} GiB at rest, {marks}")


if __name__ == "__main__":
    main()
