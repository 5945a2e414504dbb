r"""The fully connected CRF: labels that agree with their probabilities, with near pixels, and with alike pixels.

Krähenbühl & Koltun, Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials, NIPS 2011. Its energy
is a unary term and, for every pair of pixels of different label (Potts), two Gaussian kernels

.. math:: w_b \exp\Big(-\frac{\lVert p_i - p_j \rVert^2}{2 \sigma_b^2}
                       -\frac{\lVert I_i - I_j \rVert^2}{2 \sigma_c^2}\Big)
          + w_g \exp\Big(-\frac{\lVert p_i - p_j \rVert^2}{2 \sigma_g^2}\Big) \qquad \text{(Eq. 3)}

with p the place and I the colour. Mean field (Algorithm 1) repeats, from softmax(-U) on,

.. math:: Q_i \leftarrow \mathrm{softmax}\Big(-U_i + \sum_m w_m \sum_j \hat{K}^m_{ij} Q_j\Big), \qquad
          \hat{K}_{ij} = \frac{K_{ij}}{\sqrt{\sum_k K_{ik} \sum_k K_{jk}}}

As in the authors' program, and unlike the paper's Eq. 4, the kernel is normalised, and j = i is among the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from segstudy.postprocess.pairs import CUT, keep_nonzero, pair_weights
from segstudy.postprocess.permutohedral import Lattice
from segstudy.segmenter import check_probabilities

Array = np.ndarray | Tensor
Method = Literal["auto", "exact", "sparse", "lattice"]

FLOOR = 1e-5  # of a probability before its logarithm, as in DSRG's test
SMALL = 64 * 64  # pixels up to which "auto" writes the pairs down
VECTOR = 16  # float32 numbers that a processor takes at once


@dataclass(frozen=True)
class CRFSettings:
    """The kernels of the CRF; the defaults are those with which SEC, DSRG and DGCN are tested.

    Parameters
    ----------
    iterations : int
        Of mean field.
    bilateral_weight, bilateral_xy, bilateral_rgb : float
        w_b; sigma_b in pixels; sigma_c in grey levels.
    gaussian_weight, gaussian_xy : float
        w_g; sigma_g in pixels.

    Raises
    ------
    ValueError
        A deviation is not above 0, a weight or the number of iterations is negative, or one is not finite.
    """

    iterations: int = 10
    bilateral_weight: float = 10.0
    bilateral_xy: float = 80.0
    bilateral_rgb: float = 13.0
    gaussian_weight: float = 3.0
    gaussian_xy: float = 3.0

    def __post_init__(self) -> None:
        deviations = self.bilateral_xy, self.bilateral_rgb, self.gaussian_xy
        if not all(0 < deviation < math.inf for deviation in deviations):
            raise ValueError(f"the deviations of a CRF must be finite and above 0, got {self}")
        amounts = self.bilateral_weight, self.gaussian_weight, self.iterations
        if not all(0 <= amount < math.inf for amount in amounts):
            raise ValueError(f"weights and iterations of a CRF must be finite and 0 or more, got {self}")


DSRG_TEST = CRFSettings()  # speedinghzl/DSRG, on the whole picture
DSRG_TRAINING = CRFSettings(bilateral_xy=80 / 12, gaussian_xy=3 / 12)  # on 41 x 41, the picture zoomed to it


class DenseCRF:
    """The CRF of one picture, or of several of one size, prepared once for any number of class maps.

    With "exact" and "sparse" it may also be kept for the mirrored picture: mirror the class map, refine it, and
    mirror the answer.

    Parameters
    ----------
    image : (H, W, 3) or (B, H, W, 3) uint8 ndarray or Tensor
        RGB. A grey picture, (H, W) or with one channel, is taken as three equal ones.
    settings : CRFSettings
    method : {"auto", "exact", "sparse", "lattice"}
        All pairs of pixels; the pairs whose kernel is `pairs.CUT` or more; the permutohedral lattice, an
        approximation for pictures of any size. "auto" takes "sparse" up to `SMALL` pixels, else "lattice".

    Raises
    ------
    TypeError
        The picture is not uint8.
    ValueError
        Shape or method is not one of those, or the picture is too large for all pairs.
    """

    def __init__(self, image: Array, settings: CRFSettings = DSRG_TEST, method: Method = "auto") -> None:
        if method not in get_args(Method):
            raise ValueError(f"method must be one of {get_args(Method)}, got {method!r}")
        pictures, self.batched = _pictures(image)
        self.size, self.device = pictures.shape[:3], pictures.device
        self.settings = settings
        if method == "auto":
            method = "sparse" if self.size[1] * self.size[2] <= SMALL else "lattice"
        self._message = _message(_features(pictures, settings), method)

    def refine(self, probabilities: Array) -> Array:
        """Refine class probabilities: mean field with -log max(p, FLOOR).

        Parameters
        ----------
        probabilities : (H, W, C) or (B, H, W, C) float ndarray or Tensor
            One distribution per pixel, (B, ...) if the pictures are.

        Returns
        -------
        float32 ndarray or Tensor of the same shape
            What came in comes out: an array for an array, a tensor on its device for a tensor.

        Raises
        ------
        TypeError, ValueError
            As :func:`~segstudy.segmenter.check_probabilities`, or the size is not the picture's.
        """
        values = self._values(probabilities, "probabilities")
        for one in values:
            check_probabilities(one.cpu().numpy())
        return self._give(self._mean_field(-values.clamp_min(FLOOR).log()), probabilities)

    def mean_field(self, energies: Array) -> Array:
        """Refine a unary term U, of any finite floats; shapes and errors as :meth:`refine`."""
        values = self._values(energies, "energies")
        if not values.isfinite().all():
            raise ValueError("energies hold nan or infinity; put a floor under a probability before its log")
        return self._give(self._mean_field(values), energies)

    @torch.no_grad()
    def _mean_field(self, energies: Tensor) -> Tensor:
        unary = -energies.to(self.device).flatten(1, 2)
        q = _softmax(unary)
        for _ in range(self.settings.iterations):  # Algorithm 1
            q = _softmax(unary + self._message(q))
        return q

    def _values(self, given: Array, name: str) -> Tensor:
        values = _tensor(given)
        if not values.is_floating_point():
            raise TypeError(f"{name} must be floats, got {values.dtype}; labels are not {name}")
        values = values.detach().float()
        wanted = self.size if self.batched else self.size[1:]
        if values.shape[:-1] != wanted or values.shape[-1] == 0:
            raise ValueError(f"{name} must be {(*wanted, 'C')} for this picture, got {tuple(values.shape)}")
        return values if self.batched else values[None]

    def _give(self, found: Tensor, given: Array) -> Array:
        found = found.reshape(given.shape)
        return found.to(given.device) if isinstance(given, Tensor) else found.cpu().numpy()


def dense_crf(
    probabilities: Array, image: Array, settings: CRFSettings = DSRG_TEST, method: Method = "auto"
) -> Array:
    """Refine class probabilities with the fully connected CRF, on the device of the probabilities.

    Parameters
    ----------
    probabilities : (H, W, C) or (B, H, W, C) float ndarray or Tensor
        One distribution per pixel.
    image : (H, W, 3) or (B, H, W, 3) uint8 ndarray or Tensor
    settings : CRFSettings
    method : {"auto", "exact", "sparse", "lattice"}
        See :class:`DenseCRF`, which also keeps what it prepared, and takes energies in place of probabilities.

    Returns
    -------
    float32 ndarray or Tensor, as the probabilities

    Raises
    ------
    TypeError, ValueError
        As :class:`DenseCRF` and its :meth:`~DenseCRF.refine`.
    """
    picture = _tensor(image)
    if isinstance(probabilities, Tensor):
        picture = picture.to(probabilities.device)
    return DenseCRF(picture, settings, method).refine(probabilities)


def _softmax(scores: Tensor) -> Tensor:
    """Return the softmax of (B, N, C) scores over C; torch's along a short last dimension takes ten times as long."""
    if scores.shape[2] >= VECTOR:
        return scores.softmax(dim=2)
    return scores.transpose(1, 2).contiguous().softmax(dim=1).transpose(1, 2).contiguous()


