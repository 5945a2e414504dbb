# %% [markdown]
# # What the methods cost
#
# A graph of all pixels has as many edges as the square of their number. The five papers each avoid that in another way: by regions, by
# superpixels, by patches, by a coarse map, by nearest neighbours. Whether a method can be used at all on a picture of some size is decided
# there, and a table of "FLOPs" does not tell.
#
# **The question of this notebook:** what does each method hold, compute, wait for and keep in memory, how does it grow with the picture and
# with the graph, and is that what its algorithm predicts? You will see every method of the study timed in turn in one run, its exponent of
# growth with an interval, its peak memory, and beside them the programs that you would otherwise pick.
#
# It takes a minute and a half (2 cores). Keep the machine idle meanwhile: other work makes the intervals wider.

# %% tags=["parameters"]
pictures = [48, 80, 128]  # sides of pictures in pixels, rising
graphs = [20, 28, 36]  # sides of square graphs in nodes, rising
share = 0.25  # of the papers' channels in U-Net, SGSeg and AC, when measured
rounds = 5  # that count, of all methods in a random order, after one that does not
threads = 1  # on the CPU, of torch and of the numerical libraries
repeats = 1  # processes for the peak memory of a method at a size; 0: not measured
counted = None  # networks whose multiply-adds are counted, see counting.NETWORKS; None: all
rivals = {
    "dense CRF": 96,
    "matching, RRWM": 90,
    "matching, FAQ": 90,
    "matching, vertices alone": 90,
    "normalised cut": 96,
    "GCN, dense": 400,
    "GCN, sparse": 400,
    "edge convolution": 400,
}  # sizes of the comparisons with other programs, see rivals.RIVALS; what is left out is not run
steps = None  # training steps that are timed, see whole.PLANS; None: all
step_side = 48  # pixels of the pictures whose training steps are timed on the CPU
step_rounds = 2  # of those steps that count
seed = 0  # of orders, graphs and bootstrap
device = "cpu"  # what is measured beside the CPU, "cuda" where there is a GPU

# %% [markdown]
# ## Set-up

# %%
import numpy as np
import torch
from segstudy import plots
from segstudy.experiments import rounds as turns
from segstudy.experiments.costs import figures, growth, inputs, jobs, methods, results
from segstudy.nn.costs import honest_flops, published_flops

plots.use_style()

# %%
from segstudy.study.record import Record

asked = {"pictures": pictures, "graphs": graphs, "share": share, "rounds": rounds}
asked |= {"threads": threads, "repeats": repeats, "counted": counted, "rivals": rivals}
asked |= {"steps": steps, "step_side": step_side, "step_rounds": step_rounds, "seed": seed}
asked |= {"device": device}
devices = jobs.devices(device)
record = Record(
    seeds=[seed], device=", ".join(devices), features="none: times do not depend on them"
)
found = jobs.named(asked)
entries = record.run(list(found.values()), "costs: experiment")
value = {name: entry.value for name, entry in zip(found, entries)}

# %% [markdown]
# ## The data, looked at
#
# Times hardly depend on what a picture shows, but a few do: regions, cuts and grids follow its content. So there is one generated picture and
# one soft map of nine classes, resized to every size: the same regions everywhere.

# %% tags=["hide-input"]
photographs = record.data(inputs.photographs())
smallest, largest = pictures[0], pictures[-1]
shown = [inputs.picture(smallest), inputs.picture(largest)]
shown += [
    plots.colourise(inputs.soft_map(largest).argmax(axis=2), plots.palette(inputs.CLASSES))
]
titles = [f"{smallest} pixels", f"{largest} pixels", "likeliest class of the soft map"]

# %% tags=["hide-input"]
figure, _ = plots.panels(shown, titles)
sentence = f"What the methods are given: one picture at sides from {smallest} to {largest} pixels, and a soft map of {inputs.CLASSES} classes."
record.figure(
    figure,
    "inputs",
    "A picture at two sizes, and a map of coloured regions.",
    sentence,
    drawn=True,
)

