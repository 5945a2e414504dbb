"""Generated landscapes of six kinds of stuff, told by texture more than by colour: segmentation without labels.

Sky, water, ground, plants, rock and snow lie in layers with ragged borders, one or two of them in patches on another.
What makes them hard is what makes photographs hard for a method without labels: a kind has many colours (a sunset, an
overcast sky; green and autumn leaves) and kinds share them (snow and clouds, water and sky, ground and rock); textures
come at several scales; light is uneven; and thin things, poles, wires and birds, belong to no kind: they are void. How
a picture follows from the seed: `segstudy.datasets.generated`; the default set is frozen in `stuff.lock.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import hsv2rgb

from segstudy.datasets.card import Card
from segstudy.datasets.files import VOID, Window, label_colours
from segstudy.datasets.generated import Generated, smooth_noise
from segstudy.datasets.sample import Dataset, Sample

SPLITS = {"train": 160, "val": 40, "test": 80}
CLASSES = ("sky", "water", "ground", "plants", "rock", "snow")
SKY = 0
THINGS = len(CLASSES)  # drawn as a kind of their own, handed out as void
WITH_SKY, WITH_PATCHES, WITH_THINGS = 0.85, 0.6, 0.6  # how often

CARD = Card(
    name="stuff",
    title="generated landscapes of six kinds of stuff",
    what="sky, water, ground, plants, rock and snow, drawn; each pixel is one of them, or void on thin things",
    how_many="160 training, 40 validation and 80 test pictures; any other number with count=",
    licence="that of this project: no photograph went into them",
    citation="this project",
    homepage="segstudy/datasets/stuff.py",
    layout="(no files)",
    how_to_get="nothing to get: the pictures are drawn when they are read",
)


class View:
    """Where a picture's pixels are, and what its textures share.

    Parameters
    ----------
    size : (int, int)
    scene : numpy Generator

    Attributes
    ----------
    x, y : (H, W) float ndarray
        0 in the middle, 1 across the shorter side.
    zoom : float
        Of all textures.
    """

    def __init__(self, size: tuple[int, int], scene: np.random.Generator) -> None:
        self.size, self.scene = size, scene
        rows, columns = ((np.arange(side) + 0.5 - side / 2) / min(size) for side in size)
        self.y, self.x = np.meshgrid(rows, columns, indexing="ij")
        self.zoom = float(np.exp(scene.uniform(-0.4, 0.4)))

    def noise(self, cells: float, octaves: int = 1) -> np.ndarray:
        """Return fractal noise, mean about 0 and deviation about 1: each octave half as large and half as strong."""
        layers = [
            0.5**o * smooth_noise(self.scene, self.size, cells * 2**o / self.zoom) for o in range(octaves)
        ]
        return np.sum(layers, axis=0) / np.sqrt(np.sum([0.25**o for o in range(octaves)]))

    def colour(
        self, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]
    ) -> Any:
        """Return a colour out of ranges, (3,) of 0 to 1."""
        drawn = [self.scene.uniform(*range_) for range_ in (hue, saturation, value)]
        return hsv2rgb(np.array([drawn[0] % 1, drawn[1], drawn[2]]))


# Ranges of hue, saturation and value.
_BLUE, _GREY = ((0.55, 0.62), (0.3, 0.7), (0.6, 0.9)), ((0.5, 0.7), (0.02, 0.15), (0.5, 0.8))
_HAZE, _SUNSET = ((0.55, 0.6), (0.05, 0.2), (0.85, 1.0)), ((0.03, 0.1), (0.3, 0.6), (0.8, 0.95))


def _sky(view: View) -> np.ndarray:
    """A gradient, blue, grey or of a sunset, and clouds."""
    kind = int(view.scene.integers(3))  # of a clear day, overcast, of a sunset
    above = view.colour(*(_GREY if kind == 1 else _BLUE))
    below = view.colour(*(_SUNSET if kind == 2 else _HAZE))
    share = np.clip(view.y + 0.5, 0, 1)[..., None]
    clouds = np.clip(0.5 + 0.6 * view.noise(2.5, 4), 0, 1) ** 2 * view.scene.uniform(0.1, 0.9)
    plain = above + share * (below - above)
    return plain + clouds[..., None] * (0.93 - plain)


def _water(view: View) -> np.ndarray:
    """Flat waves that run across, on blue, green or grey."""
    base = view.colour((0.45, 0.63), (0.15, 0.6), (0.3, 0.7))
    bend, fine = view.noise(3), view.noise(30)
    waves = np.sin((90 / view.zoom) * (view.y + 0.02 * bend + 0.01 * np.sin(11 * view.x)))
    return base * (1 + view.scene.uniform(0.08, 0.2) * waves * (1 + 0.5 * bend) + 0.04 * fine)[..., None]


def _ground(view: View) -> np.ndarray:
    """Fine grain on brown, tan or grey."""
    base = view.colour((0.05, 0.13), (0.15, 0.5), (0.35, 0.75))
    return base * (1 + 0.05 * view.noise(5) + view.scene.uniform(0.04, 0.09) * view.noise(44))[..., None]


def _plants(view: View) -> np.ndarray:
    """Clumps of bright leaves before dark, green or of autumn."""
    hue = [(0.2, 0.36), (0.06, 0.16)][int(view.scene.random() < 0.25)]
    bright, dark = view.colour(hue, (0.4, 0.75), (0.45, 0.8)), view.colour(hue, (0.4, 0.8), (0.1, 0.3))
    share = 1 / (1 + np.exp(-3 * view.noise(13, 3)))
    return dark + share[..., None] * (bright - dark)


def _rock(view: View) -> np.ndarray:
    """Cracks between faces of several tones of grey or brown."""
    base = view.colour((0.02, 0.65), (0.02, 0.25), (0.35, 0.7))
    cracks = np.exp(-((view.noise(5, 3) / 0.16) ** 2)) + 0.6 * np.exp(-((view.noise(11, 2) / 0.12) ** 2))
    return (
        base * (1 + 0.2 * view.noise(7, 2) - view.scene.uniform(0.35, 0.6) * np.clip(cracks, 0, 1))[..., None]
    )


def _snow(view: View) -> np.ndarray:
    """White with soft shadows."""
    base = view.colour((0.5, 0.68), (0.0, 0.12), (0.78, 0.97))
    return base * (1 + view.scene.uniform(0.03, 0.08) * view.noise(3, 2) + 0.012 * view.noise(40))[..., None]


_TEXTURES: tuple[Callable[[View], np.ndarray], ...] = (_sky, _water, _ground, _plants, _rock, _snow)


def draw(
    index: int, size: tuple[int, int], scene: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one picture: (H, W, 3) uint8 and (H, W) uint8 labels, `THINGS` on thin things; `index` is not used."""
    view = View(size, scene)
    labels = _layers(view)
    textures = [texture(view) for texture in _TEXTURES]  # all, so that what is seen does not move the others
    picture = np.choose(labels[..., None], textures)
    light = 1 + scene.uniform(-0.35, 0.35) * view.x + scene.uniform(-0.25, 0.25) * view.y
    shadow = 1 - scene.uniform(0, 0.35) * np.clip(smooth_noise(scene, size, 2), 0, 1)
    picture *= (light * np.where(labels == SKY, 1, shadow))[..., None]
    thin, tone = _things(view), scene.choice([0.08, 0.9])
    picture[thin], labels[thin] = tone, THINGS
    short = min(size)
    picture = gaussian_filter(np.clip(picture, 0, 1), (0.002 * short, 0.002 * short, 0))
    image = 255 * picture + 255 * scene.uniform(0.01, 0.03) * sensor.standard_normal((*size, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), labels.astype(np.uint8)


def _layers(view: View) -> np.ndarray:
    """Return the kinds as they lie: from above to below, and patches of one on another."""
    scene = view.scene
    kinds = [int(kind) for kind in scene.permutation(np.arange(1, len(CLASSES)))]
    lower = kinds[: int(scene.integers(2, 4))]
    kinds_shown = [SKY, *lower] if scene.random() < WITH_SKY else lower
    places = np.sort(scene.uniform(-0.32, 0.36, len(kinds_shown) - 1))
    labels = np.full(view.size, kinds_shown[0])
    for place, kind in zip(places, kinds_shown[1:], strict=True):
        flat = scene.uniform(0.01, 0.09)
        ragged = sum(
            flat * 0.55**octave * np.sin(2.2**octave * (3 * view.x + scene.uniform(0, 7)))
            for octave in range(5)
        )
        labels[view.y > place + ragged] = kind
    patches, of, on = view.noise(3.5, 3) > 0.9, kinds[-1], int(scene.integers(len(lower)))
    if scene.random() < WITH_PATCHES:
        labels[patches & (labels == lower[on])] = of
    return labels


def _things(view: View) -> np.ndarray:
    """Return where poles, wires and birds are."""
    scene, x, y = view.scene, view.x, view.y
    found = np.zeros(view.size, bool)
    many, any_there = int(scene.integers(1, 4)), scene.random() < WITH_THINGS
    drawn = zip(
        *(scene.uniform(*range_, 3) for range_ in ((-0.45, 0.45), (-0.4, 0.1), (0.006, 0.012))), strict=True
    )
    for kind, (at, top, width) in enumerate(drawn):
        pole = (np.abs(x - at) < width) & (y > top) & (y < top + 0.35)
        wire = np.abs(y - top - 0.25 * (x - at) ** 2) < 0.7 * width
        bird = (np.abs(x - at) < 0.05) & (np.abs(y - top - 0.02 * np.cos(np.abs(x - at) * 60)) < width)
        found |= (pole, wire, bird)[(kind + many) % 3] & (kind < many)
    return found & any_there


SET = Generated(
    CARD, SPLITS, (*CLASSES, "thin things"), label_colours(len(CLASSES) + 1), draw, size=(128, 128)
)


def open_stuff(root: Path | None, split: str, supervision: str, **options: Any) -> Dataset:
    """Open the drawn landscapes: six kinds of stuff, thin things are void.

    Parameters
    ----------
    root : Path
        Ignored: there are no files.
    split : "train", "val" or "test"
    supervision : "full", "image" or "none"
    **options
        size, count and seed, see :meth:`segstudy.datasets.generated.Generated.open`.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        Where `split` is unknown, or `size`, `count` or `seed` is not in its range.
    """
    drawn = SET.open(root, split, "full", **options)
    return Dataset(
        drawn.name,
        split=split,
        supervision=supervision,
        samples=[_without_things(sample, f"{split} {drawn.parameters}") for sample in drawn],
        classes=CLASSES,
        colours=drawn.colours[: len(CLASSES)],
        card=CARD,
        note=drawn.note,
        parameters=drawn.parameters,
    )


def _without_things(sample: Sample, given: str) -> Sample:
    readers = partial(_picture, sample), partial(_labels, sample)
    return Sample(
        sample.name, *readers, read_size=partial(_size, sample), drawn_from=f"{sample.name} {given}"
    )


def _size(sample: Sample) -> tuple[int, int]:
    return sample.size


def _picture(sample: Sample, window: Window | None) -> np.ndarray:
    return sample.image if window is None else sample.read(window)[0]


def _labels(sample: Sample, window: Window | None) -> np.ndarray:
    labels = sample.labels if window is None else sample.read(window)[1]
    return np.where(labels == THINGS, VOID, labels).astype(np.uint8)
