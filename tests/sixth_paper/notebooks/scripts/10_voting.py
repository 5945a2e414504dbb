# %% [markdown]
# # Pixels that vote: a sixth paper
#
# **The question:** do neighbours know better? You will see a threshold, then votes on the graph of pixels. It takes seconds.

# %% tags=["parameters"]
images = 8  # drawn pictures
rounds = 1  # rounds of votes

# %%
import numpy as np

from segstudy.datasets import open_dataset
from segstudy.experiments import published
from segstudy.experiments.voting import jobs
from segstudy.papers.voting import vote
from segstudy.study.record import Record

record = Record(seeds=[0])
record.data(open_dataset("microbes", split="test", count=images, size=(64, 64)))

# %% [markdown]
# ## By hand
#
# One bright pixel among dark ones is outvoted, Eq. 1: it has one vote of five.

# %%
lonely = np.zeros((3, 3), dtype=int)
lonely[1, 1] = 1
record.expect("bright pixels after a vote", int(vote(lonely).sum()), 0)

# %% [markdown]
# ## The null baseline, then the method
#
# Without a round the method is Otsu's threshold: that is what the graph has to beat.

# %%
grid = jobs.experiments({"images": images, "rounds": rounds})
without, with_votes = (entry.value for entry in record.run(grid, "voting"))
print("no votes:", record.metric("voting/null", without, over="pictures"))
print("votes:", record.metric("voting/IoU", with_votes, over="pictures"))

# %%
printed = published.lookup("voting_table1", "Voting", "IoU")
record.headline("IoU with votes", "voting/IoU", printed, "Table 1", on="microbes")
verdict = jobs.judge(with_votes, without)
text = published.claims("voting")["claim"][0]
record.verdict(verdict.claim, text, verdict.verdict, verdict.evidence)

# %% [markdown]
# ## Exercises

# %% [markdown]
# **1.** (easy) How many votes does a pixel at the corner of a bright square have? Count them as `votes`.

# %% tags=["solution"]
votes = 3  # itself and two neighbours: most of five, so it stays

# %% tags=["check"]
assert votes == 3, "itself, one beside it, one below"

# %% [markdown]
# ## References
#
# 1. Nobody: Pixels that vote. Never.
