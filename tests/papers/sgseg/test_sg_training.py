"""SGSeg's schemes, batches and segmenter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.datasets.sample import Sample
from segstudy.papers import sgseg
from segstudy.papers.sgseg import SGSegSegmenter
from segstudy.papers.sgseg.network import NO_SUPERPIXELS
from segstudy.papers.sgseg.training import Rates, Statistics, UnlabelledBatches, train_sgseg
from segstudy.segmenter import Segmenter, check_probabilities

SMALL = {"spnn_widths": (4, 4, 6, 6), "cnn_widths": (6, 8), "gnn_width": 4, "gnn_blocks": 2}
SMALL |= {"superpixels": 10, "k": 3}
QUICK = Rates(1e-3, 1e-3, 1e-3)


def pictures(count: int = 6, side: int = 16, bands: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Return halves of two colours, with noise."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        image = np.full((side, side, bands), 60.0)
        image[:, rng.integers(side // 3, 2 * side // 3) :] = 190
        found.append(np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8))
    return found


def unlabelled(images: list[np.ndarray]) -> list[Sample]:
    return [Sample(f"p{i}", lambda window, image=image: image, None) for i, image in enumerate(images)]


def batches(seed: int = 0, **options) -> UnlabelledBatches:
    images = pictures(**options)
    return UnlabelledBatches(images, Statistics.of(images), 3, seed)


def test_batches_depend_on_seed_and_epoch_alone():
    (first, orders), _ = next(iter(batches()(4)))
    (again, same), _ = next(iter(batches()(4)))
    (other, _), _ = next(iter(batches()(5)))
    assert torch.equal(first, again) and torch.equal(orders, same) and not torch.equal(first, other)
    assert (
        first.shape == (3, 3, 16, 16)
        and orders.shape == (2,)
        and first.std().item() == pytest.approx(1, abs=0.5)
    )
    assert {len(images) for (images, _), _ in batches(count=7)(0)} == {3}  # the last one alone is left out


def test_a_fourth_band_keeps_its_values():
    images = pictures(bands=4)
    for image in images:
        image[:, :, 3] = np.arange(16)
    given = UnlabelledBatches(images, Statistics(np.zeros(4), np.ones(4)), 2, 0)
    for (found, _), _ in given(0):
        for band in found[:, 3]:
            assert sorted(band[0].tolist()) == list(range(16))


def test_standardised_pictures_have_mean_0_and_spread_1():
    images = pictures()
    values = Statistics.of(images).standardise(images)
    torch.testing.assert_close(values.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(values.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
    flat = [np.full((4, 4, 3), 7, np.uint8)] * 2
    assert Statistics.of(flat).standardise(flat).abs().max() == 0


def snapshot(module) -> list[torch.Tensor]:
    return [value.clone() for value in module.state_dict().values()]


@pytest.mark.parametrize(("scheme", "trainings"), [("disjoint", 2), ("end to end", 1), ("pre-trained", 2)])
def test_schemes(scheme, trainings):
    network = sgseg.SGSeg(2, seed=1, **SMALL)
    histories = train_sgseg(network, batches(), 2, scheme=scheme, pretraining=1, rates=QUICK)
    assert [len(history.losses) for history in histories] == [1, 2][-trainings:]


def test_disjoint_superpixels_stay_as_they_are():
    network = sgseg.SGSeg(2, seed=1, **SMALL)
    before, rest = snapshot(network.spnn), snapshot(network.cnn)
    train_sgseg(network, batches(), 1, scheme="disjoint", pretraining=0, rates=QUICK)
    assert all(torch.equal(a, b) for a, b in zip(before, snapshot(network.spnn), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(rest, snapshot(network.cnn), strict=True))


def test_the_same_seed_gives_the_same_network():
    outputs = []
    for seed in (0, 0, 1):
        network = sgseg.SGSeg(2, seed=seed, **SMALL)
        train_sgseg(network, batches(seed), 1, pretraining=1, rates=QUICK)
        outputs.append(network(torch.ones(1, 3, 16, 16)))
    assert torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[0], outputs[2])


def test_superpixels_get_better_by_their_own_loss():
    network = sgseg.SGSeg(2, seed=0, **SMALL)
    (history, _) = train_sgseg(network, batches(), 1, pretraining=25, rates=Rates(1e-2, 1e-3, 1e-3))
    assert history.losses[-1] < history.losses[0] - 1


def test_two_plain_halves_are_told_apart():
    segmenter = SGSegSegmenter(
        2, side=16, epochs=30, batch=3, rates=Rates(1e-3, 1e-3, 1e-2), gnn=NO_SUPERPIXELS, cnn_widths=(8, 12)
    )
    assert isinstance(segmenter, Segmenter)
    samples = unlabelled(pictures(12))
    segmenter.fit(samples)
    tested = pictures(4, seed=9)
    truth = np.stack([(image[:, :, 0] > 125).astype(int) for image in tested])
    found = np.stack([segmenter.segment(image) for image in tested])
    right = (found == truth).mean()
    assert max(right, 1 - right) > 0.9  # whichever cluster is which


def test_a_segmenter_takes_any_size_and_says_what_it_cannot_take():
    segmenter = SGSegSegmenter(3, side=16, epochs=1, pretraining=1, batch=3, **SMALL)
    with pytest.raises(ValueError, match="not trained"):
        segmenter.segment(pictures(1)[0])
    samples = unlabelled(pictures(4, side=20))
    found = segmenter.fit(samples).probabilities(pictures(1, side=33)[0])
    assert found.shape == (33, 33, 3)
    check_probabilities(found)
    for wrong in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 1), np.uint8), np.zeros((8, 8, 3))):
        with pytest.raises(ValueError, match="images must be"):
            segmenter.segment(wrong)
    with pytest.raises(ValueError, match="at least 2 pictures"):
        segmenter.fit(samples[:1])


def test_four_bands_are_resized_each_by_itself():
    image = pictures(1, side=24, bands=4)[0]
    image[:, :, 3] = 0  # Pillow would take it for full transparency
    segmenter = SGSegSegmenter(2, side=16)
    resized = segmenter._resized(image)
    assert (
        np.array_equal(resized[:, :, :3], segmenter._resized(image[:, :, :3])) and resized[:, :, 3].max() == 0
    )


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: SGSegSegmenter(1), "num_clusters"),
        (lambda: train_sgseg(sgseg.SGSeg(2, **SMALL), batches(), 1, scheme="joint"), "scheme"),
        (lambda: UnlabelledBatches(pictures(1), Statistics.of(pictures(1)), 2), "2 pictures"),
        (
            lambda: UnlabelledBatches([*pictures(1), *pictures(1, 8)], Statistics.of(pictures(1)), 2),
            "one shape",
        ),
    ],
)
def test_what_cannot_be_is_refused(build, word):
    with pytest.raises(ValueError, match=word):
        build()
