"""Fixtures of the study's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from toy import Toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """A toy study in a folder of its own."""
    return Toy(tmp_path / "toy")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A toy study whose smoke reports stand; tests that change it put it back."""
    toy = Toy(tmp_path_factory.mktemp("study") / "toy")
    done = toy.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return toy


@pytest.fixture(scope="session")
def smoke_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept results that the smoke runs of notebooks and of scripts share, in all worker processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke-results"
    folder.mkdir(exist_ok=True)
    return folder
