"""Measures a graph in a process that has nothing else in it: ``python -m lgd_mm.deploy.timing_process``."""

import json
import sys
from dataclasses import asdict

from lgd_mm.costs.counters import OtherWork, forget_peak, memory_mb
from lgd_mm.costs.passes import latency, warm_up
from lgd_mm.costs.report import Timing
from lgd_mm.deploy.predict import Network, upright


def measure(folder: str, graph: str, image: str, threads: int) -> Timing:
    """Measure a graph on the CPU.

    Args:
        folder (str): Of the export.
        graph (str): Name of the file in it.
        image (str): File of the image that it is shown.
        threads (int): That compute.

    Returns:
        Timing: Of the graph alone: the image is prepared before.
    """
    forget_peak()
    before = memory_mb('VmRSS')
    network = Network(folder, graph, threads)
    inputs = network.inputs(upright(image))

    def one() -> object:
        return network.run(inputs)

    warm_up(one)
    other_work = OtherWork()
    times = latency(one)
    others, peak = other_work.cores(), memory_mb('VmHWM')
    height, width = inputs['images'].shape[2:]
    return Timing(
        device='CPU', runtime=f'{graph}, an image of {height} x {width}', threads=threads, **times._asdict(),
        images_per_second=1000 / times.milliseconds,
        memory_mb=None if before is None or peak is None else peak - before, others=others)


if __name__ == '__main__':
    _folder, _graph, _image, _threads = sys.argv[1:]
    print(json.dumps(asdict(measure(_folder, _graph, _image, int(_threads)))))
