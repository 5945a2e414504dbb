# %% [markdown]
# # Start here: what five papers mean by a graph
#
# Five papers segment images with the help of graphs. They agree on little else: one trains on twenty labelled faces,
# another on no label at all; one puts its graph behind the network, another inside it; a node is a region, a
# superpixel, a patch, a pixel or a cell of a feature map.
#
# **The question of this notebook:** what is a node, what is an edge, and what does a graph buy over looking at
# colours alone? You will see the five papers side by side, then build each kind of graph by hand on a toy and on a
# picture: regions and their distances, superpixels, nearest neighbours, a normalised cut, a minimum cut from seeds.
# Each stands beside a baseline that has no graph, and the last part scores them all against masks.
#
# It takes about a minute with generated faces, and a quarter of an hour with the real pictures.

# %% tags=["parameters"]
seeds = [0, 1, 2]  # of k-means, of the eigensolver's start, of the marks a person would draw
datasets = ["faces/test"]  # what the baselines are scored on, "name/split"
images = 8  # at most so many pictures of each data set, evenly spaced; 0: all
longest = 256  # pixels; pictures with a longer side are shrunk to it first
picture_from = "faces/val"  # where the tour's picture comes from; never a set that is scored
picture = 5  # which picture of it
superpixels = 200  # pieces aimed at in the tour
neighbours = 2  # edges from each superpixel to its nearest neighbours in colour

# %% [markdown]
# ## Set-up
#
# The study's package, its figure style, and the record that keeps every number of this run.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from segstudy import baselines, graphs, metrics, plots
from segstudy.experiments import published
from segstudy.experiments.tour import jobs as tour
from segstudy.study.record import Record

plots.use_style()
record = Record(seeds=seeds)

# %% [markdown]
# ## The ten notebooks, and how to read a report
#
# | notebook | what it answers | minutes | read before |
# |---|---|---|---|
# | 00_start_here | what is a node, what is an edge, what do colours alone give | 1 | |
# | 01_graph_matching | can relations between regions mend a network trained on few faces? | 2 | 00, to "Regions" |
# | 02_sgseg | do superpixels and their graph help a network that learns without labels? | 5 | 00, to "Superpixels" |
# | 03_gnn_clustering | does a graph network of its own for each picture beat k-means on the same features? | 2 | 00, to "A normalised cut" |
# | 04_dgcn | how far do classes of pictures carry, and does a graph cut grow better labels? | 2 | 00, whole |
# | 05_scgnet | does a graph that a network makes for itself help it? | 2 | 00, whole |
# | 06_compare_methods | all methods on the same pictures; what a label buys; what each graph adds | 2 | 01 to 05, their summaries |
# | 07_compare_costs | what each method costs, and how that grows | 2 | 00; 01 to 05 in part |
# | 08_claims | what became of 141 claims, and where papers contradict themselves | 0.5 | any |
# | 09_your_images | the methods that need no training on pictures of your own | 1 | 00 |
#
# Minutes are of the demo on two cores. The index page beside the reports shows each notebook's state, its headline on real data and
# its verdicts.
#
# A report begins with what made it: profile, data with their fingerprints, features, device and seeds. Each table and figure has a number to
# look at in the sentence below it. "±" is a standard deviation, and says over what: seeds are trainings, pictures are test pictures; an
# interval in brackets holds 95 %. Published values stand in columns of their own. A verdict on a claim is one of five: holds, holds weakly
# (the sign is right, the interval reaches 0), does not hold, not testable with this data, not run.

# %% [markdown]
# ## The data, looked at
#
# The tour needs one picture and its mask. It is taken from a set that is not scored below, and was picked because it
# shows what each method does; what the methods are worth is told by the tables at the end, over all pictures.

# %% tags=["hide-input"]
tour_set = record.data(tour.open_named(picture_from, longest))
sample = tour_set[picture]
image, truth = tour.shrink(sample.image, sample.labels, longest)
colours = tour_set.colours
shown = plots.overlay(image, truth, colours)
figure, axes = plots.panels([image, shown], ["the picture", "its mask"], columns=2)
present = np.unique(truth[truth != 255])
plots.legend(axes[1], [tour_set.classes[c] for c in present], colours[present])
size = f"{image.shape[0]} x {image.shape[1]} pixels"
sentence = f"The tour's picture, {size}, shows {len(present)} classes."
alt = f"A picture of {tour_set.name} and the same with {len(present)} classes painted over it."
record.figure(figure, "tour_picture", alt, sentence)

# %%
scored = [record.data(tour.open_named(name, longest)) for name in datasets]
pd.DataFrame(
    {
        "data set": [d.card.title for d in scored],
        "split": [d.split for d in scored],
        "pictures": [len(d) for d in scored],
        "classes": [len(d.classes) for d in scored],
        "licence": [d.card.licence for d in scored],
    }
)

