# %% [markdown]
# # Your own pictures: every method that needs no training
#
# You have pictures and no masks. Some methods of this study label them all the same: a threshold, k-means, superpixels, a normalised cut, and
# the graph networks of paper 3, which are trained on each picture by itself.
#
# **The question of this notebook:** where nobody knows the truth, what can be said of a segmentation? Methods can be asked whether they agree. You
# will see them side by side, with the time each takes, and how far any two agree, measured in a way that needs no names of classes.
#
# It takes less than a minute with generated pictures (2 cores). For your own, set `pictures` to a folder: everything below is made anew. The same
# without a notebook: `python -m segstudy segment all my_pictures`, which also writes label maps and a page to look through.

# %% tags=["parameters"]
pictures = "objects/val"  # a data set, "name/split", or a folder of your own pictures
images = 6  # at most so many of them, evenly spaced; 0: all
methods = [
    "otsu",
    "kmeans",
    "slic-kmeans",
    "ncut",
    "deepcut",
    "deepcut-cc",
    "unseggnet",
    "unsegarmanet",
    "slides",
]  # see `python -m segstudy segment --help`
clusters = 3  # parts that each method makes at most; Otsu's threshold makes two
seeds = [
    0,
    1,
]  # of starts and first weights; the first is drawn, the second says what chance does
shown = 2  # pictures that are drawn with all their maps

# %% [markdown]
# ## Set-up

# %%
import matplotlib.pyplot as plt
import numpy as np
from segstudy import plots
from segstudy.experiments.images import figures, jobs, results
from segstudy.experiments.images.methods import METHODS, build
from segstudy.experiments.images.segmenting import paint, segment_picture
from segstudy.study.record import Record

plots.use_style()
record = Record(
    seeds=seeds, features="colours and textures; ImageNet's for the slides' settings"
)

# %% [markdown]
# ## The data, looked at
#
# Masks, where a data set has them, are opened for one column of one table at the end; no method sees them.

# %%
found = record.data(jobs.open_pictures(pictures, images, "none"))
photographs = [sample.image for sample in found]
masks = [sample.labels for sample in jobs.open_pictures(pictures, images, "full")]
truth = None if any(mask is None for mask in masks) else masks
print(found.note or f"{len(found)} pictures of {pictures}")

# %% tags=["hide-input"]
pixels = [image.shape[0] * image.shape[1] for image in photographs]
figure, _ = plots.panels(photographs[:10], [s.name for s in found][:10], columns=5)
sentence = f"{min(len(photographs), 10)} of {len(photographs)} pictures, of {min(pixels):,} to {max(pixels):,} pixels."
record.figure(figure, "pictures", "The pictures in rows.", sentence)

# %% [markdown]
# ## What each method needs

# %% tags=["hide-input"]
rows = [(METHODS[name].title, METHODS[name].told, METHODS[name].needs) for name in methods]
needs = results.pd.DataFrame(rows, columns=["method", "is told", "weights"])
caption = f"The {len(methods)} methods of this run; none is told anything of the pictures."
record.table(needs, "needs", caption)

# %% [markdown]
# ## A baseline first: colours alone
#
# k-means parts the colours of a picture and does not know where a pixel lies. Whatever has a graph has to differ from it to be worth its time, and
# a map that differs is not yet a better one.

# %%
baseline = segment_picture(build("kmeans", clusters, seeds[0]), photographs[0])
painted = paint(photographs[0], baseline.labels)
shares = np.bincount(baseline.labels.ravel()) / baseline.labels.size

# %% tags=["hide-input"]
figure, _ = plots.panels([photographs[0], painted], ["the picture", "k-means"], columns=2)
sentence = f"k-means makes {len(shares)} parts of {', '.join(f'{100 * s:.0f} %' for s in shares)} of the pixels, darkest first."
record.figure(figure, "baseline", "A picture, and its k-means parts painted over it.", sentence)

# %% [markdown]
# ## The methods side by side

# %%
asked = {"pictures": pictures, "images": images, "methods": methods}
asked |= {"clusters": clusters, "seeds": seeds}
todo = jobs.experiments(asked)
entries = record.run(todo, "your images: experiment")
runs, seconds = {name: [] for name in methods}, {}
for job, entry in zip(todo, entries):
    method = job.arguments["method"]
    runs[method].append(entry.value["labels"])
    seconds.setdefault(method, entry.value["seconds"])
maps = {name: of_seeds[0] for name, of_seeds in runs.items()}

# %% tags=["hide-input"]
whole = {name: sum(len(np.unique(m)) == 1 for m in maps[name]) for name in methods}
left = [f"{METHODS[n].title} {c}" for n, c in whole.items() if c]
figure = figures.draw_maps(photographs, maps, range(min(shown, len(photographs))))
sentence = f"Overlays of the first {min(shown, len(photographs))} pictures. Of all {len(photographs)}, left in one part: {', '.join(left) or 'none, 0'}."
alt = "Each picture, followed by what every method makes of it."
record.figure(figure, "maps", alt, sentence, headline=True)

