#!/usr/bin/env bash
# Train a detector from a student under Slurm.
#   tools/benchmarks/mmdetection/mim_slurm_train.sh PARTITION CONFIG PRETRAIN [arguments of tools/train.py]
# Settings: GPUS (8), GPUS_PER_NODE, CPUS_PER_TASK (5), SRUN_ARGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'PARTITION CONFIG PRETRAIN' "$@"
export GPUS=${GPUS:-8}
exec bash "$TOOLS/slurm_train.sh" "$1" "$(basename "$2" .py)" "$2" "$(work_dir "$2" "$3")" --student "$3" "${@:4}"
