"""Fixtures of the study's tests."""

from __future__ import annotations

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
