"""A sixth paper, made up: pixels vote with their neighbours. `Voting` segments, `vote` is its one step."""

from segstudy.papers.voting.segmenter import Voting, vote

__all__ = ["Voting", "vote"]
