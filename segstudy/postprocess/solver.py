r"""The fast bilateral solver: the smoothest answer near a target, where smooth means along the picture's own edges.

Barron & Poole, The Fast Bilateral Solver, ECCV 2016. Among all x it minimises

.. math:: \frac{\lambda}{2} \sum_{ij} \hat{W}_{ij} (x_i - x_j)^2 + \sum_i c_i (x_i - t_i)^2 \qquad \text{(Eq. 1)}

for a target t with confidence c, where W^ joins pixels that are near in place and colour, made bistochastic. Pixels of
about the same place and colour share a vertex of a bilateral grid; there the problem has a few thousand unknowns

.. math:: (\lambda (D_m - D_n \bar{B} D_n) + \mathrm{diag}(S c))\, y = S (c \circ t), \qquad \hat{x} = S^\top y
          \qquad \text{(Eqs. 5 to 8)}

with S the sum over a vertex's pixels and B the blur over neighbouring vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array

# BT.601, as the paper's YUV: rows Y, U, V of RGB.
YUV = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
BISTOCHASTIC_STEPS = 10  # of Algorithm 1; it converges in a few
BITS = 12  # of a coordinate in a vertex's key: 5 of them fit in 64


class Grid(NamedTuple):
    """The bilateral grid of a picture.

    Attributes
    ----------
    vertex : (H * W,) int ndarray
        Of each pixel.
    sizes : (M,) float ndarray
        Pixels of each vertex, m.
    blur : (M, M) csr_array
        B.
    scale : (M,) float ndarray
        n, which makes n B n sum to m in every row.
    """

    vertex: np.ndarray
    sizes: np.ndarray
    blur: csr_array
    scale: np.ndarray

    def splat(self, values: np.ndarray) -> np.ndarray:
        """Sum a value of each pixel over each vertex: S v."""
        return np.bincount(self.vertex, weights=values, minlength=len(self.sizes))


def bilateral_grid(image: np.ndarray, sigma_space: float, sigma_luma: float, sigma_chroma: float) -> Grid:
    """Give every pixel its vertex, by rounded place and colour, and make the grid's blur bistochastic (Algorithm 1).

    A vertex lies in the middle of its cell. The codes released with DeepCut and the slides truncate instead of
    rounding, which moves all cells by half their side.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
    sigma_space, sigma_luma, sigma_chroma : float
        Side of a vertex in pixels, in grey levels of Y, and in levels of U and V.

    Returns
    -------
    Grid
    """
    height, width = image.shape[:2]
    colours = image.reshape(-1, 3) @ YUV.T + (0, 128, 128)
    places = np.indices((height, width)).reshape(2, -1).T
    steps = np.array([sigma_space, sigma_space, sigma_luma, sigma_chroma, sigma_chroma])
    cells = np.rint(np.hstack([places, colours]) / steps).astype(np.int64) + 1
    bases = np.int64(1) << BITS * np.arange(5, dtype=np.int64)
    keys, vertex, sizes = np.unique(cells @ bases, return_inverse=True, return_counts=True)
    rows, columns = [], []
    for base in bases:
        at = np.minimum(np.searchsorted(keys, keys + base), len(keys) - 1)
        found = np.flatnonzero(keys[at] == keys + base)
        rows.append(found)
        columns.append(at[found])
    row, column = np.concatenate(rows), np.concatenate(columns)
    count = len(keys)
    pairs = csr_array((np.ones(len(row)), (row, column)), shape=(count, count))
    blur = (
        pairs + pairs.T + diags_array(np.full(count, 2.0 * len(bases)))
    ).tocsr()  # [1 2 1] along each axis
    scale = np.ones(count)
    for _ in range(BISTOCHASTIC_STEPS):
        scale = np.sqrt(scale * sizes / (blur @ scale))  # Barron & Poole, Algorithm 1
    return Grid(vertex.ravel(), scale * (blur @ scale), blur, scale)


def bilateral_solver(
    image: np.ndarray,
    target: np.ndarray,
    confidence: float | np.ndarray = 0.999,
    *,
    sigma_space: float = 24.0,
    sigma_luma: float = 4.0,
    sigma_chroma: float = 4.0,
    smoothness: float = 256.0,
    iterations: int = 25,
    tolerance: float = 1e-5,
) -> np.ndarray:
    """Smooth a target along the edges of a picture.

    Parameters
    ----------
    image : (H, W, 3) uint8 ndarray
        RGB.
    target : (H, W) float or bool ndarray
        t.
    confidence : float or (H, W) float ndarray
        c, 0 or more: where it is 0 the target is not looked at.
    sigma_space, sigma_luma, sigma_chroma : float
        Over which distance pixels are alike: pixels, grey levels, levels of colour. The defaults are DeepCut's.
    smoothness : float
        lambda.
    iterations : int
        Of conjugate gradients, at most.
    tolerance : float
        Of the residual, relative to the right side, at which they end.

    Returns
    -------
    (H, W) float64 ndarray

    Raises
    ------
    TypeError
        The picture is not uint8.
    ValueError
        Shapes do not match, a value is not finite, or a parameter is out of its range.
    """
    trust = _check(image, target, confidence, (sigma_space, sigma_luma, sigma_chroma), smoothness)
    grid = bilateral_grid(image, sigma_space, sigma_luma, sigma_chroma)
    held = grid.splat(trust)
    right = grid.splat(trust * np.asarray(target, dtype=float).ravel())
    rough = diags_array(grid.sizes) - diags_array(grid.scale) @ grid.blur @ diags_array(grid.scale)
    matrix = (smoothness * rough + diags_array(held)).tocsr()
    start = np.divide(right, held, out=np.zeros(len(held)), where=held > 0)
    return _conjugate_gradients(matrix, right, start, iterations, tolerance)[grid.vertex].reshape(
        target.shape
    )


def _conjugate_gradients(
    matrix: csr_array, right: np.ndarray, y: np.ndarray, iterations: int, tolerance: float
) -> np.ndarray:
    """Solve matrix y = right with its diagonal as preconditioner, from `y` on."""
    from scipy.sparse.linalg import LinearOperator, cg

    diagonal = np.maximum(matrix.diagonal(), 1e-12)
    precondition = LinearOperator(matrix.shape, matvec=lambda v: v / diagonal, dtype=float)
    return cg(matrix, right, x0=y, rtol=tolerance, maxiter=iterations, M=precondition)[0]


def _check(
    image: np.ndarray,
    target: np.ndarray,
    confidence: float | np.ndarray,
    sigmas: tuple[float, float, float],
    smoothness: float,
) -> np.ndarray:
    """Refuse bad input and return the confidence of every pixel, (H * W,)."""
    if getattr(image, "dtype", None) != np.uint8:
        raise TypeError(f"image must be uint8, got {getattr(image, 'dtype', type(image).__name__)}")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.shape[:2] != np.shape(target):
        raise ValueError(
            f"image must be (H, W, 3) and target (H, W) of its size, got {image.shape}, {np.shape(target)}"
        )
    if min(sigmas) <= 0 or smoothness < 0:
        raise ValueError(f"sigmas must be above 0 and smoothness 0 or more, got {sigmas}, {smoothness}")
    if max(*image.shape[:2], 256) / min(sigmas) >= 2**BITS - 2:
        raise ValueError(f"sigmas must be larger for a picture of {image.shape[:2]} pixels, got {sigmas}")
    trust = np.broadcast_to(np.asarray(confidence, dtype=float), np.shape(target)).ravel()
    if (
        not np.isfinite(np.asarray(target, dtype=float)).all()
        or not np.isfinite(trust).all()
        or trust.min() < 0
    ):
        raise ValueError("target and confidence must be finite, and confidence 0 or more")
    return trust
