"""k nearest neighbours of feature vectors, as tensors on the features' own device, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Above so many columns distances come from products of matrices, |a|^2 + |b|^2 - 2ab, some five times faster at 1472
# columns (VGG-16's maps side by side). In float32 that loses half the digits, so it is done in float64.
WIDE = 64


def nearest_neighbours(
    features: Tensor, k: int, chunk: int = 4096, include_self: bool = False
) -> tuple[Tensor, Tensor]:
    r"""Find the k nearest of n vectors to each of them, by Euclidean distance.

    .. math:: D_{ij} = \lVert X_i - X_j \rVert_2 \qquad \text{(Feng et al. 2021, Eq. 1)}

    The indices are the non-zeros of their matrix Q (Eq. 2), row by row.

    Parameters
    ----------
    features : (n, d) floating Tensor
        One vector per node. bfloat16 and float16 are computed in float32.
    k : int
        Neighbours per node, 1 to n - 1; to n when a node counts as its own neighbour.
    chunk : int
        Rows of the distance matrix held at a time: memory is O(chunk x n).
    include_self : bool
        Whether a node is its own first neighbour, at distance 0.

    Returns
    -------
    indices : (n, k) int64 Tensor
        On the device of `features`, nearest first.
    distances : (n, k) Tensor
        float64 for float64 features, float32 otherwise. No gradient flows through.

    Raises
    ------
    TypeError
        `features` are not floating point.
    ValueError
        `features` is not 2-D or not finite, `k` has not so many neighbours to choose from, or `chunk` is below 1.

    Notes
    -----
    Equal distances among the k stand in order of index. Which of several nodes that tie for the k-th place is kept is
    `torch.topk`'s choice: the same each time on one machine, not across devices.
    """
    import torch

    n = _check_neighbours(features, k, chunk, include_self)
    dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
    values = features.detach().to(dtype)
    if features.shape[1] > WIDE:
        # Distances do not change with the origin, but the products' rounding grows with the distance from it.
        values = values.double() - values.double().mean(dim=0)
    found = [
        _chunk_neighbours(values, start, min(start + chunk, n), k, include_self)
        for start in range(0, n, chunk)
    ]
    return torch.cat([indices for indices, _ in found]), torch.cat([distances for _, distances in found]).to(
        dtype
    )


def undirected_edges(indices: Tensor) -> Tensor:
    """Make a neighbour list an undirected graph: i and j are joined when either is a neighbour of the other.

    A node's nearest neighbour need not count that node among its own, so Q is not symmetric, while Feng et al. 2021
    speak of undirected edges: this takes the union.

    Parameters
    ----------
    indices : (n, k) int64 Tensor
        Neighbours, as from :func:`nearest_neighbours`; a node's entry for itself is dropped.

    Returns
    -------
    (m, 2) int64 Tensor
        Pairs i < j, each once, in lexicographic order.
    """
    import torch

    n, k = indices.shape
    nodes = torch.arange(n, device=indices.device).repeat_interleave(k)
    ends = indices.reshape(-1)
    low, high = torch.minimum(nodes, ends), torch.maximum(nodes, ends)
    numbers = (low * n + high)[low != high].unique()
    return torch.stack([numbers // n, numbers % n], dim=1)


def _chunk_neighbours(
    values: Tensor, start: int, stop: int, k: int, include_self: bool
) -> tuple[Tensor, Tensor]:
    """Search the neighbours of rows start..stop-1."""
    import torch

    wide = values.shape[1] > WIDE
    if wide:
        distances = _squared_distances(values, start, stop)
    else:  # Feng et al. 2021, Eq. 1
        distances = torch.cdist(values[start:stop], values, compute_mode="donot_use_mm_for_euclid_dist")
    # A node comes first among its neighbours (below any distance) or never, even beside exact copies of itself.
    distances[:, start:stop].fill_diagonal_(-1.0 if include_self else torch.inf)
    nearest, indices = distances.topk(k, largest=False)
    # topk leaves ties in any order: sort by index, then by distance without disturbing that.
    indices, by_index = indices.sort(dim=1)
    nearest, by_distance = nearest.gather(1, by_index).sort(dim=1, stable=True)
    nearest = nearest.clamp(min=0)
    return indices.gather(1, by_distance), nearest.sqrt() if wide else nearest


def _squared_distances(values: Tensor, start: int, stop: int) -> Tensor:
    """Return the squared distances of rows start..stop-1 to all rows, from products of matrices."""
    import torch

    if stop - start == len(values) and values.device.type == "cpu":
        array = values.numpy()
        products = torch.from_numpy(array @ array.T)  # numpy sees that this is symmetric and computes a half
    else:
        products = values[start:stop] @ values.T
    squares = values.square().sum(dim=1)
    distances = products.mul_(-2).add_(squares).add_(squares[start:stop, None])
    return distances.clamp_(min=0)


def _check_neighbours(features: Tensor, k: int, chunk: int, include_self: bool) -> int:
    if not features.is_floating_point():
        raise TypeError(
            f"features must be floating point, got {features.dtype}: cast them, e.g. features.float()"
        )
    if features.ndim != 2:
        raise ValueError(f"features must be (n, d), one row per node, got shape {tuple(features.shape)}")
    most = len(features) - (not include_self)
    if not 1 <= k <= most:
        raise ValueError(
            f"k must be 1 to {most} for {len(features)} nodes (include_self={include_self}), got {k}"
        )
    if chunk < 1:
        raise ValueError(f"chunk must be 1 row or more, got {chunk}")
    if not features.isfinite().all():
        raise ValueError(
            "features must be finite, got inf or nan: find the node that holds it before building a graph"
        )
    return len(features)
