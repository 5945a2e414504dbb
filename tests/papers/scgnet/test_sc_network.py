"""SCG-Net as a whole: the printed sizes, the seven variants, any backbone and number of bands, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from segstudy.experiments import published
from segstudy.nn.costs import honest_flops, published_flops
from segstudy.papers.scgnet import VARIANTS, SCGNet
from segstudy.papers.scgnet.network import Prediction

SMALL = {"backbone": "torchvision:squeezenet1_1"}


@pytest.fixture(autouse=True)
def few_threads():
    torch.set_num_threads(1)


def count(model):
    return sum(p.numel() for p in model.parameters())


def pictures(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_printed_number_of_parameters():
    assert count(SCGNet(6)) == 8_736_978
    assert round(count(SCGNet(6)) / 1e6, 2) == published.lookup(
        "scgnet_table6", "SCG-GCN", "Parameters (Million)"
    )


@pytest.mark.parametrize(
    ("side", "printed"), [(256, "256 × 256 × 3"), (448, "448 × 448 × 3"), (512, "512 × 512 × 3")]
)
def test_the_printed_flops_of_table_8(side, printed):
    expected = published.lookup("scgnet_table8", printed, "GFLOPs")
    found = published_flops(SCGNet(6), (3, side, side)) / 1e9
    assert round(found, 2 if side == 256 else 1) == expected


def test_the_printed_flops_that_no_convention_gives():
    """39.4 G are printed for 768 x 768 pixels; the convention of all other figures gives 39.341."""
    assert published_flops(SCGNet(6), (3, 768, 768)) / 1e9 == pytest.approx(39.341, abs=5e-4)
    assert published.lookup("scgnet_table8", "768 × 768 × 3", "GFLOPs") == 39.4


def test_the_flops_of_table_6_are_those_of_28_by_28_nodes():
    found = published_flops(SCGNet(6, nodes=(28, 28)), (3, 256, 256)) / 1e9
    assert found == pytest.approx(4.4735, abs=5e-5)
    assert round(found, 2) == published.lookup("scgnet_table6", "SCG-GCN", "FLOPs (Giga)")


def test_the_honest_count_holds_the_graphs_products():
    """A(XW) for 784 nodes: 4.519 G multiply-adds, ZZ^T and two products with A among them."""
    found = honest_flops(SCGNet(6, nodes=(28, 28)), (3, 256, 256)) / 1e9
    assert found == pytest.approx(4.5189, abs=5e-4)


@pytest.mark.parametrize(("options", "millions"), [({"hidden": 64}, 8.671), ({"hidden": 256}, 8.869)])
def test_other_widths_have_other_numbers(options, millions):
    assert round(count(SCGNet(6, **options)) / 1e6, 3) == millions


def test_the_number_of_nodes_does_not_change_the_parameters():
    assert len({count(SCGNet(6, nodes=nodes, **SMALL)) for nodes in (None, (4, 4), (28, 28))}) == 1


def test_the_variants_are_those_of_table_3():
    printed = published.table("scgnet_table3")
    assert list(VARIANTS) == list(printed["SCG-Net Variants"])
    for _, row in printed.iterrows():
        options = VARIANTS[row["SCG-Net Variants"]]
        kind = {"SCG": "vae", "SCG_ae": "ae", "SCG_dir": "directed"}[row["SCG Layer"]]
        assert options.get("scg", "vae") == kind
        assert options.get("gnn", ("gcn", "gcn")) == (row["GNN1"].lower(), row["GNN2"].lower())
        assert options.get("residual", True) == (row["Sum(opt)"] == "✓")


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_labels_and_learns(name):
    model = SCGNet(6, **SMALL, **VARIANTS[name]).train()
    images = pictures(2, 3, 64, 80)
    found = model(images)
    assert isinstance(found, Prediction) and found.logits.shape == (2, 6, 64, 80)
    (
        F.cross_entropy(found.logits, torch.zeros(2, 64, 80, dtype=torch.long)) + found.kl + found.diagonal
    ).backward()
    unused = [n for n, p in model.named_parameters() if p.grad is None]
    assert not unused
    assert model.eval()(images).shape == (2, 6, 64, 80)


def test_the_forward_pass_step_by_step():
    """Backbone, graph, two layers, sum, enlargement: each as Table II lists them."""
    model, images = SCGNet(4, hidden=8, **SMALL).eval(), pictures(1, 3, 64, 64)
    with torch.no_grad():
        features = model.backbone(images)
        made = model.scg(features)
        hidden = model.gnn[0](made.graph, made.nodes)
        norm = model.norms[0]
        hidden = (hidden - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        logits = model.gnn[1](made.graph, hidden.clamp(min=0)) + made.residual
        rows, columns = features.shape[2:]
        maps = torch.stack([logits[0, :, j].reshape(rows, columns) for j in range(4)])[None]
        expected = F.interpolate(maps, (64, 64), mode="bilinear")
        assert torch.allclose(model(images), expected, atol=1e-5)


def test_without_the_residual_the_logits_are_the_last_layers():
    images = pictures(1, 3, 64, 64)
    one, other = (SCGNet(4, residual=residual, **SMALL).eval() for residual in (True, False))
    with torch.no_grad():
        made = one.construct(images)
        difference = one.propagate(made)[-1] - other.propagate(made)[-1]
        assert torch.allclose(difference, made.residual, atol=1e-5)


@pytest.mark.parametrize(
    ("bands", "name"), [(4, "torchvision:squeezenet1_1"), (3, "timm:resnet10t"), (4, "resnet18")]
)
def test_any_backbone_and_number_of_bands(bands, name):
    model = SCGNet(3, bands, backbone=name).eval()
    assert model(pictures(1, bands, 48, 64)).shape == (1, 3, 48, 64)


def test_sizes_that_the_stride_does_not_divide():
    assert SCGNet(3, **SMALL).eval()(pictures(1, 3, 37, 75)).shape == (1, 3, 37, 75)


def test_deeper_networks_and_attention():
    model = SCGNet(3, gnn=("gcn", "gin", "gat"), hidden=8, **SMALL).eval()
    widths = [f.shape[-1] for f in model.propagate(model.construct(pictures(1, 3, 64, 64)))]
    assert widths == [8, 8, 3] and len(model.norms) == 2


def test_weights_follow_the_seed_and_leave_the_global_state():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, again, other = (SCGNet(3, seed=seed, **SMALL) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.scg.mean.weight, other.scg.mean.weight)


def test_bfloat16_agrees_with_float32():
    model, images = SCGNet(4, **SMALL).eval(), pictures(1, 3, 64, 64)
    with torch.no_grad():
        exact = model(images)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(images)
    assert (rough.float() - exact).abs().max() < 0.05 * exact.abs().max() + 0.02


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((1, 3, 8, 64), ValueError, "at least 16 x 16"),
        ((1, 4, 64, 64), ValueError, r"\(B, 3, H, W\)"),
        ((3, 64, 64), ValueError, r"\(B, 3, H, W\)"),
    ],
)
def test_bad_pictures(shape, error, message):
    with pytest.raises(error, match=message):
        SCGNet(3, **SMALL).eval()(torch.rand(shape))
    with pytest.raises(TypeError, match="floating point"):
        SCGNet(3, **SMALL).eval()(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gnn": "gcn"}, "gnn must be"),
        ({"gnn": ()}, "gnn must be"),
        ({"gnn": ("gcn", "sage")}, "gnn must be"),
        ({"hidden": 0}, "hidden must be"),
        ({"scg": "vgae"}, "kind must be"),
        ({"backbone": "resnet51"}, "knows no model"),
        ({"in_channels": 2}, "in_channels must be"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        SCGNet(3, **(SMALL | options))
