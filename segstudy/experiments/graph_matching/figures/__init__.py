"""The figures of the notebook: Figures 1 to 5 of Chopin et al. 2020 redrawn, and charts of what was measured.

They are laid out for `segstudy.plots.use_style`. matplotlib loads when one is drawn.
"""

from segstudy.experiments.graph_matching.figures.maps import draw_changes, draw_regions
from segstudy.experiments.graph_matching.figures.method import draw_annotations, draw_overview
from segstudy.experiments.graph_matching.figures.running import chart_curves, chart_times
from segstudy.experiments.graph_matching.figures.scores import chart_alpha, chart_gains, chart_table_one
from segstudy.experiments.graph_matching.figures.toy import draw_toy

__all__ = [
    "chart_alpha",
    "chart_curves",
    "chart_gains",
    "chart_table_one",
    "chart_times",
    "draw_annotations",
    "draw_changes",
    "draw_overview",
    "draw_regions",
    "draw_toy",
]