# %% [markdown]
# ## The method, in steps
#
# ### A multiply-add
#
# A convolution with $k \times k$ kernels from $c$ to $d$ channels makes $k^2 c d$ multiply-adds for every pixel of its output, a matrix product of
# $(n, m)$ and $(m, d)$ makes $n m d$. Papers print "FLOPs"; SCG-Net's digits are met by a count of the layers alone, which takes one for an
# activation and nothing for a product of matrices that is no layer, such as all of a graph network. By hand: 3 x 3, from 3 to 2 channels,
# 4 x 4 pixels: $9 \cdot 3 \cdot 2 \cdot 16$.

# %%
layer = torch.nn.Conv2d(3, 2, 3, padding=1, bias=False)
record.expect("a convolution", honest_flops(layer, (3, 4, 4)), 864)


class Graph(torch.nn.Module):
    def forward(self, x):
        nodes = x.flatten(2).mT
        return (nodes @ nodes.mT) @ nodes


record.expect("16 nodes, 3 features: 2 x 16 x 16 x 3", honest_flops(Graph(), (3, 4, 4)), 1536)
record.expect("the same, layers alone", published_flops(Graph(), (3, 4, 4)), 0)

# %% [markdown]
# ### An exponent of growth
#
# If time is $t = a\,n^e$, then $\log t = \log a + e \log n$: a straight line on logarithmic axes, whose slope is $e$. We fit it to medians over
# rounds, and draw the rounds anew for an interval. By hand, times that grow with the square. And a constant of the same size as the
# smallest time hides half of it: that is why the slope between the two largest sizes stands beside.

# %%
sizes, noise = np.array([1.0, 2.0, 4.0]), np.array([[1.0], [1.1], [0.9]])
square = growth.exponent(sizes, sizes**2 * noise)
record.expect("n squared", [square.value, square.last], [2.0, 2.0])
hidden = growth.exponent(sizes, 1 + sizes**2 * noise)
print(f"with a constant: {hidden.value:.2f} over all sizes, {hidden.last:.2f} at the end")

# %% [markdown]
# ### Times in turn
#
# A clock tells what the machine did, not what the method needs. In every round each method runs once at each size, in an order drawn anew;
# whatever else happens meets all of them alike, and ratios are taken within a round.
#
# ## The null baseline: one method against itself
#
# Timed as two, U-Net has a ratio of one to itself but for noise. A ratio below that is as near to one as is not to be told from it.

# %%
call = methods.PICTURES["U-Net"].build(share, "cpu")(smallest)
twice = turns.interleave({"one": call, "same": call}, max(rounds, 5), threads, seed)
null = turns.quartiles(twice["one"] / twice["same"])
print(f"U-Net over U-Net: {null[1]:.2f}, quartiles {null[0]:.2f} and {null[2]:.2f}")

# %% [markdown]
# ## What the networks hold and compute

# %% tags=["hide-input"]
counts = results.count_table(value[jobs.COUNTS])
dearest = counts.loc[counts["multiply-adds (G), honest"].idxmax()]
caption = f"Parameters and multiply-adds of one picture at the papers' channels and sizes. Dearest: {dearest['network']}, {dearest['multiply-adds (G), honest']:.1f} G. A dash: the paper prints none, or what looks at its numbers cannot be counted by layers."
record.table(counts, "counts", caption)

# %%
both = counts.dropna(subset=["multiply-adds (G), honest", "by layers alone (G)"])
for row in both.itertuples():
    _ = record.metric(f"{row.network}/multiply-adds, honest over by layers", row[5] / row[6])
for name in both["network"]:
    record.headline(
        f"{name}: honest over by layers", f"{name}/multiply-adds, honest over by layers"
    )

# %% [markdown]
# ## Time against the size of the picture

# %%
timed = value["time, pictures"]
table = results.growth_table(timed)
networks = [
    m
    for m in methods.PICTURES
    if m in ("U-Net", "SGSeg", "AC's CNN", "DGCN's network", "SCG-Net")
]
plain = [m for m, about in methods.PICTURES.items() if about.of == "baseline"]
parts = [m for m in methods.PICTURES if m not in (*networks, *plain)]
groups = {"networks, a prediction": networks, "graphs of the papers": parts, "baselines": plain}

