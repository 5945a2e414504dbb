"""Bad notebooks and bad input never run code that the user did not ask for.

What stands elsewhere: archives and downloads, in tests/datasets (test_archives, test_damaged_archives, test_downloads);
scripts, addresses and texts of a record, in tests/study (test_report, test_index); names of a user's pictures, in
tests/study/test_segment_command; files of results with foreign names, in test_cache.
"""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import IPython.display
import numpy as np
import pandas as pd
import pytest
import torch
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output
from papermill.parameterize import parameterize_notebook
from toy import ROOT, Toy

from segstudy.cache import Cache
from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.experiments.images.checkpoints import FORMAT, load_checkpoint
from segstudy.experiments.tour.jobs import open_named
from segstudy.nn.backbones import backbone
from segstudy.study.experiments import experiments_of, networks_of
from segstudy.study.index import render_index
from segstudy.study.parameters import parse_setting
from segstudy.study.pictures_page import picture_source, render_pictures
from segstudy.study.project import load_project
from segstudy.study.record import Record
from segstudy.study.report import render_report

SCRIPT = "<script>alert(1)</script>"  # a class
PICTURE = '"><img src=x onerror=alert(1)>.png'  # a file
EVIL = f"{SCRIPT} {PICTURE} '><svg onload=alert(1)> --><!--"


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A toy study in a folder of its own."""
    return Toy(tmp_path / "toy")


# What study.yaml says


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "..", ".", "-x", "a b", "x.y", ""])
def test_a_notebook_s_name_leads_to_no_other_folder(toy: Toy, name: str):
    toy.study.write_text(json.dumps({"notebooks": {name: {"profiles": {"smoke": {}}}}}))
    with pytest.raises(StudyError, match="letters, digits, - and _ alone"):
        load_project(toy.root)


@pytest.mark.parametrize(
    "entry", ["os.path:join", "subprocess:call", "numpy:array", "__main__:x", "nowhere:x"]
)
def test_experiments_are_of_the_study_s_own_modules(toy: Toy, entry: str):
    toy.edit(toy.study, "toy.shallow:experiments", entry)
    toy.edit(toy.study, f"experiments: {entry}", f"experiments: {entry}\n    networks: {entry}")
    notebook = load_project(toy.root).notebooks["00_first"]
    for read, key in ((experiments_of, "experiments"), (networks_of, "networks")):
        with pytest.raises(StudyError, match=f"{key}: .* is no module of this study"):
            read(notebook, {"true": 1})


def test_a_module_in_the_project_s_folder_is_the_study_s_own(toy: Toy, monkeypatch: pytest.MonkeyPatch):
    (toy.root / "own_module.py").write_text("experiments = list")
    toy.edit(toy.study, "toy.shallow:experiments", "own_module:experiments")
    monkeypatch.syspath_prepend(str(toy.root))
    assert experiments_of(load_project(toy.root).notebooks["00_first"], {"factor": 2}) == ["factor"]


@pytest.mark.parametrize(
    "entry", ["../x:y", "toy.shallow:a.b", "toy/shallow:a", "toy;import os:a", ":a", "a:"]
)
def test_experiments_name_a_module_and_a_function_alone(toy: Toy, entry: str):
    toy.edit(toy.study, "toy.shallow:experiments", json.dumps(entry))
    with pytest.raises(StudyError, match="write module:function"):
        load_project(toy.root)


@pytest.mark.parametrize("name", ["../../etc", "/etc", "voc/../../etc", "."])
def test_a_data_set_s_name_leads_to_no_other_folder(toy: Toy, name: str, tmp_path: Path):
    toy.edit(toy.study, "smoke: {minutes: 0.1}", f"smoke: {{data: [{name}]}}")
    with pytest.raises(StudyError, match="unknown data set"):
        load_project(toy.root)
    for opening in (lambda: open_dataset(name, tmp_path), lambda: open_named(f"{name}/train", 64)):
        with pytest.raises(ValueError, match="unknown (data set|split)"):
            opening()


def test_yaml_makes_plain_values_alone(toy: Toy):
    bomb = f"!!python/object/apply:os.mkdir [{toy.root}/gone-off]"
    toy.study.write_text(f"notebooks: {{00_first: {bomb}}}")
    with pytest.raises(StudyError, match="could not determine a constructor"):
        load_project(toy.root)
    with pytest.raises(StudyError, match="is not a value"):
        parse_setting(f"factor={bomb}")
    assert not (toy.root / "gone-off").exists()


@pytest.mark.parametrize("text", ['"); open("x")  # ', "\\", "'''\"\"\"\n\r\\n{}%s", EVIL])
def test_a_parameter_s_text_is_a_literal_in_the_notebook(text: str):
    notebook = new_notebook(cells=[new_code_cell("word = ''", metadata={"tags": ["parameters"]})])
    notebook.metadata["papermill"] = {}
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "python"}
    given = {"word": text, "words": [text], "named": {text: text}}
    injected = parameterize_notebook(notebook, given).cells[1].source
    found = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(injected).body}
    assert found == given


# What is loaded


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def bomb(tmp_path: Path) -> Iterator[Bomb]:
    """A bomb, shown to go off, that is not to have gone off in the test."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "tried")))
    assert (tmp_path / "tried").is_dir()
    yield Bomb(tmp_path / "gone-off")
    assert not (tmp_path / "gone-off").exists()


