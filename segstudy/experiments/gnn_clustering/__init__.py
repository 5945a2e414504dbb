"""Notebook 03: the slides' tables and claims, null baselines, and DINO trained here."""
