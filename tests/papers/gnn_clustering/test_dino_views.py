"""DINO's views: what may change in them, what must not, and that every picture is changed on its own."""

import dataclasses

import numpy as np
import pytest
import torch

from segstudy.papers.gnn_clustering.dino_views import LUMA, Views

PLAIN = {"smallest": 1.0, "jitter": 0.0, "grey": 0.0, "blur": 0.0}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(rng, count=6, height=16, width=16):
    return torch.from_numpy(rng.random((count, 3, height, width), dtype=np.float32))


def turned(picture):
    """The eight ways to lay down a square picture."""
    return [torch.rot90(side, turns, (1, 2)) for side in (picture, picture.flip(2)) for turns in range(4)]


def test_without_other_changes_a_view_is_the_picture_turned_or_mirrored(rng):
    given = pictures(rng, 200, 4, 4)
    views = Views(4, **PLAIN)
    found = views._crop(given, *_draws(200, share=1.0, aspect=0.5))  # the whole picture, not stretched
    seen = set()
    for picture, view in zip(given, found, strict=True):
        errors = [(view - way).abs().max().item() for way in turned(picture)]
        assert min(errors) < 1e-5
        seen.add(int(np.argmin(errors)))
    assert seen == set(range(8))


def _draws(count, share=None, aspect=None):
    draws = torch.rand(6, count, generator=generator(3))
    for row, value in enumerate((share, aspect)):
        if value is not None:
            draws[row] = value
    return draws


@pytest.mark.parametrize("shape", [(16, 16), (12, 30)])
def test_a_crop_has_its_share_of_the_area_and_lies_inside(shape):
    """Pictures whose two channels are the coordinates show where a view comes from, and how it is stretched."""
    height, width = shape
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    picture = torch.stack([rows, columns, rows]).float()
    views = Views(8, smallest=0.2, largest=0.5)
    draws = _draws(300)
    for view, share, aspect in zip(
        views._crop(picture.expand(300, -1, -1, -1), *draws), draws[0], draws[1], strict=True
    ):
        down, right = view[:2, 1:-1, 1:-1].diff(dim=1), view[:2, 1:-1, 1:-1].diff(dim=2)
        steps = [
            down.abs().amax(dim=(1, 2)),
            right.abs().amax(dim=(1, 2)),
        ]  # of the row and column, a view's pixel
        high, wide = steps[0].max() * 8, steps[1].max() * 8
        area, ratio = (0.2 + 0.3 * share) * height * width, (4 / 3) ** (2 * aspect - 1)
        inside = (area * ratio) ** 0.5 <= min(shape) and (area / ratio) ** 0.5 <= min(shape)
        if inside:
            assert high * wide == pytest.approx(area.item(), rel=0.02)
            assert wide / high == pytest.approx(ratio.item(), rel=0.02)
        assert min(steps[0].min(), steps[1].min()) < 1e-4  # turned by multiples of 90 degrees: never askew
        assert view[0].min() >= 0 and view[0].max() <= height
        assert view[1].min() >= 0 and view[1].max() <= width


def test_crops_are_everywhere(rng):
    picture = torch.zeros(400, 3, 16, 16)
    picture[:, :, 0, 0] = 1  # a corner, which few crops of a quarter see, but some do
    share = (Views(16, 0.25, 0.25, 0, 0, 0)(picture, generator()).amax(dim=(1, 2, 3)) > 0.3).float().mean()
    assert 0 < share < 0.1


def test_grey_views_have_no_colour_but_their_brightness(rng):
    given = pictures(rng, 8)
    same = {**PLAIN, "grey": 0.0}
    coloured = Views(16, **same)(given, generator())
    found = Views(16, **{**same, "grey": 1.0})(given, generator())
    luma = sum(weight * coloured[:, channel] for channel, weight in enumerate(LUMA))
    for channel in range(3):
        torch.testing.assert_close(found[:, channel], luma, atol=1e-5, rtol=0)


def test_grey_in_its_share_of_the_cases(rng):
    views = Views(4, **{**PLAIN, "grey": 0.3})(pictures(rng, 2000, 4, 4), generator())
    share = (views.std(dim=1).amax(dim=(1, 2)) < 1e-5).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.04)


def test_jitter_changes_each_picture_by_its_own_factor():
    given = torch.full((500, 3, 4, 4), 0.5)  # no contrast, no colour: only brightness can change
    views = Views(4, 1.0, 1.0, jitter=0.4, grey=0, blur=0)(given, generator())
    factors = views[:, 0, 0, 0] / 0.5
    torch.testing.assert_close(views, (0.5 * factors)[:, None, None, None].expand_as(views))
    assert 0.6 <= factors.min() < 0.63 and 1.37 < factors.max() <= 1.4
    assert len(factors.unique()) > 400


def test_the_blur_is_scipys(rng):
    from scipy.ndimage import gaussian_filter

    given = torch.zeros(1, 3, 33, 33)
    given[:, :, 10:20, 12:17] = torch.from_numpy(rng.random((3, 10, 5), dtype=np.float32))
    found = Views(33, blur=2.0)._blur(given, torch.ones(1))
    for channel in range(3):
        expected = gaussian_filter(given[0, channel].numpy(), 2.0, truncate=8, mode="constant")
        np.testing.assert_allclose(found[0, channel], expected, atol=2e-3)
    untouched = Views(33, blur=2.0)._blur(
        given, torch.full((1,), 0.4)
    )  # half of the draws: no blur to speak of
    torch.testing.assert_close(untouched, given, atol=1e-6, rtol=0)


def test_a_blur_darkens_nothing_at_the_border():
    flat = torch.full((3, 3, 9, 9), 0.7)
    torch.testing.assert_close(Views(9, blur=3.0)._blur(flat, torch.ones(3)), flat)


def test_views_stay_in_range_and_depend_on_the_generator_alone(rng):
    given = pictures(rng, 20)
    before = torch.get_rng_state()
    first, again, other = (Views(12)(given, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (20, 3, 12, 12)
    assert first.min() >= 0 and first.max() <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 0}, "size"),
        ({"smallest": 0.0}, "smallest"),
        ({"smallest": 0.6, "largest": 0.5}, "largest"),
        ({"largest": 1.2}, "largest"),
        ({"jitter": 1.5}, "jitter must be between 0 and 1"),
        ({"grey": -0.1}, "grey"),
        ({"blur": float("nan")}, "blur"),
    ],
)
def test_a_number_outside_its_range_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Views(8), **change)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"pictures must be \(N, 3, H, W\), got shape \(2, 1, 8, 8\)"):
        Views(8)(torch.zeros(2, 1, 8, 8), generator())
