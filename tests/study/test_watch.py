"""What the watch takes for standing still, on a clock that the test moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from segstudy.processes import this_process
from segstudy.progress import VARIABLE, note, pulse
from segstudy.study import watch
from segstudy.study.watch import Watch


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(watch, "end_children", lambda: None)
    monkeypatch.setattr(watch.time, "monotonic", lambda: 0.0)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "job.progress.inner"))
    return Watch(10, 1, this_process(), tmp_path / "job.progress", lambda: None)


def test_each_step_of_progress_and_each_cell_starts_the_clock_again(watched: Watch):
    for minute in range(0, 90, 9):
        note("training", minute, None)
        watched._check_clock(60.0 * minute)
    for cell in range(5):
        watched.at_cell(cell, 5, "heading")
        watched._check_clock(60.0 * (90 + 9 * cell))
    assert watched.verdict is None
    watched._check_clock(60.0 * (90 + 36 + 9.9))
    assert watched.verdict is None
    watched._check_clock(60.0 * (90 + 36 + 10.1))
    assert watched.verdict is not None and "stood still for 10 minutes" in watched.verdict[1]


def test_a_step_that_tells_the_same_number_is_a_step(watched: Watch):
    for minute in (0, 9, 18, 27):
        note("a loss that hardly moves", 3, 100)
        watched._check_clock(60.0 * minute)
    assert watched.verdict is None


def test_a_batch_of_a_long_epoch_is_movement(watched: Watch):
    note("epoch", 0, 3)
    for minute in (0, 9, 18, 27):
        pulse()
        watched._check_clock(60.0 * minute)
    assert watched.verdict is None


def test_a_limit_for_the_whole_job_counts_movement_not(watched: Watch):
    watched.limit_minutes = 15
    for minute in (0, 9, 16):
        note("training", minute, None)
        watched._check_clock(60.0 * minute)
    assert watched.verdict == ("timeout", f"ran longer than its limit of 15 minutes; {watch.KEPT}")