# %% [markdown]
# ### With a divider
#
# Opened in Jupyter, the next cell has a slider: left of the line is the picture, right of it the map. Below it stand three of its positions.

# %%
from ipywidgets import FloatSlider, interact


@interact(method=methods, at=FloatSlider(0.5, min=0, max=1, step=0.05))
def show_divided(method, at):
    over = paint(photographs[0], maps[method][0])
    divided = figures.divide(photographs[0], over, at)
    figure, _ = plots.panels([divided], [METHODS[method].title], columns=2)
    plt.show()
    plt.close(figure)


# %% tags=["hide-input"]
last = methods[-1]
over = paint(photographs[0], maps[last][0])
places = (0.25, 0.5, 0.75)
divided = [figures.divide(photographs[0], over, at) for at in places]
figure, _ = plots.panels(divided, [f"line at {at:.0%}" for at in places], columns=3)
sentence = f"{METHODS[last].title} under the divider at {', '.join(f'{at:.0%}' for at in places)} of the width."
alt = "The picture left of a white line and its overlay right of it, three times."
record.figure(figure, "divider", alt, sentence)

# %% [markdown]
# ## Do they agree?
#
# Cluster 2 of one method and cluster 0 of another may be the same thing. So ask about *pairs* of pixels: does a method put them together or apart?
# The Rand index is the share of pairs on which two methods give the same answer. Chance alone makes it high, so Hubert and Arabie (1985) take
# chance off and scale the rest: with $n_{ij}$ pixels in part $i$ of one map and $j$ of the other, $a_i$ and $b_j$ the sums,
#
# $$\mathrm{ARI} = \frac{\sum_{ij}\binom{n_{ij}}2 - E}{\tfrac12\left[\sum_i\binom{a_i}2 + \sum_j\binom{b_j}2\right] - E},
# \qquad E = \frac{\sum_i\binom{a_i}2\,\sum_j\binom{b_j}2}{\binom n2}.$$
#
# 1 is the same partition, 0 is chance. In a few lines:


# %%
def pairs(counts):
    return float((counts * (counts - 1) / 2).sum())


def adjusted_rand(first, second):
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first.ravel(), second.ravel()), 1)
    one, other = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = one * other / pairs(table.sum(keepdims=True))
    return (pairs(table) - chance) / ((one + other) / 2 - chance)


# %% [markdown]
# By hand, on four pixels: one map says 0 0 1 1, the other 0 0 0 1. Together in both: the first two pixels, so $\sum\binom{n_{ij}}2 = 1$. The first
# map has 2 pairs together, the second 3, all pixels 6: $E = 2\cdot3/6 = 1$. So the index is $(1 - 1)/(\tfrac52 - 1) = 0$, no better than chance,
# although 4 pixels look much alike. Names do not matter: 0 0 1 1 against 1 1 0 0 is 1.

# %%
one, other = np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 1]])
record.expect("four pixels", adjusted_rand(one, other), 0.0)
record.expect("other names", adjusted_rand(one, 1 - one), 1.0)
first, second = maps[methods[0]][0], maps[methods[1]][0]
packaged = results.rand_index(first, second)
record.expect("ours and the package's", adjusted_rand(first, second), packaged)

# %%
matrix = results.agreement_matrix(runs)
apart = ~np.eye(len(methods), dtype=bool)
means = np.where(apart, matrix.mean(axis=2), np.nan)
row, column = np.unravel_index(np.nanargmax(means), means.shape)
closest = f"{METHODS[methods[row]].title} and {METHODS[methods[column]].title}"

# %% tags=["hide-input"]
figure = figures.chart_agreement(matrix, methods)
sentence = f"Agreement of methods, mean over {len(photographs)} pictures: closest are {closest}, {means[row, column]:.2f}, the mean of all pairs is {np.nanmean(means):.2f}. On the diagonal a method with another seed."
alt = "A matrix of adjusted Rand indices between methods."
record.figure(figure, "agreement", alt, sentence, drawn=True)

# %%
for index, name in enumerate(methods):
    others = np.delete(matrix[index], index, axis=0).mean(axis=0)
    record.metric(f"{name}/agreement with the others", others, over="pictures")
    if truth is not None:
        judged = results.agreements(truth, maps[name])
        record.metric(f"{name}/agreement with the masks", judged, over="pictures")
record.metric("closest pair", matrix[row, column], over="pictures")
table = results.method_table(runs, seconds, matrix, truth)

# %% tags=["hide-input"]
quickest = table.loc[table["seconds, median"].idxmin()]
caption = f"Agreement is the adjusted Rand index, mean and standard deviation over {len(photographs)} pictures. The quickest is {quickest['method']}, {quickest['seconds, median']:.3f} s (quartiles {quickest['quartile 1']:.3f} and {quickest['quartile 3']:.3f})."
record.table(table, "methods", caption)

# %% [markdown]
# Agreement is no proof: methods that look at the same colours make the same mistakes. Where a data set has masks, the table has a column against
# them; for a folder of your own it has none.

