"""Fetch a data set from its publisher into its folder under the data root, by `data download NAME`.

Beside the data set's folder lies a hidden one, `.NAME.download`: the lock, the bytes of files that are not
whole yet, and the record of what was put in place. The data set's own folder only ever receives whole files
that were checked, and no file in it is ever replaced.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from segstudy.datasets.archives import BadArchive, in_the_way, move_in, unpack
from segstudy.datasets.card import Card, Remote
from segstudy.datasets.resuming import ResumingDownloader
from segstudy.datasets.transfer_progress import Progress, progress_on
from segstudy.errors import StudyError
from segstudy.files import write_bytes
from segstudy.locks import lock

_LOCK, _RECORD = "lock", "record.json"


def download(card: Card, root: Path | str, progress: Progress | None = None) -> Path:
    """Put a data set's files into `root/<card.name>/`, fetching only what is not there.

    Each of the card's files is fetched (and resumed after a cut), its checksum compared, unpacked aside if it
    is an archive, and renamed into the data set's folder. Nothing that is already there is replaced.

    Parameters
    ----------
    card : Card
        What to fetch: `card.remotes`.
    root : path
        The data root; made if it does not exist.
    progress : Progress, optional
        Told how far it is; by default a bar or lines on standard error.

    Returns
    -------
    Path
        The data set's folder.

    Raises
    ------
    StudyError
        The card has no files to fetch; a file is gone, came with another checksum, or did not come whole; an
        archive is damaged or climbs out of its folder; another file is in the way; the disk is too small or
        cannot be written.
    """
    if not card.remotes:
        raise StudyError(
            f"{card.name} has no files that a program can fetch. How to get it: {card.how_to_get}\n"
            f"Homepage: {card.homepage}"
        )
    job = _Job(card, Path(root) / card.name, progress_on() if progress is None else progress)
    try:
        if not job.missing():
            job.progress(f"{card.name} is in place in {job.folder}: nothing to do")
            return job.folder
        with job.locked():  # another process may have fetched some of it before the lock came free
            for remote in job.missing():
                job.fetch(remote)
        job.progress(f"{card.name} is in place in {job.folder}")
    except ImportError as error:
        raise StudyError(f"a download needs the package {error.name}: pip install {error.name}") from error
    except OSError as error:
        raise StudyError(f"{card.name} could not be put into {job.folder}: {error}") from error
    return job.folder


@dataclass(frozen=True)
class _Job:
    """One data set on its way into its folder."""

    card: Card
    folder: Path
    progress: Progress

    @property
    def aside(self) -> Path:
        """The hidden folder, on the same disk as the data set's folder, which may be a link to elsewhere."""
        return self.folder.resolve().parent / f".{self.card.name}.download"

    def missing(self) -> list[Remote]:
        """Return the files that are still to be fetched."""
        record = self._record()
        return [remote for remote in self.card.remotes if not self._in_place(remote, record)]

    def fetch(self, remote: Remote) -> None:
        """Fetch one file and put it, or what it holds, in place."""
        own_copy = self.folder / remote.filename
        if remote.unpack and own_copy.exists():  # a person fetched the archive by other means
            self._require_checksum(own_copy, remote)
            self._unpack(own_copy, remote)
            return
        arrived = self._retrieve(remote)
        if not remote.unpack:
            own_copy.parent.mkdir(parents=True, exist_ok=True)
            arrived.rename(own_copy)
            return
        try:
            self._unpack(arrived, remote)
        except BadArchive:
            arrived.unlink()  # so that the next call fetches it anew
            raise
        arrived.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from fetching the same data set, and clear what a killed one left."""
        waits = f"another process is fetching {self.card.name}: waiting for it"
        with lock(self.aside / _LOCK, lambda who: self.progress(f"{waits} ({who})")):
            self._clear()
            yield

    def _clear(self) -> None:
        """Remove leftovers: all but the lock, the record, and whole or partial files of this card."""
        names = [self._flat(remote) for remote in self.card.remotes]
        keep = {_LOCK, f"{_LOCK}.held", _RECORD}.union(
            *({name, f"{name}.part", f"{name}.part.json"} for name in names)
        )
        for path in self.aside.iterdir():
            if path.name not in keep:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _in_place(self, remote: Remote, record: dict) -> bool:
        """Return whether a file, or all that its archive held, is there; refuse another file in its place."""
        place = self.folder / remote.filename
        if not remote.unpack:
            if os.path.lexists(place):
                self._require_checksum(place, remote)
            return place.exists()
        known = record.get(remote.filename, {})
        key, value = ("sha256", remote.sha256.lower()) if remote.sha256 else ("url", remote.url)
        same = known.get(key) == value
        return same and all(_has_size(self.folder / name, size) for name, size in known["files"].items())

    def _require_checksum(self, path: Path, remote: Remote) -> None:
        """Refuse to take, or to replace, a file that is not the publisher's."""
        if not remote.sha256:
            return
        if (found := _sha256(path)) != remote.sha256.lower():
            raise StudyError(
                f"{path} is in the way: its sha256 is {found}, the publisher's is {remote.sha256}. "
                "Move it elsewhere (it was not touched) and run the same command again."
            )

    def _retrieve(self, remote: Remote) -> Path:
        """Fetch a file into the hidden folder and compare its checksum."""
        import pooch

        name = self._flat(remote)
        part = self.aside / f"{name}.part"
        downloader = ResumingDownloader(part, remote.filename, self.card.homepage, self.progress)
        try:
            with _quiet(pooch.get_logger()):
                path = pooch.retrieve(remote.url, remote.sha256, name, self.aside, downloader=downloader)
        except ValueError as error:  # pooch compared, and has removed the file
            if downloader.sha256 is None:
                raise
            raise StudyError(
                f"{remote.url} came with the wrong checksum and was removed: its sha256 is "
                f"{downloader.sha256}, expected {remote.sha256}. Try again; if it stays so, the publisher "
                f"has changed the file: see {self.card.homepage}"
            ) from error
        if not remote.sha256:
            self.progress(
                f"{remote.filename}: the publisher's file has no known checksum, so nothing could be "
                f"compared; the sha256 of what came is {_sha256(Path(path))}"
            )
        return Path(path)

    def _unpack(self, archive: Path, remote: Remote) -> None:
        """Unpack an archive aside, rename its contents into the data set's folder, and record them."""
        staging = self.aside / "unpacked"
        self.progress(f"{remote.filename}: unpacking")
        unpack(archive, staging)
        try:
            files = {
                path.relative_to(staging).as_posix(): path.stat().st_size
                for path in sorted(staging.rglob("*"))
                if path.is_file()
            }
            self._require_room(staging, remote)
            move_in(staging, self.folder.resolve())
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        sha256 = (remote.sha256 or _sha256(archive)).lower()
        self._add_to_record(remote, {"url": remote.url, "sha256": sha256, "files": files})

    def _require_room(self, staging: Path, remote: Remote) -> None:
        """Refuse to put an archive's contents over files that differ from them."""
        if found := in_the_way(staging, self.folder.resolve()):
            more = f"\n  and {len(found) - 5} more" if len(found) > 5 else ""
            raise StudyError(
                f"{remote.filename} holds files that are already there with other contents. Move these "
                "elsewhere (nothing was changed) and run the same command again:\n  "
                + "\n  ".join(found[:5])
                + more
            )

    def _record(self) -> dict:
        """Return what earlier calls unpacked: {filename: {url, sha256, files: {path: bytes}}}."""
        try:
            return json.loads((self.aside / _RECORD).read_text())
        except (OSError, ValueError):  # never written, or lost: at worst an archive is fetched once more
            return {}

    def _add_to_record(self, remote: Remote, entry: dict) -> None:
        """Note in the record what was unpacked from where."""
        record = {**self._record(), remote.filename: entry}
        write_bytes(self.aside / _RECORD, json.dumps(record, indent=1).encode())

    @staticmethod
    def _flat(remote: Remote) -> str:
        """A file's name in the hidden folder."""
        return remote.filename.replace("/", "--")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from telling on standard error what `progress` tells."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
