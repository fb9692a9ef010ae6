#!/usr/bin/env bash
# Test a detector on several GPUs.
#   tools/benchmarks/mmdetection/mim_dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'CONFIG CHECKPOINT GPUS' "$@"
exec bash "$TOOLS/dist_test.sh" "$1" "$2" "$3" "${@:4}"
