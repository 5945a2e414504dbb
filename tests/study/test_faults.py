"""Faults a user can cause or suffer: refused before anything runs, or reported as what they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from toy import Toy

from segstudy.errors import StudyError
from segstudy.study.project import load_project
from segstudy.study.state import plan
from segstudy.study.watch import SILENCE, Heartbeat

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@pytest.mark.parametrize(
    "setting, words",
    [
        ("factr=3", "did you mean 'factor'?"),
        ("factor=much", "takes a whole number (default 2), not 'much'"),
        ("factor=1.5", "takes a whole number"),
        ("factor=true", "takes a whole number"),
        ("seconds=[1]", "takes a number"),
        ("factor", "write --set name=value"),
    ],
)
def test_an_unfit_parameter_is_refused_before_anything_runs(toy: Toy, setting: str, words: str):
    done = toy.run("--set", setting)
    assert done.returncode == 2 and words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (toy.root / "reports" / "smoke").exists()


def test_an_unknown_parameter_in_study_yaml_is_refused(toy: Toy):
    toy.edit(toy.study, "smoke: {minutes: 0.1, still", "smoke: {parameters: {factr: 1}, still")
    done = toy.run()
    assert done.returncode == 2 and "unknown parameter 'factr'; did you mean 'factor'?" in done.stderr


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "a mapping is expected there, not None"),
        ("notebooks: [1]", "notebooks: a mapping is expected there"),
        ("notebooks: {00_first: }", "00_first: a mapping is expected there, not None"),
        ("notebooks: {00_first: {needs: 01_second}}", "needs: a list is expected there"),
        ("notebooks: {00_first: {needs: [00_firt]}}", "did you mean '00_first'?"),
        ("notebooks: {00_first: {needs: [01_second]}, 01_second: {needs: [00_first]}}", "in turn"),
        ("notebooks: {00_first: {experiments: toy.shallow}}", "write module:function"),
        ("notebooks: {00_first: {networks: [a]}}", "networks: a text is expected there"),
        ("notebooks: {00_first: {profiles: [smoke]}}", "profiles: a mapping is expected there"),
        ("notebooks: {00_first: {profiles: {smok: }}}", "did you mean 'smoke'?"),
        ("notebooks: {00_first: {profiles: {smoke: {minuts: 1}}}}", "did you mean 'minutes'?"),
        (
            "notebooks: {00_first: {profiles: {smoke: {minutes: two}}}}",
            "a number is expected there, not 'two'",
        ),
        ("notebooks: {00_first: {profiles: {smoke: {threads: 0}}}}", "more than 0"),
        ("notebooks: {00_first: {profiles: {smoke: {data: [fasse]}}}}", "did you mean 'fasseg'?"),
        ("notebooks: {", "notebooks/study.yaml"),
    ],
)
def test_a_malformed_study_yaml_is_refused_by_place(toy: Toy, text: str, words: str):
    toy.study.write_text(text)
    with pytest.raises(StudyError, match=re.escape(words)):
        load_project(toy.root)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("import time\n", "import time)\n", "not Python"),
        ("import time\n", "%matplotlib inline\n", "not Python"),
        ("factor = 2 ", "factor = 2) ", "not Python"),
        ('tags=["parameters"]', 'tags=["params"]', "exactly one"),
    ],
)
def test_a_script_that_cannot_run_is_refused_in_one_line(toy: Toy, old: str, new: str, words: str):
    toy.edit(toy.first, old, new)
    with pytest.raises(StudyError, match=words):
        plan(load_project(toy.root), "smoke", [load_project(toy.root).notebooks["00_first"]], {}, False)


def test_nothing_chosen_is_said_and_is_no_success(toy: Toy):
    done = toy.call("run", "--profile", "paper")
    assert done.returncode == 2 and "none has the profile 'paper'" in done.stderr


@pytest.mark.parametrize("visible", ["", "-1", "-1,0", "NoDevFiles"])
def test_more_gpus_than_there_are_is_refused(toy: Toy, monkeypatch: pytest.MonkeyPatch, visible: str):
    """Each hides every GPU: CUDA reads the list to the first entry that is no device."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    toy.edit(toy.study, "still_minutes: 5, memory_gb: 1}\n      demo", "gpus: 1}\n      demo")
    done = toy.run("--only", "00")
    assert done.returncode == 2 and "wants 1 GPUs (notebooks/study.yaml); 0 are seen" in done.stderr
    asked = toy.run("--only", "01", "--gpus", "2")
    assert asked.returncode == 2 and "--gpus 2: 0 are seen here" in asked.stderr


