"""Which environment the two commands use: an active one that fits, else conda, else a venv; stand-ins for the tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segstudy.study import environment, kernel

ROOT = Path(__file__).resolve().parents[2]
LOG = 'echo "$(basename "$0") $*" >>"$CALLS"\n'


def stand_in(path: Path, body: str) -> Path:
    """Write an executable that notes how it was called and then does `body`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{LOG}{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the scripts alone, in a folder with a space in its name."""
    root = tmp_path / "a checkout"
    (root / "segstudy" / "study").mkdir(parents=True)
    for name in ("run_all.sh", "requirements.txt", "environment.yml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copy(ROOT / "segstudy" / "study" / "environment.sh", root / "segstudy" / "study")
    return root


def call(
    checkout: Path, tmp_path: Path, **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run run_all.sh with the stand-ins in tmp_path/bin alone; return what it printed and whom it called."""
    calls = tmp_path / "calls"
    calls.write_text("")
    given = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "CALLS": str(calls), "HOME": str(tmp_path)}
    words = [str(checkout / "run_all.sh"), "--dry-run"]
    done = subprocess.run(words, cwd="/", env=given | variables, capture_output=True, text=True, check=False)
    return done, calls.read_text().splitlines()


def test_an_active_environment_that_fits_is_used_as_it_is(checkout: Path, tmp_path: Path):
    active = stand_in(tmp_path / "active" / "bin" / "python", "exit 0").parents[1]
    stand_in(tmp_path / "bin" / "conda", "exit 1")
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        done, calls = call(checkout, tmp_path, **{variable: str(active)})
        assert done.returncode == 0, done.stderr
        assert calls[-1].endswith(f"--project {checkout} run --dry-run")
        assert not any(line.startswith("conda") for line in calls)
    assert not (checkout / ".venv").exists() and not (checkout / ".conda").exists()


def test_every_call_of_python_reads_names_as_utf_8(checkout: Path, tmp_path: Path):
    """Under another locale the kernel would be registered for a folder whose accents are read wrongly."""
    active = stand_in(tmp_path / "active" / "bin" / "python", 'echo "UTF-8: $PYTHONUTF8" >>"$CALLS"').parents[
        1
    ]
    _, calls = call(checkout, tmp_path, VIRTUAL_ENV=str(active), LC_ALL="en_US.ISO-8859-1")
    assert {line for line in calls if line.startswith("UTF-8")} == {"UTF-8: 1"}


UNFIT = 'case "$*" in *environment.py*) echo "torch (not installed)"; exit 1 ;; esac; exit 0'


def test_an_active_environment_that_does_not_fit_gives_way_to_conda(checkout: Path, tmp_path: Path):
    active = stand_in(tmp_path / "active" / "bin" / "python", UNFIT).parents[1]
    python = stand_in(tmp_path / "made", "exit 0")
    make = f'mkdir -p "{checkout}/.conda/bin"; cp "{python}" "{checkout}/.conda/bin/python"'
    stand_in(tmp_path / "bin" / "conda", make)
    done, calls = call(checkout, tmp_path, VIRTUAL_ENV=str(active))
    assert done.returncode == 0, done.stderr
    conda = [line for line in calls if line.startswith("conda")]
    assert conda == [f"conda env update --quiet --prefix {checkout}/.conda --file environment.yml"]
    _, again = call(checkout, tmp_path)
    assert not any(line.startswith("conda") for line in again), "the second call made the environment again"


