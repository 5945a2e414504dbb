"""Notebook 00: classical baselines with and without a graph, on every data set at hand."""
