"""The loop: what a batch is, how its labels grow, that no mask is read, and that a small one learns."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from segstudy.datasets import open_dataset
from segstudy.datasets.files import VOID
from segstudy.datasets.resizing import resize_image
from segstudy.datasets.sample import Sample
from segstudy.nn.backbones import backbone
from segstudy.papers import dgcn
from segstudy.papers.dgcn.batch_losses import GrowingLoss, LabelLoss
from segstudy.papers.dgcn.classifier import activations_of_maps
from segstudy.papers.dgcn.losses import balanced_seed_loss, boundary_loss, floored_softmax
from segstudy.papers.dgcn.maps import DEEPEST
from segstudy.papers.dgcn.seeds import resize_saliency
from segstudy.papers.dgcn.segmenter import STAGES
from segstudy.papers.dgcn.tail import enter, split_tail
from segstudy.papers.dgcn.views import Views, to_tensor
from segstudy.segmenter import Segmenter


class Colours(nn.Module):
    """A trunk whose maps are the picture at a fourth and an eighth of its size."""

    def forward(self, images):
        return [nn.functional.avg_pool2d(images, side) for side in (4, 8)]


def pictures(count: int = 6, side: int = 32, seed: int = 0) -> list[dgcn.WeakPicture]:
    """Return pictures of a red or a blue square on grey, with cues in its middle and in a corner."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        image = rng.integers(110, 140, (side, side, 3), dtype=np.uint8)
        name = index % 2 + 1
        image[8:24, 4:20, (0, 2)[name - 1]] = 250
        cues = np.full((4, 4), VOID, np.uint8)
        cues[1, 1], cues[0, 3] = name, 0
        made.append(dgcn.WeakPicture(image, (name,), cues=cues))
    return dgcn.look(made, Colours())


def test_a_frozen_trunk_sees_the_picture_and_its_mirror_image():
    picture = pictures(2)[0]
    view = to_tensor(picture.image)
    for maps, seen in zip(picture.maps, (view, view.flip(2)), strict=True):
        for found, expected in zip(maps, Colours()(seen[None]), strict=True):
            torch.testing.assert_close(found.float(), expected[0], atol=1e-3, rtol=0)


def test_views_depend_on_seed_and_epoch_alone_and_hold_each_picture_once():
    made = pictures(7)
    views = Views(made, frozen=True, batch=3, seed=4)
    (inputs, which), *_ = views(2)
    again = next(iter(Views(made, frozen=True, batch=3, seed=4)(2)))
    assert torch.equal(which, again[1]) and all(map(torch.equal, inputs, again[0]))
    assert not torch.equal(which, next(iter(views(3)))[1])
    seen = torch.cat([which for _, which in views(2)])
    # a batch of one is left out: batch normalisation has no spread of one
    assert len(seen) == 6 and len(set(seen[:, 0].tolist())) == 6 and (seen[:, 2] == 2).all()
    for row, (index, mirrored, _) in enumerate(which.tolist()):
        expected = made[index].maps[mirrored]
        assert all(torch.equal(m[row], e.float()) for m, e in zip(inputs, expected, strict=True))
    live, same = next(iter(Views(made, frozen=False, batch=3, seed=4)(2)))
    assert torch.equal(same, which)
    for row, (index, mirrored, _) in enumerate(which.tolist()):
        view = to_tensor(made[index].image)
        assert torch.equal(live[row], view.flip(2) if mirrored else view)


@pytest.mark.parametrize("growth", [dgcn.GRAPH_CUT, dgcn.REGION_GROWING, dgcn.Growth("label propagation")])
@pytest.mark.parametrize("kept", [True, False])
def test_a_batch_s_loss_is_that_of_each_picture_grown_by_itself(growth, kept):
    made = dgcn.link(pictures(4), k=4)
    used = made if kept else [replace(picture, edges=None) for picture in made]
    loss = GrowingLoss(used, growth, warm_up=1, k=4)
    logits = 2 * torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    which = torch.tensor([[2, 0, 1], [1, 1, 1]])
    maps = [
        torch.stack(layer)
        for layer in zip(*(made[i].maps[side] for i, side, _ in which.tolist()), strict=True)
    ]
    expected = []
    for row, (index, mirrored, _) in enumerate(which.tolist()):
        own = floored_softmax(logits[row : row + 1].flip(3) if mirrored else logits[row : row + 1])
        fed = own[0].permute(1, 2, 0)
        better = loss.crfs[index].refine(fed)
        labels = growth(
            made[index].cues,
            (better if growth.refined else fed).numpy(),
            made[index].edges,
            made[index].classes,
        )
        expected.append(
            balanced_seed_loss(own, torch.from_numpy(labels)[None])
            + boundary_loss(own, better.permute(2, 0, 1)[None])
        )
    torch.testing.assert_close(
        loss((logits, maps), which), torch.stack(expected).mean(), atol=1e-5, rtol=1e-5
    )


