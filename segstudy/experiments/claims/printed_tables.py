"""Statements of the papers held against the tables that they print."""

from __future__ import annotations

import numpy as np

from segstudy.experiments.claims.check import Check
from segstudy.experiments.published import lookup, table

AVERAGE = "Average"
SHARES = (100, 75, 50, 25)  # of the training set, percent
POTSDAM, VAIHINGEN_7, COSTS, SIZES = "scgnet_table4", "scgnet_table7", "scgnet_table6", "scgnet_table8"
OURS = "SCG-GCN"
BY_SIZE = "256 × 256 × 3"
ROUNDING = 0.05  # of a number printed with one decimal


def averages_of_faces() -> Check:
    """Whether Table I's averages are means of its classes; each class may be off by its rounding, and so the mean."""
    cells = table("graph_matching_table1")
    measure = cells["column"].str.split(" | ", regex=False).str[0]
    name = cells["column"].str.split(" | ", regex=False).str[1]
    differing = []
    for _, group in cells.assign(name=name).groupby([cells["row"], measure], sort=False):
        values = group[group["name"] != AVERAGE]
        printed = float(group.loc[group["name"] == AVERAGE, "number"].iloc[0])
        means = values["number"].mean(), values.loc[values["name"] != "Bg", "number"].mean()
        differing.append(min(abs(printed - mean) for mean in means))
    wrong = [gap for gap in differing if gap > 2 * ROUNDING]
    gives = f"{len(wrong)} of {len(differing)} are neither the mean of the nine classes nor that of the eight without "
    gives += f"background, by up to {max(differing):.1f} points"
    return Check(
        "graph_matching", "averages over classes (Table I)", "the classes of Table I", gives, bool(wrong)
    )


def gain_by_size() -> Check:
    """Whether the gain of the boxes grows as the training set shrinks."""
    column = f"Bounding box | {AVERAGE}"
    gains = [
        lookup("graph_matching_table1", f"{share} | U-Net + GM", column)
        - lookup("graph_matching_table1", f"{share} | U-Net", column)
        for share in SHARES
    ]
    listed = ", ".join(f"{gain:.1f} at {share} %" for gain, share in zip(gains, SHARES, strict=True))
    says = "the smaller the data set, the higher the benefit (III-C)"
    return Check("graph_matching", says, "box averages of Table I", listed, bool(np.any(np.diff(gains) < 0)))


def gain_of_the_graph_network() -> Check:
    """Whether the graph network adds what the text says."""
    column, said = "Pixel-accuracy (%)", 2.6
    rows = ("SPNN: ✓ | GNN: ✓", "SPNN: ✓ | GNN: –")
    full, without = (lookup("sgseg_table3", row, column) for row in rows)
    gives = f"{full:g} − {without:g} = {full - without:.1f}"
    differ = abs(full - without - said) > 2 * ROUNDING
    return Check("sgseg", f"the graph network adds a further {said} points (4.3)", "Table 3", gives, differ)


def a_row_twice() -> Check:
    """Whether each residual block of Table 10 takes what the one before it gives."""
    rows = table("sgseg_table10")
    blocks = rows[rows["Layer"] == "Residual-block"]
    pairs = zip(blocks["Output size"].iloc[:-1], blocks["Input size"].iloc[1:], strict=True)
    broken = [
        f"{given} is followed by a block that takes {taken}" for given, taken in pairs if given != taken
    ]
    gives = "; ".join(broken) or "each takes what the one before it gives"
    return Check("sgseg", "four residual blocks in a row (Table 10)", "their sizes", gives, bool(broken))


def rates_out_of_range() -> Check:
    """Whether the learning rates of Table 12 lie in the range that was searched."""
    rows = table("sgseg_table12")
    columns = [name for name in rows if name.startswith("LR_")]
    found = {(row["Dataset"], name): float(row[name]) for _, row in rows.iterrows() for name in columns}
    outside = [
        f"{name} of {data}: {rate:g}" for (data, name), rate in found.items() if not 1e-6 <= rate <= 1e-4
    ]
    says = "learning rates are searched in [1e-4, 1e-6] (A.2)"
    return Check("sgseg", says, "Table 12", "; ".join(outside) or "all lie within", bool(outside))


def dice_above_its_bound() -> Check:
    """Whether a mean Dice can go with its mean IoU: 2x/(1 + x) is concave, so the mean is at most that of the mean."""
    impossible = []
    for name in ("gnn_clustering_isic2016", "gnn_clustering_emd6"):
        cells = table(name)
        for row in cells["row"].unique():
            iou, dice = (lookup(name, row, column) for column in ("IoU", "Dice"))
            bound = 2 * (iou + 0.0005) / (1 + iou + 0.0005)  # the IoU is printed with three decimals
            if dice > bound + 0.0005:
                impossible.append(f"{name.split('_')[-1]}, {row}: Dice {dice} above {bound:.3f}")
    says = "Dice = 2 IoU / (1 + IoU) for each picture (Metrics)"
    gives = "; ".join(impossible) or "all Dice are possible"
    return Check("gnn_clustering", says, "mean IoU and mean Dice of the results", gives, bool(impossible))


