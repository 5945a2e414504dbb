"""Scores of labels and networks, by hand."""

import numpy as np
import pytest

from segstudy.experiments.dgcn import jobs, results

# truth by label, the last column without one: 6 + 2 + 2 of the background, 1 + 5 + 4 of an object
COUNTS = np.array([[6, 2, 2], [1, 5, 4]])


def run(*matrices, **others):
    return {"test": np.stack(matrices), "gated": np.stack(matrices)} | others


def test_label_scores_by_hand():
    found = results.label_scores(COUNTS)
    assert found["coverage"] == pytest.approx(14 / 20)
    assert found["accuracy"] == pytest.approx(11 / 14)
    assert found["mIoU"] == pytest.approx((6 / 9 + 5 / 8) / 2)
    assert found["object precision"] == pytest.approx(5 / 7)
    assert found["object recall"] == pytest.approx(5 / 10)
    assert found["background precision"] == pytest.approx(6 / 7)
    assert found["background recall"] == pytest.approx(6 / 10)


def test_labels_that_are_none_have_no_precision():
    found = results.label_scores(np.array([[0, 0, 3], [0, 0, 4]]))
    assert found["coverage"] == 0 and np.isnan(found["object precision"]) and found["object recall"] == 0


def test_miou_is_that_of_all_pixels_together():
    first, second = np.array([[9, 1], [0, 0]]), np.array([[0, 0], [5, 5]])
    # together: background 9 of 9 + 1 + 5, object 5 of 5 + 5 + 1
    value = run(first, second)
    assert results.miou(value) == pytest.approx((9 / 15 + 5 / 11) / 2)
    assert np.isnan(results.miou(value, "crf"))


def test_score_table_has_the_spread_over_seeds():
    values = [run(np.array([[8, 2], [2, 8]])), run(np.array([[10, 0], [0, 10]]))]
    table = results.score_table({"cut": values, "one": values[:1]}).set_index("labels")
    low = 8 / 12
    assert table.loc["cut", "mIoU"] == pytest.approx((low + 1) / 2)
    assert table.loc["cut", "mIoU, std"] == pytest.approx(np.std([low, 1], ddof=1))
    assert np.isnan(table.loc["one", "mIoU, std"]) and np.isnan(table.loc["cut", "mIoU, CRF"])


def test_class_table_has_a_column_of_each_class():
    table = results.class_table({"cut": [run(np.array([[8, 2], [2, 8]]))]}, ("background", "cat"))
    assert table.loc[0, "background"] == table.loc[0, "cat"] == pytest.approx(8 / 12)


def test_epoch_table_numbers_epochs_from_one():
    table = results.epoch_table({"cut": [{"labels": np.stack([COUNTS, 2 * COUNTS])}], "given": [{}]})
    assert table.epoch.tolist() == [1, 2] and set(table["labels"]) == {"cut"}
    assert table.coverage.tolist() == pytest.approx([0.7, 0.7])


def test_edge_table_by_hand():
    judged = {"all": np.array([0.75, 0.25, np.nan]), "random pairs": np.array([0.5, 0.7, 0.6])}
    table = results.edge_table(judged).set_index("neighbours in")
    assert table["edges of one class"].tolist() == pytest.approx([0.5, 0.6])
    assert table["std over pictures"].tolist() == pytest.approx([0.125**0.5, 0.1])


def test_reach_table_by_hand():
    judged = [{"second": {"cut": [3, 10]}}, {"second": {"cut": [5, 10]}}]
    row = results.reach_table(judged).iloc[0]
    assert row["reached"] == pytest.approx(0.4) and row["places"] == 10
    assert results.reach_table([{"second": {"cut": [0, 0]}}]).empty


def test_experiments_go_by_the_name_of_their_way():
    values = [
        ({"way": way._asdict()}, i) for i, way in enumerate((jobs.MAIN[jobs.CUT], jobs.MAIN[jobs.DSRG]))
    ]
    assert results.by_way([*values, values[0]], jobs.MAIN) == {jobs.CUT: [0, 0], jobs.DSRG: [1]}


def test_size_table_puts_the_largest_first():
    good, bad = (
        run(np.array([[9, 1, 0], [2, 8, 0], [0, 0, 10]])),
        run(np.array([[9, 1, 0], [6, 4, 0], [0, 0, 10]])),
    )
    cues = [{"sizes": np.array([0.8, 0.1, 0.3])}]
    table = results.size_table({"a": [good], "b": [bad]}, cues, ("background", "cat", "dog"), ("a", "b"))
    assert table["class"].tolist() == ["dog", "cat"]
    assert table["gain"].tolist() == pytest.approx([0, 8 / 11 - 4 / 11])


def test_what_of_the_labels_goes_with_the_network_s_score():
    """Four trainings: the more of the objects is labelled the better the network, the more rightly the worse."""

    def trained(missed: int, wrong: int, right: int):
        first = np.array([[10, 0, 0], [0, 0, 10]])
        last = np.array([[10 - wrong, wrong, 0], [0, 10 - missed, missed]])
        return [run(np.array([[10, 0], [10 - right, right]]), labels=[first, last])]

    networks = {"a": trained(8, 0, 2), "b": trained(6, 1, 4), "c": trained(4, 3, 6), "d": trained(2, 6, 8)}
    networks["masks"] = [run(np.array([[10, 0], [0, 10]]))]
    table = results.labels_table(networks)
    assert table["labels"].tolist() == ["a", "b", "c", "d"]
    assert table["object recall"].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8])
    found = results.what_counts(table)
    assert found["object recall"] == pytest.approx(1) and found["object precision"] == pytest.approx(-1)
    assert np.isnan(results.what_counts(table[:3])["coverage"])