def test_a_checkpoint_of_train_runs_nothing(bomb: Bomb, tmp_path: Path):
    torch.save({"format": FORMAT, "card": {"method": bomb}, "state": {}}, tmp_path / "bad.pt")
    with pytest.raises(StudyError, match=r"bad\.pt is no checkpoint"):
        load_checkpoint(tmp_path / "bad.pt")


def test_weights_of_a_backbone_run_nothing(bomb: Bomb, tmp_path: Path):
    torch.save({"conv1.weight": bomb}, tmp_path / "bad.pth")
    with pytest.raises(StudyError, match=r"bad\.pth cannot be read as weights"):
        backbone("timm:resnet18", tmp_path / "bad.pth")


def result(bomb: Bomb) -> bytes:
    """Return a kept result whose value is an array of objects."""
    record = {"value": {"__array__": "array0"}, "seconds": 1.0, "made": {}}
    buffer = io.BytesIO()
    np.savez(buffer, record=np.array(json.dumps(record)), array0=np.array([bomb], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["in an archive of arrays", "alone"])
def test_collected_results_hold_no_pickle(bomb: Bomb, tmp_path: Path, form: str):
    content = pickle.dumps(bomb) if form == "alone" else result(bomb)
    with zipfile.ZipFile(tmp_path / "results.zip", "w") as archive:
        archive.writestr("0123456789abcdef-2.0.npz", content)
    with pytest.raises(StudyError, match="not a file of kept results"):
        Cache(tmp_path / "cache").collect(tmp_path / "results.zip")
    assert not (tmp_path / "cache").exists()


# What the code calls

CODE = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"pickle": {"load", "loads", "Unpickler"}, "marshal": {"load", "loads"}, "shelve": {"open"}}
UNSAFE |= {"yaml": {"load", "load_all", "full_load", "unsafe_load"}, "os": {"system", "popen"}}
UNSAFE |= {"joblib": {"load"}, "dill": {"load", "loads"}, "pd": {"read_pickle"}, "pandas": {"read_pickle"}}
UNSAFE |= {"hub": {"load"}, "jit": {"load"}, "code": {"interact"}}
ALLOWED = {
    # the answer of its own process, through a pipe
    "segstudy/experiments/memory.py": ["pickle.loads"],
    # with a loader that is yaml.safe_load's own
    "segstudy/study/project.py": ["yaml.load"],
}


def unsafe_calls(source: str) -> list[str]:
    """Return what in a source may run what it reads."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names} & UNSAFE.get(node.module or "", set())
            found += [f"{node.module}.{name}" for name in sorted(names)]
        elif isinstance(node, ast.Call):
            found += unsafe_call(node)
    return found


def unsafe_call(call: ast.Call) -> list[str]:
    """Return the call, where it may run what it reads."""
    given = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
    if isinstance(call.func, ast.Name):
        return [call.func.id] * (call.func.id in CODE)
    if not isinstance(call.func, ast.Attribute):
        return []
    name, owner = call.func.attr, ast.unparse(call.func.value).rpartition(".")[2]
    unsafe = name in UNSAFE.get(owner, ()) or given.get("shell", False) is not False
    unsafe |= (owner, name) == ("torch", "load") and given.get("weights_only") is not True
    unsafe |= given.get("allow_pickle", False) is not False
    return [f"{owner}.{name}"] * unsafe


@pytest.mark.parametrize(
    "source",
    ["torch.load(p)", "torch.load(p, weights_only=no)", "np.load(p, allow_pickle=True)", "pickle.load(f)"]
    + ["from pickle import loads", "yaml.load(t)", "eval(t)", "exec(t)", "torch.hub.load(p)", "os.system(t)"]
    + ["subprocess.run(t, shell=True)", "pd.read_pickle(p)"],
)
def test_the_check_of_calls_finds(source: str):
    assert len(unsafe_calls(source)) == 1


@pytest.mark.parametrize(
    "source",
    ["torch.load(p, weights_only=True)", "np.load(p)", "model.eval()", "re.compile(t)", "json.load(f)"],
)
def test_the_check_of_calls_leaves_alone(source: str):
    assert unsafe_calls(source) == []


def test_nothing_that_is_read_is_run():
    paths = [*(ROOT / "segstudy").rglob("*.py"), *(ROOT / "notebooks" / "scripts").glob("*.py")]
    assert len(paths) > 100
    found = {
        path.relative_to(ROOT).as_posix(): unsafe_calls(path.read_text(encoding="utf-8")) for path in paths
    }
    assert {name: calls for name, calls in found.items() if calls} == ALLOWED


# What pages show


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], tuple[list, dict]]:
    """Let a record write; return what it displayed as a cell's outputs, and what it kept."""
    monkeypatch.setenv("SEGSTUDY_OUT", str(tmp_path))
    displayed: list = []
    monkeypatch.setattr(IPython.display, "display", displayed.append)

    def result() -> tuple[list, dict]:
        outputs = [new_output("display_data", {"text/html": html.data}) for html in displayed]
        return outputs, json.loads((tmp_path / "kept.json").read_text())

    return result


