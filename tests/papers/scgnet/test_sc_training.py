"""Losses against loops and identities; the optimiser's groups, the schedule, and patches that keep labels in place."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudy.datasets.files import VOID, crop
from segstudy.datasets.sample import Sample
from segstudy.papers.scgnet import Patches, SCGNet, SCGNetSegmenter, class_dice_loss, dice_loss, total_loss
from segstudy.papers.scgnet.losses import cross_entropy_loss
from segstudy.papers.scgnet.network import Prediction
from segstudy.papers.scgnet.training import (
    LEARNING_RATE,
    WEIGHT_DECAY,
    in_memory,
    make_optimiser,
    schedule,
    to_unit,
    train_scgnet,
)


@pytest.fixture
def batch():
    source = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=source, dtype=torch.float64)
    labels = torch.randint(0, 4, (2, 5, 6), generator=source)
    labels[0, :2] = VOID
    return logits, labels


def sample(height=40, width=50, seed=0, name="a"):
    """Return a picture whose first band tells its label."""
    labels = np.random.default_rng(seed).integers(0, 5, (height, width)).astype(np.uint8)
    image = np.stack([labels * 40, labels, 255 - labels], axis=2).astype(np.uint8)
    return Sample(
        name, partial(crop, image), partial(crop, labels), read_size=partial(tuple, (height, width))
    )


def test_dice_as_printed(batch):
    """Eq. 14, sum by sum."""
    logits, labels = batch
    p, terms = logits.softmax(dim=1), []
    for b in range(2):
        for row in range(5):
            for column in range(6):
                if labels[b, row, column] != VOID:
                    y, truth = p[b, :, row, column], F.one_hot(labels[b, row, column], 4)
                    terms.append(2 * sum(y * truth) / (sum(y) + sum(truth)))
    assert dice_loss(logits, labels).item() == pytest.approx(1 - sum(terms).item() / len(terms))


def test_dice_as_printed_is_one_minus_the_true_classs_probability(batch):
    logits, labels = batch
    scored = labels != VOID
    true = logits.softmax(dim=1).gather(1, labels.where(scored, 0)[:, None])[:, 0]
    assert torch.allclose(dice_loss(logits, labels), 1 - true[scored].mean())


def test_dice_over_classes(batch):
    logits, labels = batch
    p, scored = logits.softmax(dim=1), labels != VOID
    parts = []
    for j in range(4):
        y, truth = p[:, j][scored], (labels == j)[scored].double()
        parts.append(1 - 2 * (y * truth).sum() / (y.sum() + truth.sum()))
    assert torch.allclose(class_dice_loss(logits, labels), torch.stack(parts).mean())
    only = torch.where(labels == VOID, VOID, 2)  # a batch of one class: the others do not count
    y = p[:, 2][scored]
    assert torch.allclose(class_dice_loss(logits, only), 1 - 2 * y.sum() / (y.sum() + scored.sum()))


def test_cross_entropy_is_torchs(batch):
    logits, labels = batch
    assert torch.allclose(
        cross_entropy_loss(logits, labels), F.cross_entropy(logits, labels, ignore_index=VOID)
    )


@pytest.mark.parametrize("loss", [dice_loss, class_dice_loss, cross_entropy_loss])
def test_a_tile_without_labels_costs_nothing(batch, loss):
    logits, labels = batch
    logits.requires_grad_()
    value = loss(logits, torch.full_like(labels, VOID))
    value.backward()
    assert value.item() == 0 and (logits.grad == 0).all()


@pytest.mark.parametrize("loss", [dice_loss, class_dice_loss, cross_entropy_loss])
def test_bad_labels(batch, loss):
    logits, labels = batch
    with pytest.raises(ValueError, match=r"labels must be 0\.\.3"):
        loss(logits, labels.clamp(max=4).where(labels != 0, 4))
    with pytest.raises(ValueError, match="labels must be"):
        loss(logits, labels - 1)
    with pytest.raises(ValueError, match="logits must be"):
        loss(logits, labels[:, :4])


def test_the_sum_of_equation_15(batch):
    logits, labels = batch
    made = Prediction(logits, torch.tensor(0.5), torch.tensor(0.25))
    assert torch.allclose(total_loss(made, labels), dice_loss(logits, labels) + 0.75)
    assert torch.equal(total_loss(made, labels, regularise=False), dice_loss(logits, labels))


def test_the_optimisers_groups():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Linear(4, 2))
    adam = make_optimiser(model)
    found = {}
    for group in adam.param_groups:
        for parameter in group["params"]:
            found[id(parameter)] = (group["lr"], group["weight_decay"], group["amsgrad"])
    plain, scale, bias = (
        (LEARNING_RATE, WEIGHT_DECAY, True),
        (LEARNING_RATE, 0, True),
        (2 * LEARNING_RATE, 0, True),
    )
    assert [found[id(p)] for p in model.parameters()] == [plain, bias, scale, bias, plain, bias]
    assert pytest.approx(6.0104e-5, rel=1e-4) == LEARNING_RATE
    whole = make_optimiser(SCGNet(6, backbone="torchvision:squeezenet1_1")).param_groups
    assert sum(len(group["params"]) for group in whole) == len(
        list(SCGNet(6, backbone="squeezenet1_1").parameters())
    )


def test_the_schedule():
    assert schedule(0, 1000) == 1
    assert schedule(14, 1000) == pytest.approx((1 - 14_000 / 1e8) ** 0.9)
    assert schedule(30, 1000) == pytest.approx(0.85**2 * (1 - 30_000 / 1e8) ** 0.9)


def test_patches_keep_labels_on_their_pixels():
    patches = Patches([sample(), sample(64, 33, 1, "b")], size=24, count=7, batch=3, seed=5)
    batches = list(patches(0))
    assert [len(images) for images, _ in batches] == [3, 3, 1] and patches.steps == 3
    for images, labels in batches:
        assert (
            images.shape[1:] == (3, 24, 24) and images.dtype == torch.float32 and labels.dtype == torch.int64
        )
        assert images.min() >= 0 and images.max() <= 1
        assert torch.equal((images[:, 0] * 255 / 40).round().long(), labels)


def test_patches_follow_seed_and_epoch():
    def first(seed, epoch):
        return next(iter(Patches([sample()], 16, 4, 4, seed)(epoch)))[0]

    assert torch.equal(first(0, 0), first(0, 0))
    assert not torch.equal(first(0, 0), first(0, 1)) and not torch.equal(first(0, 0), first(1, 0))


def test_every_window_is_as_likely_and_flips_go_all_ways():
    """A ramp tells where a patch was and how it was flipped."""
    rows, columns = np.mgrid[:6, :5]
    image = np.stack([rows, columns, rows], axis=2).astype(np.uint8)
    labels = np.zeros((6, 5), np.uint8)
    ramp = Sample("ramp", partial(crop, image), partial(crop, labels), read_size=partial(tuple, (6, 5)))
    images, _ = next(iter(Patches([ramp], 4, 6000, 6000, 0)(0)))
    values = (images * 255).round().long()
    places = values[:, 0].amin(dim=(1, 2)) * 2 + values[:, 1].amin(dim=(1, 2))
    turned = (values[:, 0, 0, 0] > values[:, 0, 3, 0]) * 2 + (values[:, 1, 0, 0] > values[:, 1, 0, 3])
    for found, kinds in ((places, 6), (turned, 4)):
        counts = torch.bincount(found, minlength=kinds)
        assert len(counts) == kinds and (counts / 6000 - 1 / kinds).abs().max() < 0.03


def test_bad_patches():
    with pytest.raises(ValueError, match="size is 60, but"):
        Patches([sample(), sample(64, 33, 1)], size=60)
    with pytest.raises(ValueError, match="empty"):
        Patches([])
    with pytest.raises(ValueError, match="batch must be"):
        Patches([sample()], size=8, batch=0)
    with pytest.raises(ValueError, match="supervision"):
        next(iter(Patches([sample().restricted("none")], size=8, count=1)(0)))


def test_in_memory_reads_once_and_changes_nothing():
    times = []

    def read(window=None):
        times.append(1)
        return crop(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), window)

    kept = in_memory([Sample("a", read)])[0]
    assert kept.size == (4, 4) and (kept.read((1, 1, 2, 2))[0] == kept.image[1:3, 1:3]).all()
    assert len(times) == 1 and kept.labels is None


def test_unit_images():
    images = np.array([[[[0, 51, 255]]]], np.uint8)
    assert to_unit(images)[0, :, 0, 0].tolist() == pytest.approx([0, 0.2, 1])


def test_training_learns_colours_and_is_repeatable():
    def run():
        rng = np.random.default_rng(0)
        samples = []
        for name in "abcd":
            labels = np.kron(rng.integers(0, 3, (4, 4)), np.ones((16, 16))).astype(np.uint8)
            image = np.array([[250, 20, 20], [20, 250, 20], [20, 20, 250]], np.uint8)[labels]
            samples.append(
                Sample(name, partial(crop, image), partial(crop, labels), read_size=partial(tuple, (64, 64)))
            )
        model = SCGNet(3, backbone="torchvision:squeezenet1_1", stride=8, hidden=16)
        history = train_scgnet(
            model, Patches(samples, 48, 8, 4), 6, loss="class dice", learning_rate=2e-3, seed=1
        )
        return history.losses, model

    torch.set_num_threads(1)
    losses, model = run()
    again, other = run()
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert losses[-1] < 0.7 * losses[0]
    with pytest.raises(ValueError, match="loss must be one of"):
        train_scgnet(model, Patches([sample()], 32), 1, loss="focal")


def striped():
    """Return five pictures of two colours in squares of 16 pixels."""
    rng = np.random.default_rng(1)
    samples = []
    for index in range(5):
        labels = np.kron(rng.integers(0, 2, (3, 3)), np.ones((16, 16))).astype(np.uint8)
        image = np.array([[230, 40, 40], [40, 40, 230]], np.uint8)[labels]
        samples.append(Sample(f"{index}", partial(crop, image), partial(crop, labels)))
    return samples


def test_the_segmenter_fits_and_segments():
    samples = striped()
    torch.set_num_threads(1)
    network = {"backbone": "torchvision:squeezenet1_1", "stride": 8, "hidden": 8}
    fitted = SCGNetSegmenter(2, size=48, patches=8, epochs=2, **network).fit(samples)
    found = fitted.probabilities(samples[0].image)
    assert found.shape == (48, 48, 2) and np.allclose(found.sum(axis=2), 1, atol=1e-5)
    assert fitted.segment(samples[0].image).shape == (48, 48) and len(fitted.history_.scores) == 2
    with pytest.raises(ValueError, match="call fit"):
        SCGNetSegmenter(2).probabilities(samples[0].image)
    with pytest.raises(ValueError, match="more than 1 pictures"):
        SCGNetSegmenter(2).fit(samples[:1])
    with pytest.raises(ValueError, match="variant must be one of"):
        SCGNetSegmenter(2, "SCG-GAT")


def test_the_segmenter_learns_with_the_loss_and_the_rate_that_it_is_given():
    torch.set_num_threads(1)
    options = {
        "size": 48,
        "patches": 4,
        "epochs": 2,
        "validation": 0,
        "backbone": "torchvision:squeezenet1_1",
    }
    options |= {"stride": 8, "hidden": 8}
    chosen = {"loss": "cross-entropy", "learning_rate": 2e-3, "precision": "bf16-mixed"}
    fitted = SCGNetSegmenter(2, **options, **chosen).fit(striped())
    order = np.random.default_rng(0).permutation(5)
    model = SCGNet(2, 3, seed=0, backbone="torchvision:squeezenet1_1", stride=8, hidden=8)
    patches = Patches([striped()[i] for i in order], 48, 4, 4)
    assert fitted.history_.losses == train_scgnet(model, patches, 2, **chosen).losses
    assert fitted.history_.losses != SCGNetSegmenter(2, **options).fit(striped()).history_.losses


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "focal"}, ValueError, "loss must be one of"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be above 0"),
        ({"precision": "16"}, ValueError, "unknown precision '16'"),
        (
            {"momentum": 0.9},
            TypeError,
            "no option 'momentum'.*weights, stride, output_stride, freeze.*neighbours",
        ),
    ],
)
def test_the_segmenter_refuses_before_it_is_fitted(options, error, message):
    with pytest.raises(error, match=message):
        SCGNetSegmenter(2, **options)


def test_a_frozen_trunk_at_a_finer_stride():
    torch.set_num_threads(1)
    trunk = {"backbone": "timm:tf_efficientnet_lite0", "weights": "pretrained", "output_stride": 8}
    fitted = SCGNetSegmenter(
        2, size=48, patches=4, epochs=1, validation=0, hidden=8, freeze="all", **trunk
    ).fit(striped())
    before = SCGNet(2, 3, seed=0, hidden=8, **trunk)
    pairs = zip(
        fitted.model_.backbone.state_dict().items(), before.backbone.state_dict().values(), strict=True
    )
    assert all(torch.equal(mine, other) for (_, mine), other in pairs)
    assert not torch.equal(fitted.model_.gnn[0].linear.weight, before.gnn[0].linear.weight)
    assert before.eval().construct(torch.rand(1, 3, 48, 48)).grid == (6, 6)
