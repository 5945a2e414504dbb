"""One file over a bad connection: what is kept, what is asked for, and what is not believed."""

from __future__ import annotations

import gzip
import json

import pytest
from publisher import SIZE, make_card, one_file, quietly, sha256

from segstudy.datasets import resuming
from segstudy.datasets.card import Remote
from segstudy.datasets.downloads import download
from segstudy.errors import StudyError


def test_a_cut_connection_goes_on_where_it_stopped(server, body, tmp_path):
    server.cuts = [400_000]
    download(one_file(server, body), tmp_path, quietly)
    first, second = server.requests
    assert "range" not in first
    start = int(second["range"].removeprefix("bytes=").removesuffix("-"))
    assert 400_000 - 2 * 65536 <= start <= 400_000
    assert second["if-range"] == '"one"'
    assert server.sent < 1.5 * SIZE
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_server_that_keeps_cutting_is_left_and_the_next_call_goes_on(server, body, tmp_path):
    card = one_file(server, body)
    server.cuts = [200_000, 0, 0, 0]
    with pytest.raises(StudyError) as error:
        download(card, tmp_path, quietly)
    part = tmp_path / ".toy.download/part--toy.bin.part"
    assert len(server.requests) == resuming.ATTEMPTS
    assert f"{part.stat().st_size:,} of {SIZE:,} bytes are kept" in str(error.value)
    assert "the same command resumes" in str(error.value)
    assert not (tmp_path / "toy").exists()
    have = part.stat().st_size
    assert have > 0
    download(card, tmp_path, quietly)
    assert server.requests[-1]["range"] == f"bytes={have}-"
    assert server.sent < 2 * SIZE
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_server_that_ignores_range_sends_the_whole_again(server, body, tmp_path):
    server.cuts, server.ranges = [400_000], False
    download(one_file(server, body), tmp_path, quietly)
    assert ["range" in request for request in server.requests] == [False, True]
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


@pytest.mark.parametrize("checks", [True, False], ids=["minds If-Range", "ignores If-Range"])
@pytest.mark.parametrize("checksum", ["right", None])
def test_a_file_that_changed_between_two_calls_starts_again(server, body, tmp_path, checks, checksum):
    """Without a checksum, too: half of one file and half of another must never be joined."""
    server.cuts, server.checks_if_range = [200_000, 0, 0, 0], checks
    with pytest.raises(StudyError):
        download(one_file(server, body), tmp_path, quietly)
    server.etag = '"two"'
    download(one_file(server, body[::-1], checksum), tmp_path, quietly)
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body[::-1]


