"""The drawn town: as frozen, a function of place alone, read in windows, and hard for colour by itself."""

from __future__ import annotations

import json
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segstudy.datasets import aerial, aerial_camera, generated, open_dataset
from segstudy.datasets.aerial_canvas import METRES, Canvas, Thing, noise
from segstudy.datasets.aerial_coats import COATS
from segstudy.datasets.aerial_drawing import draw_thing
from segstudy.datasets.aerial_town import things, town

SURFACE, BUILDING, LOW, TREE, CAR, CLUTTER = range(6)
SIZE = (300, 330)  # four squares, three of them cut


def test_is_as_frozen():
    frozen = json.loads(generated.lock_of("aerial").read_text())
    assert frozen["size"] == list(aerial.SET.lock_size)
    for split, digests in frozen["splits"].items():
        drawn = generated.digests(aerial.SET, split)
        assert drawn["count"] == digests["count"]
        # another processor may round a sine otherwise: a pixel in ten thousand, not another picture
        assert np.allclose(drawn["areas"], digests["areas"], rtol=1e-4, atol=3)
        assert np.allclose(drawn["mean"], digests["mean"], atol=0.05)


def pixels(split, bands="rgb", step=1):
    """Colours (n, bands) and labels (n,) of a frozen split, every `step`-th pixel in both directions."""
    dataset = open_dataset("aerial", split=split, bands=bands)
    depth = len(aerial.BANDS[bands])
    colours = [sample.image[::step, ::step].reshape(-1, depth) for sample in dataset]
    labels = [sample.labels[::step, ::step].ravel() for sample in dataset]
    return np.vstack(colours).astype(float), np.concatenate(labels)


@pytest.mark.parametrize("split", aerial.SPLITS)
def test_class_shares_are_about_those_of_the_real_cities(split):
    # Potsdam: .296 .257 .226 .155 .018 .048 of all label maps, by public code that counted them
    labels = pixels(split)[1]
    shares = np.bincount(labels, minlength=6) / labels.size
    low, high = [0.22, 0.2, 0.15, 0.08, 0.01, 0.003], [0.38, 0.34, 0.32, 0.22, 0.03, 0.08]
    assert (shares > low).all() and (shares < high).all(), shares


@pytest.mark.parametrize("bands", ["rgb", "rgbir"])
def test_colour_alone_lands_between_chance_and_ceiling(bands):
    colours, labels = pixels("train", bands, step=16)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(colours, labels)
    colours, labels = pixels("test", bands, step=8)
    found = f1_score(labels, model.predict(colours), average=None, labels=range(6))
    assert 0.25 < found.mean() < 0.55
    assert found[BUILDING] < 0.6 and found[CAR] < 0.3  # roofs as grey as streets: the surroundings must tell


def test_cars_are_small_and_some_touch():
    sizes = []
    for sample in open_dataset("aerial"):
        sizes.extend(np.bincount(label(sample.labels == CAR)[0].ravel())[1:].tolist())
    one = 4.4 * 1.84 * 0.9 / METRES**2
    assert 0.6 * one < np.median(sizes) < 1.3 * one
    assert np.mean(np.array(sizes) > 1.5 * one) > 0.02


def test_a_picture_depends_on_seed_split_and_index_alone():
    few, many = (open_dataset("aerial", split="val", size=(64, 64), count=count) for count in (2, 4))
    assert (few[1].image == many[1].image).all() and (few[1].labels == many[1].labels).all()
    others = [
        open_dataset("aerial", split="val", size=(64, 64), count=2, seed=1)[1].image,
        open_dataset("aerial", split="train", size=(64, 64), count=2)[1].image,
        few[0].image,
    ]
    assert all((few[1].image != other).mean() > 0.5 for other in others)


def test_a_larger_size_shows_more_ground():
    small, large = (open_dataset("aerial", size=size, count=1)[0] for size in ((100, 90), SIZE))
    assert (large.labels[:100, :90] == small.labels).mean() > 0.9999
    assert np.abs(large.image[:100, :90].astype(int) - small.image).max() <= 1


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_window_is_a_part_of_the_picture(data):
    sample = open_dataset("aerial", size=SIZE, count=1)[0]
    row, column = (data.draw(st.integers(0, side - 1)) for side in SIZE)
    height, width = data.draw(st.integers(1, SIZE[0] - row)), data.draw(st.integers(1, SIZE[1] - column))
    image, labels = sample.read((row, column, height, width))
    inside = np.s_[row : row + height, column : column + width]
    assert (image == sample.image[inside]).all() and (labels == sample.labels[inside]).all()


