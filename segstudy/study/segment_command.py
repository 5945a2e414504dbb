"""The command line's `segment`: label maps, overlays and one page for a user's own pictures."""

from __future__ import annotations

import argparse
import glob
import sys
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import numpy as np

from segstudy.datasets.files import listed
from segstudy.datasets.folder import SUFFIXES
from segstudy.errors import StudyError
from segstudy.experiments.images import methods as known
from segstudy.progress import track
from segstudy.segmenter import Segmenter

SEED = 0


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `segment METHOD PICTURE...` to the command line; see :func:`segment_pictures`."""
    parser = subparsers.add_parser(
        "segment",
        help="segment your own pictures",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Segment pictures of any size and format. DIR gets METHOD/labels/NAME.png (palette PNG: the\n"
        "values are the labels, at the picture's own size), METHOD/overlays/NAME.png, and index.html, one\n"
        "page that compares the methods. A picture that cannot be read is named, and the others go on\n"
        "(exit code 1).",
        epilog=f"{known.describe()}\n\nTimes are rough, of a photograph of 500 x 375 pixels on one core. "
        "Clusterings have numbered parts,\nnot classes. What needs a checkpoint takes it from --weights; "
        "`train --help` says how to make one.",
    )
    parser.add_argument(
        "method",
        metavar="METHOD",
        help="one, several as in otsu,ncut, or all: every one that needs nothing else",
    )
    parser.add_argument(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="a file, a folder, or a pattern such as 'photos/**/*.jpg'",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("segmented"), metavar="DIR", help="default: segmented"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        action="append",
        default=[],
        metavar="CHECKPOINT",
        help="a file that `train` made; may be repeated",
    )
    parser.add_argument(
        "--clusters",
        type=int,
        metavar="K",
        help="parts of a picture (default: 4, or the method's own number)",
    )
    parser.add_argument(
        "--soft", action="store_true", help="also METHOD/soft/NAME.npz: probabilities, (h, w, parts)"
    )
    parser.set_defaults(handler=segment_pictures)
    return parser


def segment_pictures(args: argparse.Namespace) -> int:
    """Segment the pictures; return 0, or 1 where one could not be read."""
    from segstudy.experiments.images import segmenting
    from segstudy.experiments.images.reading import read_picture
    from segstudy.files import write_bytes
    from segstudy.study.pictures_page import picture_source, render_pictures

    chosen = known.choose(args.method)
    if args.clusters is not None and not 2 <= args.clusters <= segmenting.DISTINCT:
        raise StudyError(
            f"--clusters {args.clusters}: from 2 to {segmenting.DISTINCT}, which have colours of their own"
        )
    cards, segmenters = _segmenters(chosen, args.weights, args.clusters)
    paths, refused = find_pictures(args.pictures)
    for text in refused:
        print(text, file=sys.stderr)
    _learn(chosen, segmenters, paths)
    shown, names = [], segmenting.distinct_names(paths)
    for path, name in track(list(zip(paths, names, strict=True)), "pictures"):
        try:
            image, note = read_picture(path)
        except StudyError as error:
            refused.append(str(error))
            print(error, file=sys.stderr)
            continue
        maps = [
            _map(path, name, image, method, segmenters[method], cards.get(method, {}), args)
            for method in chosen
        ]
        notes = " ".join(filter(None, (note, segmenting.size_note(image.shape[:2]))))
        size = {"height": image.shape[0], "width": image.shape[1]}
        shown.append({"name": path.name, "note": notes, "source": picture_source(image), "maps": maps} | size)
    if not shown:
        print("no picture was segmented", file=sys.stderr)
        return 1
    times = zip(*([found["seconds"] for found in picture["maps"]] for picture in shown), strict=True)
    facts = [_facts(method, list(taken)) for method, taken in zip(chosen, times, strict=True)]
    page = render_pictures(facts, shown, refused)
    write_bytes(args.output / "index.html", page.encode())
    print(f"{len(shown)} pictures, {len(chosen)} methods: {args.output / 'index.html'}")
    return 1 if refused else 0


def _map(
    path: Path,
    name: str,
    image: np.ndarray,
    method: str,
    segmenter: Segmenter,
    card: dict[str, Any],
    args: argparse.Namespace,
) -> dict[str, Any]:
    """Segment one picture by one method, write what it gives, and return what the page shows of it."""
    from segstudy.experiments.images import segmenting
    from segstudy.study.pictures_page import picture_source

    found = segmenting.segment_picture(segmenter, image, args.soft)
    painted = segmenting.write_segmentation(args.output / method, name, image, found)
    parts, title = _parts(found.labels, card.get("classes")), known.METHODS[method].title
    return {
        "title": title,
        "alt": f"{path.name} by {title}: " + ", ".join(f"{part['name']} {part['share']} %" for part in parts),
        "seconds": found.seconds,
        "source": picture_source(painted),
        "link": quote(f"{method}/labels/{name}.png"),
        "parts": parts,
    }


def find_pictures(texts: list[str]) -> tuple[list[Path], list[str]]:
    """Return the files that the arguments name, each once, and a sentence for each argument that names none.

    Parameters
    ----------
    texts : list of str
        Files, folders (their pictures, by suffix) and glob patterns, in which ``**`` is any folders.
    """
    found: dict[Path, Path] = {}
    refused = []
    for text in texts:
        path = Path(text)
        if path.is_dir():
            paths = [file for file in listed(path) if file.suffix.lower() in SUFFIXES]
            problem = f"{path} holds no picture ({', '.join(SUFFIXES)})"
        elif path.exists():
            paths = [path]
        else:
            paths = [Path(name) for name in sorted(glob.glob(text, recursive=True)) if Path(name).is_file()]
            problem = f"{text} is no file, no folder, and no pattern that a file fits"
        if not paths:
            refused.append(problem)
        for file in paths:
            found.setdefault(file.resolve(), file)
    return list(found.values()), refused


def _segmenters(
    chosen: list[str], weights: list[Path], clusters: int | None
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the cards of the checkpoints, by method, and a segmenter for each method."""
    from segstudy.experiments.images.checkpoints import load_segmenter

    cards, segmenters = {}, {}
    for path in weights:
        card, segmenter = load_segmenter(path)
        method = card["method"]
        if method not in chosen:
            raise StudyError(f"--weights {path} is of {method}, but METHOD names {', '.join(chosen)}")
        if method in cards:
            raise StudyError(f"--weights {path}: a checkpoint of {method} was given before")
        cards[method], segmenters[method] = card, segmenter
    built = {name: known.build(name, clusters, SEED) for name in chosen if name not in cards}
    return cards, segmenters | built