# %% [markdown]
# ## Five papers, five graphs
#
# | paper | learns from | a node is | an edge is | the graph stands | what is optimised |
# |---|---|---|---|---|---|
# | 1 Chopin et al. 2020, U-Net + graph matching | masks, few images | a connected region of the network's output | the smallest distance between two regions | behind the network | a quadratic assignment of regions to classes |
# | 2 Eliasof et al. 2022, SGSeg | nothing | a learned superpixel | one of 20 nearest neighbours in feature space | between two networks | mutual information of two rasterisations |
# | 3 DeepCut, UnSegGNet, UnSeGArmaNet | nothing, each image by itself | a patch of a vision transformer | likeness of two patches' features | on top of frozen features | normalised cut, correlation or modularity |
# | 4 Feng et al. 2021, DGCN | image-level classes | a pixel of the score map | one of 9 nearest neighbours in feature space | beside the network, making its labels | a minimum cut from seeds |
# | 5 Liu et al. 2020, SCG-Net | masks | a cell of the pooled feature map | learned: $\mathrm{ReLU}(ZZ^\top)$ | inside the network | dice, with two terms that shape the graph |

# %% tags=["hide-input"]
rows = [
    ("1  U-Net + graph matching", "image, U-Net, regions, graph matching, labels", {2, 3}),
    ("2  SGSeg", "image, superpixel CNN, GNN on superpixels, CNN, clusters", {2}),
    ("3  GNN clustering", "image, frozen ViT, affinities, GNN + cut loss, clusters", {2, 3}),
    ("4  DGCN", "image, CNN scores, graph cut from seeds, labels to train on", {2}),
    ("5  SCG-Net", "image, CNN, learned graph, GNN, labels", {2, 3}),
]
figure = plots.draw_pipelines([(name, steps.split(", "), at) for name, steps, at in rows])
alt = (
    "Five rows of boxes from image to labels; orange boxes are the steps that work on a graph."
)
sentence = "Orange marks a graph: behind, between, on top of, beside or inside a network."
record.figure(figure, "five_papers", alt, sentence, drawn=True)

# %% [markdown]
# ### One table of names
#
# Every notebook of the study uses these; where a paper writes another letter, its notebook says so.
#
# | name | symbol | shape | meaning |
# |---|---|---|---|
# | `image` | $I$ | $(H, W, 3)$ | colours, 0 to 255 |
# | `labels` | $L$ | $(H, W)$ | class of each pixel; 255 is not scored |
# | `probabilities` | $S$ | $(H, W, C)$ | a network's output; rows sum to 1 |
# | `regions` | $R_i$ | $n$ sets of pixels | connected components of a label map |
# | `distances` | $D(i, j)$ | $(n, n)$ | smallest distance between two regions, in pixels (paper 1 writes $D$ too) |
# | `features` | $X$ | $(n, d)$ | one vector a node |
# | `weights` | $W$ | $(n, n)$ | how strongly two nodes are tied; their degrees are the matrix $D = \mathrm{diag}(W\mathbf 1)$ |
# | `clusters` | $S$ in paper 3 | $(n, k)$ | soft assignment of nodes to clusters |
# | `seeds` | $\mathcal S$ | $(H, W)$ | pixels whose label is given; $-1$ elsewhere |

# %% [markdown]
# ### What can be checked
#
# The papers make 141 claims that an experiment can check; each notebook gives those of its paper a verdict. The
# table counts what the papers' own printed numbers already say about them.

# %% tags=["hide-input"]
status = {"H": "holds", "P": "holds partly", "C": "contradicted", "N": "no number printed"}
claims = published.claims()
numbers = {"graph_matching": 1, "sgseg": 2, "gnn_clustering": 3, "dgcn": 4, "scgnet": 5}
claims["paper"] = claims.paper.map(numbers)
claims["by its own numbers"] = claims.by_its_own_numbers.str[0].map(status)
counted = pd.crosstab(claims.paper, claims["by its own numbers"])[[*status.values()]]
counted.columns.name = None
counted["all"] = counted.sum(axis=1)
record.metric("published/claims", float(counted["all"].sum()), "count")
caption = (
    f"Claims by paper and by what its own printed numbers say: {counted['all'].sum()} in all."
)
record.table(counted.reset_index(), "claims", caption)

# %% [markdown]
# ## A null baseline: colours without a graph
#
# A method has to earn its graph. Two baselines look at each pixel's colour alone: a threshold and k-means.
#
# **Otsu's threshold** (1979) takes the grey level $t$ that makes the two sides most different,
#
# $$t^* = \arg\max_t\ \omega(t)\,\bigl(1-\omega(t)\bigr)\,\bigl[\mu_1(t)-\mu_0(t)\bigr]^2 ,$$
#
# with $\omega(t)$ the share of pixels up to $t$ and $\mu_0, \mu_1$ the means of the two sides. In a few lines:


