"""Unpacking: honest archives come out whole, climbing ones leave nothing; moving in replaces nothing."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from packing import FILES, everything, make_tar, make_zip, odd_member
from publisher import contents

from segstudy.datasets import archives
from segstudy.datasets.archives import BadArchive, in_the_way, move_in, require_space, unpack
from segstudy.errors import StudyError


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_an_archive_comes_out_as_it_went_in(tmp_path, name):
    make = make_zip if name.endswith("zip") else make_tar
    unpack(make(tmp_path / name, FILES), tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


CLIMBING = ["../evil.txt", "set/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil.txt", ".."]


@pytest.mark.parametrize("evil", CLIMBING)
@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_a_name_that_climbs_out_is_refused_and_nothing_is_written(tmp_path, name, evil):
    inner = tmp_path / "inner"
    inner.mkdir()
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(inner / name, {"honest.txt": b"x", evil: b"evil"})
    with pytest.raises(BadArchive, match="outside"):
        unpack(archive, inner / "out")
    assert everything(tmp_path) == ["inner", f"inner/{name}"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "../outside.txt"),
        (tarfile.SYMTYPE, "/etc/hostname"),
        (tarfile.LNKTYPE, "../outside.txt"),
        (tarfile.LNKTYPE, "/etc/hostname"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_to_the_outside_and_devices_are_refused(tmp_path, kind, target):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    archive = make_tar(inner / "a.tar", {"honest.txt": b"x"}, odd_member("evil", kind, target))
    with pytest.raises(BadArchive):
        unpack(archive, inner / "out")
    assert everything(tmp_path) == ["inner", "inner/a.tar", "outside.txt"]


def test_a_linked_folder_cannot_be_climbed_through(tmp_path):
    """A link to a folder, then a file "inside" it: the file must not land where the link points."""
    target = tmp_path / "target"
    target.mkdir()
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as packed:
        packed.addfile(odd_member("here", tarfile.SYMTYPE, "."))
        packed.addfile(odd_member("door", tarfile.SYMTYPE, "here/../target"))
        info = tarfile.TarInfo("door/evil.txt")
        info.size = 4
        packed.addfile(info, io.BytesIO(b"evil"))
    with pytest.raises(BadArchive):
        unpack(archive, tmp_path / "out")
    assert everything(tmp_path) == ["a.tar", "target"]


def zip_with_odd(path: Path, kind: int, content: str) -> Path:
    odd = zipfile.ZipInfo("set/odd")
    odd.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(make_zip(path, FILES), "a") as packed:
        packed.writestr(odd, content)
    return path


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (stat.S_IFLNK, "../../outside.txt"),
        (stat.S_IFLNK, "/etc/hostname"),
        (stat.S_IFLNK, "nowhere"),
        (stat.S_IFCHR, ""),
        (stat.S_IFIFO, ""),
    ],
)
def test_links_out_of_a_zip_and_devices_are_refused(tmp_path, kind, content):
    with pytest.raises(BadArchive):
        unpack(zip_with_odd(tmp_path / "a.zip", kind, content), tmp_path / "out")
    assert everything(tmp_path) == ["a.zip"]


def test_a_link_inside_a_zip_becomes_a_copy(tmp_path):
    unpack(zip_with_odd(tmp_path / "a.zip", stat.S_IFLNK, "images/1.png"), tmp_path / "out")
    assert contents(tmp_path / "out") == {**FILES, "set/odd": FILES["set/images/1.png"]}
    assert not (tmp_path / "out/set/odd").is_symlink()


@pytest.mark.parametrize(
    ("kind", "target"), [(tarfile.SYMTYPE, "1.png"), (tarfile.LNKTYPE, "set/images/1.png")]
)
def test_a_link_inside_the_archive_becomes_a_copy(tmp_path, kind, target):
    archive = make_tar(tmp_path / "a.tar", FILES, odd_member("set/images/copy.png", kind, target))
    unpack(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {**FILES, "set/images/copy.png": FILES["set/images/1.png"]}
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["nowhere", "set"])
def test_a_link_to_no_file_of_the_archive_is_refused(tmp_path, kind, target):
    with pytest.raises(BadArchive, match="points at no file"):
        unpack(make_tar(tmp_path / "a.tar", FILES, odd_member("link", kind, target)), tmp_path / "out")
    assert everything(tmp_path) == ["a.tar"]


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")])
def test_one_name_as_file_and_as_folder_is_refused(tmp_path, names):
    with pytest.raises(BadArchive):
        unpack(make_tar(tmp_path / "a.tar", dict.fromkeys(names, b"x")), tmp_path / "out")
    assert everything(tmp_path) == ["a.tar"]


def test_an_interrupted_unpack_leaves_nothing(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", FILES)
    copied = []

    def stop_at_the_second(source, target, length):
        copied.append(target)
        target.write(b"half")
        if len(copied) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(archives.shutil, "copyfileobj", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out")
    assert everything(tmp_path) == ["a.zip"]


def test_contents_that_cannot_fit_are_refused_before_the_first_is_written(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", {"big": bytes(100_000)})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 99_999}))
    with pytest.raises(StudyError, match="100,000 bytes are needed and 99,999 are free"):
        unpack(archive, tmp_path / "out")
    assert everything(tmp_path) == ["a.zip"]


def test_space_that_just_suffices_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    require_space(tmp_path, 10, "x")
    with pytest.raises(StudyError):
        require_space(tmp_path, 11, "x")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_moving_in_adds_and_never_replaces(tmp_path):
    staging = write(tmp_path / "staging", {"a/1": "new", "a/2": "same", "b/3": "new"})
    destination = write(tmp_path / "destination", {"a/2": "same", "a/own": "mine"})
    inode = (destination / "a/2").stat().st_ino
    assert in_the_way(staging, destination) == []
    move_in(staging, destination)
    assert contents(destination) == {"a/1": b"new", "a/2": b"same", "a/own": b"mine", "b/3": b"new"}
    assert (destination / "a/2").stat().st_ino == inode


def test_what_is_in_the_way_is_named(tmp_path):
    staging = write(tmp_path / "staging", {"a/1": "new", "b": "file", "c/d": "x", "e/f": "x"})
    destination = write(tmp_path / "destination", {"a/1": "old", "b/x": "folder", "c": "file"})
    (destination / "e").symlink_to("nowhere")
    assert in_the_way(staging, destination) == [str(destination / name) for name in ("a/1", "b", "c", "e")]


def test_a_file_in_place_of_the_folder_is_in_the_way(tmp_path):
    staging = write(tmp_path / "staging", {"a": "new"})
    (tmp_path / "destination").write_text("a file")
    assert in_the_way(staging, tmp_path / "destination") == [str(tmp_path / "destination")]


def test_moving_into_nothing_is_one_rename(tmp_path):
    staging = write(tmp_path / "staging", {"a/1": "new"})
    inode = staging.stat().st_ino
    move_in(staging, tmp_path / "destination")
    assert (tmp_path / "destination").stat().st_ino == inode
