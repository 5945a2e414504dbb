"""Networks that a paper's notebook trains and keeps with its results, for other notebooks to take over untrained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from segstudy.cache import Experiment
from segstudy.segmenter import Segmenter

Value = dict[str, Any]


@dataclass(frozen=True)
class KeptNetwork:
    """A network among the experiments of a paper's notebook, and its card.

    The experiment returns, beside what its own notebook reads, its weights, see `weights.weights_of`, and under "seen"
    the pictures that it learned from or that chose its epoch, see `weights.pictures_in`.

    Parameters
    ----------
    method : str
        As the comparison of methods calls it.
    experiment : Experiment
        Its training; "seed" is one of the arguments.
    learned_from : str
        The data set with its split.
    measure : str
        What its own notebook scores it with.
    score : callable
        Of what the experiment returned, that score.
    restored : callable
        Of what the experiment returned, a segmenter with its weights, on the CPU.
    """

    method: str
    experiment: Experiment
    learned_from: str
    measure: str
    score: Callable[[Value], float]
    restored: Callable[[Value], Segmenter]


@dataclass(frozen=True)
class Taken:
    """A network that another notebook trained, taken over.

    Parameters
    ----------
    notebook : str
        Where it was trained.
    network : KeptNetwork
    value : dict
        What its experiment returned.
    """

    notebook: str
    network: KeptNetwork
    value: Value

    @property
    def seed(self) -> int:
        """The seed of its training."""
        return self.network.experiment.arguments["seed"]
