"""Names, options, cards, and where data is looked for."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from miniatures import write_emds5, write_fasseg, write_ph2, write_voc

import segstudy
from segstudy.datasets import card, data_root, dataset_names, loader, open_dataset
from segstudy.errors import MissingData

PUBLISHED = {"fasseg": write_fasseg, "voc": write_voc, "emds5": write_emds5, "ph2": write_ph2}
README = Path(__file__).resolve().parents[2] / "data" / "README.md"


def present_names() -> list[str]:
    """The names whose module is in this checkout."""
    return [name for name in dataset_names() if importlib.util.find_spec(f"segstudy.datasets.{name}")]


def test_names():
    assert list(dataset_names()) == sorted(dataset_names())
    assert {"fasseg", "voc", "emds5", "ph2", "folder", "faces"} <= set(dataset_names())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "fassegg"}, "unknown data set 'fassegg'.*did you mean 'fasseg'"),
        ({"split": "tets"}, "unknown split 'tets'.*did you mean 'test'"),
        ({"supervision": "images"}, "unknown supervision 'images'.*did you mean 'image'"),
        ({"siez": (4, 4)}, "unknown option of fasseg 'siez'.*did you mean 'size'"),
    ],
)
def test_what_is_unknown_gets_the_nearest_name(tmp_path, changes, message):
    write_fasseg(tmp_path)
    with pytest.raises(ValueError, match=message):
        open_dataset(**{"name": "fasseg", "root": tmp_path, **changes})


def test_an_option_of_a_data_set_that_has_none(tmp_path):
    with pytest.raises(ValueError, match="there are: none"):
        open_dataset("voc", tmp_path, size=(4, 4))


@pytest.mark.parametrize("name", PUBLISHED)
def test_absent_data_tells_its_card_and_the_way_to_get_it(tmp_path, name):
    with pytest.raises(MissingData) as caught:
        open_dataset(name, tmp_path)
    message = str(caught.value)
    assert card(name).text() in message
    assert str(tmp_path / name) in message
    command = f"python -m segstudy data download {name}"
    if name == "ph2":
        assert command not in message
        assert message.endswith("unpack the archive into ph2/")
        assert "https://www.fc.up.pt/addi" in message
    else:
        assert message.endswith(f"To get it: {command}")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_first_split_is_opened_by_default(tmp_path, name):
    PUBLISHED[name](tmp_path)
    dataset = open_dataset(name, tmp_path)
    assert dataset.split == ("train" if name in ("fasseg", "voc") else "all")
    assert dataset.name == name
    assert dataset.card is card(name)
    assert len({sample.name for sample in dataset}) == len(dataset)


def test_where_data_is_looked_for(tmp_path, monkeypatch):
    write_ph2(tmp_path / "named")
    monkeypatch.setenv("SEGSTUDY_DATA", str(tmp_path / "named"))
    assert len(open_dataset("ph2")) == 2
    with pytest.raises(MissingData):
        open_dataset("ph2", tmp_path)  # an argument wins over the environment
    monkeypatch.delenv("SEGSTUDY_DATA")
    monkeypatch.chdir(
        tmp_path
    )  # a notebook runs in notebooks/: the checkout's folder counts, not the current one
    assert data_root() == Path(segstudy.__file__).resolve().parents[1] / "data"


def test_cards_are_whole():
    for name in present_names():
        entry = card(name)
        assert entry.name == name
        for field in ("title", "what", "how_many", "licence", "citation", "homepage", "layout", "how_to_get"):
            assert getattr(entry, field).strip(), (name, field)
        for remote in entry.remotes:
            assert remote.url.startswith("http")
            assert remote.sha256 is None or len(bytes.fromhex(remote.sha256)) == 32
            assert remote.sha256 is not None or "checksum" in entry.how_to_get


def test_the_readme_of_the_data_folder_has_every_card():
    text = README.read_text()
    for name in dataset_names():
        assert f"\n## `{name}`" in text, name
    for name in PUBLISHED:
        assert card(name).homepage.split(" ")[0] in text, name


def test_importing_the_room_needs_neither_torch_nor_matplotlib_nor_any_loader():
    program = (
        "import sys, segstudy.datasets\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'matplotlib', 'tifffile')"
        " or name in ('segstudy.datasets.faces', 'segstudy.datasets.voc')])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=README.parents[1])
    assert done.stdout.strip() == "[]"


def test_what_the_loader_does_is_part_of_the_fingerprint(tmp_path, monkeypatch):
    PUBLISHED["ph2"](tmp_path)
    before = open_dataset("ph2", tmp_path)
    assert before.fingerprint() == open_dataset("ph2", tmp_path).fingerprint()
    other = open_dataset("ph2", tmp_path)
    other.loader = loader("emds5")
    assert other.fingerprint() != before.fingerprint()


def test_every_module_that_opens_a_data_set_has_a_name():
    found = {
        path.stem for path in loader("voc").parent.glob("*.py") if f"open_{path.stem}" in path.read_text()
    }
    assert found == set(dataset_names()) >= {"faces", "folder", "voc"}
