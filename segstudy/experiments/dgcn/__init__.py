"""What notebook 04 measures, judges and draws: Feng et al. 2021, DGCN, see :mod:`segstudy.papers.dgcn`."""
