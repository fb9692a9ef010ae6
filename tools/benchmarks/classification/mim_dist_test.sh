#!/usr/bin/env bash
# Test a classifier on several GPUs.
#   tools/benchmarks/classification/mim_dist_test.sh CONFIG CHECKPOINT [arguments of tools/test.py]
# Settings: GPUS (8).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'CONFIG CHECKPOINT' "$@"
exec bash "$TOOLS/dist_test.sh" "$1" "$2" "${GPUS:-8}" "${@:3}"
