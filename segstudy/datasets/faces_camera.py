"""From a drawn portrait to a photograph: light on the head, exposure, blur, sensor noise, block compression."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy import fft, ndimage

from segstudy.datasets.faces_canvas import FRAME_WIDTH, Canvas, Noise

# Luma and two colour differences, as compressed pictures store them (ITU-R BT.601).
TO_LUMA = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def expose(canvas: Canvas, face: SimpleNamespace, noise: Noise, sensor: np.random.Generator) -> np.ndarray:
    """Photograph the canvas.

    Parameters
    ----------
    canvas : Canvas
        With everything painted.
    face : types.SimpleNamespace
        From `faces_parameters.draw_parameters`.
    noise : Noise
        For the relief of skin and cloth and the edge of the cast shadow.
    sensor : numpy.random.Generator
        For the noise of each pixel.

    Returns
    -------
    (H, W, 3) uint8 ndarray
        RGB.
    """
    image = np.clip(canvas.image, 0, 1) * _shading(canvas, face, noise)[..., None]
    image = np.clip(image, 0, 1) ** face.light.gamma * np.array(face.light.cast) * face.light.exposure
    rows = image.shape[0]
    image = ndimage.gaussian_filter(image, (face.camera.blur * rows, face.camera.blur * rows, 0), truncate=3)
    grain = sensor.random((2, *image.shape)).sum(0) - 1  # two uniform draws: a triangle, deviation .41
    image = image + face.camera.noise * 2.45 * grain * np.sqrt(np.clip(image, 0.05, 1))
    if face.camera.blocks:
        image = _compress(image, face.camera.blocks)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _shading(canvas: Canvas, face: SimpleNamespace, noise: Noise) -> np.ndarray:
    """Return the light on each pixel: a lamp on the rounded head, a cast shadow, darker corners of the picture."""
    light = face.light
    across, down = np.clip(canvas.p / 1.5, -1, 1), np.clip((canvas.q - 0.1) / 2.4, -1, 1)
    front = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    lamp = light.strength * (light.across * across - light.above * down + 0.5 * front - 0.3)
    relief = 0.03 * noise.octaves(canvas.p * 9, canvas.q * 9, 3)
    cos, sin = np.cos(light.shadow_angle), np.sin(light.shadow_angle)
    edge = (
        cos * canvas.p + sin * canvas.q - light.shadow_place + 0.1 * noise.octaves(canvas.p * 2, canvas.q * 2)
    )
    shadow = 1 - light.shadow * np.clip(0.5 + edge / 0.2, 0, 1)
    body = 1 + canvas.figure * ((1 + lamp + relief) * shadow - 1)
    corners = (canvas.x / FRAME_WIDTH - 0.5) ** 2 + (canvas.y - 0.5) ** 2
    return body * (1 - face.camera.vignette * corners)


def _compress(image: np.ndarray, step: float) -> np.ndarray:
    """Round the cosine transform of 8 x 8 blocks, coarser for finer detail and for colour than for luma.

    The steps come from a continuous draw, so that no coefficient lies half way between two of them by design.
    """
    rows, columns = image.shape[:2]
    padded = np.pad(image @ TO_LUMA.T, ((0, -rows % 8), (0, -columns % 8), (0, 0)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8, 3)
    order = np.add.outer(np.arange(8), np.arange(8))[None, :, None, :, None]
    steps = step * (1 + order) * np.array([1.0, 2.0, 2.0])
    coded = np.rint(fft.dctn(blocks, axes=(1, 3), norm="ortho") / steps) * steps
    back = fft.idctn(coded, axes=(1, 3), norm="ortho").reshape(padded.shape)[:rows, :columns]
    return back @ np.linalg.inv(TO_LUMA).T
