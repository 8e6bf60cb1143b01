"""Labelled images for training and evaluation, by the name of their data set."""

from diml_core.data.base import LabelledImages, Sample
from diml_core.data.registry import DATASETS, load_dataset

__all__ = ["DATASETS", "LabelledImages", "Sample", "load_dataset"]
