"""PH2, dermoscopic pictures of skin lesions, handed out by request.

Verification, in this order: the folder is there; each case that has a picture has a lesion mask; at
reading, the mask has its picture's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.files import Window, crop, find_folder, missing_data, require_choice, require_mask
from segstudy.datasets.found import found_dataset
from segstudy.datasets.masks import read_grey
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample

# 80 common nevi, 80 atypical nevi, 40 melanomas (Mendonca et al. 2013); no split is defined.
SPLITS = {"all": 200}
FOLDERS = ("PH2Dataset/PH2 Dataset images", "PH2 Dataset images")
CLASSES = ("background", "lesion")
COLOURS = ((40, 40, 40), (230, 159, 0))

CARD = Card(
    name="ph2",
    title="PH2, dermoscopic images of the Hospital Pedro Hispano",
    what="dermoscopic photographs of melanocytic lesions, with the lesion outlined by a dermatologist",
    how_many="200 pictures of about 768 x 560; no official split",
    licence="handed out by request for research and education",
    citation=(
        "Mendonca, Ferreira, Marques, Marcal, Rozeira: PH2 - A dermoscopic image database for research and "
        "benchmarking, EMBC 2013, pages 5437-5440, doi:10.1109/EMBC.2013.6610779"
    ),
    homepage="https://www.fc.up.pt/addi/ph2%20database.html",
    layout="""
ph2/PH2Dataset/PH2 Dataset images/
  IMD002/IMD002_Dermoscopic_Image/IMD002.bmp
  IMD002/IMD002_lesion/IMD002_lesion.bmp   above 0 is lesion
""",
    how_to_get=(
        "ask for it with the form at https://www.fc.up.pt/addi/ph2%20database.html (ADDI project, University "
        "of Porto) and unpack the archive into ph2/"
    ),
)


def open_ph2(root: Path, split: str, supervision: str) -> Dataset:
    """Open PH2: 0 background, 1 lesion.

    Parameters
    ----------
    root : Path
        The folder that holds `ph2/`.
    split : "all"
    supervision : "full", "image" or "none"

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where the folder of cases is missing, or none has a picture.
    StudyError
        Where a picture has no lesion mask.
    ValueError
        Where `split` is unknown.
    """
    require_choice("split", split, SPLITS)
    home = Path(root) / CARD.name
    cases = find_folder(home, *FOLDERS)
    if cases is None:
        raise missing_data(CARD, home / FOLDERS[0])
    return found_dataset(
        CARD,
        split,
        supervision,
        _samples(cases, supervision),
        f"{SPLITS[split]} published pictures",
        missing=cases / "IMD002" / "IMD002_Dermoscopic_Image" / "IMD002.bmp",
        classes=CLASSES,
        colours=COLOURS,
    )


def _samples(cases: Path, supervision: str) -> Iterator[Sample]:
    """Yield the sample of each case whose picture is there, in the order of the names."""
    for case in sorted(cases.glob("IMD*")):
        name = case.name
        picture = case / f"{name}_Dermoscopic_Image" / f"{name}.bmp"
        if not picture.is_file():
            continue
        mask = case / f"{name}_lesion" / f"{name}_lesion.bmp"
        if supervision != "none":
            require_mask(mask, picture)
        read_labels = partial(_read_labels, mask, picture)
        yield Sample(name, partial(read_rgb, picture), read_labels, files=(picture,), label_files=(mask,))


def _read_labels(mask: Path, picture: Path, window: Window | None = None) -> np.ndarray:
    """Return 1 where the mask is not black."""
    return crop((read_grey(mask, read_size(picture)) > 0).astype(np.uint8), window)
