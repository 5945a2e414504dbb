"""The graph of features as a matrix, and linear systems on it: what label propagation and the random walker share."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

PRECISION = 1e-9  # relative, of a solution


def adjacency(edges: np.ndarray, n: int) -> sparse.csr_array:
    """Return the (n, n) matrix that is 1 where two of n nodes are joined by one of the (m, 2) `edges`."""
    ends = np.concatenate([edges, edges[:, ::-1]])
    return sparse.csr_array(sparse.coo_array((np.ones(len(ends)), ends.T), shape=(n, n)))


def solve_columns(system: sparse.csr_array, given: np.ndarray) -> np.ndarray:
    """Solve a symmetric, positive definite system for each column of (n, c) `given`, by conjugate gradients.

    A factorisation fills up where edges join what is far apart: 650 ms against 8 for a map of 41 x 41 with random
    neighbours.

    Raises
    ------
    RuntimeError
        No solution of `PRECISION` was found.
    """
    columns = [cg(system, column, rtol=PRECISION) for column in given.T]
    if any(info for _, info in columns):
        raise RuntimeError("conjugate gradients found no solution: is the system positive definite?")
    return np.stack([found for found, _ in columns], axis=1)
