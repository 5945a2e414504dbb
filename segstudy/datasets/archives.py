"""Unpack a publisher's zip or tar so that nothing it holds can do harm and nothing is ever half there.

An archive is read twice: first every member's name, kind and size, which may refuse the whole archive, then
the contents, into a new folder aside. Only `move_in` touches the data set's folder, by renaming, and it never
replaces a file. No link is ever made on disk: a link to a file of the same archive becomes a copy of it, so
that there is no link for a later member to climb through.
"""

from __future__ import annotations

import errno
import filecmp
import lzma
import os
import posixpath
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from segstudy.errors import StudyError

_BLOCK = 1 << 20  # bytes copied at a time: large enough for a disk, small enough for any memory
_ZIP_END = 22 + 0xFFFF  # bytes of a zip's end record and the longest comment behind it
_TAR_BLOCK = 512  # a tar archive ends with blocks of zeros of this size

# What Python's readers raise for bytes that are not the archive they claim to be (found by flipping bytes).
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,  # a name that is not the text it claims to be
    RuntimeError,  # a zip with a password; NotImplementedError, an unknown compression, is one of these
    FileExistsError,  # one name that is both a file and a folder: the folder unpacked into is new
    IsADirectoryError,
    NotADirectoryError,
)


class BadArchive(StudyError):
    """The archive is damaged, or holds a member that does not belong into the data set's folder."""


@dataclass(frozen=True)
class _Member:
    """A file, a folder (`source` None) or a link (`target` set) of an archive."""

    name: PurePosixPath
    size: int = 0
    source: object = None
    target: PurePosixPath | None = None


def require_space(folder: Path, need: int, what: str) -> None:
    """Refuse to start what cannot fit.

    Parameters
    ----------
    folder : Path
        An existing folder on the disk that is written to.
    need : int
        Bytes still to be written.
    what : str
        What needs them, for the message.

    Raises
    ------
    StudyError
        Fewer than `need` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if need > free:
        raise StudyError(
            f"not enough disk space for {what}: {need:,} bytes are needed and {free:,} are free in {folder}; "
            "free some, or name another disk with --root"
        )


def unpack(archive: Path, staging: Path) -> None:
    """Unpack a zip or tar archive into a new folder, or leave no folder at all.

    Parameters
    ----------
    archive : Path
        A `.zip`; any other name is read as a tar, plain or compressed by gzip, bzip2 or xz.
    staging : Path
        The folder to make; its parent exists.

    Raises
    ------
    BadArchive
        The archive is cut short or damaged, or a member is absolute, climbs out by `..`, is a link to what is
        not a file of the archive, or a device.
    StudyError
        The contents do not fit on the disk.
    """
    with _refusing_damage(archive), _opened(archive) as (members, read):
        require_space(
            staging.parent, sum(member.size for member in members), f"the contents of {archive.name}"
        )
        staging.mkdir()
        try:
            _write(members, read, staging)
        except BaseException:  # Ctrl-C too: whatever stops it, nothing half unpacked stays
            shutil.rmtree(staging, ignore_errors=True)
            raise


def in_the_way(staging: Path, destination: Path) -> list[str]:
    """Return the paths below `destination` that hold something other than what `staging` would put there."""
    if not os.path.lexists(destination):
        return []
    if not destination.is_dir():
        return [str(destination)]
    found = []
    for path in sorted(staging.rglob("*")):
        target = destination / path.relative_to(staging)
        if os.path.lexists(target) and not _same(path, target):
            found.append(str(target))
    return found


def move_in(staging: Path, destination: Path) -> None:
    """Rename what `staging` holds into `destination`: in one step where nothing is there yet.

    What is there already stays; `in_the_way` tells beforehand whether it differs.
    """
    if not os.path.lexists(destination):
        staging.rename(destination)
        return
    for entry in sorted(staging.iterdir()):
        target = destination / entry.name
        if not os.path.lexists(target):
            entry.rename(target)
        elif entry.is_dir():
            move_in(entry, target)


def _same(path: Path, target: Path) -> bool:
    """Return whether both are folders, or files with the same bytes."""
    if path.is_dir():
        return target.is_dir()
    return target.is_file() and filecmp.cmp(path, target, shallow=False)


@contextmanager
def _refusing_damage(archive: Path) -> Iterator[None]:
    """Turn a reader's complaint about the archive into a BadArchive; let the disk's own errors pass."""
    try:
        yield
    except _UNREADABLE as error:
        raise BadArchive(f"{archive.name} is damaged or not an archive: {error}") from error
    except OSError as error:
        # gzip and bzip2 complain by an OSError without a number, zip by a seek to before the file's start
        if error.errno not in (None, errno.EINVAL):
            raise
        raise BadArchive(f"{archive.name} is damaged or not an archive: {error}") from error


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[list[_Member], Callable[[object], IO[bytes]]]]:
    """Yield an archive's checked members and the function that opens the `source` of one of them."""
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as packed:
            _require_count(archive, len(packed.infolist()))
            yield [_zip_member(info, packed) for info in packed.infolist()], packed.open
    else:
        with tarfile.open(archive) as packed:
            members = [_tar_member(info) for info in packed.getmembers()]
            _require_end_mark(packed)
            yield members, packed.extractfile


