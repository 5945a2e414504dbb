"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


def find_data_root() -> Path | None:
    """Return the folder of real data: $SEGSTUDY_DATA, else data/, else shared/data beside the checkout, else None."""
    named = os.environ.get("SEGSTUDY_DATA")
    places = [Path(named)] if named else [ROOT / "data", ROOT.parent / "shared" / "data"]
    return next((place for place in places if (place / "fasseg").is_dir()), None)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Real data sets; a test that asks for them skips where they are absent."""
    root = find_data_root()
    if root is None:
        pytest.skip("no real data: set SEGSTUDY_DATA to a folder that holds fasseg/, voc/, emds5/, ph2/")
    return root


@pytest.fixture
def rng() -> np.random.Generator:
    """Randomness with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch on one thread, so that sums are added in one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest and mostly waits: at the end it would be alone on the machine."""
    first = [ROOT / "tests" / "cluster", ROOT / "tests" / "study"]
    items.sort(key=lambda item: next((i for i, f in enumerate(first) if f in item.path.parents), len(first)))