def test_without_conda_a_venv_is_made_with_the_pins_once(checkout: Path, tmp_path: Path):
    inside = """
case "$*" in
    *environment.py*) [ -f "$(dirname "$0")/installed" ] || { echo "torch (not installed)"; exit 1; } ;;
    *"pip install"*) touch "$(dirname "$0")/installed" ;;
esac
"""
    python = stand_in(tmp_path / "made", inside)
    make = f"""
case "$*" in
    "-m venv"*) mkdir -p "{checkout}/.venv/bin"; cp "{python}" "{checkout}/.venv/bin/python" ;;
esac
"""
    stand_in(tmp_path / "bin" / "python3.11", make)
    done, calls = call(checkout, tmp_path)
    assert done.returncode == 0, done.stderr
    installs = [line for line in calls if "pip install" in line]
    assert len(installs) == 1 and installs[0].endswith(f"-r {checkout}/requirements.txt")
    _, again = call(checkout, tmp_path)
    assert not any("venv" in line and "-m venv" in line or "pip install" in line for line in again)


def test_the_study_is_installed_in_the_environment_it_made_and_in_no_other(checkout: Path, tmp_path: Path):
    away = f"""
case "$*" in
    *samefile*) [ -f "{tmp_path}/editable" ] || exit 1 ;;
    *--editable*) touch "{tmp_path}/editable" ;;
esac
"""
    made = stand_in(checkout / ".venv" / "bin" / "python", away)
    done, calls = call(checkout, tmp_path)
    assert done.returncode == 0, done.stderr
    editable = [line for line in calls if "--editable" in line]
    assert len(editable) == 1 and editable[0].endswith(
        f"--no-deps --no-build-isolation --editable {checkout}"
    )
    assert not any("--editable" in line for line in call(checkout, tmp_path)[1])
    (tmp_path / "editable").unlink()
    active = shutil.copy(made, stand_in(tmp_path / "active" / "bin" / "python", "")).parents[1]
    done, calls = call(checkout, tmp_path, VIRTUAL_ENV=str(active))
    assert done.returncode == 0 and not any("--editable" in line for line in calls)


def test_a_failed_installation_is_said_plainly(checkout: Path, tmp_path: Path):
    inside = 'case "$*" in *environment.py*|*"pip install"*) exit 1 ;; esac'
    python = stand_in(tmp_path / "made", inside)
    copy = f'mkdir -p "{checkout}/.venv/bin"; cp "{python}" "{checkout}/.venv/bin/python"'
    make = f'case "$*" in "-m venv"*) {copy} ;; esac'
    stand_in(tmp_path / "bin" / "python3.11", make)
    done, _ = call(checkout, tmp_path)
    assert done.returncode == 2 and "pip could not install requirements.txt" in done.stderr


def test_no_suitable_python_is_said_plainly(checkout: Path, tmp_path: Path):
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        stand_in(tmp_path / "bin" / name, "exit 1")
    done, _ = call(checkout, tmp_path)
    assert done.returncode == 2 and "Python 3.11, 3.12 or 3.13" in done.stderr


def test_this_environment_fits_and_an_impossible_requirement_does_not():
    assert environment.unmet(environment.required(ROOT, pins=False)) == []
    assert environment.unmet(["numpy>=1", "numpy<1", "no-such-package>=1"]) == [
        f"numpy<1 (installed: {environment.metadata.version('numpy')})",
        "no-such-package>=1 (not installed)",
    ]


def test_a_notebook_opened_by_hand_runs_in_this_environment(tmp_path: Path):
    assert kernel.register(tmp_path)
    assert not kernel.register(tmp_path), "a second registration wrote again"
    (tmp_path / "cwd").mkdir()
    code = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="segstudy")
client.execute("import segstudy, sys; print(segstudy.__file__, sys.executable)")
while True:
    message = client.get_iopub_msg(timeout=60)
    if message["msg_type"] == "stream":
        print(message["content"]["text"])
        break
client.stop_channels(); manager.shutdown_kernel(now=True)
"""
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"JUPYTER_PATH": str(tmp_path)}
    words = [sys.executable, "-c", code]
    done = subprocess.run(
        words, cwd=tmp_path / "cwd", env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert str(ROOT / "segstudy" / "__init__.py") in done.stdout and sys.prefix in done.stdout, done.stderr
