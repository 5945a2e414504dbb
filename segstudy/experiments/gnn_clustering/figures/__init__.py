"""The figures of the notebook: the slides' curves, bars and diagrams redrawn, and charts of what was measured.

They are laid out for `segstudy.plots.use_style`. matplotlib loads when one is drawn.
"""

from segstudy.experiments.gnn_clustering.figures.examples import draw_clusters, draw_examples
from segstudy.experiments.gnn_clustering.figures.method import draw_layers, draw_toy
from segstudy.experiments.gnn_clustering.figures.running import (
    chart_depth,
    chart_dino,
    chart_times,
    draw_attention,
)
from segstudy.experiments.gnn_clustering.figures.scores import chart_best, chart_epochs, chart_sweep

__all__ = [
    "chart_best",
    "chart_depth",
    "chart_dino",
    "chart_epochs",
    "chart_sweep",
    "chart_times",
    "draw_attention",
    "draw_clusters",
    "draw_examples",
    "draw_layers",
    "draw_toy",
]
