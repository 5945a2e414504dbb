"""What importing the graph and baseline rooms drags in."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("room", ["segstudy.graphs", "segstudy.baselines"])
def test_heavy_and_rare_packages_wait(room):
    code = f"import sys, {room}; print([m for m in ('torch', 'maxflow', 'matplotlib') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_docstring_examples_hold():
    import doctest
    import importlib

    import numpy as np

    for name in ("otsu", "graph_cut", "normalised_cut"):
        module = importlib.import_module(f"segstudy.baselines.{name}")
        result = doctest.testmod(module, extraglobs={"np": np})
        assert result.attempted > 0 and result.failed == 0
