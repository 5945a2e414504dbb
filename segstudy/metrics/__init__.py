"""Scores of segmentations: confusion matrix, named IoU conventions, boxes, boundaries, assignment, bootstrap.

Everything takes numpy label maps, (H, W) integers with 255 for pixels that are not scored; a torch tensor
goes through ``.cpu().numpy()`` first. Which convention a table of the study uses is told by the function's
name: see `segstudy.metrics.iou` for the list.
"""

from segstudy.metrics.assignment import assign_clusters, match_clusters_per_image
from segstudy.metrics.bootstrap import PairedDifference, paired_bootstrap
from segstudy.metrics.boundary import (
    achievable_accuracy,
    boundary_f_score,
    boundary_precision,
    boundary_recall,
    csurka_tolerance,
    label_boundaries,
)
from segstudy.metrics.boxes import box_iou
from segstudy.metrics.confusion import confusion, pixel_accuracy, relabel_confusion
from segstudy.metrics.iou import (
    CONVENTIONS,
    dice_dataset,
    dice_from_iou,
    iou_dataset,
    iou_per_image,
    mean_iou,
    pairwise_iou,
)
from segstudy.metrics.paired import half_width, known_mean, paired_difference, signed_rank

__all__ = [
    "CONVENTIONS",
    "PairedDifference",
    "achievable_accuracy",
    "assign_clusters",
    "boundary_f_score",
    "boundary_precision",
    "boundary_recall",
    "box_iou",
    "confusion",
    "csurka_tolerance",
    "dice_dataset",
    "dice_from_iou",
    "half_width",
    "iou_dataset",
    "iou_per_image",
    "known_mean",
    "label_boundaries",
    "match_clusters_per_image",
    "mean_iou",
    "paired_bootstrap",
    "paired_difference",
    "pairwise_iou",
    "pixel_accuracy",
    "relabel_confusion",
    "signed_rank",
]
