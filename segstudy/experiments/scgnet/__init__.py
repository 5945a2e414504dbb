"""Notebook 05: trainings of SCG-Net and its null baselines, the paper's claims, and what the networks cost."""
