"""Print one digest of the files a commit would hold, of the packages installed and of what is given as arguments."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

from segstudy.fingerprint import digest, files_digest, tree_files

root = Path(__file__).resolve().parents[1]
command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
if listed.returncode == 0:
    files = [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
else:  # a folder that was unpacked, not cloned
    files = [path for path in tree_files(root) if path.relative_to(root).parts[0] not in ("reports", "data")]
packages = sorted(f"{package.name}=={package.version}" for package in metadata.distributions())
print(digest([files_digest(files, root), packages, sys.argv[1:], sys.version]))
