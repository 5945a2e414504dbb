"""A thousand drawn inputs: a defined and finite result, or an error that names the argument and what it got."""

from __future__ import annotations

import re
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from segstudy.datasets.files import VOID
from segstudy.datasets.sample import Sample
from segstudy.papers import sgseg
from segstudy.papers.sgseg import SPNN, SGSeg, SGSegSegmenter, superpixel_graph
from segstudy.papers.sgseg.gnn import PARTS
from segstudy.papers.sgseg.network import NO_GNN, NO_SUPERPIXELS, sgseg_loss
from segstudy.papers.sgseg.spnn import Assignment
from segstudy.papers.sgseg.training import Rates, Statistics, UnlabelledBatches

BAD = (np.nan, np.inf, -np.inf, 1e30)
QUICK = Rates(1e-3, 1e-3, 1e-3)


pytestmark = pytest.mark.usefixtures("one_thread")


@contextmanager
def refused(word):
    """Expect an error that names an argument, says what it must be, and what was received."""
    with pytest.raises((ValueError, TypeError)) as caught:
        yield
    message = str(caught.value)
    assert re.search(rf"\b{word}\b", message) and "must" in message and "got" in message, message


def drawn(rng, channels, height, width, batch=1, kind=None):
    """Return pictures: noise, of one colour, or far from standardised."""
    kind = rng.integers(4) if kind is None else kind
    values = rng.normal(size=(batch, channels, height, width)) * (300 if kind == 3 else 1)
    if kind == 2:
        values[:] = rng.normal()
    return torch.tensor(values, dtype=torch.float64 if rng.random() < 0.1 else torch.float32)


def spoilt(rng, images):
    """Return pictures with one fault."""
    fault = rng.integers(5)
    if fault == 0:
        images = images.clone()
        images[tuple(rng.integers(n) for n in images.shape)] = rng.choice(BAD)
        return images
    if fault == 1:
        return images.to(torch.uint8 if rng.random() < 0.5 else torch.int64)
    if fault == 2:
        return images[0] if rng.random() < 0.5 else images[None]
    if fault == 3:
        return torch.cat([images, images[:, :1]], dim=1)
    empty = int(rng.choice([0, 2, 3]))
    return images.narrow(empty, 0, 0)


def sides(rng, least=1):
    return (int(n) for n in rng.integers(least, 25, 2))


@pytest.mark.parametrize("block", range(10))
def test_superpixels_of_any_picture(block):
    rng = np.random.default_rng(block)
    for _ in range(15):
        bands, count, batch = (int(rng.integers(1, n)) for n in (6, 40, 3))
        height, width = sides(rng)
        widths = rng.integers(1, 5, rng.integers(1, 5)).tolist()
        network = SPNN(count, bands, widths, bool(rng.random() < 0.5)).train(bool(rng.random() < 0.5))
        images = drawn(rng, bands, height, width, batch)
        if network.training and batch * height * width == 1:
            with refused("images"):
                network(images)
            continue
        found = network(images)
        assert found.superpixels.shape == (batch, count, height, width)
        assert found.reconstruction.shape == images.shape and found.features.shape[1] == widths[-1]
        assert all(value.isfinite().all() for value in found)
        torch.testing.assert_close(found.superpixels.sum(dim=1), torch.ones(batch, height, width))
        with refused("images"):
            network(spoilt(rng, images))


