"""One statement of a paper held against another of its own."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One statement of a paper held against another of its own.

    Attributes
    ----------
    paper : str
        As in claims.csv.
    says : str
        The statement, with its place.
    against : str
        What it is held against.
    gives : str
        What that gives, with its numbers.
    contradicts : bool
        Whether both cannot be true.
    """

    paper: str
    says: str
    against: str
    gives: str
    contradicts: bool
