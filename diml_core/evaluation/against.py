"""Two models on the same images: what training gained or lost, paired."""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.data import LabelledImages
from diml_core.evaluation.bootstrap import Estimate, estimate
from diml_core.evaluation.embedding import embed_all
from diml_core.evaluation.retrieval import retrieval_metrics
from diml_core.evaluation.tables import Table
from diml_core.network.model import DimlModel

GLOBAL, RERANKED = "global", "re-ranked"
METRICS = ("R@1", "MAP@R")


def against(
    model: DimlModel,
    options: ExplainOptions,
    start: DimlModel,
    dataset: LabelledImages,
    *,
    top_k: int = 100,
    protocol: str = "usual",
    progress: bool = True,
) -> Table:
    """Compare a model with another, usually what it was trained from, each with its own defaults.

    Args:
        model, options: the model and how it compares.
        start: the other.
        dataset: every image is a query to all others.
        top_k, protocol: see :func:`diml_core.evaluation.report.evaluate`.
        progress: whether to show bars.

    Returns:
        A row per scale (``global``, ``re-ranked``), and per metric both figures and their difference.
    """
    paths, labels = [s.path for s in dataset.samples], dataset.labels
    measured = []
    for each, chosen in ((start, start.options()), (model, options)):
        embedder = each.embedder(chosen)
        embedded = embed_all(each, paths, [embedder], progress=progress)[embedder]
        measured.append(retrieval_metrics(embedded, labels, chosen, (0, top_k), protocol))
    former = start.name if start.name != model.name else f"{start.name} before"
    rows: dict[str, dict[str, Estimate]] = {}
    for scale, k in ((GLOBAL, 0), (RERANKED, top_k)):
        rows[scale] = {}
        for metric in METRICS:
            before, after = (m[k][metric] for m in measured)
            rows[scale] |= {
                f"{metric} of {former}": estimate(before, labels),
                f"{metric} of {model.name}": estimate(after, labels),
                f"{metric}, gain": estimate(after - before, labels),
            }
    note = (
        f"{len(labels):,} queries of {len(dataset.classes):,} classes: '{model.name}' and '{former}', each "
        "with its own default options, and the difference (paired). Per cent, with 95% intervals over classes."
    )
    signed = frozenset(f"{metric}, gain" for metric in METRICS)
    return Table(title_against(dataset.name), note, rows, signed)


def title_against(dataset: str) -> str:
    """The heading of the table for a data set."""
    return f"Against the start, {dataset}"
