"""Fingerprints change with what matters and with nothing else."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from segstudy import fingerprint
from segstudy.errors import StudyError
from segstudy.fingerprint import code_digest, files_digest, import_closure, module_closure, tree_files


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A package with a chain of imports of every kind: a -> b -> sub.c, and a registry that names d in a string."""
    package = tmp_path / "house"
    (package / "sub").mkdir(parents=True)
    (tmp_path / "numbers.csv").write_text("1\n")
    files = {
        "__init__.py": "",
        "a.py": "from house.b import x\nimport os\n",
        "b.py": "def x():\n    from .sub import c\n    return c.y\n",
        "sub/__init__.py": "",
        "sub/c.py": 'y = 1\nREADS = ("*.csv",)\n',
        "registry.py": 'MODULES = {"d": "house.d:open_d"}\nNEAR = ".sub.c"\n',
        "d.py": "z = 1\n",
        "alone.py": "w = 1\n",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    return tmp_path


def test_closure_follows_absolute_relative_and_lazy_imports(house: Path):
    closure = import_closure("import house.a", house)
    modules = {"house/__init__.py", "house/a.py", "house/b.py", "house/sub/__init__.py", "house/sub/c.py"}
    assert set(closure) == modules | {"numbers.csv"}


def test_closure_follows_names_in_strings(house: Path):
    closure = import_closure("import house.registry", house)
    assert "house/d.py" in closure and "house/sub/c.py" in closure and "house/alone.py" not in closure


def test_a_change_two_modules_away_changes_the_closure_and_prose_does_not(house: Path):
    before = import_closure("import house.a", house)
    (house / "house" / "sub" / "c.py").write_text('"""New words."""\ny = 1  # why\nREADS = ("*.csv",)\n')
    assert import_closure("import house.a", house) == before
    (house / "house" / "sub" / "c.py").write_text('y = 2\nREADS = ("*.csv",)\n')
    after = import_closure("import house.a", house)
    assert {name for name in after if after[name] != before[name]} == {"house/sub/c.py"}


def test_a_change_in_a_file_a_module_reads(house: Path):
    before = import_closure("import house.a", house)
    (house / "numbers.csv").write_text("2\n")
    after = import_closure("import house.a", house)
    assert {name for name in after if after[name] != before[name]} == {"numbers.csv"}


def test_module_closure_holds_the_module_itself(house: Path):
    assert set(module_closure(house / "house" / "d.py", house)) == {"house/__init__.py", "house/d.py"}


@pytest.mark.parametrize("reads", ['READS = "*.csv"', "READS = ALL", "READS = (1,)"])
def test_reads_that_are_no_list_of_patterns_are_refused_by_name(house: Path, reads: str):
    (house / "house" / "alone.py").write_text(reads)
    with pytest.raises(ValueError, match=r"READS of house/alone\.py"):
        import_closure("import house.alone", house)


def test_a_module_that_another_reads_as_a_file_is_followed_too(house: Path):
    (house / "house" / "alone.py").write_text('READS = ("house/a.py",)\nimport house.a')
    assert "house/b.py" in import_closure("import house.alone", house)


def test_annotated_reads_count(house: Path):
    (house / "house" / "alone.py").write_text('READS: tuple[str, ...] = ("*.csv",)')
    assert "numbers.csv" in import_closure("import house.alone", house)


def test_closure_goes_through_folders_without_init(house: Path):
    (house / "plain" / "below").mkdir(parents=True)
    (house / "plain" / "below" / "e.py").write_text("import house.d")
    for source in ("import plain.below.e", "from plain.below import e"):
        assert {"plain/below/e.py", "house/d.py"} <= set(import_closure(source, house))


def test_a_star_import_follows_the_submodules_that_all_names(house: Path):
    (house / "house" / "sub" / "__init__.py").write_text('__all__ = ["c", "absent"]')
    closure = import_closure("from house.sub import *", house)
    assert {"house/sub/__init__.py", "house/sub/c.py"} <= set(closure)
    (house / "house" / "sub" / "__init__.py").write_text('__all__ = ["other"]')
    assert "house/sub/c.py" not in import_closure("from house.sub import *", house)
    assert "house/d.py" in import_closure("from house.d import *", house)


def test_packages_on_the_way_count_by_their_own_code_alone(house: Path):
    (house / "house" / "sub" / "__init__.py").write_text("import house.alone")
    for source in (
        "from house.sub.c import y",
        "f = 'house.sub.c:y'",
        "from house import d; from house.sub.c import y",
    ):
        closure = import_closure(source, house)
        assert {"house/sub/__init__.py", "house/sub/c.py"} <= set(closure) and "house/alone.py" not in closure
    for source in (
        "import house.sub.c",
        "from house.sub import y",
        "from house.sub import c",
        "f = 'house.sub'",
    ):
        assert "house/alone.py" in import_closure(source, house), source
    both = import_closure("from house.sub.c import y; import house.sub", house)  # whichever comes first
    assert "house/alone.py" in both


@pytest.mark.parametrize("words", ['".c", "house.sub"', '"..d", package="house.sub"'])
def test_a_relative_name_with_its_package_is_followed(house: Path, words: str):
    closure = import_closure(f"import importlib\nimportlib.import_module({words})", house)
    assert ("house/sub/c.py" if ".c" in words else "house/d.py") in closure


def test_modules_beside_a_notebook_are_followed(house: Path):
    (house / "notebooks" / "kit").mkdir(parents=True)
    (house / "notebooks" / "helper.py").write_text("import house.d\nimport kit.tool")
    (house / "notebooks" / "kit" / "__init__.py").write_text("")
    (house / "notebooks" / "kit" / "tool.py").write_text("from . import other")
    (house / "notebooks" / "kit" / "other.py").write_text("")
    assert import_closure("import helper", house) == {}
    modules = {"notebooks/helper.py", "house/__init__.py", "house/d.py"}
    modules |= {f"notebooks/kit/{name}.py" for name in ("__init__", "tool", "other")}
    assert set(import_closure("import helper", house, beside=("notebooks",))) == modules


def test_modules_are_read_as_python_reads_them(house: Path):
    (house / "house" / "alone.py").write_bytes(b"\xef\xbb\xbfimport house.d")
    (house / "house" / "a.py").write_bytes(b"# coding: latin-1\nx = '\xe9'\nimport house.alone")
    assert "house/d.py" in import_closure("import house.a", house)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"x = 1\ny = (", r"house/alone\.py, line 2"),
        (b"x = '\xe9'", r"house/alone\.py: "),
        (b"\0", "alone"),
    ],
)
def test_a_module_that_is_no_python_is_named_with_its_line(house: Path, content: bytes, words: str):
    (house / "house" / "alone.py").write_bytes(content)
    with pytest.raises(StudyError, match=words):
        import_closure("import house.alone", house)