def attention_comes_last() -> Check:
    """Whether GAT has the lowest IoU of the layers with every loss."""
    ahead = []
    for name in ("gnn_clustering_isic2016", "gnn_clustering_emd6"):
        for loss, other in (("NCUT", "GCN"), ("CC", "GCN (NO Normalization)"), ("DMON", "GCN")):
            first, last = (lookup(name, f"{loss} | {layer}", "IoU") for layer in (other, "GAT"))
            if last > first:
                ahead.append(f"{name.split('_')[-1]}, {loss}: GAT {last}, GCN {first}")
    says = "ARMA first, then GCN, GAT last (Discussion)"
    return Check("gnn_clustering", says, "IoU of the results", "; ".join(ahead) or "so it is", bool(ahead))


def not_above_previous_work() -> Check:
    """Whether the cut is above the works that Table 2 lists with the same training set and network."""
    cut, rival = lookup("dgcn_table3", "+ Graph Cut", "mIoU"), lookup("dgcn_table2", "DSRG [5]", "Val")
    best, best_rival = (lookup("dgcn_table2", row, "Val") for row in ("DGCN*", "SSDD* [38]"))
    gives = f"with ResNet-101 DSRG has {rival:.1f} and the cut {cut:.1f}; "
    gives += f"with ResNet-38 SSDD* {best_rival:.1f} and DGCN* {best:.1f}"
    says = "substantial improvement over previous approaches under the same conditions (5)"
    return Check("dgcn", says, "Tables 2 and 3, val", gives, rival > cut or best_rival > best)


def faster_on_the_processor() -> Check:
    """Whether the printed times give the text's factors."""
    column, said = "Inference time CPU (ms)", {"PSPNet [10]": 21, "SegNet [9]": 42}
    ours = lookup(COSTS, OURS, column)
    found = {row: lookup(COSTS, row, column) / ours for row in said}
    gives = ", ".join(f"{row} {ratio:.1f}x" for row, ratio in found.items())
    says = "21x and 42x faster on the CPU than PSPNet and SegNet (V-C2)"
    return Check(
        "scgnet", says, "times of Table VI", gives, any(round(found[row]) < said[row] for row in said)
    )


def above_the_remaining_models() -> Check:
    """Whether the margins on Potsdam lie between 0.2 and 6.0 points."""
    cells = table(POTSDAM)
    scores = cells[cells["column"] == "mF1"].set_index("row")["number"]
    margins = 100 * (scores[OURS] - scores.drop([OURS, "DDCM-R50 [14]"]))
    says = "0.2 to 6.0 points above the remaining models (V-C1)"
    gives = f"{margins.min():.1f} to {margins.max():.1f} points, the last over {margins.idxmax()}"
    return Check("scgnet", says, "mF1 of Table IV", gives, bool(margins.max() > 6.0 + 2 * ROUNDING))


def buildings_of_the_residual_alone() -> Check:
    """Whether Table VII has the loss on buildings that the text says."""
    row, said = "γ·Ẑ: ✓ | Lkl + Ldl: ✗ | SCG: ✓", -0.5
    found = lookup(VAIHINGEN_7, row, "Building ∆%")
    says = f"the residual alone loses {abs(said)} points on buildings (V-D1)"
    return Check("scgnet", says, "Table VII", f"{found:g}", found != said)


def negative_scores() -> Check:
    """Whether an F1 is printed below 0, which it cannot be."""
    found = []
    for name in (VAIHINGEN_7, SIZES):
        cells = table(name)
        scores = cells[cells["unit"] == "fraction"]
        found += [
            f"{row.column} {row.value} ({row.table})"
            for row in scores[scores["value"].str[0] == "-"].itertuples()
            if row.value != "-"
        ]
    says = "F1 scores (Tables VII, VIII)"
    return Check("scgnet", says, "an F1 is 0 or more", "; ".join(found) or "all are", bool(found))


def two_rates_of_one_network() -> Check:
    """Whether Table VI's time for 256 x 256 pixels is that of Table VIII's pictures a second."""
    milliseconds, rate = lookup(COSTS, OURS, "Inference time GPU (ms)"), lookup(SIZES, BY_SIZE, "FPS")
    gives = f"1000 / {milliseconds:g} ms = {1000 / milliseconds:.0f} pictures a second"
    differ = (
        abs(1000 / milliseconds - rate) > 0.02 * rate
    )  # times are never the same twice; 2 % is generous to print
    return Check("scgnet", f"{rate:g} pictures of 256 x 256 a second (Table VIII)", "Table VI", gives, differ)


CHECKS = (
    averages_of_faces,
    gain_by_size,
    gain_of_the_graph_network,
    a_row_twice,
    rates_out_of_range,
    dice_above_its_bound,
    attention_comes_last,
    not_above_previous_work,
    faster_on_the_processor,
    above_the_remaining_models,
    buildings_of_the_residual_alone,
    negative_scores,
    two_rates_of_one_network,
)
