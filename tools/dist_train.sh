#!/usr/bin/env bash
# Train on several GPUs, or without GPUs in several CPU processes.
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR, PORT. After the loss of a process: MAX_RESTARTS.
set -euo pipefail
if (($# < 2)); then
    echo "error: usage: tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 2
fi
exec bash "$(dirname "${BASH_SOURCE[0]}")/torchrun.sh" train.py "$2" "$1" "${@:3}"
