"""A small made-up executed notebook, its record, and the folder of reports that holds both."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

NAME = "01_graph_matching"
WIDGET = "application/vnd.jupyter.widget-view+json"
MARKDOWN_FORMULAS = 16  # written in the cells below
FORMULAS = MARKDOWN_FORMULAS + 1  # and a section's title stands in the table of contents as well

INTRODUCTION = r"""# Graph matching after a U-Net: does structure help?

*Chopin et al. (2020) ask whether the arrangement of the parts can repair what a network gets wrong.*

You will see a network's labels become a graph, the graph matched against a model, and wrong regions relabelled.
It takes **four minutes** on two cores. See [the paper](https://example.org/graph-matching) for the whole argument.

| symbol | meaning |
|---|---|
| $R$ | the regions of the first segmentation |
| $X \in \{0, 1\}^{n \times m}$ | assignment of regions to classes |
"""

METHOD = r"""## The method, in three steps

Let $G_m$ be the model and $G_r$ the regions. The assignment that costs least is

$$
X^\star = \arg\min_{X \in \mathcal{X}} \left\{ \operatorname{vec}(X)^{\mathsf T} K \operatorname{vec}(X) \right\},
\qquad K = \alpha K_v + \frac{1 - \alpha}{|E_m|} K_e \tag{1}
$$

where $\alpha \in [0, 1]$ weighs vertices against edges. The distance of two edges is, with tall brackets,

$$
d(e, e') = \lambda \left( \frac{\left| d_{\min}^{e} - d_{\min}^{e'} \right|}{C_s} \right)
         + (1 - \lambda) \left[ \frac{\left| d_{\max}^{e} - d_{\max}^{e'} \right|}{C_s} \right], \tag{2}
$$

and a one-to-many matching of three regions to two classes reads

\begin{equation}
X = \begin{pmatrix} 1 & 0 \\ 0 & 1 \\ 0 & 1 \end{pmatrix}, \qquad
\sum_{j} X_{ij} = 1 .
\end{equation}

### Why $\lambda$ matters

With $\lambda = 1$ only the *nearest* pixels of two regions speak. A region split in two keeps its nearest distance,
so the sum
$\lambda d_{\min} + (1 - \lambda) d_{\max} =
\lambda \left| d_{\min}^{e} - d_{\min}^{e'} \right| + (1 - \lambda) \left| d_{\max}^{e} - d_{\max}^{e'} \right| + 0$
barely moves.

> A region that is nobody's neighbour in the model cannot be right.

1. Segment, and take the connected regions.
2. Match the largest region of each class.
3. Give every other region the class that costs least, so $|R|$ falls to at most $C$.
"""

PARAMETERS = """# Parameters
seeds = [0, 1, 2]      # one training each
images = 20            # training images
alpha = 0.5            # weight of vertices against edges
dataset = "blocks"     # generated: parts with a fixed arrangement"""

SHORT_CODE = '''def edge_distance(a: Edge, b: Edge, lam: float, scale: float) -> float:
    """Equation 2: difference of nearest and farthest distances."""
    nearest = abs(a.nearest - b.nearest) / scale
    farthest = abs(a.farthest - b.farthest) / scale
    return lam * nearest + (1 - lam) * farthest  # in [0, 1]


print(f"{edge_distance(toy[0], toy[1], lam=0.5, scale=10.0):.2f}")'''

LONG_CODE = "\n".join(
    ["fig, axes = plt.subplots(1, 3)"]
    + [f"axes[{i % 3}].plot(scores[{i}], label='seed {i}')" for i in range(15)]
    + ["show(fig, alt='Three panels', caption='Seeds')"]
)


def picture(kind: str) -> bytes:
    """Draw a PNG: `overlay` (an image, its labels, the repaired labels) or `curves` (dice against training images)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rng = np.random.default_rng(0)
    if kind == "overlay":
        figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
        labels = np.zeros((48, 64), int)
        labels[8:40, 10:30], labels[8:22, 34:56], labels[26:40, 34:56] = 1, 2, 3
        wrong = labels.copy()
        wrong[30:37, 14:20], wrong[2:6, 50:60] = 3, 1
        noise = labels + rng.normal(0, 0.5, labels.shape)
        for axis, values, name in zip(
            axes, (noise, wrong, labels), ("image", "network", "matched"), strict=True
        ):
            axis.imshow(values, cmap="cividis", interpolation="nearest")
            axis.set(title=name, xticks=[], yticks=[])
    else:
        figure, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        counts = np.array([10, 20, 30, 50, 75])
        for name, low in (("network", 0.61), ("network + matching", 0.7)):
            axis.errorbar(
                counts, low + 0.2 * (1 - np.exp(-counts / 25)), 0.02, capsize=3, marker="o", label=name
            )
        axis.set(xlabel="training images", ylabel="dice", title="Matching helps most when images are few")
        axis.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=140)
    plt.close(figure)
    return buffer.getvalue()


def figure_output(kind: str, alt: str, caption: str) -> NotebookNode:
    """Return a figure as the study's notebooks show it."""
    data = base64.b64encode(picture(kind)).decode()
    image = f'<img alt="{alt}" src="data:image/png;base64,{data}">'
    html = f'<figure class="study-figure">{image}<figcaption>{caption}</figcaption></figure>'
    return new_output("display_data", {"text/html": html, "text/plain": "<Figure>"})


def table_output() -> NotebookNode:
    """Return a wide table of results, ours beside published, as pandas writes it."""
    names = [
        "background",
        "skin",
        "hair",
        "left eye",
        "right eye",
        "nose",
        "mouth",
        "eyebrows",
        "mean of classes",
    ]
    index = pd.MultiIndex.from_product([[20, 50, 75], ["network", "matched"]], names=["images", "method"])
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.uniform(0.6, 0.95, (6, 9)).round(3), index, names)
    frame["ours"] = [f"{value:.3f} ± 0.012 (3)" for value in frame.mean(axis=1)]
    frame["published"] = [0.79, 0.83, 0.85, "not run", 0.86, 0.88]
    frame["match"] = ["below", "below", "agrees", "–", "agrees", "agrees"]
    caption = "<figcaption>Dice by class, and what the paper prints.</figcaption>"
    html = f'<figure class="study-table">{caption}{frame.to_html(border=0)}</figure>'
    return new_output("execute_result", {"text/html": html, "text/plain": str(frame)}, execution_count=5)


def error_output(root: str) -> NotebookNode:
    """Return an error with a coloured traceback that names files of the project, of a package, and of the machine."""
    red, green, cyan, end = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[39m"
    ours, theirs = f"{root}/segstudy/papers/graph_matching", f"{root}/.venv/lib/python3.11/site-packages"
    traceback = [
        f"{red}---------------------------------------------------------------------------{end}",
        f"{red}ValueError{end}                                Traceback (most recent call last)",
        f"{cyan}Cell{end}{cyan} {end}{green}In[6]{end}{green}, line 1{end}\n{green}----> 1{end} match(graph, model)",
        f"{cyan}File{end} {green}{ours}/matching.py:41{end}, in {cyan}match{end}(graph, model)",
        f"{cyan}File{end} {green}{theirs}/scipy/optimize/_qap.py:212{end}, in {cyan}solve{end}(K)",
        f"{cyan}File{end} {green}/usr/lib/python3.11/contextlib.py:81{end}, in {cyan}inner{end}()",
        f"{red}ValueError{end}: K has <b>no</b> columns & <script>alert('run')</script>",
    ]
    return new_output("error", ename="ValueError", evalue="K has no columns", traceback=traceback)


def example_notebook(failed: bool = False, root: str = "/somewhere/segstudy-project") -> NotebookNode:
    """Return the executed notebook; with `failed`, its matching raised and the rest did not run."""
    progress = (
        "".join(f"\rtraining: {part * 20:3d} %" for part in range(6))
        + "\nseed 0: dice 0.801\nseed 1: dice 0.812\n"
    )
    warning = f"{root}/.venv/lib/python3.11/site-packages/torch/nn/functional.py:12: UserWarning: slow path\n"
    overlay = figure_output(
        "overlay",
        "A noisy image, the network's labels with two wrong patches, and the matched labels without them",
        "Two regions stand where the model has none; matching gives them to their surroundings.",
    )
    widget = new_output("display_data", {WIDGET: {"model_id": "1"}, "text/plain": "interactive(children=())"})
    cells = [
        new_markdown_cell(INTRODUCTION),
        new_code_cell(PARAMETERS, execution_count=1, metadata={"tags": ["parameters"]}),
        new_code_cell(
            "# Parameters\nseeds = [0, 1]\n", execution_count=2, metadata={"tags": ["injected-parameters"]}
        ),
        new_markdown_cell(
            "## The data, looked at\n\nParts of one size in a fixed arrangement: `blocks` never changes."
        ),
        new_code_cell(
            "show_data()", execution_count=3, metadata={"tags": ["remove-input"]}, outputs=[overlay]
        ),
        new_markdown_cell(METHOD),
        new_code_cell(
            SHORT_CODE,
            execution_count=4,
            outputs=[
                new_output("stream", name="stdout", text="0.35\n" + progress),
                new_output("stream", name="stderr", text=warning),
                widget,
            ],
        ),
        new_markdown_cell(
            "## Table 1: few images\n\nWith 20 images, matching adds 2.1 points; with 75, nothing."
        ),
    ]
    cells += _failed_end(root) if failed else _good_end()
    notebook = new_notebook(
        cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    )
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"1": {}}}}
    return notebook


