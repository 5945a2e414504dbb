# %% [markdown]
# # Every method on the same pictures: does the graph help, and what does supervision buy?
#
# Five papers, five data sets, five protocols: nobody can tell from their tables which method to take. Here all of them, and the plain
# methods that they have to beat, get the same training pictures, the same test pictures and the same scores, through one interface: `fit`,
# `probabilities`, `segment`.
#
# **The questions of this notebook:** how good is each method among those that are told as much? What does a label buy? Does the graph help,
# paper by paper, when all else stays the same? And what do a dense CRF, a bilateral solver or a graph cut add after each?
#
# It takes two minutes with generated pictures (2 cores). You should have seen notebooks 01 to 05 first, or at least their summaries.

# %% tags=["parameters"]
tasks = [
    {
        "name": "faces",
        "train": "faces/train",
        "test": "faces/test",
        "images": 12,
        "tested": 8,
        "longest": 96,
        "clusters": 4,
        "told": ["nothing", "clicks", "few masks", "all masks"],
        "matched": True,
        "swap": [[3, 4], [5, 6]],
    },
    {
        "name": "objects",
        "train": "objects/train",
        "test": "objects/test",
        "images": 24,
        "tested": 8,
        "longest": 96,
        "clusters": 3,
        "told": ["nothing", "classes of the picture", "clicks", "all masks"],
    },
]  # see segstudy.experiments.compare.pictures.Task
without = [
    "DMON-GCN",
    "AC",
    "region growing",
]  # methods that are left out, see segstudy.experiments.compare.methods.METHODS
seeds = [0, 1]  # of weights, order, and which few masks are told
recipe = {
    "unet": {"width": 8, "pictures": 300, "validation": 0.2},
    "sgseg": {
        "epochs": 3,
        "pretraining": 3,
        "batch": 4,
        "spnn_widths": [8, 12, 16, 24],
        "cnn_widths": [16, 24, 32, 48],
        "gnn_width": 24,
        "gnn_blocks": 3,
        "superpixels": 64,
        "k": 8,
        "side": 64,
    },
    "clustering": {"iterations": 40, "grid": [16, 16]},
    "dgcn": {"side": 129, "classifier_epochs": 12, "epochs": 6},
    "scgnet": {
        "size": 64,
        "patches": 32,
        "batch": 4,
        "epochs": 6,
        "validation": 0.2,
        "learning_rate": 1e-3,
        "loss": "class dice",
    },
}  # what each paper's segmenter is given; pictures: so many, repeats counted, pass through a U-Net
shown = 3  # pictures in the gallery of each task

# %% [markdown]
# ## Set-up

# %%
import numpy as np
from segstudy import plots
from segstudy.experiments.compare import (
    figures,
    jobs,
    refinements,
    results,
    supervision,
    trials,
)
from segstudy.experiments.compare.methods import METHODS, NULLS
from segstudy.experiments.compare.pictures import task_of, test_samples
from segstudy.experiments.parts import open_part

plots.use_style()

# %%
from segstudy.study.record import Record

features = "ImageNet's EfficientNet-Lite0 for DGCN and SCG-Net, colour and texture for paper 3, else learned here"
record = Record(seeds=seeds, device="cpu", features=features)
asked = {"tasks": tasks, "seeds": seeds, "recipe": recipe, "without": without}
found = jobs.experiments(asked)
values = [entry.value for entry in record.run(found, "methods: experiment")]
value_of = {job.key(): value for job, value in zip(found, values)}
pairs = [(job.arguments, value_of[job.key()]) for job in jobs.trained(asked)]
runs = {task["name"]: results.by_method(pairs, task["name"]) for task in tasks}
best = {job.arguments["task"]["name"]: value_of[job.key()] for job in jobs.ceilings(asked)}

# %% [markdown]
# ## The data, looked at
#
# Each task has its own classes. A task says what a method may be told: where every picture shows every class, as faces do, the classes of a
# picture say nothing, and the methods that learn from them are left out.

# %%
opened = {}
for task in tasks:
    for part in dict.fromkeys((task["train"], task["test"])):
        record.data(open_part(part))
    opened[task["name"]] = (open_part(task["test"]), test_samples(task_of(task)))

# %% tags=["hide-input"]
pictures, titles = [], []
for name, (dataset, samples) in opened.items():
    for sample in samples[:2]:
        pictures += [sample.image, plots.colourise(sample.labels, dataset.colours)]
        titles += [name, "truth"]
figure, _ = plots.panels(pictures, titles, 4)
counts = ", ".join(f"{name} {len(samples)}" for name, (_, samples) in opened.items())
sentence = f"Test pictures and their truth, two of each task; there are {counts}."
record.figure(figure, "pictures", "Pictures beside their truth, two for each task.", sentence)

