"""The experiments of notebook 09: what is opened, what is measured, and agreement by hand."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudy.errors import StudyError
from segstudy.experiments.images import figures, jobs, results
from segstudy.experiments.images.methods import METHODS, build, choose

quadrants = runpy.run_path(str(Path(__file__).with_name("pictures.py")))["quadrants"]


@pytest.fixture
def folder(tmp_path):
    for index in range(3):
        Image.fromarray(quadrants(40 + index, 60)).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.jpg").write_text("no picture")
    return tmp_path


def parameters(pictures, **changes):
    asked = {"pictures": str(pictures), "images": 0, "methods": ["otsu", "kmeans"], "clusters": 4}
    return asked | {"seeds": [0, 1]} | changes


def test_a_folder_is_opened_without_what_cannot_be_read(folder):
    dataset = jobs.open_pictures(str(folder), 0, "full")
    assert [sample.name for sample in dataset] == ["0", "1", "2"] and dataset[0].labels is None
    assert dataset.note == "3 of 4 pictures of a folder can be read"
    (folder / "images").mkdir()
    with pytest.raises(StudyError, match="no picture that can be read"):
        jobs.open_pictures(str(folder), 0, "none")


def test_pictures_are_spaced_and_masks_stay_closed():
    dataset = jobs.open_pictures("objects/val", 3, "none")
    assert [sample.name for sample in dataset] == ["val-000", "val-024", "val-047"]
    assert dataset[0].labels is None
    assert jobs.open_pictures("objects/val", 3, "full")[0].labels is not None


def test_each_method_and_seed_is_an_experiment_of_the_files_it_reads(folder):
    first = jobs.experiments(parameters(folder))
    assert [(j.arguments["method"], j.arguments["seed"]) for j in first] == [
        ("otsu", 0),
        ("otsu", 1),
        ("kmeans", 0),
        ("kmeans", 1),
    ]
    Image.fromarray(quadrants(50, 50)).save(folder / "2.png")
    changed = jobs.experiments(parameters(folder))
    assert not {j.key() for j in first} & {j.key() for j in changed}


def test_a_measurement_has_a_map_and_a_time_for_each_picture(folder):
    value = jobs.measure("kmeans", str(folder), images=0, clusters=4, seed=0)
    assert [labels.shape for labels in value["labels"]] == [(40, 60), (41, 60), (42, 60)]
    assert all(len(np.unique(labels)) == 4 for labels in value["labels"])
    assert value["seconds"].shape == (3,) and (value["seconds"] > 0).all()


def test_every_method_that_needs_nothing_labels_a_picture():
    image = jobs.open_pictures("objects/val", 1, "none")[0].image[:96, :96]
    for name in choose("all"):
        labels = build(name, 3, 0).segment(image)
        assert labels.shape == (96, 96) and labels.max() < 3, name


def test_names_of_methods_are_chosen_once_and_in_order():
    assert choose("ncut, otsu,ncut") == ["ncut", "otsu"]
    assert set(choose("all")) == {name for name, m in METHODS.items() if m.build and not m.learns}
    assert choose("sgseg,all")[0] == "sgseg"


def test_agreement_by_hand_and_without_names():
    one, other = np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 1]])
    assert results.rand_index(one, other) == 0
    assert results.rand_index(one, 1 - one) == 1
    assert results.rand_index(one, np.array([[3, 3, 5, 255]])) == 1  # void is not counted


def test_the_matrix_compares_seeds_on_its_diagonal():
    left, right = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 0, 1]])
    matrix = results.agreement_matrix({"otsu": [[left], [left]], "kmeans": [[left], [right]]})
    np.testing.assert_allclose(matrix[..., 0], [[1, 1], [1, -0.5]])
    alone = results.agreement_matrix({"otsu": [[left]], "kmeans": [[right]]})
    assert np.isnan(alone[0, 0, 0]) and alone[0, 1, 0] == alone[1, 0, 0] == -0.5


def test_the_table_counts_what_is_left_whole_and_the_masks_when_there_are_any():
    left, whole = np.array([[0, 0, 1, 1]]), np.zeros((1, 4), int)
    runs = {"otsu": [[left, left]], "kmeans": [[left, whole]]}
    seconds = {"otsu": np.array([1.0, 3.0]), "kmeans": np.array([5.0, 5.0])}
    matrix = results.agreement_matrix(runs)
    table = results.method_table(runs, seconds, matrix, [left, left]).set_index("method")
    assert table["pictures left whole"].tolist() == [0, 1]
    assert table["agreement with the others"].tolist() == [0.5, 0.5]
    assert table["agreement with the masks"].tolist() == [1.0, 0.5]
    assert table["seconds, median"].tolist() == [2.0, 5.0]
    assert "agreement with the masks" not in results.method_table(runs, seconds, matrix, None)
    assert results.most_disputed(matrix).tolist() == [1, 0]


def test_a_divider_has_one_picture_on_each_side():
    left, right = np.zeros((2, 11, 3), np.uint8), np.full((2, 11, 3), 9, np.uint8)
    for at, column in ((0.0, 0), (0.3, 3), (1.0, 10)):
        whole = figures.divide(left, right, at)
        assert (whole[:, :column] == 0).all() and (whole[:, column] == 255).all()
        assert (whole[:, column + 1 :] == 9).all()


def test_figures_have_a_panel_for_each_map():
    import matplotlib.pyplot as plt

    labels = np.zeros((40, 60), int)
    labels[:20] = 1
    maps = {"otsu": [labels, labels], "ncut": [labels, labels]}
    figure = figures.draw_maps([quadrants()] * 2, maps, [1, 0])
    assert [ax.get_title() for ax in figure.axes if ax.images].count("the picture") == 2
    matrix = results.agreement_matrix({name: [found] for name, found in maps.items()})
    assert figures.chart_agreement(matrix, list(maps)).axes[0].texts
    chart = figures.chart_seconds({"otsu": np.array([0.1, 0.2]), "ncut": np.array([1.0, 2.0])})
    assert chart.axes[0].get_xscale() == "log"
    plt.close("all")
