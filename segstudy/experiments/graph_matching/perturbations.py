r"""What can happen to a picture: moved, turned, resized, a head turned, a part hidden, a stray piece added.

Chopin et al. 2020 name these in Section IV as the limits of their method, without an experiment. Here a network's
answer is changed in place of the photograph, so that nothing but the matching is tested: a network would err in its
own way on a turned picture.

A "picture" is either a map of probabilities, (H, W, C) float, or of labels, (H, W) int, and both are changed alike:
probabilities are sampled bilinearly and sum to 1 afterwards, labels are those of the nearest pixel. What comes in from
outside is background for certain. Nothing is changed in place, and the dtype stays.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import affine_transform, distance_transform_edt

from segstudy.graphs import regions


def frame(picture: np.ndarray, margin: int | tuple[int, int], background: int = 0) -> np.ndarray:
    """Put a border of certain background around a picture, in which its content can move.

    The model's annotations need the same frame: it lengthens the diagonal, and joins all background that touched the
    picture's edge into one region. Keep one pixel more of it than the content moves: content at the canvas's edge parts
    the background.

    Parameters
    ----------
    picture : (H, W, C) float or (H, W) int ndarray
        Probabilities or labels.
    margin : int or (rows, columns)
        Pixels on every side; see :func:`turning_margin`.
    background : int
        Its class.

    Returns
    -------
    ndarray
        (H + 2 rows, W + 2 columns), and C.

    Raises
    ------
    TypeError, ValueError
        No picture (a class out of range among the reasons), or a negative margin.
    """
    _check_picture(picture, background)
    rows, columns = np.broadcast_to(margin, 2)
    if rows < 0 or columns < 0:
        raise ValueError(f"margin must be 0 or more pixels, got {margin!r}")
    height, width = picture.shape[:2]
    framed = np.zeros((height + 2 * rows, width + 2 * columns, *picture.shape[2:]), picture.dtype)
    framed[...] = background if picture.ndim == 2 else np.eye(picture.shape[2])[background]
    framed[rows : rows + height, columns : columns + width] = picture
    return framed


def turning_margin(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the margin (rows, columns) that a picture of (H, W) needs for no turn about its centre to cut it."""
    return tuple(int(np.ceil((np.hypot(*shape) - side) / 2)) for side in shape)


def shift(picture: np.ndarray, offset: tuple[int, int], background: int = 0) -> np.ndarray:
    """Move the content by whole pixels, `offset` = (down, right); what leaves the canvas is lost.

    The other parameters and errors are those of :func:`frame`.
    """
    down, right = offset
    framed = frame(picture, (abs(down), abs(right)), background)
    top, left = abs(down) - down, abs(right) - right
    return framed[top : top + picture.shape[0], left : left + picture.shape[1]].copy()