def _good_end() -> list[NotebookNode]:
    curves = figure_output(
        "curves", "Dice rises with the number of images; matching is always above", "Three seeds each."
    )
    code = "def solution(k):\n    return k @ k.T  # symmetric"
    return [
        new_code_cell("results.table('table1')", execution_count=5, outputs=[table_output()]),
        new_code_cell(LONG_CODE, execution_count=6, outputs=[curves]),
        new_markdown_cell(
            "## Summary\n\nStructure helps when data is short, and $\\Delta \\to 0$ when it is not."
        ),
        new_markdown_cell("### Exercises\n\n**1.** Make $K$ symmetric."),
        new_markdown_cell(
            "Average it with its transpose: $\\frac{1}{2}(K + K^{\\mathsf T})$.",
            metadata={"tags": ["solution"]},
        ),
        new_code_cell(code, execution_count=7, metadata={"tags": ["solution"]}),
        new_code_cell("provenance()", execution_count=8, metadata={"tags": ["hide-input"]}),
    ]


def _failed_end(root: str) -> list[NotebookNode]:
    banner = {"tags": ["papermill-error-cell-tag"]}
    return [
        new_markdown_cell("<span>An Exception was encountered at 'In [6]'.</span>", metadata=banner),
        new_code_cell("match(graph, model)", execution_count=6, outputs=[error_output(root)]),
        new_code_cell("results.table('table1')"),
        new_markdown_cell(
            "## Summary\n\nStructure helps when data is short, and $\\Delta \\to 0$ when it is not."
        ),
    ]


