"""What a download tells on a terminal and in a log."""

from __future__ import annotations

import io

from segstudy.datasets.transfer_progress import Bar, Lines, progress_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_tell_each_tenth_once():
    stream = io.StringIO()
    lines = Lines(stream)
    for done in range(0, 1001):
        lines("toy.zip", done, 1000)
    lines("finished")
    assert len(stream.getvalue().splitlines()) == 12
    assert "toy.zip: 1,000 of 1,000 bytes (100 %)" in stream.getvalue()


def test_a_terminal_gets_a_bar_and_a_log_gets_lines():
    assert isinstance(progress_on(Terminal()), Bar)
    assert isinstance(progress_on(io.StringIO()), Lines)


def test_a_bar_starts_where_the_part_ends_and_ends_before_a_message():
    stream = Terminal()
    bar = Bar(stream)
    bar("toy.zip", 500, 1000)
    bar("toy.zip", 1000, 1000)
    assert stream.getvalue().endswith("\n")
    bar("finished")
    assert "50%" in stream.getvalue()
    assert "100%" in stream.getvalue()
    assert stream.getvalue().endswith("\nfinished\n")


def test_a_transfer_that_starts_again_gets_a_new_bar():
    stream = Terminal()
    bar = Bar(stream)
    bar("toy.zip", 900, 1000)
    bar("toy.zip", 0, 1000)
    assert stream.getvalue().rpartition("\n")[2].lstrip("\r").startswith("toy.zip:   0%")
