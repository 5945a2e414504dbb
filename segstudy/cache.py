"""Results of expensive experiments, kept under a key made from all they depend on.

The key is the function's name, its plain arguments, the fingerprints of the data it reads and its import
closure (`segstudy.fingerprint`): change a constant two modules away and the result is computed anew, change a
comment and it is not. The version of torch is kept with the value: another version computes anew, except for
results that were *collected* from another machine on purpose; those keep their own versions and device, which
reports show. A value carries the seconds it took when it was computed, so that a cache hit never reports a
time it did not measure.

What is returned is always what was read back from the kept bytes, the first time too: tuples come as lists,
numpy's numbers as Python's.
"""

from __future__ import annotations

import io
import json
import platform
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from segstudy.checkpoints import are_kept_in, kept_in
from segstudy.errors import StudyError
from segstudy.files import write_bytes
from segstudy.fingerprint import digest, module_closure

VARIABLE = "SEGSTUDY_CACHE"
COLLECTED = "collected"  # the folder of results from other machines
UNFINISHED = "unfinished"  # the folder of checkpoints, which may be deleted at any time
_ARRAY = "__array__"


@dataclass(frozen=True)
class Entry:
    """A kept result.

    Parameters
    ----------
    value : dict, list, str, number or ndarray
        What the function returned.
    seconds : float
        Wall-clock time of the one run that computed it; of one that was resumed, since then.
    made : dict
        Versions of Python, numpy and torch, the device and the threads that computed it; "resumed" where it went on
        from checkpoints of a process that was killed.
    collected : bool
        Whether it was filled on another machine and collected from a file.
    """

    value: Any
    seconds: float
    made: dict[str, str]
    collected: bool = False


@dataclass(frozen=True)
class Experiment:
    """One expensive call: a module-level function and its plain arguments.

    Parameters
    ----------
    function : callable
        A function of a module of this study that returns plain values and arrays.
    arguments : dict
        Plain values or numpy arrays, by name; tuples count as lists, but True, 1 and 1.0 differ.
    data : dict of str to str
        Fingerprints of the data sets the function reads, by name.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    data: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The call as a person would write it."""
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.function.__name__}({arguments})"

    def key(self) -> str:
        """Return the key of the result: 16 hex digits, the same on every machine; a TypeError where there is none."""
        return digest(self.depends_on())

    def depends_on(self) -> list[Any]:
        """Return what the key is made from: the function's name, the arguments, the data, and the code as files."""
        module = _module_of(self.function)
        path = Path(str(module.__file__)).resolve()
        root = path.parents[len(module.__name__.split(".")) - (0 if path.name == "__init__.py" else 1)]
        name = f"{module.__name__}:{self.function.__qualname__}"
        arguments = _plain(self.arguments, "arguments", _array_digest)
        return [name, arguments, dict(self.data), module_closure(path, root)]


