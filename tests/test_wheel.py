"""The package away from its checkout: a wheel carries all that the library reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

USED = """
from pathlib import Path
import segstudy
from segstudy.datasets import open_dataset
from segstudy.experiments import published
from segstudy.experiments.claims.causes import causes
from segstudy.study import page

assert Path(segstudy.__file__).is_relative_to(SITE), segstudy.__file__
assert len(published.claims()) == 141 and len(published.tables()) == TABLES
assert published.lookup("graph_matching_table1", "50 | U-Net + GM", "Bounding box | Average") == 76.5
assert open_dataset("microbes", split="test")[0].labels.max() == 1
assert causes()
print(sorted(path.name for path in Path(page.__file__).parent.iterdir() if path.suffix != ".py"))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, without a network, and unpack it where nothing else is."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    for name in ("segstudy", "data/published"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(place)]
    subprocess.run([sys.executable, *words, str(source)], check=True, capture_output=True, text=True)
    (wheel,) = place.glob("segstudy-*.whl")
    zipfile.ZipFile(wheel).extractall(place / "site")
    return place / "site"


def test_the_library_works_from_another_folder(site: Path, tmp_path: Path):
    code = USED.replace("SITE", repr(str(site)))
    code = code.replace("TABLES", str(len(list((ROOT / "data/published").glob("*.csv"))) - 1))
    environment = os.environ | {"PYTHONPATH": str(site)}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept = sorted(
        p.name for p in (ROOT / "segstudy/study/page").iterdir() if p.suffix in (".html", ".css", ".js")
    )
    assert done.stdout.strip().splitlines()[-1] == str(kept)


def test_no_file_that_is_no_module_is_left_behind(site: Path):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "segstudy"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("no git checkout: which files are the package's is not known")
    read = [name for name in listed.stdout.split() if not name.endswith((".py", ".sh"))]
    assert len(read) > 5 and all((site / name).is_file() for name in read)