def test_squares_fit_together():
    keys = (12345, 6)
    whole = aerial._window(keys, (512, 512), 1)
    for key, corner in ((keys[0], (130, 200)), (keys[0], (200, 130))):
        picture, labels, _ = aerial.render(key, corner, (256, 256))
        inside = tuple(slice(start, start + 256) for start in corner)
        assert (labels == whole[inside]).mean() > 0.9999
        # but for the sensor's noise, which averages out, the pictures agree, at the seams as elsewhere
        found = aerial._window(keys, (512, 512), 0)[inside] / 255
        assert np.abs((found - picture).mean((0, 1))).max() < 0.002
        seam = 256 - corner[1]
        assert np.abs((found - picture)[:, seam - 3 : seam + 3].mean((0, 1))).max() < 0.004


def touches(thing, corner, size):
    """Whether a turned rectangle meets an upright one: no line along a side of either parts them."""
    x, y = thing.x - corner[1] - size[1] / 2, thing.y - corner[0] - size[0] / 2
    wide, high, cos, sin = size[1] / 2, size[0] / 2, np.cos(thing.turn), np.sin(thing.turn)
    c, s = abs(cos), abs(sin)
    return (
        abs(x) < wide + thing.a * c + thing.b * s
        and abs(y) < high + thing.a * s + thing.b * c
        and abs(x * cos + y * sin) < thing.a + wide * c + high * s
        and abs(y * cos - x * sin) < thing.b + wide * s + high * c
    )


@pytest.mark.parametrize("key", range(6))
def test_nothing_that_reaches_into_a_rectangle_is_left_out(key):
    place = town(key, np.random.default_rng(key))
    corner, size = (300.0 * key, -40.0), (30.0, 25.0)
    found = things(place, corner, size)
    around = things(place, (corner[0] - 90, corner[1] - 90), (size[0] + 180, size[1] + 180))
    near = [thing for thing in around if touches(thing, corner, size)]
    listed = set(found)
    assert len(near) > 3 and set(near) <= listed
    assert [thing for thing in around if thing in listed] == found  # in the same order


def test_a_window_of_a_tile_draws_what_it_touches(monkeypatch):
    sample = open_dataset("aerial", size=(6000, 6000), count=1, seed=7)[0]
    drawn, render = [], aerial.render

    def counted(key, corner, extent):
        drawn.append(corner)
        return render(key, corner, extent)

    monkeypatch.setattr(aerial, "render", counted)
    tracemalloc.start()
    image, labels = sample.read((5100, 2900, 60, 200))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.shape == (60, 200, 3) and labels.shape == (60, 200)
    assert sorted(drawn) == [(4864, 2816), (4864, 3072), (5120, 2816), (5120, 3072)]
    assert peak < 80e6  # the tile would be 180e6 alone
    assert (sample.read((5130, 2910, 5, 7))[0] == image[30:35, 10:17]).all() and len(drawn) == 4
    assert sample.read((5990, 5990, 10, 10))[0].shape == (10, 10, 3)


def test_bands():
    rgb, irrg, all_four = (open_dataset("aerial", bands=bands, count=1)[0].image for bands in aerial.BANDS)
    assert all_four.shape == (256, 256, 4)
    assert (rgb == all_four[..., :3]).all() and (irrg == all_four[..., [3, 0, 1]]).all()
    kinds = {
        open_dataset("aerial", bands=bands, count=1, size=(32, 32)).fingerprint() for bands in aerial.BANDS
    }
    assert len(kinds) == 3


def test_plants_are_bright_in_infrared():
    colours, labels = pixels("val", "rgbir", step=4)
    index = (colours[:, 3] - colours[:, 0]) / (colours[:, 3] + colours[:, 0] + 1)
    means = [index[labels == kind].mean() for kind in range(6)]
    assert min(means[LOW], means[TREE]) > max(means[SURFACE], means[CAR], means[CLUTTER]) + 0.1