# %%
def between_variance(levels, t):
    low, high = levels[levels <= t], levels[levels > t]
    if len(low) == 0 or len(high) == 0:
        return 0.0
    share = len(low) / len(levels)
    return share * (1 - share) * (high.mean() - low.mean()) ** 2


# %% [markdown]
# By hand, on five pixels of grey 10, 10, 12, 200 and 202: any threshold from 12 to 199 puts three pixels below, with
# mean 32/3, and two above, with mean 201. So $\sigma_B^2 = \tfrac35\cdot\tfrac25\cdot(201-\tfrac{32}{3})^2 = 8694.4$.

# %%
levels = np.array([10, 10, 12, 200, 202], dtype=np.uint8)
ours = between_variance(levels.astype(float), 12)
record.expect("variance between the classes at t = 12", ours, 0.6 * 0.4 * (201 - 32 / 3) ** 2)
record.expect("Otsu's threshold", baselines.otsu_threshold(levels), 12)

# %% [markdown]
# **k-means** allows more than two groups: it alternates between giving every colour to its nearest centre and moving
# each centre to the mean of what it was given. On the numbers 0, 1, 9, 10 with centres that start at 0 and 1, the
# first step gives $\{0\}, \{1, 9, 10\}$ with means $0$ and $20/3$; the second $\{0, 1\}, \{9, 10\}$ with means
# $\tfrac12$ and $9\tfrac12$; the third changes nothing.

# %%
numbers, centres = np.array([0.0, 1, 9, 10]), np.array([0.0, 1])
for step in range(3):
    nearest = np.abs(numbers[:, None] - centres).argmin(axis=1)
    centres = np.array([numbers[nearest == c].mean() for c in (0, 1)])
    print(f"step {step + 1}: groups {nearest.tolist()}, centres {centres.round(3).tolist()}")
record.expect("centres", centres.tolist(), [0.5, 9.5])

# %% tags=["hide-input"]
k = len(present)
flat = [baselines.Otsu().segment(image), baselines.KMeans(k, seeds[0]).segment(image)]
matched = [metrics.match_clusters_per_image(truth, clusters, len(colours)) for clusters in flat]
scores = [metrics.mean_iou(iou) for _, iou in matched]
pictures = [plots.overlay(image, mapping[c], colours) for (mapping, _), c in zip(matched, flat)]
titles = ["the picture", f"Otsu, IoU {scores[0]:.2f}", f"k-means, k = {k}, IoU {scores[1]:.2f}"]
figure, _ = plots.panels([image, *pictures], titles, columns=3)
alt = "The picture, its two Otsu clusters and its k-means clusters, painted as the classes they match."
sentence = (
    f"Colour alone, even matched to the truth by an oracle, reaches an IoU of {max(scores):.2f} "
    f"with {k} classes: the same colour means different things in different places."
)
record.figure(figure, "null_baseline", alt, sentence)

# %% [markdown]
# The limitation just exposed: a pixel's colour says nothing of its surroundings. A graph is a way of saying them.

# %% [markdown]
# ## Regions and their distances (paper 1)
#
# Chopin et al. turn a label map into a graph. A vertex is a connected component of one class; the edge between two
# vertices carries the smallest distance between their pixels (Eq. 3):
#
# $$D(i, j) = \min_{p\in R_i,\ q\in R_j} \lVert p-q\rVert_2 .$$
#
# By hand, on a map of 3 x 5 pixels with three classes: class 1 occurs as one column at the left and one at the right,
# so there are four regions. The two columns of class 1 are 4 pixels apart; class 2, a single pixel in the middle, is
# 2 pixels from either; the background touches everything, so its distances are 1.

# %%
toy = np.array([[1, 0, 0, 0, 1], [1, 0, 2, 0, 1], [1, 0, 0, 0, 1]])
parts = graphs.regions(toy)
distances = graphs.region_distances(parts)
print("class of each region:", parts.classes.tolist())
print(distances)
record.expect("regions", len(parts), 4)
left, right = np.flatnonzero(parts.classes == 1)
middle = np.flatnonzero(parts.classes == 2)[0]
record.expect("left to right", distances[left, right], 4.0)
record.expect("left to middle", distances[left, middle], 2.0)

# %% [markdown]
# A few lines of our own do the same by brute force, comparing all pairs of pixels. The package compares boundary pixels
# in k-d trees: the same numbers, some hundred times faster on a face.


# %%
def brute_force(parts):
    pixels = [np.argwhere(parts.map == i) for i in range(len(parts))]
    table = np.zeros((len(parts), len(parts)))
    for i, a in enumerate(pixels):
        for j, b in enumerate(pixels):
            table[i, j] = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)).min()
    return table


record.expect(
    "largest difference to brute force",
    float(np.abs(brute_force(parts) - distances).max()),
    0.0,
)

# %% [markdown]
# On the picture's own mask, drawn without the background, which lies around everything:

