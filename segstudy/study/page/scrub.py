"""Take the paths of this machine out of what a page shows."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

_COLOUR = re.compile(r"(\x1b\[[\d;]*m)")
_PACKAGES = re.compile(r"/(?:site|dist)-packages/")
_FOLDERS = re.compile(r"[^\s\"'(),]+\Z")
_ABSOLUTE = re.compile(r"(?<![\w.:/~\-+=])~?(?:/[\w.+@\-]+)+/([\w.+@\-]+)")


def scrub_paths(text: str, root: Path | None = None) -> str:
    """Return `text` without the paths of this machine.

    Files of the project are named from its `root`, installed ones from their package, and of any other
    absolute path the last part is left, behind `.../`.

    Parameters
    ----------
    text : str
        What was printed: a message, a traceback (colour codes may stand in it).
    root : Path, optional
        Folder of the project; the current folder if not given.
    """
    if (
        "/" not in text
    ):  # no path then: nine in ten of a record's texts, of which an index has a hundred thousands
        return text
    root = (root or Path.cwd()).absolute()
    names = [] if root.parent == root else [str(root)]
    home = Path(os.path.expanduser("~"))  # stays "~" for a user id without one, where Path.home() raises
    if root.is_relative_to(home) and root != home:
        names.append(f"~/{root.relative_to(home)}")  # IPython shortens the home folder in tracebacks
    # A colour code ends in a letter, which would hide the start of the path behind it.
    return "".join(_scrub_plain(part, names) for part in _COLOUR.split(text))


def scrub(value: Any, root: Path | None = None) -> Any:
    """Return a record with every text in it scrubbed."""
    if isinstance(value, str):
        return scrub_paths(value, root)
    if isinstance(value, dict):
        return {name: scrub(part, root) for name, part in value.items()}
    return [scrub(part, root) for part in value] if isinstance(value, list | tuple) else value


def _scrub_plain(text: str, names: list[str]) -> str:
    for name in names:
        text = re.sub(re.escape(name) + r"/", "", text)
        text = re.sub(re.escape(name) + r"(?![\w\-])", ".", text)
    return _ABSOLUTE.sub(r".../\1", _without_packages(text))


def _without_packages(text: str) -> str:
    """Return `text` without the folders up to an installed package.

    Looked for backwards from each "site-packages": one pattern for both tries 300 characters at each of the
    millions of an embedded picture.
    """
    *before, last = _PACKAGES.split(text)
    return "".join(piece[:-300] + _FOLDERS.sub("", piece[-300:]) for piece in before) + last
