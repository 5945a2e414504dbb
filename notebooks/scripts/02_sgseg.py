# %% [markdown]
# # Paper 2: superpixels that hear one another, and segmentation without a label
#
# Nobody says what is in these pictures. SGSeg (Eliasof, Ben Zikri, Treister, 2022) groups pixels into superpixels with one network, lets the
# superpixels exchange what they know along a graph with a second, and labels the pixels with a third, which must say the same in
# whatever order it reads the picture. What it calls cluster 3 may turn out to be water.
#
# **The question of this notebook:** do superpixels and their graph help a network that learns from pictures alone, and does it beat k-means
# on colours? You will see each equation on a picture of four by four pixels, superpixels as they form, the paper's tables with ours on other
# pictures beside them, and what became of its 30 claims.
#
# It takes five minutes with generated pictures (2 cores).

# %% tags=["parameters"]
train = "stuff/train"  # pictures to learn from; their labels are never opened
test = "stuff/test"  # pictures that are read once, for the scores
images = 24  # of each, evenly spaced; 0: all
patch = 0  # pixels: pictures are cut into squares of it; 0: they stay whole
side = 64  # pixels: pictures or patches are resized to a square of it
clusters = 6  # as many as there are classes
spnn_widths = [8, 12, 16, 24]  # channels of the superpixel network; the paper has 64 to 512
cnn_widths = [16, 24, 32, 48]  # of the segmentation network; the paper's: 64, 128, 256, 512
gnn_width = 24  # features of a superpixel in the graph network; the paper's: 64
gnn_blocks = 3  # L; the paper's: 4
superpixels = 64  # N
k = 8  # neighbours of a superpixel
pretraining = 8  # epochs of the superpixels alone
epochs = 8  # of the whole
batch = 4  # pictures in a step
rates = [1e-2, 3e-3, 1e-3]  # of Adam: superpixels, graph, segmentation
tv = 0.02  # weight of Eq. 17; the paper gives none
methods = [
    "SGSeg",
    "superpixels, no GNN",
    "CNN alone",
    "AC",
    "random CNN",
    "IIC",
    "k-means",
]  # rows of Table 1 and 3, see trials.METHODS
seeds = [0, 1]  # of weights, order, colours and reading orders
ablations = 0  # seeds of Tables 2 and 4 to 6 and of what the text argues for; 0: not run
photographs = {}  # train, test and so on of the superpixels' comparison, if others
tiles = []  # the same of single tiles, which SPNN learns from and is judged on
timed = {
    "network": {"spnn_widths": [16, 32, 64, 128], "cnn_widths": [16, 32, 64, 128]},
    "side": 64,
    "rounds": 5,
}  # SGSeg beside AC, see timing.time_steps
graphs = {"sides": [32], "rounds": 3}  # of superpixels beside pixels, see timing.time_graphs
memory = False  # whether a step's memory is counted at the paper's widths, two minutes
shown = 3  # test pictures that are drawn
device = "cpu"  # where the networks train, as torch names it

# %% [markdown]
# ## Set-up

# %%
import numpy as np
import torch
from segstudy import plots
from segstudy.experiments import published, verdicts
from segstudy.experiments.printed import as_printed
from segstudy.experiments.sgseg import claims, figures, jobs, quality, results, trials
from segstudy.experiments.sgseg.pictures import open_part, pictures_of, setup_of, spaced
from segstudy.papers import sgseg

plots.use_style()

# %%
from segstudy.study.record import Record

record = Record(seeds=seeds, device=device, features="learned here, from random weights")
asked = {"train": train, "test": test, "images": images, "side": side, "clusters": clusters}
asked |= {"spnn_widths": spnn_widths, "cnn_widths": cnn_widths, "gnn_width": gnn_width}
asked |= {"gnn_blocks": gnn_blocks, "superpixels": superpixels, "k": k, "batch": batch}
asked |= {"pretraining": pretraining, "epochs": epochs, "rates": rates, "tv": tv}
asked |= {"methods": methods, "seeds": seeds, "ablations": ablations, "shown": shown}
asked |= {"patch": patch, "photographs": photographs, "tiles": tiles, "timed": timed}
asked |= {"graphs": graphs, "memory": memory, "device": device}