# %%
parts = graphs.regions(truth)
kept = np.flatnonzero(~np.isin(parts.classes, (0, 255)) & (parts.sizes >= 12))
distances = graphs.region_distances(parts)[np.ix_(kept, kept)]
pairs = np.argwhere(np.triu(np.ones_like(distances), 1))
base = plots.overlay(image, truth, colours, alpha=0.3)
figure, axes = plots.panels([base, None], ["region graph", ""], columns=2)
near = 1 / (1 + distances[tuple(pairs.T)])
plots.draw_graph(axes[0], parts.centroids[kept], pairs, near, colours[parts.classes[kept]])
names = [tour_set.classes[c] for c in parts.classes[kept]]
plots.show_matrix(axes[1], distances, names, "smallest distance, pixels")

# %% tags=["hide-input"]
far = distances.max() if len(kept) else 0
sentence = (
    f"{len(kept)} regions make a complete graph of {len(pairs)} edges (thick: near); the farthest "
    f"two are {far:.0f} pixels apart. A brow and a mouth differ by distance even where colours agree."
)
alt = "The mask's regions joined by edges, and the matrix of their distances."
record.figure(figure, "region_graph", alt, sentence, headline=True)

# %% [markdown]
# ## Superpixels (paper 2)
#
# A graph over all pixels is large. Superpixels are small, even pieces that keep to the image's borders; SGSeg learns
# them, SLIC computes them as k-means on colour and position together. The baseline is a grid of squares. Two
# numbers judge pieces: *boundary recall*, the share of true borders within 2 pixels of a piece's border, and the
# *achievable accuracy*, the pixel accuracy of giving each piece its commonest class.
#
# By hand: a picture of 4 x 4 pixels whose first column is one class and the rest another, cut into four squares of
# 2 x 2. The two left squares are half right, the two right ones wholly: $(2+2+4+4)/16 = 0.75$.

# %%
toy_truth = np.array([[1, 0, 0, 0]] * 4)
toy_squares = tour.squares((4, 4), 4)
record.expect(
    "achievable accuracy of squares", metrics.achievable_accuracy(toy_truth, toy_squares), 0.75
)

# %%
slic = baselines.Superpixels(superpixels).segment(image)
grid = tour.squares(truth.shape, len(np.unique(slic)))
recall = {
    n: metrics.boundary_recall(truth, p, 2.0) for n, p in (("squares", grid), ("SLIC", slic))
}
reach = {
    n: metrics.achievable_accuracy(truth, p) for n, p in (("squares", grid), ("SLIC", slic))
}
colour_of = image.astype(float)
painted = [baselines.superpixel_means(colour_of, p)[p].astype(np.uint8) for p in (grid, slic)]

# %% tags=["hide-input"]
titles = [f"{n}: recall {recall[n]:.2f}, accuracy {reach[n]:.3f}" for n in recall]
figure, _ = plots.panels(painted, titles, columns=2)
sentence = (
    f"{len(np.unique(slic))} superpixels and {len(np.unique(grid))} squares: SLIC finds "
    f"{recall['SLIC']:.0%} of the true borders, squares {recall['squares']:.0%}."
)
alt = "The picture painted with the mean colour of squares, and of superpixels."
record.figure(figure, "superpixels", alt, sentence)

# %% [markdown]
# ## Nearest neighbours in feature space (papers 2 and 4)
#
# Neighbours need not touch. SGSeg and DGCN join each node to the $k$ nodes whose features are most alike,
#
# $$Q_{ij} = 1 \iff \lVert X_i - X_j\rVert_2 \text{ is one of the } k \text{ smallest of row } i$$
#
# (Feng et al. 2021, Eqs. 1 and 2), wherever they lie, so that a label can jump from one object to another of its kind. By hand: five nodes at 0, 1, 3, 7 and 15 on a
# line, $k = 1$. The nearest of 3 is 1, of 7 is 3, of 15 is 7: the relation is not symmetric, and its undirected
# version has four edges.

# %%
line = torch.tensor([[0.0], [1], [3], [7], [15]])
nearest, lengths = graphs.nearest_neighbours(line, k=1)
record.expect("nearest of each node", nearest.flatten().tolist(), [1, 0, 1, 2, 3])
record.expect(
    "undirected edges",
    graphs.undirected_edges(nearest).tolist(),
    [[0, 1], [1, 2], [2, 3], [3, 4]],
)

# %%
places = np.moveaxis(np.indices(slic.shape), 0, -1)
centroids = baselines.superpixel_means(places, slic)
tones = torch.from_numpy(baselines.superpixel_means(colour_of, slic))
alike = graphs.undirected_edges(graphs.nearest_neighbours(tones, neighbours)[0]).numpy()
touching, _ = graphs.region_adjacency(graphs.regions(slic))
lengths = [np.linalg.norm(np.diff(centroids[e], axis=1), axis=2) for e in (touching, alike)]

