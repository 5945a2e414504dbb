"""`compare` says what differs between two runs."""

from __future__ import annotations

from toy import Toy


def test_two_runs_are_compared(finished: Toy, tmp_path):
    import shutil

    first = tmp_path / "first"
    shutil.copytree(finished.report("00_first").parent, first)
    assert finished.call("compare", str(first), str(first)).stdout == "no difference\n"
    assert finished.run("--only", "00", "--set", "factor=3").returncode == 0
    second = finished.report("00_first").parent
    done = finished.call("compare", str(first), str(second))
    assert done.returncode == 0
    assert "parameters\n  factor: 2 -> 3" in done.stdout
    assert "toy/value: 40.5 ± 0.707 (n = 2) -> 60.5 ± 0.707 (n = 2), +20" in done.stdout
    assert "versions" not in done.stdout


def test_a_folder_that_is_no_report_is_refused(finished: Toy, tmp_path):
    done = finished.call("compare", str(tmp_path), str(tmp_path))
    assert done.returncode == 2 and "holds no run.json" in done.stderr
