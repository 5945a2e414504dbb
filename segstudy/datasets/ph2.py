"""PH2, dermoscopic pictures of skin lesions, handed out by request.

Verification, in this order: the folder is there; each case that has a picture has a lesion mask; at
reading, the mask has its picture's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segstudy.datasets.card import Card
from segstudy.datasets.files import require_choice
from segstudy.datasets.pairs import Pair, pair_dataset, pictures_folder
from segstudy.datasets.sample import Dataset

# 80 common nevi, 80 atypical nevi, 40 melanomas (Mendonca et al. 2013); no split is defined.
SPLITS = {"all": 200}
FOLDERS = ("PH2Dataset/PH2 Dataset images", "PH2 Dataset images")

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
    cases = pictures_folder(CARD, root, *FOLDERS)
    return pair_dataset(
        CARD,
        split,
        supervision,
        _pairs(cases),
        thing="lesion",
        published=SPLITS[split],
        threshold=0,  # whatever is not black
        missing=cases / "IMD002" / "IMD002_Dermoscopic_Image" / "IMD002.bmp",
    )


def _pairs(cases: Path) -> Iterator[Pair]:
    """Yield each case whose picture is there, in the order of the names."""
    for case in sorted(cases.glob("IMD*")):
        name = case.name
        picture = case / f"{name}_Dermoscopic_Image" / f"{name}.bmp"
        if picture.is_file():
            yield Pair(name, picture, case / f"{name}_lesion" / f"{name}_lesion.bmp")
