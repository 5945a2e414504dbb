"""Networks that several rooms compare with give what they gave when the reference runs were made."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segstudy.experiments.backbone_head import BackboneHead
from segstudy.experiments.iic import IICNet, PairedBatches, train_iic
from segstudy.papers.sgseg.training import Statistics

pytestmark = pytest.mark.usefixtures("one_thread")


def test_iic_trains_to_what_it_trained_to_in_paper_2_s_room():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) // 2 for _ in range(4)]
    for image in images:
        image[:, 8:] += 100
    known = Statistics.of(images)
    network = IICNet(3, widths=(4, 4, 8, 8), seed=0)
    losses = train_iic(network, PairedBatches(images, known, 2, 0), 3, 1e-2, seed=0).losses
    with torch.no_grad():
        shares = network.eval()(known.standardise(images)).mean(dim=(0, 2, 3))
    assert losses == pytest.approx([-1.965e-6, -1.9116e-4, -8.6359e-4], rel=1e-2)
    assert shares.tolist() == pytest.approx([0.3555, 0.3226, 0.3220], abs=1e-3)


def test_the_head_without_a_graph_gives_what_it_gave_in_paper_5_s_room():
    head = BackboneHead(3, backbone="timm:tf_efficientnet_lite0", weights="pretrained", seed=0).eval()
    with torch.no_grad():
        found = head(torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64))
    assert found.mean(dim=(0, 2, 3)).tolist() == pytest.approx([-7.42585, -2.50712, 0.45211], abs=1e-3)
