#!/usr/bin/env bash
# Linear probe, k-NN or fine-tuning of a student on several GPUs.
#   tools/benchmarks/classification/dist_train_linear.sh CONFIG PRETRAIN [arguments of tools/train.py]
# Settings: GPUS (8).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'CONFIG PRETRAIN' "$@"
exec bash "$TOOLS/dist_train.sh" "$1" "${GPUS:-8}" --student "$2" --work-dir "$(work_dir "$1" "$2")" "${@:3}"
