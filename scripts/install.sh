#!/bin/sh
# Install Mynah from this folder into .venv, which is made where it is missing: scripts/install.sh [EXTRA]
# PYTHON names the interpreter; without it the newest known one that runs is taken.
set -eu
cd "$(dirname "$0")/.."
extra=${1:-}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_new_enough() {
    # A command of that name may be a version switcher's shim that cannot run, so try it.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    fail "Mynah needs Python 3.11 or newer; ${PYTHON:-none of python3.13, python3.12, python3.11 and python3} is not" \
        "that. Install it (Debian 12: apt-get install python3), or name it: make PYTHON=/path/to/python3 TARGET"
}

make_venv() {
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Making a virtual environment in .venv with $python (Python $version)."
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear .venv
    elif make_venv_with_pip_from_outside; then
        :
    else
        # Debian keeps this part of Python in a package of its own.
        sh scripts/debian-packages.sh "python$version-venv"
        "$python" -m venv --clear .venv
    fi
}

make_venv_with_pip_from_outside() {
    "$python" -m venv --clear --without-pip .venv 2>/dev/null &&
        "$python" -m pip --python .venv/bin/python install pip 2>/dev/null
}

works() {
    is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1
}

works || make_venv
what=".${extra:+[$extra]}"
echo "Installing Mynah and what it needs (pip install -e $what); the first time this downloads some 100 MB."
.venv/bin/python -m pip install --disable-pip-version-check -e "$what"
# As pip does with what it copies: else each process compiles all of this anew wherever Python may not write it down.
.venv/bin/python -m compileall -q hub plugins
