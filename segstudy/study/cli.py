"""The command line: ``python -m segstudy COMMAND``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from segstudy.errors import StudyError
from segstudy.study import data_command, segment_command, train_command
from segstudy.study.project import PROFILES, load_project

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 well, 1 something failed, 2 the user can put it right, 128 + a signal's number where one ended it.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return options.handler(options)
    except StudyError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:  # with the number of another signal, where it was one
        return 128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segstudy", description="A reproducible study of five papers that segment images with graphs."
    )
    parser.add_argument(
        "--project", type=Path, default=ROOT, help="the project's folder (default: this checkout)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_experiment(commands)
    _add_collect(commands)
    _add_compare(commands)
    _add_notebooks(commands)
    _add_reference(commands)
    _add_handout(commands)
    _add_site(commands)
    data_command.add_parser(commands)
    segment_command.add_parser(commands)
    train_command.add_parser(commands)
    return parser


def _only(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile", choices=PROFILES, default="demo", help="which data and sizes (default: demo)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override a parameter; may be repeated",
    )


def _add_run(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "run",
        help="bring the reports of a profile up to date",
        description="Run the notebooks whose reports are stale, render those whose prose changed, leave the rest.",
    )
    _add_profile(parser)
    parser.add_argument("--only", type=_only, metavar="00,01", help="these notebooks, by number or name")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be done, why, and how long it takes"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="notebooks at once (default: one for each core)"
    )
    parser.add_argument(
        "--gpus",
        type=int,
        metavar="N",
        help="share N GPUs of this machine, each running job one of its own; 0: everything on the CPU (default: as "
        "notebooks/study.yaml says)",
    )
    parser.add_argument("--force", action="store_true", help="run even what is fresh")
    parser.add_argument("--executor", choices=("local", "slurm"), default="local", help="where jobs run")
    parser.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="account, partition, qos, constraint or extra words for sbatch; may be repeated, and goes before the "
        "lines of slurm.yaml",
    )
    parser.set_defaults(handler=_run)


def _run(options: argparse.Namespace) -> int:
    from segstudy.study.driver import Request, run
    from segstudy.study.parameters import parse_setting

    jobs = options.jobs if options.jobs is not None else os.cpu_count() or 1
    if jobs < 1:
        raise StudyError(f"--jobs {jobs}: at least 1")
    if options.gpus is not None and options.gpus < 0:
        raise StudyError(f"--gpus {options.gpus}: 0, for the CPU, or more")
    sets = dict(parse_setting(text) for text in options.set)
    request = Request(
        options.profile,
        options.only,
        sets,
        jobs,
        options.force,
        options.dry_run,
        options.executor,
        options.slurm,
        options.gpus,
    )
    return run(load_project(options.project), request)


def _add_experiment(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "experiment",
        help="compute a notebook's expensive experiments without the notebook",
        description="Fill the cache of results, or a file to carry to another machine; torch and the science stack "
        "are all it needs. `segstudy collect FILE` takes the file in.",
    )
    parser.add_argument("notebook", help="number or name, for example 01")
    _add_profile(parser)
    parser.add_argument(
        "--shard", default="1/1", metavar="i/n", help="this part of the experiments (default: all)"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="FILE", help="keep the results in FILE, to be collected elsewhere"
    )
    parser.set_defaults(handler=_experiment)


def _experiment(options: argparse.Namespace) -> int:
    from segstudy.study.experiments import parse_shard, run_experiments
    from segstudy.study.parameters import parse_setting

    project = load_project(options.project)
    sets = dict(parse_setting(text) for text in options.set)
    for notebook in project.select([options.notebook]):
        run_experiments(project, notebook, options.profile, sets, parse_shard(options.shard), options.cache)
    return 0


def _add_collect(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "collect", help="take in what `experiment --cache FILE` or tests/gpu.sh wrote elsewhere"
    )
    parser.add_argument("file", type=Path, nargs="+", help="files of results, or of tests/gpu.sh")
    parser.set_defaults(handler=_collect)


def _collect(options: argparse.Namespace) -> int:
    from segstudy.cache import Cache
    from segstudy.experiments.costs import gpu

    project = load_project(options.project)
    cache = Cache(project.state / "cache")
    for file in options.file:
        if gpu.is_check(file):
            place = gpu.collect(file, project.root / gpu.PLACE).relative_to(project.root).as_posix()
            print(f"{file} is {place} now: notebook 07 shows it; commit it to keep it")
        else:
            print(f"{cache.collect(file)} results from {file}")
    return 0


def _add_compare(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("compare", help="what differs between two runs")
    parser.add_argument("run", type=Path, nargs=2, help="report folders, such as reports/demo/00_start_here")
    parser.set_defaults(handler=_compare)


def _compare(options: argparse.Namespace) -> int:
    from segstudy.study.compare import compare_runs

    lines = compare_runs(*options.run)
    print("\n".join(lines) if lines else "no difference")
    return 0


def _add_notebooks(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("notebooks", help="make notebooks/*.ipynb from notebooks/scripts/*.py")
    parser.set_defaults(handler=_notebooks)


def _notebooks(options: argparse.Namespace) -> int:
    from segstudy.study.notebooks import make_notebooks

    written = make_notebooks(options.project / "notebooks")
    print(
        "\n".join(f"made {path.name}" for path in written) or "nothing to do: every notebook is its script's"
    )
    return 0


def _add_reference(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "reference",
        help="keep the records of real runs in reports/reference and fill README's results table from them",
        description="With a profile, copy the tables, metrics and records of its reports into reports/reference; "
        "then, and without one, write README's results table, marking rows whose code has changed since.",
    )
    parser.add_argument("profile", nargs="?", choices=PROFILES, help="copy this profile's records first")
    parser.add_argument("--only", type=_only, metavar="00,01", help="these notebooks, by number or name")
    parser.set_defaults(handler=_reference)


def _reference(options: argparse.Namespace) -> int:
    from segstudy.study.reference import keep, write_results

    project = load_project(options.project)
    for notebook in project.select(options.only) if options.profile else []:
        if (project.report(options.profile, notebook.name) / "run.json").is_file():
            print(
                f"kept {keep(project, options.profile, notebook.name).relative_to(project.root).as_posix()}"
            )
    write_results(project)
    return 0


def _add_handout(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "handout",
        help="write what a teacher hands out: students' notebooks, the teacher's, drawn pictures",
        description="Write FOLDER/students (notebooks without solutions, their checks kept, and pictures) and "
        "FOLDER/teacher (a course of nbgrader, with solutions).",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="an empty folder, or one that is not there"
    )
    parser.add_argument("--only", type=_only, metavar="00,01", help="these notebooks, by number or name")
    parser.set_defaults(handler=_handout)


def _handout(options: argparse.Namespace) -> int:
    from segstudy.study.handout import make_handout

    project = load_project(options.project)
    make_handout(project.select(options.only), options.folder)
    print(f"students' notebooks: {options.folder / 'students'}; the teacher's: {options.folder / 'teacher'}")
    return 0


def _add_site(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "site",
        help="gather reports, handouts and the reference of the functions for a static host",
        description="Write FOLDER: an index, the reports of all profiles at hand, the students' notebooks, and the "
        "reference of the functions. It asks the network for nothing when it is read.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="an empty folder, or one that is not there"
    )
    parser.set_defaults(handler=_site)


def _site(options: argparse.Namespace) -> int:
    from segstudy.study.site import make_site

    make_site(load_project(options.project), options.folder)
    print(f"the page to look at: {options.folder / 'index.html'}")
    return 0
