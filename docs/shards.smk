"""A notebook's experiments in shards, each of which hands back one file: for places that share no folder (clusters.md).

snakemake --snakefile docs/shards.smk --config notebook=01_graph_matching profile=real shards=4 --cores 2
python -m segstudy collect results/01_graph_matching.real.*.zip

With --config segstudy="..." each shard calls the study by other words, such as those of a container.
"""

SHARDS = int(config["shards"])
CALL = f"{config.get('segstudy', 'python -m segstudy')} experiment {config['notebook']} --profile {config['profile']}"
FILE = f"results/{config['notebook']}.{config['profile']}.{{shard}}.zip"


rule all:
    input:
        expand(FILE, shard=range(1, SHARDS + 1)),


rule shard:
    output: FILE
    resources:
        mem_mb=8192,
        runtime=240,  # minutes
    shell: f"{CALL} --shard {{wildcards.shard}}/{SHARDS} --cache {{output}}"
