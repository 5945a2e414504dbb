r"""What makes an assignment superpixels: Eqs. 8 to 13.

.. math:: L_\text{SPNN} = L_\text{clustering} + \alpha L_\text{smoothness} + \beta L_\text{recon} + \eta L_\text{edge}
   \qquad \text{(Eq. 8)}

Table 12 calls the last weight gamma. All losses are means over the pictures of a batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from segstudy.papers.sgseg.spnn import Assignment
from segstudy.papers.sgseg.superpixels import check_maps, check_weights, require_finite, soft_image

LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))
ALPHA, BETA, ETA = 2.0, 5.0, 1.0  # Table 12, COCO-Stuff


def clustering_loss(assignment: Tensor, lam: float = 2.0) -> Tensor:
    r"""Return what makes each pixel sure and the superpixels even (Eq. 9).

    .. math:: \frac{1}{HW} \sum_{ij} \sum_s -P_{ijs} \log P_{ijs} + \lambda \sum_s \hat P_s \log \hat P_s, \qquad
              \hat P_s = \frac{1}{HW} \sum_{ij} P_{ijs}

    Parameters
    ----------
    assignment : (B, N, H, W) Tensor
    lam : float

    Returns
    -------
    () Tensor
        Between -lam log N and log N.
    """
    check_maps(assignment=assignment)
    check_weights(lam=lam)
    # Computed again in the backward pass, as the changes of Eq. 10 are: a P without its zeros would be kept beside P.
    pixels = checkpoint(_entropy, assignment, use_reentrant=False, preserve_rng_state=False).mean(dim=(1, 2))
    weights = _entropy(assignment.mean(dim=(2, 3)))
    return require_finite((pixels - lam * weights).mean(), assignment=assignment)


def _entropy(shares: Tensor) -> Tensor:
    """Return the entropy over dim 1, whose slope at 0 (softmax gets there in float32) is made 0: it is infinite."""
    return torch.special.entr(shares.masked_fill(shares == 0, torch.finfo(shares.dtype).tiny)).sum(dim=1)


def smoothness_loss(assignment: Tensor, image: Tensor, sigma: float = 10.0) -> Tensor:
    r"""Return how much the assignment changes where the image does not (Eq. 10).

    .. math:: \frac{1}{HW} \sum_{ij} \lVert \partial_x P_{ij} \rVert_1 e^{-\lVert \partial_x I_{ij} \rVert_2^2 / \sigma}
              + \lVert \partial_y P_{ij} \rVert_1 e^{-\lVert \partial_y I_{ij} \rVert_2^2 / \sigma}

    Differences are to the next pixel; the last row and column have none.

    Parameters
    ----------
    assignment : (B, N, H, W) Tensor
    image : (B, c, H, W) Tensor
        In units in which sigma = 10 says something: standardised or 0 to 255. With values in [0, 1] no edge weighs
        less than .74.
    sigma : float
        Above 0.

    Raises
    ------
    ValueError
        Shapes that do not agree, or a sigma that is not above 0.
    """
    check_maps(assignment=assignment, image=image)
    if not sigma > 0:
        raise ValueError(f"sigma must be above 0, got {sigma!r}")
    places = assignment.shape[2] * assignment.shape[3]
    total = assignment.new_zeros(len(assignment))
    for dim in (2, 3):
        # Computed again in the backward pass: the differences are as large as P, and two more would be kept.
        change = checkpoint(_change, assignment, dim, use_reentrant=False, preserve_rng_state=False)
        weight = (-image.diff(dim=dim).square().sum(dim=1) / sigma).exp()
        total = total + (change * weight).sum(dim=(1, 2))
    return require_finite((total / places).mean(), assignment=assignment, image=image)


def _change(assignment: Tensor, dim: int) -> Tensor:
    """Return how much the assignments of two pixels next to one another differ."""
    return assignment.diff(dim=dim).abs().sum(dim=1)


def reconstruction_loss(image: Tensor, reconstruction: Tensor, superpixelated: Tensor) -> Tensor:
    r"""Return how far both reconstructions are from the image (Eqs. 11, 12), a mean over its values.

    Parameters
    ----------
    image, reconstruction, superpixelated : (B, c, H, W) Tensor
        The second from SPNN's additional channels, the third of Eq. 2.
    """
    given = _check_images(image, reconstruction, superpixelated)
    loss = (image - reconstruction).square().mean() + (image - superpixelated).square().mean()
    return require_finite(loss, **given)


def _check_images(image: Tensor, reconstruction: Tensor, superpixelated: Tensor) -> dict[str, Tensor]:
    """Return an image and what was made of it by their names, or refuse what differs in shape."""
    given = {"image": image, "reconstruction": reconstruction, "superpixelated": superpixelated}
    check_maps(**given)
    if len({value.shape for value in given.values()}) > 1:
        shapes = [tuple(value.shape) for value in given.values()]
        raise ValueError(f"image, reconstruction and superpixelated must have one shape, got {shapes}")
    return given


def edge_distribution(image: Tensor) -> Tensor:
    """Return the logarithm of the edge maps of Eq. 13: a softmax over the pixels of each band's Laplacian.

    Returns
    -------
    (B, c, H W) Tensor
    """
    bands = image.shape[1]
    kernel = torch.tensor(LAPLACIAN, dtype=image.dtype, device=image.device).expand(bands, 1, 3, 3)
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")  # the frame of a picture is no edge
    return F.conv2d(padded, kernel, groups=bands).flatten(2).log_softmax(dim=2)


def edge_loss(image: Tensor, reconstruction: Tensor, superpixelated: Tensor) -> Tensor:
    r"""Return how the edges of both reconstructions differ from the image's (Eq. 13), a mean over bands.

    .. math:: \text{KL}(E_I, E_{\tilde I}) + \text{KL}(E_I, E_{\hat I^P})

    Parameters are those of :func:`reconstruction_loss`.
    """
    given = _check_images(image, reconstruction, superpixelated)
    edges = edge_distribution(image)
    loss = sum(
        (edges.exp() * (edges - edge_distribution(other))).sum(dim=2).mean()
        for other in (reconstruction, superpixelated)
    )
    return require_finite(loss, **given)


def spnn_loss(
    image: Tensor,
    found: Assignment,
    *,
    alpha: float = ALPHA,
    beta: float = BETA,
    eta: float = ETA,
    lam: float = 2.0,
    sigma: float = 10.0,
) -> Tensor:
    """Return Eq. 8.

    Parameters
    ----------
    image : (B, c, H, W) Tensor
        Standardised, see :func:`smoothness_loss`.
    found : Assignment
        What SPNN gives for it.
    alpha, beta, eta : float
        Weights of smoothness, reconstruction and edges; the defaults are those of COCO-Stuff.
    lam, sigma : float
        See :func:`clustering_loss` and :func:`smoothness_loss`.
    """
    check_weights(alpha=alpha, beta=beta, eta=eta)
    soft = soft_image(found.superpixels, image)
    total = clustering_loss(found.superpixels, lam)
    total = total + alpha * smoothness_loss(found.superpixels, image, sigma)
    total = total + beta * reconstruction_loss(image, found.reconstruction, soft)
    return total + eta * edge_loss(image, found.reconstruction, soft)
