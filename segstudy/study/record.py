"""What a notebook keeps while it runs: figures, tables, metrics, verdicts, the data and seeds it used.

A notebook starts a `Record` and hands it everything worth keeping. Run by the study's runner, the record
writes into the report's folder (``SEGSTUDY_OUT``); opened by hand in Jupyter, the same calls only show.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudy.cache import Cache, Entry, Experiment
from segstudy.files import write_bytes
from segstudy.progress import track
from segstudy.study.files import write_json, write_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OUT = "SEGSTUDY_OUT"
OVER = ("seeds", "pictures")  # what a spread may be over; the one says nothing of the other
VERDICTS = ("holds", "holds weakly", "does not hold", "not testable with this data", "not run")


class Record:
    """The record of one run.

    Parameters
    ----------
    seeds : sequence of int
        Every seed the run draws from.
    device : str
        What the run computes on, for example "cpu" or "NVIDIA H200".
    features : str
        Which features or weights it uses; "none" where it uses none.
    """

    def __init__(self, seeds: Sequence[int] = (), device: str = "cpu", features: str = "none") -> None:
        self._out = Path(os.environ[OUT]) if os.environ.get(OUT) else None
        self._metrics: dict[str, Any] = {}
        start = {
            "seeds": list(seeds),
            "device": device,
            "features": features,
            "data": [],
            "headline": [],
            "verdicts": [],
            "tables": [],
            "figures": [],
            "headline_figure": None,
            "headline_alt": "",
            "caches": [],
            "cached_seconds": 0.0,
        }
        self._kept: dict[str, Any] = _jsonable(start)

    def data(self, dataset: Any) -> Any:
        """Note a data set by name, split, size, what was found of it, and fingerprint, and return it."""
        row = {"name": dataset.name, "split": dataset.split, "count": len(dataset), "note": dataset.note}
        self._add("data", row | {"fingerprint": dataset.fingerprint()})
        return dataset

    def metric(
        self,
        name: str,
        values: float | Iterable[float],
        unit: str = "fraction",
        over: str | None = None,
    ) -> str:
        """Keep a metric with its spread and return it as text, "0.512 ± 0.031 (n = 20 pictures)".

        Parameters
        ----------
        name : str
            Path-like, for example "emds5/Otsu/IoU"; a name is kept once.
        values : float or iterable of float
            One value per image, seed or repeat; the spread is their standard deviation (n - 1). NaN and
            infinite values are left out and counted as missing.
        unit : str
            "fraction", "percent", "s", "ms", "count".
        over : str, optional
            What the values are of, one of `OVER`; needed where the metric with its spread is a headline.

        Raises
        ------
        ValueError
            When the name was kept before, or `over` is none of `OVER`.
        """
        if over is not None and over not in OVER:
            raise ValueError(f"over is {over!r}; a spread is over {' or '.join(OVER)}")
        if self._out and name in self._metrics:  # by hand, a cell may be run again
            raise ValueError(f"metric {name!r} was kept before; a name stands for one number")
        alone = not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0
        array = np.asarray([values] if alone else list(values), dtype=float)
        seen = array[np.isfinite(array)]
        mean = float(seen.mean()) if seen.size else math.nan
        spread = float(seen.std(ddof=1)) if seen.size > 1 else None
        row = {
            "mean": mean if seen.size else None,
            "std": spread,
            "n": int(seen.size),
            "unit": unit,
            "over": over,
        }
        self._metrics |= _jsonable({name: row | {"missing": int(array.size - seen.size)}})
        self._write()
        count = f"n = {seen.size} {over}" if over else f"n = {seen.size}"
        return f"{mean:.3f}" + (f" ± {spread:.3f}" if spread is not None else "") + f" ({count})"

    def expect(self, name: str, seen: Any, expected: Any, tolerance: float = 1e-9) -> None:
        """Print what was seen beside what was worked out by hand, and stop where they differ.

        Parameters
        ----------
        name : str
            What is compared.
        seen, expected : number, or nested list or tuple of numbers
            Of one shape; NaN equals NaN.
        tolerance : float
            Largest difference that is rounding, times 1 plus the size of the expected number.

        Raises
        ------
        AssertionError
            Where they differ by more, or in shape.
        """
        one, other = np.asarray(seen, float), np.asarray(expected, float)
        match = one.shape == other.shape and np.allclose(one, other, tolerance, tolerance, equal_nan=True)
        print(f"{name}: seen {_short(seen)}, by hand {_short(expected)}, match {match}")
        if not match:  # no assert statement: python -O leaves those out
            raise AssertionError(f"{name} is {seen}, not {expected} as worked out by hand")

    def headline(
        self, name: str, metric: str, published: float | None = None, source: str = "", on: str = ""
    ) -> None:
        """Put a kept metric on the study's index, beside the published value where there is one.

        Parameters
        ----------
        name : str
            What a person reads.
        metric : str
            Name of the kept metric.
        published : float, optional
            What a paper prints (NaN: nothing), and `source`, where it does.
        on : str
            Name of the data set that the paper measured on. The published value is kept only where this run has
            noted that data set (see `data`): numbers of other pictures do not stand side by side.

        Raises
        ------
        ValueError
            When the metric has a spread and does not say over what, or a published value no data set.
        """
        row = self._metrics[metric]
        if row["std"] is not None and row["over"] is None:
            raise ValueError(
                f"headline {name!r}: say over what {metric!r} spreads: metric(..., over='seeds')"
            )
        if published is not None and not np.isfinite(published):
            published = None
        if published is not None and not on:
            raise ValueError(f"headline {name!r}: say which data the published value is of: on='fasseg'")
        if on not in {data["name"] for data in self._kept["data"]}:
            published, source = None, ""
        entry = {"name": name, "ours": row["mean"], "spread": row["std"], "n": row["n"], "over": row["over"]}
        entry |= {"unit": row["unit"]}
        self._add("headline", entry | {"published": published, "source": source})

    def verdict(self, claim: str, text: str, verdict: str, evidence: str) -> None:
        """Keep what became of a claim of a paper.

        Raises
        ------
        ValueError
            When `verdict` is none of `VERDICTS`.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"verdict is {verdict!r}; it is one of {', '.join(VERDICTS)}")
        self._add("verdicts", {"claim": claim, "text": text, "verdict": verdict, "evidence": evidence})

    def table(self, frame: pd.DataFrame, name: str, caption: str, decimals: int = 3) -> None:
        """Show a table and keep it as ``tables/name.csv`` (full precision) and ``.tex``.

        Raises
        ------
        ValueError
            When `name` has more than letters, digits, "-" and "_", or was kept before.
        """
        from IPython.display import HTML, display

        file = self._new_file("tables", name, "csv")
        shown = frame.to_html(float_format=lambda v: f"{v:.{decimals}f}", na_rep="–", border=0, index=False)
        caption_html = f"<figcaption>{escape(caption)}</figcaption>"
        display(HTML(f'<figure class="study-table">{caption_html}{shown}</figure>'))
        if self._out:
            write_text(self._out / file, frame.to_csv(index=False))
            write_text((self._out / file).with_suffix(".tex"), _latex(frame, caption, decimals))
        self._add("tables", {"file": file, "caption": caption})

    def figure(
        self,
        figure: Figure,
        name: str,
        alt: str,
        caption: str,
        headline: bool = False,
        drawn: bool = False,
    ) -> None:
        """Show a matplotlib figure with its caption and keep it as ``figures/name.png`` and ``.svg``.

        Parameters
        ----------
        figure : matplotlib Figure
            Closed afterwards.
        alt : str
            What a person who cannot see it should know.
        caption : str
            One sentence that says what to see, with the number in it.
        headline : bool
            Whether it stands for the notebook on the study's index.
        drawn : bool
            Whether all of it is drawn by the study: a chart, a diagram, a generated picture. Anything that shows a
            data set's pictures or annotations, or may with other parameters, is not: their licences keep it out
            of the repository, where ``python -m segstudy reference`` puts what is drawn.

        Raises
        ------
        ValueError
            Without alt text, or when `name` has more than letters, digits, "-" and "_", or was kept before.
        """
        import matplotlib.pyplot as plt
        from IPython.display import HTML, display

        if not alt.strip():
            raise ValueError(f"figure {name!r} has no alt text; say what it shows")
        file = self._new_file("figures", name, "png")
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", bbox_inches="tight", metadata={"Software": None})
        picture = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
        caption_html = f"<figcaption>{escape(caption)}</figcaption>"
        image = f'<img alt="{escape(alt)}" src="{picture}">'
        display(HTML(f'<figure class="study-figure">{image}{caption_html}</figure>'))
        if self._out:
            figure.savefig(svg, format="svg", bbox_inches="tight", metadata={"Date": None})
            write_bytes(self._out / file, png.getvalue())
            write_bytes((self._out / file).with_suffix(".svg"), svg.getvalue())
        plt.close(figure)
        if headline:
            self._kept |= _jsonable({"headline_figure": file, "headline_alt": alt})
        self._add("figures", {"file": file, "alt": alt, "caption": caption, "drawn": drawn})

    def left_out(self, what: str) -> None:
        """Say in the report that a part of the notebook is not run in this profile."""
        from IPython.display import HTML, display

        display(HTML(f'<p class="study-left-out">Not run in this profile: {escape(what)}.</p>'))

    def run(self, experiments: Sequence[Experiment], label: str) -> list[Entry]:
        """Return the results of `experiments`, from the study's cache where they are known, with progress.

        The seconds that known results took when they were computed are summed in the record; those computed on
        another machine are listed there, with their versions and device.
        """
        folder = os.environ.get("SEGSTUDY_CACHE")
        entries = []
        for experiment in track(experiments, label):
            known = Cache(folder).get(experiment) if folder else None
            entry = known or (Cache(folder).run(experiment) if folder else _compute(experiment))
            entries.append(entry)
            self._kept["cached_seconds"] += known.seconds if known else 0.0
            if entry.collected:
                self._add("caches", {"experiment": experiment.name, "made": entry.made})
        self._write()
        return entries

    def _new_file(self, folder: str, name: str, suffix: str) -> str:
        """Return the path of a table or figure within the report; its name stands for one file."""
        if not re.fullmatch("[A-Za-z0-9_-]+", name):
            raise ValueError(f"{name!r} names a file of {folder}: write letters, digits, - and _ alone")
        file = f"{folder}/{name}.{suffix}"
        if self._out and any(row["file"] == file for row in self._kept[folder]):  # by hand, as for metrics
            raise ValueError(f"{file} was kept before; a name stands for one file")
        return file

    def _add(self, kind: str, row: dict[str, Any]) -> None:
        self._kept[kind].append(_jsonable(row))
        self._write()

    def _write(self) -> None:
        """Keep the record on disk after every call: a run that dies later has kept what it knew."""
        if self._out:
            write_json(self._out / "metrics.json", self._metrics)
            write_json(self._out / "kept.json", self._kept)


