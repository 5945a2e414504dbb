"""A card's files on their way into the data set's folder, from a server on this machine."""

from __future__ import annotations

import fcntl
import io
import logging
import sys
import threading

import pytest
from publisher import (
    FILES,
    SIZE,
    Told,
    contents,
    kept,
    make_card,
    make_zip,
    one_file,
    one_zip,
    quietly,
    sha256,
)

from segstudy.datasets import archives, downloads
from segstudy.datasets.card import Remote
from segstudy.datasets.downloads import download
from segstudy.errors import StudyError


def test_a_file_arrives_whole_and_a_second_call_asks_for_nothing(server, body, tmp_path):
    card, told = one_file(server, body), Told()
    assert download(card, tmp_path, quietly) == tmp_path / "toy"
    assert contents(tmp_path / "toy") == {"part/toy.bin": body}
    assert kept(tmp_path) == set()
    download(card, tmp_path, told)
    assert len(server.requests) == 1
    assert "nothing to do" in told[-1]


def test_an_archive_is_unpacked_and_a_second_call_asks_for_nothing(server, tmp_path):
    card, told = one_zip(server, FILES), Told()
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES
    assert kept(tmp_path) == set()
    download(card, tmp_path, told)
    assert len(server.requests) == 1
    assert "nothing to do" in told[-1]


def test_a_member_that_went_missing_is_fetched_again(server, tmp_path):
    card = one_zip(server, FILES)
    download(card, tmp_path, quietly)
    (tmp_path / "toy/masks/1.png").unlink()
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES


def test_only_what_is_missing_is_fetched(server, body, tmp_path):
    server.files |= {"a": b"a", "b": b"b"}
    both = [Remote(server.url(name), name, sha256(name.encode())) for name in "ab"]
    download(make_card(both[0]), tmp_path, quietly)
    download(make_card(*both), tmp_path, quietly)
    assert [request["path"] for request in server.requests] == ["/a", "/b"]
    assert contents(tmp_path / "toy") == {"a": b"a", "b": b"b"}


def test_two_archives_share_a_folder(server, tmp_path):
    server.files |= {"a.zip": make_zip({"toy/a.txt": b"a"}), "b.zip": make_zip({"toy/b.txt": b"b"})}
    names = ("a.zip", "b.zip")
    card = make_card(*(Remote(server.url(n), n, sha256(server.files[n]), unpack=True) for n in names))
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == {"toy/a.txt": b"a", "toy/b.txt": b"b"}


def test_a_newer_release_of_an_archive_is_not_taken_for_the_old_one(server, tmp_path):
    download(one_zip(server, FILES), tmp_path, quietly)
    download(one_zip(server, {**FILES, "more.txt": b"more"}), tmp_path, quietly)
    assert contents(tmp_path / "toy") == {**FILES, "more.txt": b"more"}


@pytest.mark.parametrize("made", [True, False], ids=["a folder", "not there yet"])
def test_a_data_folder_that_is_a_link_to_another_place(server, tmp_path, made):
    (tmp_path / "disk").mkdir()
    if made:
        (tmp_path / "disk/toys").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/toy").symlink_to(tmp_path / "disk/toys")
    download(one_zip(server, FILES), tmp_path / "root", quietly)
    assert contents(tmp_path / "disk/toys") == FILES
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["toy"]


def test_a_wrong_checksum_names_both_and_leaves_nothing(server, body, tmp_path):
    card = one_file(server, body, checksum="0" * 64)
    with pytest.raises(StudyError) as error:
        download(card, tmp_path, quietly)
    assert sha256(body) in str(error.value)
    assert "0" * 64 in str(error.value)
    assert not (tmp_path / "toy").exists()
    assert kept(tmp_path) == set()


def test_an_unknown_checksum_is_said_plainly_and_shown(server, body, tmp_path):
    told = Told()
    download(one_file(server, body, checksum=None), tmp_path, told)
    (line,) = [line for line in told if "no known checksum" in line]
    assert sha256(body) in line
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_known_checksum_is_not_called_unknown(server, body, tmp_path):
    told = Told()
    download(one_file(server, body), tmp_path, told)
    assert not any("no known checksum" in line for line in told)


def test_a_good_file_that_was_there_is_left_alone(server, body, tmp_path):
    card = one_file(server, body)
    place = tmp_path / "toy/part/toy.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(body)
    before = place.stat()
    download(card, tmp_path, quietly)
    assert server.requests == []
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_file_in_its_place_is_named_and_kept(server, body, tmp_path):
    place = tmp_path / "toy/part/toy.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine")
    with pytest.raises(StudyError, match="in the way") as error:
        download(one_file(server, body), tmp_path, quietly)
    assert str(place) in str(error.value)
    assert sha256(b"mine") in str(error.value)
    assert place.read_bytes() == b"mine"
    assert server.requests == []


