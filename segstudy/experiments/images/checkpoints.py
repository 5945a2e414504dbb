"""A trained network as one file: its weights, and a card that says what it is and how good."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segstudy.errors import StudyError
from segstudy.files import written_aside

if TYPE_CHECKING:
    from torch import Tensor

    from segstudy.segmenter import Segmenter

FORMAT = "segstudy checkpoint 1"


def save_checkpoint(path: Path, card: dict[str, Any], state: dict[str, Tensor]) -> None:
    """Write card and weights, aside and renamed; `torch.load` reads the file with ``weights_only=True``.

    Parameters
    ----------
    path : Path
    card : dict
        Plain values, see :func:`~segstudy.experiments.images.training.train_on_folder`.
    state : dict of str to Tensor
    """
    import torch

    with written_aside(path) as aside:
        torch.save({"format": FORMAT, "card": card, "state": state}, aside)


def load_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return card and weights of a checkpoint.

    Raises
    ------
    StudyError
        The file is missing, or is none that `train` made.
    """
    import torch

    if not path.is_file():
        raise StudyError(
            f"{path} is missing: `python -m segstudy train --help` says how to make a checkpoint"
        )
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise StudyError(
            f"{path} is no checkpoint of `python -m segstudy train` ({type(error).__name__})"
        ) from error
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        raise StudyError(f"{path} is no checkpoint of `python -m segstudy train`: it does not say {FORMAT!r}")
    return kept["card"], kept["state"]


def load_segmenter(path: Path) -> tuple[dict[str, Any], Segmenter]:
    """Return the card of a checkpoint and its network, ready to segment on the CPU."""
    from segstudy.experiments.images.networks import find_trainable

    card, state = load_checkpoint(path)
    return card, find_trainable(card["method"]).restored(len(card["classes"]), card["options"], state)
