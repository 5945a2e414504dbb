"""Drawing one portrait from its parameters: wall, hair, neck, clothes, head and its parts, what misleads, light.

Painter's order, each layer over the last. The labels are the truth of the drawing: what is thinner than an
annotator would trace or lies on top without being a part (glasses, beards, wisps of hair, moles, stray blobs,
shadows, clothes) takes the label of what is below it, as in the published annotations.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from segstudy.datasets.faces_camera import expose
from segstudy.datasets.faces_canvas import (
    BACKGROUND,
    FACE,
    FRAME_WIDTH,
    HAIR,
    LEFT_BROW,
    LEFT_EYE,
    MOUTH,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
    Canvas,
    Noise,
    arch,
    band,
    ellipse,
)
from segstudy.datasets.faces_parts import draw_beard, draw_brow, draw_eye, draw_mouth, draw_nose


def draw(
    face: SimpleNamespace, size: tuple[int, int], texture: np.random.Generator, sensor: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a portrait.

    Parameters
    ----------
    face : types.SimpleNamespace
        From `faces_parameters.draw_parameters`.
    size : (int, int)
        Height and width in pixels; the same face is drawn at every size.
    texture : numpy.random.Generator
        For skin, hair and wall; the draws do not depend on the size.
    sensor : numpy.random.Generator
        For the noise of each pixel.

    Returns
    -------
    image : (H, W, 3) uint8 ndarray
        RGB.
    labels : (H, W) uint8 ndarray
        Classes 0..8, each of them present.
    """
    noise = Noise(texture)
    canvas = Canvas(size, face.pose, face.shape.width, noise, face.shape.stray)
    _wall(canvas, face, noise)
    _back_hair(canvas, face, noise)
    _neck(canvas, face, noise)
    _head(canvas, face, noise)
    draw_beard(canvas, face, noise)
    fields = {NOSE: draw_nose(canvas, face, noise), MOUTH: draw_mouth(canvas, face, noise)}
    for side in (-1, 1):
        fields[RIGHT_EYE if side < 0 else LEFT_EYE] = draw_eye(canvas, face, side)
        fields[RIGHT_BROW if side < 0 else LEFT_BROW] = draw_brow(canvas, face, side, noise)
    _marks(canvas, face)
    _glasses(canvas, face)
    _front_hair(canvas, face, noise)
    _wisps(canvas, face)
    for label, field in fields.items():
        if not (canvas.labels == label).any():  # a part thinner than a pixel, in the smallest pictures
            canvas.labels.flat[np.argmin(field)] = label
    return expose(canvas, face, noise, sensor), canvas.labels


# The wall and the body ------------------------------------------------------------------------------------------