def _jsonable(value: Any) -> Any:
    """Return `value` as JSON gives it back, numpy's numbers and arrays as Python's; raise where it cannot hold it."""

    def plain(item: Any) -> Any:
        if isinstance(item, np.generic | np.ndarray):
            return item.tolist()
        raise TypeError(f"a record keeps texts, numbers and lists of them, not {item!r}")

    text = json.dumps(value, default=plain, allow_nan=False, ensure_ascii=False)
    return json.loads(text.encode())  # a text that UTF-8 cannot hold is found here, not on disk


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _compute(experiment: Experiment) -> Entry:
    """Compute without a cache, as a notebook opened by hand does."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return Cache(folder).run(experiment)


def _latex(frame: pd.DataFrame, caption: str, decimals: int) -> str:
    """Return a LaTeX tabular of `frame` (pandas' own writer needs jinja2's LaTeX template and booktabs)."""
    import pandas as pd

    special = {c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\^{}"}
    special = str.maketrans(special | {"\\": r"\textbackslash{}"})

    def cell(value: Any) -> str:
        if np.ndim(value) == 0 and pd.isna(value):
            return "--"
        if isinstance(value, float | np.floating):
            return f"{value:.{decimals}f}"
        return " ".join(str(value).split()).translate(special)

    rows = [[cell(column) for column in frame.columns]]
    rows += [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    body = " \\\\\n".join(" & ".join(row) for row in rows)
    head = f"% {' '.join(caption.split())}\n\\begin{{tabular}}{{{'l' * len(frame.columns)}}}\n"
    return f"{head}{body} \\\\\n\\end{{tabular}}\n"
