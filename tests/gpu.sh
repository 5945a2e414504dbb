#!/usr/bin/env bash
# Check the study on a GPU machine. `tests/gpu.sh --help` says more.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$ROOT:$ROOT/tests/gpu${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m gpucheck "$@"
