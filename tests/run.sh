#!/usr/bin/env bash
# Make the environment if there is none and run the tests. Arguments go to pytest; --force runs what has passed already.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

case "${1:-}" in -h | --help)
    cat <<'HELP'
Usage: tests/run.sh [--force] [pytest arguments]

Makes the environment (once), checks the style and runs all tests. When the same files have passed before: nothing to do.
Tests on real data look under $SEGSTUDY_DATA and skip, with a reason, where it is absent.
HELP
    exit 0
    ;;
esac

echo "segstudy: running the tests (tests/run.sh --help)"
# shellcheck source=segstudy/study/environment.sh
. "$ROOT/segstudy/study/environment.sh"
prepare_environment

passed="$ROOT/reports/.state/tests-passed"
now=$("$PYTHON" tests/tree.py "$PYTHON" "${SEGSTUDY_DATA:-}")
if [ "$#" -eq 0 ] && [ -f "$passed" ] && [ "$(cat "$passed")" = "$now" ]; then
    echo "Nothing to do: these very files have passed. Look at tests/; --force runs them again."
    exit 0
fi
if [ "${1:-}" = "--force" ]; then shift; fi

"$PYTHON" -m ruff format --check --quiet . || { echo "ruff format would change the files above; run it" >&2; exit 1; }
"$PYTHON" -m ruff check --quiet .
# All tests: one process for each core and one more, up to four, for those of the runner mostly wait; a file's tests in one
# of them, each with a thread of its own.
if [ "$#" -eq 0 ]; then
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
    workers=$(($(getconf _NPROCESSORS_ONLN) + 1))
    "$PYTHON" -m pytest -n "$((workers < 4 ? workers : 4))" --dist loadfile --no-loadscope-reorder
else
    "$PYTHON" -m pytest "$@"
fi
if [ "$#" -eq 0 ]; then
    mkdir -p "$(dirname "$passed")"
    echo "$now" >"$passed"
fi
echo "The tests have passed. Look at tests/ for what they show."
