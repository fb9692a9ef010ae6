#!/usr/bin/env bash
# Test a classifier under Slurm.
#   tools/benchmarks/classification/mim_slurm_test.sh PARTITION CONFIG CHECKPOINT [arguments of tools/test.py]
# Settings: GPUS (8), GPUS_PER_NODE, CPUS_PER_TASK (5), SRUN_ARGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'PARTITION CONFIG CHECKPOINT' "$@"
exec bash "$TOOLS/slurm_test.sh" "$1" "$(basename "$2" .py)" "$2" "$3" "${@:4}"