# %% tags=["hide-input"]
titles = ["superpixels that touch", f"{neighbours} nearest in colour"]
pale = (0.4 * painted[1] + 150).astype(np.uint8)
figure, axes = plots.panels([pale, pale], titles, columns=2)
for ax, edges in zip(axes, (touching, alike)):
    plots.draw_graph(ax, centroids, edges, node_size=6)
touch, like = (np.median(length) for length in lengths)
sentence = (
    f"Edges between touching superpixels are {touch:.0f} pixels long (median), those between "
    f"like colours {like:.0f}: the second graph reaches across the picture."
)
alt = "Two graphs over the superpixels: of touching pieces, and of like colours."
record.figure(figure, "neighbours", alt, sentence)

# %% [markdown]
# ## A normalised cut, by eigenvector (paper 3)
#
# Cut the graph where it is weakest, but not by cutting off a crumb: Shi and Malik divide what is cut by what each side
# has to do with the whole (2000, Eq. 2),
#
# $$\mathrm{Ncut}(A,B)=\frac{\mathrm{cut}(A,B)}{\mathrm{assoc}(A,V)}+\frac{\mathrm{cut}(A,B)}{\mathrm{assoc}(B,V)},
# \qquad (D-W)\,y=\lambda D\,y ,$$
#
# and relax it to an eigenproblem: the second eigenvector $y$ splits the nodes, and $\lambda_2$ bounds every Ncut from
# below. DeepCut trains a graph network on this loss, one of its two; UnSegGNet and UnSeGArmaNet use modularity.
#
# By hand: two pairs of friends, tied by 1, who know each other by a tie of 0.1 between one of each. Cutting between
# the pairs cuts 0.1; each pair's ties sum to $1+1+0.1=2.1$; so Ncut is $0.2/2.1=0.0952$. For $\lambda_2$, the
# eigenvector is antisymmetric, $(a, b, -a, -b)$: with $D=(1.1, 1, 1.1, 1)$ the rows of $(D-W)y=\lambda Dy$ read
# $1.2\,a-b=1.1\,\lambda a$ and $b-a=\lambda b$, so $1.1\lambda^2-2.3\lambda+0.2=0$, whose smaller root is $1/11$.

# %%
W = np.array([[0, 1, 0.1, 0], [1, 0, 0, 0], [0.1, 0, 0, 1], [0, 0, 1, 0]])
D = np.diag(W.sum(axis=1))
values, vectors = np.linalg.eig(np.linalg.inv(D) @ (D - W))  # ours, for four nodes
parts_of_four, eigenvalues, _ = baselines.normalised_cut(W, 2)
record.expect("parts", parts_of_four.tolist(), [0, 0, 1, 1])
record.expect("Ncut of the pairs", baselines.ncut_value(W, parts_of_four), 0.2 / 2.1)
record.expect("second eigenvalue", eigenvalues[1], 1 / 11)
record.expect("the same by numpy's dense solver", float(np.sort(values.real)[1]), 1 / 11)

# %%
everywhere = np.hypot(*truth.shape)  # every two superpixels are joined
tied = graphs.region_affinity(tones.numpy(), centroids, everywhere, 60, longest / 2)
_, eigenvalues, eigenvectors = baselines.normalised_cut(tied, 4)
waves = [eigenvectors[:, i][slic] for i in (1, 2, 3)]
cut = baselines.NormalisedCut(k, seed=seeds[0]).segment(image)
mapping, iou = metrics.match_clusters_per_image(truth, cut, len(colours))

# %% tags=["hide-input"]
titles = [f"eigenvector {i}\nλ = {eigenvalues[i - 1]:.3f}" for i in (2, 3, 4)]
titles += [f"{k} parts\nIoU {metrics.mean_iou(iou):.2f}"]
figure, _ = plots.panels([*waves, plots.overlay(image, mapping[cut], colours)], titles)
sentence = (
    f"Each eigenvector is a soft split of the picture. The package's normalised cut into {k} "
    f"parts reaches an IoU of {metrics.mean_iou(iou):.2f} here, k-means on colour {scores[1]:.2f}."
)
alt = "Three eigenvectors of the superpixel graph as pictures, and the parts they are cut into."
record.figure(figure, "normalised_cut", alt, sentence)

# %% [markdown]
# ## A minimum cut from seeds (paper 4)
#
# When some pixels are known, the rest can be cut exactly. Boykov and Jolly give every pixel two links to terminals
# (its price as background and as foreground, $-\log$ of a probability) and every pair of neighbours a link that costs
# more the more alike they are. The cheapest set of links that separates the terminals is the labelling of least
# energy, and it is found exactly, in milliseconds, by maximum flow.
#
# By hand: a row of four pixels, the first marked foreground, the last background, links 3, 1 and 2 between them. The
# cheapest way to separate the ends is to cut the middle link, at a price of 1.

