"""What Snakemake is told of the jobs of a plan."""

from __future__ import annotations

from toy import ROOT

from segstudy.study.jobs import rules
from segstudy.study.project import Project, load_project
from segstudy.study.state import plan


def test_reports_come_in_order_and_the_next_shards_begin_before_one(tmp_path):
    """A report takes one processor alone: the others need something to do beside it."""
    real = load_project(ROOT)
    project = Project(tmp_path, real.notebooks)
    chosen = real.select(["00", "01", "03", "05"])
    jobs = rules(project, "demo", plan(real, "demo", chosen, {}, force=True), "run")
    names = [job["name"] for job in sorted(jobs, key=lambda job: -job["priority"])]
    first, second, third, fourth = (notebook.name for notebook in chosen)

    def shards(name: str) -> list[str]:
        return [f"{name}.shard1", f"{name}.shard2"]

    assert names == [first, *shards(second), *shards(third), second, *shards(fourth), third, fourth]
    assert min(job["priority"] for job in jobs) >= 0
    limit = chosen[0].settings("demo").memory_gb * 1024
    assert all(job["memory_mb"] >= limit + 512 for job in jobs), "Slurm counts Snakemake and the job, too"


def test_the_shards_of_what_comes_after_others_run_with_the_others(tmp_path):
    real = load_project(ROOT)
    project = Project(tmp_path, real.notebooks)
    jobs = rules(project, "demo", plan(real, "demo", real.select(None), {}, force=True), "run")
    assert {job["name"] for job in jobs if job["last"]} == {"06_compare_methods", "08_claims"}
    priority = {job["name"]: job["priority"] for job in jobs}
    assert priority["05_scgnet.shard1"] > priority["06_compare_methods.shard1"] > priority["07_compare_costs"]
