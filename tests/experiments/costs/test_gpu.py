"""What GPU machines told: a file is taken up whole or refused, and every part has its table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from segstudy.errors import StudyError
from segstudy.experiments.costs import gpu, gpu_tables
from segstudy.fingerprint import import_closure, module_closure
from segstudy.study import cli
from segstudy.study.notebooks import read_script
from segstudy.study.record import Record

ROOT = Path(__file__).resolve().parents[3]


def row(name: str, state: str = gpu.OK, note: str = "", **columns) -> dict:
    return {"name": name, "state": state, "note": note} | columns


def compared(name: str, output: float, state: str = gpu.OK) -> dict:
    numbers = dict(zip(gpu.ERRORS, (output, 1e-4, 2 * output, 1e-2), strict=True))
    return row(name, state, "" if state == gpu.OK else "further away", precision="float32", **numbers)


def timed(group: str, name: str, *milliseconds: float) -> dict:
    return row(name, group=group, precision="bfloat16", **dict(zip(gpu.QUARTILES, milliseconds, strict=True)))


def check(device: str = "NVIDIA H200", **changes) -> dict:
    """Return what a file holds, of two parts that compare and one that measures."""
    results = {
        "networks": [
            compared("nn: UNet", 1e-6),
            compared("nn: backbone", 3e-6),
            compared("dgcn: AtrousHead", 1e-7),
        ],
        "losses": [compared("sgseg: edge_loss", 2e-2, gpu.FAILED), row("dgcn", gpu.SKIPPED, "lacks scipy")],
        "times": [
            timed(gpu.TABLE_6, "SCG-GCN", 1.0, 2.0, 3.0),
            timed(gpu.TABLE_6, "DUC [11]", 5.0, 6.0, 7.0),
            timed(gpu.TABLE_8, "512 × 512 × 3", 3.0, 4.0, 5.0),
            timed(gpu.VARIANTS, "SCG-GIN", 1.0, 2.0, 3.0),
        ],
    }
    made = [
        {"part": part, "state": gpu.OK, "note": "", "seconds": 1.5, "results": rows}
        for part, rows in results.items()
    ]
    about = {"format": gpu.FORMAT, "version": gpu.VERSION, "date": "2026-01-02", "device": device}
    about |= {"memory (GiB)": 139.8, "versions": {"torch": "2.11.0"}, "minutes": 8, "parts": made}
    return about | changes


def write(folder: Path, content: dict | str) -> Path:
    file = folder / "gpu.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_a_file_is_named_after_its_device_and_a_later_one_takes_its_place(tmp_path: Path):
    folder = tmp_path / "measured"
    gpu.collect(write(tmp_path, check()), folder)
    gpu.collect(write(tmp_path, check("Tesla <b>T4</b>/../x")), folder)
    place = gpu.collect(write(tmp_path, check(date="2027-01-01")), folder)
    assert place == folder / "nvidia_h200.json"
    assert sorted(file.name for file in folder.iterdir()) == ["nvidia_h200.json", "tesla_b_t4_b_x.json"]
    assert [found["date"] for found in gpu.collected(folder)] == ["2027-01-01", "2026-01-02"]
    assert gpu.collected(tmp_path / "nowhere") == []


BROKEN = {
    "not JSON": "{",
    "a list": "[]",
    "another format": check(format="else"),
    "another version": check(version=2),
    "an unknown key": check(hostname="tiger"),
    "nan": json.dumps(check()).replace("139.8", "NaN"),
    "infinite": json.dumps(check()).replace("139.8", "1e999"),
    "a text for a number": check(minutes="8"),
    "truth for a number": check(minutes=True),
    "a long text": check(device="x" * 501),
    "a text with a line break": check(device="a\nb"),
    "an unknown part": check(parts=[{"part": "speed", "state": gpu.OK, "note": "", "results": []}]),
    "a part twice": check(parts=check()["parts"] * 2),
    "a part that is none": check(parts=["networks"]),
    "an unknown state": check(parts=[{"part": "losses", "state": "fine", "note": "", "results": []}]),
    "a result without a name": check(
        parts=[{"part": "losses", "state": gpu.OK, "note": "", "results": [{}]}]
    ),
    "a column of another part": check(
        parts=[{"part": "memory", "state": gpu.OK, "note": "", "results": [row("a", **{"at once": 3})]}]
    ),
    "a deep nest": '{"format":' + "[" * 100_000,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_and_nothing_is_taken_up(kind: str, tmp_path: Path):
    file = write(tmp_path, BROKEN[kind])
    with pytest.raises(StudyError, match=r"gpu\.json is not a file that tests/gpu\.sh wrote"):
        gpu.collect(file, tmp_path / "measured")
    assert not (tmp_path / "measured").exists()


def test_a_file_that_lacks_a_key_is_refused(tmp_path: Path):
    for name in check():
        with pytest.raises(StudyError, match="gpu"):
            gpu.read(write(tmp_path, {key: value for key, value in check().items() if key != name}))


@pytest.mark.parametrize("content", ["words", "", "[1]"])
def test_the_command_refuses_what_is_neither_as_before(content: str, tmp_path: Path, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "study.yaml").write_text("notebooks: {}\n")
    file = write(tmp_path, content)
    for name in (file, tmp_path / "not there"):
        assert cli.main(["--project", str(tmp_path), "collect", str(name)]) == 2
        assert "is not a file of kept results" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_the_overview_counts_what_became_of_each_part():
    found = gpu_tables.overview([check()]).set_index("part")
    assert found.loc["losses", [gpu.OK, gpu.FAILED, gpu.SKIPPED]].tolist() == [0, 1, 1]
    assert found.loc["times", gpu.OK] == 4 and set(found["torch"]) == {"2.11.0"}
    told = gpu_tables.not_ok([check(), check()])
    assert told[["part", "name", "note"]].values.tolist() == [
        ["losses", "sgseg: edge_loss", "further away"],
        ["losses", "dgcn", "lacks scipy"],
    ]


def test_errors_are_told_by_room_with_their_spread():
    found = gpu_tables.errors_table([check()]).set_index("room")
    assert found.index.tolist() == ["nn", "dgcn", "sgseg"]
    assert found.loc["nn", "cases"] == 2
    assert found.loc["nn", "error of outputs, median"] == "2e-06"
    assert found.loc["nn", "error of outputs, largest"] == "3e-06"
    assert (
        found.loc["sgseg", "error of the gradient, largest"] == "4e-02"
        and found.loc["nn", "tolerated"] == "1e-04"
    )


def test_times_stand_beside_the_printed_ratios():
    found = gpu_tables.table([check()], "times").set_index("name")
    assert found.loc["SCG-GCN", "ratio, printed"] == 1 and found.loc["SCG-GCN", "frames a second"] == 500
    assert found.loc["DUC [11]", "ratio, printed"] == pytest.approx(68.24 / 6.08)
    assert found.loc["512 × 512 × 3", "ratio, printed"] == pytest.approx(178 / 91)
    assert found.loc["SCG-GIN", ["ratio, printed", "rounds"]].isna().all()


@pytest.mark.parametrize("checks", [[], [check()]], ids=["none", "one"])
def test_every_part_has_a_table_also_where_nothing_was_measured(checks: list):
    for name in gpu.MEASURED:
        found = gpu_tables.table(checks, name)
        assert (len(found) > 0) == (bool(checks) and name == "times")
        assert set(gpu.PARTS[name].numbers) < set(found.columns)
    assert set(gpu.COMPARED) | set(gpu.MEASURED) == set(gpu.PARTS)
    assert len(gpu_tables.errors_table(checks)) == 3 * len(checks) and len(
        gpu_tables.not_ok(checks)
    ) == 2 * len(checks)


def test_texts_are_escaped_where_they_are_shown(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda value: shown.append(value.data))
    Record().table(gpu_tables.overview([check("<script>alert()</script>")]), "gpu_parts", "what became")
    assert "&lt;script&gt;" in shown[0] and "<script>" not in shown[0]


@pytest.mark.parametrize("checks", [[], [check(), check("CPU")]], ids=["none", "two"])
def test_the_notebook_shows_what_was_collected_or_that_nothing_was(checks: list, tmp_path: Path, monkeypatch):
    cells = [cell.source for cell in read_script(ROOT / "notebooks/scripts/07_compare_costs.py").cells]
    monkeypatch.setattr(gpu, "collected", lambda: checks)
    monkeypatch.setenv("SEGSTUDY_OUT", str(tmp_path))
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda value: shown.append(value.data))
    names = {"record": Record()}
    for source in (cell for cell in cells if "gpu" in cell and "record." in cell and cell[0] != "#"):
        exec(source, names)
    written = {path.stem for path in (tmp_path / "tables").glob("*.csv")} if checks else set()
    assert written == ({"gpu_parts", "gpu_not_ok", "gpu_errors", "gpu_times"} if checks else set())
    page = " ".join(shown)
    assert ("tests/gpu.sh has not been collected" in page) == (not checks)
    assert ("14 results are ok, 2 failed, 2 were skipped" in page) == bool(checks)


def test_a_collected_file_makes_the_notebook_stale_and_no_kept_result(tmp_path: Path):
    for name in (
        "segstudy/__init__.py",
        "segstudy/experiments/__init__.py",
        "segstudy/experiments/costs/__init__.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(gpu.__file__, tmp_path / "segstudy/experiments/costs/gpu.py")
    source = "from segstudy.experiments.costs import gpu"
    before = import_closure(source, tmp_path)
    place = gpu.collect(write(tmp_path, check()), tmp_path / gpu.PLACE)
    added = import_closure(source, tmp_path).keys() - before.keys()
    assert added == {place.relative_to(tmp_path).as_posix()}
    script = (ROOT / "notebooks/scripts/07_compare_costs.py").read_text()
    jobs = module_closure(ROOT / "segstudy/experiments/costs/jobs.py", ROOT)
    read = "segstudy/experiments/costs/gpu.py"
    assert read in import_closure(script, ROOT) and read not in jobs
