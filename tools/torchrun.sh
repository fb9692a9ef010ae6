#!/usr/bin/env bash
# Run a tool in several processes: torchrun.sh TOOL GPUS ARGUMENTS... (used by dist_train.sh and dist_test.sh).
# Several machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each. Without GPUs, GPUS is the number of CPU processes.
# MAX_RESTARTS=N: after the loss of a process, all begin again from the last checkpoint, N times at most.
# A signal to this launcher is passed on: all processes save and end, and do not begin again.
set -euo pipefail
TOOL=$1
GPUS=$2
shift 2
PYTHON=${PYTHON:-python}

if ! [[ $GPUS =~ ^[1-9][0-9]*$ ]]; then
    echo "error: GPUS is '$GPUS', it must be a number from 1: ${TOOL/.py/} CONFIG GPUS comes first" >&2
    exit 2
fi
HERE=$("$PYTHON" -c 'import torch; print(torch.cuda.device_count())')
if ((HERE > 0 && GPUS > HERE)); then
    echo "error: $GPUS GPUs were asked for, but this machine has $HERE: give $HERE or fewer" >&2
    exit 2
fi
# Each process may compute on its share of the cores; torchrun would give it one, and say so each time.
CORES=$(nproc)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((CORES > GPUS ? CORES / GPUS : 1))}
export MKL_NUM_THREADS=${MKL_NUM_THREADS:-$OMP_NUM_THREADS}

# On one machine any free port will do, so that two runs do not meet.
if [ -z "${PORT:-}" ] && [ "${NNODES:-1}" = 1 ]; then
    PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
fi

exec "$PYTHON" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$GPUS" \
    --max-restarts="${MAX_RESTARTS:-0}" \
    --signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 \
    "$(dirname "${BASH_SOURCE[0]}")/$TOOL" "$@" --launcher pytorch