def test_the_first_epochs_learn_from_the_cues_alone():
    made = dgcn.link(pictures(2), k=4)
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    losses = []
    for growth in (dgcn.GRAPH_CUT, dgcn.Growth("static seeds")):
        loss = GrowingLoss(made, growth, warm_up=2)
        losses.append([loss((logits, []), torch.tensor([[0, 0, e], [1, 1, e]])).item() for e in (1, 2)])
    assert losses[0][0] == losses[1][0] == losses[1][1] != losses[0][1]


def test_a_small_loop_learns_the_squares_from_their_classes():
    made = pictures(12)
    classifier = dgcn.Learner(dgcn.ClassifierHead(6, 2, hidden=8, pooling="top quarter"))
    history = dgcn.train_classifier(made, classifier, 30, learning_rate=0.02, batch=4)
    assert history.losses[-1] < 0.1 < history.losses[0]
    found = activations_of_maps(classifier.head, *made[0].maps)
    assert found[0, 1:3, 1:2].mean() > 0.5 > found[0, :, 3].mean()
    made = dgcn.link(made, k=4)
    learner = dgcn.Learner(dgcn.AtrousHead(6, 3, hidden=8, rates=(1,), dropout=0.0))
    dgcn.train_network(made, learner, dgcn.GRAPH_CUT, 12, learning_rate=0.02, batch=4)
    labels = learner([m[None].float() for m in made[1].maps[0]])[0].argmax(dim=1)[0]
    assert (labels[1:3, 1:2] == 2).all() and (labels[:, 3] == 0).all()
    again = dgcn.Learner(dgcn.AtrousHead(6, 3, hidden=8, rates=(1,), dropout=0.0, seed=1))
    masks = [np.where(labels.numpy() > 0, picture.classes[0], 0) for picture in made]
    dgcn.retrain(made, masks, again, 12, learning_rate=0.02, batch=4)
    assert (again([m[None].float() for m in made[1].maps[0]])[0].argmax(dim=1)[0] == labels).all()


def test_a_trunk_learns_at_a_tenth_of_its_head_s_rate():
    """The first step of Adam moves each weight by the rate, whatever the gradient's size."""
    made = [replace(picture, maps=None) for picture in pictures(4)]
    trunk = nn.Sequential(nn.AvgPool2d(8), nn.Conv2d(3, 6, 1))
    learner = dgcn.Learner(dgcn.AtrousHead(6, 3, hidden=8, rates=(1,), dropout=0.0), Single(trunk))
    before = {name: value.detach().clone() for name, value in learner.named_parameters()}
    dgcn.train_network(
        made, learner, dgcn.Growth("static seeds"), 1, learning_rate=1e-3, batch=4, boundary=0.0
    )
    for part, rate in (("head", 1e-3), ("trunk", 1e-4)):
        moved = [(v - before[n]).abs().max().item() for n, v in learner.named_parameters() if part in n]
        assert max(moved) == pytest.approx(rate, rel=0.05)


def test_a_head_alone_learns_as_all_weights_at_one_rate(monkeypatch):
    made, weights = pictures(4), []
    plain = torch.optim.AdamW
    for asked in (plain, lambda groups, lr: plain([w for group in groups for w in group["params"]], lr=lr)):
        monkeypatch.setattr(torch.optim, "AdamW", asked)
        learner = dgcn.Learner(dgcn.AtrousHead(6, 3, hidden=8, rates=(1,)))
        dgcn.train_network(made, learner, dgcn.GRAPH_CUT, 5, batch=2, k=4)
        weights.append(learner.state_dict())
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