def harmless(page: str) -> BeautifulSoup:
    """Return a page after making sure that nothing in it runs or loads but what the study put there."""
    soup = BeautifulSoup(page, "html.parser")
    assert all("alert(1)" not in script.text for script in soup.find_all("script"))
    assert not [name for tag in soup.find_all(True) for name in tag.attrs if name.startswith("on")]
    sources = [str(picture.get("src")) for picture in soup.find_all("img")]
    assert all(source.startswith(("data:image/", "00/figures/")) for source in sources)
    assert not soup.find_all("svg", onload=True) and "<script>alert" not in page and "<img src=x" not in page
    return soup


class Named:
    """A data set that says nothing good."""

    name = split = note = EVIL

    def __len__(self) -> int:
        return 1

    def fingerprint(self) -> str:
        return EVIL


def test_what_data_sets_and_file_names_bring_is_text_on_every_page(shown):
    from matplotlib import pyplot as plt

    record = Record(seeds=[0], device=EVIL, features=EVIL)
    record.data(Named())
    record.table(pd.DataFrame({EVIL: [PICTURE], "class": [SCRIPT]}), "table", EVIL)
    record.figure(plt.figure(figsize=(1, 1)), "figure", EVIL, EVIL, headline=True)
    record.metric(EVIL, [0.1, 0.2], EVIL, over="pictures")
    record.headline(EVIL, EVIL, published=0.3, source=EVIL, on=EVIL)
    record.verdict(EVIL, EVIL, "holds", EVIL)
    record.left_out(EVIL)
    outputs, kept = shown()
    outputs += [new_output("stream", name="stdout", text=EVIL), new_output("error", ename=EVIL, evalue=EVIL)]
    outputs[-1]["traceback"] = [EVIL]
    outputs.append(new_output("execute_result", {"text/plain": EVIL}))
    failure = {"cell": 0, "heading": EVIL, "error": f"ValueError: {EVIL}"}
    run = kept | {"notebook": "00", "title": EVIL, "profile": "demo", "parameters": {"pictures": EVIL}}
    failed = run | {"status": "failed", "failure": failure}
    notebook = new_notebook(cells=[new_code_cell("show()", outputs=outputs)])
    page = harmless(render_report(notebook, failed, Path("/nowhere")))
    assert [cell.text for cell in page.select("main tbody td")] == [PICTURE, SCRIPT]
    assert page.select_one("main img")["alt"] == EVIL and SCRIPT in page.select_one(".banner pre").text
    index = render_index("demo", [run | {"folder": "00", "failed": failed, "reference": run}], [])
    assert harmless(index).text.count(SCRIPT) > 5


def test_a_class_and_a_picture_are_text_on_the_page_of_segment():
    source = picture_source(np.zeros((100, 100, 3), np.uint8))
    part = {"name": SCRIPT, "colour": "#000000", "share": 1}
    map_ = {
        "title": EVIL,
        "alt": EVIL,
        "seconds": 1.0,
        "source": source,
        "link": "labels/x.png",
        "parts": [part],
    }
    picture = {"name": PICTURE, "width": 1, "height": 1, "note": EVIL, "source": source, "maps": [map_]}
    method = {"title": EVIL, "told": EVIL, "weights": EVIL, "seconds": 1.0}
    page = harmless(render_pictures([method], [picture], [EVIL]))
    assert page.h2.text == PICTURE and SCRIPT in page.select_one(".parts").text


@pytest.mark.parametrize(
    "html",
    [
        "<!--><img src=x onerror=alert(1)>-->",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    ],
)
def test_what_parsers_read_in_two_ways_is_left_out(html: str):
    """A browser ends a comment, or takes a style for markup, where the parser that seals the page does not."""
    cell = new_code_cell("show()", outputs=[new_output("display_data", {"text/html": html})])
    harmless(render_report(new_notebook(cells=[cell]), {"notebook": "00"}, Path("/nowhere")))
