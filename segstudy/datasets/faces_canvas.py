"""A canvas for portraits: coordinates of a posed head, smooth noise, implicit shapes, painting with soft edges.

A shape is a field: an (H, W) array that is negative inside, in eye distances. A pixel takes the label of a shape
that is negative at its centre, and the shape's colour in proportion to the covered part of the pixel, which is
`field / |gradient of field|`, a distance in pixels to first order. Everything is float64, so that the last-digit
differences between processors stay twelve orders of magnitude below a grey level.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy import ndimage

BACKGROUND, HAIR, FACE, RIGHT_BROW, LEFT_BROW, RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = range(9)
# The picture is 1 high and .7 wide whatever its size in pixels, as all annotations are stretched to 512 x 352.
FRAME_WIDTH = 0.7
LATTICE = 64


class Noise:
    """Smooth random functions of two coordinates, in about -1..1, from one periodic lattice of random values.

    Every call of `octaves` draws fresh offsets, so the order of calls, never the picture's size, decides the noise.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        coarse = rng.random((LATTICE, LATTICE)) * 2 - 1
        self._fine = ndimage.zoom(coarse, 4, order=3, mode="grid-wrap", grid_mode=True)

    def octaves(self, x: np.ndarray, y: np.ndarray, count: int = 1) -> np.ndarray:
        """Return noise with features one unit large, plus `count - 1` finer and fainter layers."""
        total, weight = 0.0, 1.0
        for octave in range(count):
            dx, dy = self._rng.random(2) * LATTICE
            at = np.stack([(y * 2**octave + dy) * 4, (x * 2**octave + dx) * 4])
            total = total + weight * ndimage.map_coordinates(self._fine, at, order=1, mode="grid-wrap")
            weight *= 0.55
        return total


class Canvas:
    """A picture under way.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    pose : types.SimpleNamespace
        Scale, position and rotations of the head.
    width : float
        Half width of the head in eye distances: the cylinder on which the parts turn when the head does.
    noise : Noise
        For the slight irregularity of everything drawn in head coordinates.
    stray : float
        Its size in eye distances.

    Attributes
    ----------
    x, y : (H, W) float ndarray
        Frame coordinates, 0..0.7 and 0..1.
    p, q : (H, W) float ndarray
        Head coordinates in eye distances, from the point between the eyes: outline of head, hair and neck.
    fp, fq : (H, W) float ndarray
        The same on the turned head: p = width sin(arcsin(fp / width) + yaw), so that the far half is foreshortened.
    image : (H, W, 3) float ndarray
        Colours, 0..1.
    labels : (H, W) uint8 ndarray
        Classes.
    figure : (H, W) float ndarray
        How much of a pixel belongs to the person, who is lit apart from the wall.
    """

    def __init__(
        self, size: tuple[int, int], pose: SimpleNamespace, width: float, noise: Noise, stray: float
    ) -> None:
        rows, columns = size
        self.y, self.x = np.meshgrid(
            (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns * FRAME_WIDTH, indexing="ij"
        )
        dx, dy = (self.x - pose.column) / pose.scale, (self.y - pose.row) / pose.scale
        cos, sin = np.cos(pose.roll), np.sin(pose.roll)
        p, q = cos * dx + sin * dy, cos * dy - sin * dx
        self.p = p + stray * noise.octaves(p * 1.3, q * 1.3)
        self.q = q + stray * noise.octaves(p * 1.3, q * 1.3)
        turned = np.arcsin(np.clip(self.p / (1.15 * width), -0.999, 0.999)) - pose.yaw
        self.fp, self.fq = 1.15 * width * np.sin(turned), self.q - pose.pitch
        self.image = np.zeros((rows, columns, 3))
        self.labels = np.zeros((rows, columns), np.uint8)
        self.figure = np.zeros((rows, columns))

    def paint(
        self,
        field: np.ndarray,
        colour: np.ndarray | tuple[float, ...],
        label: int | None = None,
        opacity: float | np.ndarray = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Cover the inside of a shape.

        Parameters
        ----------
        field : (H, W) float ndarray
            Negative inside.
        colour : (3,) or (H, W, 3) float array
            What it is covered with.
        label : int, optional
            The class its inside takes; without one, the labels below stay.
        opacity : float or (H, W) float ndarray
            1 hides what is below.
        soft : float
            Width over which the edge fades, in the field's unit, beside the pixel's own.
        """
        at = _surroundings(field < soft)
        cut = [part[at] if np.ndim(part) > 1 else part for part in (colour, opacity)]
        cover = coverage(field[at], soft) * cut[1]
        self.image[at] += cover[..., None] * (np.asarray(cut[0]) - self.image[at])
        if label is None:
            return
        self.labels[field < 0] = label
        self.figure[at] += cover * ((label > 0) - self.figure[at])

    def stain(self, field: np.ndarray, colour: np.ndarray | tuple[float, ...], opacity: float) -> None:
        """Paint a mark without a label that leaves brows, eyes, nose and mouth as they are."""
        self.paint(field, colour, opacity=opacity * (self.labels < 3), soft=0.004)


def _surroundings(inside: np.ndarray) -> tuple[slice, slice]:
    """Return the box about the true pixels and two pixels more, for the soft edge; only there is painting needed."""
    box = []
    for axis in (1, 0):
        where = np.flatnonzero(inside.any(axis))
        low, high = (where[0], where[-1] + 1) if where.size else (0, 0)
        box.append(slice(max(low - 2, 0), max(high + 2, 4)))
    return box[0], box[1]


def coverage(field: np.ndarray, soft: float = 0.0) -> np.ndarray:
    """Return the share of each pixel inside a shape, (H, W) float in 0..1, to first order in the field."""
    down, across = np.gradient(field)
    slope = np.sqrt(down * down + across * across) + soft + 1e-9
    return np.clip(0.5 - field / slope, 0.0, 1.0)


def ellipse(p: np.ndarray, q: np.ndarray, centre: tuple, radii: tuple, power: float = 2.0) -> np.ndarray:
    """Return the field of a superellipse: |p / a|^n + |q / b|^n = 1; n = 2 is the ellipse, 8 nearly the rectangle."""
    a, b = np.abs(p - centre[0]) / radii[0], np.abs(q - centre[1]) / radii[1]
    if power == 2.0:
        return (np.sqrt(a * a + b * b) - 1) * min(radii)
    return ((a**power + b**power) ** (1 / power) - 1) * min(radii)


def arch(
    p: np.ndarray,
    q: np.ndarray,
    half: float,
    top: float,
    spring: float,
    power: float = 2.0,
    flare: float = 0.0,
) -> np.ndarray:
    """Return the field of an arch: a half superellipse from `top` down to `spring`, open walls beneath it.

    The walls stand `half` from the axis and part by `flare` for each unit further down.
    """
    dome = ellipse(p, q, (0.0, spring), (half, spring - top), power) * (half / min(half, spring - top))
    return np.where(q < spring, dome, np.abs(p) - half - flare * (q - spring))


def lens(x: np.ndarray, y: np.ndarray, half: float, above: float, below: float) -> np.ndarray:
    """Return the field between two parabolas that meet at x = -half and x = half: an eye, a mouth."""
    sag = 1 - (x / half) ** 2
    return np.maximum(-(y + above * sag), y - below * sag)


def band(y: np.ndarray, thickness: np.ndarray | float, *limits: np.ndarray) -> np.ndarray:
    """Return the field of the band |y| < thickness, cut off by further fields."""
    field = np.abs(y) - thickness
    for limit in limits:
        field = np.maximum(field, limit)
    return field
