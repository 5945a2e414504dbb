"""``--executor slurm`` with stand-ins for Slurm's commands, which note what they are asked and run the job here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from test_faults import start, wait_until_alone
from toy import Toy

from segstudy.study.jobs import AROUND_MB

SBATCH = """
echo "$*" >>"$SLURM_STANDIN/asked"
while [ $# -gt 0 ]; do
    case "$1" in
        --wrap=*) script="${1#--wrap=}" ;;
        --wrap) script="$2"; shift ;;
        --job-name) name="$2"; shift ;;
    esac
    shift
done
id=$(wc -l <"$SLURM_STANDIN/asked")
echo "$id $name" >>"$SLURM_STANDIN/queue"
( SLURM_JOB_ID=$id SLURM_JOBID=$id setsid bash -c "$script" >"$SLURM_STANDIN/job$id.log" 2>&1
  [ $? = 0 ] && echo "$id|COMPLETED" >>"$SLURM_STANDIN/states" || echo "$id|FAILED" >>"$SLURM_STANDIN/states" ) &
echo "$id"
"""
SRUN = 'while [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"'
COMMANDS = {
    "sbatch": SBATCH,
    "srun": SRUN,
    "sacct": 'case "$*" in *JobIdRaw*) cat "$SLURM_STANDIN/states" 2>/dev/null ;; *) echo users ;; esac; true',
    "sacctmgr": "echo users",
    "sinfo": 'echo "main*"',
    "squeue": 'case "$*" in *--me*) cat "$SLURM_STANDIN/queue"; echo "77 of-somebody-else" ;; esac; true',
    "scontrol": 'echo "MinJobAge = 300 sec"',
    "scancel": 'echo "$*" >>"$SLURM_STANDIN/cancelled"',
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins at the head of PATH, which keep their notes beside them."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, body in COMMANDS.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_STANDIN", str(folder))
    return folder


def test_jobs_go_to_slurm_with_their_limits(toy: Toy, slurm: Path):
    toy.edit(
        toy.study,
        "minutes: 0.1, still_minutes: 5, memory_gb: 1}",
        "limit_minutes: 7, memory_gb: 2, threads: 3}",
    )
    (toy.root / "slurm.yaml").write_text("account: users\npartition: long\n")
    done = toy.run(
        *("--only", "00", "--executor", "slurm", "--jobs", "4", "--slurm", "partition=short"), timeout=400
    )
    log = (toy.root / "reports" / ".state" / "smoke" / "snakemake.log").read_text()
    assert done.returncode == 0, done.stdout + done.stderr + log
    assert toy.report("00_first", "report.html").is_file()
    asked = (slurm / "asked").read_text()
    assert f"--mem {2048 + AROUND_MB}" in asked and "-t 8" in asked and "--cpus-per-task=3" in asked
    assert "users" in asked and "short" in asked and "long" not in asked


def test_a_refusal_of_slurm_s_is_shown(toy: Toy, slurm: Path):
    why = "Batch job submission failed: Invalid account or account/partition combination specified"
    (slurm / "sbatch").write_text(f"#!/bin/bash\necho 'sbatch: error: {why}' >&2\nexit 1\n")
    done = toy.run("--only", "01", "--executor", "slurm", timeout=400)
    assert done.returncode == 1 and "01_second: no report" in done.stdout
    assert why in done.stdout


def test_slurm_s_jobs_are_cancelled_when_the_driver_is_to_end(toy: Toy, slurm: Path):
    process = start(toy, "--only", "00", "--executor", "slurm", "--set", "seconds=600")
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM
    assert (slurm / "cancelled").read_text() == "1\n"
    wait_until_alone(toy)