def test_an_unknown_notebook_is_refused(toy: Toy):
    done = toy.run("--only", "00_frist")
    assert done.returncode == 2 and "did you mean '00_first'?" in done.stderr


FAULTS = {
    "exit": ("failed", "the cell left the notebook"),
    "raise": ("failed", "ValueError: the toy broke"),
    "kill": ("killed", "the kernel died"),
    "memory": ("memory", "its limit is 1 GB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_as_what_it_is_and_the_batch_goes_on(finished: Toy, fault: str):
    status, error = FAULTS[fault]
    good = finished.report("00_first").read_text()
    shutil.rmtree(finished.report("01_second").parent)
    done = finished.run("--jobs", "1", "--set", f"fail={fault}")
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


def test_code_that_changed_since_the_plan_is_no_report(toy: Toy):
    """01 is edited while 00 runs before it: its record would tell of other code than ran."""
    toy.edit(toy.study, "  01_second:\n", "  01_second:\n    needs: [00_first]\n")
    process = start(toy, "--set", "seconds=8")
    second = toy.root / "notebooks" / "scripts" / "01_second.py"
    toy.edit(second, "float(size)", "float(size + 100)")
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "01_second: failed" in output and "the code changed since the run was planned" in output
    assert not toy.report("01_second").exists()


def test_code_that_changes_while_it_runs_is_no_report(toy: Toy):
    process = start(toy, "--only", "00", "--set", "seconds=8")
    toy.edit(toy.root / "toy" / "deep.py", "CONSTANT = 20", "CONSTANT = 21")
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 1 and "the code changed since the run was planned (toy/deep.py)" in output
    assert not toy.report("00_first").exists()


def test_a_failure_stops_no_other_notebook(toy: Toy):
    """Two that fail with one between them, one at a time: in whichever order, one comes after a failure."""
    (toy.first.parent / "02_again.py").write_text(toy.first.read_text())
    toy.study.write_text(toy.study.read_text() + "  02_again: {profiles: {smoke: {minutes: 0.1}}}\n")
    done = toy.run("--jobs", "1", "--set", "fail=raise")
    assert done.returncode == 1 and "2 of 3 did not finish" in done.stdout
    assert toy.report("01_second", "report.html").is_file()


def test_a_page_that_cannot_be_rendered_does_not_cost_the_run(toy: Toy, monkeypatch: pytest.MonkeyPatch):
    broken = toy.root / "sitecustomize.py"  # Python imports it first in every process of the run
    broken.write_text("import sys\nsys.modules['nbconvert'] = None\n")
    done = toy.run("--only", "00")
    broken.unlink()
    assert done.returncode == 1 and "rendering the page" in done.stdout
    failed = toy.root / "reports" / "smoke" / "failed" / "00_first"
    assert "toy/value" in json.loads((failed / "metrics.json").read_text())
    assert "40.500" in (failed / "notebook.ipynb").read_text()


def test_an_expected_error_may_be_shown(toy: Toy):
    toy.edit(
        toy.first,
        "# ## The result\n\n# %%\n",
        '# ## The result\n\n# %% tags=["raises-exception"]\n1 / 0\n\n# %%\n',
    )
    done = toy.run("--only", "00")
    assert done.returncode == 0, done.stdout
    assert "ZeroDivisionError" in toy.report("00_first", "report.html").read_text()


def test_a_process_that_a_cell_leaves_behind_is_ended(toy: Toy):
    toy.edit(
        toy.first,
        "import time\n",
        'import subprocess\nimport time\nsubprocess.Popen(["sleep", "77.31"], start_new_session=True)\n',
    )
    assert toy.run("--only", "00").returncode == 0
    assert not [p for p in psutil.process_iter() if "77.31" in _words(p)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_stands_still_is_ended_and_what_is_slow_is_not(toy: Toy):
    toy.edit(toy.study, "still_minutes: 5, memory_gb: 1}\n      demo", "still_minutes: 0.15}\n      demo")
    # twenty steps of a second: longer than nine seconds, but something moves
    slow = toy.run("--only", "00", "--set", "seconds=20")
    assert slow.returncode == 0, slow.stdout
    stuck = toy.run("--only", "00", "--set", "seconds=1200")  # a minute for each step
    assert stuck.returncode == 1
    assert "00_first: timeout in cell 7 (The long cell): stood still for 0.15 minutes" in stuck.stdout
    assert "finished experiments are kept, and the same command goes on" in stuck.stdout


def test_a_limit_for_the_whole_job_is_the_user_s(toy: Toy):
    toy.edit(toy.study, "still_minutes: 5, memory_gb: 1}\n      demo", "limit_minutes: 0.1}\n      demo")
    done = toy.run("--only", "00", "--set", "seconds=60")
    assert done.returncode == 1
    assert "00_first: timeout in cell 7 (The long cell): ran longer than its limit of 0.1" in done.stdout
    assert "finished experiments are kept" in done.stdout


def test_a_good_run_clears_the_failed_one(toy: Toy):
    assert toy.run("--only", "00", "--set", "fail=raise").returncode == 1
    assert "the last run did not finish" in toy.run("--only", "00", "--dry-run").stdout
    assert toy.run("--only", "00").returncode == 0
    assert not (toy.root / "reports" / "smoke" / "failed" / "00_first").exists()


def test_progress_is_told_from_inside_a_long_cell(toy: Toy):
    done = toy.run("--only", "00", "--set", "seconds=12")
    lines = [line for line in done.stdout.splitlines() if "toy: step" in line]
    assert lines and "cell   7/11  The long cell" in lines[0] and "/20" in lines[0]


def heed_signals() -> None:
    """Undo what the tests' own shell may ignore: SIGHUP under nohup, SIGINT in the background."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(toy: Toy, *words: str) -> subprocess.Popen[str]:
    command = toy.command("run", "--profile", "smoke", *words)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=toy.environment, preexec_fn=heed_signals
    )
    state, note = toy.root / "reports" / ".state" / "smoke", "runs/*/00_first.progress.inner"
    deadline = time.monotonic() + 240  # a busy machine
    while not any('"toy: step"' in found.read_text() for found in state.glob(note)):
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
    deadline = time.monotonic() + 60
    while left_over(toy) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_over(toy) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process_and_goes_on_from_what_was_finished(
    toy: Toy, how: signal.Signals
):
    assert toy.run("--only", "01").returncode == 0
    kept = toy.report("01_second").read_text()
    process = start(toy, "--set", "seconds=600")
    process.send_signal(how)
    process.wait(120)
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how)
    wait_until_alone(toy)
    assert not toy.report("00_first").parent.exists(), "a half-written report was taken for a finished one"
    done = toy.run("--set", "seconds=0.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert toy.report("00_first", "report.html").is_file()
    assert toy.report("01_second").read_text() == kept, "what was finished ran again"


def test_a_second_run_in_the_same_folder_is_refused(toy: Toy):
    process = start(toy, "--set", "seconds=600")
    refused = toy.run()
    process.send_signal(signal.SIGINT)
    process.wait(120)
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


@pytest.mark.skipif(not FAKETIME.is_file(), reason="no faketime here (Debian: faketime)")
@pytest.mark.parametrize("hours", ["-1h", "+1h"])
def test_a_machine_whose_clock_is_an_hour_off_changes_nothing(toy: Toy, hours: str):
    """The jobs' processes read another clock than the driver, as on a cluster where one machine's is wrong."""
    snakefile = toy.root / "notebooks" / "Snakefile"
    toy.edit(
        snakefile,
        '"{params.command}"',
        f'"export LD_PRELOAD={FAKETIME} FAKETIME={hours}; {{params.command}}"',
    )
    done = toy.run("--only", "00")
    assert done.returncode == 0, done.stdout + done.stderr
    started = datetime.fromisoformat(json.loads(toy.report("00_first").read_text())["started"])
    assert abs(datetime.now(UTC) - started) > timedelta(minutes=50), "the job's clock was right"
    assert "Nothing to do" in toy.run("--only", "00").stdout
    for factor in (3, 4):  # a failure is told as the new one that it is, each time
        failed = toy.run("--only", "00", "--set", "fail=raise", "--set", f"factor={factor}")
        assert failed.returncode == 1 and "00_first: failed in cell" in failed.stdout


def test_a_driver_on_another_machine_is_missed_by_no_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its file's time is an hour off, and only that it changes counts."""
    now, heartbeat = [0.0], Heartbeat(tmp_path / "heartbeat")
    monkeypatch.setattr("segstudy.study.watch.time.monotonic", lambda: now[0])
    for beat in range(3):
        heartbeat.path.write_text(f"{beat}")
        os.utime(heartbeat.path, (0, 3600 * (-1) ** beat + 1e9))
        assert not heartbeat.silent()
        now[0] += SILENCE - 1
    assert not heartbeat.silent()
    now[0] += 2
    assert heartbeat.silent()


def test_metrics_are_the_same_twice_and_however_many_run_at_once(toy: Toy):
    seen = set()
    for jobs in ("1", "2", "1"):
        shutil.rmtree(toy.root / "reports", ignore_errors=True)
        assert toy.run("--jobs", jobs).returncode == 0
        seen.add(Path(toy.report("00_first", "metrics.json")).read_bytes())
    assert len(seen) == 1
