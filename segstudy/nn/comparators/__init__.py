"""The networks that SCG-Net is compared with: Table VI of Liu, Kampffmeyer, Jenssen, Salberg 2020.

Each is the configuration whose parameters and cost are the printed ones to the printed digit, which the networks of
their own papers are not always; the classes say what differs. `segstudy.nn.costs` counts both.
"""

from segstudy.nn.comparators.ddcm import DDCM
from segstudy.nn.comparators.duc import DUC
from segstudy.nn.comparators.fcn import FCN8s
from segstudy.nn.comparators.gcn import GCN
from segstudy.nn.comparators.pspnet import PSPNet
from segstudy.nn.comparators.segnet import SegNet
from segstudy.nn.unet_valid import UNetValid

# Row of the table (data/published/scgnet_table6.csv), in its order, and what builds the network: (num_classes,
# in_channels=3, *, seed=0). Its last row, SCG-GCN, is the paper's own network.
COMPARATORS = {
    "U-Net [8]": UNetValid,
    "FCN8s [7]": FCN8s,
    "SegNet [9]": SegNet,
    "GCN [12]": GCN,
    "PSPNet [10]": PSPNet,
    "DUC [11]": DUC,
    "DDCM-R50 [14]": DDCM,
}

__all__ = ["COMPARATORS", "DDCM", "DUC", "GCN", "FCN8s", "PSPNet", "SegNet", "UNetValid"]
