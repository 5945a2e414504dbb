"""The methods that a user can ask for by name: what each is told, what weights it needs, how long it takes.

A method's code is imported where it is built: `--help` shall not wait for torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segstudy.errors import StudyError, nearest

if TYPE_CHECKING:
    from segstudy.segmenter import Segmenter

CLUSTERS = 4  # parts of a picture, where the method does not bring a number of its own
# What the slides' settings cluster: of the features compared in notebook 03 on real pictures, those of highest IoU. The
# other works train for 10 or 20 iterations, and on these features put all of a photograph into one part; they have the
# colours and textures that need no weights.
IMAGENET = {"features": "timm:tf_efficientnet_lite2", "weights": "pretrained", "stages": (16, 32)}


@dataclass(frozen=True)
class Method:
    """What a user needs to know of a method before choosing it.

    Parameters
    ----------
    title : str
    told : str
        What it is told of the pictures before it labels one.
    needs : str
        Weights that it needs.
    seconds : str
        Rough time of a photograph of 500 x 375 pixels on one core.
    build : callable, optional
        Of a number of clusters (None: the method's own) and a seed, a segmenter. None: a checkpoint builds it.
    learns : bool
        Whether it is first fitted to all the pictures together.
    """

    title: str
    told: str
    needs: str
    seconds: str
    build: Callable[[int | None, int], Segmenter] | None = None
    learns: bool = False


def _otsu(clusters: int | None, seed: int) -> Segmenter:
    from segstudy.baselines import Otsu

    return Otsu()


def _kmeans(clusters: int | None, seed: int) -> Segmenter:
    from segstudy.baselines import KMeans

    return KMeans(clusters or CLUSTERS, seed)


def _slic_kmeans(clusters: int | None, seed: int) -> Segmenter:
    from segstudy.experiments.piece_colours import PieceColours

    return PieceColours(clusters or CLUSTERS, seed)


def _ncut(clusters: int | None, seed: int) -> Segmenter:
    from segstudy.baselines import NormalisedCut

    return NormalisedCut(clusters or CLUSTERS, seed=seed)


def _gnn(preset: str, **features: Any) -> Callable[[int | None, int], Segmenter]:
    def build(clusters: int | None, seed: int) -> Segmenter:
        from segstudy.papers.gnn_clustering import PRESETS, GNNClustering

        settings = PRESETS[preset]
        return GNNClustering(replace(settings, clusters=clusters or settings.clusters), seed=seed, **features)

    return build


def _sgseg(clusters: int | None, seed: int) -> Segmenter:
    from segstudy.papers.sgseg.segmenter import SGSegSegmenter
    from segstudy.papers.sgseg.training import Rates

    # The sizes and rates of notebook 02's demo: minutes on a CPU, where the paper's take days.
    network = {
        "spnn_widths": (8, 12, 16, 24),
        "cnn_widths": (16, 24, 32, 48),
        "gnn_width": 24,
        "gnn_blocks": 3,
    }
    network |= {"superpixels": 64, "k": 8, "seed": seed}
    training = {"side": 64, "batch": 4, "pretraining": 8, "epochs": 8, "rates": Rates(1e-2, 3e-3, 1e-3)}
    return SGSegSegmenter(clusters or CLUSTERS, **training, weights={"tv": 0.02}, **network)


_NOTHING, _NO_WEIGHTS, _CHECKPOINT = "nothing", "none", "a checkpoint of `train`"
_IMAGENET = "ImageNet's, installed"
METHODS: dict[str, Method] = {
    "otsu": Method("Otsu's threshold", _NOTHING, _NO_WEIGHTS, "0.01 s", _otsu),
    "kmeans": Method("k-means on colours", _NOTHING, _NO_WEIGHTS, "0.1 s", _kmeans),
    "slic-kmeans": Method("SLIC + k-means", _NOTHING, _NO_WEIGHTS, "0.3 s", _slic_kmeans),
    "ncut": Method("normalised cut", _NOTHING, _NO_WEIGHTS, "0.3 s", _ncut),
    "deepcut": Method("DeepCut", _NOTHING, _NO_WEIGHTS, "0.2 s", _gnn("deepcut")),
    "deepcut-cc": Method("DeepCut, correlations", _NOTHING, _NO_WEIGHTS, "0.3 s", _gnn("deepcut-cc")),
    "unseggnet": Method("UnSegGNet", _NOTHING, _NO_WEIGHTS, "0.2 s", _gnn("unseggnet")),
    "unsegarmanet": Method("UnSeGArmaNet", _NOTHING, _NO_WEIGHTS, "0.7 s", _gnn("unsegarmanet")),
    "slides": Method("NCUT + GCN of the slides", _NOTHING, _IMAGENET, "0.5 s", _gnn("slides", **IMAGENET)),
    "sgseg": Method(
        "SGSeg", "nothing; learns from the pictures", _NO_WEIGHTS, "minutes for all", _sgseg, learns=True
    ),
    "unet": Method("U-Net", "masks", _CHECKPOINT, "0.5 s"),
    "scgnet": Method("SCG-Net", "masks", _CHECKPOINT, "10 s"),
    "dgcn": Method("DGCN", "classes of each picture", _CHECKPOINT, "5 s"),
}
EVERY = "all"  # stands for the methods that need nothing but the picture


def choose(text: str) -> list[str]:
    """Return the methods that a text names: one, several with commas between them, or `EVERY`.

    Raises
    ------
    StudyError
        For a name that is none of `METHODS`, or no name.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    alone = [name for name, method in METHODS.items() if method.build and not method.learns]
    chosen = list(dict.fromkeys(x for name in names for x in (alone if name == EVERY else [name])))
    for name in chosen:
        if name not in METHODS:
            raise StudyError(f"METHOD is {name!r}{nearest(name, [*METHODS, EVERY])}")
    if not chosen:
        raise StudyError(f"METHOD is {text!r}; name one or more of {', '.join(METHODS)}, or {EVERY}")
    return chosen


def build(name: str, clusters: int | None, seed: int) -> Segmenter:
    """Build a method that needs no checkpoint.

    Parameters
    ----------
    name : str
        Of `METHODS`.
    clusters : int, optional
        Parts of a picture; None: the method's own number. Otsu always has two.
    seed : int

    Raises
    ------
    StudyError
        The method needs a checkpoint.
    """
    method = METHODS[name]
    if method.build is None:
        raise StudyError(
            f"{name} needs weights: make them from labelled pictures, `python -m segstudy train {name} FOLDER --output "
            f"{name}.pt`, and pass --weights {name}.pt"
        )
    return method.build(clusters, seed)


def describe() -> str:
    """Return a line for each method: its name, what it is told, the weights it needs, its time."""
    rows = [("METHOD", "is told", "weights", "a photograph", "")]
    rows += [(name, m.told, m.needs, m.seconds, m.title) for name, m in METHODS.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
