"""Predictions as the PASCAL VOC 2012 server takes them: palette pictures in the development kit's folders."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from segstudy.datasets.files import label_colours
from segstudy.datasets.voc import CLASSES
from segstudy.files import write_bytes

FOLDER = "results/VOC2012/Segmentation/{competition}_{split}_cls"


def write_results(
    predictions: Iterable[tuple[str, np.ndarray]],
    archive: Path | str,
    *,
    split: str = "test",
    competition: str = "comp6",
) -> list[str]:
    """Write predictions as the archive that the evaluation server takes.

    Parameters
    ----------
    predictions : iterable of (str, (H, W) int ndarray)
        A picture's name, for example "2008_000006", and its class ids, 0 to 20, at the picture's own size.
    archive : Path or str
        The .tgz file to write; an older one is replaced when the new one is complete.
    split : str
        Of the pictures, as in the folder's name.
    competition : str
        "comp5": trained on VOC 2012 alone; "comp6": on other data as well, such as ImageNet's weights.

    Returns
    -------
    list of str
        The names in the archive.

    Raises
    ------
    ValueError
        Labels that are no (H, W) integers of 0 to 20, a name given twice, or no prediction.
    """
    folder = FOLDER.format(competition=competition, split=split)
    packed, written = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        for name, labels in predictions:
            content = _png(name, labels)
            written.append(f"{folder}/{name}.png")
            entry = tarfile.TarInfo(written[-1])
            entry.size = len(content)
            bundle.addfile(entry, io.BytesIO(content))
    if not written or len(set(written)) != len(written):
        raise ValueError(f"predictions must be of one picture or more, each once, got {written[-3:]}")
    write_bytes(Path(archive), packed.getvalue())
    return written


def _png(name: str, labels: np.ndarray) -> bytes:
    labels = np.asarray(labels)
    if (
        labels.ndim != 2
        or labels.dtype.kind not in "ui"
        or not 0 <= labels.min() <= labels.max() < len(CLASSES)
    ):
        raise ValueError(
            f"the labels of {name!r} must be (H, W) integers of 0 to {len(CLASSES) - 1}, got {labels.dtype} "
            f"{labels.shape}, {labels.min()} to {labels.max()}"
        )
    picture = Image.fromarray(labels.astype(np.uint8))
    picture.putpalette(label_colours(256).ravel().tolist())
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()
