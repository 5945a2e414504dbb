"""Each contradiction is found in what the papers print, and gone where the print is put right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segstudy.experiments import published
from segstudy.experiments.claims import printed_equations, printed_tables
from segstudy.experiments.claims.ledger import NOTEBOOKS


@pytest.mark.parametrize(
    "check", [*printed_tables.CHECKS, *printed_equations.CHECKS], ids=lambda check: check.__name__
)
def test_the_papers_contradict_themselves(check):
    found = check()
    assert found.contradicts and found.paper in NOTEBOOKS
    assert found.says and found.against and any(letter.isdigit() for letter in found.gives)


def corrected(name: str, cells: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Return a published table with some cells put right, as `published.table` gives it."""
    frame = published.table(name)
    for (row, column), value in cells.items():
        place = (frame["row"] == row) & (frame["column"] == column)
        assert place.sum() == 1
        frame.loc[place, "value"], frame.loc[place, "number"] = value, float(value)
    return frame


RIGHT = {
    printed_tables.gain_of_the_graph_network: (
        "sgseg_table3",
        {("SPNN: ✓ | GNN: ✓", "Pixel-accuracy (%)"): "38.3"},
    ),
    printed_tables.gain_by_size: (
        "graph_matching_table1",
        {("25 | U-Net + GM", "Bounding box | Average"): "52.3"},
    ),
    printed_tables.faster_on_the_processor: (
        "scgnet_table6",
        {("SCG-GCN", "Inference time CPU (ms)"): "137"},
    ),
    printed_tables.above_the_remaining_models: (
        "scgnet_table4",
        {("HED+SEG.H-Sc1 [46]", "mF1"): "0.861"},
    ),
    printed_tables.buildings_of_the_residual_alone: (
        "scgnet_table7",
        {("γ·Ẑ: ✓ | Lkl + Ldl: ✗ | SCG: ✓", "Building ∆%"): "-0.5"},
    ),
    printed_tables.two_rates_of_one_network: (
        "scgnet_table6",
        {("SCG-GCN", "Inference time GPU (ms)"): "5.62"},
    ),
    printed_tables.dice_above_its_bound: (
        "gnn_clustering_emd6",
        {("DMON | GCN", "Dice"): "0.388", ("DMON | GAT", "Dice"): "0.390"},
    ),
    printed_equations.time_of_superpixels: (
        "sgseg_table11",
        {("SGSeg (Ours)", "Inference"): "115.4"},
    ),
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_where_the_print_is_put_right_nothing_is_found(check, monkeypatch: pytest.MonkeyPatch):
    name, cells = RIGHT[check]
    right, table = corrected(name, cells), published.table
    tables = lambda asked: right if asked == name else table(asked)  # noqa: E731
    monkeypatch.setattr(published, "table", tables)  # lookup reads through it
    monkeypatch.setattr(printed_tables, "table", tables)
    assert not check().contradicts


def test_averages_that_are_means_are_none(monkeypatch: pytest.MonkeyPatch):
    frame = published.table("graph_matching_table1")
    parts = frame["column"].str.split(" | ", regex=False, expand=True)
    average = parts[1] == "Average"
    means = frame[~average].groupby([frame["row"], parts[0]])["number"].mean()
    keys = zip(frame.loc[average, "row"], parts.loc[average, 0], strict=True)
    frame.loc[average, "number"] = [round(means[key], 1) for key in keys]
    monkeypatch.setattr(printed_tables, "table", lambda name: frame)
    found = printed_tables.averages_of_faces()
    assert not found.contradicts and found.gives.startswith("0 of 16")


def test_the_printed_cut_is_the_package_s_with_its_first_sign_turned():
    import torch

    from segstudy.papers.gnn_clustering import ncut_loss

    rng = np.random.default_rng(0)
    weights = torch.tensor(rng.random((6, 6)))
    weights = weights + weights.T
    assignment = torch.tensor(rng.dirichlet([1, 1], 6))
    within = torch.trace(assignment.T @ weights @ assignment)
    held = torch.trace(assignment.T @ torch.diag(weights.sum(dim=1)) @ assignment)
    printed, ours = printed_equations._printed_cut(assignment, weights), float(ncut_loss(assignment, weights))
    assert printed - ours == pytest.approx(float(2 * within / held))