# %%
found = jobs.experiments(asked)
value_of = {job.key(): e.value for job, e in zip(found, record.run(found, "SGSeg: experiment"))}


def values(part):
    return [(job.arguments, value_of[job.key()]) for job in part(asked)]


# %% [markdown]
# ## The data, looked at

# %%
unlabelled = record.data(open_part(train, images, "none"))
judged = record.data(open_part(test, images, "full"))
classes, colours = judged.classes, judged.colours
pictures = pictures_of(setup_of(jobs.setup(asked)))
print(f"{len(unlabelled)} pictures to learn from; their labels: {unlabelled[0].labels}")

# %% tags=["hide-input"]
drawn_images = spaced(pictures.test, shown)
drawn_truth = spaced(pictures.truth, shown)
areas = sum(
    np.bincount(t.ravel(), minlength=256)[: len(classes)] for t in pictures.truth
).astype(float)
areas /= areas.sum()
base = float(areas.max())
sentence = f"Test pictures and their truth: {classes[int(areas.argmax())]} has {100 * base:.0f} % of the pixels, and one cluster for all would be right so often; white is void."
figure = figures.draw_maps(drawn_images, [], {"truth": drawn_truth}, classes, colours)
record.figure(figure, "pictures", "Pictures, each beside its truth.", sentence)

# %% [markdown]
# ## The method, step by step
#
# ### The whole (Figure 2)

# %% tags=["hide-input"]
figure = figures.draw_framework()
sentence = "After Figure 2: superpixels, a graph among them, and a segmentation network that reads picture and projected features in two of eight orders. Orange: 2 steps on superpixels."
alt = "Seven boxes from picture to mutual information, those on superpixels in orange."
record.figure(figure, "framework", alt, sentence, drawn=True)

# %% [markdown]
# ### Superpixels as probabilities (Eqs. 1 to 3 and 6)
#
# SPNN gives every pixel a probability for each of $N$ superpixels, $P_{ijs}$. A superpixel's features are the weighted mean of its pixels',
# $F_s = \sum_{ij} P_{ijs} F_{ij} / \sum_{ij} P_{ijs}$ (Eq. 3), and a pixel gets back $\sum_s P_{ijs} F_s$ (Eqs. 2 and 6). Both are matrix products, and the
# gradient of whatever comes after goes through them. By hand, 4 x 4 pixels, grey 0 left and 8 right, two superpixels; each pixel is .75 sure.

# %%
grey = torch.tensor([[0.0, 0.0, 8.0, 8.0]] * 4)[None, None]
left = torch.tensor([[0.75, 0.75, 0.25, 0.25]] * 4)
P = torch.stack([left, 1 - left])[None]
means = sgseg.superpixel_features(P, grey)[0, :, 0]
record.expect("means: 0.25 x 8 and 0.75 x 8", means.tolist(), [2.0, 6.0])
soft = sgseg.soft_image(P, grey)[0, 0, 0]
record.expect("soft image: .75 x 2 + .25 x 6", soft.tolist(), [3.0, 3.0, 5.0, 5.0])
record.expect("hard image (Eq. 1)", sgseg.hard_image(P, grey)[0, 0, 0].tolist(), [0, 0, 8, 8])

# %% [markdown]
# ### What makes them superpixels (Eqs. 8 to 13)
#
# Pixels shall be sure of one superpixel and superpixels of one size (Eq. 9); neighbours belong together where the picture does not change
# (Eq. 10); the picture can be painted back from its superpixels (Eq. 12); and its edges stay where they are (Eq. 13). Nothing of it needs a
# label. By hand: four pixels, each sure of a superpixel of its own, have no entropy themselves and that of even sizes, $\log 4$, twice.

