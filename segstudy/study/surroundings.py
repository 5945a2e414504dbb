"""What a job finds around it: the same for every user, whatever the own environment and machine of each say.

The rule: a variable that changes how Python, IPython, Jupyter, matplotlib or torch compute, start or draw is dropped or
set by the study; one that says where packages and caches lie is kept, since without it nothing may be found.
"""

from __future__ import annotations

import getpass
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

CHANGES = (
    "PYTHON",
    "IPYTHON",
    "JUPYTER",
    "MPL",
    "MATPLOTLIB",
    "PAPERMILL",
    "NVIDIA_TF32",
    "TORCH_ALLOW_TF32",
)
PLACES = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE")
PLACES += ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR")


# jsonschema, which nbformat imports, compiles a grammar of international addresses with it: 3 s in each process, for a
# check that no notebook asks for and that is left out where the package is absent (python-jsonschema's issue 1428).
UNUSED = "rfc3987_syntax"
# lightning_fabric asks for its version, and imports all of it to that end: 4 s in each process that trains.
POSTPONED = "torchmetrics"
PACKAGE = Path(__file__).resolve().parents[2]  # the folder from which this package is imported


class _Postponed(ModuleType):
    """Stands for a package and its version until something else is asked of it."""

    def __getattr__(self, name: str) -> Any:
        # Those who go through all modules ask each for its dunders; an import asks for these two.
        if name.startswith("__") and name not in ("__path__", "__all__"):
            raise AttributeError(name)
        sys.modules.pop(self.__name__, None)
        return getattr(importlib.import_module(self.__name__), name)


def spare_imports() -> None:
    """Have this process import neither `UNUSED` nor, before it is used, `POSTPONED`."""
    sys.modules.setdefault(UNUSED, None)  # type: ignore[arg-type]
    spec = importlib.util.find_spec(POSTPONED)
    if spec is not None and POSTPONED not in sys.modules:
        stand_in = _Postponed(POSTPONED)
        stand_in.__spec__, stand_in.__file__ = spec, spec.origin
        stand_in.__version__ = importlib.metadata.version(POSTPONED)
        sys.modules[POSTPONED] = stand_in


def without_changes(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that cannot change a result, with UTF-8 for every text and name whatever the locale."""
    kept = {
        name: value for name, value in environment.items() if not name.startswith(CHANGES) or name in PLACES
    }
    paths = [path for path in kept.pop("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(path)]
    if paths:  # a relative one, or an empty one, would be another folder in each process
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return kept | {"PYTHONUTF8": "1"}


def with_a_name(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return `environment` with a user's name and home folder where the system knows none of this user id.

    Containers that run under any ``--user`` have no entry for it, and Snakemake and torch ask for both.

    Parameters
    ----------
    environment : mapping
    home : Path
        A folder that takes the place of a home, or of a cache in a home that cannot be written to.
    """
    given: dict[str, str] = {}
    try:
        getpass.getuser()
    except (KeyError, OSError):  # an OSError from Python 3.13 on
        given["LOGNAME"] = f"uid{os.getuid()}"
    known = Path(os.path.expanduser("~"))  # stays "~" where there is none
    if not known.is_absolute():
        given["HOME"] = str(home)
    elif not os.access(known, os.W_OK):
        given["XDG_CACHE_HOME"] = str(home)
    return dict(environment) | given


def python_command(module: str, roots: list[Path], interpreter: str = sys.executable) -> list[str]:
    """Return the command line that runs `module` as ``python -m`` does, with `roots` first where Python looks.

    This package is found behind them, and :func:`spare_imports` is called first.

    PYTHONPATH cannot hold a folder with a colon in its name, and a folder of the current one's cannot come before them.
    """
    places = list(dict.fromkeys(str(root) for root in [*roots, PACKAGE]))
    start = f"import runpy, sys; sys.path[:1] = {places!a}"  # of the current folder
    start += "; from segstudy.study.surroundings import spare_imports; spare_imports()"
    run = f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return [interpreter, "-c", f"{start}; {run}"]
