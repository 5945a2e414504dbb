"""Faults a user can cause or suffer: refused before anything runs, or reported as what they are."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from toy import Toy


@pytest.mark.parametrize(
    "setting, words",
    [
        ("factr=3", "did you mean 'factor'?"),
        ("factor=much", "takes a int (default 2), not 'much'"),
        ("factor=1.5", "takes a int"),
        ("factor=true", "takes a int"),
        ("seconds=[1]", "takes a float"),
        ("factor", "write --set name=value"),
    ],
)
def test_an_unfit_parameter_is_refused_before_anything_runs(toy: Toy, setting: str, words: str):
    done = toy.run("--set", setting)
    assert done.returncode == 2 and words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (toy.root / "reports" / "smoke").exists()


def test_an_unknown_parameter_in_study_yaml_is_refused(toy: Toy):
    toy.edit(toy.study, "smoke: {minutes: 0.1, limit", "smoke: {parameters: {factr: 1}, limit")
    done = toy.run()
    assert done.returncode == 2 and "unknown parameter 'factr'; did you mean 'factor'?" in done.stderr


def test_an_unknown_notebook_is_refused(toy: Toy):
    done = toy.run("--only", "00_frist")
    assert done.returncode == 2 and "did you mean '00_first'?" in done.stderr


FAULTS = {
    "raise": ("failed", "ValueError: the toy broke"),
    "kill": ("killed", "the kernel died"),
    "memory": ("memory", "its limit is 1 GB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_as_what_it_is_and_the_batch_goes_on(finished: Toy, fault: str):
    status, error = FAULTS[fault]
    good = finished.report("00_first").read_text()
    shutil.rmtree(finished.report("01_second").parent)
    done = finished.run("--set", f"fail={fault}")
    assert done.returncode == 1
    last = done.stdout.splitlines()[-2]
    assert last.startswith(f"00_first: {status} in cell 9 (The cell that may fail):") and error in last
    assert finished.report("01_second", "report.html").is_file(), "the batch did not go on"
    assert finished.report("00_first").read_text() == good, "the last good report did not stay"
    failed = finished.root / "reports" / "smoke" / "failed" / "00_first"
    run = json.loads((failed / "run.json").read_text())
    assert run["status"] == status and run["failure"]["heading"] == "The cell that may fail"
    assert "The long cell" in (failed / "report.html").read_text()
    assert "failed/00_first/report.html" in (finished.root / "reports" / "smoke" / "index.html").read_text()
    assert str(finished.root) not in (failed / "notebook.ipynb").read_text()


def test_a_passed_time_limit(toy: Toy):
    toy.edit(toy.study, "limit_minutes: 5, memory_gb: 1}\n      demo", "limit_minutes: 0.05}\n      demo")
    done = toy.run("--only", "00", "--set", "seconds=60")
    assert done.returncode == 1
    assert "00_first: timeout in cell 7 (The long cell): ran longer than its limit" in done.stdout


def test_a_good_run_clears_the_failed_one(toy: Toy):
    assert toy.run("--only", "00", "--set", "fail=raise").returncode == 1
    assert "the last run did not finish" in toy.run("--only", "00", "--dry-run").stdout
    assert toy.run("--only", "00").returncode == 0
    assert not (toy.root / "reports" / "smoke" / "failed" / "00_first").exists()


def test_progress_is_told_from_inside_a_long_cell(toy: Toy):
    done = toy.run("--only", "00", "--set", "seconds=12")
    lines = [line for line in done.stdout.splitlines() if "toy: step" in line]
    assert lines and "cell   7/11  The long cell" in lines[0] and "/20" in lines[0]


def start(toy: Toy, *words: str) -> subprocess.Popen[str]:
    command = toy.command("run", "--profile", "smoke", *words)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=toy.environment)
    note = toy.root / "reports" / ".state" / "smoke" / "00_first.progress.inner"
    deadline = time.monotonic() + 60
    while not note.is_file() or '"toy: step"' not in note.read_text():
        assert time.monotonic() < deadline and process.poll() is None, "the long cell never started"
        time.sleep(0.1)
    return process


def left_over(toy: Toy) -> list[str]:
    """Command lines of processes that still work for this toy."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            place = process.environ().get("SEGSTUDY_OUT", "")
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if process.pid != os.getpid() and (str(toy.root) in words or place.startswith(str(toy.root))):
            found.append(words)
    return found


def wait_until_alone(toy: Toy) -> None:
    deadline = time.monotonic() + 15
    while left_over(toy) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_over(toy) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process_and_goes_on_from_what_was_finished(
    toy: Toy, how: signal.Signals
):
    assert toy.run("--only", "01").returncode == 0
    kept = toy.report("01_second").read_text()
    process = start(toy, "--set", "seconds=60")
    process.send_signal(how)
    process.wait(20)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    wait_until_alone(toy)
    assert not toy.report("00_first").parent.exists(), "a half-written report was taken for a finished one"
    done = toy.run("--set", "seconds=0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert toy.report("00_first", "report.html").is_file()
    assert toy.report("01_second").read_text() == kept, "what was finished ran again"


def test_a_second_run_in_the_same_folder_is_refused(toy: Toy):
    process = start(toy, "--set", "seconds=60")
    refused = toy.run()
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert refused.returncode == 2 and "a run is under way in this folder" in refused.stderr
    wait_until_alone(toy)


def test_an_interrupted_swap_is_put_right(finished: Toy):
    folder = finished.report("00_first").parent
    folder.rename(folder.with_name(".00_first.old"))
    done = finished.run()
    assert "Nothing to do" in done.stdout and (folder / "report.html").is_file()


def test_a_record_without_its_page_is_not_a_report(finished: Toy):
    page = finished.report("00_first", "report.html")
    text = page.read_text()
    page.unlink()
    plan = finished.run("--dry-run").stdout
    page.write_text(text)
    assert "00_first   run" in plan


def test_a_torn_record_is_not_a_report(finished: Toy):
    record = finished.report("00_first")
    text = record.read_text()
    record.write_text(text[: len(text) // 2])
    plan = finished.run("--dry-run").stdout
    record.write_text(text)
    assert "00_first   run" in plan


def test_a_record_of_another_version_is_not_a_report(finished: Toy):
    record = finished.report("00_first")
    text = record.read_text()
    record.write_text(text.replace('"cached_seconds"', '"seconds_elsewhere"'))
    done = finished.run("--dry-run")
    record.write_text(text)
    assert done.returncode == 0 and "00_first   run" in done.stdout


def test_metrics_are_the_same_twice_and_however_many_run_at_once(toy: Toy):
    seen = set()
    for jobs in ("1", "2", "1"):
        shutil.rmtree(toy.root / "reports", ignore_errors=True)
        assert toy.run("--jobs", jobs).returncode == 0
        seen.add(Path(toy.report("00_first", "metrics.json")).read_bytes())
    assert len(seen) == 1