class Single(nn.Module):
    """A trunk with one map."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return [self.network(images)]


def test_the_last_blocks_of_a_trunk_are_trained_alone():
    trunk = backbone("timm:tf_efficientnet_lite0", stages=(8, 16, 32), output_stride=8, freeze="all")
    seen = dgcn.look([replace(picture, maps=None) for picture in pictures(2)], trunk)
    before, tail = split_tail(trunk, 2)
    entered = enter(dgcn.link(seen, k=4), before)
    assert len(before) == 3 and entered[0].edges is None
    for picture, whole in zip(entered, seen, strict=True):
        for maps, given in zip(picture.maps, whole.maps, strict=True):
            found = tail.eval()([values[None].float() for values in maps])
            for ours, theirs in zip(found, given, strict=True):  # given in half precision
                torch.testing.assert_close(ours[0], theirs.float(), atol=5e-3, rtol=5e-3)
    learner = dgcn.Learner(dgcn.AtrousHead(432, 3, hidden=8, rates=(1,)), tail)
    start = {name: value.clone() for name, value in tail.named_parameters()}
    dgcn.train_network(entered, learner, dgcn.GRAPH_CUT, 4, batch=2, k=4)
    assert not any(torch.equal(value, start[name]) for name, value in tail.named_parameters())
    layers = trunk.network.deepest()[3:]
    for (name, kept), value in zip(start.items(), layers.parameters(), strict=True):
        assert torch.equal(kept, value), name
    for blocks in (0, 6):
        with pytest.raises(ValueError, match="blocks must be 1 to 5"):
            split_tail(trunk, blocks)


def test_void_labels_teach_nothing():
    loss = LabelLoss([np.full((4, 4), VOID), np.full((4, 4), VOID)])
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss((logits, []), torch.tensor([[0, 0, 0], [1, 1, 0]])).backward()
    assert logits.grad.abs().sum() == 0


class Poisoned(Sample):
    """A sample whose classes are known and whose mask breaks whoever reads it."""

    @property
    def labels(self):
        raise AssertionError("a mask was read")

    def read(self, window):
        raise AssertionError("a mask was read")


@pytest.fixture(scope="module")
def options():
    return {
        "trunk": "timm:tf_efficientnet_lite0",
        "weights": None,
        "side": 64,
        "epochs": 4,
        "classifier_epochs": 2,
    }


def test_no_mask_enters_training_and_the_model_is_the_same_byte_for_byte(options):
    opened = [
        open_dataset("objects", supervision=level, size=(64, 64), count=4) for level in ("image", "full")
    ]
    poisoned = []
    for sample in opened[1]:
        known = sample.image_labels
        poisoned.append(Poisoned(sample.name, sample._read_image, lambda window: 1 / 0, known))
    models = [dgcn.DGCN(9, **options).fit(samples) for samples in (opened[0], opened[1], poisoned)]
    for one, other in pairwise(models):
        states = [model.network_.state_dict() for model in (one, other)]
        assert all(
            a.numpy().tobytes() == b.numpy().tobytes() for a, b in zip(*map(dict.values, states), strict=True)
        )
        assert all((a.cues == b.cues).all() for a, b in zip(one.pictures_, other.pictures_, strict=True))


def test_fit_is_features_links_classifier_cues_and_network(options):
    samples = list(open_dataset("objects", supervision="image", size=(64, 64), count=4))
    trunk = backbone(options["trunk"], None, 5, stages=STAGES, output_stride=8, freeze="all")
    weak = [
        dgcn.WeakPicture(resize_image(s.image, (64, 64)), tuple(sorted(s.image_labels - {0})))
        for s in samples
    ]
    linked = dgcn.link(dgcn.look(weak, trunk))
    width = sum(values.shape[0] for values in linked[0].maps[0][-DEEPEST:])
    head = dgcn.ClassifierHead(width, 8, pooling="top quarter", seed=5)
    dgcn.train_classifier(linked, dgcn.Learner(head), 2, seed=5)
    cued = []
    for picture in linked:
        wanted = activations_of_maps(head, *picture.maps).numpy()[[name - 1 for name in picture.classes]]
        quiet = resize_saliency(dgcn.robust_background_saliency(picture.image), wanted.shape[1:])
        cued.append(replace(picture, cues=dgcn.seed_cues(wanted, quiet, picture.classes)))
    learner = dgcn.Learner(dgcn.AtrousHead(width, 9, seed=5))
    dgcn.train_network(cued, learner, dgcn.GRAPH_CUT, 4, seed=5)
    expected = dgcn.SegmentationNetwork(trunk, learner.head).state_dict()
    model = dgcn.DGCN(9, **options, seed=5).fit(samples)
    found = model.network_.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)
    assert all((a.edges == b.edges).all() for a, b in zip(model.pictures_, cued, strict=True))


def test_is_a_segmenter_of_pictures_of_any_size(options):
    model = dgcn.DGCN(9, **options)
    assert isinstance(model, Segmenter) and model.supervision == "image"
    with pytest.raises(ValueError, match="fit"):
        model.segment(np.zeros((8, 8, 3), np.uint8))
    model.fit(open_dataset("objects", supervision="image", size=(48, 64), count=3))
    for shape in ((33, 70, 3), (5, 4, 1)):
        image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
        found = model.probabilities(image)
        assert found.shape == (*shape[:2], 9) and found.dtype == np.float32
        assert np.allclose(found.sum(axis=2), 1, atol=1e-4)
        assert (model.segment(image) == found.argmax(axis=2)).all()


def test_bad_input_is_refused(options):
    with pytest.raises(ValueError, match="num_classes"):
        dgcn.DGCN(1)
    with pytest.raises(ValueError, match="way"):
        dgcn.Growth("flood")
    with pytest.raises(ValueError, match="2 pictures"):
        dgcn.DGCN(9, **options).fit(open_dataset("objects", supervision="image", size=(48, 64), count=1))
    with pytest.raises(ValueError, match="image-level labels"):
        dgcn.DGCN(9, **options).fit(open_dataset("objects", supervision="none", size=(48, 64), count=2))
    made = pictures(2)
    with pytest.raises(ValueError, match="have cues"):
        GrowingLoss([replace(made[0], cues=None)], dgcn.GRAPH_CUT)
    with pytest.raises(ValueError, match="ids of objects"):
        dgcn.train_classifier(made, dgcn.Learner(dgcn.ClassifierHead(6, 1)), 1)
    with pytest.raises(ValueError, match="look"):
        dgcn.link([replace(made[0], maps=None)])
    with pytest.raises(ValueError, match="labels must be 2"):
        dgcn.retrain(made, [], dgcn.Learner(dgcn.AtrousHead(6, 3)), 1)
    with pytest.raises(ValueError, match="in a batch"):
        Views(made, frozen=True, batch=1)
