"""A folder of one's own pictures: `images/`, and masks of the same names in `masks/` where there are any.

Verification, in this order: `images/` is there and holds pictures; no two share a name; where `masks/` is
there, names pair one to one; masks of ids show more than 0 and 255; at reading, a mask has its picture's size
and nothing but the declared ids or colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from segstudy.datasets.card import Card
from segstudy.datasets.class_lists import read_class_list
from segstudy.datasets.coloured import Colour, match_colours
from segstudy.datasets.files import (
    VOID,
    Window,
    file_key,
    label_colours,
    listed,
    missing_data,
    require_choice,
)
from segstudy.datasets.masks import present, read_colours, read_ids
from segstudy.datasets.pictures import read_rgb, read_size
from segstudy.datasets.sample import Dataset, Sample
from segstudy.datasets.tiff import read_tiff
from segstudy.errors import StudyError

SPLITS = {"all": None}
# What PIL reads without a plugin and holds one still picture.
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# The one name in `colours` that is no class: its pixels are not scored.
VOID_NAME = "void"
# More classes than these have to be named: 252 grey levels of a smoothed mask are not.
MOST_FOUND = 64
_WAY_OUT = (
    "If these are ids, name the classes with classes=; if they are colours, as in black and white masks, declare them: "
    "colours={'background': (0, 0, 0), 'object': (255, 255, 255)}"
)

CARD = Card(
    name="folder",
    title="a folder of your own pictures",
    what="whatever you bring; masks are class ids (grey or palette) or RGB colours that you declare",
    how_many="what the folder holds; nothing is split",
    licence="yours",
    citation="none",
    homepage="none",
    layout=f"""
root/
  images/NAME.png ...   any of {", ".join(SUFFIXES)}
  masks/NAME.png ...    optional; the same names, as PNG: JPEG smears labels
  classes.csv           optional; a row for each picture: its name, then the classes it shows
""",
    how_to_get="put your pictures into a folder images/ and pass the folder around it as root=",
)


def open_folder(
    root: Path,
    split: str,
    supervision: str,
    *,
    classes: Sequence[str] | None = None,
    colours: Mapping[str, Colour] | None = None,
    bands: Sequence[int] | None = None,
    listed_in: str | None = None,
) -> Dataset:
    """Open a folder of pictures.

    Parameters
    ----------
    root : Path
        The folder that holds `images/` and, optionally, `masks/`.
    split : "all"
    supervision : "full", "image" or "none"
        Without masks `"full"` gives samples whose labels are None; `"image"` needs masks or `listed_in`.
    classes : sequence of str, optional
        Names of the ids 0..C-1 where masks hold ids; by default as many as the masks show, which reads them
        all once, where they are at most `MOST_FOUND` and half of them are shown. The id 255 means "not scored".
    colours : mapping of str to (red, green, blue), optional
        Where masks hold colours: each class and its colour, in the order of the ids; "void" for what is not
        scored.
    bands : sequence of int, optional
        Which bands of each picture to read, counted from 0: then pictures are TIFF files, and are read as stored and
        window by window. By default pictures are read as red, green and blue.
    listed_in : str, optional
        The name of a CSV file in `root` that gives the image-level labels, in place of the masks: a picture's name and
        its classes in each row, see :func:`~segstudy.datasets.class_lists.read_class_list`. Needs `classes`.

    Returns
    -------
    Dataset

    Raises
    ------
    MissingData
        Where `images/` is missing or empty.
    StudyError
        Where pictures and masks do not pair, the list does not fit the pictures, or a file cannot be read as what it
        should be.
    ValueError
        Where `split` is unknown, both `classes` and `colours` are given, a colour is no colour, a band no number, the
        classes are more than ids, or there is a list without `classes`.
    """
    require_choice("split", split, SPLITS)
    if classes is not None and colours is not None:
        raise ValueError(
            "classes and colours are both given: pass classes for masks of ids, colours for RGB masks"
        )
    table = None if colours is None else _require_colours(colours)
    if bands is not None:
        bands = _require_bands(bands)
    if len(classes or ()) > VOID:
        raise ValueError(f"classes has {len(classes)} names; ids have 8 bits and {VOID} means 'not scored'")
    if listed_in is not None and classes is None:
        raise ValueError(
            f"listed_in is {listed_in!r}, but not the classes: name them, background first, with classes="
        )
    root = Path(root)
    pictures, ignored = _listed(root / "images")
    masks = {} if supervision == "none" else _paired(root, pictures)
    if supervision == "image" and not masks and listed_in is None:
        raise StudyError(
            f"{root / 'masks'} is missing: supervision='image' takes each picture's classes from its mask, or from a "
            "list, listed_in='classes.csv'"
        )
    known = {} if listed_in is None else read_class_list(root / listed_in, classes, pictures)
    if table is not None:
        classes = [name for name in table if name != VOID_NAME]
    elif classes is None:
        classes = _found_classes(list(masks.values()))
    elif len(classes) > 1:
        _require_more_than_void(list(masks.values()))
    names = tuple(classes)
    shown = label_colours(len(names)) if table is None else [table[name] for name in names]
    samples = [
        _sample(picture, masks.get(name), names, table, bands, known.get(name))
        for name, picture in pictures.items()
    ]
    return Dataset(
        CARD.name,
        split=split,
        supervision=supervision,
        samples=samples,
        classes=names,
        colours=np.reshape(shown, (-1, 3)),
        card=CARD,
        note=f"{len(samples)} pictures and {len(masks)} masks read, {ignored} other files in images/ ignored",
        parameters={"classes": list(names), "colours": table, "bands": bands},
    )


def _require_colours(colours: Mapping[str, Colour]) -> dict[str, Colour]:
    """Return the colours as plain ints; each must be three values in 0..255, and no two the same."""
    table = {}
    for name, colour in colours.items():
        values = np.asarray(colour)
        if values.shape != (3,) or values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
            raise ValueError(
                f"colours[{name!r}] is {colour!r}; expected (red, green, blue), integers 0 to 255"
            )
        table[str(name)] = tuple(values.tolist())
    if len(set(table.values())) < len(table):
        raise ValueError(f"colours gives one colour to two classes: {table}")
    return table


def _require_bands(bands: Sequence[int]) -> list[int]:
    """Return the bands as plain ints; there must be some, counted from 0."""
    values = np.asarray(bands)
    if values.ndim != 1 or values.dtype.kind not in "iu" or not values.size or values.min() < 0:
        raise ValueError(
            f"bands is {bands!r}; expected the numbers of bands, counted from 0, as in (0, 1, 2, 3)"
        )
    return values.tolist()


def _listed(folder: Path) -> tuple[dict[str, Path], int]:
    """Return the pictures of `images/` by name, sorted, and how many other files lie beside them."""
    files = listed(folder)
    pictures = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not pictures:
        raise missing_data(CARD, folder / "*.png")
    return _by_name(pictures), len(files) - len(pictures)


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths by `file_key`; two of one name could not be told apart."""
    found: dict[str, Path] = {}
    for path in paths:
        name = file_key(path)
        if name in found:
            ours, theirs = found[name], path
            # Names that look alike may be composed and decomposed: their code points tell them apart.
            spelt = "" if ours.stem == theirs.stem else f" (spelt {ours.stem!a} and {theirs.stem!a})"
            raise StudyError(f"{ours} and {theirs} share the name {name!r}{spelt}: rename one of them")
        found[name] = path
    return found


