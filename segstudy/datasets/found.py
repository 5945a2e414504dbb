"""The last step of every loader: a data set of what was found on disk, or the error that says how to get it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from segstudy.datasets.card import Card
from segstudy.datasets.files import missing_data
from segstudy.datasets.sample import Dataset, Sample


def found_dataset(
    card: Card,
    split: str,
    supervision: str,
    samples: Iterable[Sample],
    published: str,
    missing: Path,
    **rest: Any,
) -> Dataset:
    """Return the data set of the samples that were found.

    Parameters
    ----------
    card : Card
        Its name becomes the data set's.
    split : str
    supervision : "full", "image" or "none"
    samples : iterable of Sample
    published : str
        What there would be to find, for example "200 published pictures".
    missing : Path
        What to name where nothing was found.
    **rest
        `Dataset`'s other parameters, `classes` and `colours` among them.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where there is no sample.
    """
    found = list(samples)
    if not found:
        raise missing_data(card, missing)
    note = f"{len(found)} of {published} found"
    return Dataset(
        card.name, split=split, supervision=supervision, samples=found, card=card, note=note, **rest
    )
