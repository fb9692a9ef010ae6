#!/usr/bin/env bash
# Make or update the virtual environment .venv of this checkout: tools/make_env.sh [EXTRA ...]
#
# Needs Python 3.10-3.12 with pip and nothing else: no root, compiler, GPU or venv module. uv is fetched through pip into
# .tools, because it installs in a fraction of pip's time and shares the files of several environments by hard links.
# Safe to repeat and to interrupt: an unfinished .venv is made anew, a finished one is recognised by its stamp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

UV_VERSION=0.13.8
UV=.tools/uv-$UV_VERSION/bin/uv
UNFINISHED=.venv/.unfinished
export UV_PYTHON_DOWNLOADS=never PIP_ROOT_USER_ACTION=ignore

fail() {
    echo "error: $*" >&2
    exit 2
}

# The first supported Python on PATH; of a virtual environment, the Python below it.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.10}; do
        "$candidate" -c 'import sys
if not (3, 10) <= sys.version_info < (3, 13): sys.exit(1)
print(getattr(sys, "_base_executable", sys.executable))' 2>/dev/null && return
    done
    return 1
}

minor_version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# uv, of the pinned version; pip may belong to another Python than the one chosen.
fetch_uv() {
    [ -x "$UV" ] && return
    echo "fetching uv $UV_VERSION, the installer" >&2
    local python partial=.tools/partial.$$
    for python in "$PYTHON_FOUND" python3; do
        "$python" -m pip --version >/dev/null 2>&1 || continue
        mkdir -p .tools
        "$python" -m pip install --quiet --disable-pip-version-check --target "$partial" "uv==$UV_VERSION" ||
            fail "pip could not install uv $UV_VERSION: see its message above"
        rm -rf .tools/uv-*
        mv "$partial" ".tools/uv-$UV_VERSION"
        return
    done
    fail "pip is missing: install it (on Debian or Ubuntu the package python3-pip)"
}

# uv does not read pip's settings: a package index or a certificate set for pip is handed on.
take_over_pip_settings() {
    local index
    index=$("$PYTHON_FOUND" -m pip config get global.index-url 2>/dev/null || true)
    index=${PIP_INDEX_URL:-$index}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        export UV_DEFAULT_INDEX=$index
    fi
    local bundle
    for bundle in "${PIP_CERT:-}" /etc/ssl/certs/ca-certificates.crt; do
        if [ -z "${SSL_CERT_FILE:-}" ] && [ -f "$bundle" ]; then
            export SSL_CERT_FILE=$bundle
        fi
    done
}

PYTHON_FOUND=$(find_python) || fail "no Python 3.10, 3.11 or 3.12 on PATH: install one, or name it with make PYTHON=/path/to/python3"
MINOR=$(minor_version "$PYTHON_FOUND")
EXTRAS=$(IFS=,; echo "$*")
STAMP=.venv/.made-${EXTRAS:-runtime}
DIGEST=$(cat requirements/*.txt setup.py pyproject.toml lgd_mm/version.py tools/make_env.sh | sha256sum | cut -d' ' -f1)

if [ -e .venv ] && { [ -e $UNFINISHED ] || [ "$(minor_version .venv/bin/python)" != "$MINOR" ]; }; then
    if [ ! -e $UNFINISHED ] && ! compgen -G '.venv/.made-*' >/dev/null; then
        FOREIGN=$(minor_version .venv/bin/python) || FOREIGN="an unknown version"
        fail ".venv is of Python $FOREIGN, not $MINOR, and was not made by this script: move it away"
    fi
    echo "removing .venv: it is unfinished or of another Python than $MINOR"
    rm -rf .venv
fi
if [ "$(cat "$STAMP" 2>/dev/null)" = "$DIGEST" ]; then
    echo "environment .venv is up to date (Python $MINOR)"
    exit
fi

fetch_uv
take_over_pip_settings
if [ ! -e .venv ]; then
    echo "making .venv with Python $MINOR ($PYTHON_FOUND)"
    "$UV" venv --quiet --seed --python "$PYTHON_FOUND" .venv
fi
touch $UNFINISHED
echo "installing the pinned packages into .venv: about 5 GB, a few minutes when they must be downloaded"
[ -t 2 ] && VERBOSITY=() || VERBOSITY=(--quiet)
"$UV" pip install --python .venv/bin/python "${VERBOSITY[@]}" --compile-bytecode \
    --constraints requirements/constraints.txt --build-constraints requirements/constraints.txt \
    --overrides requirements/overrides.txt --editable ".${EXTRAS:+[$EXTRAS]}"
.venv/bin/python -c 'import lgd_mm, cv2, torch, torchvision' || fail "the installed packages do not work: remove .venv and repeat"
echo "$DIGEST" | tee .venv/.made-runtime >"$STAMP"
rm $UNFINISHED
echo "environment .venv is ready (Python $MINOR)"
