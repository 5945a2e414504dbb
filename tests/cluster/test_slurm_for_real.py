"""The toy study through a Slurm of one node: reports, shards, a controller that restarts, an ended driver."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_node import SlurmNode, missing
from test_faults import start, wait_until_alone
from toy import Toy

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
