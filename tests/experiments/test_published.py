"""The published tables: complete, as printed, with numbers where numbers are printed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segstudy.errors import StudyError
from segstudy.experiments import published
from segstudy.experiments.published import claims, lookup, table, tables

SETTINGS = {
    *("dgcn_table1", "scgnet_table2", "scgnet_table3"),
    *("sgseg_table7", "sgseg_table8", "sgseg_table9", "sgseg_table10", "sgseg_table12"),
}
# Plain numbers in each paper's result tables, as data/published/NOTES.md counts them.
NUMBERS = {"graph_matching": 160, "sgseg": 64, "gnn_clustering": 48, "dgcn": 291, "scgnet": 291}


def results() -> dict[str, pd.DataFrame]:
    return {name: table(name) for name in tables() if name not in SETTINGS}


def test_there_are_29_tables_of_which_8_list_settings():
    assert len(tables()) == 29
    assert tables() == sorted(tables())
    assert {name for name in tables() if "number" not in table(name)} == SETTINGS


@pytest.mark.parametrize(("paper", "count"), NUMBERS.items())
def test_number_of_plain_values_is_that_of_the_notes(paper, count):
    frames = [frame for name, frame in results().items() if name.startswith(paper)]
    assert sum(int(frame["number"].notna().sum()) for frame in frames) == count
    assert sum(NUMBERS.values()) == 854


def test_columns_are_stable_and_keys_unique():
    for frame in results().values():
        assert list(frame.columns) == ["table", "row", "column", "value", "unit", "number", "correction"]
        assert frame["number"].dtype == float
        assert not frame.duplicated(["row", "column"]).any()
        assert not frame.isna().drop(columns="number").any(axis=None)


@pytest.mark.parametrize(
    ("name", "row", "column", "expected"),
    [
        ("graph_matching_table1", "100 | U-Net + GM", "Bounding box | Average", 78.4),
        ("graph_matching_table1", "50 | U-Net", "Bounding box | R-br", 41.8),
        ("sgseg_table2", "Pre-train SPNN + end-to-end", "Pixel-accuracy (%)", 39.4),
        ("gnn_clustering_isic2016", "NCUT | GCN", "IoU", 0.622),
        ("dgcn_table2", "DGCN*", "Val", 64.0),
        ("dgcn_table5", "Our method", "θ = 0.0", 62.4),
        ("scgnet_table7", "γ·Ẑ: ✗ | Lkl + Ldl: ✗ | SCG: ✓", "OA ∆%", -0.5),
    ],
)
def test_spot_checked_values(name, row, column, expected):
    assert lookup(name, row, column) == expected


def test_numbers_are_the_printed_values_but_for_two_signs():
    corrected = []
    for name, frame in results().items():
        plain = frame[frame["number"].notna()]
        differ = plain["number"] != plain["value"].astype(float)
        assert (differ == (plain["correction"] != "")).all()
        corrected += [(name, c, v, n) for c, v, n in plain[differ][["column", "value", "number"]].to_numpy()]
    assert corrected == [("scgnet_table7", "Car", "-0.877", 0.877), ("scgnet_table8", "Car", "-0.858", 0.858)]


@pytest.mark.parametrize("name", ["scgnet_table7", "scgnet_table8"])
def test_corrected_signs_agree_with_the_printed_differences(name):
    frame = table(name)
    row = frame.loc[frame["correction"] != "", "row"].item()
    assert lookup(name, row, "Car ∆%") == pytest.approx(100 * (lookup(name, row, "Car") - 0.880))


def test_what_is_no_number_stays_as_printed():
    frame = table("dgcn_table2")
    training = frame[(frame["row"] == "DGCN*") & (frame["column"] == "Training set")]
    assert training["value"].item() == "10k"
    assert np.isnan(training["number"].item())
    assert np.isnan(lookup("dgcn_table2", "FCN† [2]", "Val"))  # a printed dash
    assert (table("dgcn_table3")["value"] == "").sum() == 3  # lost in transcription
    assert set(frame["unit"]) == {"none", "count", "percent"}  # "none" is a unit, not a gap


def test_settings_are_returned_as_printed():
    frame = table("sgseg_table12")
    assert frame.shape == (4, 8)
    assert frame.loc[0, "LR_GNN"] == "5e-4"


def test_claims_of_all_and_of_one_paper():
    every = claims()
    assert list(every.columns) == ["id", "paper", "where", "claim", "predicate", "by_its_own_numbers"]
    assert len(every) == 141
    assert every["id"].is_unique
    assert every["by_its_own_numbers"].str[0].isin(list("HPCN")).all()
    counts = {"graph_matching": 21, "sgseg": 30, "gnn_clustering": 21, "dgcn": 29, "scgnet": 40}
    assert every["paper"].value_counts().to_dict() == counts
    one = claims("dgcn")
    assert list(one["id"]) == [f"DG{i}" for i in range(1, 30)]
    assert list(one.index) == list(range(29))


def test_wrong_names_get_the_nearest_one():
    with pytest.raises(ValueError, match="no table 'scgnet_table77'; did you mean 'scgnet_table7'"):
        table("scgnet_table77")
    with pytest.raises(ValueError, match="no paper 'scg-net'; did you mean 'scgnet'"):
        claims("scg-net")
    with pytest.raises(ValueError, match="no row 'DGCN'; did you mean 'DGCN[*]'"):
        lookup("dgcn_table2", "DGCN", "Val")
    with pytest.raises(ValueError, match="no column 'val'; did you mean 'Val'"):
        lookup("dgcn_table2", "DGCN*", "val")
    with pytest.raises(ValueError, match="prints '10k', which is no plain number"):
        lookup("dgcn_table2", "DGCN*", "Training set")
    with pytest.raises(ValueError, match="sgseg_table12 lists settings"):
        lookup("sgseg_table12", "COCO-Stuff", "BS")


def test_absent_files_are_a_users_error(monkeypatch, tmp_path):
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    for read in (tables, claims, lambda: table("dgcn_table2")):
        with pytest.raises(StudyError, match="data/published"):
            read()


def test_the_files_read_are_declared():
    root = published.FOLDER.parents[1]
    assert [len(list(root.glob(pattern))) for pattern in published.READS] == [30]
