"""Time and memory of a search as the gallery grows.

    python benchmarks/search_scale.py [--galleries 1000 1000000] [--folder DIR] [--json FILE]

Makes galleries of random unit vectors in the format of ``python -m diml_core index`` (R = 16,
D = 128: 4.6 kB per image, 4.6 GB for a million; deleted again), opens each in a process of its own,
and times a search from embedded query to ranked results, stage by stage. A query's neighbours are
spread over the whole file, as they are in practice; the first search after opening is shown apart,
for it may read from disk what the later ones find in memory. Pages of mapped files (the gallery
and the libraries) are taken back by the system when it needs them; own memory is what the process
keeps. With ``--faiss`` stage one is also done by an HNSW graph over the same vectors. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import normalize  # noqa: E402

from diml_core.comparison.options import ExplainOptions  # noqa: E402
from diml_core.retrieval.first_stage import nearest  # noqa: E402
from diml_core.retrieval.records import PhotoRecord  # noqa: E402
from diml_core.retrieval.rerank import rerank  # noqa: E402
from diml_core.retrieval.spec import GallerySpec, PackedPhoto  # noqa: E402
from diml_core.retrieval.store import Store, StoreWriter  # noqa: E402

PARTS, DIM, K = 16, 128, 100
OPTIONS = ExplainOptions(grid=4, marginals="cross-correlation")


def make_gallery(folder: Path, count: int) -> None:
    """Write ``count`` random photos of 1000 classes."""
    random = torch.Generator().manual_seed(count)
    centres = normalize(torch.randn(1000, 1, DIM, generator=random), dim=-1)

    def rows():
        for start in range(0, count, 2000):
            length = min(2000, count - start)
            labels = torch.randint(1000, (length,), generator=random)
            noise = normalize(torch.randn(length, PARTS, DIM, generator=random), dim=-1)
            parts = normalize(centres[labels] + noise, dim=-1)
            pooled = normalize(parts.mean(1, keepdim=True), dim=-1)
            for vectors in torch.cat([parts, pooled], 1).half().numpy():
                yield PackedPhoto(vectors, None, (4, 4))

    records = [PhotoRecord(f"{i:07}.jpg", 0, 0, f"{i:064x}", (4, 4)) for i in range(count)]
    spec = GallerySpec("synthetic", "", OPTIONS, PARTS, DIM, has_rollout=False)
    folder.mkdir()
    StoreWriter(folder).write(spec, ".", records, rows(), [])


def measure(folder: Path, searches: int, with_faiss: bool) -> dict:
    """Open a gallery and search it, one query after the other."""
    start = time.perf_counter()
    store = Store(folder)
    opened = time.perf_counter() - start
    random = torch.Generator().manual_seed(0)
    asked = torch.randint(len(store), (searches + 1,), generator=random)
    queries = store.vectors[asked].float()
    warm_up = Store(folder)  # compiles, without touching what will be timed
    rerank(queries[:1], None, asked[None, :1], warm_up.fetch, OPTIONS)
    index = _hnsw(store) if with_faiss else None

    stages: dict[str, list[float]] = {"candidates": [], "rerank": [], "paths": [], "faiss": []}
    for query in queries[:, None]:
        times = [time.perf_counter()]
        rows, _ = store.candidates(query[:, -1], K)
        times.append(time.perf_counter())
        order = rerank(query, None, rows, store.fetch, OPTIONS).overall.argsort(descending=True)
        times.append(time.perf_counter())
        for row in rows[0][order[0]].tolist():
            store.photo_path(row)
        times.append(time.perf_counter())
        if index is not None:
            index.search(query[:, -1].numpy(), K)
            times.append(time.perf_counter())
        for stage, a, b in zip(stages, times, times[1:], strict=False):
            stages[stage].append(1e3 * (b - a))
    result = {
        "gallery": len(store),
        "open_ms": 1e3 * opened,
        "first_ms": sum(times[0] for times in stages.values() if times),
        **{f"{s}_ms": statistics.median(t[1:]) for s, t in stages.items() if t},
        **_memory(),
        "disk_mb": sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
    }
    if index is not None:
        exact, _ = nearest(store.pooled, queries[:, -1], K)
        _, found = index.search(queries[:, -1].numpy(), K)
        shared = [len(np.intersect1d(a, b)) for a, b in zip(exact.numpy(), found, strict=True)]
        result["faiss_recall"] = sum(shared) / exact.numel()
    return result


def _memory() -> dict[str, float]:
    """Megabytes of this process by kind, as Linux counts them."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = {"own_mb": "RssAnon", "mapped_mb": "RssFile"}
    return {key: int(status[name].split()[0]) / 1024 for key, name in names.items()}


def _hnsw(store: Store):
    import faiss

    index = faiss.IndexHNSWFlat(DIM, 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 2 * K
    for start in range(0, len(store), 10_000):
        index.add(store.pooled[start : start + 10_000].float().numpy())
    return index


COLUMNS = {
    "gallery": "photos",
    "open_ms": "open, ms",
    "first_ms": "first search, ms",
    "candidates_ms": "stage one, ms",
    "rerank_ms": "stage two, ms",
    "paths_ms": "paths, ms",
    "own_mb": "own memory, MB",
    "mapped_mb": "mapped files in memory, MB",
    "disk_mb": "disk, MB",
    "faiss_ms": "stage one by HNSW, ms",
    "faiss_recall": "its recall",
}


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--galleries", type=int, nargs="*", default=[10**n for n in range(3, 7)])
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="where to write; default: temporary files")
    parser.add_argument("--faiss", action="store_true", help="also HNSW (needs faiss-cpu)")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)  # the process that measures
    arguments = parser.parse_args()
    if arguments.open:
        print(json.dumps(measure(arguments.open, arguments.searches, arguments.faiss)))
        return
    lines = []
    for count in arguments.galleries:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            make_gallery(Path(folder) / "gallery", count)
            command = [sys.executable, __file__, "--open", f"{folder}/gallery"]
            command += ["--searches", str(arguments.searches)] + ["--faiss"] * arguments.faiss
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        line = json.loads(output)
        if not lines:
            shown = [key for key in COLUMNS if key in line]
            print(f"| {' | '.join(COLUMNS[key] for key in shown)} |\n|{'---|' * len(shown)}")
        lines.append(line)
        print(f"| {' | '.join(f'{line[key]:.4g}' for key in shown)} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
