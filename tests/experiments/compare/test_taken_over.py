"""Networks of the papers' own notebooks on 06's test pictures: their card, and scores by hand."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from segstudy.cache import Experiment
from segstudy.experiments.compare import pictures
from segstudy.experiments.compare.methods import METHODS, UNET
from segstudy.experiments.compare.pictures import task_of
from segstudy.experiments.compare.refinements import PLAIN
from segstudy.experiments.compare.taken_over import judge_own, own_cards, own_table
from segstudy.experiments.compare.trials import CLASSES, score
from segstudy.experiments.kept import KeptNetwork, Taken
from segstudy.experiments.parts import open_part

TASK: dict[str, Any] = {
    "name": "objects",
    "train": "objects/train",
    "test": "objects/val",
    "images": 4,
    "tested": 4,
    "longest": 40,
    "clusters": 2,
    "told": ["nothing", "all masks"],
}
SEEN = [sample.name for sample in open_part("objects/val", 4)][:1]


class Known:
    """Says the truth of the pictures as large as they are, or 0 for all."""

    supervision: ClassVar[str] = "full"

    def __init__(self, right: bool, outputs: str = "classes") -> None:
        self.outputs = outputs
        part = open_part("objects/val", 4) if right else ()
        self.truths = {sample.image.tobytes(): sample.labels for sample in part}

    def segment(self, image: np.ndarray) -> np.ndarray:
        assert max(image.shape) > 40, "it sees pictures that are not shrunk"
        return self.truths[image.tobytes()] if self.truths else np.zeros(image.shape[:2], int)


def taken(method: str, seed: int, right: bool, learned_from: str = "objects/train", **seen: Any) -> Taken:
    job = Experiment(score, {"seed": seed})
    network = KeptNetwork(method, job, learned_from, "IoU", lambda v: v["score"], lambda v: Known(right))
    value = {"seen": {learned_from: ["a", "b", "c"], "objects/val": SEEN}, "score": 0.5 + seed}
    return Taken("01_toy", network, value)


def here(*seeds: int) -> list[dict[str, Any]]:
    """Return runs of a method that says 0 for all."""
    samples = pictures.test_samples(task_of(TASK))
    maps = [np.zeros(sample.size, int) for sample in samples]
    scores = score(samples, maps, len(open_part("objects/val").classes), CLASSES)
    return [{"scores": {PLAIN: {CLASSES: scores}}} for _ in seeds]


def test_a_network_is_judged_at_the_size_of_the_task_on_pictures_that_it_never_saw():
    own = judge_own(TASK, [taken(UNET, 0, True), taken(UNET, 1, True)], METHODS)
    assert own.judged == [1, 2, 3]
    assert list(own.runs) == [UNET] and len(own.runs[UNET]) == 2
    ious = own.runs[UNET][0]["scores"][PLAIN][CLASSES]["IoU"]
    assert ious == pytest.approx(np.ones(3)), "the truth, shrunk as the task's truth is"


def test_networks_of_other_data_and_of_methods_that_did_not_run_are_left_out():
    elsewhere = taken(UNET, 0, True, learned_from="faces/train")
    assert judge_own(TASK, [elsewhere], METHODS).runs == {}
    assert judge_own(TASK, [taken(UNET, 0, True)], ["k-means"]).runs == {}
    assert judge_own(TASK, [], METHODS).judged == [0, 1, 2, 3]


def test_the_card_says_what_a_network_learned_from_and_what_it_gains():
    runs = {"objects": {UNET: here(0, 1, 2)}}
    own = {"objects": judge_own(TASK, [taken(UNET, 0, True), taken(UNET, 2, False)], METHODS)}
    (card,) = own_cards(own).to_dict("records")
    assert (card["task"], card["method"], card["trained in"]) == ("objects", UNET, "01")
    assert (card["learned from"], card["pictures"], card["seeds"]) == ("objects/train", 3, 2)
    assert card["score"] == pytest.approx(1.5) and card["std"] == pytest.approx(2**0.5)
    (row,) = own_table(own, runs, [0, 1, 2]).to_dict("records")
    assert (row["task"], row["method"], row["judged"], row["seeds"]) == ("objects", UNET, 3, 2)
    empty = runs["objects"][UNET][0]["scores"][PLAIN][CLASSES]["IoU"][1:].mean()
    assert row["IoU, trained here"] == pytest.approx(empty)
    assert row["IoU"] == pytest.approx((1 + empty) / 2)
    assert row["gain in IoU"] == pytest.approx((1 - empty) / 2)
    assert own_table({"objects": judge_own(TASK, [], METHODS)}, runs, [0]).empty


def test_where_every_test_picture_was_seen_there_is_nothing_to_judge():
    one = taken(UNET, 0, True)
    one.value["seen"]["objects/val"] = [sample.name for sample in open_part("objects/val")]
    own = {"objects": judge_own(TASK, [one], METHODS)}
    assert own["objects"].runs == {} and own_cards(own).empty


def test_a_square_is_its_picture_s_where_that_was_seen():
    task = TASK | {"patch": 48, "tested": 0}
    own = judge_own(task, [taken(UNET, 0, False)], METHODS)
    names = [sample.name for sample in pictures.test_samples(task_of(task))]
    assert {names[i].rsplit(", ", 2)[0] for i in own.judged}.isdisjoint(SEEN)
    assert 0 < len(own.judged) < len(names)