# %% tags=["hide-input"]
figure = figures.chart_growth(timed, groups, "U-Net")
ratios = results.ratio_table(timed, "U-Net")
cheapest, costly = ratios.iloc[0], ratios.iloc[-1]
sentence = f"Time by U-Net's on {smallest} x {smallest} pixels, medians of {rounds} rounds with quartiles. At {largest} pixels {costly['method']} takes {costly['median']:.3g} times as long as U-Net, {cheapest['method']} {cheapest['median']:.3g} times."
alt = (
    "Three panels of rising lines on logarithmic axes: networks, the papers' graphs, baselines."
)
record.figure(figure, "growth_pictures", alt, sentence, headline=True, drawn=True)

# %% tags=["hide-input"]
caption = f"Time by U-Net's in the same round on {largest} x {largest} pixels, {share:g} of the papers' channels in U-Net, SGSeg and AC."
record.table(ratios, "ratios_pictures", caption)

# %% tags=["hide-input"]
figure = figures.chart_exponents(table, "pixels")
under = table[table["interval"] == results.BELOW]
sentence = f"Exponents of time in pixels from {smallest} to {largest} pixels a side. {len(under)} of {len(table)} lie below what the algorithm predicts for large pictures: there, what does not grow still takes part."
alt = "Points with intervals, hollow squares at the predictions."
record.figure(figure, "exponents_pictures", alt, sentence, drawn=True)

# %% tags=["hide-input"]
caption = "Exponents of time in pixels, 95 % intervals over rounds, beside the predicted ones."
record.table(table, "exponents_pictures", caption, decimals=2)

# %% [markdown]
# ## Time against the size of the graph
#
# The graphs alone, without pictures and networks around them: here the square is to be seen, or its absence.

# %%
graph_times = value["time, graphs"]
graph_table = results.growth_table(graph_times)
every = list(methods.GRAPHS)
graph_groups = {
    "papers 1 and 2, and the normalised cut": [*every[:4], every[-1]],
    "papers 3 to 5": every[4:-1],
}

# %% tags=["hide-input"]
base = "SGSeg: k-nn graph"
figure = figures.chart_growth(graph_times, graph_groups, base)
steepest = graph_table.loc[graph_table["last step"].idxmax()]
sentence = f"Time by that of SGSeg's nearest neighbours on {graphs[0] ** 2} nodes. Steepest at the end: {steepest['method']}, with an exponent of {steepest['last step']:.2f}."
alt = "Two panels of rising lines on logarithmic axes, against nodes."
record.figure(figure, "growth_graphs", alt, sentence, drawn=True)

# %% tags=["hide-input"]
figure = figures.chart_exponents(graph_table, "nodes")
inside = int((graph_table["interval"] == results.WITHIN).sum())
sentence = f"Exponents of time in nodes from {graphs[0] ** 2} to {graphs[-1] ** 2}: the interval of {inside} of {len(graph_table)} holds the prediction."
alt = "Points with intervals, hollow squares at the predictions."
record.figure(figure, "exponents_graphs", alt, sentence, drawn=True)

# %% tags=["hide-input"]
caption = "Exponents of time in nodes, 95 % intervals over rounds, beside the predicted ones."
record.table(graph_table, "exponents_graphs", caption, decimals=2)

# %% [markdown]
# ### Play: how far does a graph of all pixels go?
#
# The exponent decides what a larger picture costs. Drag the slider in Jupyter; the figure below has its last stop.

# %%
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact

last = dict(zip(graph_table["method"], graph_table["last step"]))
carried = {kind: last[f"SCG-Net: {kind} graph"] for kind in ("dense", "sparse")}


@interact(factor=IntSlider(4, min=2, max=64))
def play(factor):
    figures.chart_carried(carried, factor)
    plt.show()
    plt.close()


