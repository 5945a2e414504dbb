"""The pictures of notebook 04: what a frozen trunk sees of them, how salient it is, and the truth that only scores.

Training pictures and their truth are opened apart, with image-level labels and with masks: what is trained on never had
a way to a mask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from segstudy.baselines.common import rgb_colours
from segstudy.datasets.resizing import resize_image
from segstudy.experiments.dgcn.chain import Chain, map_shapes, new_trunk
from segstudy.experiments.parts import open_part
from segstudy.papers.dgcn.background_detection import robust_background_saliency
from segstudy.papers.dgcn.saliency_forest import forest_of_drawn_objects
from segstudy.papers.dgcn.seeds import resize_saliency
from segstudy.papers.dgcn.segmenter import Saliency
from segstudy.papers.dgcn.supervision import BACKGROUND
from segstudy.papers.dgcn.views import WeakPicture, link, look
from segstudy.progress import track

FOREST_SIDE = 160  # pixels at which the forest learned and looks
RBD, DRFI = "robust background detection", "DRFI, trained on drawn objects"
SALIENCIES: dict[str, Callable[[], Saliency]] = {
    RBD: lambda: robust_background_saliency,
    DRFI: lambda: _by_forest,
}


def _by_forest(image: np.ndarray) -> np.ndarray:
    return forest_of_drawn_objects(side=FOREST_SIDE)(resize_image(image, (FOREST_SIDE, FOREST_SIDE)))


class Pictures(NamedTuple):
    """A data set as the loop sees it, and what scores it.

    Attributes
    ----------
    weak : list of WeakPicture
        Where the trunk is frozen with maps and, of training pictures, edges.
    images : list of (H, W, 3) uint8 ndarray
        As they are read, of pictures that are tested on.
    truth : list of (H, W) int ndarray
        As annotated.
    classes : tuple of str
    """

    weak: list[WeakPicture]
    images: list[np.ndarray]
    truth: list[np.ndarray]
    classes: tuple[str, ...]


@lru_cache(maxsize=2)  # the experiments of one process share a training and a test set
def open_pictures(chain: Chain, trained: bool) -> Pictures:
    """Open the training or the test pictures, and look at them where the trunk is frozen."""
    dataset = chain.train if trained else chain.test
    seen = open_part(dataset, chain.images, "image" if trained else "none", chain.drawn)
    images, weak = [], []
    for sample in seen:
        image = rgb_colours(sample.image)
        known = tuple(sorted((sample.image_labels or frozenset()) - {BACKGROUND}))
        weak.append(WeakPicture(resize_image(image, (chain.side, chain.side)), known))
        if not trained:
            images.append(image)
    if chain.frozen:
        options = {"mirrored": trained, "device": chain.device, "label": f"{dataset}, features"}
        weak = look(weak, new_trunk(chain), **options)
        weak = link(weak, label=f"{dataset}, neighbours") if trained else weak
    judged = open_part(dataset, chain.images, "full", chain.drawn)
    return Pictures(weak, images, [sample.labels for sample in judged], seen.classes)


@lru_cache(maxsize=2)
def saliency(chain: Chain, kind: str) -> list[np.ndarray]:
    """Return the saliency of the training pictures, (h, w) float64 at the map's size, by its key in `SALIENCIES`."""
    find = SALIENCIES[kind]()
    pictures, size = open_pictures(chain, True).weak, map_shapes(chain)[-1][1:]
    return [resize_saliency(find(p.image), size) for p in track(pictures, f"{chain.train}, {kind}")]
