"""Print one digest of the files that git would commit and of what is given as arguments: what the tests ran on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from segstudy.fingerprint import digest, files_digest

root = Path(__file__).resolve().parents[1]
listed = subprocess.run(
    ["git", "ls-files", "-co", "--exclude-standard", "-z"],
    cwd=root,
    capture_output=True,
    text=True,
    check=True,
)
files = [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
print(digest([files_digest(files, root), sys.argv[1:], sys.version]))
