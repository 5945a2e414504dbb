"""The command line's `data`, on cards made here and on the registered ones."""

from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

from segstudy import datasets
from segstudy.datasets.card import Card
from segstudy.errors import MissingData, StudyError
from segstudy.study import data_command


def make_card(name: str, what: str) -> Card:
    return Card(
        name, name.title(), what, "2 pictures", "CC0", "Nobody 2020", "https://example.org", "x/", "Ask."
    )


CARDS = {
    "rooms": make_card("rooms", "photographs of rooms"),
    "tiles": make_card("tiles", "aerial " + "very " * 80 + "large tiles"),
}


@pytest.fixture
def cards(monkeypatch):
    """Put the cards made here in place of the registry."""
    monkeypatch.setattr(datasets, "dataset_names", lambda: tuple(CARDS))
    monkeypatch.setattr(datasets, "card", CARDS.__getitem__)


@pytest.fixture
def run():
    """Return a function that runs a command line as the study's own does."""

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser(prog="segstudy")
        data_command.add_parser(parser.add_subparsers())
        args = parser.parse_args(["data", *words])
        return args.handler(args)

    return run


def test_the_list_has_a_line_for_each_and_says_what_is_here(run, cards, capsys, monkeypatch, tmp_path):
    here = {"rooms": "yes", "tiles": "no"}
    monkeypatch.setattr(data_command, "presence", lambda card, root: f"{here[card.name]}@{root.name}")
    assert run("list", "--root", str(tmp_path)) == 0
    heading, columns, *lines = capsys.readouterr().out.splitlines()
    assert str(tmp_path) in heading
    assert columns.split() == ["name", "here", "how", "many", "what"]
    assert [line.split()[:3] for line in lines if not line.startswith(" ")] == [
        ["rooms", f"yes@{tmp_path.name}", "2"],
        ["tiles", f"no@{tmp_path.name}", "2"],
    ]
    assert "photographs of rooms" in lines[0]


def test_the_table_is_aligned_and_fits_and_loses_no_word():
    rows = [("a", "bb", "how many", "what"), ("aaaa", "b", "some", " ".join(f"word{n}" for n in range(30)))]
    first, *others = data_command.table(rows, 70).splitlines()
    assert first.split() == ["a", "bb", "how", "many", "what"]
    start = first.index("what")
    assert [line[start:].strip() for line in others] == [line[start:] for line in others]
    assert " ".join(line[start:] for line in others) == rows[1][3]
    assert max(map(len, others)) <= 70


def test_a_very_narrow_terminal_still_shows_something():
    assert "word" in data_command.table([("a" * 50, "yes", "2", "word")], 10)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("3 of 4 rooms found", "3 of 4"),
        ("4 rooms drawn", "yes"),
        (MissingData("absent"), "no"),
        (StudyError("no mask"), "damaged"),
    ],
)
def test_presence_is_what_opening_finds(monkeypatch, tmp_path, found, says):
    def open_dataset(name, root, supervision):
        assert (name, root) == ("rooms", tmp_path)
        if isinstance(found, Exception):
            raise found
        return SimpleNamespace(note=found)

    monkeypatch.setattr(datasets, "open_dataset", open_dataset)
    assert data_command.presence(CARDS["rooms"], tmp_path) == says


def test_every_registered_data_set_is_listed(run, capsys, tmp_path):
    assert run("list", "--root", str(tmp_path)) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:] if not line.startswith(" ")]
    assert [name for name, *_ in lines] == list(datasets.dataset_names())
    assert {name: here for name, here, *_ in lines}["voc"] == "no"


def test_the_real_data_is_found(data_root):
    assert data_command.presence(datasets.card("voc"), data_root) == "311 of 1464"


def test_info_prints_the_card(run, cards, capsys):
    assert run("info", "rooms") == 0
    assert capsys.readouterr().out == CARDS["rooms"].text() + "\n"


@pytest.mark.parametrize("command", ["info", "download"])
def test_an_unknown_name_offers_the_nearest(run, command):
    with pytest.raises(StudyError, match="'fasse'.*did you mean 'fasseg'"):
        run(command, "fasse")


@pytest.mark.parametrize(("option", "variable"), [("here", "there"), (None, "there"), (None, None)])
def test_the_root_is_the_option_then_the_variable_then_the_default(
    run, cards, capsys, monkeypatch, option, variable
):
    monkeypatch.delenv("SEGSTUDY_DATA", raising=False)
    if variable:
        monkeypatch.setenv("SEGSTUDY_DATA", variable)
    monkeypatch.setattr("segstudy.datasets.downloads.download", lambda card, root: root / card.name)
    assert run("download", "rooms", *(["--root", option] if option else [])) == 0
    root = option or variable or str(datasets.data_root())
    assert capsys.readouterr().out == f"{root}/rooms\n"


def test_a_data_set_that_cannot_be_fetched_says_how_to_get_it(run, cards, tmp_path):
    with pytest.raises(StudyError, match="How to get it: Ask."):
        run("download", "rooms", "--root", str(tmp_path))


def test_ctrl_c_is_no_traceback(run, cards, capsys, monkeypatch):
    def interrupted(card, root):
        raise KeyboardInterrupt

    monkeypatch.setattr("segstudy.datasets.downloads.download", interrupted)
    assert run("download", "rooms") == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_data_alone_prints_its_help(run, capsys):
    assert run() == 2
    assert "download" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["list", "info", "download"])
def test_each_command_has_help(run, capsys, command):
    with pytest.raises(SystemExit) as stop:
        run(command, "--help")
    assert stop.value.code == 0
    assert "data set" in capsys.readouterr().out


def test_no_two_files_of_a_card_share_a_name_and_each_stays_in_its_folder():
    for card in data_command.all_cards():
        names = [remote.filename for remote in card.remotes]
        assert len(set(names)) == len(names)
        assert not any(name.startswith("/") or ".." in name.split("/") for name in names)


def test_nothing_is_imported_for_a_download_before_there_is_one():
    code = (
        "import sys, segstudy.study.data_command, segstudy.datasets.downloads; "
        "print(sorted({'pooch', 'requests', 'urllib3', 'tqdm', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