def rotate(picture: np.ndarray, degrees: float, background: int = 0) -> np.ndarray:
    """Turn the content about the centre, anticlockwise as seen.

    Multiples of 90 degrees are exact, and exchange height and width. Other angles keep the canvas, resample, and cut
    what leaves it: frame the picture first by :func:`turning_margin`. The other parameters and errors are those of
    :func:`frame`.
    """
    _check_picture(picture, background)
    if degrees % 90 == 0:
        return np.rot90(picture, int(degrees // 90)).copy()
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _sample(picture, np.array([[cos, sin], [-sin, cos]]), background)


def resize_content(picture: np.ndarray, factor: float, background: int = 0) -> np.ndarray:
    """Make the content `factor` times as large about the centre, on the unchanged canvas.

    Less than 1 leaves a border of background, more than 1 cuts the content's edges off. The other parameters and
    errors are those of :func:`frame`, and a factor of 0 or less.
    """
    _check_picture(picture, background)
    if not 0 < factor < np.inf:
        raise ValueError(f"factor must be finite and more than 0, got {factor!r}: 0.5 halves the content")
    return _sample(picture, np.eye(2) / factor, background)


def turn_head(picture: np.ndarray, degrees: float, background: int = 0) -> np.ndarray:
    r"""Compress the columns by cos(angle) towards the middle: a head that turns aside, were it flat.

    Distances across shrink and those along stay, so the relations of the parts change as no motion, turn or scale
    changes them. A real head also hides its far side, which is not imitated. The other parameters and errors are those
    of :func:`frame`, and an angle outside (-90, 90).
    """
    _check_picture(picture, background)
    if not -90 < degrees < 90:
        raise ValueError(f"degrees must lie between -90 and 90, got {degrees!r}: at 90 nothing is left")
    return _sample(picture, np.diag([1, 1 / np.cos(np.radians(degrees))]), background)


def occlude(probabilities: np.ndarray, truth: np.ndarray, label: int) -> np.ndarray:
    """Hide a class's true region behind what surrounds it.

    Hidden are the pixels of the true region and those of every region (8 neighbours) that the network gave this class
    and that meets it: no rim is left. Each takes the probabilities of the nearest pixel (Euclidean) that is neither
    hidden nor of that class by arg max: an eye goes to the face, a nose partly to the mouth. Pieces of the class
    elsewhere stay.

    Parameters
    ----------
    probabilities : (H, W, C) float ndarray
        A network's answer.
    truth : (H, W) int ndarray
        Its true labels.
    label : int
        The class to hide.

    Returns
    -------
    (H, W, C) ndarray
        A changed copy.

    Raises
    ------
    TypeError, ValueError
        No picture; sizes that differ; a class out of range; a class beside which there is nothing.
    """
    _check_picture(probabilities, label)
    _check_picture(truth)
    if truth.shape != probabilities.shape[:2]:
        raise ValueError(f"truth {truth.shape} and probabilities {probabilities.shape[:2]} differ in size")
    answer = probabilities.argmax(axis=2)
    found = regions(answer, connectivity=2)
    meets = np.zeros(len(found), dtype=bool)
    meets[found.map[truth == label]] = True
    hidden = (truth == label) | (meets & (found.classes == label))[found.map]
    source = ~hidden & (answer != label)
    if not source.any():
        raise ValueError(f"label {label} fills the whole picture: nothing is left that could hide it")
    rows, columns = distance_transform_edt(~source, return_distances=False, return_indices=True)
    changed = probabilities.copy()
    changed[hidden] = probabilities[rows[hidden], columns[hidden]]
    return changed


def far_blob(keep_off: np.ndarray, pixels: int, away: float, rng: np.random.Generator) -> np.ndarray | None:
    """Choose a place at random for a small round piece that lies far from something.

    Parameters
    ----------
    keep_off : (H, W) bool ndarray
        What the piece is to be far from.
    pixels : int
        Its size, 1 or more.
    away : float
        The least distance from any pixel of it to any pixel of `keep_off`, in parts of the picture's longer side.
    rng : np.random.Generator
        Draws the place, uniformly among those possible.

    Returns
    -------
    (H, W) bool ndarray or None
        A connected piece of that many pixels (4 neighbours); None where the picture has no such place.

    Raises
    ------
    ValueError
        No size, or nothing to keep off.
    """
    if not keep_off.any() or pixels < 1:
        raise ValueError(f"keep_off must hold a pixel and pixels be 1 or more, got {pixels!r} pixels")
    # the piece is a disc, at worst a quarter of one in a corner, of radius sqrt(4 n / pi)
    reach = np.sqrt(4 * pixels / np.pi) + 1
    distances = distance_transform_edt(~keep_off)
    places = np.flatnonzero(distances >= away * max(keep_off.shape) + reach)
    if not len(places):
        return None
    row, column = divmod(int(rng.choice(places)), keep_off.shape[1])
    rows, columns = np.indices(keep_off.shape, sparse=True)
    from_centre = (rows - row) ** 2 + (columns - column) ** 2
    # the n nearest pixels are connected: a step towards the centre leads to a nearer one
    blob = np.zeros(keep_off.size, dtype=bool)
    blob[np.argsort(from_centre, axis=None, kind="stable")[:pixels]] = True
    return blob.reshape(keep_off.shape)


def plant(picture: np.ndarray, where: np.ndarray, label: int, sure: float = 0.8) -> np.ndarray:
    """Give some pixels to a class: `sure` of it, the rest in the proportions of before.

    Parameters
    ----------
    picture : (H, W, C) float or (H, W) int ndarray
        Probabilities or labels.
    where : (H, W) bool ndarray
        The pixels.
    label : int
        The class.
    sure : float in (0.5, 1]
        Above one half, so that the class is the arg max. Labels do not need it.

    Returns
    -------
    ndarray
        A changed copy.

    Raises
    ------
    TypeError, ValueError
        No picture, a class out of range, `sure` outside its range.
    """
    _check_picture(picture, label)
    if not 0.5 < sure <= 1:
        raise ValueError(f"sure must lie in (0.5, 1], got {sure!r}: below, the class would not win")
    changed = picture.copy()
    if picture.ndim == 2:
        changed[where] = label
    else:
        changed[where] *= 1 - sure
        changed[where, label] += sure
    return changed


def _sample(picture: np.ndarray, matrix: np.ndarray, background: int) -> np.ndarray:
    """Fetch every pixel from `matrix` times its place, both seen from the centre."""
    # one pixel of background around, and the edge repeated for ever: so there is no other rule for the outside
    framed = frame(picture, 1, background)
    centre = (np.array(picture.shape[:2]) - 1) / 2
    options = {
        "matrix": matrix,
        "offset": centre - matrix @ centre + 1,
        "output_shape": picture.shape[:2],
        "mode": "nearest",
    }
    if picture.ndim == 2:
        return affine_transform(framed, order=0, **options)
    channels = [affine_transform(channel, order=1, **options) for channel in np.moveaxis(framed, 2, 0)]
    sampled = np.stack(channels, axis=2)
    return sampled / sampled.sum(axis=2, keepdims=True)


def _check_picture(picture: np.ndarray, label: int = 0) -> None:
    """Refuse what is neither probabilities, (H, W, C) float, nor labels, (H, W) int; or a class that is none."""
    kinds = {3: np.floating, 2: np.integer}
    dtype, ndim = getattr(picture, "dtype", None), np.ndim(picture)
    if dtype is None or ndim not in kinds or not np.issubdtype(dtype, kinds[ndim]):
        raise TypeError(
            "a picture must be an ndarray of probabilities, (H, W, C) float, or labels, (H, W) int, "
            f"got {ndim} axes of {dtype or type(picture).__name__}"
        )
    if 0 in picture.shape:
        raise ValueError(f"a picture must have at least one pixel, got shape {picture.shape}")
    classes = picture.shape[2] if ndim == 3 else np.iinfo(dtype).max + 1
    if not 0 <= label < classes:
        raise ValueError(f"background and label must be classes 0..{classes - 1}, got {label!r}")
