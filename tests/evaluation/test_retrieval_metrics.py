"""Metrics against the definitions in loops, and against pytorch-metric-learning."""

import numpy as np
import pytest
import torch

from diml_core.evaluation.metrics import METRICS, needed_neighbours, per_query, positives


@pytest.fixture(scope="module")
def labels():
    return np.repeat(np.arange(9), [2, 3, 4, 5, 6, 7, 8, 4, 3])


@pytest.fixture(scope="module")
def embeddings(labels):
    random = np.random.default_rng(0)
    centres = random.normal(size=(9, 8))
    return torch.from_numpy(centres[labels] + 1.3 * random.normal(size=(len(labels), 8))).float()


def ranked(embeddings, labels):
    """Relevance of all others, nearest first by Euclidean distance."""
    distance = torch.cdist(embeddings, embeddings).fill_diagonal_(torch.inf)
    order = distance.argsort(dim=1, stable=True)[:, :-1].numpy()
    return order, labels[order] == labels[:, None]


def in_loops(relevant, wanted):
    values = {f"R@{k}": float(any(relevant[:k])) for k in (1, 2, 4, 8)}
    values["RP"] = sum(relevant[:wanted]) / wanted
    values["MAP@R"] = (
        sum(sum(relevant[: i + 1]) / (i + 1) for i in range(wanted) if relevant[i]) / wanted
    )
    return values


@pytest.mark.parametrize("protocol", ["usual", "authors"])
def test_metrics_are_their_definitions(embeddings, labels, protocol):
    _, relevant = ranked(embeddings, labels)
    wanted = positives(labels, protocol)
    found = per_query(relevant[:, : needed_neighbours(labels)], wanted)
    assert tuple(found) == METRICS
    for query in range(len(labels)):
        for name, value in in_loops(relevant[query].tolist(), wanted[query]).items():
            assert found[name][query] == pytest.approx(value, abs=1e-12), (name, query)


def test_metrics_agree_with_pytorch_metric_learning(embeddings, labels):
    pytest.importorskip("pytorch_metric_learning", reason="pytorch-metric-learning is the oracle")
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    names = {"precision_at_1": "R@1", "r_precision": "RP", "mean_average_precision_at_r": "MAP@R"}
    calculator = AccuracyCalculator(
        include=tuple(names),
        k="max_bin_count",
        knn_func=CustomKNN(LpDistance(normalize_embeddings=False)),
        device=torch.device("cpu"),
    )
    expected = calculator.get_accuracy(embeddings, torch.from_numpy(labels))
    _, relevant = ranked(embeddings, labels)
    found = per_query(relevant, positives(labels))
    assert 0.1 < found["MAP@R"].mean() < 0.9  # neither chance nor a perfect score
    for theirs, ours in names.items():
        assert found[ours].mean() == pytest.approx(expected[theirs], abs=1e-9), ours


def test_perfect_retrieval_scores_one_and_by_the_authors_two_thirds_in_a_class_of_three():
    labels = np.repeat([0, 1], 3)
    relevant = np.array([[True, True, False, False, False]] * 6)
    assert per_query(relevant, positives(labels))["MAP@R"].tolist() == [1.0] * 6
    authors = per_query(relevant, positives(labels, "authors"))
    assert authors["RP"] == pytest.approx(np.full(6, 2 / 3))
    assert authors["R@1"].tolist() == [1.0] * 6


def test_a_query_that_nothing_could_answer_is_left_out():
    labels = np.array([0, 0, 1])
    found = per_query(np.array([[True, False], [True, False], [False, False]]), positives(labels))
    assert np.isnan(found["R@1"]).tolist() == [False, False, True]
    assert np.nanmean(found["MAP@R"]) == 1.0