def test_code_that_is_no_python_is_named_where_it_has_a_name():
    with pytest.raises(StudyError, match=r"00_start, cell 3, line 2"):
        code_digest("x = 1\n1x", "00_start, cell 3")
    with pytest.raises(SyntaxError):
        code_digest("1x")


@pytest.mark.parametrize(
    "same",
    ["def f():\n    return 1\n", 'def f():\n    """Words."""\n    return 1', "# c\ndef f(): return (1)"],
)
def test_code_digest_ignores_words_and_layout(same: str):
    assert code_digest(same) == code_digest("def f():\n    return 1")


@pytest.mark.parametrize(
    "other", ["def f():\n    return 2", "def g():\n    return 1", "def f():\n    '1'\n    return '1'"]
)
def test_code_digest_sees_code(other: str):
    assert code_digest(other) != code_digest("def f():\n    return 1")


PIECES = [
    ("x = ['', 'a']", "x = ['a']"),
    ("x = 1", "x = True"),
    ("x = 1", "x = 1.0"),
    ("x = 'a'", "x = b'a'"),
    ("x = f'{a}'", "x = f'{a} '"),
    ("x = f'{a!r:>3}'", "x = f'{a!r:>4}'"),
    ("f(*a)", "f(**a)"),
    ("del x", "x"),
    ("x: int", "x: float"),
    ("def f(a, /): ...", "def f(a): ..."),
    ("def f(a=None): ...", "def f(a): ..."),
    ("async def f(): ...", "def f(): ..."),
    ("a < b", "a <= b"),
    ("a[1:]", "a[:1]"),
    ("from . import a", "from .. import a"),
    ("import a as b", "import a"),
    ("global x", "nonlocal x"),
    ("lambda: 0", "lambda: 1"),
    ("try:\n    a\nexcept E:\n    b", "try:\n    a\nexcept F:\n    b"),
]


