"""What a study reads: published data sets, generated ones, and a folder of one's own pictures."""

from __future__ import annotations

from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID
from segstudy.datasets.registry import card, data_root, dataset_names, loader, open_dataset
from segstudy.datasets.sample import Dataset, Sample

__all__ = [
    "VOID",
    "Card",
    "Dataset",
    "Sample",
    "card",
    "data_root",
    "dataset_names",
    "loader",
    "open_dataset",
]
