"""Disks that are full or may not be written to: nothing is lost, and what happened is said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy import Toy

DATA = Path(os.environ.get("SEGSTUDY_DATA", ""))
FILL = """
import os
from pathlib import Path

if fail == "full":
    Path(os.environ["SEGSTUDY_OUT"], "large").write_bytes(bytes(20_000_000))
"""


def mount(*words: str) -> None:
    """Mount a file system, or skip where this user may not."""
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small(toy: Toy) -> Iterator[Toy]:
    """A toy study whose reports lie on a disk of 4 MB."""
    reports = toy.root / "reports"
    reports.mkdir()
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(reports))
    yield toy
    subprocess.run(["umount", "-l", str(reports)], check=True)


def test_a_full_disk_costs_no_report_and_is_said_in_words(small: Toy):
    small.edit(small.first, "# ## The result\n\n# %%\n", f"# ## The result\n\n# %%{FILL}\n")
    assert small.run("--only", "00").returncode == 0
    before = small.report("00_first", "report.html").read_bytes()
    failed = small.run("--only", "00", "--set", "fail=full")
    assert failed.returncode == 1 and "No space left on device" in failed.stdout, (
        failed.stdout + failed.stderr
    )
    assert "Traceback" not in failed.stdout + failed.stderr
    assert small.report("00_first", "report.html").read_bytes() == before, "the last good report is lost"
    index = (small.root / "reports" / "smoke" / "index.html").read_text()
    assert "No space left on device" in index
    assert not list((small.root / "reports").rglob("large")), "what filled the disk was left on it"
    again = small.run("--only", "00", "--set", "factor=3")
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """The real data on a file system that takes no write."""
    if not (DATA / "fasseg").is_dir():
        pytest.skip("real data are not here: $SEGSTUDY_DATA/fasseg")
    folder = tmp_path / "data"
    folder.mkdir()
    mount("--bind", str(DATA.resolve()), str(folder))
    mount("-o", "remount,bind,ro", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_data_that_may_not_be_written_to_are_read(toy: Toy, read_only: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEGSTUDY_DATA", str(read_only))
    toy.edit(toy.study, "smoke: {minutes: 0.1}\n", "smoke: {minutes: 0.1, data: [fasseg]}\n")
    script = toy.first.with_name("01_second.py")
    lines = [
        "from segstudy.datasets import data_root, open_dataset",
        "",
        'pictures = open_dataset("fasseg", data_root(), "train", "full")',
        'record.metric("second/pictures", float(len(pictures)), "count")',
        "assert pictures[0].labels is not None",
    ]
    script.write_text("\n".join([script.read_text(), "# %%", *lines, ""]))
    with pytest.raises(OSError, match="Read-only"):
        (read_only / "fasseg" / "new").touch()
    done = toy.run("--only", "01")
    assert done.returncode == 0, done.stdout + done.stderr
