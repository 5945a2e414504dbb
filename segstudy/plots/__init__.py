"""Figures of the study: overlays, palettes, graphs, one style for all charts. matplotlib loads when used."""

from segstudy.plots.charts import chart_scores, show_matrix
from segstudy.plots.graphs import draw_graph
from segstudy.plots.overlays import colourise, legend, overlay, show_segmentation
from segstudy.plots.palettes import CYCLE, palette
from segstudy.plots.panels import draw_pipelines, panels
from segstudy.plots.style import use_style

__all__ = [
    "CYCLE",
    "chart_scores",
    "colourise",
    "draw_graph",
    "draw_pipelines",
    "legend",
    "overlay",
    "palette",
    "panels",
    "show_matrix",
    "show_segmentation",
    "use_style",
]
