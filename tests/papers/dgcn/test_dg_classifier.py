"""The classifier's pooling and its activation maps, on maps whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segstudy.papers.dgcn.classifier import ClassifierHead, class_activation_maps, pool_top
from segstudy.papers.dgcn.maps import resize_to_last


class Colours(nn.Module):
    """A trunk whose maps are the picture and its half: what lies where is known."""

    def forward(self, images):
        return [images, nn.functional.avg_pool2d(images, 2)]


def test_scores_are_a_linear_layer_after_global_average_pooling():
    head = ClassifierHead(6, 4, hidden=5).eval()
    maps = [torch.randn(2, 3, 8, 8), torch.randn(2, 3, 4, 4)]
    adapted = head.adaptation(torch.cat(resize_to_last(maps), dim=1)).mean(dim=(2, 3))
    expected = nn.functional.linear(adapted, head.score.weight[:, :, 0, 0], head.score.bias)
    torch.testing.assert_close(head(maps), expected)


def test_the_highest_quarter_by_hand():
    maps = torch.arange(8.0).view(1, 1, 2, 4)
    assert pool_top(maps).item() == 6.5  # of 6 and 7
    assert pool_top(torch.tensor([[[[3.0]]]])).item() == 3.0


def trained_by_hand() -> ClassifierHead:
    """Return a head whose first object is red and whose second is blue."""
    head = ClassifierHead(6, 2, hidden=2).eval()
    with torch.no_grad():
        head.adaptation[0].weight.zero_()
        head.adaptation[0].weight[0, 0] = head.adaptation[0].weight[1, 2] = 1.0
        head.score.weight.copy_(torch.eye(2)[:, :, None, None])
        head.score.bias.fill_(-0.1)
    return head


@pytest.mark.parametrize("scales", [(1.0,), (1.0, 0.5), (0.5, 1.5)])
@pytest.mark.parametrize("mirror", [False, True])
def test_maps_lie_on_what_the_class_is_and_stay_in_range(scales, mirror):
    image = torch.zeros(3, 16, 24)
    image[0, 2:10, 2:8] = 1.0
    maps = class_activation_maps(image, Colours(), trained_by_hand(), scales=scales, mirror=mirror)
    assert maps.shape == (2, round(8 * scales[0]), round(12 * scales[0]))
    red = nn.functional.interpolate(maps[None], (16, 24), mode="nearest")[0, 0]
    # 0.8: half-size pictures blur a square of 8 x 6 pixels
    assert red[4:8, 4:6].min() > 0.8 and red[:, 14:].max() < 0.05
    assert maps[1].max() == 0  # no blue: evidence against it counts as none


def test_a_mirror_image_has_mirrored_maps():
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    head = ClassifierHead(6, 3, hidden=8, seed=1).eval()
    maps, turned = (class_activation_maps(view, Colours(), head) for view in (image, image.flip(2)))
    torch.testing.assert_close(turned.flip(2), maps)


def test_first_weights_follow_the_seed_alone():
    a, b, c = (ClassifierHead(3, 2, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(a.score.weight, b.score.weight) and not torch.equal(a.score.weight, c.score.weight)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="pooling"):
        ClassifierHead(3, 2, pooling="max")
    with pytest.raises(ValueError, match="objects"):
        ClassifierHead(3, 0)
    with pytest.raises(ValueError, match="image"):
        class_activation_maps(torch.zeros(1, 3, 4, 4), Colours(), trained_by_hand())
    with pytest.raises(ValueError, match="scales"):
        class_activation_maps(torch.zeros(3, 4, 4), Colours(), trained_by_hand(), scales=())
