"""The methods that need no training, side by side on the same pictures: what they find and how long they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from segstudy.cache import Experiment
from segstudy.datasets import Dataset
from segstudy.datasets.files import listed
from segstudy.datasets.folder import CARD, SUFFIXES
from segstudy.errors import StudyError
from segstudy.experiments.images.methods import build
from segstudy.experiments.images.segmenting import readable_samples, segment_picture
from segstudy.experiments.parts import evenly, open_part
from segstudy.progress import track


def experiments(parameters: dict[str, Any]) -> list[Experiment]:
    """Return one experiment for each method and seed.

    Parameters
    ----------
    parameters : dict
        The notebook's: `pictures` (a data set's "name/split", or a folder), `images` (at most so many, evenly spaced,
        0: all), `methods` (names of :data:`~segstudy.experiments.images.methods.METHODS`), `clusters`, `seeds`.
    """
    shared = {key: parameters[key] for key in ("pictures", "images", "clusters")}
    known = {"pictures": open_pictures(parameters["pictures"], parameters["images"], "none").fingerprint()}
    return [
        Experiment(measure, {"method": method, "seed": seed} | shared, known)
        for method in parameters["methods"]
        for seed in parameters["seeds"]
    ]


def open_pictures(pictures: str, images: int, supervision: str) -> Dataset:
    """Open a data set, or the pictures of a folder that can be read.

    Parameters
    ----------
    pictures : str
        "name/split", or a path that is a folder; its pictures may lie in `images/` there. A folder has no masks.
    images : int
        At most so many, evenly spaced; 0: all.
    supervision : "full" or "none"

    Raises
    ------
    StudyError
        The folder holds no picture that can be read.
    """
    folder = Path(pictures).expanduser()
    if folder.is_dir():
        return evenly(_open_folder(folder), images)
    return open_part(pictures, images, supervision)


def _open_folder(folder: Path) -> Dataset:
    place = folder / "images" if (folder / "images").is_dir() else folder
    paths = [path for path in listed(place) if path.suffix.lower() in SUFFIXES]
    samples = readable_samples(paths)
    if not samples:
        raise StudyError(f"{place} holds no picture that can be read ({', '.join(SUFFIXES)})")
    note = f"{len(samples)} of {len(paths)} pictures of a folder can be read"
    plain = {"samples": samples, "classes": (), "colours": np.zeros((0, 3)), "card": CARD, "note": note}
    return Dataset(CARD.name, split="all", supervision="none", **plain)


def measure(method: str, pictures: str, images: int, clusters: int, seed: int) -> dict[str, Any]:
    """Segment all pictures with one method.

    Returns
    -------
    dict
        "labels", a list of (H, W) uint8 maps; "seconds", (n,), of the method alone. A picture of the first one's kind
        is segmented once before, so that no time holds what is loaded on a first call.
    """
    dataset = open_pictures(pictures, images, "none")
    segmenter = build(method, clusters, seed)
    segmenter.fit(dataset)
    segment_picture(segmenter, dataset[0].image)
    found = [segment_picture(segmenter, sample.image) for sample in track(dataset, f"{method}: pictures")]
    return {"labels": [one.labels for one in found], "seconds": np.array([one.seconds for one in found])}
