"""Fingerprints of what a result depends on: source code with all it imports, and files of data.

A result is stale when something it depends on has changed. For code that is the *import closure*: the module,
every module of this study that it imports, directly or through others, and the data files those modules
declare in a literal ``READS = ("pattern", ...)``. Comments, docstrings and layout are dropped before hashing,
so that prose never makes a result stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from segstudy.errors import StudyError

Name = tuple[str, ...]  # the parts of a dotted name
Import = tuple[Name, int]  # a dotted name, and how many of its parts lead to the module that is meant
Stamp = tuple[int, int]  # a file's or folder's time of change, in nanoseconds, and its size
_LOADERS: Name = ("segstudy", "datasets")
_closures: dict[tuple[str, Path, str, tuple[str, ...]], _Known] = {}
_DOTTED = re.compile(r"\.*[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?")


def digest(value: object) -> str:
    """Return 16 hex digits of the SHA-256 of `value`: bytes, str, or anything JSON can hold, its keys sorted."""
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(value).hexdigest()[:16]


def code_digest(source: str, name: str | None = None) -> str:
    """Return the digest of Python source without its comments, docstrings and layout.

    Parameters
    ----------
    source : str
        Python source.
    name : str, optional
        What a person calls it, for example the module's path.

    Raises
    ------
    StudyError
        When `source` is no Python; with `name` and the line. Without a name it is a SyntaxError.
    """
    return _tree_digest(_parse(source, name))


def _parse(source: str, name: str | None) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:  # Python 3.11 raises ValueError for a null byte
        if name is None:
            raise
        line = getattr(error, "lineno", None) or 1
        raise StudyError(f"{name}, line {line}: {getattr(error, 'msg', error)}") from error


def _tree_digest(tree: ast.Module) -> str:
    """Return the digest of a syntax tree, whose docstrings are dropped in place."""
    for node in ast.walk(tree):
        if isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return digest(_dump(tree))


def _dump(node: object) -> str:
    """Write a syntax tree as text, the same in every version of Python.

    `ast.dump` is not: 3.13 leaves out empty fields that 3.12 writes, and each version adds fields. So empty fields are
    left out here, and so are the pieces without text that some versions put into f-strings.
    """
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!r}"
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({','.join(_dump(value) for value in node.values if not _is_empty_text(value))})"
    if isinstance(node, ast.AST):
        fields = sorted((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({','.join(f'{name}={_dump(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    return repr(node)


def _is_empty_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def import_closure(source: str, root: Path, package: str = "", beside: Sequence[str] = ()) -> dict[str, str]:
    """Return {relative path: digest} of what the code of `source` depends on within `root`, itself left out.

    Parameters
    ----------
    source : str
        Python source, for example all code cells of a notebook.
    root : Path
        The project's folder; only packages in it are followed (torch and the like count by version, elsewhere).
    package : str
        The dotted package that `source` stands in, for relative imports.
    beside : sequence of str
        More folders of `root` with modules, for example "notebooks": a notebook imports those that lie beside it.

    Returns
    -------
    dict of str to str
        Digests of modules (see `code_digest`) and of the files in their `READS`, by path relative to `root`.

    Raises
    ------
    StudyError
        When a module cannot be read as Python; with its path and line.
    ValueError
        When a module's `READS` is not a literal list or tuple of patterns.

    Notes
    -----
    Python executes every package on the way to a module: in ``from a.b.c import x`` those of a and a.b. Their own code
    counts, but not what they import, since x cannot come from there.

    What was found is remembered for as long as no file of it and no folder that was looked into has changed.
    """
    root, beside = Path(root).resolve(), tuple(beside)
    known = _closures.get((source, root, package, beside))
    if known is None or any(_stamp(path) != stamp for path, stamp in known.stamps.items()):
        known = _closures[source, root, package, beside] = _follow(source, root, package, beside)
    return dict(known.closure)


class _Known(NamedTuple):
    """A closure, and what it hangs on: size and time of change of each file and each folder."""

    closure: dict[str, str]
    stamps: dict[Path, Stamp]


def _follow(source: str, root: Path, package: str, beside: Sequence[str]) -> _Known:
    """Follow the imports of `source`."""
    closure: dict[str, str] = {}
    files: dict[Path, str] = {}
    stamps: dict[Path, Stamp] = {}
    imports = list(_imports(ast.parse(source), package))
    known = set(imports)
    while imports:
        for path, meant in _resolve(*imports.pop(), [root, *(root / folder for folder in beside)], stamps):
            stamps[path] = stamp = _stamp(path)
            closure[path.relative_to(root).as_posix()], imported, reads = _module(path, root, stamp)
            files |= _files_read(reads, root, stamps)
            if meant:
                imports += imported - known
                known |= imported
    closure |= {path.relative_to(root).as_posix(): found for path, found in files.items()}
    return _Known(dict(sorted(closure.items())), stamps)


def _stamp(path: Path) -> Stamp:
    """Return what differs when a file was written to, or when a folder got or lost an entry."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def module_closure(path: Path, root: Path) -> dict[str, str]:
    """Return `import_closure` of the module at `path`, the module itself included."""
    relative = Path(path).resolve().relative_to(Path(root).resolve())
    return import_closure(f"from {'.'.join(_module_name(relative))} import _", root)


