"""Classical segmentations that a graph network has to beat: threshold, k-means, superpixels, normalised cut.

`Otsu`, `KMeans`, `Superpixels` and `NormalisedCut` are segmenters (see `segstudy.segmenter`) without supervision that
return clusters, numbered by a rule that does not depend on chance; the functions under them are the methods.
`seeded_graph_cut` needs seeds, so it is a function only.
"""

from segstudy.baselines.common import Unsupervised
from segstudy.baselines.graph_cut import GraphCut, seeded_graph_cut
from segstudy.baselines.kmeans import KMeans
from segstudy.baselines.normalised_cut import NormalisedCut, ncut_value, normalised_cut
from segstudy.baselines.otsu import Otsu, otsu_threshold
from segstudy.baselines.superpixels import Superpixels, superpixel_means

__all__ = [
    "GraphCut",
    "KMeans",
    "NormalisedCut",
    "Otsu",
    "Superpixels",
    "Unsupervised",
    "ncut_value",
    "normalised_cut",
    "otsu_threshold",
    "seeded_graph_cut",
    "superpixel_means",
]