# %% [markdown]
# ## One interface
#
# A `Segmenter` says what it must be told (`supervision`) and what it returns (`outputs`), and has `fit`, `probabilities` and `segment`. What is
# compared here:

# %%
print("\n".join(f"{name:24s} told {method.told}" for name, method in METHODS.items()))

# %% [markdown]
# ### Clusters have no names
#
# A method that is told nothing returns numbered clusters. Two ways to name them, never to be mixed in one column:
#
# - **picture by picture**: each picture's clusters get the names that suit its own truth best, an oracle's reading;
# - **once for the test set**: one Hungarian assignment over all pixels, for clusters that mean the same in every picture.
#
# With fewer clusters than classes neither can be perfect: the ceiling is the truth itself with its largest classes alone. By hand: a
# picture of three classes with areas 4, 2 and 1, and two clusters: the ceiling is (1 + 1 + 0) / 3.

# %%
from functools import partial

from segstudy.datasets.files import crop
from segstudy.datasets.sample import Sample

truth = np.array([[0, 0, 0, 0, 1, 1, 2]])
toy = [Sample("toy", partial(crop, np.zeros((1, 7, 3), np.uint8)), partial(crop, truth))]
two = trials.score(toy, [np.array([[0, 0, 0, 0, 1, 1, 1]])], 3, trials.EACH)
print(f"two clusters that follow the truth: IoU {two['IoU'][0]:.3f}")
record.expect("two clusters of three classes", float(two["IoU"][0]), (1 + 2 / 3 + 0) / 3)

# %% [markdown]
# ## All methods, by what they were told
#
# IoU is the mean over the classes of a picture, then over pictures; beside it the IoU over the set, which weighs pixels alike. The spread over
# seeds is that of the score of a whole test set; the spread over pictures says how different pictures are. What stands under another heading
# was told something else, and clusters named picture by picture are flattered by an oracle: compare within a group.

# %% tags=["hide-input"]
tables = {}
for task in tasks:
    name = task["name"]
    tables[name] = results.score_table(runs[name], best[name], task["clusters"], whole=False)
    rows = tables[name].iloc[1:]
    tops = rows.loc[rows.groupby("told", sort=False)["IoU"].idxmax()]
    words = ", ".join(f"{row.method} {row.IoU:.3f} ({row.told})" for row in tops.itertuples())
    caption = f"{name}, {len(opened[name][1])} pictures, clusters named picture by picture: best of each group are {words}."
    record.table(tables[name], f"scores_{name}", caption)

# %% tags=["hide-input"]
for task in tasks:
    name = task["name"]
    if task.get("whole", True):
        table = results.score_table(runs[name], best[name], task["clusters"], whole=True)
        table = table[table["told"] == "nothing"]
        caption = f"{name}, clusters named once for the test set: only methods whose clusters mean the same in every picture; {len(table) - 1} ran."
        record.table(table, f"scores_whole_{name}", caption)

# %% [markdown]
# ### What each network learned from
#
# In the tables above every network learned from the same pictures at the same size: with the weights of notebooks 01 to 05 they would
# compare data as much as methods. Those weights have a section of their own below. What methods share is trained once: DGCN's ways of growing
# labels begin with the same classifier and cues.

# %% tags=["hide-input"]
cards = supervision.card_table(runs, {task["name"]: task["train"] for task in tasks})
seen = cards["pictures"].groupby(cards["task"], sort=False).max()
words = ", ".join(f"{name} {count}" for name, count in seen.items())
caption = f"The card of each trained network: what it learned from, by which part of the recipe, and its score; training pictures of {words}."
record.table(cards, "cards", caption)

# %% [markdown]
# ### Against the null baseline of each group
#
# The simplest method that is told as much: k-means on colours, DGCN's network on seeds that never grow, the nearest click in colour and place,
# the U-Net without matching. Tests are Wilcoxon's over pictures, corrected for the number of methods in the group by Holm's rule; intervals
# over seeds stand beside, since a test over pictures says nothing about another training.

# %% tags=["hide-input"]
nulls = {name: results.null_table(part) for name, part in runs.items()}
for name, table in nulls.items():
    sure = int((table["p, Holm"] < results.LEVEL).sum())
    caption = f"{name}: gain of each method over the null baseline of its group; {sure} of {len(table)} differ at a level of {results.LEVEL:g} after correction."
    record.table(table, f"nulls_{name}", caption)

