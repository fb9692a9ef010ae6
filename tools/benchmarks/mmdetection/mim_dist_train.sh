#!/usr/bin/env bash
# Train a detector from a student on several GPUs.
#   tools/benchmarks/mmdetection/mim_dist_train.sh CONFIG PRETRAIN GPUS [arguments of tools/train.py]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'CONFIG PRETRAIN GPUS' "$@"
exec bash "$TOOLS/dist_train.sh" "$1" "$3" --student "$2" --work-dir "$(work_dir "$1" "$2")" "${@:4}"
