"""Generated portraits with the nine regions of FASSEG: pictures for graph matching that need no download.

Nothing of a photograph is in them. Their proportions were measured on the published annotations (see
`faces_parameters`); what is drawn besides, from glasses to stray blobs in a part's colours, makes a small network
err in structure and not at borders alone. How a picture follows from the seed: `segstudy.datasets.generated`; the
default set is frozen in `faces.lock.json`.
"""

from __future__ import annotations

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.faces_drawing import draw
from segstudy.datasets.faces_parameters import draw_parameters
from segstudy.datasets.fasseg import CLASSES, COLOURS
from segstudy.datasets.generated import Generated

SPLITS = {"train": 20, "val": 10, "test": 50}

CARD = Card(
    name="faces",
    title="generated portraits with the nine FASSEG regions",
    what="drawn frontal faces, each pixel one of 9 classes; right (image left) and left brow and eye are two",
    how_many="20 training, 10 validation and 50 test pictures; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/faces.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


def draw_face(
    index: int,
    size: tuple[int, int],
    shape: np.random.Generator,
    texture: np.random.Generator,
    sensor: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one portrait, stretched to the size's proportions as FASSEG's photographs are to 512 x 352."""
    return draw(draw_parameters(shape), size, texture, sensor)


SET = Generated(CARD, SPLITS, CLASSES, COLOURS, draw_face, size=(160, 112), lock_size=(80, 56), streams=3)
open_faces = SET.open
