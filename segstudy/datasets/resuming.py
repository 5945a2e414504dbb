"""Fetch one file over HTTP so that a cut connection costs only the bytes that had not come yet.

pooch's own downloader starts a file from its beginning each time. `ResumingDownloader` is a downloader that
`pooch.retrieve` accepts: it keeps what came in a `.part` file with a note of what the server said about the
file, and asks for the rest with Range and If-Range (RFC 9110, sections 13.1.5 and 14.2). A server's answer is
believed only as far as it matches the note; otherwise the file starts again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segstudy.datasets.archives import require_space
from segstudy.datasets.transfer_progress import Progress
from segstudy.errors import StudyError

if TYPE_CHECKING:
    import requests

ATTEMPTS = 4  # per call: enough for a server's hiccup, few enough not to burden a server that is down
PAUSE = 2.0  # seconds before the second attempt, twice as many before the third, and so on
TIMEOUT = (15, 60)  # seconds to connect, and of silence, before the connection counts as cut
_BLOCK = 1 << 16  # bytes written at a time, so the most that a cut connection can lose
_BUSY = (408, 425, 429)  # refusals that ask to come again later, as every 5xx does


class _Cut(Exception):
    """The transfer stopped or cannot go on from what is kept; another attempt may succeed."""


@dataclass(frozen=True)
class _Note:
    """What the server said about the file whose first bytes are kept."""

    url: str
    etag: str | None = None
    modified: str | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What If-Range may carry: a strong ETag, else the date."""
        strong = self.etag and not self.etag.startswith("W/")
        return self.etag if strong else self.modified


class ResumingDownloader:
    """A downloader for `pooch.retrieve` that goes on where the last attempt, or the last process, stopped.

    Parameters
    ----------
    part : Path
        Where the bytes are kept until the file is whole; the note lies beside it.
    label : str
        The file's name as `progress` tells it.
    homepage : str
        The data set's page, for the message that a file is gone.
    progress : Progress
        Told how far it is.

    Attributes
    ----------
    sha256 : str or None
        Checksum of what was fetched, once it is whole; pooch deletes a file whose checksum is wrong before
        anybody can look.
    """

    def __init__(self, part: Path, label: str, homepage: str, progress: Progress):
        self.part = part
        self.note = part.with_name(part.name + ".json")
        self.label = label
        self.homepage = homepage
        self.progress = progress
        self.sha256: str | None = None

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Fetch `url` into `output_file`, as pooch asks of a downloader; `pooch` is not used.

        Raises
        ------
        StudyError
            The file is not there, the disk is too small, or the connection was cut `ATTEMPTS` times.
        """
        self._fetch(url)
        with self.part.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(self.part, output_file)
        self.note.unlink()

    def _fetch(self, url: str) -> None:
        """Make the part whole, in a few attempts."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._attempt(url)
                return
            except _Cut as cut:
                cause = cut
            if attempt < ATTEMPTS:
                self.progress(f"{url}: {cause}; trying again ({attempt + 1} of {ATTEMPTS})")
                time.sleep(PAUSE * attempt)
        note = self._kept(url)
        of = f" of {note.total:,}" if note.total else ""
        raise StudyError(
            f"{url} did not come whole in {ATTEMPTS} attempts: {cause}.\n"
            f"{self._size():,}{of} bytes are kept in {self.part}; the same command resumes from there."
        )

    def _attempt(self, url: str) -> None:
        """Ask once for what is missing."""
        import requests
        import urllib3

        note = self._kept(url)
        if note.total is not None and self._size() == note.total:
            return
        try:
            with requests.get(url, headers=self._headers(note), stream=True, timeout=TIMEOUT) as response:
                total = self._receive(response, note)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Cut(f"the connection was cut ({error})") from error
        if total is not None and self._size() != total:
            raise _Cut(f"{self._size():,} bytes came where {total:,} were announced")

    def _headers(self, note: _Note) -> dict[str, str]:
        """Ask for the file's own bytes, uncompressed on the way, from the first one missing."""
        headers = {"Accept-Encoding": "identity"}
        if size := self._size():
            headers["Range"] = f"bytes={size}-"
            if note.validator:
                headers["If-Range"] = note.validator
        return headers

    def _receive(self, response: requests.Response, note: _Note) -> int | None:
        """Write an answer's body behind what is kept, or in its place; return the whole file's length if told."""
        start, total = self._span(response, note)
        require_space(self.part.parent, (total or start) - start, response.url)
        if not start:
            self._discard()
            note = _Note(note.url, response.headers.get("ETag"), response.headers.get("Last-Modified"))
        self.note.write_text(json.dumps(asdict(replace(note, total=total))))
        with self.part.open("ab") as file:
            self.progress(self.label, start, total)
            for block in response.raw.stream(_BLOCK, decode_content=False):
                file.write(block)
                start += len(block)
                self.progress(self.label, start, total)
        return total

    def _span(self, response: requests.Response, note: _Note) -> tuple[int, int | None]:
        """Return where the body starts in the file and the file's length, None if unknown."""
        if response.status_code == 200:
            length = response.headers.get("Content-Length")
            return 0, int(length) if length and length.isdigit() else None
        if response.status_code == 206:
            return self._continued(response, note)
        if response.status_code == 416:  # the server's file is shorter than what is kept: it is another file
            self._discard()
            raise _Cut("the server's file has changed")
        reason = f"{response.status_code} {response.reason}"
        if response.status_code in _BUSY or response.status_code >= 500:
            raise _Cut(f"the server answered {reason}")
        raise StudyError(
            f"the server answered {reason} for {note.url}; see {self.homepage} for where the file is now"
        )

    def _continued(self, response: requests.Response, note: _Note) -> tuple[int, int]:
        """Return start and length of a 206's body, if it continues the very file that is kept."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        start, total = (int(number) for number in found.groups()) if found else (None, None)
        told = response.headers.get  # a 206 may leave out what If-Range has settled, but not contradict it
        same = told("ETag", note.etag) == note.etag and told("Last-Modified", note.modified) == note.modified
        if not start or start != self._size() or note.total not in (None, total) or not same:
            self._discard()
            raise _Cut("the server's file has changed")
        return start, total

    def _kept(self, url: str) -> _Note:
        """Return the note of what is kept; drop a part that is of another address or has no readable note."""
        try:
            note = _Note(**json.loads(self.note.read_text()))
        except (OSError, ValueError, TypeError):
            note = _Note("")
        if note.url == url and self._size() <= (note.total or self._size()):
            return note
        self._discard()
        return _Note(url)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