# %% tags=["hide-input"]
figure = figures.chart_carried(carried, 64)
sentence = f"SCG-Net's graph with up to 64 times the nodes, carried on from its two largest sizes: exponents {carried['dense']:.2f} dense and {carried['sparse']:.2f} sparse."
alt = "Two lines on logarithmic axes, dense and sparse."
record.figure(figure, "carried", alt, sentence, drawn=True)

# %% [markdown]
# ## CPU and GPU

# %% tags=["hide-input"]
if "cuda" in devices:
    device_table = results.device_table(timed)
    most = device_table.loc[device_table["CPU over GPU"].idxmax()]
    caption = f"Time on the CPU by that on the GPU, in the same round. Most is gained by {most['method']}, {most['CPU over GPU']:.1f} times at side {most['side']}."
    record.table(device_table, "devices", caption, decimals=1)
else:
    record.left_out("times on a GPU: the CPU alone was asked for")

# %% [markdown]
# ## Peak memory
#
# What one call adds at its peak to the resident memory of a process of its own that holds model and input and has made a small call before,
# so that libraries are loaded. Memory that was freed before is used again and does not count: a few tenths of a MiB mean that nothing was
# added. On a GPU: the allocator's peak.

# %% tags=["hide-input"]
if repeats:
    figure = figures.chart_memory(value["memory, pictures"], groups)
    held = results.memory_table(value["memory, pictures"])
    last = held.columns[-1]
    top = held.loc[held[last].idxmax()]
    sentence = f"MiB that a call adds at its peak, by the picture's size. Most on {largest} x {largest} pixels: {top['method']}, {top[last]:.0f} MiB."
    alt = "Three panels of rising lines on logarithmic axes, in MiB."
    record.figure(figure, "memory_pictures", alt, sentence, drawn=True)
    record.table(held, "memory_pictures", f"The same in numbers, {sentence}", decimals=1)
else:
    record.left_out("peak memory")

# %% tags=["hide-input"]
if repeats:
    figure = figures.chart_memory(value["memory, graphs"], graph_groups)
    held = results.memory_table(value["memory, graphs"])
    last = held.columns[-1]
    top = held.loc[held[last].idxmax()]
    sentence = f"MiB that a call adds at its peak, by the graph's size. Most on the largest graph: {top['method']}, {top[last]:.0f} MiB."
    alt = "Two panels of rising lines on logarithmic axes, in MiB."
    record.figure(figure, "memory_graphs", alt, sentence, drawn=True)
    record.table(held, "memory_graphs", f"The same in numbers, {sentence}", decimals=1)

# %% [markdown]
# ## Beside the programs that you would otherwise pick
#
# On the same input, in turn. Where both solve one problem the answers are compared too. Ratios above one: theirs is faster.

# %% tags=["hide-input"]
rival_values = {
    n.removeprefix("rival, "): v for n, v in value.items() if n.startswith("rival, ")
}
rival_table = results.rival_table(rivals, rival_values)
figure = figures.chart_rivals(rival_table)
measured = rival_table.dropna(subset=["ours over theirs"])
faster = measured[measured["upper quartile"] < 1]
sentence = f"Our time over theirs, medians of {rounds} rounds with quartiles; ours is faster in {len(faster)} of {len(measured)} comparisons that ran here."
alt = "Points with intervals about the line of equal time, one a program."
record.figure(figure, "rivals", alt, sentence, drawn=True)

# %% tags=["hide-input"]
away = int((rival_table["answers"] == results.MISSING).sum())
caption = f"The same in numbers; sizes are sides in pixels, regions or nodes. {away} programs are not installed here."
record.table(rival_table.drop(columns="answers"), "rivals", caption)
caption = f"How far the answers agree, in {len(measured)} comparisons that ran here."
record.table(rival_table[["comparison", "answers"]], "rival_answers", caption)

# %% [markdown]
# ## What a run at the paper's scale takes
#
# A run is a number of steps, and a step of training was measured with the paper's channels. On a GPU it has the paper's pictures and batch.
# On the CPU it is one small picture, scaled by the pixels that the paper's step has more: an estimate, which assumes that time goes with
# pixels.