# %% [markdown]
# ## What supervision buys
#
# What a person would have needed for the labels: by Bearman et al. (2016), 20 seconds for the classes of a VOC picture and 239.7 for its full
# mask; 22.1 for one click into each class, which every picture asks for anew. The figure takes the best method of each group; it was the best
# on these very pictures, so that its score is a little flattered. What is told nothing stands apart: its clusters were named by the truth,
# which no user has. More labels ask for more steps: in the demo the trainings are short, and what masks buy shows on real pictures, if at all.

# %% tags=["hide-input"]
bought = supervision.supervision_table(runs)
figure = figures.chart_supervision(bought)
words = ", ".join(
    f"{row.told} {row.IoU:.3f}" for row in bought[bought.task == tasks[0]["name"]].itertuples()
)
sentence = f"The best IoU of each group over the hours its labels would cost, hollow where the truth named the clusters; on {tasks[0]['name']}: {words}."
alt = (
    "Points for each task, IoU over hours of labelling, those that were told something joined."
)
record.figure(figure, "supervision", alt, sentence, drawn=True)
record.table(bought, "supervision", "The same as a table: the best method of each group.")

# %% [markdown]
# ### What clicks say besides where
#
# A click also says which classes its picture shows; masks of other pictures do not. A class that is named without being there is an IoU of 0
# in the mean over a picture's classes. Over the classes that the picture does show, both are judged on the same: where clicks were ahead and
# are no longer, it was this that they were told; where they stay ahead, the networks learned too little from the masks.

# %% tags=["hide-input"]
absent = supervision.absent_table(runs)
ahead = absent.loc[
    absent.groupby(["task", "told"], sort=False)["IoU of classes shown"].idxmax()
]
words = ", ".join(
    f"{row['task']} {row['method']} {row['IoU of classes shown']:.3f} ({row['IoU']:.3f} over all)"
    for _, row in ahead[ahead["told"].isin(["clicks", "all masks"])].iterrows()
)
caption = f"IoU over the classes that a picture shows; the best told clicks and told all masks: {words}. absent: pixels given to a class that is not there."
record.table(absent, "absent", caption)

# %% [markdown]
# ## Does the graph help?
#
# For each paper the same method with its graph and without it: matching against keeping each class's largest regions; SGSeg against its own
# segmentation network; the clusterings against k-means on the same features; labels grown by the cut against seeds that never grow; SCG-Net
# against itself with A = I and against a 1 x 1 convolution on its trunk; a cut from clicks against the nearest click. Clusters are named
# picture by picture on both sides.

# %% tags=["hide-input"]
graphs = results.graph_table(runs)
figure = figures.chart_graphs(graphs)
tally = graphs["verdict"].value_counts()
sentence = f"What each graph adds: it helps in {tally.get('helps', 0)} of {len(graphs)} comparisons, harms in {tally.get('harms', 0)}, and in the others the interval holds 0."
alt = "A row for each paper's graph and task: the mean difference of IoU and its interval, beside a line at 0."
record.figure(figure, "graphs", alt, sentence, headline=True, drawn=True)
record.table(graphs, "graphs", "The same as a table, with intervals over seeds.")

# %% [markdown]
# Why a graph harms or does nothing is isolated where its paper is studied: 01 plants rivals that only relations can tell apart; 02 shows that
# projected features hold less than the colours they were made of; 03 sets the eigenvector of the same affinity beside the network; 04 counts
# how right the labels are at the end of the training; 05 restores each node's own share of its row.

# %% [markdown]
# ## As the papers' own notebooks trained them
#
# Notebooks 01, 02, 04 and 05 train the same methods for longer, on more or larger pictures, each as its paper does, and keep the networks.
# Here they are taken over, none is trained again: what their data set has in a task above, they label at the size that they learned from, and
# are scored as all others, on the test pictures that none of them saw. Their cards come first. The networks of 03 begin anew on each picture
# and leave nothing to take.
#
# What to see: how far a short training at a small size stands from the method as its paper trains it, and whether the graphs' answers above
# are those of weak networks. Longer is not always more: with a quarter of the masks 01 takes a quarter of the steps, while a U-Net above takes
# as many on few masks as on all. SGSeg and IIC learned from squares two thirds as wide as those that they see here.

# %% tags=["hide-input"]
from segstudy.experiments.compare import taken_over
from segstudy.study.records import kept_networks

taken = kept_networks(["01_graph_matching", "02_sgseg", "04_dgcn", "05_scgnet"], seeds)
own = {task["name"]: taken_over.judge_own(task, taken, runs[task["name"]]) for task in tasks}
own_cards = taken_over.own_cards(own)
if len(own_cards):
    words = ", ".join(sorted(own_cards["trained in"].unique()))
    caption = f"The cards of {len(own_cards)} kinds of network out of notebooks {words}; scores as those notebooks give them, on their own pictures."
    record.table(own_cards, "own_cards", caption)
