"""Measures an ONNX file in a process that has nothing else in it: ``python -m lgd_mm.costs.onnx_process``.

PyTorch's threads and memory would be in the way of onnxruntime's; no more than these imports comes along.
"""

import json
import sys
from dataclasses import asdict

import numpy as np
import onnxruntime

from lgd_mm.costs.counters import Energy, OtherWork, forget_peak, memory_mb
from lgd_mm.costs.passes import latency, throughput, warm_up
from lgd_mm.costs.report import Timing


def measure(single: str, batched: str, size: int, batch: int, threads: int) -> Timing:
    """Measure a network on the CPU.

    Args:
        single (str): File of the graph for one image, that takes ``images`` (1, 3, size, size).
        batched (str): File of the graph for a batch; it may be the same.
        size (int): Height and width of the images, in pixels.
        batch (int): Images of a pass for the throughput.
        threads (int): That compute.

    Returns:
        Timing: Of the session's first output.
    """
    energy, rng = Energy(), np.random.default_rng(0)
    images = rng.standard_normal((batch, 3, size, size), np.float32)
    image = images[:1].copy()
    forget_peak()
    before = memory_mb('VmRSS')
    session = _session(single, threads)

    def one() -> object:
        return session.run(None, {'images': image})

    warm_up(one)
    other_work = OtherWork()
    times = latency(one)
    peak = memory_mb('VmHWM')
    if batched != single:
        session = _session(batched, threads)

    def many() -> object:
        return session.run(None, {'images': images})

    many()
    joules = energy.read()
    images_per_second, count = throughput(many, batch)
    spent, others = energy.joules_since(joules), other_work.cores()
    return Timing(
        device='CPU', runtime=f'onnxruntime {onnxruntime.__version__}, float32', threads=threads, **times._asdict(),
        images_per_second=images_per_second,
        memory_mb=None if before is None or peak is None else peak - before,
        joules=None if spent is None else spent / count,
        no_joules=energy.missing, others=others)


def _session(file: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Random weights may let values fade from layer to layer until a processor is slow with them; trained ones do not.
    options.add_session_config_entry('session.set_denormal_as_zero', '1')
    return onnxruntime.InferenceSession(file, options, providers=['CPUExecutionProvider'])


if __name__ == '__main__':
    _single, _batched, *_numbers = sys.argv[1:]
    print(json.dumps(asdict(measure(_single, _batched, *map(int, _numbers)))))
