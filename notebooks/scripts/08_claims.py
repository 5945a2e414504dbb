# %% [markdown]
# # The ledger: what became of 141 claims
#
# Five papers make 141 claims that an experiment can check. The notebooks 01 to 05 checked them, each with its own data, and recorded a verdict
# with its numbers. This notebook judges nothing. It gathers what they recorded, says what made it, and shows what is missing.
#
# **The question of this notebook:** which of the papers' claims hold, on which pictures, and where one does not, does anybody know why? You
# will see every claim with its verdicts, the claims that hold in print and not here, and the places where a paper contradicts itself.
#
# Two sources stand side by side and are never mixed: the committed records of runs on real pictures, and the records of the run at hand. What
# did not run reads "not run". It takes half a minute.

# %% tags=["parameters"]
papers = [
    "graph_matching",
    "sgseg",
    "gnn_clustering",
    "dgcn",
    "scgnet",
]  # whose claims are listed, as data/published/claims.csv calls them

# %% [markdown]
# ## Set-up

# %%
from IPython.display import HTML, display
from segstudy import plots
from segstudy.experiments import verdicts
from segstudy.experiments.claims import causes, contradictions, figures, ledger, page
from segstudy.study.record import Record
from segstudy.study.records import read_records

plots.use_style()
record = Record(features="none: records alone")
read = read_records(ledger.NOTEBOOKS.values())

# %% [markdown]
# ## The data, looked at
#
# The data are records. "Code" says whether the code of today made them: a stale record tells what an earlier version found.

# %% tags=["hide-input"]
source_table = ledger.sources(read.kept, read.here, read.profile)
stale = source_table["code"].str.startswith("stale").sum()
absent = (source_table["data"] == verdicts.NOT_RUN).sum()
caption = f"Where the verdicts come from: {len(source_table) - absent} records of {len(source_table)} that there may be; {stale} of them were made by other code than today's."
record.table(source_table, "sources", caption)

# %% [markdown]
# ## From a claim to a word
#
# A claim becomes a predicate before anything is measured: "the graph cut gives 1.5 mIoU over region growing" becomes "the difference is above 0".
# Each notebook judges its own by one rule. With a mean difference $\bar d$ and the lower end $l$ of its 95 % interval,
#
# $$\text{the claim} \quad \begin{cases} \text{holds} & \text{where } l > 0, \\ \text{holds weakly} & \text{where } l \le 0 < \bar d, \\ \text{does not hold} & \text{where } \bar d \le 0. \end{cases}$$
#
# Other claims have thresholds, in their predicates. Two words are no verdicts: **not testable with this data** and **not run**.
#
# By hand: differences of +2 with an interval from +1, of +2 from −1, and of −1 from −3.

# %%
words = [verdicts.grade(*case) for case in ((2.0, 1.0), (2.0, -1.0), (-1.0, -3.0))]
print(words)
places = [ledger.WORDS.index(word) for word in words]
record.expect("holds, holds weakly, does not hold", places, [0, 1, 2])

# %% [markdown]
# A ledger in small, by hand: two records of claims GM1 and SG1. GM1 holds in the first source and does not in the second; SG1 was recorded in the
# second alone. In the first, SG1 has to read "not run", whatever the second says.

# %%
made = {"data": [], "seeds": [0], "changed": []}
says = [{"claim": "GM1", "verdict": "holds", "evidence": "+2"}]
denies = [{"claim": "GM1", "verdict": "does not hold", "evidence": "-1"}]
other = [{"claim": "SG1", "verdict": "holds", "evidence": "+1"}]
first = {"01_graph_matching": made | {"verdicts": says}}
second = {
    "01_graph_matching": made | {"verdicts": denies},
    "02_sgseg": made | {"verdicts": other},
}
small = ledger.gather(first, second).set_index("claim")
print(small.loc[["GM1", "SG1"], ["verdict", "verdict here"]])
found = [ledger.WORDS.index(small.loc["SG1", name]) for name in ("verdict", "verdict here")]
record.expect("SG1: not run, holds", found, [4, 0])

