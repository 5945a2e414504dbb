"""Print one digest of the files a commit would hold, of the packages installed and of what is given as arguments."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]


def committed_files(root: Path) -> list[Path]:
    """Return the files a commit of `root` would hold: as git lists them, else all that .gitignore does not name.

    Without git, or in a folder that was unpacked and not cloned (even within somebody's repository), git cannot tell.
    """
    if (root / ".git").exists():
        command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
        try:
            listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
            return [root / name for name in listed.split("\0") if name and (root / name).is_file()]
        except (OSError, subprocess.CalledProcessError):  # no git, or a repository of another user's
            pass
    rules = (root / ".gitignore").read_text(encoding="utf-8").split()
    return sorted(_not_ignored(root, root, rules))


def _not_ignored(folder: Path, root: Path, rules: list[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name == ".git" or _ignored(path, root, rules):
            continue
        if path.is_dir():
            yield from _not_ignored(path, root, rules)
        else:
            yield path


def _ignored(path: Path, root: Path, rules: list[str]) -> bool:
    """Whether .gitignore's last rule that matches says so; the rules are of the plain kinds this repository uses."""
    name, verdict = PurePosixPath("/", path.relative_to(root).as_posix()), False
    for rule in rules:
        pattern = rule.removeprefix("!")
        if name.match(pattern.rstrip("/")) and (path.is_dir() or not pattern.endswith("/")):
            verdict = not rule.startswith("!")
    return verdict


def main(arguments: list[str]) -> None:
    """Print the digest."""
    from segstudy.fingerprint import digest, files_digest

    packages = sorted(f"{package.name}=={package.version}" for package in metadata.distributions())
    print(digest([files_digest(committed_files(ROOT), ROOT), packages, arguments, sys.version]))


if __name__ == "__main__":
    main(sys.argv[1:])
