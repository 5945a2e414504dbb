"""The losses of a batch of `Views`: on labels that grow from what the network says of it, or on given ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_image
from segstudy.papers.dgcn.graph_cut import NEIGHBOURS, join_features, knn_edges
from segstudy.papers.dgcn.growing import Growth
from segstudy.papers.dgcn.losses import balanced_seed_loss, boundary_loss, floored_softmax
from segstudy.papers.dgcn.views import Maps, WeakPicture
from segstudy.postprocess.crf import DSRG_TRAINING, CRFSettings, DenseCRF
from segstudy.progress import track

# The network learns from the cues alone for so many epochs: what a fresh head believes is no ground to grow labels on,
# and theta then leaves no object labelled at all. The paper starts from a network that has been trained on cues.
WARM_UP = 3


def prepare_crfs(
    pictures: Sequence[WeakPicture], size: tuple[int, int], settings: CRFSettings = DSRG_TRAINING
) -> list[DenseCRF]:
    """Return the CRF of each picture, shrunk to the size of the network's map."""
    return [DenseCRF(resize_image(picture.image, size), settings) for picture in track(pictures, "CRFs")]


class GrowingLoss:
    """The loss of a batch: its labels are grown from what the network says of it, then Eq. 4 and Eq. 5.

    Parameters
    ----------
    pictures : sequence of WeakPicture
        With cues.
    growth : Growth
    warm_up : int
        Epochs in which the cues are the labels.
    balanced : bool
        See :func:`~segstudy.papers.dgcn.losses.balanced_seed_loss`.
    boundary : float
        Weight of the boundary loss; 1 is the paper's.
    crfs : sequence of DenseCRF, optional
        Of each picture, see :func:`prepare_crfs`, which several trainings may share; None: made here.
    k : int
        Neighbours of a node, itself among them, where the graph is made in each step.
    watch : callable, optional
        `watch(epoch, index, labels)` is shown the labels of every picture in every step, (h, w) uint8.

    Raises
    ------
    ValueError
        A picture has no cues.
    """

    def __init__(
        self,
        pictures: Sequence[WeakPicture],
        growth: Growth,
        *,
        warm_up: int = WARM_UP,
        balanced: bool = True,
        boundary: float = 1.0,
        crfs: Sequence[DenseCRF] | None = None,
        k: int = NEIGHBOURS,
        watch: Callable[[int, int, np.ndarray], None] | None = None,
    ) -> None:
        without = [i for i, picture in enumerate(pictures) if picture.cues is None]
        if without:
            raise ValueError(
                f"pictures must have cues, but {len(without)} have none, the first at {without[0]}"
            )
        self.pictures, self.growth, self.warm_up = pictures, growth, warm_up
        self.balanced, self.boundary, self.k, self.watch = balanced, boundary, k, watch
        self.crfs = prepare_crfs(pictures, pictures[0].cues.shape) if crfs is None else crfs

    def __call__(self, outputs: tuple[Tensor, Maps], which: Tensor) -> Tensor:
        """Return the loss of a batch of `Views`."""
        logits, maps = outputs
        probabilities = floored_softmax(logits.float())
        refined, labels = [], []
        for row, (index, mirrored, epoch) in enumerate(which.tolist()):
            picture, flip = self.pictures[index], bool(mirrored)
            own = _turned(probabilities[row].detach().permute(1, 2, 0), flip)
            better = self.crfs[index].refine(own)
            refined.append(_turned(better, flip).permute(2, 0, 1))
            grown = self._grow(picture, own, better, [_turned(m[row], flip, columns=2) for m in maps], epoch)
            if self.watch is not None:
                self.watch(epoch, index, grown)
            labels.append(_turned(torch.from_numpy(grown), flip))
        target = torch.stack(labels).to(logits.device)
        loss = balanced_seed_loss(probabilities, target, self.balanced)
        return loss + self.boundary * boundary_loss(probabilities, torch.stack(refined).to(logits.device))

    def _grow(self, picture: WeakPicture, own: Tensor, refined: Tensor, maps: Maps, epoch: int) -> np.ndarray:
        if epoch < self.warm_up:
            return picture.cues
        return grow(
            picture, (refined if self.growth.refined else own).cpu().numpy(), self.growth, maps, self.k
        )


def grow(
    picture: WeakPicture,
    probabilities: np.ndarray,
    growth: Growth,
    maps: Maps | None = None,
    k: int = NEIGHBOURS,
) -> np.ndarray:
    """Return a picture's labels, grown from its cues at (h, w, C) probabilities.

    The graph is the picture's own, or that of `maps` where it has none.
    """
    edges = picture.edges
    if edges is None and growth.needs_edges:
        edges = knn_edges(join_features(maps), k)
    return growth(picture.cues, probabilities, edges, picture.classes)


def _turned(values: Tensor, flip: bool, columns: int = 1) -> Tensor:
    """Mirror a map along the dimension of its columns, or leave it."""
    return values.flip(columns) if flip else values


class LabelLoss:
    """The cross-entropy on given labels, for retraining on the network's own masks.

    Parameters
    ----------
    labels : sequence of (h, w) int ndarray
        Of each picture, at the size of the network's map; `VOID` is left out.
    """

    def __init__(self, labels: Sequence[np.ndarray]) -> None:
        self.labels = [torch.from_numpy(np.asarray(found).astype(np.int64)) for found in labels]

    def __call__(self, outputs: tuple[Tensor, Maps], which: Tensor) -> Tensor:
        """Return the loss of a batch of `Views`."""
        logits, _ = outputs
        chosen = [_turned(self.labels[index], bool(mirrored)) for index, mirrored, _ in which.tolist()]
        target = torch.stack(chosen).to(logits.device)
        total = F.cross_entropy(logits.float(), target, ignore_index=VOID, reduction="sum")
        return total / (target != VOID).sum().clamp_min(1)
