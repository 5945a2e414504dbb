"""Importing the scores costs numpy alone."""

from __future__ import annotations

import subprocess
import sys


def test_importing_metrics_loads_numpy_alone():
    heavy = (
        "[m for m in ('torch', 'scipy', 'matplotlib', 'pandas', 'sklearn', 'skimage') if m in sys.modules]"
    )
    modules = "segstudy.metrics, segstudy.segmenter, segstudy.experiments.published, segstudy.plots"
    code = f"import sys, {modules}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