# %%
row_seeds, links = np.array([1, -1, -1, 0]), np.array([[0, 1], [1, 2], [2, 3]])
cut_row = baselines.seeded_graph_cut(row_seeds, links, np.array([3.0, 1.0, 2.0]))
record.expect("labels", cut_row.labels.tolist(), [1, 1, 0, 0])
record.expect("energy", cut_row.energy, 1.0)

# %% [markdown]
# Brute force agrees: of the four labellings that keep both marks, none is cheaper.


# %%
def energy(labels):
    return sum(w for (p, q), w in zip(links, (3.0, 1.0, 2.0)) if labels[p] != labels[q])


options = {(1, a, b, 0): energy((1, a, b, 0)) for a in (0, 1) for b in (0, 1)}
print(options)
record.expect("the cheapest of all four", min(options, key=options.get), (1, 1, 0, 0))

# %% [markdown]
# On the picture, ten discs play the part of a person's marks: five on the foreground (every class but the first), five on
# the background. The baseline takes each pixel's side from the marks' colours alone; the cut adds the links.

# %%
sides = tour.foreground_of(truth)
marks = tour.draw_seeds(sides, np.random.default_rng(seeds[0]))
likely = tour.seed_colours(image, marks)
alone, joined = (likely > 0.5).astype(np.int64), tour.cut_foreground(image, marks, likely)
rest = np.where(marks < 0, sides, 255)  # a given mark earns nothing
iou_alone, iou_joined = (metrics.iou_per_image([rest], [x], 2)[0, 1] for x in (alone, joined))

# %% tags=["hide-input"]
two = plots.palette(3)[1:]
pictures = [plots.overlay(image, np.where(marks < 0, 255, marks), two, alpha=1.0), likely]
pictures += [plots.overlay(image, x, two) for x in (alone, joined)]
titles = ["marks\n", "foreground's\nprobability"]
titles += [f"colours alone\nIoU {iou_alone:.3f}", f"graph cut\nIoU {iou_joined:.3f}"]
figure, _ = plots.panels(pictures, titles)
sentence = (
    f"With the same ten marks the foreground's IoU is {iou_alone:.3f} by colours alone and "
    f"{iou_joined:.3f} with links between neighbours."
)
alt = "Marks, colour probabilities, and two segmentations: without and with links."
record.figure(figure, "graph_cut", alt, sentence)

# %% [markdown]
# ## The baselines against masks
#
# One picture shows how; many show how well. The rules are the same for all methods, and generous:
#
# - clusters are matched to the classes of each picture's own truth by an **oracle** (Hungarian, by IoU), and k-means
#   and the normalised cut are told how many classes there are; the score is the mean IoU over the classes present,
#   averaged over pictures (*per-image* IoU, not the data-set IoU of benchmarks);
# - marks for the graph cut are drawn from the truth, five discs a side; marked pixels are not scored;
# - no method has a parameter fitted to the pictures scored here. The normalised cut's two scales were chosen on
#   training pictures, among them every fourth of EMDS-5, which has no split: those are left out of its scores.

# %%
settings = {"datasets": datasets, "images": images, "longest": longest, "seeds": seeds}
jobs = tour.experiments(settings)
results = record.run(jobs, "baselines: experiment")
kept = {}
for job, entry in zip(jobs, results):
    for measure in set(entry.value) - {"seconds"}:
        key = (job.arguments["dataset"], job.arguments["method"], measure)
        kept.setdefault(key, []).append(entry.value[measure])
per_image = {
    key: np.nanmean(runs, axis=0) for key, runs in kept.items()
}  # the seeds averaged, picture by picture
over_seeds = {
    key: np.nanmean(runs, axis=1).std(ddof=1) if len(runs) > 1 else np.nan
    for key, runs in kept.items()
}


# %%
def row_of(name, method, measure):
    values, spread = per_image[name, method, measure], over_seeds[name, method, measure]
    record.metric(f"{name}/{method}/{measure}", values, over="pictures")
    row = {"data": name, "method": method, "measure": measure, "mean": np.nanmean(values)}
    row |= {"std over pictures": np.nanstd(values, ddof=1), "std over seeds": spread}
    return row | {"pictures": int(np.isfinite(values).sum())}


order = sorted(per_image, key=lambda key: (key[0], tour.METHODS.index(key[1]), key[2]))
table = pd.DataFrame([row_of(*key) for key in order])

# %% tags=["hide-input"]
best = table[table.measure == "IoU"].sort_values("mean").iloc[-1]
caption = (
    f"Best of the clusterings: {best.method} on {best['data']}, IoU {best['mean']:.3f}. Seeds are "
    "averaged picture by picture before the spread over pictures is taken."
)
record.table(table, "baselines", caption)

