"""Jobs that take turns, against a clock that is set."""

from __future__ import annotations

import pytest
import torch

from segstudy.experiments import rounds


class Clock:
    """A clock that jobs set."""

    def __init__(self):
        self.now, self.ran = 0.0, []

    def perf_counter(self):
        return self.now

    def job(self, name, *seconds):
        def run():
            self.now += seconds[self.ran.count(name) % len(seconds)]
            self.ran.append(name)

        return run


def test_jobs_take_turns_and_the_first_round_is_not_counted(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(rounds, "time", clock)
    jobs = {"a": clock.job("a", 9, 2, 4, 6), "b": clock.job("b", 9, 1, 1, 1)}
    found = rounds.interleave(jobs, 3)
    assert found["a"].tolist() == [2, 4, 6] and found["b"].tolist() == [1, 1, 1]
    orders = [tuple(clock.ran[i : i + 2]) for i in range(0, 8, 2)]
    assert set(orders) == {("a", "b"), ("b", "a")}  # each in every round, in orders that change
    clock.ran.clear()
    assert rounds.interleave(jobs, 2, warm_up=2)["a"].tolist() == [4, 6] and len(clock.ran) == 8
    assert rounds.quartiles(found["a"] / found["b"]) == [3, 4, 5]
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        rounds.interleave(jobs, 0)


def test_threads_are_put_back():
    before = torch.get_num_threads()
    seen = []
    rounds.interleave({"one": lambda: seen.append(torch.get_num_threads())}, 1, threads=1)
    assert seen == [1, 1] and torch.get_num_threads() == before
