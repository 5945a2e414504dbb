"""The toy study through a Slurm of one node: reports, shards, and what may happen to a job, its machine, its driver."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_node import SlurmNode, missing
from test_faults import start, wait_until_alone
from toy import ROOT, SHALLOW, Toy

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    """A Slurm of one node; where its own daemons do not come up, that is no fault of the study's."""
    node = SlurmNode(tmp_path_factory.mktemp("cluster") / "slurm")
    try:
        node.open()
    except TimeoutError as error:
        node.close()
        pytest.skip(f"Slurm does not start here: {error}")
    yield node
    node.close()


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A toy study in a folder with a blank and an accent in its name."""
    return Toy(tmp_path / "a study, é" / "toy")


def test_shards_and_notebooks_go_through_slurm_while_its_controller_restarts(node: SlurmNode, toy: Toy):
    def restart() -> None:
        node.wait_for_job("R")
        node.stop("slurmctld")
        node.start("slurmctld")

    other = threading.Thread(target=restart)
    other.start()
    words = ("--executor", "slurm", "--jobs", "4", "--set", "seconds=3")
    done = toy.call("run", "--profile", "demo", "--only", "00", *words, timeout=240)
    other.join()
    log = (toy.root / "reports" / ".state" / "demo" / "snakemake.log").read_text()
    assert done.returncode == 0, done.stdout + done.stderr + log
    assert (toy.root / "reports" / "demo" / "00_first" / "report.html").is_file()
    assert (
        log.count("has been submitted with SLURM jobid") == 3
    )  # two shards and the notebook that waits for them


def test_an_ended_driver_leaves_no_job_behind(node: SlurmNode, toy: Toy):
    process = start(toy, "--only", "00", "--executor", "slurm", "--set", "seconds=600")
    job = node.wait_for_job("R")
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM
    node.wait_for(lambda: "JobState=CANCELLED" in node.ask("scontrol", "show", "job", job), "a cancelled job")
    wait_until_alone(toy)


def begin(toy: Toy, node: SlurmNode, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start the first notebook, which takes ten minutes; return the driver and Slurm's number of its running job."""
    process = start(toy, "--only", "00", "--executor", "slurm", "--set", "seconds=600", *words)
    return process, node.wait_for_job("R")