@lru_cache(maxsize=4096)
def _module(path: Path, root: Path, stamp: Stamp) -> tuple[str, set[Import], tuple[str, ...]]:
    """Return a module's digest, its imports and its READS; the stamp only keys the memory."""
    relative = path.relative_to(root)
    tree = _parse_file(path, relative.as_posix())
    parts = _module_name(relative)
    package = parts if relative.name == "__init__.py" else parts[:-1]
    imports, reads = set(_imports(tree, ".".join(package))), _declared_reads(tree, relative.as_posix())
    return _tree_digest(tree), imports, reads


def _parse_file(path: Path, name: str) -> ast.Module:
    try:
        with tokenize.open(path) as stream:  # as Python reads it: a byte order mark, a declared encoding
            source = stream.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise StudyError(f"{name}: {error}") from error
    return _parse(source, name)


def _module_name(relative: Path) -> Name:
    parts = relative.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _imports(tree: ast.AST, package: str) -> Iterator[Import]:
    """Yield what the tree imports, also as strings ("package.module:function"); a star import ends in "*"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):  # binds the first part, of which anything may be used later
            yield from ((tuple(alias.name.split(".")), 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = _absolute("." * node.level + (node.module or ""), package)
            yield from (((*stem, alias.name), len(stem)) for alias in node.names)
        elif isinstance(node, ast.Constant) and _is_dotted(node.value):
            name = _absolute(node.value.split(":")[0], package)
            yield name, len(name)
        elif isinstance(node, ast.Call) and _opens(
            node
        ):  # open_dataset("voc") imports the module of that name
            yield (*_LOADERS, node.args[0].value), len(_LOADERS) + 1
        elif isinstance(node, ast.Call):  # import_module(".module", "package")
            words = [
                getattr(value, "value", None) for value in (*node.args, *(k.value for k in node.keywords))
            ]
            if len(words) == 2 and _is_dotted(words[0]) and isinstance(words[1], str):
                name = _absolute(words[0], words[1])
                yield name, len(name)


def _opens(call: ast.Call) -> bool:
    """Return whether a data set is opened by a name that stands there; any other name is known when it runs."""
    called = getattr(call.func, "attr", getattr(call.func, "id", ""))
    first = call.args[0] if call.args else None
    return called == "open_dataset" and isinstance(first, ast.Constant) and isinstance(first.value, str)


def _is_dotted(value: object) -> bool:
    return isinstance(value, str) and "." in value and _DOTTED.fullmatch(value) is not None


def _absolute(dotted: str, package: str) -> Name:
    """Return the parts of a dotted name, which may begin with dots that stand for `package` and those above."""
    name = dotted.lstrip(".")
    level = len(dotted) - len(name)
    parents = package.split(".") if level and package else []
    return (*parents[: max(len(parents) - level + 1, 0)], *(name.split(".") if name else ()))


def _resolve(
    name: Name, stem: int, places: Iterable[Path], stamps: dict[Path, Stamp]
) -> Iterator[tuple[Path, bool]]:
    """Yield the files that importing `name` executes, and whether they are meant or lie on the way.

    The folders that are looked into are added to `stamps`, as they were before.
    """
    for place in places:
        for depth, part in enumerate(name, 1):
            if place not in stamps:
                stamps[place] = _stamp(place)
            module, package = place / f"{part}.py", place / part / "__init__.py"
            if part == "*":
                yield from _star(place, stamps)
            elif package.is_file():
                yield package, depth >= stem
            elif module.is_file():
                yield module, True
                break
            place = place / part
            if not place.is_dir():  # a folder without __init__.py is a package too
                break


def _star(package: Path, stamps: dict[Path, Stamp]) -> Iterator[tuple[Path, bool]]:
    """Yield the submodules that a star import of `package` executes: those that its ``__all__`` names."""
    file = package / "__init__.py"
    names = _assigned(_parse_file(file, file.as_posix()), "__all__") if file.is_file() else None
    if isinstance(names, ast.List | ast.Tuple):
        for name in names.elts:
            yield from _resolve((str(getattr(name, "value", "")),), 1, [package], stamps)


def _assigned(tree: ast.Module, name: str) -> ast.expr | None:
    """Return what a module assigns to `name`, with an annotation or without."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and [getattr(t, "id", "") for t in targets] == [name]:
            return node.value
    return None


