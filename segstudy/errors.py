"""Errors that a user of the study can cause: the command line prints their text, never a traceback."""

from __future__ import annotations


class StudyError(Exception):
    """Something the user can put right; the message says what was wrong and what to do."""


class MissingData(StudyError):
    """A data set, or weights, that a run needs are not there; the message holds the card and the command that
    gets them.
    """
