# Sourced by run_all.sh and tests/run.sh: find or make the environment and set PYTHON to its interpreter.
# An active environment (venv or conda) within pyproject.toml's ranges is used as it is; otherwise conda or mamba with
# environment.yml, else python3 -m venv with requirements.txt's pins, in .conda or .venv of this folder.

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

fits() { # INTERPRETER [--pins]
    [ -x "$1" ] && "$1" "$ROOT/segstudy/study/environment.py" ${2:-} >"$ENVIRONMENT_LOG" 2>&1
}

find_python() { # the newest of the supported Pythons that is there
    local name
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

install_pins() { # torch and torchvision are in the list together, so that one command resolves both
    say "Installing the packages of requirements.txt (2 to 5 minutes, 6 GB, once) ..."
    "$1" -m pip install --quiet --disable-pip-version-check -r "$ROOT/requirements.txt" ||
        fail "pip could not install requirements.txt; what it said is above. Mend that and run the same command again."
}

install_study() { # editable, so that `import segstudy` works in the environment from any folder
    local look='import os, sys, segstudy; sys.exit(not os.path.samefile(segstudy.__path__[0], sys.argv[1]))'
    (cd / && env -u PYTHONPATH "$1" -c "$look" "$ROOT/segstudy") >/dev/null 2>&1 && return
    say "Installing segstudy itself in the environment ..."
    "$1" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable "$ROOT" ||
        fail "pip could not install segstudy in the environment; what it said is above."
}

make_environment() {
    local conda base
    for conda in mamba conda; do
        if command -v "$conda" >/dev/null 2>&1; then
            PYTHON="$ROOT/.conda/bin/python"
            fits "$PYTHON" --pins && return
            say "Making the environment .conda with $conda from environment.yml (a few minutes, 6 GB, once) ..."
            (cd "$ROOT" && "$conda" env update --quiet --prefix "$ROOT/.conda" --file environment.yml) ||
                fail "$conda could not make the environment; what it said is above."
            return
        fi
    done
    PYTHON="$ROOT/.venv/bin/python"
    fits "$PYTHON" --pins && return
    base=$(find_python) || fail "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian: python3 and python3-venv)."
    if ! [ -x "$PYTHON" ] || ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
        say "Making the environment .venv with $base ..."
        "$base" -m venv --clear "$ROOT/.venv" || fail "$base -m venv could not make .venv; what it said is above."
    fi
    install_pins "$PYTHON"
}

prepare_environment() {
    export PYTHONUTF8=1 # folders' names are UTF-8 whatever the locale; pip and the kernel's registration write them down
    ENVIRONMENT_LOG=$(mktemp)
    local active="${VIRTUAL_ENV:-${CONDA_PREFIX:-}}"
    PYTHON="$active/bin/python"
    if [ -z "$active" ] || ! fits "$PYTHON"; then
        make_environment
    fi
    fits "$PYTHON" || fail "the environment still lacks: $(cat "$ENVIRONMENT_LOG")"
    [ "$PYTHON" = "$active/bin/python" ] || install_study "$PYTHON"
    rm -f "$ENVIRONMENT_LOG"
    export PYTHON PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
    "$PYTHON" -m segstudy.study.kernel
}