def test_a_disk_that_is_too_small_is_noticed_before_the_first_byte(server, body, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": SIZE - 1}))
    with pytest.raises(StudyError, match="not enough disk space") as error:
        download(one_file(server, body), tmp_path, quietly)
    assert f"{SIZE:,}" in str(error.value)
    assert kept(tmp_path) == set()


def test_a_root_that_cannot_be_written(server, body, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StudyError, match="could not be put"):
        download(one_file(server, body), tmp_path / "file", quietly)


def test_files_in_the_way_are_named_and_kept_and_the_archive_is_not_fetched_twice(server, tmp_path):
    card = one_zip(server, FILES)
    mine = tmp_path / "toy/masks/1.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(StudyError, match="other contents") as error:
        download(card, tmp_path, quietly)
    assert str(mine) in str(error.value)
    assert contents(tmp_path / "toy") == {"masks/1.png": b"mine"}
    mine.rename(tmp_path / "moved.png")
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES
    assert len(server.requests) == 1
    assert kept(tmp_path) == set()


@pytest.mark.parametrize("checksum", ["", None])
def test_a_climbing_archive_is_refused_and_leaves_nothing(server, tmp_path, checksum):
    card = one_zip(server, {"honest.txt": b"x", "../../evil.txt": b"evil"}, checksum=checksum)
    with pytest.raises(StudyError, match="outside"):
        download(card, tmp_path / "deep/root", quietly)
    assert kept(tmp_path / "deep/root") == set()
    assert not list(tmp_path.rglob("*.txt"))


def test_an_archive_with_another_checksum_is_not_unpacked(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "unpack", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(StudyError, match="0" * 64):
        download(one_zip(server, FILES, checksum="0" * 64), tmp_path, quietly)
    assert not (tmp_path / "toy").exists() and kept(tmp_path) == set()


def test_a_corrupt_archive_is_refused_and_the_next_call_fetches_it_anew(server, tmp_path):
    card = one_zip(server, FILES, checksum=None)
    good = server.files["toy.zip"]
    server.files["toy.zip"] = good[: len(good) // 2]
    with pytest.raises(StudyError, match="damaged"):
        download(card, tmp_path, quietly)
    assert not (tmp_path / "toy").exists()
    assert kept(tmp_path) == set()
    server.files["toy.zip"] = good
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES


def test_an_interrupted_unpack_leaves_no_folder_and_the_archive_is_not_fetched_twice(
    server, tmp_path, monkeypatch
):
    card = one_zip(server, FILES)

    def interrupt(staging, destination):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloads, "move_in", interrupt)
        with pytest.raises(KeyboardInterrupt):
            download(card, tmp_path, quietly)
    assert not (tmp_path / "toy").exists()
    assert kept(tmp_path) == {"toy.zip"}
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES
    assert len(server.requests) == 1


def test_what_a_killed_process_left_is_cleared(server, tmp_path):
    aside = tmp_path / ".toy.download"
    (aside / "unpacked/images").mkdir(parents=True)
    (aside / "unpacked/images/half.png").write_bytes(b"half")
    (aside / "tmp123").write_bytes(b"half")
    download(one_zip(server, FILES), tmp_path, quietly)
    assert contents(tmp_path / "toy") == FILES
    assert kept(tmp_path) == set()


def test_an_archive_that_a_person_put_there_is_unpacked_and_kept(server, tmp_path):
    card = one_zip(server, FILES)
    own = tmp_path / "toy/toy.zip"
    own.parent.mkdir()
    own.write_bytes(server.files["toy.zip"])
    download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == {**FILES, "toy.zip": server.files["toy.zip"]}
    assert server.requests == []


def test_an_archive_of_a_person_that_is_another_one_is_named_and_kept(server, tmp_path):
    card = one_zip(server, FILES)
    own = tmp_path / "toy/toy.zip"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    with pytest.raises(StudyError, match="in the way"):
        download(card, tmp_path, quietly)
    assert contents(tmp_path / "toy") == {"toy.zip": b"mine"}


def test_a_card_without_files_says_how_to_get_them(tmp_path):
    with pytest.raises(StudyError, match="Ask."):
        download(make_card(), tmp_path, quietly)
    assert list(tmp_path.iterdir()) == []


def test_of_two_downloads_at_once_one_waits_and_then_has_nothing_to_fetch(server, body, tmp_path):
    card, told = one_file(server, body), [Told(), Told()]
    server.gate = threading.Event()
    threads = [threading.Thread(target=download, args=(card, tmp_path, mine)) for mine in told]
    for thread in threads:
        thread.start()
    waiting = threading.Event()
    while not any("waiting" in line for mine in told for line in mine) and not waiting.wait(0.01):
        assert any(thread.is_alive() for thread in threads), "both finished and neither waited"
    server.gate.set()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_the_lock_is_free_after_a_failure(server, body, tmp_path):
    with pytest.raises(StudyError):
        download(one_file(server, body, checksum="0" * 64), tmp_path, quietly)
    with (tmp_path / ".toy.download/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_missing_package_is_named(server, body, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(StudyError, match="pip install pooch"):
        download(one_file(server, body), tmp_path, quietly)


def test_lines_reach_standard_error_by_default(server, body, tmp_path, capsys):
    download(one_file(server, body), tmp_path)
    told = capsys.readouterr()
    assert told.out == ""
    assert f"of {SIZE:,} bytes (100 %)" in told.err


def test_pooch_does_not_tell_it_a_second_time(server, body, tmp_path):
    import pooch

    logger, stream = pooch.get_logger(), io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    level = logger.level
    try:
        download(one_file(server, body, checksum=None), tmp_path, quietly)
    finally:
        logger.removeHandler(handler)
    assert stream.getvalue() == ""
    assert logger.level == level