# %% tags=["hide-input"]
measures = ["IoU", "foreground IoU", "boundary recall", "achievable accuracy"]
figure = plots.chart_scores(table, measures)
cut_mean, flat_mean = (
    per_image[datasets[0], m, "IoU"].mean() for m in ("normalised cut", "k-means")
)
sentence = (
    f"On {datasets[0]} the normalised cut reaches {cut_mean:.3f} and k-means {flat_mean:.3f}; bars "
    "are 95 % intervals of the mean over pictures (normal approximation)."
)
alt = "Four charts of scores by method and data set, with error bars."
record.figure(figure, "baselines", alt, sentence, drawn=True)

# %% [markdown]
# The first picture of each data set, its mask, and what three clusterings make of it, in the classes they match:


# %%
def examples_of(dataset):
    pixels, labels = tour.shrink(dataset[0].image, dataset[0].labels, longest)
    count, paint = len(np.unique(labels[labels != 255])), dataset.colours
    methods = (
        baselines.Otsu(),
        baselines.KMeans(count, seeds[0]),
        baselines.NormalisedCut(count),
    )
    shown = [pixels, plots.overlay(pixels, labels, paint)]
    for method in methods:
        found = method.segment(pixels)
        named = metrics.match_clusters_per_image(labels, found, len(paint))[0]
        shown.append(plots.overlay(pixels, named[found], paint))
    return shown


# %% tags=["hide-input"]
rows = [examples_of(dataset) for dataset in scored]
titles = ["picture", "mask", "Otsu", "k-means", "normalised cut"] + [""] * 5 * (len(rows) - 1)
figure, _ = plots.panels([shown for row in rows for shown in row], titles, columns=5)
sentence = (
    f"One row for each of {len(rows)} data sets; parts that match no class stay unpainted."
)
alt = "A picture of each data set with its mask and three segmentations."
record.figure(figure, "examples", alt, sentence)

# %% [markdown]
# ### What the graph buys, picture by picture
#
# Each graph method against a baseline that knows the same but has no graph, on the same pictures. The normalised cut
# meets k-means on its own superpixels, with the same colours, places and scales; the minimum cut meets the same
# marks' colours without links. The table gives the mean difference with a 95 % interval by bootstrap over pictures;
# an interval that holds 0 shows no gain. (SLIC is k-means on colour and place and has no graph: it is not counted here.)


# %%
def gain_of(name, method, baseline, measure):
    a, b = per_image[name, method, measure], per_image[name, baseline, measure]
    gain = metrics.paired_bootstrap(a, b, np.random.default_rng(seeds[0]))
    record.metric(f"{name}/gain of {method} over {baseline}", a - b)
    reads = "gain" if gain.low > 0 else "loss" if gain.high < 0 else "unclear"
    row = {"data": name, "graph": method, "baseline": baseline}
    return row | {"difference": gain.mean, "low": gain.low, "high": gain.high, "reads": reads}


# %% tags=["hide-input"]
compared = [("normalised cut", "k-means on superpixels", "IoU")]
compared += [("graph cut", "colours of the seeds", "foreground IoU")]
gains = pd.DataFrame([gain_of(name, *pair) for name in datasets for pair in compared])
won, lost = ((gains.reads == word).sum() for word in ("gain", "loss"))
counts = f"gains in {won}, loses in {lost}"
caption = f"Of {len(gains)} paired comparisons of IoU the graph {counts}; intervals of 95 %."
record.table(gains, "gains", caption)

# %%
for name in datasets:
    for method in ("k-means", "normalised cut"):
        record.headline(f"{method}, IoU on {name} (matched per image)", f"{name}/{method}/IoU")
    record.headline(
        f"graph cut from seeds, foreground IoU on {name}", f"{name}/graph cut/foreground IoU"
    )

# %% [markdown]
# ## Beyond: how many parts?
#
# The number of classes was given. Opened in Jupyter, the next cell has a slider that shows what happens when it is not
# known; the figure below it shows three of its values.

# %%
from ipywidgets import IntSlider, interact


@interact(parts=IntSlider(4, 2, 12, description="parts"))
def show_parts(parts):
    clusters = baselines.NormalisedCut(parts, seed=seeds[0]).segment(image)
    figure, _ = plots.panels(
        [plots.overlay(image, clusters, plots.palette(12))], [f"{parts} parts"], columns=3
    )
    plt.show()
    plt.close(figure)


# %% tags=["hide-input"]
several = (2, 4, 8)
cuts = [baselines.NormalisedCut(parts, seed=seeds[0]).segment(image) for parts in several]
pictures = [plots.overlay(image, clusters, plots.palette(12)) for clusters in cuts]
figure, _ = plots.panels(pictures, [f"{parts} parts" for parts in several], columns=3)
counts = [len(graphs.regions(clusters)) for clusters in cuts]
falls = ", ".join(f"{p} parts into {c}" for p, c in zip(several, counts))
sentence = f"Connected regions: {falls}. Parts are not objects."
record.figure(
    figure, "number_of_parts", "The normalised cut with two, four and eight parts.", sentence
)