else:
    record.left_out(
        "the papers' own networks; notebooks 01, 02, 04 and 05 made none for these tasks"
    )

# %% tags=["hide-input"]
gained = taken_over.own_table(own, runs, seeds)
if len(gained):
    top = gained.loc[gained["gain in IoU"].idxmax()]
    more = int((gained["over pictures, from"] > 0).sum())
    caption = f"Each of them beside the same method trained here: surely ahead in {more} of {len(gained)} rows, most {top['method']} on {top['task']}, {top['gain in IoU']:+.3f}."
    record.table(gained, "own", caption)

# %% tags=["hide-input"]
own_graphs = results.graph_table({name: part.runs for name, part in own.items()})
if len(own_graphs):
    words = "; ".join(
        f"{row.graph}, {row.task}: {row.verdict}" for row in own_graphs.itertuples()
    )
    caption = f"Does the graph help, asked of the papers' own networks: {words}."
    record.table(own_graphs, "own_graphs", caption)

# %% [markdown]
# ## Combinations that no paper has
#
# Every method's probabilities $p$ through a dense CRF, a bilateral solver and a graph cut of the pixel grid, which looks for the labels of
# least cost by alpha-expansion,
#
# $$\sum_i -\log p_i(l_i) + w \sum_{ij} [l_i \ne l_j], \qquad w = 1;$$
#
# those that name classes also through graph matching, where classes lie to one another as in a face. The matcher's model needs masks: after
# a method that was told less, it brings them in.

# %% tags=["hide-input"]
combined = results.refinement_table(runs)
figure = figures.chart_refinements(combined)
top = combined.loc[combined["gain in IoU"].idxmax()]
sentence = f"Points of IoU that a refinement adds after each method; a star: the interval over pictures leaves out 0. Most comes from {top['refinement']} after {top['method']} on {top['task']}, {100 * top['gain in IoU']:+.1f}."
alt = "A matrix for each task, methods by refinements, with the gain written in each cell."
record.figure(figure, "refinements", alt, sentence, drawn=True)
record.table(combined, "refinements", "The same as a table, with intervals.")

# %% [markdown]
# ### One soft map, three refinements
#
# Change the price of two neighbours that differ and watch the graph cut of one method's map; beside it, static, prices of 0.3, 1 and 3.

# %% tags=["hide-input"]
sample = opened[tasks[0]["name"]][1][0]
soft = (
    METHODS["NCUT-GCN"].make(task_of(tasks[0]), 0, seeds[0], recipe).probabilities(sample.image)
)
prices = (0.3, 1.0, 3.0)
cuts = [refinements.potts_labels(soft, price) for price in prices]
drawn = [plots.colourise(m, plots.palette(soft.shape[2])) for m in (soft.argmax(2), *cuts)]
figure, _ = plots.panels(
    [sample.image, *drawn], ["picture", "likeliest", *(f"price {p:g}" for p in prices)], 5
)
changed = float((cuts[-1] != soft.argmax(2)).mean())
sentence = f"NCUT-GCN's memberships cut at three prices; the highest changes {100 * changed:.1f} % of the pixels."
record.figure(figure, "prices", "A picture and its clusters at rising prices.", sentence)

# %%
import matplotlib.pyplot as plt
from ipywidgets import FloatLogSlider, interact


@interact(price=FloatLogSlider(1.0, min=-2, max=1.5, step=0.1))
def play(price):
    labels = refinements.potts_labels(soft, price)
    figure, _ = plots.panels(
        [plots.colourise(labels, plots.palette(soft.shape[2]))], [f"price {price:.2f}"], 3
    )
    plt.show()
    plt.close(figure)


# %% [markdown]
# ## Pictures that divide the methods
#
# The test pictures on which two methods differ in the most pixels, on average over all pairs.

# %% tags=["hide-input"]
for name, (dataset, samples) in opened.items():
    apart = results.disagreements(runs[name])
    for rank, index in enumerate(np.argsort(-apart)[:shown]):
        maps = {m: results.shown_labels(v[0]["maps"][index]) for m, v in runs[name].items()}
        ious = {m: results.picture_iou(v[0], index) for m, v in runs[name].items()}
        sample = samples[index]
        figure = figures.draw_gallery(sample.image, sample.labels, maps, ious, dataset.colours)
        low, high = min(ious, key=ious.get), max(ious, key=ious.get)
        sentence = f"{name}, picture {index}: two methods differ in {100 * apart[index]:.0f} % of the pixels on average; {high} has an IoU of {ious[high]:.2f}, {low} of {ious[low]:.2f}."
        alt = "A picture, its truth and the labels of each method."
        record.figure(figure, f"gallery_{name}_{rank}", alt, sentence)

