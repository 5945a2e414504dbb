"""The figures of the notebook: the paper's diagrams, curves, relation maps and overlays, and charts of costs.

They are laid out for `segstudy.plots.use_style`. matplotlib loads when one is drawn.
"""

from segstudy.experiments.scgnet.figures.maps import draw_relations, draw_scenes
from segstudy.experiments.scgnet.figures.scores import (
    chart_curves,
    chart_depth,
    chart_differences,
    draw_module,
)

__all__ = ["chart_curves", "chart_depth", "chart_differences", "draw_module", "draw_relations", "draw_scenes"]
