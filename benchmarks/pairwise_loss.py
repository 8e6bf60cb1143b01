"""All pairs of a training batch in one call, against a loop over pairs.

    python benchmarks/pairwise_loss.py [--batch 112] [--parts 16] [--dim 128]

Times forward and backward of the structural similarity of every image with every other, (1) by
StructuralSimilarity, and (2) by a Python loop over anchors whose comparisons with all others are one
batched problem (what the DIML authors' losses do), and (3) by a loop over single pairs, timed on a
few anchors and scaled up. All run the same 20 iterations on the same embeddings, one after the other in
every round. Prints medians, and how far the similarities are apart.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import normalize  # noqa: E402

from diml_core.comparison.transport import DEFAULT_EPSILON  # noqa: E402
from diml_core.learning.distance import DEFAULT_ITERATIONS, StructuralSimilarity  # noqa: E402

SINGLE_ANCHORS = 2  # whose pairs are compared one by one


def compared(anchor: Tensor, others: Tensor) -> Tensor:
    """Similarity of one packed image ``[D, R + 1]`` to others ``[n, D, R + 1]``: plain Sinkhorn."""
    similarity = torch.einsum("dr,nds->nrs", anchor[:, :-1], others[..., :-1])
    with torch.no_grad():
        u = torch.einsum("dr,nd->nr", anchor[:, :-1], others[..., -1]).relu() + 1e-9
        v = torch.einsum("nds,d->ns", others[..., :-1], anchor[:, -1]).relu() + 1e-9
        u, v = u / u.sum(1, keepdim=True), v / v.sum(1, keepdim=True)
        kernel = ((similarity - 1) / DEFAULT_EPSILON).exp()
        r, c = u, torch.ones_like(v)
        for _ in range(DEFAULT_ITERATIONS):
            r = u / (kernel @ c[..., None])[..., 0]
            c = v / (r[:, None] @ kernel)[:, 0]
        plan = r[..., None] * kernel * c[:, None]
    return (others[..., -1] @ anchor[:, -1] + (plan * similarity).sum((1, 2))) / 2


def by_anchor(packed: Tensor) -> Tensor:
    """``[B, B]``, a row at a time."""
    unit = normalize(packed, dim=1)
    return torch.stack([compared(anchor, unit) for anchor in unit])


def by_pair(packed: Tensor) -> Tensor:
    """``[SINGLE_ANCHORS, B]``, a pair at a time."""
    unit = normalize(packed, dim=1)
    return torch.stack(
        [
            torch.cat([compared(anchor, other[None]) for other in unit])
            for anchor in unit[:SINGLE_ANCHORS]
        ]
    )


def seconds(compare: Callable[[Tensor], Tensor], packed: Tensor) -> tuple[float, Tensor]:
    """Time of forward and backward, and the similarities."""
    packed = packed.clone().requires_grad_()
    start = time.perf_counter()
    similarity = compare(packed)
    similarity.sum().backward()
    return time.perf_counter() - start, similarity.detach()


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=112)
    parser.add_argument("--parts", type=int, default=16)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    random = torch.Generator().manual_seed(0)
    batch, dim, parts = arguments.batch, arguments.dim, arguments.parts
    packed = torch.randn(1, dim, 1, generator=random) + torch.randn(
        batch, dim, parts + 1, generator=random
    )
    ways = {
        "one call": (StructuralSimilarity(), 1.0),
        "loop over anchors": (by_anchor, 1.0),
        "loop over pairs": (by_pair, batch / SINGLE_ANCHORS),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, Tensor] = {}
    for number in range(arguments.rounds + 1):
        for name, (compare, scale) in ways.items():
            taken, found[name] = seconds(compare, packed)
            if number:  # the first round warms up
                times[name].append(taken * scale)

    print(f"{batch} x {batch} pairs, {parts} parts, {torch.get_num_threads()} threads\n")
    print("| | seconds | times one call | largest difference |\n|---|---:|---:|---:|")
    base = statistics.median(times["one call"])
    for name, values in times.items():
        median = statistics.median(values)
        apart = (found[name] - found["one call"][: len(found[name])]).abs().max()
        print(f"| {name} | {median:.3f} | {median / base:.1f} | {apart:.1e} |")


if __name__ == "__main__":
    main()
