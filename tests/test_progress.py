"""Notes of progress reach the runner whole, from any thread, and never stop the work."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from segstudy.progress import note, track


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress"
    monkeypatch.setenv("SEGSTUDY_PROGRESS", str(path))
    return path


def test_a_note_is_read_as_it_was_written(file: Path):
    note("epoch", np.int64(3), 10, "loss 0.31")
    row = json.loads(file.read_text())
    assert row == {"label": "epoch", "done": 3, "total": 10, "detail": "loss 0.31"}
    assert [path.name for path in file.parent.iterdir()] == ["progress"]


def test_threads_may_note_at_once(file: Path, monkeypatch: pytest.MonkeyPatch):
    written, failures = threading.Barrier(4, timeout=10), []
    write_bytes, replace = Path.write_bytes, Path.replace

    def write_and_wait(self: Path, content: bytes) -> None:
        write_bytes(self, content)
        written.wait()  # all have written before the first renames

    def checked(self: Path, target: Path) -> None:
        try:
            replace(self, target)
        except OSError as error:
            failures.append(error)

    monkeypatch.setattr(Path, "write_bytes", write_and_wait)
    monkeypatch.setattr(Path, "replace", checked)
    threads = [threading.Thread(target=note, args=("work", i, 4)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and json.loads(file.read_text())["label"] == "work"


@pytest.mark.parametrize("total", [3, object()])
def test_a_note_that_cannot_be_written_does_not_stop_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: object
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEGSTUDY_PROGRESS", str(tmp_path / "file" / "progress"))
    assert list(track("abc", "letter", total)) == ["a", "b", "c"]


def test_without_a_runner_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEGSTUDY_PROGRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    note("epoch", 1, 2)
    assert list(tmp_path.iterdir()) == []
