"""Sliding windows: no seams where the network is local, every pixel seen, memory of one row of windows."""

from __future__ import annotations

import tracemalloc
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from segstudy.datasets.files import crop
from segstudy.datasets.sample import Sample
from segstudy.papers.scgnet import predict_labels, predict_strips
from segstudy.papers.scgnet.evaluation import f1_of_classes, mean_f1, score_set
from segstudy.papers.scgnet.prediction import window_starts
from segstudy.papers.scgnet.training import to_unit


def picture(height, width, seed=0):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return Sample("a", partial(crop, image), read_size=partial(tuple, (height, width)))


class Local(nn.Module):
    """Sees one pixel at a time."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return 5 * self.layer(images)


def whole(model, sample):
    with torch.no_grad():
        return model(to_unit(sample.image[None])).softmax(dim=1)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("height", "width"), [(50, 70), (16, 16), (33, 16), (9, 40), (47, 48)])
@pytest.mark.parametrize("stride", [5, 16])
def test_a_local_network_leaves_no_seams(height, width, stride):
    sample, model = picture(height, width), Local()
    rows, parts = zip(*predict_strips(model, sample, 16, stride), strict=True)
    assert list(rows) == np.cumsum([0, *(len(part) for part in parts[:-1])]).tolist()
    found = np.concatenate(parts)
    assert found.shape == (height, width, 4)
    assert np.allclose(found, whole(model, sample), atol=1e-6)


def test_a_pixel_is_the_mean_of_all_windows_and_views():
    """A network that knows where in its window it is: counted by hand along one row."""

    class Place(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, images):
            place = torch.arange(images.shape[3]).float().expand(len(images), 1, images.shape[2], -1)
            return torch.cat([place, torch.zeros_like(place)], dim=1)

    strips = list(predict_strips(Place(), picture(4, 7), 4, 2, views=("identity",)))
    found = np.concatenate([part for _, part in strips])[0, :, 0]
    p = 1 / (1 + np.exp(-np.arange(4.0)))
    # windows begin at columns 0, 2 and 3
    expected = [
        p[0],
        p[1],
        (p[2] + p[0]) / 2,
        (p[3] + p[1] + p[0]) / 3,
        (p[2] + p[1]) / 2,
        (p[3] + p[2]) / 2,
        p[3],
    ]
    assert np.allclose(found, expected, atol=1e-6)
    both = list(predict_strips(Place(), picture(4, 4), 4, 4, views=("identity", "horizontal")))[0][1][0, :, 0]
    assert np.allclose(both, (p + p[::-1]) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "window", "stride"), [(448, 448, 100), (100, 448, 100), (6000, 448, 100), (449, 448, 448)]
)
def test_windows_cover_and_stay_inside(length, window, stride):
    starts = window_starts(length, window, stride)
    assert starts[0] == 0 and starts[-1] == max(length - window, 0) and starts == sorted(set(starts))
    assert all(b - a <= stride for a, b in zip(starts, starts[1:], strict=False))


def test_memory_is_that_of_one_row_of_windows():
    class Drawn:
        """A picture that is never whole."""

        size = (4096, 256)

        def read(self, window):
            return np.full((window[2], window[3], 3), window[0] % 251, np.uint8), None

    tracemalloc.start()
    for _ in predict_strips(Local(), Drawn(), 64, 64, views=("identity",)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6 < 4096 * 256 * 4 * 4  # the probabilities of the whole picture take 17 MB


def test_labels_and_scores():
    sample, model = picture(30, 40), Local()
    labels = predict_labels(model, sample, window=16, stride=16)
    assert labels.dtype == np.uint8 and (labels == whole(model, sample).argmax(axis=2)).all()
    truth = labels.copy()
    truth[0] = 255
    labelled = Sample("a", sample._read_image, partial(crop, truth), read_size=sample._read_size)
    matrix = score_set(model, [labelled, labelled], 4, window=16, stride=16)
    assert matrix.sum() == 2 * 29 * 40 and (matrix == np.diag(np.diag(matrix))).all()


def test_mean_f1_leaves_clutter_out():
    matrix = np.array([[6, 2, 0], [0, 4, 0], [0, 0, 0]])
    names = ("road", "car", "clutter")
    assert mean_f1(matrix, names) == pytest.approx((12 / 14 + 8 / 10) / 2)
    assert mean_f1(matrix, ("road", "clutter", "car")) == pytest.approx(12 / 14)  # the last one is nowhere
    matrix[1, 2] = 3  # what is taken for a class that nobody annotated costs its own class alone
    assert mean_f1(matrix, ("road", "car", "roof")) == pytest.approx((12 / 14 + 8 / 13) / 2)
    np.testing.assert_array_equal(np.isnan(f1_of_classes(matrix)), [False, False, True])


def test_the_models_mode_is_put_back():
    model = Local().train()
    predict_labels(model, picture(20, 20), window=16, stride=16)
    assert model.training


def test_bad_windows():
    for options, message in [
        ({"stride": 0}, "stride must be"),
        ({"window": 16, "stride": 17}, "stride must be"),
        ({"views": ("upside down",)}, "views must be"),
        ({"views": ()}, "views must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            next(predict_strips(Local(), picture(20, 20), **options))