class Cache:
    """A folder of kept results, safe for several processes at once (each file is written aside and renamed).

    A file that cannot be read counts as absent, and a line says so.

    Parameters
    ----------
    folder : Path
        Made when the first result is kept.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._listed: tuple[int, dict[str, list[Path]]] = (0, {})

    def get(self, experiment: Experiment) -> Entry | None:
        """Return the kept result: one computed with this version of torch, else a collected one, else None."""
        found = self._find(experiment.key())
        return None if found is None else found[1]

    def _own(self, key: str) -> Path:
        return self.folder / f"{key}-{_torch_version()}.npz"

    def _find(self, key: str) -> tuple[Path, Entry] | None:
        for path in [self._own(key), *self._collected(key)]:
            try:
                if path.is_file():
                    return path, _read(path.read_bytes(), collected=path.parent != self.folder)
            except (OSError, ValueError) as error:
                print(f"warning: the kept result {path.name} counts as absent: {error}", file=sys.stderr)
        return None

    def _collected(self, key: str) -> list[Path]:
        """Return the files of a result that were collected; their folder is listed anew when it has changed."""
        folder = self.folder / COLLECTED
        changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
        if self._listed[0] != changed:
            names: dict[str, list[Path]] = {}
            for path in sorted(folder.glob("*.npz")):
                names.setdefault(path.name.partition("-")[0], []).append(path)
            self._listed = (changed, names)
        return self._listed[1].get(key, [])

    def run(self, experiment: Experiment) -> Entry:
        """Return the kept result, or compute it and keep it.

        A result is not kept, and a line says so, when what its key is made from changed while it was computed. Where
        the process is killed meanwhile, the next call goes on from the checkpoints of its trainings.
        """
        before = experiment.depends_on()
        key = digest(before)  # before the call, which may change its arguments
        found = self._find(key)
        if found is not None:
            return found[1]
        unfinished = self.folder / UNFINISHED / f"{key}-{_torch_version()}"
        resumed = {"resumed": "yes"} if are_kept_in(unfinished) else {}
        started = time.perf_counter()
        with kept_in(unfinished):
            value = experiment.function(**experiment.arguments)
        content = _bytes(Entry(value, time.perf_counter() - started, _versions() | resumed))
        changed = _changed(experiment, before)
        if changed is None:
            write_bytes(self._own(key), content)
        else:
            print(f"warning: {experiment.function.__name__} is not kept: {changed}", file=sys.stderr)
        return _read(content)

    def export(self, experiments: list[Experiment], file: Path) -> int:
        """Add the kept results of `experiments` to the zip `file` (one process at a time); return how many it holds.

        Raises
        ------
        StudyError
            When `file` is there and is not such a file; it is left as it is.
        """
        file = Path(file)
        entries = _results_in(file) if file.exists() else {}
        found = [self._find(experiment.key()) for experiment in experiments]
        entries |= {path.name: path.read_bytes() for path, _ in filter(None, found)}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in sorted(entries.items()):
                archive.writestr(name, content)
        write_bytes(file, buffer.getvalue())
        return len(entries)

    def collect(self, file: Path) -> int:
        """Take in the results of `file`, filled on another machine by `export`; return how many there are.

        Raises
        ------
        StudyError
            When `file` is missing or is not such a file; nothing is taken in then.
        """
        entries = _results_in(Path(file))
        for name, content in entries.items():
            write_bytes(self.folder / COLLECTED / name, content)
        return len(entries)


def _results_in(file: Path) -> dict[str, bytes]:
    """Return the kept results in a file that `Cache.export` wrote, by name, each tried."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        for name, content in entries.items():
            if "/" in name or "\\" in name or not name.endswith(".npz"):
                raise StudyError(f"{file} holds {name!r}, which is not a kept result")
            _read(content)
    except (OSError, RuntimeError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        how = "`python -m segstudy experiment NN --cache FILE` makes one"
        raise StudyError(f"{file} is not a file of kept results ({error}); {how}") from error
    return entries


def _module_of(function: Callable[..., Any]) -> ModuleType:
    """Return the module in which `function` is found by its name: two functions must not share a key."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    found: Any = module
    for part in getattr(function, "__qualname__", "no name").split("."):
        found = getattr(found, part, None)
    if found is function and module.__name__ != "__main__" and getattr(module, "__file__", None):
        return module
    what = "an experiment takes a module-level function of this study, importable by name"
    raise TypeError(f"function is {function!r}; {what}")


def _changed(experiment: Experiment, before: list[Any]) -> str | None:
    """Return in words what changed since `before`, of that which the key is made from."""
    try:
        after = experiment.depends_on()
    except (StudyError, OSError, TypeError, ValueError) as error:
        return f"what it depends on changed while it ran ({error})"
    parts = ("function", "arguments", "data", "code")
    changed = [
        part for part, old, new in zip(parts, before, after, strict=True) if digest(old) != digest(new)
    ]
    return f"its {' and '.join(changed)} changed while it ran" if changed else None


def _versions() -> dict[str, str]:
    torch = sys.modules.get("torch")
    device = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else "cpu"
    threads = str(torch.get_num_threads()) if torch is not None else "1"
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": _torch_version()}
    return versions | {"device": device, "threads": threads}


@lru_cache(maxsize=1)  # a lookup of one result asks for it several times, and it is read from a file
def _torch_version() -> str:
    """Version of the installed torch without importing it, and without its build ("+cu132")."""
    try:
        return metadata.version("torch").split("+")[0]
    except metadata.PackageNotFoundError:
        return "none"


def _plain(value: Any, name: str, array: Callable[[np.ndarray], Any]) -> Any:
    """Return `value` as JSON can hold it; each numpy array as what `array` makes of it."""
    if isinstance(value, np.generic) and isinstance(value.item(), (bool, int, float, str)):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return {_ARRAY: array(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{name}[{index}]", array) for index, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) and key != _ARRAY for key in value):
        return {key: _plain(item, f"{name}[{key!r}]", array) for key, item in value.items()}
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    what = "plain values (numbers, strings, lists, dicts with string keys) or numpy arrays of numbers"
    why = "because the hashes of equal torch tensors differ: pass .cpu().numpy()"
    raise TypeError(f"{name} is a {kind}; an experiment takes and returns {what}, {why}")


def _array_digest(array: np.ndarray) -> list[Any]:
    return [list(array.shape), str(array.dtype), digest(np.ascontiguousarray(array).tobytes())]


def _bytes(entry: Entry) -> bytes:
    arrays: dict[str, np.ndarray] = {}

    def lift(array: np.ndarray) -> str:
        arrays[f"array{len(arrays)}"] = array
        return f"array{len(arrays) - 1}"

    value = _plain(entry.value, "the result", lift)
    record = {"value": value, "seconds": entry.seconds, "made": entry.made}
    buffer = io.BytesIO()
    np.savez(buffer, record=np.array(json.dumps(record)), **arrays)
    return buffer.getvalue()


def _read(content: bytes, collected: bool = False) -> Entry:
    """Return the entry that `_bytes` wrote; a ValueError for anything else."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:

            def lower(value: dict[str, Any]) -> Any:
                return archive[value[_ARRAY]] if set(value) == {_ARRAY} else value

            record = json.loads(str(archive["record"]), object_hook=lower)
            return Entry(record["value"], record["seconds"], record["made"], collected)
    except Exception as error:  # on foreign bytes numpy raises almost anything
        raise ValueError(f"it is not a kept result ({type(error).__name__}: {error})") from error