def _wall(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Fill the background: a shaded, textured wall, things in front of it, the head's shadow on it."""
    scene = face.scene
    right, down = scene.gradient
    shade = 1 + right * (canvas.x / FRAME_WIDTH - 0.5) * 2 + down * (canvas.y - 0.5) * 2
    shade += scene.texture * noise.octaves(canvas.x * scene.grain, canvas.y * scene.grain, 3)
    canvas.image[:] = scene.wall * shade[..., None]
    for thing in scene.clutter:
        outline = ellipse(canvas.x, canvas.y, (thing.x, thing.y), (thing.width, thing.height), thing.square)
        canvas.paint(outline, thing.colour * shade[..., None], soft=0.01)
    offset = 0.12 if face.light.across < 0 else -0.12
    behind = ellipse(canvas.p + offset, canvas.q, (0, -0.1), (1.25, 1.8))
    canvas.paint(behind, canvas.image * 0.5, opacity=scene.shadow, soft=0.9 * face.pose.scale)


def _neck(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Draw neck, shoulders, the chin's shadow, and clothes (background) with their neckline."""
    p, q, shape = canvas.p, canvas.q, face.shape
    slope = (
        shape.shoulders + 0.32 * np.maximum(np.abs(p) - shape.neck, 0) + 0.03 * noise.octaves(p * 2, q * 2)
    )
    neck = np.maximum(np.abs(p) - shape.neck - 0.12 * np.maximum(q - 1.5, 0) ** 2, 0.8 - q)
    skin = face.colour.skin * (1 + 0.05 * noise.octaves(p * 3, q * 3, 2))[..., None]
    below_chin = np.clip(1.25 - 0.55 * (q - 1.35), 0, 1)
    shade = 1 - 0.36 * below_chin
    body = np.minimum(neck, slope - q)
    canvas.paint(body, skin * shade[..., None], FACE)
    collar = ellipse(p, q, (0, shape.shoulders), (shape.neck * 1.1, shape.neckline))
    collar = np.minimum(collar, np.maximum(np.abs(p) - shape.neck * 1.1, q - shape.shoulders))
    clothes = np.maximum(slope - q, -collar)
    folds = 1 + 0.25 * noise.octaves(p * 1.5, q * 3, 3)
    canvas.paint(clothes, face.colour.cloth * folds[..., None], BACKGROUND)


def _head(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Draw ears and head: skin with blotches, redder cheeks, a darker rim and hollows about the eyes."""
    p, q, shape, skin = canvas.p, canvas.q, face.shape, face.colour.skin
    blotches = 1 + 0.05 * noise.octaves(p * 2.5, q * 2.5, 4)
    for side in (-1, 1) if face.hair.style != "long" else ():
        ear = ellipse(p, q, (side * shape.width * 1.03, 0.18), (0.14, shape.ear))
        canvas.paint(ear, skin * np.array([0.88, 0.76, 0.74]), FACE)
        canvas.paint(ear + 0.06, skin * 0.62, opacity=0.5, soft=0.05)
    jaw = np.where(q < 0.2, 2.0, shape.jaw)
    length = np.where(q < 0.2, 1.72, shape.chin - 0.2)
    a, b = np.abs(p) / shape.width, np.abs(q - 0.2) / length
    head = ((a**jaw + b**jaw) ** (1 / jaw) - 1) * shape.width
    rim = 1 - 0.22 * np.clip(1 + head / 0.35, 0, 1)
    cheeks = np.exp(-(((np.abs(canvas.fp) - 0.62) / 0.28) ** 2) - ((canvas.fq - 0.68) / 0.28) ** 2)
    colour = skin * (blotches * rim)[..., None]
    colour = colour * (1 - face.colour.blush * cheeks[..., None] * np.array([0.0, 0.6, 0.5]))
    canvas.paint(head, colour, FACE)


# What misleads --------------------------------------------------------------------------------------------------


def _marks(canvas: Canvas, face: SimpleNamespace) -> None:
    """Scatter moles over the skin and blobs in the parts' colours over the picture; their labels stay."""
    colour, extras = face.colour, face.extras
    for mole in extras.moles:
        spot = ellipse(canvas.p, canvas.q, (mole.p, mole.q), (mole.radius, mole.radius))
        canvas.stain(np.where(canvas.labels == FACE, spot, 1.0), colour.brow, mole.opacity)
    inks = {
        "brow": colour.brow,
        "eye": colour.brow * 0.8,
        "mouth": colour.lips,
        "skin": colour.skin,
        "hair": colour.hair,
    }
    for blob in extras.blobs:
        cos, sin = np.cos(blob.angle), np.sin(blob.angle)
        dx, dy = canvas.x - blob.x, canvas.y - blob.y
        across, down = cos * dx + sin * dy, cos * dy - sin * dx
        canvas.stain(ellipse(across, down, (0, 0), (blob.width, blob.height)), inks[blob.kind], blob.opacity)
        if blob.kind == "eye":
            for radius, ink in ((0.8, (0.7, 0.68, 0.66)), (0.55, colour.iris)):
                pupil = ellipse(across, down, (0, 0), (blob.height * radius * 1.4, blob.height * radius))
                canvas.stain(pupil, ink, blob.opacity)


def _glasses(canvas: Canvas, face: SimpleNamespace) -> None:
    """Put glasses on: rims, bridge, temples and a glare on the panes; the labels stay."""
    extras = face.extras
    if extras.glasses == "none":
        return
    p, q = canvas.fp, canvas.fq
    power = 2.0 if extras.glasses == "round" else 4.0
    for side in (-1, 1):
        pane = ellipse(p, q, (side * 0.5, 0.03), (0.42, 0.31 if power == 2.0 else 0.26), power)
        glare = extras.glare * np.clip(0.5 + 0.8 * (q - side * 0.3 * p), 0, 1)
        canvas.paint(pane, (0.9, 0.92, 0.95), opacity=glare)
        canvas.paint(band(pane, extras.frame), extras.frame_colour)
        temple = band(q + 0.04, extras.frame, 0.9 - side * p, side * p - 1.2)
        canvas.paint(temple, extras.frame_colour, opacity=0.9 * (canvas.labels == FACE))
    canvas.paint(band(q + 0.04 + 0.6 * p**2, extras.frame, np.abs(p) - 0.1), extras.frame_colour)


def _wisps(canvas: Canvas, face: SimpleNamespace) -> None:
    """Let strands of hair, too thin for a label, fall over forehead, brow and eye."""
    p, q = canvas.p, canvas.q
    for wisp in face.extras.wisps if face.hair.style != "bald" else ():
        fall = (q - wisp.top) / (wisp.bottom - wisp.top)
        path = wisp.start + wisp.slope * fall + wisp.bend * fall * (1 - fall)
        strand = band(p - path, wisp.width * (1.2 - 0.8 * np.clip(fall, 0, 1)), wisp.top - q, q - wisp.bottom)
        canvas.paint(strand, face.colour.hair, opacity=wisp.opacity * (canvas.labels > 0))


# Hair -----------------------------------------------------------------------------------------------------------


def _hair_colour(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Return the hair's colour everywhere, (H, W, 3): strands along its fall, curls, a band of shine."""
    p, q, hair = canvas.p, canvas.q, face.hair
    along = (p - hair.part) / (1 + 0.5 * np.clip(q + 1.5, 0, 3)) + hair.wave * noise.octaves(p * 2, q * 2)
    strands = noise.octaves(along * 22, q * 1.6, 2)
    curls = noise.octaves(p * 9, q * 9, 2)
    shine = hair.shine * np.exp(-(((q + 1.15 - 0.25 * p**2) / 0.22) ** 2))
    shade = 1 + 0.35 * (strands * (1 - 0.6 * hair.curl) + 0.6 * hair.curl * curls) + shine
    return np.clip(face.colour.hair * shade[..., None] + 0.06 * shine[..., None], 0.01, 1)


def _outline(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Return the field of the hair's outer contour."""
    hair = face.hair
    p = canvas.p + hair.wave * noise.octaves(canvas.q * 1.5, canvas.q * 0 + 3) * np.clip(canvas.q + 0.5, 0, 1)
    outer = arch(
        p, canvas.q, face.shape.width + 0.5 * hair.volume, -1.53 - hair.volume, -0.2, 2.2, hair.flare
    )
    return outer + hair.rough * noise.octaves(canvas.p * 14, canvas.q * 8, 3)


def _back_hair(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Draw the hair behind neck and ears: long hair falls there, other hair caps the skull."""
    end = face.hair.end if face.hair.style == "long" else 0.0
    if face.hair.style == "bald":
        return
    outer = np.maximum(_outline(canvas, face, noise), canvas.q - end)
    canvas.paint(outer, _hair_colour(canvas, face, noise) * 0.7, HAIR, soft=0.02)


def _front_hair(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Draw the hair before the head: all of its outline except the opening for the face."""
    hair = face.hair
    opening = _opening(canvas, face, noise)
    front = np.maximum(_outline(canvas, face, noise), -opening)
    ragged = 0.1 * noise.octaves(canvas.p * 14, canvas.q * 2, 2)
    front = np.maximum(front, canvas.q - hair.end + ragged)
    canvas.paint(front, _hair_colour(canvas, face, noise), HAIR, soft=0.025)


def _opening(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Return the field of the opening in which the face is seen, bounded above by hairline or fringe."""
    hair, q = face.hair, canvas.q
    half = hair.opening * face.shape.width
    p = canvas.p - hair.lean * np.clip(-q, 0, 1)
    opening = arch(p, q, half, hair.hairline, 0.1, hair.arch, hair.drift)
    opening = opening + hair.rough * noise.octaves(canvas.p * 12, q * 6, 3)
    if hair.fringe == "none":
        return opening
    line = hair.fringe_height + (hair.sweep * p if hair.fringe == "swept" else 0.08 * p**2)
    line = line + hair.teeth * noise.octaves(p * 7, q * 0.8, 2)
    # A fringe may cover the outer third of a brow, never all of it: every picture shows the nine classes.
    free = -0.42 + 0.5 * np.clip(np.abs(canvas.fp) - 0.62, 0, 1)
    return np.maximum(opening, np.minimum(line, free) - q)
