"""What DINO's features are worth: nearest neighbours of the same class, and where the class token looks."""

from __future__ import annotations
import numpy as np, torch
from segstudy.papers.gnn_clustering.dino_vit import stack_pictures


@torch.no_grad()
def picture_features(model, images, batch=64):
    model.eval()
    out = [model.forward_features(p) for p in (stack_pictures(images) * 2 - 1).split(batch)]
    return torch.cat(out).numpy()


def knn_accuracy(a, ya, b, yb, k=5):
    from sklearn.neighbors import KNeighborsClassifier

    n = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-12)
    return float(KNeighborsClassifier(k).fit(n(a), ya).score(n(b), yb))
