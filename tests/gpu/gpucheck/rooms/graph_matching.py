"""Paper 1: its network is U-Net, and the matching works on arrays."""

from gpucheck.compare import Case, labels, random
from segstudy.training import cross_entropy_dice


def training_loss() -> Case:
    """U-Net's loss."""
    return Case((random(2, 5, 12, 12), labels(2, 12, 5)), call=cross_entropy_dice)


NETWORKS = {}
LOSSES = {"cross_entropy_dice": training_loss}
ON_ARRAYS = "works on arrays, after the network: the CPU's"
LEFT_OUT = {
    "Affinity": ON_ARRAYS,
    "Analysis": ON_ARRAYS,
    "GraphMatcher": ON_ARRAYS,
    "Matching": ON_ARRAYS,
    "MissingClassError": ON_ARRAYS,
    "ModelGraph": ON_ARRAYS,
    "RegionGraph": ON_ARRAYS,
    "UNetGraphMatching": "UNet, its training, and the matching",
    "clean_labels": ON_ARRAYS,
    "dense_affinity": ON_ARRAYS,
    "estimate_scale": ON_ARRAYS,
    "match": ON_ARRAYS,
    "model_graphs": ON_ARRAYS,
    "reassign": ON_ARRAYS,
    "region_graph": ON_ARRAYS,
}