# %% tags=["hide-input"]
for device in devices:
    whole = results.whole_table(value[f"steps, {device}"])
    how = (
        "measured"
        if device == "cuda"
        else "an estimate on one thread of this CPU, time taken to go with pixels"
    )
    longest = whole.loc[whole["hours, all runs"].idxmax()]
    caption = f"Hours at the papers' scale on {device}, {how}. Longest: notebook {longest['notebook']}, {longest['step']}, {longest['hours, all runs']:.3g} hours for all runs."
    record.table(whole, f"whole_{device}", caption, decimals=2)
if "cuda" not in devices:
    record.left_out(
        "steps on a GPU: the CPU alone was asked for; multiply-adds above hold for any"
    )

# %% [markdown]
# ## Measured on GPU machines
#
# `tests/gpu.sh` checks the study where there is a GPU, and `python -m segstudy collect` takes up what it wrote. The tables below are of those
# machines, whatever machine made the rest of this page. What is to be seen: whether a GPU computes what the CPU does, and ratios within a round;
# milliseconds belong to their device alone.

# %% tags=["hide-input"]
from segstudy.experiments.costs import gpu, gpu_tables

checks = gpu.collected()
if checks:
    ends = gpu_tables.overview(checks)
    caption = f"What became of each part: {ends['ok'].sum()} results are ok, {ends['failed'].sum()} failed, {ends['skipped'].sum()} were skipped."
    record.table(ends, "gpu_parts", caption, decimals=0)
    caption = "What failed or was skipped, and why."
    record.table(gpu_tables.not_ok(checks), "gpu_not_ok", caption)
    caption = f"Networks and losses against the CPU in float64: relative errors, outputs and gradient each as one vector. {sum(ends['failed'][ends['part'].isin(gpu.COMPARED)])} are further away than rounding takes them."
    record.table(gpu_tables.errors_table(checks), "gpu_errors", caption)
else:
    record.left_out("tests/gpu.sh has not been collected")

# %% tags=["hide-input"]
for part in gpu.MEASURED:
    found = gpu_tables.table(checks, part)
    if len(found):
        caption = f"{gpu.PARTS[part].title}, on {', '.join(found['device'].unique())}."
        record.table(found, f"gpu_{part.replace(' ', '_')}", caption, decimals=2)

# %% [markdown]
# ## Claims
#
# The papers' claims about cost are judged in their own notebooks, where their tables are measured; this notebook records no verdict.
#
# ## The seconds, of this machine alone

# %% tags=["hide-input"]
for name, run in (("pictures", timed), ("graphs", graph_times)):
    caption = f"Median milliseconds of a call, of this machine alone ({threads} thread on the CPU); they say nothing about another."
    record.table(results.seconds_table(run), f"milliseconds_{name}", caption, decimals=1)

# %% [markdown]
# ## What running the study costs
#
# A notebook's first cell waits for a plan, for Snakemake, for a process and its imports. A study of stand-in notebooks shows how long, and
# what a hundred times as many would do: planning, the index and Snakemake's start stay a matter of seconds, since what notebooks share is
# looked up once. What grows are the page, whose cards nobody reads to the end, Snakemake's choice of the next job, which looks at all that
# are left, and the search of results that were collected elsewhere, which lists their folder for each.

# %% tags=["hide-input"]
from segstudy.experiments.costs.runner import runner_table

kept = runner_table()
caption = f"The runner's own times with stand-in notebooks: this study's size, and 100 times that, medians of n, by {kept['source'].iloc[0]}. They are kept with the study and say nothing of this run; a load above the cores means that others computed meanwhile."
record.table(kept.drop(columns="source"), "runner", caption)

# %% [markdown]
# ## Summary

