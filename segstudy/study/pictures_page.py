"""The page of `segment`: each picture beside what the methods made of it, and under a slider where scripts run."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from PIL import Image

from segstudy.experiments.images.segmenting import encode
from segstudy.study.page import FOLDER, environment, policy

SIDE = 720  # pixels: larger pictures are shown reduced, so that a page of many can be opened
QUALITY = 85  # of JPEG; nobody reads labels from the page


def picture_source(image: np.ndarray) -> str:
    """Return a picture as a data address, at most `SIDE` pixels wide or high; a tiny one is enlarged."""
    picture = Image.fromarray(image)
    if max(picture.size) < SIDE // 8:
        factor = SIDE // 4 // max(picture.size)
        picture = picture.resize([factor * side for side in picture.size], Image.Resampling.NEAREST)
    picture.thumbnail((SIDE, SIDE))
    return f"data:image/jpeg;base64,{base64.b64encode(encode(picture, 'JPEG', quality=QUALITY)).decode()}"


def render_pictures(methods: list[dict[str, Any]], pictures: list[dict[str, Any]], refused: list[str]) -> str:
    """Return the page, one file that asks for nothing and is whole without scripts.

    Parameters
    ----------
    methods : list of dict
        `title`, `told`, `weights`, `seconds` (median).
    pictures : list of dict
        `name`, `width`, `height`, `note`, `source`, and `maps`, a list of dicts of `title`, `alt`, `seconds`, `source`,
        `link` (to the label map) and `parts` (dicts of `name`, `colour`, `share` in percent).
    refused : list of str
        What was not read, and why.
    """
    style = "".join((FOLDER / name).read_text("utf-8") for name in ("style.css", "pictures.css"))
    scripts = [(FOLDER / name).read_text("utf-8") for name in ("page.js", "pictures.js")]
    shared = {"style": style, "scripts": scripts, "policy": policy(scripts, "data:"), "formulas": 0}
    context = {"methods": methods, "pictures": pictures, "refused": refused, "side": SIDE}
    return environment().get_template("pictures.html").render(**shared, **context)
