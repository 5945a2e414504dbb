"""Whether this Python can run the study: ``python segstudy/study/environment.py [--pins]``, exit code 0 or 1.

Without ``--pins`` every installed version has to lie within pyproject.toml's ranges; with it, to equal
requirements.txt's pins. Run by file name, on a bare Python: nothing but the standard library (and pip's
`packaging`) is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def required(root: Path, pins: bool) -> list[str]:
    """Return requirement lines: the pins, or the ranges of what the study and its tests need."""
    if pins:
        lines = (root / "requirements.txt").read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project["dependencies"] + project["optional-dependencies"]["test"]


def unmet(requirements: Iterable[str]) -> list[str]:
    """Return a line for each requirement that is not met here."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import Requirement  # every environment made by venv has pip
    lines = []
    for text in requirements:
        requirement = Requirement(text)
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            lines.append(f"{requirement} (not installed)")
            continue
        if not requirement.specifier.contains(version.split("+")[0], prereleases=True):
            lines.append(f"{requirement} (installed: {version})")
    return lines


def main(arguments: list[str]) -> int:
    """Print what is unmet and return 1, or return 0."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        print(f"Python 3.11 to 3.13 is needed; this is {sys.version.split()[0]}")
        return 1
    lines = unmet(required(ROOT, "--pins" in arguments))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
