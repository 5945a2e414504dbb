"""Reference results are records of real runs, and README's table is made from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import Toy

from segstudy.errors import StudyError
from segstudy.fingerprint import code_digest
from segstudy.study.gallery import LARGEST, gallery
from segstudy.study.project import load_project
from segstudy.study.reference import (
    BEGIN,
    END,
    END_OF_FIGURES,
    FIGURES,
    keep,
    references,
    results_table,
    write_results,
)
from segstudy.study.state import SAME, same_results

ROOT = Path(__file__).resolve().parents[2]


def test_readme_s_results_are_those_of_the_reference_records():
    """Fails when code changed and `python -m segstudy reference` was not run: stale rows have to be marked."""
    text, project = (ROOT / "README.md").read_text(), load_project(ROOT)
    table = text.split(BEGIN)[1].split(END)[0].strip()
    assert table == results_table(project).strip()
    assert "00_start_here" in table
    shown = text.split(FIGURES)[1].split(END_OF_FIGURES)[0].strip()
    assert shown == gallery(ROOT, references(project)).strip()


@pytest.mark.parametrize("path", sorted((ROOT / "reports" / "reference").glob("*/*/run.json")), ids=str)
def test_a_reference_record_is_whole(path: Path):
    run = json.loads(path.read_text())
    assert (
        run["status"] == "ok" and run["data"] and run["versions"]["torch"] and run["fingerprint"]["modules"]
    )
    metrics = json.loads((path.parent / "metrics.json").read_text())
    assert metrics and all(row["n"] > 0 for row in metrics.values())
    for table in run["tables"]:
        assert (path.parent / table["file"]).is_file()
    drawn = {figure["file"] for figure in run["figures"] if figure.get("drawn")}
    for picture in path.parent.glob("figures/*"):
        assert f"figures/{picture.name}" in drawn, f"{picture.name} may show photographs"
        assert picture.suffix == ".png" and picture.stat().st_size < LARGEST, picture.name
    for row in run["headline"]:
        assert any(abs(row["ours"] - metric["mean"]) < 1e-12 for metric in metrics.values()), row["name"]


def test_records_are_kept_and_rows_of_changed_code_are_marked(finished: Toy):
    readme = finished.root / "README.md"
    readme.write_text(f"# Toy\n{BEGIN}\nold\n{END}\nafter\n{FIGURES}{END_OF_FIGURES}\nlast\n")
    assert finished.call("reference", "smoke").returncode == 0
    text = readme.read_text()
    assert "| ours | ± over seeds (n) | ± over pictures (n) | published |" in text
    assert "| 00_first | smoke," in text and "| 40.500 | 0.707 (2) | – | – | yes |" in text
    assert f"{END}\nafter\n" in text and "old" not in text and text.endswith(f"{END_OF_FIGURES}\nlast\n")
    deep = finished.root / "toy" / "deep.py"
    before = deep.read_text()
    deep.write_text(before.replace("20", "22"))
    write_results(load_project(finished.root))
    deep.write_text(before)
    assert "stale: 1 files changed since" in readme.read_text()


def test_a_change_that_is_shown_to_change_no_result_makes_no_record_stale(finished: Toy):
    """Two edits one after another, each listed; a third that is not."""
    readme = finished.root / "README.md"
    readme.write_text(f"{BEGIN}{END}{FIGURES}{END_OF_FIGURES}")
    assert finished.call("reference", "smoke").returncode == 0
    deep, project = finished.root / "toy" / "deep.py", load_project(finished.root)
    before, digests = deep.read_text(), [code_digest(deep.read_text())]
    lines = ["module,before,after,shown_by"]
    for number in (21, 22):
        deep.write_text(before.replace("20", str(number)))
        digests.append(code_digest(deep.read_text()))
        lines.append(f"toy/deep.py,{digests[-2]},{digests[-1]},tests/test_deep.py::test_it")
    (finished.root / SAME).write_text("\n".join(lines) + "\n")
    listed = [(record["changed"], record["edited"]) for record in references(project)]
    table = results_table(project)
    deep.write_text(before.replace("20", "23"))
    unlisted = [record["changed"] for record in references(load_project(finished.root))]
    deep.write_text(before)
    (finished.root / SAME).unlink()
    assert listed == [([], ["toy/deep.py"]), ([], [])] and "stale" not in table
    assert "with the same results" in table and "toy/deep.py." in table
    assert unlisted == [["toy/deep.py"], []]


def test_code_that_has_moved_to_another_module_makes_no_record_stale(finished: Toy):
    readme = finished.root / "README.md"
    readme.write_text(f"{BEGIN}{END}{FIGURES}{END_OF_FIGURES}")
    assert finished.call("reference", "smoke").returncode == 0
    deep = finished.root / "toy" / "deep.py"
    moved, code = deep.with_name("moved.py"), deep.read_text()
    importing = [path for path in deep.parent.glob("*.py") if "deep" in path.read_text() and path != deep]
    before = {path: path.read_text() for path in importing}
    deep.rename(moved)
    for path, text in before.items():
        path.write_text(text.replace("deep", "moved"))
    rows = [("toy/deep.py", code_digest(code), ""), ("toy/moved.py", "", code_digest(code))]
    rows += [(f"toy/{p.name}", code_digest(text), code_digest(p.read_text())) for p, text in before.items()]
    lines = [
        "module,before,after,shown_by",
        *(",".join((*row, "tests/test_deep.py::test_it")) for row in rows),
    ]
    changed = []
    for kept in (lines, lines[:1] + lines[2:]):  # the second says nothing of the module that is gone
        (finished.root / SAME).write_text("\n".join(kept) + "\n")
        changed.append([record["changed"] for record in references(load_project(finished.root))])
    moved.rename(deep)
    for path, text in before.items():
        path.write_text(text)
    (finished.root / SAME).unlink()
    assert importing and changed[0] == [[], []] and ["toy/deep.py"] in changed[1]


def test_each_change_without_effect_names_a_test_that_shows_it():
    rows = same_results(load_project(ROOT))
    known = {row["before"] for row in rows}
    for row in rows:
        path, _, test = row["shown_by"].partition("::")
        assert f"def {test}(" in (ROOT / path).read_text(), row["shown_by"]
        now = code_digest((ROOT / row["module"]).read_text()) if row["after"] else ""
        assert row["after"] == now or row["after"] in known, f"{row['module']} has changed since"


def test_a_readme_without_marks_is_left_alone(finished: Toy):
    readme = finished.root / "README.md"
    readme.write_text("# Toy\n")
    with pytest.raises(StudyError, match="marks"):
        write_results(load_project(finished.root))
    assert readme.read_text() == "# Toy\n"


def noise(path: Path, side: int) -> None:
    """Draw what PNG cannot compress: 3 bytes a pixel, 1 in 256 colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_drawn_figures_are_kept_small_and_no_other_is(toy: Toy, capsys: pytest.CaptureFixture):
    """200 pixels a side are 120 kB as they are; 300 are 270 kB, and 90 in 256 colours; 500 are 250 in 256 colours."""
    project, report = load_project(toy.root), toy.report("00_first").parent
    sides = {"small": 200, "large": 300, "huge": 500, "photograph": 50}
    for name, side in sides.items():
        noise(report / "figures" / f"{name}.png", side)
    figures = [
        {
            "file": f"figures/{name}.png",
            "alt": "a [b]",
            "caption": f"The {name} one | 1",
            "drawn": name != "photograph",
        }
        for name in sides
    ]
    blank = {
        "status": "ok",
        "fingerprint": {},
        "started": "",
        "seconds": 1,
        "cached_seconds": 0,
        "failure": None,
    }
    run = blank | {"notebook": "00_first", "profile": "smoke", "figures": figures}
    run |= {"headline_figure": "figures/large.png"}
    (report / "run.json").write_text(json.dumps(run))
    place = keep(project, "smoke", "00_first")
    assert sorted(path.name for path in place.glob("figures/*")) == ["large.png", "small.png"]
    assert all(path.stat().st_size < LARGEST for path in place.glob("figures/*"))
    assert np.asarray(Image.open(place / "figures" / "small.png")).shape == (200, 200, 3)
    assert "figures/huge.png is larger than 150 kB and is left out" in capsys.readouterr().err
    folder = "reports/reference/smoke/00_first/figures"
    large = f"![a (b)]({folder}/large.png) 00_first: The large one / 1"
    small = f"![a (b)]({folder}/small.png) 00_first: The small one / 1"
    assert gallery(toy.root, [run]) == f"| | |\n|---|---|\n| {large} | {small} |\n"


def test_the_gallery_has_six_figures_and_each_notebook_gives_one_in_turn(tmp_path: Path):
    records = []
    for notebook, count in (("00", 5), ("01", 1), ("03", 4)):
        files = [f"figures/{i}.png" for i in range(count)]
        for file in files:
            noise(tmp_path / "reports/reference/real" / notebook / file, 2)
        rows = [{"file": file, "alt": "a", "caption": file, "drawn": True} for file in files]
        record = {"notebook": notebook, "profile": "real", "figures": rows, "headline_figure": files[-1]}
        records.append(record)
    rows = gallery(tmp_path, records).splitlines()[2:]
    cells = [cell.split(") ")[1] for row in rows for cell in row.strip("| ").split(" | ")]
    order = [("00", 4), ("01", 0), ("03", 3), ("00", 0), ("03", 0), ("00", 1)]
    assert cells == [f"{notebook}: figures/{i}.png" for notebook, i in order]


def test_a_gallery_of_nothing_is_empty(tmp_path: Path):
    assert (
        gallery(tmp_path, [{"notebook": "00", "profile": "real", "figures": [], "headline_figure": None}])
        == ""
    )
