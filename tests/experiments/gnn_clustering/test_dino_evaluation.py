"""Nearest neighbours counted by hand, and attention worked from queries and keys."""

import numpy as np
import pytest
import torch

from segstudy.experiments.gnn_clustering.dino_evaluation import attention_maps, knn_accuracy, picture_features
from segstudy.papers.gnn_clustering.dino_vit import small_vit


@pytest.fixture(scope="module")
def model():
    return small_vit(16, 8, 64, 2, seed=1)


def picture(rng, height=16, width=16):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def directions(*degrees):
    turns = np.deg2rad(degrees)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


def test_neighbours_are_counted_by_hand():
    train = directions(0, 10, 20, 90, 100) * [[1], [9], [2], [5], [1]]  # cosine: lengths do not count
    labels = [0, 0, 1, 1, 1]
    test = directions(5, 95, 55)
    # 3 nearest: of 5 degrees 0, 0, 1; of 95 1, 1, 1; of 55 20, 90 and 10 or 100 degrees: 1, 1, whatever
    assert knn_accuracy(train, labels, test, [0, 1, 1], k=3) == 1
    assert knn_accuracy(train, labels, test, [1, 1, 0], k=3) == pytest.approx(1 / 3)
    assert knn_accuracy(train, labels, directions(16), [1], k=1) == 1
    assert knn_accuracy(train, labels, directions(0), [1], k=5) == 1  # the majority of all


def test_of_a_tie_the_nearest_wins():
    train, test = directions(0, 30, 40, 60), directions(1)
    assert knn_accuracy(train, [2, 0, 0, 2], test, [2], k=4) == 1
    assert knn_accuracy(train, [0, 2, 2, 0], test, [0], k=4) == 1
    assert knn_accuracy(train, [2, 0, 1, 0], test, [0], k=4) == 1  # a majority beats the nearest


def test_neighbours_agree_with_a_sorted_search(rng):
    train, test = rng.normal(size=(60, 5)), rng.normal(size=(40, 5))
    labels, truth = rng.integers(0, 3, 60), rng.integers(0, 3, 40)
    right = 0
    for query, label in zip(test, truth, strict=True):
        cosine = train @ query / np.linalg.norm(train, axis=1)
        near = labels[np.argsort(-cosine)[:5]].tolist()
        right += max(near, key=lambda kind: (near.count(kind), -near.index(kind))) == label
    assert knn_accuracy(train, labels, test, truth) == pytest.approx(right / 40)


def test_features_are_the_class_token_or_the_mean_of_the_patches(model, rng):
    images = [picture(rng) for _ in range(3)]
    tokens = model.forward_features(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 127.5 - 1)
    tokens = tokens.detach().numpy()
    np.testing.assert_allclose(picture_features(model, images), tokens[:, 0], atol=1e-5)
    np.testing.assert_allclose(picture_features(model, images, "mean"), tokens[:, 1:].mean(axis=1), atol=1e-5)


def test_attention_is_the_softmax_of_queries_and_keys(model, rng):
    image = picture(rng, 24, 16)
    maps = attention_maps(model, image)
    assert maps.shape == (2, 3, 2)
    assert model.blocks[-1].attn.fused_attn  # put back
    seen = []
    last = model.blocks[-1]
    hook = last.norm1.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model.forward_features(torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1)
    hook.remove()
    weight, bias = last.attn.qkv.weight, last.attn.qkv.bias
    for head in range(2):
        rows = [slice(start + 32 * head, start + 32 * (head + 1)) for start in (0, 64)]
        query, key = (seen[0][0] @ weight[row].T + bias[row] for row in rows)
        expected = (query[0] @ key.T / 32**0.5).softmax(dim=0)[1:].detach().reshape(3, 2)
        np.testing.assert_allclose(maps[head], expected, atol=1e-6)
        assert 0 < maps[head].sum() < 1


def test_bad_input_is_named(model, rng):
    with pytest.raises(ValueError, match="pool"):
        picture_features(model, [picture(rng)], "max")
    with pytest.raises(ValueError, match="at least a patch"):
        picture_features(model, [picture(rng, 7, 16)])
    with pytest.raises(ValueError, match="at least a patch"):
        attention_maps(model, picture(rng, 16, 4))
    with pytest.raises(ValueError, match="whole number of patches"):
        attention_maps(model, picture(rng, 20, 16))
    with pytest.raises(ValueError, match="images is empty"):
        picture_features(model, [])
    with pytest.raises(ValueError, match="one shape"):
        picture_features(model, [picture(rng), picture(rng, 24, 16)])
    with pytest.raises(TypeError, match="uint8"):
        picture_features(model, [picture(rng) / 255])
    with pytest.raises(ValueError, match="k must be from 1 to 2"):
        knn_accuracy(np.eye(2), [0, 1], np.eye(2), [0, 1])
    with pytest.raises(ValueError, match="features must be"):
        knn_accuracy(np.eye(2), [0], np.eye(2), [0, 1], k=1)
    with pytest.raises(ValueError, match="finite"):
        knn_accuracy(np.full((2, 2), np.nan), [0, 1], np.eye(2), [0, 1], k=1)
