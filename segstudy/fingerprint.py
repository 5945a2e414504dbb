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
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

_DOTTED = re.compile(r"\.*[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?")


def digest(value: object) -> str:
    """Return the first 16 hex digits of the SHA-256 of `value` (bytes, str, or anything JSON can hold, its
    keys sorted).
    """
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(value).hexdigest()[:16]


def code_digest(source: str) -> str:
    """Return the digest of Python source without its comments, docstrings and layout."""
    tree = ast.parse(source)
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


def import_closure(source: str, root: Path, package: str = "") -> dict[str, str]:
    """Return what the code of `source` depends on within `root`: {relative path: digest}, the source itself
    left out.

    Parameters
    ----------
    source : str
        Python source, for example all code cells of a notebook.
    root : Path
        The project's folder; only packages that lie in it are followed (torch and the like count by their
        version, elsewhere).
    package : str
        The dotted package that `source` stands in, for relative imports.

    Returns
    -------
    dict of str to str
        Digests of modules (see `code_digest`) and of the files they declare in `READS`, by path relative to
        `root`.
    """
    root = Path(root).resolve()
    closure: dict[str, str] = {}
    queue = list(_imported(source, root, package))
    while queue:
        path = queue.pop()
        name = path.relative_to(root).as_posix()
        if name in closure:
            continue
        stat = path.stat()
        closure[name], imported, reads = _module(path, root, stat.st_mtime_ns, stat.st_size)
        queue.extend(imported)
        closure.update(_files_read(reads, root))
    return dict(sorted(closure.items()))


def module_closure(path: Path, root: Path) -> dict[str, str]:
    """Return `import_closure` of the module at `path`, the module itself included."""
    relative = Path(path).resolve().relative_to(Path(root).resolve())
    return import_closure(f"import {'.'.join(_module_name(relative))}", root)


@lru_cache(maxsize=4096)
def _module(
    path: Path, root: Path, mtime_ns: int, size: int
) -> tuple[str, tuple[Path, ...], tuple[str, ...]]:
    """Return a module's digest, the files it imports and the patterns of its READS; times and size only key
    the memory.
    """
    source = path.read_text(encoding="utf-8")
    relative = path.relative_to(root)
    parts = _module_name(relative)
    package = parts if relative.name == "__init__.py" else parts[:-1]
    return code_digest(source), tuple(_imported(source, root, ".".join(package))), _declared_reads(source)


def _module_name(relative: Path) -> tuple[str, ...]:
    parts = relative.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _imported(source: str, root: Path, package: str) -> Iterator[Path]:
    for name in _names(ast.parse(source), package):
        yield from _resolve(name, root)


def _names(tree: ast.AST, package: str) -> Iterator[tuple[str, ...]]:
    """Yield dotted names the tree imports, also as strings ("package.module:function"), which lazy registries
    use.
    """
    parents = tuple(package.split(".")) if package else ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else ()
            stem = base + tuple((node.module or "").split(".") if node.module else ())
            yield from (stem + (alias.name,) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            dotted = node.value.split(":")[0]
            level = len(dotted) - len(dotted.lstrip("."))
            base = parents[: len(parents) - level + 1] if level else ()
            if level or "." in dotted:
                yield base + tuple(dotted[level:].split("."))


def _resolve(name: tuple[str, ...], root: Path) -> Iterator[Path]:
    """Yield the files that importing `name` executes: every package on the way down, then the module."""
    place = root
    for part in name:
        module, package = place / f"{part}.py", place / part / "__init__.py"
        if package.is_file():
            yield package
            place = place / part
        elif module.is_file():
            yield module
            return
        else:
            return


def _declared_reads(source: str) -> tuple[str, ...]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["READS"]:
            return tuple(ast.literal_eval(node.value))
    return ()


def _files_read(patterns: Iterable[str], root: Path) -> dict[str, str]:
    files = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {path.relative_to(root).as_posix(): digest(path.read_bytes()) for path in files}


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