def blocked(height, sky):
    """Which pixels do not see the sun, by walking towards it from each."""
    ways = np.array([np.sin(sky.azimuth), np.cos(sky.azimuth)])
    dark = np.zeros(height.shape)
    for row, column in np.ndindex(height.shape):
        for far in range(1, 28):  # a box of 5 m under a sun at 45 degrees
            r, c = np.rint((row, column) + far * ways).astype(int)
            inside = 0 <= r < height.shape[0] and 0 <= c < height.shape[1]
            if inside and height[r, c] - far * METRES * np.tan(sky.elevation) > height[row, column] + 0.25:
                dark[row, column] = 1
                break
    return dark


@pytest.mark.parametrize("azimuth", [0.0, 1.0, 2.6, 4.0, 5.5])
def test_shadows_fall_away_from_the_sun(azimuth):
    sky = aerial_camera.Light(azimuth, np.radians(45), 1.0, (1.0,) * 4, 0.0, 0.5, 0.0)
    height = np.zeros((70, 70), np.float32)
    height[30:42, 28:40] = 5
    rows, columns = np.nonzero(aerial_camera._shadow(height, sky))
    away = (rows - 35.5) * np.sin(azimuth) + (columns - 33.5) * np.cos(azimuth)
    assert np.median(away) < -8
    assert -away.min() == pytest.approx(5 / METRES + 8, abs=5)  # 25 pixels behind the far edge of the box
    height[10:14, 50:60] = 2.5  # lower, and itself in the shadow for one of the suns
    assert (aerial_camera._shadow(height, sky) == blocked(height, sky)).mean() > 0.97


def test_the_higher_covers_the_lower_in_any_order():
    pile = [
        Thing("flat", 5, 5, 3, 2, 0.3, COATS["felt"], BUILDING, 4.0),
        Thing("crown", 7, 5, 2, 2, 0.0, COATS["leaves"], TREE, 9.0, seed=5),
        Thing("car", 5, 5, 2.2, 0.9, 0.0, COATS["metal"], CAR),
        Thing("mown", 5, 5, 5, 5, 0.0, COATS["lawn"], LOW),
    ]
    canvases = []
    for order in (pile[::-1], [pile[3], *pile[:3]]):
        canvases.append(Canvas(3, (0, 0), (50, 50)))
        for thing in order:
            draw_thing(canvases[-1], thing)
    assert (canvases[0].labels == canvases[1].labels).all()
    assert np.allclose(canvases[0].albedo, canvases[1].albedo)
    assert set(np.unique(canvases[0].labels)) == {BUILDING, LOW, TREE}  # the car stands below the roof


@pytest.mark.parametrize("shape", ["flat", "gable", "hip"])
def test_what_has_straight_sides_covers_its_area(shape):
    canvas = Canvas(3, (-20, -20), (160, 160))
    draw_thing(canvas, Thing(shape, 12, 12, 7, 3, 0.6, COATS["tiles"], BUILDING, 3.0, seed=3))
    assert (canvas.labels == BUILDING).sum() * METRES**2 == pytest.approx(14 * 6, rel=0.02)
    assert canvas.height.max() < aerial_camera.TALLEST


@pytest.mark.parametrize("cell", [1, 2.5, 16])
def test_noise_is_a_function_of_the_place(cell):
    whole = noise(9, (-40, 1000), (400, 300), cell)
    assert np.allclose(noise(9, (60, 1100), (50, 80), cell), whole[100:150, 100:180], atol=1e-6)
    assert abs(whole.mean()) < 0.2 and 0.8 < whole.std() < 1.2
    assert np.abs(np.corrcoef(whole.ravel(), noise(10, (-40, 1000), (400, 300), cell).ravel())[0, 1]) < 0.1


def test_weak_supervision_and_pickles():
    for level in ("image", "none"):
        assert open_dataset("aerial", supervision=level, size=(32, 32), count=2)[0].labels is None
    sample = open_dataset("aerial", size=(40, 40), count=4)[3]
    assert (pickle.loads(pickle.dumps(sample)).image == sample.image).all()
    assert open_dataset("aerial", supervision="image", count=1)[0].image_labels <= set(range(6))


def test_bad_options():
    for option, value in (("size", (16, 64)), ("count", 0), ("seed", -1), ("bands", "rgbi")):
        with pytest.raises(ValueError, match=option):
            open_dataset("aerial", **{option: value})
    with pytest.raises(ValueError, match="split"):
        open_dataset("aerial", split="holdout")
    with pytest.raises(ValueError, match="leaves the picture"):
        open_dataset("aerial", count=1)[0].read((200, 0, 100, 10))
