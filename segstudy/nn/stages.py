"""Which of a network's maps are returned: a stage is named by its stride in the network as it was published.

A stage's map is that of the last layer with this stride. Where a network is dilated its deeper maps are larger than
their names say: of timm's EfficientNets stages 8, 16 and 32 are blocks 2, 4 and 6, whatever the output stride.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TimmStages(nn.Module):
    """A timm network down to the deepest of some stages; what lies deeper is dropped.

    Parameters
    ----------
    network : Module
        With `forward_intermediates`.
    indices : sequence of int
        Of the stages in timm's `feature_info`, ascending.
    single : bool
        Whether the last map is returned instead of a list.
    """

    def __init__(self, network: nn.Module, indices: Sequence[int], single: bool = False) -> None:
        super().__init__()
        self.network, self.indices, self.single = network, list(indices), single
        network.prune_intermediate_layers(self.indices, prune_norm=True, prune_head=True)

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """Return the stages' maps, (N, C, h, w) each."""
        options = {"indices": self.indices, "intermediates_only": True, "stop_early": True}
        maps = self.network.forward_intermediates(images, **options)
        return maps[-1] if self.single else maps

    def deepest(self) -> nn.Sequential:
        """Return the blocks that lead from the last stage but one to the last.

        Raises
        ------
        ValueError
            There is one stage alone, or the network is not made of blocks, as EfficientNets are.
        """
        names = [self.network.feature_info[index]["module"] for index in self.indices[-2:]]
        if len(names) < 2 or not all(name.startswith("blocks.") for name in names):
            raise ValueError(f"there must be two stages that end with blocks, got {names}")
        first, last = (int(name.removeprefix("blocks.")) for name in names)
        groups = self.network.blocks[first + 1 : last + 1]
        return nn.Sequential(*(block for group in groups for block in group))


class LayerStages(nn.Sequential):
    """Layers one after the other, down to the deepest of some stages.

    Parameters
    ----------
    layers : Sequential
    indices : sequence of int
        Of the stages' last layers, ascending.
    """

    def __init__(self, layers: nn.Sequential, indices: Sequence[int]) -> None:
        super().__init__(*layers[: indices[-1] + 1])
        self.indices = list(indices)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the stages' maps, (N, C, h, w) each."""
        maps, values = [], images
        for index, layer in enumerate(self):
            values = layer(values)
            if index in self.indices:
                maps.append(values)
        return maps


@torch.no_grad()
def layer_strides(layers: nn.Sequential) -> list[int]:
    """Return how many pixels a step of each layer's map is."""
    side, strides = 256, []
    values = torch.zeros(1, 3, side, side)
    layers.eval()
    for layer in layers:
        values = layer(values)
        strides.append(
            2 ** round(math.log2(side / values.shape[-1]))
        )  # without padding a map is a pixel short
    return strides


def last_layers(strides: Sequence[int], stages: Sequence[int], argument: str, model: str) -> list[int]:
    """Return the index of the last layer of each stage.

    Raises
    ------
    ValueError
        There is no layer of that stride, or the stages do not ascend.
    """
    for stage in stages:
        if stage not in strides:
            raise ValueError(f"{argument} must be one of {sorted(set(strides))} for {model}, got {stage!r}")
    if not stages or list(stages) != sorted(set(stages)):
        raise ValueError(f"{argument} must ascend, from the largest map to the smallest, got {stages!r}")
    return [len(strides) - 1 - list(reversed(strides)).index(stage) for stage in stages]
