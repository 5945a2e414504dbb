"""`train` as a user calls it: a checkpoint with its card, and what `segment` makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudy.study import cli
from segstudy.study.train_command import card_lines


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part in ("images", "masks"):
        Path("own", part).mkdir(parents=True)
    for index in range(4):
        labels = np.zeros((32, 40), np.uint8)
        labels[:, 10 * index : 10 * index + 10] = 1 + index % 2
        Image.fromarray(np.stack([100 * labels] * 3, axis=2)).save(f"own/images/{index}.png")
        Image.fromarray(labels).save(f"own/masks/{index}.png")
    Path("own/labels.csv").write_text("background\ndark\nlight\n")
    return Path("own")


def test_what_is_trained_segments(folder, capsys):
    assert cli.main(["train", "unet", "own", "--output", "a.pt", "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    assert "classes: background, dark, light" in said and "(n = 1 pictures held out)" in said
    assert cli.main(["segment", "unet,otsu", "own/images", "--weights", "a.pt", "--output", "out"]) == 0
    assert np.asarray(Image.open("out/unet/labels/0.png")).max() <= 2
    page = Path("out/index.html").read_text()
    assert any(f"{name} " in page for name in ("background", "dark", "light")) and "part 0" in page


def test_weights_of_another_method_are_refused(folder, capsys):
    cli.main(["train", "unet", "own", "--output", "a.pt", "--epochs", "1"])
    assert cli.main(["segment", "otsu", "own/images", "--weights", "a.pt"]) == 2
    assert "a.pt is of unet, but METHOD names otsu" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        (["unet", "nowhere"], "nowhere has no masks/"),
        (["unet", "own", "--epochs", "0"], "--epochs 0"),
        (["unet", "own", "--seed", "-1"], "--seed -1"),
        (["ncut", "own"], "not trained on labels"),
        (["unet", "own", "--device", "gpu"], "cannot be trained on own"),
    ],
)
def test_what_a_user_can_put_right_is_said(folder, capsys, words, said):
    assert cli.main(["train", *words, "--output", "a.pt"]) == 2
    assert said in capsys.readouterr().err and not Path("a.pt").exists()


def test_a_card_tells_what_was_not_run():
    data = {"pictures": 9, "held out": ["a", "b"], "fingerprint": "f" * 64}
    card = {"method": "dgcn", "epochs": 8, "seed": 0, "classes": ["a", "b"], "data": data, "scores": None}
    assert card_lines(card)[-1].startswith("scores: not run")
    scores = {"measure": "IoU", "mean": 0.5, "std": 0.25, "n": 2}
    assert card_lines(card | {"scores": scores})[-1] == "IoU: 0.500 ± 0.250 (n = 2 pictures held out)"
