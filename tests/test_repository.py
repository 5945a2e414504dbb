"""What holds for the repository as a whole."""

from __future__ import annotations

import ast
import json
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
committed_files = runpy.run_path(str(ROOT / "tests" / "tree.py"))["committed_files"]
FILES = committed_files(ROOT)
TEXTS = [path for path in FILES if path.suffix not in (".png", ".ico", ".gz")]
LEFT_BY_WORK = [
    ".venv/lib/a.py",
    "segstudy/__pycache__/a.cpython-311.pyc",
    "reports/demo/index.html",
    "data/voc/a.png",
]
FLOORS = {
    1: ["datasets", "metrics", "segmenter", "cache", "plots"],
    2: ["graphs", "postprocess", "baselines", "training"],
    3: ["nn"],
    4: ["papers"],
    5: ["experiments"],
    6: ["study"],
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

# What a room of papers/ is not for: its place is experiments/.
MEASURING = re.compile(r"claim|table|figure|result|printed|ablation|trial|experiment|published|verdict")

# Folders that only a particular machine has; /tmp, /usr and /dev are everybody's.
MACHINE_PATH = re.compile(r"(?<![\w./<])/(?:home|root|work|Users|opt|mnt|srv|private)/\w[\w./-]*")
ADDRESS = re.compile(r"(?:index-url|find-links|trusted-host)\s*[=:]|https?://(?:\d{1,3}\.){3}\d{1,3}(?!\d)")


def test_there_is_something_to_check():
    assert len(TEXTS) > 100


def test_a_folder_that_was_unpacked_holds_the_same_files_as_a_clone(tmp_path: Path):
    """Beside them lies what work leaves; the folder lies within a repository that has no word on it."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    root = tmp_path / "segstudy-main"
    for name in [*FILES, *map(ROOT.joinpath, LEFT_BY_WORK)]:
        place = root / name.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    (root / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    assert set(committed_files(root)) == {root / path.relative_to(ROOT) for path in FILES}


@pytest.mark.parametrize("pattern", [MACHINE_PATH, ADDRESS], ids=["paths", "addresses"])
def test_no_path_or_address_of_a_machine(pattern: re.Pattern):
    found = []
    for path in TEXTS:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = pattern.search(line)
            # the code that takes such paths out of reports is tested with some
            allowed = path.name.startswith(("test_report", "example_run", "test_scrub", "test_repository"))
            if match and "127.0.0.1" not in match.group() and not allowed:
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text, hit", [("see /home/me/data", True), ("a/home/b", False), ("/root/x.py", True)]
)
def test_the_pattern_of_paths_finds_them(text: str, hit: bool):
    assert bool(MACHINE_PATH.search(text)) == hit


def requirements(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {requirement.name.lower(): requirement for requirement in found}


def test_every_pin_lies_within_its_range_and_both_lists_name_the_same():
    pins = requirements((ROOT / "requirements.txt").read_text().splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    ranges = requirements(project["dependencies"] + extras)
    assert set(pins) == set(ranges)
    for name, pin in pins.items():
        (specifier,) = pin.specifier
        assert specifier.operator == "==" and ranges[name].specifier.contains(specifier.version), name
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert {"pip": ["-r requirements.txt"]} in environment["dependencies"]


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parts[len(ROOT.parts)] == "segstudy" and p.suffix == ".py"]
)
def test_a_room_imports_only_from_the_floors_below_or_within_itself(path: Path):
    parts = path.relative_to(ROOT / "segstudy").with_suffix("").parts
    room = parts[:2] if parts[0] in ("papers", "experiments") else parts[:1]
    floor = FLOOR.get(parts[0], 0)
    for name in imports(path):
        target = tuple(name.split("."))[1:]
        if (
            not name.startswith("segstudy.")
            or target[: len(room)] == room
            or target[0] not in FLOOR
            or name == "segstudy.experiments"  # the modules taken from it are named as well
            or floor == 0
        ):
            continue
        below = FLOOR[target[0]] < floor or (floor == 1 and FLOOR[target[0]] == 1)
        if parts[0] == target[0] == "experiments":  # what lies beside the rooms is shared by them
            below = (ROOT / "segstudy" / "experiments" / f"{(*target, '')[1]}.py").is_file()
        assert below, f"{'/'.join(parts)} (floor {floor}) imports {name} (floor {FLOOR[target[0]]})"


def test_a_paper_s_room_holds_the_method_alone():
    rooms = [p for p in FILES if p.is_relative_to(ROOT / "segstudy" / "papers") and p.suffix == ".py"]
    assert len(rooms) > 30
    found = [
        path for path in rooms if MEASURING.search(path.relative_to(ROOT / "segstudy/papers").as_posix())
    ]
    found += [
        path for path in rooms if any(name.startswith("segstudy.experiments") for name in imports(path))
    ]
    assert not found, "\n".join(str(path.relative_to(ROOT)) for path in found)


def test_notebooks_are_committed_without_outputs():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path.name


def test_no_data_and_no_photograph_is_committed():
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        assert path.suffix.lower() not in (".bmp", ".jpg", ".jpeg", ".npy", ".pth", ".tif", ".zip"), name
        assert path.suffix != ".png" or name.startswith("reports/reference/"), name
        assert path.stat().st_size < 600_000, name


def test_the_scripts_are_executable_and_explain_themselves():
    for name in ("run_all.sh", "tests/run.sh"):
        done = subprocess.run([ROOT / name, "--help"], cwd="/", capture_output=True, text=True, check=True)
        assert "Usage:" in done.stdout
    assert "tests/run.sh" in (ROOT / ".ci" / "run").read_text()


def test_readme_names_only_options_that_exist():
    readme, usage = (ROOT / "README.md").read_text(), (ROOT / "run_all.sh").read_text()
    for line in re.findall(r"^\s*(?:`)?\./run_all\.sh (.*)$", readme, flags=re.MULTILINE):
        for option in re.findall(r"--[a-z-]+", line.split("#")[0]):
            assert option in usage, option


def test_the_examples_of_readme_that_say_so_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What they take as given is made here: annotated maps, probabilities, features, cues, a folder of pictures."""
    import numpy as np
    from PIL import Image

    examples = re.findall(r"<!-- runs -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(examples) >= 4
    rng, truth = np.random.default_rng(0), np.repeat(np.arange(9).reshape(3, 3), 8, axis=0).repeat(8, axis=1)
    probabilities = np.full((*truth.shape, 9), 0.02)
    np.put_along_axis(probabilities, truth[..., None], 0.84, axis=2)
    cues = np.full(truth.shape, 255)
    cues[4, 4::8] = 0, 1, 2  # the background, and the objects that the example names
    features = np.eye(9)[truth.ravel()] + 0.01 * rng.standard_normal((truth.size, 9))
    (tmp_path / "mine" / "images").mkdir(parents=True)
    Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / "mine/images/a.png")
    monkeypatch.chdir(tmp_path)
    given = {"label_maps": [truth, truth], "probabilities": probabilities, "features": features, "cues": cues}
    for example in examples:
        names = dict(given)
        exec(example, names)
        if "labels" in names:
            assert names["labels"].shape == truth.shape, example
    assert (names["labels"] == np.where(np.isin(truth, (1, 2)), truth, 255))[truth > 0].all()
