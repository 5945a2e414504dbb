"""A file is written whole or not at all, and nothing is left beside it."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from segstudy.files import write_bytes, written_aside
from segstudy.study.files import write_json, write_text


@pytest.fixture
def little_room():
    """No file of this process may grow beyond 1000 bytes: a write fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_bytes(path, b"n" * 5000),
        lambda path: write_text(path, "n" * 5000),
        lambda path: write_json(path, "n" * 5000),
    ],
)
def test_a_full_disk_costs_neither_what_was_there_nor_its_room(tmp_path: Path, little_room: None, write):
    path = tmp_path / "index.html"
    path.write_text("old")
    with pytest.raises(OSError):
        write(path)
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"] and path.read_text() == "old"


def test_what_is_interrupted_leaves_nothing(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), written_aside(tmp_path / "state.pt") as aside:
        aside.write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_the_last_writing_stands(tmp_path: Path):
    path = tmp_path / "a" / "b" / "c.json"
    for content in (b"one", b"two"):
        write_bytes(path, content)
    assert path.read_bytes() == b"two" and [p.name for p in path.parent.iterdir()] == ["c.json"]
