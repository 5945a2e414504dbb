"""`segment` as a user calls it: files, folders, patterns, broken files among them; one page that asks for nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from segstudy.study import cli
from segstudy.study.segment_command import find_pictures

ODD = '<b>&"odd" name.png'


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Make a folder of four pictures and three files that are none, and work in the folder above it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one.jpg", "two.png", ODD):
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(folder / name)
    Image.fromarray(np.eye(3, 2, dtype=np.uint8) * 255).save(folder / "tiny.png")
    (folder / "broken.png").write_bytes((folder / "two.png").read_bytes()[:900])
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("not looked at")
    return folder


def outputs(folder: Path, kind: str) -> list[str]:
    return sorted(path.name for path in (folder / kind).iterdir())


def test_a_folder_is_segmented_and_what_cannot_be_read_is_named(photos, capsys):
    assert cli.main(["segment", "otsu,kmeans", "photos", "nowhere.png", "--output", "out"]) == 1
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.err.splitlines() if line.strip()] == [
        "nowhere.png",
        "photos/broken.png",
        "photos/empty.jpg",
    ]
    assert "4 pictures, 2 methods" in said.out
    expected = sorted([ODD, "one.png", "tiny.png", "two.png"])
    for method in ("otsu", "kmeans"):
        assert (
            outputs(Path("out") / method, "labels") == outputs(Path("out") / method, "overlays") == expected
        )
    assert Image.open("out/otsu/labels/tiny.png").size == (2, 3)
    assert not list(Path("out").rglob("*.npz"))


def test_the_page_asks_for_nothing_and_every_name_is_escaped(photos):
    cli.main(["segment", "otsu", "photos", "--output", "out"])
    page = Path("out/index.html").read_text()
    assert "<b>" not in page and "&lt;b&gt;&amp;&#34;odd&#34; name.png" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page) and "default-src 'none'" in unescape(page)
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) == 8 and all(re.search(r'alt="[^"]+"', image) for image in images)
    assert all('src="data:image/jpeg' in image for image in images)
    for link in re.findall(r'href="(otsu/[^"]+)"', page):
        assert (Path("out") / unquote(link)).is_file()
    assert "broken.png cannot be read" in page and "enlarged from 2 x 3" in page


def test_all_well_is_0_and_soft_maps_come_on_request(photos):
    assert cli.main(["segment", "otsu", "photos/one.jpg", "--soft"]) == 0
    soft = np.load("segmented/otsu/soft/one.npz")["probabilities"]
    assert soft.shape == (40, 50, 2)
    np.testing.assert_array_equal(
        soft.argmax(axis=2), np.asarray(Image.open("segmented/otsu/labels/one.png"))
    )


def test_two_pictures_of_one_stem_do_not_overwrite_one_another(photos):
    other = photos.parent / "other"
    other.mkdir()
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(other / "two.jpg")
    assert cli.main(["segment", "otsu", "photos/two.png", "other/two.jpg"]) == 0
    sizes = {path.name: Image.open(path).size for path in Path("segmented/otsu/labels").iterdir()}
    assert sizes == {"two.png": (50, 40), "two-2.png": (9, 8)}


def test_a_picture_that_is_named_twice_is_taken_once(photos):
    found, refused = find_pictures(["photos/one.jpg", "photos", "phot*/*.jpg", "**/one.*"])
    assert [path.name for path in found].count("one.jpg") == 1 and not refused
    assert "notes.txt" not in {path.name for path in found}


def test_nothing_that_can_be_read_leaves_no_page(photos, capsys):
    assert cli.main(["segment", "otsu", "photos/empty.jpg"]) == 1
    assert not Path("segmented").exists() and "no picture was segmented" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (["segment", "ostu", "photos"], "did you mean 'otsu'"),
        (["segment", ",", "photos"], "name one or more of"),
        (["segment", "unet", "photos"], "segstudy train unet FOLDER"),
        (["segment", "kmeans", "photos", "--clusters", "1"], "--clusters 1: from 2"),
        (["segment", "unet", "photos", "--weights", "none.pt"], "none.pt is missing"),
        (["segment", "unet", "photos", "--weights", "photos/two.png"], "no checkpoint"),
        (["segment", "sgseg", "photos/one.jpg"], "at least 2"),
    ],
)
def test_what_a_user_can_put_right_is_said_and_ends_with_2(photos, capsys, words, said):
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err


def test_the_help_says_of_every_method_what_it_needs_and_does_not_wait_for_torch():
    code = "import sys; from segstudy.study import cli\ntry:\n cli.main(['segment', '--help'])\n"
    code += "finally:\n print('loaded', sorted({'torch', 'sklearn', 'matplotlib'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    from segstudy.experiments.images.methods import METHODS

    for name, method in METHODS.items():
        assert re.search(
            rf"^{name} +{re.escape(method.told)} +{re.escape(method.needs)}", done.stdout, re.M
        ), name
    assert "loaded []" in done.stdout