def _declared_reads(tree: ast.Module, name: str) -> tuple[str, ...]:
    value = _assigned(tree, "READS")
    if value is None:
        return ()
    patterns = [getattr(item, "value", None) for item in getattr(value, "elts", [None])]
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise ValueError(
            f'READS of {name} is {ast.unparse(value)}; write patterns as READS = ("data/*.csv",)'
        )
    return tuple(patterns)


def _files_read(patterns: Iterable[str], root: Path, stamps: dict[Path, Stamp]) -> dict[Path, str]:
    """Return the digests of the files that match; they and their folders are added to `stamps`."""
    found = {}
    for pattern in patterns:
        above, _, _ = pattern.rpartition("/")
        fixed = above[: re.search(r"[*?[]|$", above).start()]
        below = (root / fixed).rglob("*") if fixed != above else ()
        stamps |= {path: _stamp(path) for path in (root / fixed, *below)}
        for path in root.glob(pattern):
            if path.is_file():
                stamps[path] = _stamp(path)
                found[path] = digest(path.read_bytes())
    return found


def tree_files(folder: Path) -> list[Path]:
    """Return all files below `folder`, sorted; an absent folder has none.

    Links to folders are followed, except back to a folder that they lie in. Folders with names that begin with
    a dot are left out: tools work in them. So are folders that may not be read.
    """
    return sorted(_files_below(Path(folder), frozenset()))


def _files_below(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    if not folder.is_dir() or folder.resolve() in above:
        return
    try:
        within = list(folder.iterdir())
    except (
        PermissionError
    ):  # the lost+found of a disk that is a data set's folder: nobody reads what is in it
        return
    for path in within:
        if path.is_file():
            yield path
        elif not path.name.startswith("."):
            yield from _files_below(path, above | {folder.resolve()})


def files_digest(files: Sequence[Path], root: Path, memory: dict | None = None) -> str:
    """Return one digest over the names (relative to `root`) and bytes of `files`.

    Parameters
    ----------
    files : sequence of Path
        Files below `root`; their order does not matter.
    root : Path
        What the names are relative to, so that the digest is the same wherever the folder lies.
    memory : dict, optional
        Digests known from earlier, keyed by path, size and time of change: a file that has not changed is not
        read again. Updated.
    """
    memory = {} if memory is None else memory
    rows = []
    for path in sorted(files):
        stat = path.stat()
        key = f"{path}|{stat.st_size}|{stat.st_mtime_ns}"
        if key not in memory:
            with path.open("rb") as stream:
                memory[key] = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
        rows.append([path.relative_to(root).as_posix(), memory[key]])
    return digest(sorted(rows))