@pytest.mark.parametrize("block", range(10))
def test_the_whole_network_on_any_picture(block):
    rng = np.random.default_rng(100 + block)
    for _ in range(12):
        classes, bands, count = (int(rng.integers(1, n)) for n in (5, 6, 40))
        kind = str(rng.choice([*PARTS, NO_GNN, NO_SUPERPIXELS]))
        k = int(rng.integers(-1, 45))
        options = {"spnn_widths": (2, 3), "cnn_widths": (2, 4), "gnn_width": 2, "gnn_blocks": 1}
        options |= {"reconstruct": bool(rng.random() < 0.5), "hard": bool(rng.random() < 0.2)}
        if kind in PARTS and not 1 <= k < count:
            with refused("k"):
                SGSeg(classes, bands, count, kind, k, **options)
            continue
        network = SGSeg(classes, bands, count, kind, k, **options)
        height, width = sides(rng)
        images = drawn(rng, bands, height, width)
        network.train(bool(rng.random() < 0.5))
        if min(height, width) < 2 or (network.training and (height // 2) * (width // 2) < 2):
            with refused("images"):
                network(images)
            continue
        if network.training:
            loss = sum(sgseg_loss(network, images, tuple(rng.integers(8, size=2).tolist())).values())
            loss.backward()
            gradients = [value.grad for value in network.parameters() if value.grad is not None]
            assert loss.isfinite() and all(value.isfinite().all() for value in gradients)
        else:
            found = network(images)
            assert found.shape == (1, classes, height, width) and found.isfinite().all()
            torch.testing.assert_close(found.sum(dim=1), torch.ones(1, height, width))
        with refused("images"):
            network(spoilt(rng, images))


@pytest.mark.parametrize("block", range(10))
def test_a_graph_of_any_superpixels(block):
    rng = np.random.default_rng(200 + block)
    for _ in range(25):
        batch, count, width = (int(rng.integers(1, n)) for n in (4, 30, 80))
        k = int(rng.integers(-1, count + 3))
        features = torch.tensor(rng.normal(size=(batch, count, width)), dtype=torch.float32)
        if rng.random() < 0.2:  # as superpixels without a pixel are: all the same
            features[:] = rng.normal()
        if rng.random() < 0.2:
            fault = rng.integers(3)
            if fault == 0:
                features[0, 0, 0] = rng.choice(BAD[:3])
            features = features.int() if fault == 1 else features[0] if fault == 2 else features
            with refused("features" if 1 <= k < count else "features|k"):
                superpixel_graph(features, k)
        elif not 1 <= k < count:
            with refused("k"):
                superpixel_graph(features, k)
        else:
            found = superpixel_graph(features, k)
            assert found.shape == (batch, count, k) and found.min() >= 0 and found.max() < count
            assert not (found == torch.arange(count)[None, :, None]).any()
            assert (found.sort(dim=2).values.diff(dim=2) > 0).all()


def maps(rng):
    """Return an assignment, now and then sure of itself or with empty superpixels, and three pictures."""
    count, bands, batch = (int(rng.integers(1, n)) for n in (12, 6, 3))
    height, width = sides(rng)
    values = rng.dirichlet(np.full(count, rng.choice([0.02, 1.0])), (batch, height, width))
    if rng.random() < 0.3:
        values = np.eye(count)[values.argmax(axis=3)]
    assignment = torch.tensor(values.transpose(0, 3, 1, 2), dtype=torch.float32)
    return assignment, [drawn(rng, bands, height, width, batch) for _ in range(3)]


@pytest.mark.parametrize("block", range(10))
def test_losses_of_any_maps(block):
    rng = np.random.default_rng(300 + block)
    for _ in range(28):
        assignment, (image, reconstruction, other) = maps(rng)
        found = Assignment(assignment, reconstruction, image)
        radius = int(rng.integers(-1, 4))
        if 0 <= radius < min(assignment.shape[2:]):
            information = sgseg.mutual_information(assignment, assignment.roll(1, 3), radius)
            assert -1e-4 <= information <= np.log(assignment.shape[1]) + 1e-4
        else:
            with refused("radius"):
                sgseg.mutual_information(assignment, assignment, radius)
        losses = {
            "clustering": sgseg.clustering_loss(assignment),
            "smoothness": sgseg.smoothness_loss(assignment, image),
            "reconstruction": sgseg.reconstruction_loss(image, reconstruction, other),
            "edges": sgseg.edge_loss(image, reconstruction, other),
            "all": sgseg.spnn_loss(image, found),
        }
        assert all(value.isfinite() and value.ndim == 0 for value in losses.values()), losses
        fault = rng.integers(6)
        if fault == 0:
            wrong = assignment.clone()
            wrong[0, 0, 0, 0] = rng.choice(BAD[:3])
            for way in (sgseg.clustering_loss, lambda values: sgseg.mutual_information(values, values)):
                with refused("assignment|first"):
                    way(wrong)
            with refused("assignment"):
                sgseg.spnn_loss(image, Assignment(wrong, reconstruction, image))
        elif fault == 1:
            wrong = image.clone()
            wrong[0, 0, 0, 0] = np.nan
            for way in (sgseg.reconstruction_loss, sgseg.edge_loss):
                with refused("image"):
                    way(wrong, reconstruction, other)
        elif fault == 2:
            with refused("assignment"):
                sgseg.clustering_loss(assignment.long() if rng.random() < 0.5 else assignment[0])
            with refused("reconstruction"):
                sgseg.edge_loss(image, reconstruction[:, :, :0], other)
        elif fault == 3:
            larger = torch.cat([image, image], dim=int(rng.choice([0, 2, 3])))
            with refused("image"):
                sgseg.smoothness_loss(assignment, larger)
            with refused("reconstruction"):
                sgseg.reconstruction_loss(image, larger, other)
        elif fault == 4:
            weight = str(rng.choice(["alpha", "beta", "eta", "lam", "sigma"]))
            with refused(weight):
                sgseg.spnn_loss(image, found, **{weight: np.nan})
        else:
            with refused("second"):
                sgseg.mutual_information(assignment, torch.cat([assignment, assignment], dim=1))


def photographs(rng, bands=None, count=None):
    """Return pictures of one size: noise, or of one colour."""
    height, width = sides(rng)
    bands = int(rng.integers(3, 6)) if bands is None else bands
    count = int(rng.integers(2, 5)) if count is None else count
    return [
        rng.integers(0, 256, (height, width, bands), np.uint8)
        if rng.random() < 0.7
        else np.full((height, width, bands), rng.integers(256), np.uint8)
        for _ in range(count)
    ]


def spoil(rng, images):
    """Return pictures with one fault."""
    fault = rng.integers(6)
    if fault == 0:
        return images[: rng.integers(2)]
    if fault == 1:
        return [image.astype(float) for image in images]
    if fault == 2:
        return [image[:, :, : rng.integers(3)] for image in images]
    if fault == 3:
        return [image[:, :, 0] for image in images]
    if fault == 4:
        return [image[:0] for image in images]
    return [*images, np.concatenate([images[0], images[0]], axis=2)]


@pytest.mark.parametrize("block", range(10))
def test_batches_of_any_pictures(block):
    rng = np.random.default_rng(400 + block)
    for _ in range(14):
        images, size = photographs(rng), int(rng.integers(0, 5))
        statistics = Statistics.of(images)
        if size < 2:
            with refused("there"):
                UnlabelledBatches(images, statistics, size)
            continue
        for (found, orders), _ in UnlabelledBatches(images, statistics, size, seed=block)(
            int(rng.integers(9))
        ):
            assert found.shape[1:] == (images[0].shape[2], *images[0].shape[:2]) and 2 <= len(found) <= size
            assert found.isfinite().all() and found.dtype == torch.float32
            assert orders.shape == (2,) and orders.min() >= 0 and orders.max() < 8
        with refused("images|there"):
            UnlabelledBatches(spoil(rng, images), statistics, size)
        fault = rng.integers(3)
        if fault == 0:
            with refused("images"):
                UnlabelledBatches(images, Statistics.of([image[:, :, 1:] for image in images]), size)
        elif fault == 1:
            wrong = statistics.std.copy()
            wrong[0] = rng.choice([0, -1, np.nan, np.inf])
            with refused("std"):
                UnlabelledBatches(images, Statistics(statistics.mean, wrong), size)
        else:
            with refused("seed"):
                UnlabelledBatches(images, statistics, size, seed=-1)


def samples(images, rng):
    """Return samples without labels, or with a map that is void everywhere, which nothing reads."""
    void = [None if rng.random() < 0.5 else np.full(image.shape[:2], VOID) for image in images]
    return [
        Sample(f"p{i}", lambda window, image=image: image, None if v is None else lambda window, v=v: v)
        for i, (image, v) in enumerate(zip(images, void, strict=True))
    ]


@pytest.mark.parametrize("block", range(6))
def test_a_segmenter_on_any_pictures(block):
    rng = np.random.default_rng(500 + block)
    small = {"spnn_widths": (2, 3), "cnn_widths": (2, 4), "gnn_width": 2, "gnn_blocks": 1}
    for _ in range(10):
        count, k, side = (int(rng.integers(*span)) for span in ((2, 90), (-1, 40), (6, 25)))
        epochs, pretraining = (int(n) for n in rng.integers(0, 2, 2))
        options = {"side": side, "epochs": epochs, "pretraining": pretraining, "batch": 3, "rates": QUICK}
        options |= small | {"superpixels": count, "k": k}
        if side < 8:
            with refused("side"):
                SGSegSegmenter(2, **options)
            continue
        segmenter, images = SGSegSegmenter(int(rng.integers(2, 5)), **options), photographs(rng)
        data = samples(images, rng)
        with refused("images|dataset"):
            segmenter.fit(samples(spoil(rng, images), rng))
        if not 1 <= k < count:
            with refused("k"):
                segmenter.fit(data)
            continue
        (tested,) = photographs(rng, images[0].shape[2], count=1)
        found = segmenter.fit(data).probabilities(tested)
        assert found.shape == (*tested.shape[:2], segmenter.num_clusters) and np.isfinite(found).all()
        assert found.sum(axis=2) == pytest.approx(1, abs=1e-4)
        with refused("images"):
            segmenter.segment(np.concatenate([tested, tested[:, :, :1]], axis=2))
        wrong = (tested[:, :, 0], tested[:, :, :1], tested[:0], tested.astype(float))[rng.integers(4)]
        with refused("images"):
            segmenter.segment(wrong)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: SPNN(widths=()), "widths"),
        (lambda: SPNN(0), "count"),
        (lambda: SGSeg(2, cnn_widths=()), "widths"),
        (lambda: SGSeg(2, gnn="GAT"), "gnn"),
        (lambda: SGSeg(0), "num_classes"),
        (
            lambda: SGSegSegmenter(2, side=8, epochs=-1).fit(
                samples([np.zeros((9, 9, 3), np.uint8)] * 2, np.random.default_rng(0))
            ),
            "epochs",
        ),
        (lambda: sgseg_loss(SGSeg(2), torch.zeros(1, 3, 8, 8), (0, 8)), "order"),
        (lambda: sgseg_loss(SGSeg(2), torch.zeros(1, 3, 8, 8), (0, 1), tv=np.nan), "tv"),
    ],
)
def test_what_cannot_be_is_named(build, word):
    with refused(word):
        build()
