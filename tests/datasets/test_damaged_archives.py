"""Archives that were cut short or changed on the way are refused, and leave nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import FILES, everything, make_tar, make_zip
from publisher import contents

from segstudy.datasets.archives import BadArchive, unpack
from segstudy.errors import StudyError


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_every_truncation_is_noticed(tmp_path, name):
    """Cut at every 40th byte, and at every block of a tar, where tarfile itself sees nothing wrong."""
    make = make_zip if name.endswith("zip") else make_tar
    whole = make(tmp_path / name, FILES).read_bytes()
    # The last zero blocks of a plain tar are padding: what is left without them is whole.
    end = len(whole.rstrip(b"\0")) if name == "a.tar" else len(whole)
    for length in sorted({*range(0, end, 40), *range(0, end, 512)}):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(BadArchive):
            unpack(tmp_path / name, tmp_path / "out")
        assert everything(tmp_path) == [name], length


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_damage_deep_in_a_large_file_is_noticed(tmp_path, name, rng):
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, {"large": rng.bytes(2_000_000)})
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 1
    archive.write_bytes(raw)
    with pytest.raises(BadArchive, match="damaged"):
        unpack(archive, tmp_path / "out")
    assert everything(tmp_path) == [name]


@pytest.mark.parametrize(
    ("offset", "value"),
    [(8, 0x01), (10, 99), (46, 0xFF)],
    ids=["password", "unknown compression", "not UTF-8"],
)
def test_a_zip_that_cannot_be_read_is_refused(tmp_path, offset, value):
    """Offsets count from the start of the first directory entry: flags, method and name (APPNOTE 4.3.12)."""
    archive = make_zip(tmp_path / "a.zip", {"\u00e4": b"text"})  # a name that is stored as UTF-8
    raw = bytearray(archive.read_bytes())
    raw[raw.find(b"PK\1\2") + offset] = value
    archive.write_bytes(raw)
    with pytest.raises(BadArchive):
        unpack(archive, tmp_path / "out")
    assert everything(tmp_path) == ["a.zip"]


@settings(max_examples=50, deadline=None)
@given(data=st.data(), name=st.sampled_from(["a.zip", "a.tar.gz"]))
def test_a_flipped_byte_is_noticed_or_harmless(data, name):
    with tempfile.TemporaryDirectory() as folder:
        archive = (make_zip if name == "a.zip" else make_tar)(Path(folder, name), FILES)
        raw = bytearray(archive.read_bytes())
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
        archive.write_bytes(raw)
        try:
            unpack(archive, Path(folder, "out"))
        except StudyError:
            assert everything(Path(folder)) == [name]
        else:
            assert contents(Path(folder, "out")) == FILES


def test_a_broken_header_in_the_middle_is_not_taken_for_the_end(tmp_path):
    archive = make_tar(tmp_path / "a.tar", {"a": b"1" * 512, "b": b"2" * 512})
    raw = bytearray(archive.read_bytes())
    raw[1024:1034] = b"x" * 10  # the second member's header: tarfile alone would unpack "a" and be content
    archive.write_bytes(raw)
    with pytest.raises(BadArchive, match="end mark"):
        unpack(archive, tmp_path / "out")


def test_a_zip_directory_that_hides_members_is_refused(tmp_path):
    """A wrong comment length swallows the next entry; zipfile alone would unpack the first and be content."""
    archive = make_zip(tmp_path / "a.zip", {"a": b"1", "b": b"2", "c": b"3"})
    raw = bytearray(archive.read_bytes())
    raw[raw.find(b"PK\1\2") + 32] = 47  # as long as the entry of "b"
    archive.write_bytes(raw)
    with pytest.raises(BadArchive, match="counts 3 members, its directory lists 2"):
        unpack(archive, tmp_path / "out")


def test_a_zip_with_a_wrong_place_of_its_directory_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", FILES)
    raw = bytearray(archive.read_bytes())
    raw[raw.find(b"PK\5\6") + 18] ^= 0x80  # the directory's offset
    archive.write_bytes(raw)
    with pytest.raises(BadArchive):
        unpack(archive, tmp_path / "out")


def test_a_page_in_place_of_an_archive_is_refused(tmp_path):
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / name).write_text("<html>please log in</html>")
        with pytest.raises(BadArchive, match="not an archive"):
            unpack(tmp_path / name, tmp_path / "out")
