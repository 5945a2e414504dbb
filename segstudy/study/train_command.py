"""The command line's `train`: a network from a user's own labelled pictures, as a checkpoint for `segment`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from segstudy.errors import StudyError

_FOLDER = """\
FOLDER has
  images/NAME.png ...  pictures of any size
  masks/NAME.png ...   U-Net, SCG-Net: a mask for each, PNG, of ids (grey or palette) or colours; 255 is not scored
  annotations.json     in place of masks/: outlines of COCO; or images/NAME.json beside each picture, of Labelme;
                       or panoptic.json with panoptic/NAME.png, segments of COCO
  classes.csv          DGCN: a row for each picture, its name and the classes it shows; without it they are taken
                       from the masks
  labels.csv           the classes in the order of the ids, a row each: a name, or a name and its red, green, blue
                       in the masks; needed for colours, and where there are both masks/ and classes.csv

A fifth of the pictures, at least one, is held out and scored (where there are masks); the card in the checkpoint says
which, and with what spread.

METHOD   learns from             rough time of 20 pictures on 2 cores
unet     masks                   10 minutes (60 epochs)
scgnet   masks                   10 minutes (20 epochs)
dgcn     classes of each picture 5 minutes (8 epochs)
"""


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `train METHOD FOLDER --output CHECKPOINT` to the command line; see :func:`train`."""
    parser = subparsers.add_parser(
        "train",
        help="train a network on your own labelled pictures",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train a network on a folder of labelled pictures; `segment` takes the checkpoint.",
        epilog=_FOLDER,
    )
    parser.add_argument("method", metavar="METHOD", help="unet, scgnet or dgcn")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder that holds images/")
    parser.add_argument("--output", type=Path, required=True, metavar="CHECKPOINT", help="the file to write")
    parser.add_argument("--epochs", type=int, metavar="N", help="default: by the method, below")
    parser.add_argument("--device", default="cpu", metavar="D", help="as torch names it: cpu (default), cuda")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default: 0")
    parser.set_defaults(handler=train)
    return parser


def train(args: argparse.Namespace) -> int:
    """Train, write the checkpoint, and print its card."""
    from segstudy.experiments.images.checkpoints import save_checkpoint
    from segstudy.experiments.images.training import train_on_folder

    if args.epochs is not None and args.epochs < 1:
        raise StudyError(f"--epochs {args.epochs}: at least 1")
    if args.seed < 0:
        raise StudyError(f"--seed {args.seed}: 0 or more")
    try:
        card, state = train_on_folder(args.method, args.folder, args.epochs, args.seed, args.device)
    except (ValueError, FloatingPointError, RuntimeError) as error:
        raise StudyError(f"{args.method} cannot be trained on {args.folder}: {error}") from error
    save_checkpoint(args.output, card, state)
    print("\n".join(card_lines(card)))
    print(f"segment with it: python -m segstudy segment {args.method} PICTURE... --weights {args.output}")
    return 0


def card_lines(card: dict[str, Any]) -> list[str]:
    """Return a checkpoint's card as lines of text."""
    data, scores = card["data"], card["scores"]
    lines = [f"{card['method']}, {card['epochs']} epochs, seed {card['seed']}"]
    lines.append(f"classes: {', '.join(card['classes'])}")
    lines.append(
        f"data: {data['pictures']} pictures, {len(data['held out'])} held out, {data['fingerprint'][:12]}"
    )
    if scores is None:
        return [*lines, "scores: not run (there are no masks to score against)"]
    spread = "" if scores["std"] is None else f" ± {scores['std']:.3f}"
    return [
        *lines,
        f"{scores['measure']}: {scores['mean']:.3f}{spread} (n = {scores['n']} pictures held out)",
    ]
