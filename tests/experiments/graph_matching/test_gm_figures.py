"""The method's figures: what is drawn is read back from them, and no text is cut off."""

from __future__ import annotations

import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color, to_rgb
from matplotlib.patches import Rectangle

from segstudy import plots
from segstudy.datasets import open_dataset
from segstudy.experiments.graph_matching import figures
from segstudy.experiments.graph_matching.figures.drawing import innermost, near_pairs
from segstudy.papers.graph_matching import GraphMatcher, ModelGraph, RegionGraph, dense_affinity, region_graph
from segstudy.training import History

matplotlib.use("Agg")
SHARES = (100, 75, 50, 25)


@pytest.fixture(autouse=True)
def styled():
    """The study's style at a low resolution, and matplotlib's own again afterwards."""
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        plots.use_style()
        matplotlib.rcParams["figure.dpi"] = 80
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def faces():
    """Pictures, annotations, a matcher fitted to them, and a spoilt probability map of the first."""
    found = open_dataset("faces", split="train", size=(96, 66))
    images, labels = [found[i].image for i in range(3)], [found[i].labels.astype(int) for i in range(3)]
    labels = [np.where(annotation == 255, 0, annotation) for annotation in labels]
    spoilt = labels[0].copy()
    spoilt[5:12, 30:36], spoilt[80:86, 30:36] = 8, 1  # a mouth in the hair, hair on the chin
    one_hot = np.eye(len(found.classes))
    probabilities = 0.5 * one_hot[spoilt] + 0.45 * one_hot[labels[0]] + 0.05 / len(one_hot)
    matcher = GraphMatcher().fit(labels, len(found.classes))
    return found, images, labels, matcher, probabilities


def assert_nothing_cut(figure):
    """All that is drawn, text above all, lies inside the figure once it is laid out; half a pixel is rounding."""
    figure.canvas.draw()
    drawn = figure.get_tightbbox(figure.canvas.get_renderer()).extents * figure.dpi
    width, height = figure.canvas.get_width_height()
    assert (drawn[:2] >= -0.5).all() and drawn[2] <= width + 0.5 and drawn[3] <= height + 0.5, (
        f"drawn from {drawn[:2]} to {drawn[2:]}, but the figure ends at {width} x {height}"
    )


