"""A toy study in a folder of its own: two notebooks, a package two modules deep, the real runner."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FIRST = """# %% [markdown]
# # The first notebook
# Words that explain.

# %% tags=["parameters"]
factor = 2  # what the deep constant is multiplied by
seconds = 0.0  # how long the long cell takes
fail = ""  # how the failing cell fails

# %% [markdown]
# ## Set up

# %%
import time

from segstudy.study.record import Record
from segstudy.cache import Experiment
from toy.shallow import value

record = Record(seeds=[0])

# %% [markdown]
# ## The long cell

# %%
from segstudy.progress import track

for _ in track(range(20), "toy: step"):
    time.sleep(seconds / 20)

# %% [markdown]
# ## The cell that may fail

# %%
if fail == "raise":
    raise ValueError("the toy broke")
if fail == "exit":
    import sys
    sys.exit(0)
if fail == "kill":
    import os
    os.kill(os.getpid(), 9)
if fail == "memory":
    hoard = [bytearray(50_000_000) for _ in range(40)]
    time.sleep(30)

# %% [markdown]
# ## The result

# %%
entries = record.run([Experiment(value, {"factor": factor})], "toy")
print(record.metric("toy/value", [entries[0].value, entries[0].value + 1], over="seeds"))
record.headline("the toy's value", "toy/value")
"""

SECOND = """# %% [markdown]
# # The second notebook

# %% tags=["parameters"]
size = 3  # how many

# %%
from segstudy.study.record import Record

record = Record(seeds=[1])
print(record.metric("second/size", float(size), "count"))
"""

STUDY = """
notebooks:
  00_first:
    experiments: toy.shallow:experiments
    profiles:
      smoke: {minutes: 0.1, still_minutes: 5, memory_gb: 1}
      demo: {minutes: 0.1, still_minutes: 5, memory_gb: 1, shards: 2}
  01_second:
    profiles:
      smoke: {minutes: 0.1}
"""

DEEP = '''"""The deep module."""

CONSTANT = 20  # comment
'''

SHALLOW = '''"""The shallow module."""

from pathlib import Path

from segstudy.cache import Experiment
from toy.deep import CONSTANT


def value(factor):
    """Return the deep constant, multiplied; leave a mark for each time it is computed."""
    with (Path(__file__).parents[1] / "computed").open("a") as marks:
        marks.write(f"{factor}\\\\n")
    return float(CONSTANT * factor)


def experiments(parameters):
    """Two factors."""
    return [Experiment(value, {"factor": factor}) for factor in (parameters["factor"], 7)]
'''.replace("\\\\n", "\\n")


class Toy:
    """A toy project and its command line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "notebooks" / "scripts").mkdir(parents=True)
        (root / "toy").mkdir()
        self.first = root / "notebooks" / "scripts" / "00_first.py"
        self.first.write_text(FIRST)
        (root / "notebooks" / "scripts" / "01_second.py").write_text(SECOND)
        self.study = root / "notebooks" / "study.yaml"
        self.study.write_text(STUDY)
        shutil.copy(ROOT / "notebooks" / "Snakefile", root / "notebooks" / "Snakefile")
        (root / "toy" / "__init__.py").write_text("")
        (root / "toy" / "deep.py").write_text(DEEP)
        (root / "toy" / "shallow.py").write_text(SHALLOW)

    def command(self, *words: str) -> list[str]:
        """Return the command line of the study on this project."""
        return [sys.executable, "-m", "segstudy", "--project", str(self.root), *words]

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which the toy's package and segstudy are found."""
        return os.environ | {"PYTHONPATH": os.pathsep.join([str(self.root), str(ROOT)])}

    def call(self, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment,
            check=False,
        )

    def run(self, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """``run --profile smoke`` with more words."""
        return self.call("run", "--profile", "smoke", *words, timeout=timeout)

    def report(self, name: str, file: str = "run.json") -> Path:
        """Return a file of a report."""
        return self.root / "reports" / "smoke" / name / file

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace `old` by `new` in a file; it has to be there."""
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path.name}"
        path.write_text(text.replace(old, new))