# %%
for name, part in runs.items():
    for method, values in part.items():
        scores = results.seed_scores(values)
        record.metric(f"{name}/{method}/IoU", scores, over="seeds")
    for told, null in NULLS.items():
        if null in part:
            record.headline(f"{name}, told {told}: {null}", f"{name}/{null}/IoU")

# %% [markdown]
# ## Summary
#
# - The first table of each task is the one to choose a method by: look in the group that matches the labels you can pay for.
# - The figure of graphs answers whether a graph helps when all else stays the same; its verdict is an interval, not a ranking.
# - Refinements help methods whose maps are soft and coarse; on maps that are hard already, they change little.
# - One cluster for everything, and the ceiling of so many clusters, stand beside every method that is told nothing: a score means little
#   without both.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) Two labels, prices of 1: how sure, `least_sure`, must a lone pixel be of its label to keep it against four neighbours that are
# sure of the other?

# %% tags=["solution"]
# Keeping it costs four borders and -log p, giving it up -log(1 - p): p / (1 - p) > e^4.
least_sure = np.exp(4) / (1 + np.exp(4))
print(round(least_sure, 3))

# %% tags=["check"]
kept = []
for share in (least_sure - 0.005, least_sure + 0.005):
    lone = np.full((3, 3, 2), [0.999, 0.001])
    lone[1, 1] = [1 - share, share]
    kept.append(int(refinements.potts_labels(lone)[1, 1]))
assert kept == [0, 1], "below it the pixel gives in, above it keeps its label"

# %% [markdown]
# **2.** (medium) Three methods of a group have p-values of .01, .03 and .04 against the null baseline. How many, `still_differ`, do after
# Holm's correction, at a level of .05?

# %% tags=["solution"]
# .01 x 3 = .03; .03 x 2 = .06, and what follows is no smaller.
still_differ = sum(p < 0.05 for p in (0.01 * 3, 0.03 * 2, max(0.03 * 2, 0.04)))
print(still_differ)

# %% tags=["check"]
assert still_differ == sum(p < 0.05 for p in results.holm([0.01, 0.03, 0.04])), (
    "see results.holm"
)

# %% [markdown]
# **3.** (hard) Give k-means as many clusters as there are classes of the first task: what becomes of the ceiling, `ceiling_of_all`, and of its
# IoU picture by picture, `iou_of_all`?

# %% tags=["solution"]
# The ceiling becomes 1; k-means need not gain, since more clusters cut large classes to pieces.
more = tasks[0] | {"clusters": len(opened[tasks[0]["name"]][0].classes)}
again = trials.run_methods(more, ["k-means"], 0, recipe)["k-means"]
again = again["scores"]["as it is"][trials.EACH]
iou_of_all = float(again["IoU"].mean())
ceiling_of_all = float(trials.ceiling(more, more["clusters"])[trials.EACH]["IoU"].mean())
print(f"{iou_of_all:.3f} of {ceiling_of_all:.3f}")

# %% tags=["check"]
assert abs(ceiling_of_all - 1) < 1e-9, "every class may have a cluster of its own"
assert 0 < iou_of_all < 1, "k-means does not know the classes"

# %% [markdown]
# ## References
#
# 1. A. Bearman, O. Russakovsky, V. Ferrari, L. Fei-Fei: What's the point: semantic segmentation with point supervision. ECCV 2016 (seconds
#    per label).
# 2. Y. Boykov, M.-P. Jolly: Interactive graph cuts for optimal boundary & region segmentation of objects in N-D images. ICCV 2001.
# 3. Y. Boykov, O. Veksler, R. Zabih: Fast approximate energy minimization via graph cuts. IEEE TPAMI 23(11), 2001.
# 4. G. Csurka, D. Larlus, F. Perronnin: What is a good evaluation measure for semantic segmentation? BMVC 2013 (boundary F).
# 5. S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 1979.
# 6. P. Krähenbühl, V. Koltun: Efficient inference in fully connected CRFs with Gaussian edge potentials. NeurIPS 2011.
# 7. J. T. Barron, B. Poole: The fast bilateral solver. ECCV 2016.
#
# The five papers stand in notebooks 01 to 05.
#
# **Provenance.** Parameters, seeds, versions, data and their fingerprints stand at the top of this page and in `run.json` beside it.