def legend_names(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def boxes(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_innermost_pixels_belong_to_their_regions_and_lie_deepest():
    ids = np.zeros((9, 11), dtype=int)
    ids[2:7, 3:8] = 1
    ids[3:6, 4:7] = 2  # a square in a ring in a ground
    ids[8, 10] = 3
    places = innermost(ids, [0, 1, 2, 3])
    assert [ids[tuple(place)] for place in places] == [0, 1, 2, 3]
    assert places[2].tolist() == [4, 5] and places[3].tolist() == [8, 10]
    assert innermost(ids, []).shape == (0, 2)
    halves = np.repeat([[0] * 5 + [1] * 5], 9, axis=0)
    assert innermost(halves, [0, 1])[:, 1].tolist() == [2, 7]  # the border of the picture counts as one


def test_near_pairs_are_the_nearest_once_each():
    places = np.array([[0, 0], [0, 1], [0, 3], [0, 7]])
    assert near_pairs(places, 1).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert near_pairs(places[:1], 2).shape == (0, 2)


def test_overview_shows_every_step_and_boxes_what_changed(faces):
    found, images, labels, matcher, probabilities = faces
    analysis = matcher.analyse(probabilities)
    args = probabilities, analysis, matcher.models_[0], found.classes, found.colours
    figure = figures.draw_overview(images[0], labels[0], *args)
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 8
    assert [ax.get_title()[0] for ax in panels[:7]] == list("1234567")
    assert f"{len(analysis.graph)} regions" in panels[3].get_title()
    assert len(panels[3].collections[-1].get_offsets()) == len(analysis.graph)
    assert len(panels[4].collections[-1].get_offsets()) == 9
    leftover = len(analysis.graph) - (analysis.matching.assignment >= 0).sum()
    assert leftover >= 2 and f"{leftover} left over" in panels[5].get_title()
    white = (np.asarray(panels[5].images[0].get_array()) == 255).all(axis=2)
    assert white.sum() == sum(
        size for i, size in enumerate(analysis.graph.sizes) if i not in analysis.matching.assignment
    )
    final = plots.colourise(analysis.labels, found.colours)
    np.testing.assert_array_equal(panels[6].images[0].get_array(), final)
    assert len(boxes(panels[2])) == len(boxes(panels[6])) > 0 and not boxes(panels[7])
    assert legend_names(figure) == list(found.classes)
    assert_nothing_cut(figure)


def test_annotations_carry_the_model_with_its_distances(faces):
    found, images, labels, matcher, _ = faces
    model = matcher.models_[0]
    figure = figures.draw_annotations(images, labels, found.classes, found.colours, model)
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 7
    graph = panels[-1]
    assert len(graph.lines) == 36 and len(graph.collections[-1].get_offsets()) == 9
    edges = {f"{distance:.0f}" for distance in model.edges[..., 0].ravel()}
    written = [text.get_text() for text in graph.texts]
    assert 4 <= len(written) <= 9 and set(written) <= edges
    assert "pixels" in graph.get_title() and legend_names(figure) == list(found.classes)
    assert_nothing_cut(figure)


def test_a_class_that_is_the_commonest_nowhere_is_drawn_where_it_is_most_common():
    maps = [np.zeros((8, 8), dtype=int) for _ in range(3)]
    maps[0][2, 3] = 1
    model = ModelGraph.from_label_maps(maps, 2)
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    figure = figures.draw_annotations([image] * 3, maps, ("ground", "dot"), plots.palette(2), model)
    graph = [ax for ax in figure.axes if ax.images][-1]
    np.testing.assert_array_equal(graph.collections[-1].get_offsets()[1], [3, 2])
    assert [text.get_text() for text in graph.texts] == ["1"]


@pytest.mark.parametrize("with_image", [True, False])
def test_regions_are_numbered_on_their_pixels_and_listed_by_class(faces, with_image):
    import matplotlib.pyplot as plt

    found, images, labels, _, probabilities = faces
    graph = region_graph(None, probabilities)
    figure, ax = plt.subplots(figsize=(7.2, 7.0))
    figures.draw_regions(ax, images[0] if with_image else None, graph, found.classes, found.colours)
    named = {text.get_text(): text.xy for text in ax.texts}
    assert set(named) == {f"R{i + 1}" for i in range(len(graph))}
    assert all(graph.map[row, column] == int(name[1:]) - 1 for name, (column, row) in named.items())
    listed = dict(text.get_text().split(": ") for text in ax.get_legend().get_texts())
    assert set(listed) == {found.classes[c] for c in graph.classes}
    mouth = np.flatnonzero(graph.classes == found.classes.index("mouth"))
    assert listed["mouth"] == ", ".join(f"R{i + 1}" for i in mouth) and len(mouth) == 2
    assert_nothing_cut(figure)


def test_changed_areas_are_boxed_after_and_before(faces):
    found, images, labels, _, _ = faces
    after = labels[0].copy()
    after[10:14, 20:26], after[50, 40], after[95, 65] = 7, 8, 7
    rows = [
        {"image": image, "truth": truth, "before": truth, "after": truth, "title": f"row {i}"}
        for i, (image, truth) in enumerate(zip(images, labels, strict=True))
    ]
    rows[0]["after"] = after
    figure = figures.draw_changes(rows, found.classes, found.colours)
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 12 and [ax.get_title() for ax in panels[:2]] == ["picture", "annotation"]
    assert [len(boxes(ax)) for ax in panels] == [0, 0, 3, 3] + [0] * 8
    first = boxes(panels[2])[0].get_bbox()
    np.testing.assert_allclose([first.x0, first.y0, first.x1, first.y1], [17.5, 7.5, 27.5, 15.5])
    assert all(same_color(box.get_edgecolor(), "white") for box in boxes(panels[3]))
    assert {"row 0", "row 1", "row 2"} <= {text.get_text() for ax in figure.axes for text in ax.texts}
    assert legend_names(figure) == list(found.classes)
    assert_nothing_cut(figure)


def toy(regions, classes):
    """The paper's Figure 4, or a smaller one with the same two cells."""
    distances = np.array([[0, 5, 12, 9], [5, 0, 16, 11], [12, 16, 0, 4], [9, 11, 4, 0]], dtype=float)
    expected = np.array([[0, 7, 12], [7, 0, 6], [12, 6, 0]], dtype=float)
    membership = np.full((4, classes), 1 / classes)
    membership[1] = 0
    membership[1, :2] = 1 - 0.4 / np.sqrt(2), 0.4 / np.sqrt(2)
    graph = RegionGraph.from_arrays(
        [1, 0, 1, 0][:regions], membership[:regions], distances[:regions, :regions]
    )
    return graph, ModelGraph.from_arrays(expected[:classes, :classes])


@pytest.mark.parametrize("regions, classes", [(3, 2), (4, 2), (4, 3)])
def test_the_toy_frames_the_papers_two_numbers(regions, classes):
    graph, model = toy(regions, classes)
    names = "1234"[:regions], "abc"[:classes]
    figure = figures.draw_toy(graph, model, dense_affinity(graph, model), names)
    rings, matrices = figure.axes[:2], figure.axes[2:]
    framed = []
    for ax in matrices:
        (frame,) = [box for box in boxes(ax) if not box.get_fill()]
        column, row = (round(value + 0.5) for value in frame.get_xy())
        cells = {text.get_position(): text.get_text() for text in ax.texts}
        ticks = [label.get_text() for label in ax.get_yticklabels()]
        framed.append((ticks[row], ticks[column], cells[column, row]))
    assert framed == [("2a", "2a", "0.4"), ("3b", "2a", "9")]
    written = [{text.get_text() for text in ax.texts} for ax in rings]
    assert {"1", "2", "3", "16"} <= written[0] and {"a", "b", "7"} <= written[1]
    pairs = classes * (classes - 1) * regions * (regions - 1)
    assert [len(ax.texts) for ax in matrices] == [regions * classes, pairs]
    assert_nothing_cut(figure)


def scores():
    rows = [
        (share, approach, measure, name, 0.5 + share / 400 + 0.02 * gm + 0.01 * (name == "nose"), 0.02, 5)
        for share in SHARES
        for gm, approach in enumerate(("U-Net", "U-Net + GM"))
        for measure in ("pixelwise", "box")
        for name in ("average", "nose")
    ]
    return pd.DataFrame(rows, columns=["share", "approach", "measure", "class", "mean", "std", "n"])


def test_table_one_keeps_ours_and_the_papers_apart():
    ours = scores()
    ours.loc[ours.share == 100, "std"] = np.nan
    published = ours.assign(mean=ours["mean"] - 0.1)  # a spread in it makes it no score of ours
    figure = figures.chart_table_one(ours, published)
    assert [ax.get_title() for ax in figure.axes] == ["pixelwise", "bounding box"]
    for ax in figure.axes:
        assert len(ax.containers) == 2
        for gm, container in enumerate(ax.containers):
            mean = np.asarray(container.lines[0].get_ydata())
            np.testing.assert_allclose(mean, 0.5 + np.array([25, 50, 75, 100]) / 400 + 0.02 * gm)
            bars = container.lines[2][0].get_segments()
            np.testing.assert_allclose(np.ptp([bar[:, 1] for bar in bars], axis=1), [0.04] * 3 + [0])
            assert same_color(container.lines[0].get_markerfacecolor(), container.lines[0].get_color())
        papers = [line for line in ax.lines if line.get_label().endswith("paper")]
        assert [line.get_markerfacecolor() for line in papers] == ["white"] * 2
        assert all(line.is_dashed() for line in papers)
        np.testing.assert_allclose(papers[0].get_ydata(), 0.4 + np.array([25, 50, 75, 100]) / 400)
    named = {f"{a}, {who}" for a in ("U-Net", "U-Net + GM") for who in ("ours ± std", "paper")}
    assert set(legend_names(figure)) == named
    assert_nothing_cut(figure)


def test_table_one_without_printed_values_shows_ours_alone():
    figure = figures.chart_table_one(scores(), scores().iloc[:0])
    assert set(legend_names(figure)) == {"U-Net, ours ± std", "U-Net + GM, ours ± std"}


@pytest.mark.parametrize("shares", [(100,), (100, 50), SHARES[:3], SHARES])
def test_gains_stand_in_rows_of_classes_with_the_average_first(shares):
    rows = [
        (share, measure, name, 0.01 * i, 0.01 * i - 0.03, 0.01 * i + 0.02)
        for share in shares
        for measure in ("box", "pixelwise")
        for i, name in enumerate(("nose", "average", "brow"))
    ]
    gains = pd.DataFrame(rows, columns=["share", "measure", "class", "difference", "low", "high"])
    figure = figures.chart_gains(gains)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == [f"{share} % of the training set" for share in shares]
    names = shown[0].get_yticklabels()
    assert [name.get_text() for name in names] == ["average", "nose", "brow"]
    assert [name.get_fontweight() for name in names] == ["bold", "normal", "normal"]
    for ax in shown:
        for container in ax.containers:
            np.testing.assert_allclose(container.lines[0].get_xdata(), [0.01, 0, 0.02], atol=1e-12)
            ends = [segment[:, 0] for segment in container.lines[2][0].get_segments()]
            np.testing.assert_allclose(ends, [[-0.02, 0.03], [-0.03, 0.02], [-0.01, 0.04]], atol=1e-12)
        assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)
    assert [bool(ax.get_xlabel()) for ax in shown] == [i + 2 >= len(shares) for i in range(len(shares))]
    assert legend_names(figure) == ["pixelwise, 95 % interval", "bounding box, 95 % interval"]
    assert_nothing_cut(figure)


def test_alpha_marks_the_papers_and_validations_choice():
    rows = []
    for share, best in ((100, 0.2), (50, 0.7)):
        for measure in ("pixelwise", "box"):
            for split, peak in (("validation", best), ("test", 0.5)):
                for alpha in np.linspace(0, 1, 11):
                    mean = 0.8 - (alpha - peak) ** 2 / 10
                    rows.append((alpha, share, measure, split, mean, mean - 0.01, mean + 0.01, 0.7))
    columns = ["alpha", "share", "measure", "split", "mean", "low", "high", "unet"]
    figure = figures.chart_alpha(pd.DataFrame(rows, columns=columns))
    assert len(figure.axes) == 4
    for ax, best in zip(figure.axes, (0.2, 0.2, 0.7, 0.7), strict=True):
        rings = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
        np.testing.assert_allclose([ring.get_xdata()[0] for ring in rings], [best, best])
        np.testing.assert_allclose(rings[1].get_ydata()[0], 0.8 - (best - 0.5) ** 2 / 10)
        (paper,) = [line for line in ax.lines if line.get_label() == "the paper's 0.4"]
        assert list(paper.get_xdata()) == [0.4, 0.4]
        unet = [line for line in ax.lines if line.get_linestyle() == ":"]
        assert len(unet) == 2 and all((np.asarray(line.get_ydata()) == 0.7).all() for line in unet)
    assert {"validation's choice", "the paper's 0.4", "U-Net, test"} <= set(legend_names(figure))
    assert_nothing_cut(figure)


def times():
    rows = []
    for solver, slow in (("branch and bound", 1), ("exhaustive", 9), ("scipy FAQ", 3)):
        for classes, each in [(9, k) for k in (1, 2, 4, 8)] + [(c, 4) for c in (3, 6, 12)]:
            if solver == "exhaustive" and each * classes > 30:
                continue
            for repeat in (1, 2, 30):
                excess = 0.1 * repeat if solver == "scipy FAQ" else 0
                seconds = 1e-3 * slow * classes * each * repeat
                rows.append((solver, classes, classes * each, seconds, excess, solver != "scipy FAQ"))
    return pd.DataFrame(rows, columns=["solver", "classes", "regions", "seconds", "excess", "optimal"])


def test_times_are_medians_at_fixed_classes_and_at_fixed_candidates():
    figure = figures.chart_times(times())
    regions, classes, excess = figure.axes
    assert "9 classes" in regions.get_title() and "4 candidates" in classes.get_title()
    assert regions.get_xscale() == regions.get_yscale() == classes.get_yscale() == "log"
    lines = {line.get_label(): line for line in regions.lines}
    np.testing.assert_allclose(lines["branch and bound"].get_xdata(), [9, 18, 36, 72])
    np.testing.assert_allclose(lines["branch and bound"].get_ydata(), 2e-3 * np.array([9, 18, 36, 72]))
    np.testing.assert_allclose(lines["exhaustive"].get_xdata(), [9, 18])
    assert len({line.get_marker() for line in regions.lines}) == 3
    np.testing.assert_allclose(classes.lines[0].get_xdata(), [3, 6, 9, 12])
    assert [line.get_label() for line in excess.lines] == ["scipy FAQ"]
    np.testing.assert_allclose(excess.lines[0].get_ydata(), [110.0] * 4)
    assert legend_names(figure) == ["branch and bound", "exhaustive", "scipy FAQ"]
    assert_nothing_cut(figure)


def test_times_without_an_inexact_solver_leave_the_excess_empty():
    figure = figures.chart_times(times().query("solver != 'scipy FAQ'"))
    assert not figure.axes[2].lines and legend_names(figure) == ["branch and bound", "exhaustive"]


def test_curves_mark_the_best_epoch_of_every_repeat():
    histories = [
        History([1.0, 0.5, 0.4, 0.3], [0.2, 0.6, 0.5, 0.6]),
        History([1.2, 0.6, 0.4], [0.2, 0.3, 0.7]),
    ]
    figure = figures.chart_curves(histories)
    loss, score = figure.axes
    assert [list(line.get_xdata()) for line in loss.lines] == [[1, 2, 3, 4], [1, 2, 3]]
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in score.lines if line.get_marker() == "o"]
    assert marks == [(2, 0.6), (3, 0.7)]
    assert legend_names(figure) == ["one of 2 repeats", "its best epoch"]
    assert_nothing_cut(figure)


