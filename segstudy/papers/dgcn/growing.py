"""How a picture's labels grow while the network learns: the graph cut, its rivals, and no growth at all.

Each way takes the first cues, the network's probabilities and the graph of features, and gives the labels of this step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from segstudy.papers.dgcn.graph_cut import graph_cut_labels
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.random_walker import walker_labels
from segstudy.papers.dgcn.region_growing import grow_seeds

Grow = Callable[..., np.ndarray]


def _static(
    cues: np.ndarray, probabilities: np.ndarray, edges: np.ndarray, classes: Sequence[int]
) -> np.ndarray:
    return np.asarray(cues).astype(np.uint8)


def _regions(
    cues: np.ndarray, probabilities: np.ndarray, edges: np.ndarray, classes: Sequence[int], **options: Any
) -> np.ndarray:
    return grow_seeds(cues, probabilities, classes, **options)


WAYS: dict[str, Grow] = {
    "static seeds": _static,
    "region growing": _regions,
    "graph cut": graph_cut_labels,
    "label propagation": propagate_labels,
    "random walker": walker_labels,
}


@dataclass(frozen=True)
class Growth:
    """A way of growing labels, and what it is fed with.

    Parameters
    ----------
    way : str
        A key of `WAYS`.
    refined : bool
        Whether the probabilities are those that the dense CRF made of the network's. DSRG's region growing always gets
        these; the paper's text feeds the cut with the network's own.
    options : dict
        Of the way, such as `theta`.

    Raises
    ------
    ValueError
        The way is unknown.
    """

    way: str = "graph cut"
    refined: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ValueError(f"way must be one of {tuple(WAYS)}, got {self.way!r}")

    @property
    def needs_edges(self) -> bool:
        """Whether the graph of features is asked for."""
        return self.way in ("graph cut", "label propagation", "random walker")

    def __call__(
        self, cues: np.ndarray, probabilities: np.ndarray, edges: np.ndarray | None, classes: Sequence[int]
    ) -> np.ndarray:
        """Return the labels of one picture, (h, w) uint8 with `VOID` where there is none."""
        return WAYS[self.way](cues, probabilities, edges, classes, **self.options)


GRAPH_CUT = Growth()
REGION_GROWING = Growth("region growing", refined=True)
