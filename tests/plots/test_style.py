"""The style reaches figures, seaborn's too, and makes SVG files repeatable."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from segstudy.plots import CYCLE, use_style

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def styled():
    """The style, and matplotlib's own again afterwards."""
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        use_style()
        yield
    plt.close("all")


def test_saved_figures_have_the_stated_size_and_a_white_ground():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot([0, 1])
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    picture = plt.imread(file)
    assert picture.shape[:2] == (640, 1152)
    np.testing.assert_array_equal(picture[0, 0, :3], [1, 1, 1])


def test_lines_take_the_cycle():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    lines = [ax.plot([0, 1])[0] for _ in CYCLE]
    assert [to_hex(line.get_color()).upper() for line in lines] == list(CYCLE)


def test_seaborn_draws_with_the_cycle():
    seaborn = pytest.importorskip("seaborn")
    assert [to_hex(colour).upper() for colour in seaborn.color_palette()] == list(CYCLE)


def test_the_smallest_text_is_legible_on_a_phone():
    """A figure as wide as its column, on a page of 390 pixels."""
    scale = 390 / (matplotlib.rcParams["figure.figsize"][0] * matplotlib.rcParams["figure.dpi"])
    for name in ("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "axes.labelsize", "axes.titlesize"):
        assert matplotlib.rcParams[name] * matplotlib.rcParams["figure.dpi"] / 72 * scale > 8


def test_the_same_figure_gives_the_same_svg():
    import matplotlib.pyplot as plt

    def drawn():
        figure, ax = plt.subplots()
        ax.plot([0, 1])
        ax.fill_between([0, 1], [0, 1], hatch="/")
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()

    assert drawn() == drawn()
