"""Register this environment as the Jupyter kernel "segstudy", so that a notebook opened by hand runs in it.

``python -m segstudy.study.kernel``; costs nothing when it is registered already.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from segstudy.study.files import read_json, write_json
from segstudy.study.surroundings import python_command

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = Path(sys.prefix) / "bin" / "python"


def kernel_spec(*roots: Path) -> dict[str, Any]:
    """Return a kernel's specification: this interpreter, which looks into `roots` first."""
    argv = python_command("ipykernel_launcher", list(roots), str(INTERPRETER))
    return {
        "argv": [*argv, "-f", "{connection_file}"],
        "display_name": "segstudy",
        "language": "python",
        "metadata": {"debugger": True, "segstudy": [str(root) for root in roots]},
    }


def register(folder: Path) -> bool:
    """Write the specification into a Jupyter data folder; return whether that changed anything."""
    path = folder / "kernels" / "segstudy" / "kernel.json"
    spec = kernel_spec(ROOT)
    if read_json(path) == spec:
        return False
    write_json(path, spec)
    return True


def owner(folder: Path) -> Path | None:
    """Return the checkout whose kernel "segstudy" a Jupyter data folder holds, where that checkout is still there."""
    spec = read_json(folder / "kernels" / "segstudy" / "kernel.json") or {}
    roots = [Path(root) for root in spec.get("metadata", {}).get("segstudy", [])]
    return next((root for root in roots if (root / "segstudy" / "study").is_dir()), None)


def main() -> int:
    """Register within the environment, and for this user where no other checkout's kernel has the name.

    The environment's own Jupyter prefers the environment's kernel, so that two checkouts with an environment each never
    meet; of two that share one, the last to be used has it, and is told so.
    """
    from jupyter_core.paths import jupyter_data_dir

    environment, user = Path(sys.prefix) / "share" / "jupyter", Path(jupyter_data_dir())
    try:
        if owner(environment) not in (None, ROOT):
            print(f'The Jupyter kernel "segstudy" of this environment now runs the code of {ROOT}.')
        register(environment)
        if owner(user) in (None, ROOT):
            register(user)
    except OSError as error:
        print(f"could not register the Jupyter kernel: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