# %% [markdown]
# ## Summary
#
# - A graph is a statement of what belongs together: regions by distance, superpixels by likeness, pixels by contrast.
# - It can stand behind, between, on top of, beside or inside a network; the five notebooks take them one by one.
# - A graph has to earn its place: the paired table above says, with intervals, where it gained over the same knowledge
#   without a graph, where it lost, and where these pictures do not tell.
#
# ## Exercises

# %% [markdown]
# **1.** (easy) Why is the smallest distance between regions better than the distance of their centroids for hair? Compute
# both for a ring around a square that it touches, as `nearest` and `centred`.

# %% tags=["solution"]
ring = np.zeros((9, 9), dtype=int)
ring[1:8, 1:8] = 1
ring[3:6, 3:6] = 2
parts = graphs.regions(ring)
hair, face = (np.flatnonzero(parts.classes == c)[0] for c in (1, 2))
nearest = graphs.region_distances(parts)[hair, face]
centred = np.linalg.norm(parts.centroids[hair] - parts.centroids[face])
print("smallest distance:", nearest, "centroids:", centred)
# The ring's centroid lies inside the square: by centroids hair would be where the face is.

# %% tags=["check"]
assert nearest == 1, "the ring touches the square: neighbouring pixels are 1 apart"
assert abs(centred) < 1e-9, "ring and square have the same centroid"

# %% [markdown]
# **2.** (medium) Multiply all links of the four-pixel row by 10 and cut it again, as `louder`. Which labels change, and
# what is the energy?

# %% tags=["solution"]
louder = baselines.seeded_graph_cut(row_seeds, links, 10 * np.array([3.0, 1.0, 2.0]))
print(louder.labels, louder.energy)
# None change: without t-links only the ratio of the links counts. The energy is 10.

# %% tags=["check"]
assert list(louder.labels) == list(cut_row.labels), "only the ratio of the links counts"
assert np.isclose(louder.energy, 10 * cut_row.energy)

# %% [markdown]
# **3.** (hard) In the toy of two pairs, how strong must the tie between the pairs be before cutting off a single friend is
# cheaper? Give the `tie` at which both cost the same, to three digits.

# %% tags=["solution"]
for tie in (0.1, 1, 2.5, 2.6, 4):
    tied = W.copy()
    tied[0, 2] = tied[2, 0] = tie
    parts_tried = [0, 0, 1, 1], [1, 0, 1, 1]  # the pairs; the friend who knows nobody else
    pairs_cut, single = (baselines.ncut_value(tied, np.array(p)) for p in parts_tried)
    print(f"tie {tie}: pairs {pairs_cut:.3f}, a single friend {single:.3f}")
# Ncut of the single friend is 1 + 1 / (3 + 2 tie), that of the pairs 2 tie / (2 + tie): they meet where
# tie = (1 + sqrt(17)) / 2 = 2.56. Cutting off one who knows the other pair is never cheaper.
tie = (1 + np.sqrt(17)) / 2

# %% tags=["check"]
met = W.copy()
met[0, 2] = met[2, 0] = tie
costs_met = [baselines.ncut_value(met, np.array(p)) for p in ([0, 0, 1, 1], [1, 0, 1, 1])]
assert abs(costs_met[0] - costs_met[1]) < 1e-3, f"at {tie} the two cost {costs_met}"

# %% [markdown]
# ## References
#
# 1. J. Chopin, J.-B. Fasquel, H. Mouchère, R. Dahyot, I. Bloch: Semantic image segmentation based on spatial
#    relationships and inexact graph matching. IPTA 2020.
# 2. M. Eliasof, N. Ben Zikri, E. Treister: Unsupervised image semantic segmentation through superpixels and graph
#    neural networks. 2022.
# 3. A. Aflalo, S. Bagon, T. Kashti, Y. Eldar: DeepCut, unsupervised segmentation using graph neural networks
#    clustering. ICCV workshops 2023; and UnSegGNet, UnSeGArmaNet, 2024.
# 4. J. Feng, X. Wang, W. Liu: Deep graph cut network for weakly-supervised semantic segmentation. Science China
#    Information Sciences 2021.
# 5. Q. Liu, M. Kampffmeyer, R. Jenssen, A.-B. Salberg: SCG-Net, self-constructing graph neural networks for semantic
#    segmentation. 2020.
# 6. N. Otsu: A threshold selection method from gray-level histograms. IEEE Trans. SMC 1979.
# 7. J. Shi, J. Malik: Normalized cuts and image segmentation. IEEE TPAMI 2000.
# 8. Y. Boykov, M.-P. Jolly: Interactive graph cuts for optimal boundary and region segmentation. ICCV 2001.
# 9. R. Achanta et al.: SLIC superpixels compared to state-of-the-art superpixel methods. IEEE TPAMI 2012.
#
# **Provenance.** Parameters, seeds, versions, data and their fingerprints stand at the top of this page and in
# `run.json` beside it.
