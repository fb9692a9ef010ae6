#!/usr/bin/env bash
# Train a segmentor from a student under Slurm.
#   tools/benchmarks/mmsegmentation/mim_slurm_train.sh PARTITION CONFIG PRETRAIN [arguments of tools/train.py]
# Settings: GPUS (4), GPUS_PER_NODE, CPUS_PER_TASK (5), SRUN_ARGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'PARTITION CONFIG PRETRAIN' "$@"
export GPUS=${GPUS:-4}
exec bash "$TOOLS/slurm_train.sh" "$1" "$(basename "$2" .py)" "$2" "$(work_dir "$2" "$3")" --student "$3" "${@:4}"
