"""The figures of notebook 04: the framework, the cut of nine pixels, labels as they grow, maps beside pictures."""

from segstudy.experiments.dgcn.figures.charts import chart_epochs, chart_ways, draw_cut, draw_framework
from segstudy.experiments.dgcn.figures.pictures import draw_activations, draw_labels

__all__ = ["chart_epochs", "chart_ways", "draw_activations", "draw_cut", "draw_framework", "draw_labels"]