def test_marks_keep_apart_for_colour_blind_readers():
    """Ours and the next curve differ in marker as well as in a colour of the safe cycle."""
    figure = figures.chart_table_one(scores(), scores().drop(columns=["std", "n"]))
    ours = [container.lines[0] for container in figure.axes[0].containers]
    assert len({line.get_marker() for line in ours}) == 2
    assert {to_rgb(line.get_color()) for line in ours} <= {to_rgb(colour) for colour in plots.CYCLE}


SQUARE = np.zeros((8, 8), dtype=int)
PICTURE = np.zeros((8, 8, 3), dtype=np.uint8)
MODEL = ModelGraph.from_label_maps([np.eye(8, dtype=int)], 2)


def row_without(key):
    row = {"image": PICTURE, "truth": SQUARE, "before": SQUARE, "after": SQUARE, "title": "t"}
    return {name: value for name, value in row.items() if name != key}


def draw_names(names, regions=3):
    graph, model = toy(3, 2)
    return figures.draw_toy(graph, model, dense_affinity(*toy(regions, 2)), names)


def draw_on(image, truth):
    analysis = GraphMatcher().fit([np.eye(8, dtype=int)], 2).analyse(np.eye(2)[np.eye(8, dtype=int)])
    args = np.eye(2)[np.eye(8, dtype=int)], analysis, MODEL, ("a", "b"), plots.palette(2)
    return figures.draw_overview(image, truth, *args)


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: figures.draw_changes([], "ab", plots.palette(2)), "rows must hold at least one"),
        (
            lambda: figures.draw_changes([row_without("before")], "ab", plots.palette(2)),
            r"rows\[0\] lacks before",
        ),
        (
            lambda: figures.draw_changes([row_without("x") | {"after": SQUARE[:4]}], "ab", plots.palette(2)),
            r"after \(4, 8\)",
        ),
        (lambda: figures.draw_annotations([], [], "ab", plots.palette(2), MODEL), "equally many, and one"),
        (
            lambda: figures.draw_annotations([PICTURE], [SQUARE[:4]], "ab", plots.palette(2), MODEL),
            r"labels \(4, 8\)",
        ),
        (lambda: draw_on(PICTURE, SQUARE[:, :4]), r"truth \(8, 4\)"),
        (lambda: draw_names(("12", "ab")), "3 regions' and 2 classes'"),
        (lambda: draw_names(("123", "ab"), regions=4), "K must have 6 rows, got 8"),
        (
            lambda: figures.chart_table_one(scores().drop(columns="std"), scores()),
            "ours lacks the columns std",
        ),
        (
            lambda: figures.chart_table_one(scores(), scores().assign(mean=75.3)),
            "published.mean reaches 75.3: give IoU as fractions",
        ),
        (
            lambda: figures.chart_table_one(scores().query("`class` == 'nose'"), scores()),
            "ours has no row of the class 'average'",
        ),
        (lambda: figures.chart_gains(scores()), "gains lacks the columns difference"),
        (lambda: figures.chart_alpha(scores()), "sweep lacks the columns alpha"),
        (lambda: figures.chart_times(times().assign(seconds=0.0)), "seconds must be above 0"),
        (
            lambda: figures.chart_times(times().assign(solver=range(len(times())))),
            "solvers; 8 can be told apart",
        ),
        (lambda: figures.chart_curves([]), "at least one training"),
        (lambda: figures.chart_curves([History([1.0])]), r"histories\[0\] has no validation scores"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_a_toy_too_small_or_too_large_to_read_is_refused():
    graph = RegionGraph.from_arrays([0, 1], np.full((2, 2), 0.5), np.zeros((2, 2)))
    model = toy(3, 2)[1]
    with pytest.raises(ValueError, match="2 regions and 2 classes"):
        figures.draw_toy(graph, model, dense_affinity(graph, model), ("12", "ab"))


def test_matplotlib_loads_only_when_a_figure_is_drawn():
    code = "import sys, segstudy.experiments.graph_matching.figures; print('matplotlib' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
