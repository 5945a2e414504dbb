"""The command line's `data`: which data sets there are, what each one is, and fetching them."""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import sys
import textwrap
from pathlib import Path

from segstudy import datasets
from segstudy.datasets import Card
from segstudy.errors import MissingData, StudyError

_GAP = "  "  # between two columns
_NARROWEST = 20  # characters of a wrapped column, however narrow the terminal is


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `data list`, `data info NAME` and `data download NAME` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        What `ArgumentParser.add_subparsers` returned. Each command sets `handler`, a function that takes the
        parsed arguments and returns the exit code.

    Returns
    -------
    argparse.ArgumentParser
        The parser of `data`.
    """
    parser = subparsers.add_parser(
        "data", help="list, describe and fetch data sets", description="List, describe and fetch data sets."
    )
    parser.set_defaults(handler=lambda args: _print_help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    about = "print every data set: its name, whether it is under DIR, how many pictures, what they show"
    listing = commands.add_parser("list", help=about, description=about)
    listing.set_defaults(handler=list_data)
    about = "print a data set's card: contents, licence, citation, layout, and how to get it"
    info = commands.add_parser("info", help=about, description=about)
    info.set_defaults(handler=show_card)
    about = "fetch a data set into DIR/NAME; run it again after an interruption and it goes on from there"
    fetch = commands.add_parser("download", help=about, description=about)
    fetch.set_defaults(handler=fetch_data)
    for command in (info, fetch):
        command.add_argument("name", metavar="NAME", help="a name that `data list` prints")
    for command in (listing, fetch):
        command.add_argument(
            "--root",
            metavar="DIR",
            help="the folder of all data sets (default: $SEGSTUDY_DATA, else this checkout's data)",
        )
    return parser


def list_data(args: argparse.Namespace) -> int:
    """Print a table of all data sets; `args.root` is the folder they are looked for in."""
    root = datasets.data_root(args.root)
    rows = [("name", "here", "how many", "what")]
    rows += [(card.name, presence(card, root), card.how_many, card.what) for card in all_cards()]
    print(f"data sets, looked for under {root}")
    print(table(rows, shutil.get_terminal_size((110, 24)).columns))
    return 0


def show_card(args: argparse.Namespace) -> int:
    """Print the card of `args.name`."""
    print(find_card(args.name).text())
    return 0


def fetch_data(args: argparse.Namespace) -> int:
    """Fetch `args.name` into the folder `args.root` and print where it is."""
    from segstudy.datasets.downloads import download

    card = find_card(args.name)
    try:
        print(download(card, datasets.data_root(args.root)))
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130  # what a shell reports for a command that Ctrl-C ended
    return 0


def all_cards() -> list[Card]:
    """Return the cards of all registered data sets."""
    return [datasets.card(name) for name in datasets.dataset_names()]


def find_card(name: str) -> Card:
    """Return the card of a name; a StudyError offers the nearest where there is none."""
    try:
        return datasets.card(name)
    except ValueError as error:
        raise StudyError(f"{error}") from error


def presence(card: Card, root: Path) -> str:
    """Return how many pictures are found ("311 of 1464", "yes"), "no" where none, "damaged" where unreadable."""
    try:
        found = datasets.open_dataset(card.name, root, supervision="none")
    except MissingData:
        return "no"
    except StudyError:
        return "damaged"
    counted = re.match(r"\d+ of \d+", found.note)
    return counted.group() if counted else "yes"


def table(rows: list[tuple[str, str, str, str]], width: int) -> str:
    """Return rows as text in aligned columns, the last two wrapped to share what `width` characters leave."""
    short = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:2]]
    half = max(_NARROWEST, (width - sum(short) - 3 * len(_GAP)) // 2)
    lines = []
    for name, here, *texts in rows:
        cells = [[name], [here], *(textwrap.wrap(text, half) for text in texts)]
        for line in itertools.zip_longest(*cells, fillvalue=""):
            padded = [cell.ljust(size) for cell, size in zip(line, [*short, half, half], strict=True)]
            lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines)


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2  # as argparse does for a command line that lacks something