# %%
sure = torch.eye(4).view(1, 4, 2, 2)
record.expect("Eq. 9", float(sgseg.clustering_loss(sure)), -2 * np.log(4), 1e-6)
border = torch.zeros(1, 2, 1, 2)
border[0, 0, 0, 0] = border[0, 1, 0, 1] = 1
smooth = float(sgseg.smoothness_loss(border, torch.zeros(1, 1, 1, 2)))
record.expect("a border where nothing changes: 2 over 2 pixels", smooth, 1.0)

# %% [markdown]
# Read by the letter SPNN knows colours alone: it sees 21 pixels across, and equal pixels far apart get the same superpixel. The work that it
# follows gives it $x$ and $y$ as well; so does ours, and a row below shows what it does without. The paper takes $\sigma = 10$ in Eq. 10, which
# says nothing about pictures in $[0, 1]$ (no edge weighs less than .74): ours are standardised.
#
# ### Watch superpixels form
#
# One photograph or drawing, one network, a minute of a reader's time: drag the slider in Jupyter.

# %%
steps = []
one = quality.superpixels_of_one(
    setup_of(jobs.setup(asked)),
    drawn_images[0],
    seeds[0],
    {},
    lambda step, labels: steps.append(labels),
)

# %% tags=["hide-input"]
at = [0, len(steps) // 8, len(steps) // 2, len(steps) - 1]
marked = [figures.mark(drawn_images[0], steps[i]) for i in at]
figure, _ = plots.panels(marked, [f"step {i}" for i in at])
numbers = [len(np.unique(steps[i])) for i in at]
sentence = f"Superpixels of one picture as its network learns: {numbers[0]} at the start, {numbers[-1]} after {len(steps)} steps, of {superpixels} there may be."
record.figure(figure, "forming", "Four stages of superpixels over a picture.", sentence)

# %%
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact


@interact(step=IntSlider(len(steps) - 1, min=0, max=len(steps) - 1))
def play(step):
    figure, _ = plots.panels([figures.mark(drawn_images[0], steps[step])], [f"step {step}"], 1)
    plt.show()
    plt.close(figure)


# %% [markdown]
# ### The graph (Eqs. 14 to 16)
#
# Each superpixel is joined to the $k$ whose features are nearest. DiffGCN tells a node how it differs from a neighbour along $x$ and along $y$:
# $\partial_x F_{ij} = (F_i - F_j)(x_i - x_j)/\Delta_{ij}$. (As printed; a derivative would divide by $\Delta^2$.) By hand: $F_0 = 1$ at $(0, 0)$ and $F_1 = 3$ at $(3, 4)$:
# $\partial_x = -2 \cdot (-3)/5 = 1.2$ and $\partial_y = 1.6$.

# %%
from segstudy.papers.sgseg.gnn import Block

block = Block("DiffGCN", 1).eval()
with torch.no_grad():
    block.linear.weight.copy_(torch.tensor([[0.0, 10.0, 1.0]]))
    block.linear.bias.zero_()
nodes, places = torch.tensor([[[1.0], [3.0]]]), torch.tensor([[[0.0, 0.0], [3.0, 4.0]]])
heard = float(block(nodes, torch.tensor([[[1], [0]]]), places)[0, 0, 0].detach())
record.expect("10 x 1.2 + 1.6", heard, 13.6, 1e-3)

# %% [markdown]
# ### Eight reading orders, one kernel
#
# The segmentation network's first convolution in each block sees only what an order has read already. The kernel is the same for all; a mask
# and a shift decide what it meets.

# %% tags=["hide-input"]
figure = figures.draw_orders()
sentence = "What a layer sees around the current pixel (black frame) in each of 8 orders: 8 of the 9 places of a kernel that is shifted back by a row or a column."
record.figure(
    figure, "orders", "Eight panels of blue squares around a framed one.", sentence, drawn=True
)

# %% [markdown]
# ### Mutual information (Eqs. 18 and 19)
#
# Two maps of one picture shall agree and use all clusters: $I = H(\hat M_1) - H(\hat M_1 \mid \hat M_2)$, from the joint distribution of the two maps' clusters.
# Eq. 21 adds it to what is *minimised*: that would make the maps independent. The loss here is $-I$. By hand, 2 x 2 pixels, two clusters.

# %%
upper = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
lefts = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
maps = [torch.stack([m, 1 - m])[None] for m in (upper, lefts)]
same = float(sgseg.mutual_information(maps[0], maps[0]))
record.expect("of a map with itself: log 2", same, np.log(2), 1e-6)
crossed = float(sgseg.mutual_information(*maps))
record.expect("of two that know nothing of one another", crossed, 0.0, 1e-6)

# %% [markdown]
# ## Null baselines first, and Table 1
#
# Clusters get their names by one assignment over all test pictures (Hungarian, pixels). k-means on colours, a network with random weights,
# and the network without superpixels are what SGSeg has to beat.

# %%
runs = {}
for arguments, value in values(jobs.compared):
    runs.setdefault(arguments["method"], []).append(value)
table = results.method_table(runs)
for name, values_of in runs.items():
    kept = [value for value in values_of if not results.collapsed(value)]
    for what, score in (("accuracy", results.accuracy), ("mean IoU", results.class_iou)):
        _ = record.metric(f"{name}/{what}", [score(v) for v in kept], over="seeds")

# %% tags=["hide-input"]
best = table.loc[table["accuracy"].idxmax()]
ranked = table.set_index("method")["accuracy"]
fairest = table.loc[table["mean IoU"].idxmax()]
caption = f"Pixel accuracy on {test}, mean and std over {len(seeds)} seeds, and the mean IoU over classes; one cluster for all: {base:.3f} and {base / len(classes):.3f}. Best: {best['method']}, {best['accuracy']:.3f}, by IoU {fairest['method']}, {fairest['mean IoU']:.3f}; {int(table['collapsed'].sum())} runs collapsed to one cluster and are left out of the means."
record.table(table.dropna(axis=1, how="all"), "methods", caption)

# %% tags=["hide-input"]
gain_table = results.gain_table(runs, trials.SGSEG)
beaten = [row.less for row in gain_table.itertuples() if row[4] > 0]
caption = f"SGSeg's accuracy less that of each other, with 95 % intervals over {len(seeds)} seeds and over {len(pictures.test)} pictures. Above 0 over seeds: {', '.join(beaten) or 'none'}."
record.table(gain_table, "gains", caption)

# %% tags=["hide-input"]
figure = figures.chart_methods(table, base)
sentence = f"Pixel accuracy on {test}; bars are standard deviations over seeds. One cluster for all would have {base:.3f}, k-means on colours has {ranked.get(trials.KMEANS, np.nan):.3f}, SGSeg {ranked.get(trials.SGSEG, np.nan):.3f}."
alt = "Points with error bars, one a method."
record.figure(figure, "methods_chart", alt, sentence, headline=True, drawn=True)

# %% tags=["hide-input"]
caption = "Table 1 as published, pixel accuracy in percent: SGSeg has 39.4, 74.6, 57.7 and 71.8. None of these four data sets is at hand; Doersch, Isola, InMars and InfoSeg are published numbers only."
record.table(as_printed("sgseg_table1"), "table_1", caption)

# %% tags=["hide-input"]
whole = {n: [v["losses"][-1] for v in r] for n, r in runs.items() if r[0]["losses"]}
figure = figures.chart_losses(whole)
lowest = {n: np.mean([run[-1] for run in r]) for n, r in whole.items()}
sentence = (
    "What each method minimises, by epoch (thin: single seeds); at the end "
    + ", ".join(f"{n} {v:.2f}" for n, v in lowest.items())
    + ". The sums hold different parts."
)
record.figure(figure, "losses", "Lines that fall with the epochs.", sentence, drawn=True)

# %% [markdown]
# ## Features or clusters: what holds the method back?
#
# Clusters that do not fit the classes may have two causes: the features do not tell the classes apart, or they do and the objective divides them
# otherwise. A linear classifier that *is* told the classes (of every other test picture, scored on those between) says what features hold;
# k-means on the same features, told nothing, says what is to be had from them without mutual information.

# %%
inside = results.inside_table(runs, (trials.SGSEG, trials.SPNN_ALONE))

# %% tags=["hide-input"]
ours = inside.set_index("method").loc[trials.SGSEG]
caption = f"What the projected features of the test pictures hold, means over seeds: told the classes, {ours['told the classes']:.3f} for SGSeg and {ours['told, of colours']:.3f} for colours alone; k-means on them {ours['k-means on features']:.3f}, SGSeg's own clusters {ours['accuracy']:.3f}."
record.table(inside, "inside", caption)

# %% [markdown]
# ## Figure 1: picture, superpixels, segmentation, truth

# %% tags=["hide-input"]
columns = {}
for name in (trials.SGSEG, trials.CNN_ALONE, trials.KMEANS):
    if name in runs:
        columns[name] = results.named_maps(runs[name][0])
columns["truth"] = drawn_truth
pieces = runs[trials.SGSEG][0]["superpixels"] if trials.SGSEG in runs else []
figure = figures.draw_maps(drawn_images, pieces, columns, classes, colours)
sentence = f"The first seed on {len(drawn_images)} test pictures, clusters in the colour of the class that they were given; white: none, or void."
record.figure(figure, "examples", "Pictures, superpixels, segmentations and truth.", sentence)

# %% [markdown]
# ## How good are the superpixels?
#
# Against SLIC, Felzenszwalb's regions and plain squares of about the same number. SPNN is trained once on the training pictures (amortised), or
# anew on each of a few pictures. Two tiles from the air, too few to train on, are judged by what SPNN learns from their own patches.

# %%
whole_asked = jobs.setup(asked | photographs)
judged_pieces = values(jobs.superpixels)
same = [(a, v) for a, v in judged_pieces if a["setup"] == whole_asked]
plain = {a["source"]: v for a, v in same if not a["few"] and not a["weights"]}
alone = {a["source"]: v for a, v in same if a["few"]}
lost = [v for a, v in same if a["weights"]]
losses = dict(zip(jobs.LOSSES, lost))
numbers = {a["setup"]["superpixels"]: v for a, v in judged_pieces if a["setup"] != whole_asked}
numbers |= {whole_asked["superpixels"]: plain[quality.AMORTISED]}

# %% tags=["hide-input"]
piece_table = results.superpixel_table(plain)
reach = piece_table.set_index("superpixels")["achievable accuracy"]
caption = f"Superpixels of {len(plain[quality.SLIC]['count'])} pictures of {whole_asked['test']}: achievable accuracy {reach[quality.AMORTISED]:.3f} for SPNN, {reach[quality.SLIC]:.3f} for SLIC; borders count within {quality.TOLERANCE:g} pixels."
record.table(piece_table, "superpixels", caption)

# %% tags=["hide-input"]
few_table = results.superpixel_table(alone)
reach = few_table.set_index("superpixels")["achievable accuracy"]
caption = f"The same on {len(alone[quality.SLIC]['count'])} pictures, where SPNN is also trained on each alone: {reach[quality.ALONE]:.3f}, amortised {reach[quality.AMORTISED]:.3f}, SLIC {reach[quality.SLIC]:.3f}."
record.table(few_table, "superpixels_few", caption)

# %% tags=["hide-input"]
if losses:
    loss_table = results.superpixel_table({"all losses": plain[quality.AMORTISED]} | losses)
    dearest = loss_table.set_index("superpixels")["achievable accuracy"].iloc[1:].idxmin()
    caption = f"SPNN's superpixels, amortised, with a loss left out: achievable accuracy is lowest with {dearest}."
    record.table(loss_table, "superpixel_losses", caption)
    number_table = results.superpixel_table({f"N = {n}": numbers[n] for n in sorted(numbers)})
    best_count = number_table.set_index("superpixels")["achievable accuracy"].idxmax()
    caption = f"The same by number of superpixels: the highest achievable accuracy is that of {best_count}."
    record.table(number_table, "superpixel_numbers", caption)
else:
    record.left_out("SPNN with a loss left out, and other numbers of superpixels")

# %% tags=["hide-input"]
by_tile = {}
for arguments, value in values(jobs.tiles):
    by_tile.setdefault(arguments["setup"]["test"], {})[arguments["source"]] = value
if by_tile:
    tile_table = results.tile_table(by_tile)
    caption = f"The same on {quality.TOLERANCE:g}-pixel borders of single tiles, in patches of {side} pixels: what SPNN and the others reach."
    record.table(tile_table, "superpixel_tiles", caption)
else:
    record.left_out("superpixels of single tiles from the air")

# %% [markdown]
# ## Tables 2 to 6: what each part is worth
#
# The schemes of training, the components, the number of superpixels, the graph network, the neighbours; and what the text argues for
# without a number.

# %%
asked_changes = list(jobs.changes(asked)) if ablations else []
changed_runs = [value for _, value in values(jobs.changed)]
changed = {
    name: changed_runs[i * ablations : (i + 1) * ablations]
    for i, name in enumerate(asked_changes)
}

# %% tags=["hide-input"]
if changed:
    change_table = results.method_table(changed).rename(columns={"method": "SGSeg with"})
    top = change_table.loc[change_table["accuracy"].idxmax()]
    caption = f"SGSeg with one thing changed, seeds: {ablations}; best is {top['SGSeg with']}, {top['accuracy']:.3f}."
    record.table(change_table, "changed", caption)
else:
    record.left_out("schemes, components, N, backbones, k and what the text argues for")

# %% tags=["hide-input"]
for number, what in (
    (2, "schemes: 33.7, 36.6 and 39.4"),
    (3, "components: 31.1, 35.7 and 39.4"),
    (4, "N: best 200 for 15 classes, 100 for 4"),
    (5, "graph networks: DiffGCN 39.4, no graph 35.7"),
    (6, "k: best 20"),
):
    caption = f"Table {number} as published, pixel accuracy in percent, {what}."
    record.table(as_printed(f"sgseg_table{number}"), f"table_{number}", caption)

# %% [markdown]
# ## Figure 3: what the graph network makes of superpixels

# %% tags=["hide-input"]
columns = {"features": runs[trials.SGSEG][0]["projected"]} if trials.SGSEG in runs else {}
if "no total variation" in changed:
    columns["without TV"] = changed["no total variation"][0]["projected"]
figure = figures.draw_features(drawn_images, columns)
varied = float(np.mean([v["variation"] for v in runs[trials.SGSEG]]))
sentence = f"Three principal components of the projected features as colours; their total variation over their spread is {varied:.3g}."
record.figure(figure, "features", "Pictures, and features as colours.", sentence)

# %% [markdown]
# ## Tables 7 to 12: networks, times, settings

# %%
sizes = {
    "SPNN, N = 200 (Table 7)": sgseg.SPNN(200, places=False),
    "DiffGCN, L = 4 (Table 8)": sgseg.SuperpixelGNN(),
    "CNN, 15 classes (Tables 9, 10)": sgseg.AutoregressiveCNN(),
}
parameters = {name: sum(p.numel() for p in n.parameters()) for name, n in sizes.items()}
record.expect("SPNN", parameters["SPNN, N = 200 (Table 7)"], 8_754_891)

# %% tags=["hide-input"]
ours = sum(parameters.values())
caption = f"Parameters of the paper's widths, counted here: {ours:,} together. The paper prints no totals, and Table 10 lists 64 to 128 twice: four blocks of 64, 128, 256 and 512 are the reading that changes one cell."
frame = results.pd.DataFrame({"network": parameters.keys(), "parameters": parameters.values()})
record.table(frame, "parameters", caption, decimals=0)

# %%
cost = {name: value_of[job.key()] for name, job in jobs.costs(asked).items()}

# %% tags=["hide-input"]
parts_table, layers = (results.in_millions(cost["layers"][key]) for key in ("parts", "layers"))
millions = parts_table.set_index("part")["million multiply-adds"]
caption = f"Parameters and multiply-adds of the paper's widths for one picture of 128 x 128, N = 200: SPNN does {millions['SPNN'] / 1e3:.1f} of {millions.sum() / 1e3:.1f} billion."
record.table(parts_table, "parts", caption, decimals=0)
caption = "Layer by layer, Tables 7 to 10 as built here."
record.table(layers, "layers", caption, decimals=0)

# %% tags=["hide-input"]
ratio_table = results.ratio_table(cost["expected"], cost["steps"])
by_count = ratio_table.set_index("step")["by multiply-adds"]
printed_ratio = ratio_table.set_index("step")["as published"]
caption = f"SGSeg's time over AC's: Table 11 has {printed_ratio['training']:.2f} and {printed_ratio['inference']:.2f}, multiply-adds of the paper's own tables say {by_count['training']:.1f} and {by_count['inference']:.1f}: both cannot be true. Measured here on {cost['steps']['side']} x {cost['steps']['side']} pictures, side by side, {cost['steps']['rounds']} rounds, quartiles."
record.table(ratio_table, "ratios", caption)

# %% tags=["hide-input"]
if ablations:
    by_number = {n: value_of[job.key()] for n, job in jobs.timed_by_number(asked).items()}
    count_table = results.count_table(by_number)
    few, most = count_table["training over AC"].iloc[[0, -1]]
    caption = f"SGSeg's time over AC's by N: a training step goes from {few:.1f} to {most:.1f} times AC's, medians of rounds side by side."
    record.table(count_table, "ratios_by_number", caption)
else:
    record.left_out("times by the number of superpixels")

# %% tags=["hide-input"]
graph_table = results.graph_table(cost["graphs"])
caption = f"A graph network on {cost['graphs']['nodes']} superpixels or on the pixels themselves, side by side: pixels take {graph_table['ratio'].iloc[-1]:.1f} times as long, what makes superpixels of pixels (Eqs. 3 and 6) included."
record.table(graph_table, "graphs", caption)

# %% tags=["hide-input"]
if memory:
    limit = cost["plan"]["limit"]
    figure = figures.chart_memory(cost["memory"], limit)
    sentence = f"Memory that a training step of 64 pictures needs at most, counted without a GPU at the paper's widths, by N at 128 pixels a side and by the side at N = 200; dotted: {limit / 1e9:g} GB."
    alt = "Two panels of rising lines, one for each precision with checkpoints and without."
    record.figure(figure, "memory", alt, sentence, drawn=True)
    caption = f"How many pictures at once fit {limit / 1e9:g} GB at 128 x 128 and N = 200; the paper trains with 64."
    record.table(results.plan_table(cost["plan"]), "plan", caption, decimals=1)
else:
    record.left_out("a training step's memory, counted at the paper's widths")

# %% tags=["hide-input"]
for number, what in ((7, "SPNN"), (8, "the graph network"), (9, "a block"), (10, "the CNN")):
    caption = f"Table {number} as published: the layers of {what}."
    record.table(published.table(f"sgseg_table{number}"), f"table_{number}", caption)

# %% tags=["hide-input"]
caption = "Table 11 as published, times on one RTX 3090: SGSeg trains 1.22 and infers 1.31 times as long as AC."
record.table(as_printed("sgseg_table11"), "table_11", caption)
caption = (
    "Table 12 as published, the settings; gamma is the weight of the edge loss, eta in Eq. 8."
)
record.table(published.table("sgseg_table12"), "table_12", caption)

# %% [markdown]
# ## The paper's claims

# %%
judged_claims = claims.judge(runs, changed, plain, losses, numbers, cost, len(classes))
verdict_table = verdicts.claims_table("sgseg", judged_claims)
for row in verdict_table.itertuples():
    record.verdict(row.claim, row.text, row.verdict, row.evidence)

# %% tags=["hide-input"]
caption = f"The paper's {len(verdict_table)} claims: {verdicts.count_words(list(verdict_table['verdict']))}."
record.table(verdict_table, "claims", caption)

# %%
for name in methods[:5]:
    record.headline(f"accuracy, {name}", f"{name}/accuracy")

# %% [markdown]
# ## Summary
#
# - The table of gains sets SGSeg beside the same network without superpixels, beside random weights and beside k-means, with intervals. On
#   drawn pictures it is above random weights and level with k-means; a gain over the network on the picture alone is within the spread, and
#   on Dubai from the air there is none. Where one class has most of the pixels, one cluster for all is hard to beat in accuracy; the mean
#   IoU stands beside for that.
# - Why: what SGSeg projects back holds less of the classes than the colours it was made of, and less with the graph than without (table of
#   what features hold). Few steps leave superpixels unsure of their pixels; those trained on a picture alone are nearer to SLIC's.
# - A run can end with one cluster for everything: such runs are counted in the table, and not averaged in.
# - Two things are not as printed: Eq. 21's sign (it would make the two maps independent), and SPNN's input, which needs the places of pixels.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) Two superpixels, one pixel each, and a pixel of colour 3 that belongs half to both: what is its colour in the soft image,
# as `half`, when the two are 0 and 6?

# %% tags=["solution"]
# The half pixel of colour c counts half in both means: (0 + c/2) / 1.5 and (6 + c/2) / 1.5; it gets the mean of the two.
row = torch.tensor([[[0.0, 3.0, 6.0]]])[None]
share = torch.tensor([[[1.0, 0.5, 0.0]], [[0.0, 0.5, 1.0]]])[None]
half = float(sgseg.soft_image(share, row)[0, 0, 0, 1])
print(half)

# %% tags=["check"]
assert abs(half - 3) < 1e-6, "the mean of the two superpixels' colours, 1 and 5"

# %% [markdown]
# **2.** (medium) What does the clustering loss of Eq. 9 say of $N = 4$ superpixels that are all alike everywhere (`loss_alike`)? And of one
# superpixel for all (`loss_single`)?

# %% tags=["solution"]
# Alike: log N - 2 log N = -log N. One for all: 0 - 0 = 0, which is worse.
alike, single = torch.full((1, 4, 2, 2), 0.25), torch.zeros(1, 4, 2, 2)
single[:, 0] = 1
loss_alike, loss_single = (float(sgseg.clustering_loss(p)) for p in (alike, single))
print(loss_alike, loss_single, -np.log(4))

# %% tags=["check"]
assert abs(loss_alike + np.log(4)) < 1e-4, "log N - 2 log N"
assert abs(loss_single) < 1e-4, "both entropies are 0"

# %% [markdown]
# **3.** (hard) Why can mutual information not be had by one cluster for everything, although then all orders agree? Measure it, as
# `information`, for a map of three clusters of which only one is used.

# %% tags=["solution"]
# The entropy of the clusters is 0 then, and mutual information is never above it.
single_map = torch.zeros(1, 3, 4, 4)
single_map[:, 1] = 1
information = float(sgseg.mutual_information(single_map, single_map))
print(information)

# %% tags=["check"]
assert abs(information) < 1e-4, (
    "the entropy of the clusters is 0, and the information never above it"
)

# %% [markdown]
# ## References
#
# 1. M. Eliasof, N. Ben Zikri, E. Treister: Unsupervised image semantic segmentation through superpixels and graph neural networks. 2022.
# 2. Y. Ouali, C. Hudelot, M. Tami: Autoregressive unsupervised image segmentation. ECCV 2020 (AC).
# 3. X. Ji, J. F. Henriques, A. Vedaldi: Invariant information clustering for unsupervised image classification and segmentation. ICCV 2019 (IIC).
# 4. T. Suzuki: Superpixel segmentation via convolutional neural networks with regularized information maximization. ICASSP 2020 (RIM).
# 5. M. Eliasof, E. Treister: DiffGCN: graph convolutional networks via differential operators and algebraic multigrid pooling. NeurIPS 2020.
# 6. Y. Wang et al.: Dynamic graph CNN for learning on point clouds. ACM Transactions on Graphics 38(5), 2019 (DGCNN).
# 7. R. Achanta et al.: SLIC superpixels compared to state-of-the-art superpixel methods. IEEE TPAMI 34(11), 2012.
#
# **Provenance.** Parameters, seeds, versions, data and their fingerprints stand at the top of this page and in
# `run.json` beside it.
