"""What one generated portrait is: every number that `faces_drawing` draws it from, drawn from a random generator.

Lengths are in eye distances (between the two pupils), measured from the point between the eyes, `p` to the right
of the picture and `q` downwards, unless a name says otherwise; angles are in radians, colours RGB in 0..1. Where a
mean is "measured", it was measured on the published annotations of the FASSEG front views (70 faces, the nine
classes of Chopin et al. 2020, section III-A): eyes at row .484 and 0.366 picture widths (.256 heights) apart,
brows .27 eye distances above, nose .63 and mouth 1.07 below.

Only `Generator.random` is called: NumPy keeps that stream between releases, which its distributions do not promise.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

# Typical albedos: real skin and hair lie on a curve from light to dark; a portrait takes a point on it and strays.
SKINS = np.array([[244, 206, 182], [226, 172, 138], [198, 142, 106], [150, 100, 70], [104, 70, 50]]) / 255
# Black, dark brown, brown, red, blond, grey; dark hair prevails in the published pictures.
HAIRS = ((26, 22, 21), (52, 36, 26), (92, 62, 40), (126, 64, 36), (176, 138, 88), (142, 138, 134))
HAIR_CHANCES = (0.34, 0.28, 0.16, 0.06, 0.1, 0.06)
# Light, grey, warm, dark; the warm wall looks like skin and the dark one like hair, on purpose.
WALLS = ((222, 222, 216), (162, 164, 168), (220, 182, 148), (64, 52, 44))
WALL_CHANCES = (0.55, 0.15, 0.18, 0.12)
# Style: ranges of volume, lower end, hairline, half width of the face's opening (in head widths) and roughness of the
# contour, and the chance of a fringe. Some hair is always there: measured, the barest head shows 1.2 % of hair.
STYLES = {
    "long": ((0.25, 0.65), (1.2, 3.2), (-1.3, -0.82), (0.86, 1.0), (0.01, 0.05), 0.4),
    "short": ((0.12, 0.4), (-0.15, 0.3), (-1.3, -0.82), (0.93, 0.99), (0.01, 0.05), 0.45),
    "tied": ((0.08, 0.2), (-0.15, 0.3), (-1.3, -0.82), (0.93, 0.99), (0.01, 0.05), 0.0),
    "bald": ((0.0, 0.04), (-0.1, 0.2), (-1.46, -1.36), (0.86, 0.93), (0.004, 0.01), 0.0),
}
STYLE_CHANCES = (0.5, 0.34, 0.1, 0.06)


class Dice:
    """Draws from one generator by its uniform stream alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`."""
        return low + (high - low) * float(self.rng.random())

    def bell(self, mean: float, deviation: float) -> float:
        """Return a number near `mean`, never further than three deviations: the mean of three uniform ones."""
        return mean + deviation * 2.0 * float(self.rng.random(3).sum() - 1.5)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return bool(self.rng.random() < probability)

    def pick(self, options: tuple, chances: tuple[float, ...] | None = None):
        """Return one of the options, with equal chances unless they are given (they sum to 1)."""
        edges = np.cumsum(chances if chances else np.full(len(options), 1 / len(options)))
        return options[min(int(np.searchsorted(edges, self.rng.random())), len(options) - 1)]

    def near(self, colour: np.ndarray, spread: float) -> np.ndarray:
        """Return a colour near the given one: lighter or darker together, a little off in each channel."""
        value = np.asarray(colour, float) * (1 + self.bell(0, spread)) + spread * 0.25 * (
            self.rng.random(3) - 0.5
        )
        return np.clip(value, 0.02, 0.98)


def draw_parameters(rng: np.random.Generator) -> SimpleNamespace:
    """Draw all parameters of one portrait.

    Parameters
    ----------
    rng : numpy.random.Generator
        Consumed in a fixed order; the picture's size plays no part.

    Returns
    -------
    types.SimpleNamespace
        Groups `pose`, `shape`, `parts`, `hair`, `colour`, `extras`, `scene`, `light`, `camera`.
    """
    dice = Dice(rng)
    colour = _colour(dice)
    return SimpleNamespace(
        pose=_pose(dice),
        shape=_shape(dice),
        parts=_parts(dice),
        hair=_hair(dice),
        colour=colour,
        extras=_extras(dice),
        scene=_scene(dice, colour),
        light=_light(dice),
        camera=_camera(dice),
    )


def _pose(dice: Dice) -> SimpleNamespace:
    """Place the head: scale (frame heights per eye distance), position (frame heights) and the three rotations."""
    return SimpleNamespace(
        scale=dice.bell(0.27, 0.014),
        column=0.7 * dice.bell(0.51, 0.011),
        row=dice.bell(0.484, 0.015),
        roll=np.radians(dice.bell(0, 2.6)),  # measured: 1.9 degrees, from -9.2 to 4.6
        yaw=np.radians(dice.bell(0, 3.2)),
        pitch=dice.bell(0, 0.03),
    )


def _shape(dice: Dice) -> SimpleNamespace:
    """Size the head, neck, ears and shoulders, and how far the drawing strays from symmetry."""
    return SimpleNamespace(
        width=dice.bell(1.07, 0.035),
        chin=dice.bell(1.68, 0.07),
        jaw=dice.uniform(1.75, 2.3),
        neck=dice.bell(0.78, 0.06),
        ear=dice.uniform(0.26, 0.38),
        shoulders=dice.uniform(1.72, 2.0),
        neckline=dice.uniform(0.15, 0.6),
        stray=dice.uniform(0.02, 0.05),
    )


def _parts(dice: Dice) -> SimpleNamespace:
    """Size and place brows, eyes, nose and mouth; areas follow the measured ones."""
    return SimpleNamespace(
        eye_width=dice.bell(0.26, 0.02),
        eye_open=dice.uniform(0.055, 0.115),
        eye_lower=dice.uniform(0.045, 0.07),
        eye_tilt=dice.bell(0, 0.06),
        gaze=dice.bell(0, 0.03),
        brow_height=dice.bell(0.26, 0.024),
        brow_thick=dice.uniform(0.045, 0.095),
        brow_arch=dice.uniform(0.0, 0.09),
        brow_slope=dice.uniform(-0.12, 0.14),
        brow_density=dice.uniform(0.45, 0.95),
        brow_lift=(dice.bell(0, 0.018), dice.bell(0, 0.018)),
        nose=dice.bell(0.62, 0.035),
        nose_width=dice.bell(0.235, 0.018),
        nose_height=dice.uniform(0.055, 0.115),
        mouth=dice.bell(1.07, 0.035),
        mouth_width=dice.bell(0.41, 0.03),
        lips=(dice.uniform(0.075, 0.14), dice.uniform(0.1, 0.18)),
        smile=dice.uniform(-0.05, 0.09),
        parted=dice.uniform(0.0, 0.035) if dice.chance(0.3) else 0.0,
    )


def _hair(dice: Dice) -> SimpleNamespace:
    """Choose a hair style and its outline."""
    style = dice.pick(tuple(STYLES), STYLE_CHANCES)
    volume, end, hairline, opening, rough, fringe = STYLES[style]
    return SimpleNamespace(
        style=style,
        volume=dice.uniform(*volume),
        end=dice.uniform(*end),
        hairline=dice.uniform(*hairline),
        opening=dice.uniform(*opening),
        arch=2.0 if style == "bald" else dice.pick((1.4, 2.0, 2.6, 3.2)),
        lean=dice.bell(0, 0.09),
        flare=dice.uniform(0.0, 0.25),
        drift=dice.uniform(-0.12, 0.06),
        fringe=dice.pick(("full", "swept")) if dice.chance(fringe) else "none",
        fringe_height=dice.uniform(-0.62, -0.4),
        sweep=dice.pick((-1.0, 1.0)) * dice.uniform(0.25, 0.6),
        teeth=dice.uniform(0.02, 0.12),
        part=dice.bell(0, 0.25),
        wave=dice.uniform(0.0, 0.12),
        rough=dice.uniform(*rough),
        curl=dice.uniform(0.0, 1.0),
        shine=dice.uniform(0.0, 0.5),
    )


def _colour(dice: Dice) -> SimpleNamespace:
    """Colour skin, hair, brows, lips, irises and clothes."""
    place = dice.uniform(0, len(SKINS) - 1.001)
    low = int(place)
    skin = dice.near(SKINS[low] + (place - low) * (SKINS[low + 1] - SKINS[low]), 0.08)
    hair = dice.near(np.array(dice.pick(HAIRS, HAIR_CHANCES)) / 255, 0.15)
    lips = skin * np.array([1.0, 0.72, 0.74]) * dice.uniform(0.7, 1.0)
    if dice.chance(0.2):  # lipstick
        lips = np.array([0.62, 0.16, 0.2]) * dice.uniform(0.7, 1.1)
    clothes = dice.pick(("skin", "hair", "lips", "any", "any"))
    cloth = {"skin": skin, "hair": hair, "lips": lips}.get(
        clothes, 0.5 * dice.rng.random(3) + 0.4 * dice.rng.random()
    )
    return SimpleNamespace(
        skin=skin,
        hair=hair,
        brow=np.minimum(dice.near(hair * 0.8, 0.1), skin * 0.62),
        lips=lips,
        iris=dice.pick(((0.2, 0.12, 0.08), (0.32, 0.22, 0.12), (0.3, 0.38, 0.44), (0.3, 0.36, 0.24))),
        blush=dice.uniform(0.0, 0.25),
        cloth=dice.near(cloth, 0.08),
    )


def _extras(dice: Dice) -> SimpleNamespace:
    """Choose what misleads: glasses, beard, wisps of hair, cast shadows, moles, stray blobs in a part's colours."""
    return SimpleNamespace(
        glasses=dice.pick(("round", "square")) if dice.chance(0.3) else "none",
        frame=dice.uniform(0.018, 0.045),
        frame_colour=dice.pick(((0.05, 0.05, 0.06), (0.24, 0.14, 0.08), (0.5, 0.46, 0.4))),
        glare=dice.uniform(0.0, 0.3),
        beard=dice.uniform(0.2, 0.85) if dice.chance(0.28) else 0.0,
        moustache=dice.uniform(0.3, 0.85) if dice.chance(0.2) else 0.0,
        wisps=[_wisp(dice) for _ in range(int(dice.uniform(-3, 6)))],
        moles=[_mole(dice) for _ in range(int(dice.uniform(0, 9)))],
        blobs=[_blob(dice) for _ in range(int(dice.uniform(0, 7)))],
        earring=dice.uniform(0.04, 0.08) if dice.chance(0.25) else 0.0,
    )


def _wisp(dice: Dice) -> SimpleNamespace:
    """Lay one strand of hair over forehead, brow and eye; thinner than the annotation, so it carries no label."""
    return SimpleNamespace(
        start=dice.pick((-1.0, 1.0)) * dice.uniform(0.1, 0.9),
        top=dice.uniform(-1.4, -1.0),
        bottom=dice.uniform(-0.25, 0.5),
        slope=dice.uniform(-0.35, 0.35),
        bend=dice.uniform(-1.0, 1.0),
        width=dice.uniform(0.006, 0.02),
        opacity=dice.uniform(0.4, 0.85),
    )


def _mole(dice: Dice) -> SimpleNamespace:
    """Place a mole or spot on the skin."""
    return SimpleNamespace(
        p=dice.uniform(-0.85, 0.85),
        q=dice.uniform(-0.9, 1.9),
        radius=dice.uniform(0.012, 0.035),
        opacity=dice.uniform(0.4, 0.9),
    )


def _blob(dice: Dice) -> SimpleNamespace:
    """Place a patch in the colours of a part anywhere in the picture: a scar, a plaster, a print, a thing behind."""
    return SimpleNamespace(
        kind=dice.pick(("brow", "eye", "mouth", "skin", "hair")),
        x=dice.uniform(0.02, 0.68),
        y=dice.uniform(0.03, 0.98),
        width=dice.uniform(0.02, 0.055),
        height=dice.uniform(0.008, 0.02),
        angle=dice.bell(0, 0.4),
        opacity=dice.uniform(0.5, 0.95),
    )


def _scene(dice: Dice, colour: SimpleNamespace) -> SimpleNamespace:
    """Set the wall behind: plain, shaded, textured or cluttered."""
    wall = dice.near(np.array(dice.pick(WALLS, WALL_CHANCES)) / 255, 0.1)
    clutter = [_thing(dice, colour) for _ in range(int(dice.uniform(2, 8)))] if dice.chance(0.3) else []
    return SimpleNamespace(
        wall=wall,
        gradient=(dice.bell(0, 0.15), dice.bell(0, 0.15)),
        texture=dice.uniform(0.0, 0.2) if dice.chance(0.4) else 0.02,
        grain=dice.uniform(4, 40),
        shadow=dice.uniform(0.0, 0.35),
        clutter=clutter,
    )


def _thing(dice: Dice, colour: SimpleNamespace) -> SimpleNamespace:
    """Place one thing behind the head, coloured freely, like skin or like hair."""
    free = 0.5 * dice.rng.random(3) + 0.4 * dice.rng.random()
    return SimpleNamespace(
        x=dice.uniform(-0.05, 0.75),
        y=dice.uniform(-0.05, 1.0),
        width=dice.uniform(0.02, 0.16),
        height=dice.uniform(0.02, 0.3),
        square=dice.pick((2.0, 8.0)),
        colour=dice.near(dice.pick((free, free, colour.skin, colour.hair)), 0.1),
    )


def _light(dice: Dice) -> SimpleNamespace:
    """Light the head: direction, strength, a cast shadow across it and the picture's colour cast."""
    return SimpleNamespace(
        across=dice.uniform(-0.9, 0.9),
        above=dice.uniform(-0.1, 0.7),
        strength=dice.uniform(0.12, 0.5),
        shadow=dice.uniform(0.2, 0.5) if dice.chance(0.3) else 0.0,
        shadow_angle=dice.uniform(-1.2, 1.2),
        shadow_place=dice.uniform(-0.9, 0.9),
        cast=(dice.bell(1.0, 0.035), 1.0, dice.bell(0.97, 0.05)),
        exposure=dice.bell(0.88, 0.07),
        gamma=dice.uniform(0.9, 1.35),
    )


def _camera(dice: Dice) -> SimpleNamespace:
    """Blur (frame heights), sensor noise (share of the range) and the coarseness of block compression."""
    return SimpleNamespace(
        blur=dice.uniform(0.0006, 0.0045),
        noise=dice.uniform(0.006, 0.03),
        blocks=dice.uniform(0.004, 0.02) if dice.chance(0.5) else 0.0,
        vignette=dice.uniform(0.0, 0.35),
    )
