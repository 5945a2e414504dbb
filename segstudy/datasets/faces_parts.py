"""The parts of a generated face: brows, eyes, nose and mouth, each with its label, and the beard without one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from segstudy.datasets.faces_canvas import (
    FACE,
    LEFT_BROW,
    LEFT_EYE,
    MOUTH,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
    Canvas,
    Noise,
    band,
    ellipse,
    lens,
)


def draw_beard(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> None:
    """Grow beard and moustache: hair's colour, face's label."""
    p, q, extras = canvas.fp, canvas.fq, face.extras
    strands = np.clip(0.8 + 0.4 * noise.octaves(p * 20, q * 12, 2) + 0.15 * noise.octaves(p * 4, q * 4), 0, 1)
    skin = canvas.labels == FACE
    if extras.beard:
        edge = 0.88 - 1.3 * np.clip(np.abs(p) - 0.45, 0, 0.6) + 0.1 * noise.octaves(p * 5, q * 5)
        beard = np.maximum(edge - q, canvas.q - face.shape.chin - 0.15)
        canvas.paint(beard, face.colour.hair * 0.9, opacity=extras.beard * strands * skin, soft=0.012)
    if extras.moustache:
        line = q - face.parts.mouth + 0.2 - 0.25 * p**2
        lip = band(line, 0.075, np.abs(p) - 0.42)
        canvas.paint(lip, face.colour.hair * 0.9, opacity=extras.moustache * strands * skin, soft=0.01)


def draw_nose(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Draw bridge, wings and nostrils; the label is the band of tip, wings and nostrils, as published."""
    parts, skin = face.parts, face.colour.skin
    p, q = canvas.fp - 0.2 * np.sin(face.pose.yaw), canvas.fq  # the tip stands out, so it moves further
    side = 1.0 if face.light.across > 0 else -1.0
    ridge = ellipse(p, q, (side * 0.1, 0.28), (0.07, 0.36))
    canvas.paint(ridge, skin * 0.72, opacity=0.45, soft=0.012)
    canvas.paint(
        ellipse(p, q, (-side * 0.02, 0.3), (0.05, 0.36)), np.minimum(skin * 1.18, 1), opacity=0.4, soft=0.01
    )
    wobble = 0.015 * noise.octaves(p * 6, q * 6)
    base = ellipse(p, q + 0.3 * p**2, (0, parts.nose), (parts.nose_width, parts.nose_height), 2.6) + wobble
    canvas.paint(base, skin * np.array([0.84, 0.74, 0.72]), NOSE, opacity=0.75, soft=0.012)
    tip = ellipse(p, q, (0, parts.nose - 0.05), (0.1, 0.07))
    canvas.paint(tip, np.minimum(skin * 1.12, 1), opacity=0.6, soft=0.02)
    for wing in (-1, 1):
        hole = ellipse(p, q - 0.35 * wing * p, (wing * 0.1, parts.nose + 0.02), (0.055, 0.024))
        canvas.paint(hole, skin * 0.25, opacity=0.8, soft=0.006)
        alar = band(ellipse(p, q, (wing * 0.17, parts.nose), (0.075, 0.09)), 0.012, 0.19 - wing * p)
        canvas.paint(alar, skin * 0.5, opacity=0.6, soft=0.006)
    canvas.paint(band(p, 0.03, np.abs(q - parts.nose - 0.22) - 0.07), skin * 0.8, opacity=0.4, soft=0.02)
    return base