def example_run(failed: bool = False, root: str = "/somewhere/segstudy-project") -> dict[str, Any]:
    """Return the record of that run, as `run.json` holds it, with the folder of its report."""
    run: dict[str, Any] = {
        "notebook": NAME,
        "title": "Graph matching after a U-Net",
        "profile": "demo",
        "status": "ok",
        "failure": None,
        "parameters": {"seeds": [0, 1], "images": 20, "alpha": 0.5, "dataset": "blocks"},
        "seeds": [0, 1],
        "data": [{"name": "blocks", "split": "train", "count": 20, "fingerprint": "5f1c88a7e0d94b3c"}],
        "features": "raw pixels",
        "device": "cpu",
        "threads": 2,
        "versions": {"python": "3.11.9", "torch": "2.11.0", "segstudy": "0.1.0"},
        "started": "2026-03-14T09:30:00+00:00",
        "seconds": 201.4,
        "peak_memory_mb": 1412.0,
        "fingerprint": {"source": "9c1e" * 8, "notebook": "77ab" * 8},
        "headline": [
            {
                "name": "Dice, 20 images",
                "ours": 0.8123,
                "spread": 0.0117,
                "n": 3,
                "over": "seeds",
                "unit": "",
                "published": 0.83,
                "source": "Table 1",
            },
            {
                "name": "Gain by matching",
                "ours": 2.1,
                "spread": 0.64,
                "n": 3,
                "over": "seeds",
                "unit": "points",
                "published": 4.0,
                "source": "Table 1",
            },
            {
                "name": "Dice, 75 images",
                "ours": None,
                "spread": None,
                "n": 0,
                "over": None,
                "unit": "",
                "published": 0.88,
                "source": "Table 1",
            },
        ],
        "verdicts": [
            {
                "claim": "gm-1",
                "text": "Matching helps when images are few.",
                "verdict": "holds",
                "evidence": "+2.1 points, 3 of 3 seeds",
            },
            {
                "claim": "gm-2",
                "text": "The gain falls as images are added.",
                "verdict": "holds weakly",
                "evidence": "p = 0.08",
            },
            {
                "claim": "gm-3",
                "text": "Faces gain most.",
                "verdict": "not testable with this data",
                "evidence": "",
            },
        ],
        "headline_figure": "figures/overlay.png",
        "headline_alt": "Network labels with two wrong patches beside the matched labels",
        "tables": [{"file": "tables/table1.csv", "caption": "Dice by class"}],
        "figures": [
            {"file": "figures/overlay.png", "alt": "Overlay", "caption": "Two regions", "drawn": False}
        ],
        "folder": NAME,
        "failed": None,
    }
    if failed:
        error = f"ValueError in {root}/segstudy/papers/graph_matching/matching.py: <script>alert('run')</script> & more"
        failure = {"cell": 9, "heading": "Table 1: few images", "error": error}
        run |= {
            "status": "failed",
            "failure": failure,
            "folder": f"failed/{NAME}",
            "headline": [],
            "verdicts": [],
        }
    return run


