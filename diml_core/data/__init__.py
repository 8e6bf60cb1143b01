"""Labelled images for training and evaluation, by the name of their data set."""

from diml_core.data.base import LabelledImages, Sample
from diml_core.data.registry import DATASETS, known_truth, load_dataset

__all__ = ["DATASETS", "LabelledImages", "Sample", "known_truth", "load_dataset"]