# %% [markdown]
# ## The baseline: what the papers' own numbers say
#
# Before any run of ours, a claim can be held against the numbers that its paper prints. That is the baseline for "holds": a claim whose paper
# prints no number has only its word.

# %%
claims = ledger.gather(read.kept, read.here, papers)
own_table = ledger.against_own_numbers(claims)
tested = claims[claims["verdict"].isin(ledger.TESTED)]
printed = tested[tested["own numbers"] == "holds"]
kept_up = int((printed["verdict"] == "holds").sum())

# %% tags=["hide-input"]
contradicted = int((claims["own numbers"] == "contradicted").sum())
caption = f"By its paper's own numbers (rows) and in the committed real runs (columns): of {len(printed)} tested claims that hold in print, {kept_up} hold here. {contradicted} are contradicted by the paper that makes them."
record.table(own_table, "own_numbers", caption)

# %% [markdown]
# ## The verdicts
#
# The data of the papers are mostly not at hand, and ours are smaller. "Does not hold" means: not on these pictures, with these settings.

# %%
counts = {
    "Committed real runs": ledger.count(claims),
    f"This run, {read.profile}": ledger.count(claims, "verdict here"),
}
real, here = (table.sum() for table in counts.values())
for word in ledger.WORDS:
    record.metric(f"committed/{word}", float(real[word]), "count")
    record.metric(f"this run/{word}", float(here[word]), "count")

# %% tags=["hide-input"]
figure = figures.chart_verdicts(counts)
sentence = f"Of {len(claims)} claims {real['holds']} hold in the committed real runs, {real['holds weakly']} weakly, {real['does not hold']} do not; {real['not testable with this data']} cannot be tested with the data at hand and {real['not run']} were not run. This run: {here['holds']}, {here['holds weakly']} and {here['does not hold']}, {here['not run']} not run."
alt = "Stacked bars of the claims of each paper by verdict, with their numbers, a panel for each of two sources."
record.figure(figure, "verdicts", alt, sentence, headline=True, drawn=True)

# %% tags=["hide-input"]
for source, table in counts.items():
    caption = f"{source}: claims by paper and verdict."
    name = "counts_committed" if source.startswith("Committed") else "counts_this_run"
    record.table(table.reset_index(), name, caption)

# %%
record.headline("claims that hold, committed real runs", "committed/holds")
record.headline("claims that do not hold, committed real runs", "committed/does not hold")
record.headline("claims not run, committed real runs", "committed/not run")

# %% [markdown]
# ## Every claim
#
# Choose a paper and a verdict; arrow keys move within a row of choices. Evidence, data and code stand with each verdict.

# %%
display(HTML(page.filterable(claims, read.profile)))

# %% [markdown]
# The same as a file, for other programs:

# %% tags=["hide-input"]
caption = f'The ledger, {len(claims)} claims: committed real runs and, in the columns that end in "here", this run.'
record.table(claims, "ledger", caption)

# %% [markdown]
# ## Where a claim does not hold: why?
#
# A cause is named only where an experiment isolated it: one thing changed, and the numbers that show it are read from the committed tables. All
# else reads "cause unknown", which is a result too.

# %% tags=["hide-input"]
failing = claims[claims["verdict"] == verdicts.FAILS]
unknown = int((failing["cause"] == causes.UNKNOWN).sum())
columns = ["claim", "text", "evidence", "data", "cause", "shown by"]
caption = f"Of {len(failing)} claims that do not hold in the committed real runs, the cause of {len(failing) - unknown} was isolated; of {unknown} it is unknown."
record.table(failing[columns], "causes", caption)

# %% [markdown]
# ## What would be needed for the others

# %% tags=["hide-input"]
waiting = claims[claims["verdict"].isin((verdicts.NOT_TESTABLE, verdicts.NOT_RUN))]
caption = f"{len(waiting)} claims without a verdict in the committed real runs, and what the notebook said is lacking."
record.table(waiting[["claim", "text", "verdict", "evidence"]], "waiting", caption)

