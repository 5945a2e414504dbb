"""Results of expensive experiments, kept under a key made from all they depend on.

The key is the function's name, its plain arguments, the fingerprints of the data it reads and its import
closure (`segstudy.fingerprint`): change a constant two modules away and the result is computed anew, change a
comment and it is not. The version of torch is kept with the value: another version computes anew, except for
results that were *collected* from another machine on purpose; those keep their own versions and device, which
reports show. A value carries the seconds it took when it was computed, so that a cache hit never reports a
time it did not measure.
"""

from __future__ import annotations

import io
import json
import platform
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from segstudy.errors import StudyError
from segstudy.fingerprint import digest, module_closure

VARIABLE = "SEGSTUDY_CACHE"
_ARRAY = "__array__"


@dataclass(frozen=True)
class Entry:
    """A kept result.

    Parameters
    ----------
    value : dict, list, str, number or ndarray
        What the function returned.
    seconds : float
        Wall-clock time of the one run that computed it.
    made : dict
        Versions of Python, numpy and torch, the device and the threads that computed it.
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
        Plain values or numpy arrays, by name.
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
        """Return the key of the result: 16 hex digits, the same on every machine."""
        module = sys.modules[self.function.__module__]
        path = Path(str(module.__file__)).resolve()
        root = path.parents[len(module.__name__.split(".")) - (0 if path.name == "__init__.py" else 1)]
        name = f"{module.__name__}:{self.function.__qualname__}"
        return digest([name, _plain(self.arguments, "arguments"), self.data, module_closure(path, root)])


class Cache:
    """A folder of kept results, safe for several processes at once (each file is written aside and renamed).

    Parameters
    ----------
    folder : Path
        Made when the first result is kept.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def get(self, experiment: Experiment) -> Entry | None:
        """Return the kept result: one computed with this version of torch, else a collected one, else None."""
        path = self._find(experiment)
        return None if path is None else _read(path.read_bytes(), collected=path.parent != self.folder)

    def _find(self, experiment: Experiment) -> Path | None:
        own = self.folder / f"{experiment.key()}-{_torch_version()}.npz"
        if own.is_file():
            return own
        collected = sorted((self.folder / "collected").glob(f"{experiment.key()}-*.npz"))
        return collected[0] if collected else None

    def run(self, experiment: Experiment) -> Entry:
        """Return the kept result, or compute it and keep it."""
        kept = self.get(experiment)
        if kept is not None:
            return kept
        started = time.perf_counter()
        value = experiment.function(**experiment.arguments)
        entry = Entry(value, time.perf_counter() - started, _versions())
        _write_aside(self.folder / f"{experiment.key()}-{_torch_version()}.npz", _bytes(entry))
        return entry

    def export(self, experiments: list[Experiment], file: Path) -> int:
        """Write the kept results of `experiments` into one zip file, aside and renamed; return how many there
        are.
        """
        paths = [self._find(experiment) for experiment in experiments]
        found = {path.name: path for path in paths if path is not None}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, path in sorted(found.items()):
                archive.writestr(name, path.read_bytes())
        _write_aside(Path(file), buffer.getvalue())
        return len(found)

    def collect(self, file: Path) -> int:
        """Take in the results of `file`, filled on another machine by `export`; return how many there are.

        Raises
        ------
        StudyError
            When `file` is missing or is not such a file.
        """
        try:
            with zipfile.ZipFile(file) as archive:
                entries = {name: archive.read(name) for name in archive.namelist()}
            for name, content in entries.items():
                if "/" in name or "\\" in name or not name.endswith(".npz"):
                    raise StudyError(f"{file} holds {name!r}, which is not a kept result")
                _read(content)
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
            how = "`python -m segstudy experiment NN --cache FILE` makes one"
            raise StudyError(f"{file} is not a file of kept results ({error}); {how}") from error
        for name, content in entries.items():
            _write_aside(self.folder / "collected" / name, content)
        return len(entries)


def _versions() -> dict[str, str]:
    torch = sys.modules.get("torch")
    device = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else "cpu"
    threads = str(torch.get_num_threads()) if torch is not None else "1"
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": _torch_version()}
    return versions | {"device": device, "threads": threads}


def _torch_version() -> str:
    """Version of the installed torch without importing it, and without its build ("+cu132")."""
    try:
        return metadata.version("torch").split("+")[0]
    except metadata.PackageNotFoundError:
        return "none"


def _plain(value: Any, name: str) -> Any:
    """Return `value` as JSON can hold it; arrays by shape, type and content."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {_ARRAY: [list(value.shape), str(value.dtype), digest(np.ascontiguousarray(value).tobytes())]}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, f"{name}[{key!r}]") for key, item in value.items()}
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise TypeError(
        f"{name} is a {kind}; an experiment takes and returns plain values (numbers, strings, lists, dicts with "
        "string keys) or numpy arrays, because the hashes of equal torch tensors differ: pass .cpu().numpy()"
    )


def _bytes(entry: Entry) -> bytes:
    arrays: dict[str, np.ndarray] = {}

    def lift(value: Any, name: str) -> Any:
        if isinstance(value, np.ndarray):
            arrays[f"array{len(arrays)}"] = value
            return {_ARRAY: f"array{len(arrays) - 1}"}
        if isinstance(value, (list, tuple)):
            return [lift(item, f"{name}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: lift(item, f"{name}[{key!r}]") for key, item in value.items()}
        return _plain(value, name)

    record = {"value": lift(entry.value, "the result"), "seconds": entry.seconds, "made": entry.made}
    buffer = io.BytesIO()
    np.savez(buffer, record=np.array(json.dumps(record)), **arrays)
    return buffer.getvalue()


def _read(content: bytes, collected: bool = False) -> Entry:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        record = json.loads(str(archive["record"]))

        def lower(value: Any) -> Any:
            if isinstance(value, dict):
                if set(value) == {_ARRAY}:
                    return archive[value[_ARRAY]]
                return {key: lower(item) for key, item in value.items()}
            return [lower(item) for item in value] if isinstance(value, list) else value

        return Entry(lower(record["value"]), record["seconds"], record["made"], collected)


def _write_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    aside.write_bytes(content)
    aside.replace(path)
