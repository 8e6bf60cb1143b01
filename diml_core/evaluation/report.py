"""From a model and a data set to the tables of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from diml_core.comparison.options import ExplainOptions
from diml_core.data import LabelledImages
from diml_core.data.scenes import SceneTruth
from diml_core.embedding.embedder import Embedder
from diml_core.evaluation.ablation import Ablation, Setting, ablations, base_setting
from diml_core.evaluation.alignment import Alignment, measure_alignment, view_pairs
from diml_core.evaluation.bootstrap import Estimate, estimate
from diml_core.evaluation.embedding import Embedded, embed_all
from diml_core.evaluation.retrieval import TOP_KS, retrieval_metrics
from diml_core.evaluation.tables import Table
from diml_core.network.model import DimlModel

_DIFFERENCE = "MAP@R, gain"
_GAIN = "R@1, gain"
_AGAINST = "MAP@R, against given"
_BEATS = "plan − nearest"


def evaluate(
    model: DimlModel,
    dataset: LabelledImages,
    options: ExplainOptions,
    *,
    top_k: int = 100,
    protocol: str = "usual",
    tables: bool = False,
    truth: SceneTruth | None = None,
    progress: bool = True,
) -> Iterator[Table]:
    """Measure a model on one split, table by table, so that a long run can be kept as it goes.

    Args:
        model: the model; images get its own preprocessing.
        dataset: the images, in classes; every image is a query to all others.
        options: how pairs are compared.
        top_k: candidates that are re-ranked.
        protocol: entry of :data:`diml_core.evaluation.metrics.PROTOCOLS`.
        tables: whether to make the ablation tables, too.
        truth: what is known about scenes, for the tables on parts.
        progress: whether to show bars.

    Yields:
        The table of re-ranked candidates; with ``truth`` that on parts; the ablation tables.
    """
    base = base_setting(model, options)
    varied = ablations(model, options) if tables else []
    aligned = _alignment_settings(model, base, varied) if truth is not None else []
    settings = [base, *aligned, *(s for ablation in varied for s in ablation.settings)]
    embedded = embed_all(
        model, [s.path for s in dataset.samples], [s.embedder for s in settings], progress=progress
    )
    labels = dataset.labels
    yield _by_candidates(embedded[base.embedder], labels, options, top_k, protocol)
    if truth is not None:
        yield _alignment_table(embedded, labels, truth, aligned, progress)
    count = sum(len(ablation.settings) for ablation in varied)
    if varied:
        metrics = retrieval_metrics(
            embedded[base.embedder], labels, base.options, (top_k,), protocol
        )
        given = metrics[top_k]["MAP@R"]
    with tqdm(total=count, desc="settings", disable=not progress or not tables) as bar:
        for ablation in varied:
            rows = {}
            for setting in ablation.settings:
                rows[setting.label] = _compared(embedded, labels, setting, given, top_k, protocol)
                bar.update()
            yield Table(ablation.title, _COMPARED.format(k=top_k), rows, _SIGNED)


_COMPARED = (
    "Global embedding alone, the first {k} of its neighbours re-ranked by their parts, the gain of "
    "re-ranking, and how much better than the setting as given (both paired). Per cent, with 95% intervals "
    "over classes."
)
_SIGNED = frozenset({_DIFFERENCE, _GAIN, _BEATS, _AGAINST})


def _by_candidates(
    embedded: Embedded, labels: np.ndarray, options: ExplainOptions, top_k: int, protocol: str
) -> Table:
    top_ks = sorted({0, *(k for k in TOP_KS if k < top_k), top_k})
    metrics = retrieval_metrics(embedded, labels, options, top_ks, protocol)
    rows = {}
    for k in top_ks:
        label = "global only" if k == 0 else f"K = {k}"
        rows[label] = {n: estimate(v, labels) for n, v in metrics[k].items()}
        for name, metric in ((_GAIN, "R@1"), (_DIFFERENCE, "MAP@R")):
            rows[label][name] = estimate(metrics[k][metric] - metrics[0][metric], labels)
    note = (
        f"{len(labels):,} queries of {len(np.unique(labels)):,} classes, {protocol} protocol: the first K "
        "neighbours by the global embedding, re-ranked by their parts, and the gain over the global "
        "embedding (paired). Per cent, with 95% intervals over classes."
    )
    return Table("Re-ranked candidates", note, rows, _SIGNED)


def _compared(
    embedded: dict[Embedder, Embedded],
    labels: np.ndarray,
    setting: Setting,
    given: np.ndarray,
    top_k: int,
    protocol: str,
) -> dict[str, Estimate]:
    metrics = retrieval_metrics(
        embedded[setting.embedder], labels, setting.options, (0, top_k), protocol
    )
    plain, reranked = metrics[0], metrics[top_k]
    row = {f"global {m}": estimate(plain[m], labels) for m in ("R@1", "MAP@R")}
    row |= {m: estimate(reranked[m], labels) for m in ("R@1", "RP", "MAP@R")}
    for name, metric in ((_GAIN, "R@1"), (_DIFFERENCE, "MAP@R")):
        row[name] = estimate(reranked[metric] - plain[metric], labels)
    row[_AGAINST] = estimate(reranked["MAP@R"] - given, labels)
    return row


def _alignment_settings(
    model: DimlModel, base: Setting, varied: Sequence[Ablation]
) -> list[Setting]:
    """The settings themselves, the whole mass, the finest grid and, with ablations, every marginal."""
    settings = [base]
    if base.options.mass < 1:
        whole = replace(base.options, mass=1.0)
        settings.append(Setting("whole mass", model.embedder(whole), whole))
    if base.options.grid < model.max_grid:
        fine = replace(base.options, grid=model.max_grid)
        label = f"{model.max_grid} × {model.max_grid} parts"
        settings.append(Setting(label, model.embedder(fine), fine))
    marginals = varied[0].settings if varied else ()
    return settings + [s for s in marginals if s.options != base.options]


def _alignment_table(
    embedded: dict[Embedder, Embedded],
    labels: np.ndarray,
    truth: SceneTruth,
    settings: Sequence[Setting],
    progress: bool,
) -> Table:
    pairs = view_pairs(labels)
    rows = {}
    for setting in settings:
        measured = measure_alignment(
            embedded[setting.embedder], truth, pairs, setting.options, progress=progress
        )
        rows[setting.label] = _alignment_row(measured, labels[pairs[0]])
    note = (
        f"{len(pairs[0]):,} pairs of views. *Object mass*: share of the marginal on the object, against "
        "the object's *area*; *pointing*: the largest part is on it. *PCK@0.1*, share of the parts on "
        "the object that are matched within 0.1 of the image's side of where they went: by the largest "
        "entry of the *plan*'s row, by the row's *mean* place, weighted by the *mass* sent, by the "
        "*nearest part*, by the best choice there is on this grid (*limit*). Per cent, with 95% intervals."
    )
    return Table("Parts on the object", note, rows, _SIGNED)


def _alignment_row(measured: Alignment, labels: np.ndarray) -> dict[str, Estimate]:
    pck = {n: estimate(v, labels, measured.parts) for n, v in measured.pck.items()}
    beats = measured.pck["plan"] - measured.pck["nearest part"]
    return {
        "area": estimate(measured.object_area, labels),
        "object mass": estimate(measured.object_mass, labels),
        "pointing": estimate(measured.pointed, labels),
        "PCK plan": pck["plan"],
        "PCK mean": pck["plan, mean"],
        "PCK by mass": estimate(measured.weighted, labels, measured.sent),
        "PCK nearest part": pck["nearest part"],
        "PCK limit": pck["best part"],
        _BEATS: estimate(beats, labels, measured.parts),
    }