# %% tags=["hide-input"]
moved = ledger.differing(claims)
caption = f"{len(moved)} claims got two different verdicts from the committed real runs and from this run, {read.profile}: other pictures, other sizes, or other code."
columns = ["claim", "text", "verdict", "evidence", "verdict here", "evidence here", "data here"]
record.table(moved[columns], "differing", caption)

# %% [markdown]
# ## Beyond the papers: where they contradict themselves
#
# No picture is needed to see that two numbers of one paper cannot both be true. Each line below is computed in this notebook, from the published
# tables or from a case of a few numbers.

# %%
checks = contradictions.check_all()
checks = checks[checks["paper"].isin(papers)]
contradicting = int(checks["contradicts"].sum())
record.metric("contradictions", float(contradicting), "count")

# %% tags=["hide-input"]
caption = f"{contradicting} of {len(checks)} statements are contradicted by their own paper."
shown = checks.assign(contradicts=checks["contradicts"].map({True: "yes", False: "no"}))
record.table(shown, "contradictions", caption)

# %% [markdown]
# ## Summary
#
# - The figure counts the verdicts. Real runs and the run at hand stand apart, because generated pictures prove nothing about photographs.
# - A claim that its paper's numbers support often does not hold here: the table of own numbers says how often. The data are others, the
#   trainings shorter; a verdict is about these pictures.
# - Most causes are unknown. Those that are known were found by changing one thing: the background as a vertex, the ratio that is pooled, the
#   weight of a node's neighbours, the regularisers as printed.
# - Several contradictions are slips of the pen, a sign or an exponent. Some are not: times against multiply-adds, a baseline below its own paper's.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) Which share of each paper's tested claims, `share_held`, holds weakly or wholly?

# %% tags=["solution"]
table = ledger.count(claims)
tested_of = table[list(ledger.TESTED)].sum(axis=1)
share_held = (table["holds"] + table["holds weakly"]) / tested_of.where(tested_of > 0)
print(share_held.round(2))

# %% tags=["check"]
held = claims["verdict"].isin(["holds", "holds weakly"]).groupby(claims["paper"]).sum()
assert (share_held.fillna(0) * tested_of - held[share_held.index]).abs().max() < 1e-9, (
    "held over tested"
)

# %% [markdown]
# **2.** (medium) A claim's mean gain is 0.4 points and its interval reaches from −0.1. Which word does it get, and which if a seed more
# moves the interval to +0.1? Put both into `two_words`.

# %% tags=["solution"]
two_words = ["holds weakly", "holds"]
print(two_words)

# %% tags=["check"]
assert two_words == [verdicts.grade(0.4, low) for low in (-0.1, 0.1)], "see verdicts.grade"

# %% [markdown]
# **3.** (hard) At 5 % each, how many of the tested claims, `by_chance`, would hold by chance alone if nothing were true? A claim holds by chance where the interval of a
# difference that is 0 lies above it: 2.5 % of the time.

# %% tags=["solution"]
by_chance = 0.025 * len(tested)
print(f"{by_chance:.1f} of {len(tested)}, and {int((tested['verdict'] == 'holds').sum())} hold")

# %% tags=["check"]
assert abs(by_chance - len(tested) / 40) < 1e-9, "2.5 % of those that were tested"

# %% [markdown]
# ## References
#
# 1. J. Chopin et al.: Semantic image segmentation based on spatial relationships and inexact graph matching. IPTA 2020.
# 2. M. Eliasof, N. Ben Zikri, E. Treister: Unsupervised image semantic segmentation through superpixels and graph neural networks. 2022.
# 3. Fellah, Mokadem, Mekki, Benyamina: Unsupervised image segmentation with GNNs (slides), on DeepCut, UnSegGNet and UnSeGArmaNet.
# 4. J. Feng, X. Wang, W. Liu: Deep graph cut network for weakly-supervised semantic segmentation. Science China Information Sciences 64, 2021.
# 5. Q. Liu et al.: SCG-Net: self-constructing graph neural networks for semantic segmentation. 2020.
#
# **Provenance.** Parameters, versions and fingerprints stand at the top of this page and in `run.json` beside it; the claims are those of
# `data/published/claims.csv`, the causes those of `data/published/ledger/causes.csv`.