@pytest.mark.parametrize("checks", [True, False], ids=["minds If-Range", "ignores If-Range"])
def test_without_an_etag_the_date_tells_another_file(server, body, tmp_path, checks):
    server.cuts, server.etag, server.checks_if_range = [200_000, 0, 0, 0], None, checks
    server.headers = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    with pytest.raises(StudyError):
        download(one_file(server, body), tmp_path, quietly)
    assert server.requests[-1]["if-range"] == server.headers["Last-Modified"]
    server.headers = {"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}
    download(one_file(server, body[::-1], None), tmp_path, quietly)
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body[::-1]


def test_without_an_etag_the_length_tells_another_file(server, body, tmp_path):
    server.cuts, server.etag = [200_000, 0, 0, 0], None
    with pytest.raises(StudyError):
        download(one_file(server, body), tmp_path, quietly)
    other = body[::-1] + b"longer"
    download(one_file(server, other, None), tmp_path, quietly)
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == other


def test_a_file_that_became_shorter_than_what_is_kept_starts_again(server, body, tmp_path):
    """The server answers 416 to a Range behind its end."""
    server.cuts, server.etag = [400_000, 0, 0, 0], None
    with pytest.raises(StudyError):
        download(one_file(server, body), tmp_path, quietly)
    download(one_file(server, body[:1000]), tmp_path, quietly)
    assert server.requests[-2]["range"].startswith("bytes=")
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body[:1000]


def test_an_answer_that_starts_elsewhere_is_not_appended(server, body, tmp_path):
    server.cuts, server.shift = [400_000], 10
    download(one_file(server, body, None), tmp_path, quietly)
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_weak_etag_is_not_sent_but_compared(server, body, tmp_path):
    server.cuts, server.etag = [400_000], 'W/"one"'
    download(one_file(server, body, None), tmp_path, quietly)
    assert "range" in server.requests[1]
    assert "if-range" not in server.requests[1]
    assert len(server.requests) == 2
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def keep(root, server, content, total):
    """Leave what a process leaves that was stopped after `content`."""
    part = root / ".toy.download/part--toy.bin.part"
    part.parent.mkdir()
    part.write_bytes(content)
    note = {"url": server.url("toy.bin"), "etag": server.etag, "modified": None, "total": total}
    part.with_name(part.name + ".json").write_text(json.dumps(note))


def test_a_part_that_is_whole_is_not_asked_for_again(server, body, tmp_path):
    keep(tmp_path, server, body, SIZE)
    download(one_file(server, body), tmp_path, quietly)
    assert server.requests == []
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_part_longer_than_the_file_is_not_continued(server, body, tmp_path):
    keep(tmp_path, server, body + b"more", SIZE)
    download(one_file(server, body), tmp_path, quietly)
    assert ["range" in request for request in server.requests] == [False]
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_server_that_sends_less_than_was_asked_for_is_asked_for_the_rest(server, body, tmp_path):
    server.most = 250_000
    keep(tmp_path, server, body[:100_000], SIZE)
    download(one_file(server, body, None), tmp_path, quietly)
    starts = [request["range"] for request in server.requests]
    assert starts == ["bytes=100000-", "bytes=350000-"]
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_compressed_file_is_kept_as_it_is(server, tmp_path):
    """Some servers call a .gz file a plain one that was compressed on the way; its checksum is the file's own."""
    body = gzip.compress(b"text" * 1000)
    server.headers = {"Content-Encoding": "gzip"}
    download(one_file(server, body), tmp_path, quietly)
    assert server.requests[0]["accept-encoding"] == "identity"
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_part_of_another_address_is_not_continued(server, body, tmp_path):
    server.cuts = [200_000, 0, 0, 0]
    with pytest.raises(StudyError):
        download(one_file(server, body), tmp_path, quietly)
    server.files["moved.bin"] = body[::-1]
    card = make_card(Remote(server.url("moved.bin"), "part/toy.bin", sha256(body[::-1])))
    download(card, tmp_path, quietly)
    assert "range" not in server.requests[-1]


def test_a_part_without_its_note_is_not_continued(server, body, tmp_path):
    aside = tmp_path / ".toy.download"
    aside.mkdir()
    (aside / "part--toy.bin.part").write_bytes(b"who knows what")
    download(one_file(server, body), tmp_path, quietly)
    assert "range" not in server.requests[0]
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_server_that_does_not_tell_the_length(server, body, tmp_path):
    server.says_length = False
    download(one_file(server, body), tmp_path, quietly)
    assert (tmp_path / "toy/part/toy.bin").read_bytes() == body


def test_a_busy_server_is_asked_again(server, body, tmp_path):
    server.answers = [503, 429]
    download(one_file(server, body), tmp_path, quietly)
    assert len(server.requests) == 3


def test_no_server_at_all(server, body, tmp_path):
    card = make_card(Remote("http://127.0.0.1:9/toy.bin", "toy.bin"))  # port 9: nothing listens
    with pytest.raises(StudyError, match="0 bytes are kept"):
        download(card, tmp_path, quietly)


@pytest.mark.parametrize("status", [404, 410, 403])
def test_a_missing_file_names_its_address_and_the_homepage_and_is_asked_for_once(
    server, body, tmp_path, status
):
    card = one_file(server, body)
    server.answers = [status]
    with pytest.raises(StudyError, match=str(status)) as error:
        download(card, tmp_path, quietly)
    assert server.url("toy.bin") in str(error.value)
    assert card.homepage in str(error.value)
    assert len(server.requests) == 1
    assert not (tmp_path / "toy").exists()
