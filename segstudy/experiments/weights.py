"""What an experiment keeps of a network that it trained: weights as arrays, and names of the pictures that it saw."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import nn

from segstudy.datasets import Dataset

Network = TypeVar("Network", bound=nn.Module)


def weights_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return the weights and running statistics of a network by name, as an experiment keeps them."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


def filled(network: Network, weights: dict[str, np.ndarray]) -> Network:
    """Put weights that `weights_of` returned into a network of the same build; return it, in evaluation mode."""
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return network.eval()


def pictures_in(*datasets: Dataset) -> dict[str, list[str]]:
    """Return the names of the pictures of some data sets by "name/split"."""
    return {f"{part.name}/{part.split}": [sample.name for sample in part] for part in datasets}
