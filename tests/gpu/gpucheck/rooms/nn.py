"""What several papers use."""

from gpucheck.compare import Case, pictures
from segstudy.nn import UNet, backbone

NOISE = "with statistics of a few values bfloat16's rounding outweighs the gradient, on any device"


def unet(training: bool = False) -> Case:
    """The sides are no multiple of 16: the pictures are continued by reflection."""
    return Case((pictures(2, 40),), UNet(3, 5, 4).train(training), exact=NOISE if training else "")


def trunk(name: str) -> Case:
    """A network of a library, from random weights."""
    return Case((pictures(2, 64),), backbone(name, stages=(8, 16)).eval())


NETWORKS = {
    "UNet": unet,
    "UNet, in training": lambda: unet(training=True),
    "backbone, torchvision:resnet18": lambda: trunk("torchvision:resnet18"),
    "backbone, timm:tf_efficientnet_lite0": lambda: trunk("timm:tf_efficientnet_lite0"),
}
LOSSES = {}
IN_NUMPY = "works on arrays; its networks are those of backbone"
LEFT_OUT = {
    "Backbone": "what backbone makes",
    "PatchFeatures": IN_NUMPY,
    "centre_features": IN_NUMPY,
    "patch_features": IN_NUMPY,
    "predict_probabilities": "the softmax of a network's outputs",
    "reduce_features": IN_NUMPY,
    "unit_features": IN_NUMPY,
}
