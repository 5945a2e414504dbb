"""A Slurm of one node on this machine, for tests: munged, slurmctld and slurmd in a folder of their own.

Nothing of it outlives `close`: daemons are started in the foreground and ended by their process. It needs root, as
slurmd does, and Debian's packages slurm-wlm and munge.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
# Where clients look inside a job: Snakemake's plugin takes SLURM_CONF out of a job's environment.
SYSTEM = Path("/etc/slurm/slurm.conf")
CONFIG = """
ClusterName=segstudy
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
OverTimeLimit=0
KillWait=5
ReturnToService=2
SchedulerParameters=sched_interval=2
SlurmctldTimeout=30
SlurmdTimeout=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why no Slurm can be started here; nothing where it can."""
    lost = [name for name in (*DAEMONS, *CLIENTS) if _which(name) is None]
    if lost:
        return f"no Slurm here: {', '.join(lost)} not found (Debian: slurm-wlm, munge)"
    if os.geteuid():
        return "slurmd has to be started by root"
    return f"{SYSTEM} is there: a Slurm of this machine's own" if SYSTEM.exists() else ""


def _which(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class SlurmNode:
    """Start the daemons in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {"controller": _free_port(), "daemon": _free_port()}

    def open(self) -> None:
        """Write the configuration, start all daemons, wait until the node is idle; a TimeoutError where it never is."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        given = self._ports | {"host": socket.gethostname().split(".")[0], "folder": self.folder}
        given |= {"cores": os.cpu_count(), "memory": int(pages * size * 0.9) >> 20}
        (self.folder / "slurm.conf").write_text(CONFIG.format(**given))
        SYSTEM.parent.mkdir(exist_ok=True)
        SYSTEM.unlink(missing_ok=True)  # a link of a run that was killed leads nowhere
        SYSTEM.symlink_to(self.folder / "slurm.conf")
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for name in DAEMONS:
            self.start(name)
        self.wait_for_node("idle")

    def close(self) -> None:
        """End all daemons, and what they still run."""
        for job in self.ask("squeue", "--noheader", "--format", "%i").split():
            self.ask("scancel", "--signal=KILL", "--full", job)
        for name in reversed(DAEMONS):
            self.stop(name)
        SYSTEM.unlink(missing_ok=True)

    def start(self, name: str) -> None:
        """Start a daemon, and wait for munged's socket, without which the others end at once."""
        folder = self.folder
        words = {
            "munged": [
                "--foreground",
                "--force",
                f"--key-file={folder}/munge.key",
                f"--socket={folder}/munge.socket",
            ]
            + [f"--{part}-file={folder}/munge.{part}" for part in ("pid", "log", "seed")],
            "slurmctld": ["-D", "-f", f"{folder}/slurm.conf"],
            "slurmd": ["-D", "-f", f"{folder}/slurm.conf"],
        }[name]
        log = (folder / f"{name}.out").open("ab")
        self.running[name] = subprocess.Popen(
            [str(_which(name)), *words], stdout=log, stderr=log, start_new_session=True
        )
        if name == "munged":
            self.wait_for((folder / "munge.socket").exists, f"munged's socket, see {folder}/munged.out")

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon by its process."""
        process = self.running.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, *words: str) -> str:
        """Return what a client of Slurm answers."""
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def wait_for_node(self, state: str) -> None:
        """Wait until the node is in a state."""
        self.wait_for(lambda: state in self.ask("sinfo", "--noheader", "--format", "%t"), f"node {state}")

    def wait_for_job(self, state: str) -> str:
        """Wait until a job is in a state, such as "R"; return its number."""
        found: list[str] = []

        def seen() -> bool:
            rows = [
                line.split() for line in self.ask("squeue", "--noheader", "--format", "%i %t").splitlines()
            ]
            found[:] = [row[0] for row in rows if len(row) == 2 and row[1] == state]
            return bool(found)

        self.wait_for(seen, f"job {state}")
        return found[0]

    def wait_for(self, done: Callable[[], bool], what: str, seconds: float = 120) -> None:
        """Wait until something holds; a TimeoutError shows the queue and the daemons' last lines."""
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                logs = [(self.folder / f"{name}.out").read_text()[-500:] for name in self.running]
                raise TimeoutError("\n".join([what, self.ask("sinfo"), self.ask("squeue"), *logs]))
            time.sleep(0.2)