def _tensor(given: Array) -> Tensor:
    """Take an array as a tensor; a copy, for torch takes no mirrored view and warns of a read-only one."""
    return given if isinstance(given, Tensor) else torch.tensor(np.ascontiguousarray(given))


def _pictures(image: Array) -> tuple[Tensor, bool]:
    """Return (B, H, W, 3) pictures, and whether they were several."""
    pictures = _tensor(image)
    if pictures.dtype != torch.uint8:
        raise TypeError(f"image must be uint8, got {pictures.dtype}")
    shape = tuple(pictures.shape)
    if pictures.ndim == 2:
        pictures = pictures[..., None]
    if pictures.ndim not in (3, 4) or pictures.shape[-1] not in (1, 3) or 0 in shape:
        raise ValueError(f"image must be (H, W, 3) or (B, H, W, 3), got {shape}")
    batched = pictures.ndim == 4
    pictures = pictures if batched else pictures[None]
    return pictures.expand(*pictures.shape[:3], 3), batched


def _features(pictures: Tensor, settings: CRFSettings) -> list[tuple[float, Tensor]]:
    """Return weight and (B, N, d) features of the bilateral and of the Gaussian kernel (Eq. 3)."""
    sets, height, width = pictures.shape[:3]
    y, x = torch.meshgrid(
        torch.arange(height, device=pictures.device),
        torch.arange(width, device=pictures.device),
        indexing="ij",
    )
    place = torch.stack([x, y], dim=2).reshape(1, -1, 2).float().expand(sets, -1, -1)
    colour = pictures.reshape(sets, -1, 3).float()
    both = torch.cat([place / settings.bilateral_xy, colour / settings.bilateral_rgb], dim=2)
    return [(settings.bilateral_weight, both), (settings.gaussian_weight, place / settings.gaussian_xy)]


def _message(features: list[tuple[float, Tensor]], method: Method) -> Callable[[Tensor], Tensor]:
    """Prepare the sum over all pairs, from (B, N, C) to (B, N, C)."""
    if method == "exact":
        return pair_weights(features).__matmul__
    if method == "sparse":
        rows = keep_nonzero(pair_weights(features, CUT))
        return lambda q: (rows @ q.reshape(-1, q.shape[2])).reshape(q.shape)
    parts = [(weight, Lattice(feature)) for weight, feature in features]
    ones = torch.ones_like(features[0][1][..., :1])
    parts = [(weight, lattice, lattice.filter(ones).rsqrt()) for weight, lattice in parts]
    return lambda q: sum(w * scale * lattice.filter(scale * q) for w, lattice, scale in parts)