def gallery_runs() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return records for a gallery: good, good with a failed newer attempt, failed; and a notebook that never ran."""
    good = example_run()
    retried = {**example_run(), "notebook": "02_sgseg", "title": "Neural superpixels", "folder": "02_sgseg"}
    retried["failed"] = {**example_run(failed=True), "notebook": "02_sgseg", "folder": "failed/02_sgseg"}
    broken = {
        **example_run(failed=True),
        "notebook": "03_gnn_clustering",
        "title": "Clustering patches",
        "status": "timeout",
    }
    broken |= {"folder": "failed/03_gnn_clustering", "headline_figure": None}
    return [good, retried, broken], [{"notebook": "04_dgcn", "title": "Deep graph cut network"}]


def write_example(folder: Path) -> Path:
    """Write a profile's reports below `folder`: the gallery, a good report, and the page of a failed run."""
    from segstudy.study.index import render_index
    from segstudy.study.report import render_report

    root = Path("/somewhere/segstudy-project")
    pages = {f"{NAME}/report.html": False, f"failed/{NAME}/report.html": True}
    for name, failed in pages.items():
        (folder / name).parent.mkdir(parents=True)
        page = render_report(example_notebook(failed, str(root)), example_run(failed, str(root)), root)
        (folder / name).write_text(page, "utf-8")
    for name in (NAME, "02_sgseg"):
        (folder / name / "figures").mkdir(parents=True)
        (folder / name / "figures" / "overlay.png").write_bytes(picture("overlay"))
    (folder / "index.html").write_text(render_index("demo", *gallery_runs()), "utf-8")
    return folder
