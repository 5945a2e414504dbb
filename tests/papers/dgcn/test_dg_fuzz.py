"""A thousand drawn inputs through cues and every way of growing: a defined result, or an error that says no."""

import numpy as np
import pytest

from segstudy.datasets.files import VOID
from segstudy.papers.dgcn.graph_cut import graph_cut_labels
from segstudy.papers.dgcn.label_propagation import propagate_labels
from segstudy.papers.dgcn.region_growing import grow_seeds
from segstudy.papers.dgcn.seeds import seed_cues

CLASSES = 21


def drawn(rng):
    """Return cues, probabilities, edges and classes of a map of 1 to 9 places a side: now and then strange ones."""
    h, w = rng.integers(1, 10, 2)
    classes = sorted(rng.choice(np.arange(1, CLASSES), rng.choice([0, 1, 2, 3, 20]), replace=False).tolist())
    values = rng.random((h, w, CLASSES)) ** rng.choice([1, 8])
    if rng.random() < 0.2:  # sure of itself
        values = np.eye(CLASSES)[rng.integers(0, CLASSES, (h, w))]
    probabilities = values / values.sum(axis=2, keepdims=True)
    known = [0, *classes, VOID]
    cues = rng.choice(known, (h, w), p=rng.dirichlet(np.ones(len(known))))
    if rng.random() < 0.1:
        cues = np.full((h, w), VOID)
    edges = rng.integers(0, h * w, (rng.integers(0, 30), 2))
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    return cues, probabilities, edges, classes


def spoilt(rng, cues, probabilities, edges, classes):
    """Return the input with one fault, and the words of its error."""
    h, w = cues.shape
    fault = rng.integers(6)
    if fault == 0:
        probabilities = probabilities.copy()
        probabilities[0, 0, 0] = rng.choice([np.nan, np.inf, -1])
        return (cues, probabilities, edges, classes), "probabilities"
    if fault == 1:
        return (cues, probabilities, edges, [*classes, rng.choice([0, CLASSES, VOID])]), "classes must be ids"
    if fault == 2:
        return (cues[:, :-1], probabilities, edges, classes), "shape of the map"
    if fault == 3:
        absent = next((c for c in range(1, CLASSES) if c not in classes), CLASSES)
        cues = cues.copy()
        cues[0, 0] = absent
        return (cues, probabilities, edges, classes), "cues hold the classes"
    if fault == 4:
        return (cues, probabilities * 2, edges, classes), "probabilities"
    return (cues, probabilities.astype(int), edges, classes), "probabilities"


def ways(cues, probabilities, edges, classes):
    yield lambda: graph_cut_labels(cues, probabilities, edges, classes)
    yield lambda: graph_cut_labels(cues, probabilities, edges, classes, theta=0.0, keep_cues=True)
    yield lambda: grow_seeds(cues, probabilities, classes)
    yield lambda: propagate_labels(cues, probabilities, edges, classes)


@pytest.mark.parametrize("block", range(10))
def test_what_grows_holds_the_pictures_classes_alone(block):
    rng = np.random.default_rng(block)
    for _ in range(60):
        cues, probabilities, edges, classes = given = drawn(rng)
        for way in ways(*given):
            found = way()
            assert found.shape == cues.shape and found.dtype == np.uint8
            assert set(np.unique(found).tolist()) <= {0, *classes, VOID}
        assert (graph_cut_labels(*given)[cues == 0] == 0).all()
        regions = grow_seeds(cues, probabilities, classes)
        assert np.array_equal(regions[cues != VOID], cues[cues != VOID])


@pytest.mark.parametrize("block", range(10))
def test_every_fault_is_named(block):
    rng = np.random.default_rng(100 + block)
    for _ in range(20):
        given, words = spoilt(rng, *drawn(rng))
        for way in ways(*given):
            with pytest.raises((ValueError, TypeError), match=words):
                way()


@pytest.mark.parametrize("block", range(10))
def test_cues_are_of_the_pictures_classes_and_never_two_at_once(block):
    rng = np.random.default_rng(200 + block)
    for _ in range(20):
        h, w = rng.integers(1, 10, 2)
        classes = rng.choice(np.arange(1, CLASSES), rng.integers(0, 4), replace=False).tolist()
        activations = rng.normal(size=(len(classes), h, w)) * rng.choice([0, 1, 1e9])
        saliency = rng.random((h, w)) if rng.random() < 0.8 else None
        cues = seed_cues(activations, saliency, classes)
        assert cues.shape == (h, w) and set(np.unique(cues).tolist()) <= {0, *classes, VOID}
        largest = activations.max(axis=(1, 2), initial=0, keepdims=True)
        claimed = ((activations > 0.2 * largest) & (activations > 0)).sum(axis=0)
        claimed = claimed + (0 if saliency is None else saliency < 0.06)
        assert np.array_equal(cues == VOID, claimed != 1)
        if len(classes) and h * w > 1:
            with pytest.raises(ValueError, match="finite"):
                seed_cues(
                    np.where(np.arange(h * w).reshape(h, w) == 0, np.nan, activations), saliency, classes
                )