@pytest.mark.parametrize("one, other", PIECES)
def test_code_digest_tells_small_differences_apart(one: str, other: str):
    assert code_digest(one) != code_digest(other)


def test_code_digest_is_the_same_in_every_version_of_python():
    """Results filled on another machine are looked up by it; these were made by Python 3.11, 3.12 and 3.13."""
    source = "def f(a, *b, c=1, **d) -> int:\n    'words'\n"
    source += "    return f'{a!r:>{c}}' f'{b}x' if d else ('', [None, ...])\n"
    assert code_digest(source) == "421aed19e829c524"
    assert code_digest("class A(B):\n    x: int = 0\n\n    @p\n    def g(self): ...\n") == "47f3524c93ea47f0"


def test_files_digest_goes_by_name_and_bytes_wherever_the_folder_lies(tmp_path: Path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_text("A")
        (tmp_path / folder / "b").write_text("B")
    one, two = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "two"))
    digest = files_digest(one, tmp_path / "one")
    assert files_digest(two[::-1], tmp_path / "two") == digest
    two[0].rename(two[0].with_name("c"))
    assert files_digest(sorted((tmp_path / "two").iterdir()), tmp_path / "two") != digest
    memory: dict = {}
    assert files_digest(one, tmp_path / "one", memory) == digest and len(memory) == 2
    one[0].write_text("AA")
    assert files_digest(one, tmp_path / "one", memory) != digest


def test_tree_files_follows_links_and_leaves_out_working_folders(tmp_path: Path):
    for name in ("data/a/b.png", "data/.cache/junk", "data/.hidden.csv", "far/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    data = tmp_path / "data"
    (data / "linked").symlink_to(tmp_path / "far")
    (data / "a" / "up").symlink_to(data)  # a loop
    (tmp_path / "far" / "back").symlink_to(data / "a")  # a loop by way of another folder
    (data / "broken").symlink_to(tmp_path / "absent")
    (data / "itself").symlink_to(data / "itself")
    (data / "file.png").symlink_to(tmp_path / "far" / "c.png")
    names = [path.relative_to(data).as_posix() for path in tree_files(data)]
    assert names == [".hidden.csv", "a/b.png", "file.png", "linked/back/b.png", "linked/c.png"]
    assert tree_files(tmp_path / "absent") == []


def test_a_loader_counts_where_its_name_stands_and_nowhere_else():
    root = Path(__file__).resolve().parents[1]
    none, one = (
        import_closure(
            f"from segstudy.datasets import open_dataset\nopen_dataset({name}, split='train')", root
        )
        for name in ("name", "'voc'")
    )
    assert {path for path in one if path not in none} == {
        "segstudy/datasets/found.py",
        "segstudy/datasets/masks.py",
        "segstudy/datasets/pictures.py",
        "segstudy/datasets/tiff.py",
        "segstudy/datasets/voc.py",
    }


def test_every_template_is_in_the_closure_of_the_report():
    root = Path(__file__).resolve().parents[1]
    page = root / "segstudy" / "study" / "page"
    templates = {
        file.relative_to(root).as_posix() for file in page.iterdir() if file.suffix not in (".py", "")
    }
    assert len(templates) >= 6
    assert templates <= set(module_closure(root / "segstudy" / "study" / "report.py", root))


def test_a_remembered_closure_is_the_one_that_would_be_found_anew(tmp_path: Path):
    """After each change of files or folders on which it hangs, and many times without any."""
    (tmp_path / "house" / "bare").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    files = {
        "house/__init__.py": "",
        "house/room.py": 'READS = ("notes/*.txt",)\nfrom house import other\nimport house.bare.late\n',
        "house/other.py": "A = 1\n",
    }
    changes = [
        {"house/other.py": "A = 22\n"},
        {"house/bare/late.py": "B = 1\n"},  # a folder that was empty, and no package
        {"notes/first.txt": "words"},
        {"notes/first.txt": "other words"},
        {"house/other/__init__.py": "A = 3\n"},  # goes before the module of its name
        {"house/room.py": "C = 1\n"},
    ]
    seen = []
    for change in [files, *changes]:
        for name, text in change.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        remembered = [module_closure(tmp_path / "house" / "room.py", tmp_path) for _ in range(3)]
        fingerprint._closures.clear()
        anew = module_closure(tmp_path / "house" / "room.py", tmp_path)
        assert remembered == [anew] * 3
        seen.append(anew)
    assert all(before != after for before, after in pairwise(seen))