# %%
print(
    f"- Dearest network by multiply-adds: {dearest['network']}, {dearest['multiply-adds (G), honest']:.1f} G."
)
print(
    f"- Slowest on the largest picture: {costly['method']}, {costly['median']:.3g} times U-Net."
)
print(f"- Exponents in nodes that hold the prediction: {inside} of {len(graph_table)}.")
for row in measured.itertuples():
    print(f"- {row.ours} over {row.theirs}: {row[6]:.3g} [{row[5]:.3g}, {row[7]:.3g}]")
print(
    f"- U-Net over itself: {null[1]:.2f} [{null[0]:.2f}, {null[2]:.2f}], the noise of such ratios."
)

# %% [markdown]
# What to take along:
#
# - Growth decides what is usable, not a table of operations: a method whose graph joins all nodes is cheap on a coarse map and out of reach
#   on pixels. Each paper's way to few nodes is its way out.
# - A fitted exponent below the prediction is no contradiction: small sizes are ruled by what does not grow. The slope between the largest
#   sizes comes nearer, and the real profile has larger ones.
# - Of methods that solve one problem, the faster is not always the better: the table says what the answers cost.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) A network makes as many multiply-adds in its layers as in its graph on a map of $n$ nodes; the layers grow with $n$, the graph with $n^2$.
# How many times as many, `growth`, has the whole on four times the nodes?

# %% tags=["solution"]
# Half of it is 4 times as much, half 16 times: 10 times, an exponent of log 10 / log 4.
growth = 0.5 * 4 + 0.5 * 16
print(growth, np.log(growth) / np.log(4))

# %% tags=["check"]
assert growth == 10, "half of it is 4 times as much, half 16 times"

# %% [markdown]
# **2.** (medium) Two programs take turns, and the machine is twice as slow in every other round. What becomes of the ratio of their medians, and of the
# median of their ratios within rounds, `in_rounds`? One takes 3 s and the other 2 s where the machine is not slow.

# %% tags=["solution"]
slow = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
one, other = 3 * slow, 2 * slow
in_rounds = float(np.median(one / other))
print(np.median(one) / np.median(other), in_rounds)  # in turn, both are right
print(
    np.median(one[slow == 2]) / np.median(other[slow == 1])
)  # one after the other, the first is not

# %% tags=["check"]
assert abs(in_rounds - 1.5) < 1e-9, "a slow round is slow for both"

# %% [markdown]
# **3.** (hard) How many MiB does a full affinity of the largest graph here take in float32, and how many, `of_pixels`, one of all pixels of a
# picture of 512 x 512?

# %% tags=["solution"]
of_graph, of_pixels = (4 * nodes**2 / 2**20 for nodes in (graphs[-1] ** 2, 512**2))
print(f"{of_graph:,.1f} and {of_pixels:,.1f} MiB")

# %% tags=["check"]
assert of_pixels == 512**4 * 4 / 1024**2, "4 bytes for each pair of pixels"

# %% [markdown]
# ## References
#
# 1. J. Chopin et al.: Improving semantic segmentation with graph-based structural knowledge. ICPRAI 2022 and the paper of 2020 (paper 1).
# 2. M. Eliasof, N. Ben Zikri, E. Treister: Unsupervised image semantic segmentation through superpixels and graph neural networks. 2022.
# 3. A. Aflalo et al.: DeepCut: unsupervised segmentation using graph neural networks clustering. ICCV workshops 2023.
# 4. J. Feng et al.: Deep graph cut network for weakly-supervised semantic segmentation. Science China Information Sciences 64, 2021.
# 5. Q. Liu et al.: Self-constructing graph neural networks to model long-range pixel dependencies for semantic segmentation. 2020.
# 6. P. Krähenbühl, V. Koltun: Efficient inference in fully connected CRFs with Gaussian edge potentials. NIPS 2011 (pydensecrf2).
# 7. M. Fey, J. E. Lenssen: Fast graph representation learning with PyTorch Geometric. ICLR workshop 2019.
# 8. R. Wang et al.: Pygmtools: a Python graph matching toolkit. JMLR 25, 2024.
#
# **Provenance.** Parameters, seeds, versions, device and threads stand at the top of this page and in `run.json` beside it.
