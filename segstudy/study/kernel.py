"""Register this environment as the Jupyter kernel "segstudy", so that a notebook opened by hand runs in it.

``python -m segstudy.study.kernel``; costs nothing when it is registered already.
"""

from __future__ import annotations

import sys
from pathlib import Path

from segstudy.study.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = Path(sys.prefix) / "bin" / "python"


def kernel_spec() -> dict[str, object]:
    """Return the kernel's specification: this interpreter, with this checkout on its path."""
    argv = [str(INTERPRETER), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {
        "argv": argv,
        "display_name": "segstudy",
        "language": "python",
        "env": {"PYTHONPATH": str(ROOT)},
        "metadata": {"debugger": True},
    }


def register(folder: Path) -> bool:
    """Write the specification into a Jupyter data folder; return whether that changed anything."""
    path = folder / "kernels" / "segstudy" / "kernel.json"
    if read_json(path) == kernel_spec():
        return False
    write_json(path, kernel_spec())
    return True


def main() -> int:
    """Register for this user (any Jupyter of theirs finds it) and within the environment."""
    from jupyter_core.paths import jupyter_data_dir

    for folder in (Path(jupyter_data_dir()), Path(sys.prefix) / "share" / "jupyter"):
        try:
            register(folder)
        except OSError as error:
            print(f"could not register the Jupyter kernel in {folder}: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
