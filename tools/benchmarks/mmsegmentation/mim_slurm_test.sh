#!/usr/bin/env bash
# Test a segmentor under Slurm.
#   tools/benchmarks/mmsegmentation/mim_slurm_test.sh PARTITION CONFIG CHECKPOINT [arguments of tools/test.py]
# Settings: GPUS (4), GPUS_PER_NODE, CPUS_PER_TASK (5), SRUN_ARGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need 'PARTITION CONFIG CHECKPOINT' "$@"
export GPUS=${GPUS:-4}
exec bash "$TOOLS/slurm_test.sh" "$1" "$(basename "$2" .py)" "$2" "$3" "${@:4}"
