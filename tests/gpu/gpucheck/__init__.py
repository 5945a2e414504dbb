"""A check of the study on a GPU machine: `tests/gpu.sh` runs it, `segstudy collect` takes up what it writes."""
