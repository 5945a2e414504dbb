"""The data sets by name: each module is imported when its name is asked for."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from segstudy.datasets.card import Card
from segstudy.datasets.files import require_choice
from segstudy.datasets.sample import SUPERVISIONS, Dataset

# A module NAME of this package exports CARD and open_NAME(root, split, supervision, *, options); SPLITS, if
# it has one, begins with the split that is opened by default. Nothing here names such a module: a new data set
# changes no file that others depend on, and what a loader does counts in the fingerprint of what it opened.
_FOLDER = Path(__file__).resolve().parent
_OPENS = r"(def )?open_{name}( = |\()"
_CHECKOUT = _FOLDER.parents[1]


def dataset_names() -> tuple[str, ...]:
    """Return the names that `open_dataset` knows, sorted."""
    modules = sorted(_FOLDER.glob("*.py"))
    return tuple(
        module.stem
        for module in modules
        if re.search(_OPENS.format(name=module.stem), module.read_text(encoding="utf-8"))
    )


def card(name: str) -> Card:
    """Return a data set's card.

    Parameters
    ----------
    name : str
        One of `dataset_names()`.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    return _module(name).CARD


def loader(name: str) -> Path:
    """Return the file of the module that opens a data set; a ValueError names the nearest one."""
    return _FOLDER / f"{require_choice('data set', name, dataset_names())}.py"


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the data sets' folders: `root`, else $SEGSTUDY_DATA, else `data` of this checkout."""
    return Path(os.environ.get("SEGSTUDY_DATA") or _CHECKOUT / "data" if root is None else root)


def open_dataset(
    name: str,
    root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    supervision: str = "full",
    **options: Any,
) -> Dataset:
    """Open a data set.

    Parameters
    ----------
    name : str
        One of `dataset_names()`.
    root : path, optional
        The folder that holds the data sets' folders, for `"folder"` the folder itself; by default the
        environment variable SEGSTUDY_DATA, else `data` of this checkout.
    split : str, optional
        By default the data set's first: `"train"` where there is one, `"all"` where none is published.
    supervision : "full", "image" or "none"
        What the samples may tell: masks, the set of classes, or nothing.
    **options
        The data set's own, such as `size` of fasseg.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        Where the name, split, supervision or an option is unknown; the message holds the nearest one.
    MissingData
        Where the data is not there; the message holds its card and how to get it.
    """
    module = _module(name)
    require_choice("supervision", supervision, SUPERVISIONS)
    opener = getattr(module, f"open_{name}")
    _require_options(name, opener, options)
    if split is None:
        split = next(iter(getattr(module, "SPLITS", ("train",))))
    dataset = opener(data_root(root), split, supervision, **options)
    dataset.loader = loader(name)
    return dataset


def _module(name: str) -> ModuleType:
    """Import the module of a data set."""
    return importlib.import_module(f"{__package__}.{loader(name).stem}")


def _require_options(name: str, opener: Any, options: dict[str, Any]) -> None:
    """Refuse an option that the data set's opener does not take by keyword."""
    parameters = inspect.signature(opener).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    for option in options:
        require_choice(f"option of {name}", option, known)
