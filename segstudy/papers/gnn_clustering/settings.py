"""What each work sets: the graph, the network and the training of DeepCut, UnSegGNet, UnSeGArmaNet and the slides.

Of the three original works these are the settings of the released codes (SAMPL-Weizmann/DeepCut, ksgr5566/UnSegGNet and
UnSeGArmaNet), of the slides what they state. Where the slides' own code (Devnetly/Image_Segmentation_With_GNNs) does
otherwise than they say, :data:`RELEASED_OTHERWISE` tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from segstudy.papers.gnn_clustering.graphs import AFFINITIES
from segstudy.papers.gnn_clustering.layers import ACTIVATIONS

LAYERS = ("gcn", "gat", "arma")
# Kinds of features whose picture's mean is subtracted unless one says otherwise; those of networks by name and DINO's
# keys are taken as they are, as in the slides: on real features centring costs more than it gives.
CENTRED = ("colour-texture", "squeezenet", "mix")


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {known}, got {value!r}")


@dataclass(frozen=True)
class Settings:
    """A method: objective, layer, network, training.

    Parameters
    ----------
    objective : {"ncut", "cc", "dmon"}
        Which affinity and which loss.
    layer : {"gcn", "gat", "arma"}
    clusters : int
        K.
    hidden, mlp : int
        Channels after the graph layer and after the linear layer.
    activation, mlp_activation : str
        After the one and after the other: "silu", "elu", "selu", "relu" or "none".
    dropout : float
        Between the linear layer and the last one, in training.
    alpha : float
        Of "cc".
    tau : float
        Of "dmon".
    positive_edges : bool
        Of "cc": messages pass along edges above 0 only, and are normalised, as in DeepCut; else along all of them, not
        normalised, as in the slides.
    pooled : bool
        Of "ncut", see :func:`~segstudy.papers.gnn_clustering.losses.ncut_loss`.
    doubled, collapse
        Of "dmon", see :func:`~segstudy.papers.gnn_clustering.losses.dmon_loss`.
    heads : int
        Of "gat".
    stacks, depth, root_dropout, stack_activation
        Of "arma", see :class:`~segstudy.papers.gnn_clustering.layers.ARMA`.
    iterations : int
        Steps of AdamW; the slides call them epochs.
    learning_rate, weight_decay : float
    """

    objective: str = "ncut"
    layer: str = "gcn"
    clusters: int = 2
    hidden: int = 32
    mlp: int = 32
    activation: str = "silu"
    mlp_activation: str = "elu"
    dropout: float = 0.25
    alpha: float = 5.0
    tau: float = 0.7
    positive_edges: bool = False
    pooled: bool = True
    doubled: bool = False
    collapse: float = 1.0
    heads: int = 4
    stacks: int = 2
    depth: int = 1
    root_dropout: float = 0.4
    stack_activation: str = "silu"
    iterations: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what no network can be built with."""
        _require("objective", self.objective, AFFINITIES)
        _require("layer", self.layer, LAYERS)
        for name in ("activation", "mlp_activation", "stack_activation"):
            _require(name, getattr(self, name), tuple(ACTIVATIONS))
        if self.clusters < 2:
            raise ValueError(
                f"clusters must be 2 or more, got {self.clusters}: with one there is nothing to part"
            )
        counts = ("hidden", "mlp", "heads", "stacks", "depth", "iterations")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if wrong:
            raise ValueError(f"{wrong[0]} must be 1 or more, got {getattr(self, wrong[0])}")
        for name in ("dropout", "root_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share, 0 or more and below 1, got {getattr(self, name)}")

    @property
    def name(self) -> str:
        """Objective and layer as the slides' tables print them."""
        unnormalised = self.objective == "cc" and self.layer == "gcn" and not self.positive_edges
        return f"{self.objective.upper()} | {self.layer.upper()}" + " (NO Normalization)" * unnormalised


PRESETS = {
    "slides": Settings(doubled=True),
    "deepcut": Settings(hidden=64, activation="elu", iterations=10),
    "deepcut-cc": Settings(
        objective="cc", clusters=10, hidden=64, activation="elu", alpha=3.0, positive_edges=True, iterations=100
    ),
    "unseggnet": Settings(
        objective="dmon", hidden=64, activation="selu", mlp_activation="selu", tau=0.0, doubled=True, collapse=0.0,
        iterations=20,
    ),
    "unsegarmanet": Settings(
        objective="dmon", layer="arma", hidden=64, activation="selu", mlp_activation="selu", tau=0.0, doubled=True,
        collapse=0.0, depth=4, stack_activation="relu", iterations=20,
    ),
}  # fmt: skip

# The slides' text against the code that made their tables.
RELEASED_OTHERWISE = (
    ("threshold tau of DMON", "0.7", "0.0: the option is never passed on"),
    ("activation after a GCN or GAT layer", "SiLU", "none: a single layer of that class applies none"),
    (
        "features",
        "DINO's keys, trained on ImageNet-21k",
        "keys without the block's normalisation; DINO saw ImageNet-1k",
    ),
    ("edges of DMON", "cos > tau", "cos >= tau, and every self-loop"),
    ("assignment that is scored", "not said", "that of the last training step, dropout on"),
    ("foreground", "not said", "the cluster with the higher IoU, chosen with the truth"),
    ("after clustering", "post-processing", "a bilateral solver on every mask"),
    ("best epoch", "a result", "chosen on the pictures that are scored"),
)


def combinations() -> list[Settings]:
    """Return the eight rows of the slides' tables, in their order; correlation clustering with ARMA has no result."""
    rows = [("ncut", layer) for layer in LAYERS] + [("cc", "gcn"), ("cc", "gat")]
    rows += [("dmon", layer) for layer in LAYERS]
    return [replace(PRESETS["slides"], objective=objective, layer=layer) for objective, layer in rows]
