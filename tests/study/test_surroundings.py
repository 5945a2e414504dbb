"""A run gives the same numbers, and runs at all, whatever a user's environment and folder are like."""

from __future__ import annotations

import json
import os
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from toy import Toy

from segstudy.errors import StudyError
from segstudy.study.project import load_project
from segstudy.study.surroundings import python_command, with_a_name, without_changes


def test_what_changes_behaviour_is_dropped_and_what_says_where_things_lie_is_kept():
    changes = dict.fromkeys(
        [
            "PYTHONSTARTUP",
            "PYTHONOPTIMIZE",
            "PYTHONINSPECT",
            "PYTHONBREAKPOINT",
            "PYTHONSAFEPATH",
            "PYTHONWARNINGS",
        ]
        + [
            "IPYTHONDIR",
            "JUPYTER_PATH",
            "JUPYTER_CONFIG_DIR",
            "MPLBACKEND",
            "MATPLOTLIBRC",
            "NVIDIA_TF32_OVERRIDE",
        ],
        "1",
    )
    places = {
        "PATH": "/bin",
        "HOME": "/h",
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": "/m",
        "CUDA_VISIBLE_DEVICES": "1",
    }
    paths = {"PYTHONPATH": os.pathsep.join(["/modules/numpy", "", "relative", "/b"])}
    kept = {"PYTHONPATH": os.pathsep.join(["/modules/numpy", "/b"]), "PYTHONUTF8": "1"}
    assert without_changes(changes | places | paths) == places | kept
    assert "PYTHONPATH" not in without_changes({"PYTHONPATH": ":."})


def test_a_user_id_without_a_name_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert not {"LOGNAME", "HOME"} & set(with_a_name({}, tmp_path)), "the system knows this user"

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert with_a_name({"A": "b"}, tmp_path) == {
        "A": "b",
        "LOGNAME": f"uid{os.getuid()}",
        "HOME": str(tmp_path),
    }


def test_code_is_found_in_any_folder_and_none_of_the_current_one_s(tmp_path: Path):
    """A colon ends a folder in PYTHONPATH; a random.py in the current folder would take the library's place."""
    root = tmp_path / "a:colon"
    root.mkdir()
    (root / "here.py").write_text("import random, sys; print(random.random() < 1, sys.argv[1:], __name__)")
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    words = [*python_command("here", [root]), "one", "{two}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "True ['one', '{two}'] __main__\n", done.stderr


def test_a_postponed_package_is_there_when_it_is_used(tmp_path: Path):
    """Its version costs no import, and everything else is the package's own."""
    (tmp_path / "here.py").write_text(
        "import sys, torchmetrics\n"
        "print(torchmetrics.__version__, 'torchmetrics.metric' in sys.modules)\n"
        "from torchmetrics.classification import MulticlassJaccardIndex as index\n"
        "print(index.__module__, sys.modules['torchmetrics'].__file__ is not None)\n"
    )
    words = python_command("here", [tmp_path])
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    version = metadata.version("torchmetrics")
    expected = f"{version} False\ntorchmetrics.classification.jaccard True\n"
    assert done.stdout == expected, done.stderr


NUMBERS = """
import matplotlib
import numpy as np
record.metric("mean", float(np.mean([2.0, 4.0])))
record.metric("asserts", float(__debug__))
record.metric("line", float(matplotlib.rcParams["lines.linewidth"]))
"""
SITE = """
import pwd
def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = unknown
"""


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """An environment that would change every number: start-up files, -O, a style, a locale that is not UTF-8."""
    broken = "import numpy; numpy.mean = lambda *_: 12345.0"
    (tmp_path / "startup.py").write_text(broken)
    (tmp_path / "ipython" / "profile_default" / "startup").mkdir(parents=True)
    (tmp_path / "ipython" / "profile_default" / "startup" / "00.py").write_text(broken)
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9")
    made = subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", tmp_path / "en_US.ISO-8859-1"],
        capture_output=True,
        check=False,
    )
    locale = {"LOCPATH": str(tmp_path), "LC_ALL": "en_US.ISO-8859-1"} if made.returncode == 0 else {}
    files = {"PYTHONSTARTUP": "startup.py", "IPYTHONDIR": "ipython", "MATPLOTLIBRC": "matplotlibrc"}
    return {name: str(tmp_path / file) for name, file in files.items()} | locale | {"PYTHONOPTIMIZE": "2"}


def test_neither_a_user_s_environment_nor_a_folder_s_name_changes_a_run(
    tmp_path: Path, hostile: dict[str, str]
):
    """All at once, in a container's user id without a name: each of them alone has stopped or changed a run."""
    toy = Toy(tmp_path / "it's a {brace}, a:colon, $HOME [x] and an é")
    script = toy.first.with_name("01_second.py")
    script.write_text(script.read_text() + NUMBERS)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    nameless = {
        k: v for k, v in os.environ.items() if k not in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME")
    }
    root = str(Path(__file__).resolve().parents[2])
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), root])}
    words = toy.command("run", "--profile", "smoke", "--only", "01")
    done = subprocess.run(
        words, env=nameless | hostile | paths, capture_output=True, timeout=280, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    metrics = json.loads(toy.report("01_second", "metrics.json").read_text())
    assert {name: metrics[name]["mean"] for name in ("mean", "asserts", "line")} == {
        "mean": 3,
        "asserts": 1,
        "line": 1.5,
    }


def test_a_folder_whose_name_is_not_utf8_is_refused_in_words(tmp_path: Path):
    with pytest.raises(StudyError, match="not UTF-8: rename it"):
        load_project(tmp_path / os.fsdecode(b"caf\xe9"))


def test_an_error_of_snakemake_s_own_is_shown(toy: Toy):
    toy.edit(toy.root / "notebooks" / "Snakefile", "rule all:", "nonsense\n\nrule all:")
    done = toy.run("--only", "01")
    assert done.returncode == 1 and "NameError" in done.stdout and "'nonsense'" in done.stdout