def ended(toy: Toy, process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a driver; return what it printed, and the index."""
    printed = process.communicate(timeout=400)[0]
    wait_until_alone(toy)
    return printed, (toy.root / "reports" / "smoke" / "index.html").read_text()


def test_a_job_that_slurm_ends_for_its_time_is_reported_as_that(node: SlurmNode, toy: Toy):
    process, job = begin(toy, node)
    node.ask("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    printed, index = ended(toy, process)
    assert process.returncode == 1
    assert f"Slurm's job {job} passed the time that it had asked for (TIMEOUT" in printed
    assert "passed the time that it had asked for" in index and "the same command goes on from them" in index


def test_a_job_that_slurm_ends_for_its_memory_is_reported_as_that(node: SlurmNode, toy: Toy):
    """The study's own limit is far off, so that Slurm's is met first."""
    toy.edit(toy.study, "still_minutes: 5, memory_gb: 1}\n      demo", "memory_gb: 8}\n      demo")
    words = ("run", "--profile", "smoke", "--only", "00", "--executor", "slurm")
    command = toy.command(*words, "--set", "fail=memory", "--slurm", "extra=--hold")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=toy.environment)
    job = node.wait_for_job("PD")
    node.ask("scontrol", "update", f"JobId={job}", "MinMemoryNode=500")
    node.ask("scontrol", "release", job)
    printed, index = ended(toy, process)
    assert process.returncode == 1
    assert f"Slurm's job {job} took more memory than it had asked for (OUT_OF_MEMORY" in printed
    assert "took more memory than it had asked for" in index


TRAINING = (
    SHALLOW
    + '''

def trained():
    """Train for thirty epochs of a third of a second; leave a mark for each that begins."""
    import time
    from functools import partial

    import torch
    from segstudy import training
    from segstudy.checkpoints import next_place

    training.CHECKPOINT_PERIOD = 0.0

    def batches(epoch):
        with (Path(__file__).parents[1] / "epochs").open("a") as marks:
            marks.write(f"{epoch}\\n")
        time.sleep(0.3)
        yield torch.ones(2, 3) * epoch, torch.ones(2, 1)

    torch.manual_seed(0)
    network, adam = torch.nn.Linear(3, 1), partial(torch.optim.Adam, lr=0.1)
    place = next_place("thirty epochs")
    loss = torch.nn.functional.mse_loss
    return training.train(network, batches, loss, adam, 30, checkpoint=place).losses


def experiments(parameters):
    """One training."""
    return [Experiment(trained, {})]
'''
)


def test_a_job_that_is_killed_in_a_training_goes_on_from_its_checkpoint(node: SlurmNode, toy: Toy):
    (toy.root / "toy" / "shallow.py").write_text(TRAINING)
    words = ("--profile", "demo", "--only", "00", "--executor", "slurm")
    driver = subprocess.Popen(
        toy.command("run", *words), stdout=subprocess.PIPE, text=True, env=toy.environment
    )
    marks = toy.root / "epochs"
    node.wait_for(lambda: marks.is_file() and len(marks.read_text().split()) > 5, "five epochs")
    node.ask("scancel", "--signal=KILL", "--full", node.wait_for_job("R"))
    printed = driver.communicate(timeout=240)[0]
    assert driver.returncode == 1 and "00_first: no report" in printed
    before = [int(epoch) for epoch in marks.read_text().split()]
    done = toy.call("run", *words, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    after = [int(epoch) for epoch in marks.read_text().split()][len(before) :]
    assert after == list(range(before[-1], 30)), "an epoch that was finished was computed again"


def test_a_driver_that_is_killed_and_started_again_ends_its_jobs_and_goes_on(node: SlurmNode, toy: Toy):
    process, job = begin(toy, node)
    process.kill()
    process.wait(60)
    again = toy.run("--only", "00", "--executor", "slurm", "--set", "seconds=0.1", timeout=240)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "JobState=CANCELLED" in node.ask("scontrol", "show", "job", job)
    assert toy.report("00_first", "report.html").is_file()
    wait_until_alone(toy)


def test_jobs_and_their_states_are_told_while_they_run(node: SlurmNode, toy: Toy):
    process, job = begin(toy, node)
    index = toy.root / "reports" / "smoke" / "index.html"
    log = "reports/.state/smoke/00_first.log"
    node.wait_for(lambda: index.is_file() and "RUNNING" in index.read_text(), "the index")
    assert log in index.read_text() and f"<td>{job}</td>" in index.read_text()
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=120)[0]
    assert f"Slurm job {job} RUNNING, log {toy.root / log}" in printed
    wait_until_alone(toy)


def test_a_notebook_of_the_study_gives_the_same_through_slurm(node: SlurmNode, tmp_path: Path):
    """Networks are trained in it; each run computes with a cache of its own."""
    found = []
    for place, words in (("here", ["--jobs", "1"]), ("slurm", ["--executor", "slurm"])):
        root = tmp_path / place
        shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns("*.ipynb"))
        command = [sys.executable, "-m", "segstudy", "--project", str(root), "run", "--profile", "smoke"]
        done = subprocess.run(
            [*command, "--only", "04", *words],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found.append((root / "reports" / "smoke" / "04_dgcn" / "metrics.json").read_bytes())
    assert found[0] == found[1]


def test_a_job_whose_machine_goes_down_is_run_again_when_it_is_back(node: SlurmNode, toy: Toy):
    """The job is long enough that Slurm ends its first run far from its own end.

    Snakemake holds a lock while it notes that a job has finished, and waits for the same lock when it is told to end:
    one that meets both at once hangs for good. A Slurm with control groups kills it; `proctrack/linuxproc` loses it,
    since the shell above it has ended by then.
    """
    process, job = begin(toy, node, "--set", "seconds=30")
    host = node.ask("sinfo", "--noheader", "--format", "%n").strip()
    node.ask("scontrol", "update", f"NodeName={host}", "State=DOWN", "Reason=test")
    node.wait_for_job("PD")
    node.ask("scontrol", "update", f"NodeName={host}", "State=RESUME")
    printed, _ = ended(toy, process)
    assert process.returncode == 0, printed
    assert toy.report("00_first", "report.html").is_file()
