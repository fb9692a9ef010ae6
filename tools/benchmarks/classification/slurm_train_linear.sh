#!/usr/bin/env bash
# Linear probe, k-NN or fine-tuning of a student under Slurm.
#   tools/benchmarks/classification/slurm_train_linear.sh PARTITION JOB CONFIG PRETRAIN [arguments of tools/train.py]
# Settings: GPUS (8), GPUS_PER_NODE, CPUS_PER_TASK (5), SRUN_ARGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'PARTITION JOB CONFIG PRETRAIN' "$@"
exec bash "$TOOLS/slurm_train.sh" "$1" "$2" "$3" "$(work_dir "$3" "$4")" --student "$4" "${@:5}"