# %% [markdown]
# ## How long it takes

# %% tags=["hide-input"]
slowest = max(seconds, key=lambda name: np.median(seconds[name]))
ratio = np.median(seconds[slowest]) / np.median(
    seconds[min(seconds, key=lambda n: np.median(seconds[n]))]
)
figure = figures.chart_seconds(seconds)
sentence = f"Seconds for a picture, one dot each, median marked: {METHODS[slowest].title} takes {ratio:.0f} times as long as the quickest. Loading is not counted."
record.figure(figure, "seconds", "Dots of times by method.", sentence, drawn=True)

# %% [markdown]
# ## Beyond: the pictures that methods dispute
#
# Where methods disagree most, a person has to look; where they agree, most of the work is done. These are the pictures of least agreement.

# %% tags=["hide-input"]
disputed = results.most_disputed(matrix)
least = [float(matrix[apart][:, i].mean()) for i in disputed]
figure = figures.draw_maps(photographs, maps, disputed[:1])
sentence = f"The most disputed picture: the mean agreement of methods is {least[0]:.2f}, on the least disputed {least[-1]:.2f}."
alt = "A picture and every method's map of it."
record.figure(figure, "disputed", alt, sentence)

# %%
record.headline(f"agreement of {closest} on {pictures} (adjusted Rand)", "closest pair")
for name in methods if truth is not None else []:
    record.headline(
        f"agreement with the masks of {pictures}, {METHODS[name].title}",
        f"{name}/agreement with the masks",
    )

# %% [markdown]
# ## Summary
#
# - Methods can be compared without a mask by asking about pairs of pixels; the matrix says which of them see the same thing in your pictures.
# - A method that leaves pictures whole says nothing about them: the table counts these.
# - On the diagonal is what chance does: where a method does not agree with itself under another seed, its maps are no finding.
# - With masks for a few pictures, `python -m segstudy train` makes a network of your own, and `segment` takes it.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) What is the agreement, `of_one_part`, of a map of one part with any other? Work it out from the equation, then try.

# %% tags=["solution"]
# All pairs are together in the one part: the sum over n_ij equals that over b_j, which equals E. So the index is 0.
single = np.zeros_like(maps[methods[1]][0])
of_one_part = results.rand_index(single, maps[methods[1]][0])
print(of_one_part)

# %% tags=["check"]
assert abs(of_one_part) < 1e-9, (
    "all pairs are together in the one part: the index equals its expectation"
)

# %% [markdown]
# **2.** (medium) Does k-means with two parts find Otsu's threshold? Compare them on each picture, as `near_threshold`.

# %% tags=["solution"]
# Often nearly: both minimise the variance within two groups, one of grey levels, the other of colours in L*a*b*.
two = [segment_picture(build("kmeans", 2, 0), image).labels for image in photographs]
threshold = [segment_picture(build("otsu", None, 0), image).labels for image in photographs]
near_threshold = results.agreements(two, threshold)
print(near_threshold.round(2))

# %% tags=["check"]
assert len(near_threshold) == len(photographs), "one agreement for each picture"
assert (np.abs(near_threshold) <= 1).all(), "an adjusted Rand index is at most 1"

# %% [markdown]
# **3.** (hard) Shrink a picture to half its size, segment both with k-means and the normalised cut, and compare: `by_size`, a number for each.
# How much of a method's map depends on the size alone?

# %% tags=["solution"]
# The larger map is taken at the smaller one's pixels.
from segstudy.datasets.resizing import resize_image, resize_labels

half, by_size = tuple(side // 2 for side in photographs[0].shape[:2]), {}
for name in ("kmeans", "ncut"):
    small = segment_picture(build(name, clusters, 0), resize_image(photographs[0], half)).labels
    large = segment_picture(build(name, clusters, 0), photographs[0]).labels
    by_size[name] = results.rand_index(resize_labels(large, half), small)
print(by_size)

# %% tags=["check"]
assert set(by_size) == {"kmeans", "ncut"}, "one number for each of the two methods"
assert all(abs(value) <= 1 for value in by_size.values()), "an adjusted Rand index is at most 1"

# %% [markdown]
# ## References
#
# 1. L. Hubert, P. Arabie: Comparing partitions. Journal of Classification 2, 1985.
# 2. N. Otsu: A threshold selection method from gray-level histograms. IEEE Trans. SMC 1979.
# 3. J. Shi, J. Malik: Normalized cuts and image segmentation. IEEE TPAMI 2000.
# 4. R. Achanta et al.: SLIC superpixels compared to state-of-the-art superpixel methods. IEEE TPAMI 2012.
# 5. A. Aflalo, S. Bagon, T. Kashti, Y. Eldar: DeepCut, unsupervised segmentation using graph neural networks clustering. ICCV workshops 2023.
# 6. S. Reddy et al.: UnSegGNet, and UnSeGArmaNet. 2024.
#
# **Provenance.** Parameters, seeds, versions, data and their fingerprints stand at the top of this page and in
# `run.json` beside it.