def draw_mouth(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Draw two lips that meet in a dark line, perhaps parted, and the shade beneath."""
    parts, lips = face.parts, face.colour.lips
    p = canvas.fp - 0.06 * np.sin(face.pose.yaw)
    t = p / parts.mouth_width
    q = canvas.fq - parts.mouth + parts.smile * t**2
    upper, lower = parts.lips
    bow = upper * (1 - 0.25 * np.exp(-((t / 0.14) ** 2)))
    mouth = lens(p, q, parts.mouth_width, bow, lower) + 0.01 * noise.octaves(p * 5, q * 5)
    below = ellipse(p, q, (0, lower + 0.08), (0.24, 0.05))
    canvas.paint(below, face.colour.skin * 0.68, opacity=0.5, soft=0.02)
    creases = 1 + 0.12 * noise.octaves(p * 14, q * 4)
    shade = np.where(q < 0, 0.78, 1.04) * creases
    canvas.paint(mouth, lips * shade[..., None], MOUTH, opacity=0.85, soft=0.008)
    gap = band(q, 0.012 + parts.parted * np.clip(1 - t**2, 0, 1), np.abs(p) - parts.mouth_width * 0.97)
    canvas.paint(gap, lips * 0.28, opacity=0.85, soft=0.006)
    return mouth


def draw_eye(canvas: Canvas, face: SimpleNamespace, side: int) -> np.ndarray:
    """Draw socket, lids, eyeball and lashes; the label is the eye with its lids, as published."""
    parts, skin = face.parts, face.colour.skin
    x = (canvas.fp - side * 0.5) * side
    y = canvas.fq + parts.eye_tilt * x
    width, above, below = parts.eye_width, parts.eye_open, parts.eye_lower
    hollow = ellipse(x, y, (-0.02, 0.0), (width * 1.5, 0.24))
    canvas.paint(hollow, skin * np.array([0.74, 0.64, 0.62]), opacity=0.4, soft=0.05)
    whole = lens(x, y, width * 1.02, above + 0.055, below + 0.045)
    canvas.paint(
        whole, skin * np.array([0.78, 0.66, 0.64]), RIGHT_EYE if side < 0 else LEFT_EYE, 0.7, soft=0.01
    )
    ball = lens(x, y, width * 0.9, above, below)
    canvas.paint(ball, np.array([0.74, 0.71, 0.69]) * (0.55 + 0.45 * skin[0]), soft=0.004)
    centre = (parts.gaze * side, -0.015)
    for radius, colour in ((0.105, face.colour.iris), (0.05, (0.03, 0.03, 0.03))):
        canvas.paint(np.maximum(ellipse(x, y, centre, (radius, radius)), ball), colour)
    glint = (centre[0] + 0.03 * face.light.across * side, -0.045)
    canvas.paint(np.maximum(ellipse(x, y, glint, (0.022, 0.022)), ball), (0.95, 0.95, 0.95), opacity=0.8)
    sag = 1 - (x / (width * 0.95)) ** 2
    canvas.paint(band(y + above * sag, 0.018, np.abs(x) - width * 0.95), face.colour.brow * 0.5, opacity=0.85)
    canvas.paint(band(y + (above + 0.06) * sag, 0.01, np.abs(x) - width * 0.9), skin * 0.45, opacity=0.6)
    canvas.paint(band(y - below * sag, 0.008, np.abs(x) - width * 0.85), skin * 0.45, opacity=0.5)
    return whole


def draw_brow(canvas: Canvas, face: SimpleNamespace, side: int, noise: Noise) -> np.ndarray:
    """Draw a brow: an arched stroke that thins outwards, of short hairs, dense or sparse."""
    parts = face.parts
    x = (canvas.fp - side * 0.5) * side
    t = (x + 0.28) / 0.64  # 0 at the inner end, 1 at the outer one
    ridge = parts.brow_arch * (1 - ((t - 0.62) / 0.62) ** 2) - parts.brow_slope * (t - 0.5) * 0.4
    y = canvas.fq + parts.brow_height + parts.brow_lift[side > 0] + ridge
    taper = np.minimum(1.08 - 0.85 * np.clip(t, 0, 1) ** 2.5, 0.5 + 4 * np.clip(t, 0, 1))
    thick = parts.brow_thick * np.clip(taper, 0.1, 1)
    brow = band(y, thick, 0.5 * (np.abs(t - 0.5) - 0.5)) + 0.012 * noise.octaves(x * 12, y * 12)
    hairs = np.clip(parts.brow_density * (1 + 0.35 * noise.octaves(x * 34 + y * 20, y * 12, 2)), 0, 1)
    canvas.paint(brow, face.colour.brow, RIGHT_BROW if side < 0 else LEFT_BROW, hairs, soft=0.02)
    return brow