def _paired(root: Path, pictures: Mapping[str, Path]) -> dict[str, Path]:
    """Return the mask of each picture by name; empty where there is no folder of masks."""
    folder = root / "masks"
    if not folder.is_dir():
        return {}
    masks = _by_name([path for path in listed(folder) if path.suffix.lower() in SUFFIXES])
    for ours, theirs, kind in ((pictures, masks, "mask in masks/"), (masks, pictures, "picture in images/")):
        alone = sorted(set(ours) - set(theirs))
        if alone:
            raise StudyError(f"{ours[alone[0]]} and {len(alone) - 1} more have no {kind} of the same name")
    return masks


def _found_classes(masks: Sequence[Path]) -> tuple[str, ...]:
    """Return a name for each id up to the largest that the masks hold."""
    _require_more_than_void(masks)
    ids = sorted({label for mask in masks for label in _ids_of(mask)} - {VOID})
    count = max(ids, default=-1) + 1
    # Grey levels of black and white masks, or of smoothed ones, would be as many classes: ids leave few gaps.
    if count > MOST_FOUND or count > 2 * len(ids):
        raise StudyError(
            f"{masks[0]} and its neighbours hold {len(ids)} values, {ids[:4]} to {ids[-1]}, which would be {count} "
            f"classes. {_WAY_OUT}; smoothed or JPEG masks have to be parted at a threshold and saved as PNG"
        )
    return tuple(f"class {label}" for label in range(count))


def _require_more_than_void(masks: Sequence[Path]) -> None:
    """Refuse masks of nothing but 0 and `VOID`; they are read up to the first that holds another id."""
    shown: set[int] = set()
    for mask in masks:
        shown |= _ids_of(mask)
        if shown - {0, VOID}:
            return
    if shown:
        raise StudyError(
            f"{masks[0]} and its neighbours hold nothing but {sorted(shown)}, and {VOID} means 'not scored'. {_WAY_OUT}"
        )


def _ids_of(mask: Path) -> set[int]:
    """Return the ids that a mask holds, `VOID` among them."""
    return set(present(read_ids(mask, read_size(mask, upright=True), VOID, upright=True)))


def _sample(
    picture: Path,
    mask: Path | None,
    names: Sequence[str],
    table: dict[str, Colour] | None,
    bands: list[int] | None,
    known: frozenset[int] | None,
) -> Sample:
    """Return the sample of a picture, its mask and its image-level labels."""
    how = {"upright": True} if bands is None else {"bands": bands}
    read_image = partial(read_rgb if bands is None else read_tiff, picture, **how)
    if mask is None:
        return Sample(file_key(picture), read_image, None, known, files=(picture,))
    read_labels = partial(_read_labels, mask, picture, len(names), table)
    return Sample(file_key(picture), read_image, read_labels, known, (picture,), (mask,))


def _read_labels(
    mask: Path, picture: Path, count: int, table: dict[str, Colour] | None, window: Window | None = None
) -> np.ndarray:
    """Return the labels of a mask of ids or, with a table, of colours."""
    expected = read_size(picture, upright=True)
    if table is None:
        return read_ids(mask, expected, count, window, upright=True)
    names = [name for name in table if name != VOID_NAME]
    ids = {colour: VOID if name == VOID_NAME else names.index(name) for name, colour in table.items()}
    return match_colours(mask, read_colours(mask, expected, window, upright=True), ids)
