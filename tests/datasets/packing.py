"""Archives of a few small files, honest and odd."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import publisher

FILES = {
    "set/images/1.png": b"first picture" * 50,
    "set/images/2.png": bytes(range(256)) * 4,
    "set/readme.txt": b"",
}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(publisher.make_zip(files))
    return path


def make_tar(path: Path, files: dict[str, bytes], *odd: tarfile.TarInfo) -> Path:
    """Write files, then members of other kinds; the name's end says how it is compressed."""
    mode = {".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        for info in odd:
            packed.addfile(info)
    return path


def odd_member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
