"""Register this environment as the Jupyter kernel "segstudy", so that a notebook opened by hand runs in it.

``python -m segstudy.study.kernel``; costs nothing when it is registered already.
"""

from __future__ import annotations

import sys
from pathlib import Path

from segstudy.study.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = Path(sys.prefix) / "bin" / "python"


def kernel_spec(environment: dict[str, str]) -> dict[str, object]:
    """Return a kernel's specification: this interpreter, with variables added to its environment."""
    argv = [str(INTERPRETER), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {
        "argv": argv,
        "display_name": "segstudy",
        "language": "python",
        "env": environment,
        "metadata": {"debugger": True},
    }


def register(folder: Path) -> bool:
    """Write the specification into a Jupyter data folder; return whether that changed anything."""
    path = folder / "kernels" / "segstudy" / "kernel.json"
    spec = kernel_spec({"PYTHONPATH": str(ROOT)})
    if read_json(path) == spec:
        return False
    write_json(path, spec)
    return True


def owner(folder: Path) -> Path | None:
    """Return the checkout whose kernel "segstudy" a Jupyter data folder holds, where that checkout is still there."""
    spec = read_json(folder / "kernels" / "segstudy" / "kernel.json") or {}
    checkout = Path(spec.get("env", {}).get("PYTHONPATH", ""))
    return checkout if (checkout / "segstudy" / "study").is_dir() and spec.get("env") else None


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
