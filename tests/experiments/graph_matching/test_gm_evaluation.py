"""Scores by regions against the metrics on label maps; the parts of the protocol; the segmenter."""

import numpy as np
import pytest
import torch

from segstudy.cache import Cache
from segstudy.datasets import open_dataset
from segstudy.experiments.graph_matching import trainings
from segstudy.experiments.graph_matching.evaluation import Picture, RegionScores, evaluate, evaluate_one
from segstudy.experiments.graph_matching.jobs import experiments
from segstudy.metrics import box_iou, iou_per_image
from segstudy.nn import UNet
from segstudy.papers.graph_matching import GraphMatcher, UNetGraphMatching, region_graph
from segstudy.papers.graph_matching.network import predict, train_network, validation_score
from segstudy.segmenter import Segmenter

TINY = {
    "dataset": "faces",
    "size": [32, 32],
    "width": 2,
    "epochs": 1,
    "device": "cpu",
    "precision": "32-true",
}


def random_map(rng, classes=4, shape=(24, 18)):
    """Blocks of random classes, soft."""
    labels = np.kron(rng.integers(0, classes, (shape[0] // 6, shape[1] // 6)), np.ones((6, 6), dtype=int))
    return 0.7 * np.eye(classes)[labels] + 0.3 * rng.dirichlet(np.ones(classes), labels.shape)


@pytest.mark.parametrize("background", [None, 0])
@pytest.mark.parametrize("seed", range(5))
def test_scores_by_regions_equal_those_of_the_painted_map(background, seed):
    rng = np.random.default_rng(seed)
    graph = region_graph(None, random_map(rng), background=background)
    truth = random_map(rng).argmax(axis=2)
    truth[rng.random(truth.shape) < 0.1] = 255
    truth[truth == 3] = 2 if seed == 0 else 3  # a class that truth lacks
    classes = rng.integers(0, 4, len(graph))
    pixelwise, box = RegionScores(graph, truth).score(classes)
    painted = graph.paint(classes)
    np.testing.assert_allclose(pixelwise, iou_per_image([truth], [painted], 4)[0])
    np.testing.assert_allclose(box, box_iou(truth, painted, 4))


def test_a_class_that_neither_map_has_scores_nan_and_one_that_is_missed_scores_0():
    graph = region_graph(np.zeros((2, 2), dtype=int), np.full((2, 2, 3), 1 / 3))
    truth = np.array([[0, 0], [1, 1]])
    pixelwise, box = RegionScores(graph, truth).score(np.array([0]))
    assert pixelwise[:2].tolist() == [0.5, 0] and box[:2].tolist() == [0.5, 0]
    assert np.isnan(pixelwise[2]) and np.isnan(box[2])


def test_one_picture_worked_by_hand():
    """A square of class 1, another of class 2, and a stray pixel of class 1 beside the latter."""
    truth = np.zeros((8, 12), dtype=int)
    truth[2:6, 1:4], truth[2:6, 8:11] = 1, 2
    seen = truth.copy()
    seen[2, 9] = 1
    probabilities = 0.4 * np.eye(3)[seen] + 0.2
    matcher = GraphMatcher(0.4).fit([truth], 3)
    raw = truth.copy()
    raw[7, 11] = 1
    row = evaluate_one(probabilities, Picture("", truth, raw, truth), matcher, [0.0, 0.4], exhaustive=100)
    assert row["regions"] == 4 and row["combinations"] == 2 and row["optimal"]
    assert row["excess"] == pytest.approx(0, abs=1e-12)
    unet, largest, matched = row["scores"][:, :, 0]
    assert unet[0].tolist() == [1, 12 / 13, 11 / 12] and unet[1].tolist() == [1, 12 / 36, 1]
    assert np.array_equal(matched, np.ones((2, 3)))  # the stray pixel went to class 2
    assert np.array_equal(largest, matched)  # the largest square of each class is the true one
    assert row["scores"][2, 0, 1].tolist() == [71 / 72, 12 / 13, 1]  # against truth with speckle
    assert np.array_equal(row["sweep"][1], matched)
    assert not row["missing"].any()


def test_the_null_baseline_takes_the_largest_region_and_the_graph_the_one_in_place():
    truth = np.zeros((10, 30), dtype=int)
    truth[3:6, 3:6], truth[3:6, 9:12] = 1, 2
    seen = truth.copy()
    seen[2:7, 22:27] = 1  # a false square of class 1, larger than the true one and far from class 2
    picture, matcher = Picture("", truth, truth, truth), GraphMatcher().fit([truth], 3)
    _, largest, matched = evaluate_one(0.4 * np.eye(3)[seen] + 0.2, picture, matcher)["scores"][:, 0, 0]
    assert largest[1] == 0 and matched[1] == 1


def test_a_class_without_pixels_is_missing_and_a_background_that_is_no_vertex_never():
    truth = np.zeros((6, 6), dtype=int)
    truth[2:4, 2:4] = 1
    picture = Picture("", truth, truth, truth)
    everywhere = 0.9 * np.eye(3)[np.ones((6, 6), dtype=int)] + 0.1 / 3
    matcher = GraphMatcher(background=0).fit([truth], 3)
    assert evaluate_one(everywhere, picture, matcher)["missing"].tolist() == [False, False, True]
    assert evaluate_one(everywhere, picture, GraphMatcher().fit([truth], 3))["missing"].tolist() == [
        True,
        False,
        True,
    ]


def test_evaluation_stacks_pictures_and_its_scores_are_those_of_the_segmented_maps(rng):
    samples = [
        Picture(str(i), rng.integers(0, 256, (32, 48, 3), dtype=np.uint8), t, t)
        for i, t in enumerate(rng.integers(0, 3, (2, 32, 48)))
    ]
    model, matcher = UNet(3, 3, 2).eval(), GraphMatcher().fit([samples[0].raw], 3)
    found = evaluate(model, (16, 16), samples, matcher, alphas=[0.1, 0.9, 0.4])
    assert found.scores.shape == (2, 3, 2, 2, 3) and found.sweep.shape == (2, 3, 2, 3)
    for i, sample in enumerate(samples):
        probabilities = predict(model, sample.image, (16, 16))
        for approach, labels in {
            "U-Net": probabilities.argmax(2),
            "U-Net + GM": matcher.segment(probabilities),
        }.items():
            expected = iou_per_image([sample.raw], [labels], 3)[0]
            np.testing.assert_allclose(found.of(approach, "pixelwise", "raw")[i], expected)
            np.testing.assert_allclose(found.of(approach, "box")[i], box_iou(sample.raw, labels, 3))
    np.testing.assert_allclose(found.sweep[:, 2], found.scores[:, 2, :, 0])


def test_validation_score_counts_a_missed_class_as_0():
    class Sure(torch.nn.Module):
        num_classes = 2

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            return torch.stack([images[:, 0] * 0 + 1, images[:, 0] * 0], dim=1)

    labels = np.zeros((16, 16), dtype=int)
    labels[:8] = 1
    image = np.zeros((16, 16, 3), dtype=np.uint8)
    assert validation_score(Sure(), [(image, labels)]) == pytest.approx(0.25)


def test_prediction_at_another_size_is_a_distribution_and_follows_the_picture():
    model = UNet(3, 3, 2, seed=1)
    image = np.random.default_rng(0).integers(0, 256, (50, 30, 3), dtype=np.uint8)
    probabilities = predict(model, image, (32, 16))
    assert probabilities.shape == (50, 30, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(predict(model, image[:32, :16], (32, 16)).sum(axis=2), 1, atol=1e-5)


def test_the_recipe_learns_two_colours_and_their_sides():
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(6):
        labels = np.zeros((32, 32), dtype=np.int64)
        row = int(rng.integers(4, 20))
        labels[row : row + 8, 3:11], labels[row : row + 8, 21:29] = 1, 2
        image = np.where(labels[..., None] > 0, 220, 40) + rng.integers(0, 20, (32, 32, 3))
        pairs.append((image.astype(np.uint8), labels))
    model, history = train_network(pairs[:4], pairs[4:], 3, width=8, epochs=25, swap=((1, 2),), seed=0)
    assert history.scores[history.best_epoch] == max(history.scores)
    assert validation_score(model, pairs[4:]) == pytest.approx(max(history.scores))
    assert max(history.scores) > 0.7  # 0.33 without the squares, 0.5 with one of both sides


def test_the_recipe_runs_in_half_precision_too():
    rng = np.random.default_rng(0)
    pairs = [
        (rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), rng.integers(0, 2, (32, 32))) for _ in range(2)
    ]
    model, history = train_network(pairs[:1], pairs[1:], 2, width=2, epochs=2, precision="bf16-mixed")
    assert np.isfinite(history.losses).all() and next(model.parameters()).dtype == torch.float32


@pytest.mark.parametrize(("share", "counts"), [(100, (20, 10)), (75, (15, 7)), (50, (10, 5)), (25, (5, 2))])
def test_shares_are_the_papers_and_draws_differ_by_seed_alone(share, counts):
    draws = [trainings.draw(share, seed, 20, 10) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] and tuple(map(len, draws[0])) == counts
    assert (draws[0] == draws[2]) == (share == 100)
    for part in draws[0]:
        assert part == sorted(set(part))


@pytest.mark.parametrize("share", [0, 5, 101])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(ValueError, match="share must leave a picture"):
        trainings.draw(share, 0, 20, 10)


def test_no_picture_is_in_two_parts_of_fasseg(data_root, monkeypatch):
    monkeypatch.setenv("SEGSTUDY_DATA", str(data_root))
    parts = trainings.open_parts("fasseg")
    assert [len(part) for part in parts] == [20, 10, 40]
    assert len({sample.name for part in parts for sample in part}) == 70


def test_another_data_set_is_refused():
    with pytest.raises(ValueError, match="'voc'; this study's protocol"):
        trainings.open_parts("voc")


def test_a_cached_training_gives_the_network_that_was_trained(tmp_path):
    parameters = TINY | {"times": [], "shares": [25], "seeds": [3]}
    (job,) = experiments(parameters)
    result = Cache(tmp_path).run(job).value
    assert (len(result["training"]), len(result["validation"])) == (5, 2)
    model = trainings.restore(result["weights"])
    again = trainings.train_share(**job.arguments)
    image = open_dataset("faces", split="test", size=(32, 32))[0].image
    same = predict(trainings.restore(again["weights"]), image, (32, 32))
    np.testing.assert_array_equal(predict(model, image, (32, 32)), same)
    assert not model.training and again["scores"] == result["scores"]


def test_trainings_do_not_depend_on_the_matching():
    (job,) = experiments(TINY | {"times": [], "shares": [100], "seeds": [0]})
    code = job.depends_on()[-1]
    assert "segstudy/training.py" in code and "segstudy/nn/unet.py" in code
    assert "segstudy/papers/graph_matching/matching.py" not in code


def test_the_segmenter_keeps_the_interface_and_corrects_what_the_network_says():
    faces = open_dataset("faces", split="train", size=(48, 32)).take(range(4))
    segmenter = UNetGraphMatching(9, (48, 32), width=2, epochs=1, seed=1)
    assert isinstance(segmenter, Segmenter)
    with pytest.raises(ValueError, match="call fit"):
        segmenter.segment(faces[0].image)
    analysis = segmenter.fit(faces).analyse(faces[0].image)
    assert np.array_equal(analysis.labels, segmenter.segment(faces[0].image))
    assert analysis.labels.shape == (48, 32)
    np.testing.assert_array_equal(
        segmenter.matcher.segment(segmenter.probabilities(faces[0].image)), analysis.labels
    )


def test_the_segmenter_refuses_what_it_cannot_learn_from():
    faces = open_dataset("faces", split="train", size=(48, 32), supervision="none").take(range(3))
    with pytest.raises(ValueError, match="must have labels"):
        UNetGraphMatching(9, (48, 32), width=2, epochs=1).fit(faces)
    with pytest.raises(ValueError, match="at least 2 pictures"):
        UNetGraphMatching(9).fit(faces.take([0]))
    with pytest.raises(ValueError, match="validation must lie"):
        UNetGraphMatching(9, validation=1.0)
