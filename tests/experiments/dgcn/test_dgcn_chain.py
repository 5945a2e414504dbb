"""The chain of notebook 04 on a few drawn pictures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segstudy.datasets.files import VOID
from segstudy.experiments.dgcn import cues, edges, grown, jobs, networks
from segstudy.experiments.dgcn.chain import Chain, answer, new_trunk
from segstudy.experiments.dgcn.pictures import open_pictures
from segstudy.papers.dgcn import knn_edges
from segstudy.papers.dgcn.batch_losses import WARM_UP
from segstudy.papers.dgcn.views import WeakPicture

ASKED = {
    "train": "objects/train",
    "test": "objects/val",
    "images": 6,
    "trunk": "timm:tf_efficientnet_lite0",
    "weights": None,
    "side": 65,
    "drawn": 64,
    "pooling": "top quarter",
    "classifier_epochs": 2,
    "epochs": WARM_UP + 2,
    "frozen": True,
    "device": "cpu",
    "seeds": [0, 1],
    "ways": [jobs.CUT, jobs.RETRAINED, jobs.FULL],
    "refined": [jobs.CUT],
    "beyond": list(jobs.CHANGED),
    "folds": 2,
    "shown": 1,
    "whole": {"seeds": [0], "ways": [jobs.CUT], "side": 65},
}
CHAIN = jobs.chain(ASKED)


@pytest.fixture(scope="module")
def cut():
    return networks.train_way(CHAIN, 0, jobs.MAIN[jobs.CUT]._asdict(), crf=True, shown=1)


def test_every_test_picture_is_counted_once(cut):
    tested = open_pictures(Chain(**CHAIN), False)
    pixels = [int((truth != VOID).sum()) for truth in tested.truth]
    for kind in ("test", "gated", "crf"):
        assert cut[kind].sum(axis=(1, 2)).tolist() == pixels
    assert [labels.shape for labels in cut["shown"]] == [tested.truth[0].shape]


def test_labels_begin_as_the_cues(cut):
    first = cues.cued(Chain(**CHAIN), 0)
    seen = cues.matrix(first.truth, [picture.cues for picture in first.pictures], 9)
    assert np.array_equal(cut["labels"][0], seen) and len(cut["labels"]) == ASKED["epochs"]
    wrong, mended, right, lost = cut["mended"]
    assert 0 <= mended <= wrong and 0 <= lost <= right


def test_the_same_seed_gives_the_same_network(cut):
    networks.train_learner.cache_clear()
    again = networks.train_way(CHAIN, 0, jobs.MAIN[jobs.CUT]._asdict(), crf=False, shown=0)
    assert np.array_equal(again["test"], cut["test"]) and again["losses"] == cut["losses"]
    assert "crf" not in again and again["shown"] == []


def test_masks_hold_the_classes_of_the_picture_alone():
    settings = Chain(**CHAIN)
    found = cues.cued(settings, 0)
    learner = networks.train_learner(settings, 0, jobs.MAIN[jobs.REFINED]).learner
    for mask, picture in zip(
        networks._given(settings, 0, jobs.MAIN[jobs.RETRAINED], found), found.pictures, strict=True
    ):
        assert set(np.unique(mask)) <= {0, *picture.classes} and mask.shape == picture.cues.shape
    assert learner is networks.train_learner(settings, 0, jobs.MAIN[jobs.REFINED]).learner


def test_activations_become_labels_above_a_threshold():
    picture = WeakPicture(np.zeros((4, 4, 3), np.uint8), (2,))
    activations = np.zeros((2, 1, 3), np.float32)
    activations[1] = [[0.1, 0.3, 1.0]]
    activations[0] = 9  # of a class that the picture does not hold
    found = cues.Cued([picture], [activations], None, [], [])
    assert cues.cam_labels(found, 0.2)[0].tolist() == [[0, 2, 2]]
    bare = cues.Cued([replace(picture, classes=())], [activations], None, [], [])
    assert cues.cam_labels(bare, 0.2)[0].tolist() == [[0, 0, 0]]


def test_mended_labels_by_hand():
    seen = {
        # the second is not among the last epoch's: left out
        WARM_UP: {0: np.array([[1, 1, 0, VOID]]), 1: np.array([[1, 1, 1, 1]])},
        WARM_UP + 1: {0: np.array([[0, 1, 1, 1]])},
    }
    truth = [np.array([[0, 1, 0, 1]]), np.array([[0, 0, 0, 0]])]
    assert networks._mended(seen, truth) == [1, 1, 2, 1]


def test_cross_validation_scores_each_pooling_on_each_fold():
    found = cues.cross_validate(CHAIN, 0, 2)
    assert set(found) == {"mean", "top quarter"}
    assert all(scores.shape == (2,) and ((scores >= 0) & (scores <= 1)).all() for scores in found.values())


def test_cues_are_judged():
    found = cues.judge_cues(CHAIN, 0, drawn=2)
    assert [a.shape for _, _, a in found["drawn"]] == [found["drawn"][0][2].shape] * 2
    assert found["precision"].shape == (8,) and found["sizes"].shape == (9,)
    assert found["cam"]["0.2"][:, -1].sum() == 0  # every place has a label
    assert found["cam"]["0.2"][:, 0].sum() <= found["cam"]["0.3"][:, 0].sum()


def test_labels_under_many_settings():
    found = grown.judge_labels(CHAIN, 0)
    total = {int(counts.sum()) for counts in found["labels"].values()}
    assert len(total) == 1  # the same pixels, whatever labels them
    labels = found["labels"]
    assert labels["likeliest"][:, -1].sum() == 0
    assert labels["theta 0.9"][:, :-1].sum() <= labels["theta 0"][:, :-1].sum()
    assert labels["background above 0.5"][:, :-1].sum() >= labels["background above 0.9"][:, :-1].sum()


def test_fewer_neighbours_are_the_first_of_more():
    features = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    for k, linked in zip(grown.KS, grown._graphs(features), strict=True):
        assert np.array_equal(linked, knn_edges(features, k))


def test_edges_are_judged_in_every_picture():
    found = edges.judge_edges(CHAIN, 0)
    assert {len(shares) for shares in found.values()} == {ASKED["images"]}
    assert all(((shares >= 0) & (shares <= 1)).all() for shares in found.values())


def test_edges_of_one_class_by_hand():
    truth = np.array([[1, 1, 0, VOID]])
    assert edges.purity(np.array([[0, 1], [1, 2], [2, 3], [0, 0]]), truth) == 0.5
    assert np.isnan(edges.purity(np.array([[2, 3]]), truth))
    assert edges.agreement(truth) == pytest.approx(5 / 9)


def test_a_cut_of_even_beliefs_rests_on_cues_and_neighbours():
    first, H = np.array([[1, VOID, VOID, 0]]), np.full((1, 4, 3), 1 / 3)
    assert grown._alike(first, H, np.array([[0, 1], [2, 3]]), [1])[0].tolist()[:2] == [1, 1]


def test_a_network_is_used_again_where_it_was_trained():
    """Two shards take every other experiment; each keeps its last network for what rests on it."""
    for shard in (0, 1):
        mine = [job for job in jobs.experiments(ASKED | {"ways": list(jobs.MAIN)})][shard::2]
        used = [_network_of(job) for job in mine[:2]]
        assert used[0] == used[1] is not None


def _network_of(job):
    if job.function is grown.judge_labels:
        return jobs.MAIN[jobs.CUT]
    way = networks.Way(**job.arguments["way"])
    return way._replace(source="grown") if way.source == "masks" else way


def test_jobs_are_those_that_the_parts_read():
    found = {job.key() for job in jobs.experiments(ASKED)}
    parts = (jobs.poolings, jobs.cues, jobs.trained, jobs.changed, jobs.labels, jobs.edges, jobs.whole)
    assert found == {job.key() for part in parts for job in part(ASKED)}
    assert not list(jobs.whole(ASKED | {"whole": {}}))
    assert not list(jobs.changed(ASKED | {"beyond": []})) and not list(jobs.poolings(ASKED | {"folds": 0}))


def test_a_trunk_is_trained_with_its_heads():
    whole = CHAIN | {"frozen": False, "weights": "pretrained"}
    settings = Chain(**whole)
    found = cues.cued(settings, 0)
    assert found.pictures[0].maps is None and found.pictures[0].edges is None
    made = networks.train_way(whole, 0, jobs.MAIN[jobs.CUT]._asdict(), crf=False, shown=0)
    assert made["test"].sum() > 0 and len(made["labels"]) == ASKED["epochs"]
    learner = networks.train_learner(settings, 0, jobs.MAIN[jobs.CUT]).learner
    start = new_trunk(settings)
    moved = [
        not torch.equal(a, b) for a, b in zip(learner.trunk.parameters(), start.parameters(), strict=True)
    ]
    assert any(moved) and learner.trunk is not found.classifier.trunk


def test_logits_are_of_the_picture_as_it_is():
    settings = Chain(**CHAIN)
    learner = networks.train_learner(settings, 0, jobs.MAIN[jobs.FULL]).learner
    picture = open_pictures(settings, False).weak[0]
    H = networks.beliefs(learner, picture)
    assert torch.is_tensor(answer(learner, picture)) and H.sum(axis=2) == pytest.approx(1, abs=1e-5)
