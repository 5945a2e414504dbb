"""Errors that a user of the study can cause: the command line prints their text, never a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 12  # names that a message lists at most


class StudyError(Exception):
    """Something the user can put right; the message says what was wrong and what to do."""


class MissingData(StudyError):
    """A data set, or weights, that a run needs are not there; the message holds the card and the command that
    gets them.
    """


def nearest(name: object, names: Iterable[str]) -> str:
    """Return the end of a message about an unknown `name`: "; did you mean X?", else a list of what there is."""
    names = sorted(names)
    if close := difflib.get_close_matches(str(name), names, n=1):
        return f"; did you mean {close[0]!r}?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; there are: {', '.join(names[:SHOWN]) or 'none'}{more}"
