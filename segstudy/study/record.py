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
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segstudy.cache import Cache, Entry, Experiment
from segstudy.progress import track

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OUT = "SEGSTUDY_OUT"
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
        self._kept: dict[str, Any] = {
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

    def data(self, dataset: Any) -> Any:
        """Note a data set by name, split, size and fingerprint, and return it."""
        row = {"name": dataset.name, "split": dataset.split, "count": len(dataset)}
        self._kept["data"].append(row | {"fingerprint": dataset.fingerprint()})
        self._write()
        return dataset

    def metric(self, name: str, values: float | Iterable[float], unit: str = "fraction") -> str:
        """Keep a metric with its spread and return it as text, "0.512 ± 0.031 (n = 20)".

        Parameters
        ----------
        name : str
            Path-like, for example "emds5/Otsu/IoU"; a name is kept once.
        values : float or iterable of float
            One value per image, seed or repeat; the spread is their standard deviation (n - 1). NaNs are left
            out and counted.
        unit : str
            "fraction", "percent", "s", "ms", "count".
        """
        if self._out and name in self._metrics:  # by hand, a cell may be run again
            raise ValueError(f"metric {name!r} was kept before; a name stands for one number")
        array = np.atleast_1d(np.asarray(values if np.ndim(values) else [values], dtype=float))
        seen = array[~np.isnan(array)]
        mean = float(seen.mean()) if seen.size else math.nan
        spread = float(seen.std(ddof=1)) if seen.size > 1 else None
        row = {"mean": mean if seen.size else None, "std": spread, "n": int(seen.size), "unit": unit}
        self._metrics[name] = row | {"missing": int(array.size - seen.size)}
        self._write()
        return f"{mean:.3f}" + (f" ± {spread:.3f}" if spread is not None else "") + f" (n = {seen.size})"

    def expect(self, name: str, seen: Any, expected: Any, tolerance: float = 1e-9) -> None:
        """Print what was seen beside what was worked out by hand, and stop where they differ.

        Parameters
        ----------
        name : str
            What is compared.
        seen, expected : number, or nested list or tuple of numbers
        tolerance : float
            Largest difference that is rounding, relative to the larger of 1 and the expected number.

        Raises
        ------
        AssertionError
            Where they differ by more.
        """
        match = bool(np.allclose(np.asarray(seen, float), np.asarray(expected, float), tolerance, tolerance))
        print(f"{name}: seen {_short(seen)}, by hand {_short(expected)}, match {match}")
        assert match, f"{name} is {seen}, not {expected} as worked out by hand"

    def headline(self, name: str, metric: str, published: float | None = None, source: str = "") -> None:
        """Put a kept metric on the study's index, beside the published value where there is one."""
        row = self._metrics[metric]
        entry = {"name": name, "ours": row["mean"], "spread": row["std"], "n": row["n"], "unit": row["unit"]}
        self._kept["headline"].append(entry | {"published": published, "source": source})
        self._write()

    def verdict(self, claim: str, text: str, verdict: str, evidence: str) -> None:
        """Keep what became of a claim of a paper.

        Raises
        ------
        ValueError
            When `verdict` is none of `VERDICTS`.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"verdict is {verdict!r}; it is one of {', '.join(VERDICTS)}")
        row = {"claim": claim, "text": text, "verdict": verdict, "evidence": evidence}
        self._kept["verdicts"].append(row)
        self._write()

    def table(self, frame: pd.DataFrame, name: str, caption: str, decimals: int = 3) -> None:
        """Show a table and keep it as ``tables/name.csv`` (full precision) and ``.tex``."""
        from IPython.display import HTML, display

        shown = frame.to_html(float_format=lambda v: f"{v:.{decimals}f}", na_rep="–", border=0, index=False)
        caption_html = f"<figcaption>{escape(caption)}</figcaption>"
        display(HTML(f'<figure class="study-table">{caption_html}{shown}</figure>'))
        self._kept["tables"].append({"file": f"tables/{name}.csv", "caption": caption})
        if self._out:
            folder = self._folder("tables")
            frame.to_csv(folder / f"{name}.csv", index=False)
            (folder / f"{name}.tex").write_text(_latex(frame, caption, decimals), encoding="utf-8")
        self._write()

    def figure(self, figure: Figure, name: str, alt: str, caption: str, headline: bool = False) -> None:
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
        """
        import matplotlib.pyplot as plt
        from IPython.display import HTML, display

        if not alt.strip():
            raise ValueError(f"figure {name!r} has no alt text; say what it shows")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        picture = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        caption_html = f"<figcaption>{escape(caption)}</figcaption>"
        image = f'<img alt="{escape(alt)}" src="{picture}">'
        display(HTML(f'<figure class="study-figure">{image}{caption_html}</figure>'))
        self._kept["figures"].append({"file": f"figures/{name}.png", "alt": alt, "caption": caption})
        if headline:
            self._kept |= {"headline_figure": f"figures/{name}.png", "headline_alt": alt}
        if self._out:
            folder = self._folder("figures")
            (folder / f"{name}.png").write_bytes(buffer.getvalue())
            figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(figure)
        self._write()

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
                self._kept["caches"].append({"experiment": experiment.name, "made": entry.made})
        self._write()
        return entries

    def _folder(self, name: str) -> Path:
        assert self._out is not None
        (self._out / name).mkdir(parents=True, exist_ok=True)
        return self._out / name

    def _write(self) -> None:
        """Keep the record on disk after every call: a run that dies later has kept what it knew."""
        if self._out:
            text = json.dumps(self._metrics, indent=1, sort_keys=True, ensure_ascii=False)
            (self._out / "metrics.json").write_text(text + "\n", encoding="utf-8")
            (self._out / "kept.json").write_text(json.dumps(self._kept, ensure_ascii=False), encoding="utf-8")


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _compute(experiment: Experiment) -> Entry:
    """Compute without a cache, as a notebook opened by hand does."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return Cache(folder).run(experiment)


def _latex(frame: pd.DataFrame, caption: str, decimals: int) -> str:
    """Return a LaTeX tabular of `frame` (pandas' own writer needs jinja2's LaTeX template and booktabs)."""
    special = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\^{}"})

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return "--" if math.isnan(value) else f"{value:.{decimals}f}"
        return str(value).translate(special)

    rows = [[cell(column) for column in frame.columns]]
    rows += [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    body = " \\\\\n".join(" & ".join(row) for row in rows)
    head = f"% {caption}\n\\begin{{tabular}}{{{'l' * len(frame.columns)}}}\n"
    return f"{head}{body} \\\\\n\\end{{tabular}}\n"
