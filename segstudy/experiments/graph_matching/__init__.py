"""Notebook 01: the networks, Table I and its claims, what the matching withstands, and the solvers' times."""
