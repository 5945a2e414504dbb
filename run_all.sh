#!/usr/bin/env bash
# Make the environment if there is none and bring the study's reports up to date. `./run_all.sh --help` says more.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<'HELP'
Usage: ./run_all.sh [--profile smoke|demo|real|paper] [options]

Makes the environment (once) and runs the notebooks whose reports are stale into reports/<profile>/index.html.

  --profile NAME      smoke: tiny, for tests; demo (default): generated pictures, offline, minutes;
                      real: real data under $SEGSTUDY_DATA (default: data/); paper: GPU machines
  --only 00,01        these notebooks
  --set NAME=VALUE    override a parameter; may be repeated
  --dry-run           say what would be done, why, and how long it takes
  --jobs N            notebooks at once (default: one for each core)
  --gpus N            share N GPUs of this machine, each running job one of its own; 0: all on the CPU
  --force             run even what is fresh
  --executor slurm    hand the jobs to Slurm
  --help              this text

Linux and macOS; on Windows use WSL. Other commands: python -m segstudy --help
HELP
}

for word in "$@"; do
    case "$word" in -h | --help)
        usage
        exit 0
        ;;
    esac
done

echo "segstudy: making the reports of the notebooks (./run_all.sh --help)"
# shellcheck source=segstudy/study/environment.sh
. "$ROOT/segstudy/study/environment.sh"
prepare_environment
exec "$PYTHON" -m segstudy --project "$ROOT" run "$@"