def _learn(chosen: list[str], segmenters: dict[str, Any], paths: list[Path]) -> None:
    """Fit the methods that learn from the pictures themselves to those that can be read."""
    from segstudy.experiments.images.segmenting import readable_samples

    learners = [name for name in chosen if known.METHODS[name].learns]
    samples = readable_samples(paths) if learners else []
    for name in learners:
        if len(samples) < 2:
            raise StudyError(
                f"{name} learns from the pictures: give at least 2 that can be read, got {len(samples)}"
            )
        segmenters[name].fit(samples)


def _parts(labels: np.ndarray, classes: list[str] | None) -> list[dict[str, Any]]:
    """Return name, colour and share in percent of each label that a map shows, the largest first."""
    from segstudy.experiments.images.segmenting import shown_colours

    counts = np.bincount(labels.ravel())
    colours = shown_colours(len(counts))
    order = [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]
    return [
        {
            "name": classes[label] if classes else f"part {label}",
            "colour": "#" + bytes(colours[label].tolist()).hex(),
            "share": round(100 * float(counts[label]) / labels.size),
        }
        for label in order
    ]


def _facts(name: str, seconds: list[float]) -> dict[str, Any]:
    """Return a method's row of the page's table."""
    method = known.METHODS[name]
    return {"title": method.title, "told": method.told, "weights": method.needs, "seconds": median(seconds)}