def _require_count(archive: Path, found: int) -> None:
    """Refuse a zip whose directory lists another number of members than its end record counts.

    zipfile does not compare them: one wrong length in the directory hides all members that follow.
    """
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - _ZIP_END))
        record = file.read().rpartition(b"PK\5\6")[2]
    (count,) = struct.unpack_from("<H", record, 6)  # APPNOTE 4.3.16: total number of entries
    if count not in (found, 0xFFFF):  # 0xFFFF: too many to count in two bytes (zip64)
        raise zipfile.BadZipFile(f"its end record counts {count} members, its directory lists {found}")


def _zip_member(info: zipfile.ZipInfo, packed: zipfile.ZipFile) -> _Member:
    name = _inside(info.filename, "member")
    kind = stat.S_IFMT(info.external_attr >> 16)  # the Unix mode; 0 where the zip was made without one
    if info.is_dir():
        return _Member(name)
    if kind == stat.S_IFLNK:  # its contents are the target
        return _link(name, packed.read(info).decode())
    if kind not in (0, stat.S_IFREG):
        raise BadArchive(f"the archive's member {info.filename!r} is a device or a pipe, not a file")
    return _Member(name, info.file_size, info)


def _tar_member(info: tarfile.TarInfo) -> _Member:
    name = _inside(info.name, "member")
    if info.isdir():
        return _Member(name)
    if info.issym():
        return _link(name, info.linkname)
    if info.islnk():  # a hard link's target is counted from the archive's top
        return _Member(name, target=_inside(info.linkname, "link target"))
    if not info.isreg():
        raise BadArchive(f"the archive's member {info.name!r} is a device or a pipe, not a file")
    return _Member(name, info.size, info)


def _link(name: PurePosixPath, target: str) -> _Member:
    """Return the member of a symbolic link, whose target is counted from the link's folder."""
    return _Member(name, target=_inside(posixpath.join(name.parent, target), "link target"))


def _inside(name: str, what: str) -> PurePosixPath:
    """Return `name` as a path below the archive's top, or refuse the archive."""
    path = name.replace("\\", "/")  # some Windows programs write zips with backslashes
    normal = posixpath.normpath(path)
    drive = normal[1:2] == ":" and normal[0].isalpha()
    if normal.startswith(("/", "../")) or normal == ".." or drive:
        raise BadArchive(
            f"the archive's {what} {name!r} lies outside the data set's folder; nothing was unpacked"
        )
    return PurePosixPath(normal)


def _require_end_mark(packed: tarfile.TarFile) -> None:
    """Refuse a tar that stops early: tarfile takes a broken header for the end and would drop the rest."""
    packed.fileobj.seek(packed.offset)
    if packed.fileobj.read(_TAR_BLOCK) != bytes(_TAR_BLOCK):
        raise tarfile.ReadError(f"no end mark after the last readable member, at byte {packed.offset}")
    while packed.fileobj.read(_BLOCK):  # to the compressed stream's end, where its own checksum is
        pass


def _write(members: list[_Member], read: Callable[[object], IO[bytes]], staging: Path) -> None:
    """Write folders and files, then the links as copies of the files they point at."""
    for member in members:
        place = staging / member.name
        if member.source is None and member.target is None:
            place.mkdir(parents=True, exist_ok=True)
        elif member.source is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            with read(member.source) as packed, place.open("wb") as file:
                shutil.copyfileobj(packed, file, _BLOCK)
    for member in members:
        if member.target is not None:
            _copy(staging / member.target, staging / member.name)


def _copy(original: Path, place: Path) -> None:
    """Copy a link's original to the link's place."""
    if not original.is_file():
        raise BadArchive(
            f"the archive's link {place.name!r} points at no file of the archive: {original.name!r}"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(original, place)
