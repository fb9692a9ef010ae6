"""From a fine-tuned network to a checked folder that needs no PyTorch."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime
from mmengine.logging import print_log

from lgd_mm.console.progress import still
from lgd_mm.console.quiet import quietly
from lgd_mm.deploy.card import card, sizes_of, usage
from lgd_mm.deploy.check import about, agreement, raw_agreement, write_about
from lgd_mm.deploy.compare import Agreement
from lgd_mm.deploy.graph import Graph, write_graph
from lgd_mm.deploy.images import check_images, drawn_images, own_images, spread
from lgd_mm.deploy.int8 import quantise
from lgd_mm.deploy.int8_report import change
from lgd_mm.deploy.pipeline import steps_of
from lgd_mm.deploy.report import DeployReport
from lgd_mm.deploy.source import FineTuned, read_finetuned
from lgd_mm.deploy.targets import WHOLE_TARGETS, check_installed
from lgd_mm.deploy.timing import time_graph
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.new_folder import new_folder

#: Images that an export is compared on, unless the user says which.
COMPARED = 16
#: Images at most that the ranges of eight bits are measured on.
CALIBRATED = 128


def export_finetuned(path: str | Path, folders: Mapping[str, Path], *, size: tuple[int, int] | None = None,
                     raw: bool = False, images: Sequence[str | Path] | None = None, int8: bool = False,
                     calibration: Sequence[str | Path] | None = None) -> list[DeployReport]:
    """Write a fine-tuned network in one or several forms, each compared with the network itself before its folder
    appears.

    Args:
        path (str | Path): A checkpoint with its config.
        folders (Mapping[str, Path]): Target of :data:`lgd_mm.deploy.targets.WHOLE_TARGETS` -> folder to write, which
            does not exist yet or is empty.
        size (tuple[int, int], optional): Height and width of all images. Defaults to None: any.
        raw (bool): Without threshold, non-maximum suppression and scaling. Defaults to False.
        images (Sequence[str | Path], optional): To compare on. Defaults to None: of the test set of the fine-tuning,
            or drawn.
        int8 (bool): Write the ONNX graph in eight bits, too. Defaults to False.
        calibration (Sequence[str | Path], optional): Images that its ranges are measured on. Defaults to None: of the
            training set of the fine-tuning.

    Returns:
        list[DeployReport]: For each target.

    Raises:
        UserError: If the network, an image or a folder cannot be used, or a form predicts something else.
    """
    for target in folders:
        check_installed(target)
    with still(f'reading {path}'), quietly():
        network = read_finetuned(path)
    size = size or _cropped(network)
    ranges = _calibration(network, calibration) if int8 else None
    return [_export(network, target, folder, size, raw, images, ranges if WHOLE_TARGETS[target].int8 else None)
            for target, folder in folders.items()]


def _export(network: FineTuned, target: str, folder: Path, size: tuple[int, int] | None, raw: bool,
            images: Sequence[str | Path] | None, calibration: Sequence[Path] | None) -> DeployReport:
    print_log(f'exporting {network.path} to {target}', logger='current')
    try:
        with new_folder(folder) as part:
            report = _written(network, target, part, size, raw, images, calibration)
    except OSError as error:
        raise UserError(f'the export cannot be written to {folder} ({error.strerror or error}): choose a folder with '
                        'disk space that you may write to') from error
    return DeployReport(**{**vars(report), 'folder': folder, 'files': tuple(sorted(folder.iterdir()))})


def _written(network: FineTuned, target: str, part: Path, size: tuple[int, int] | None, raw: bool,
             images: Sequence[str | Path] | None, calibration: Sequence[Path] | None) -> DeployReport:
    graph, library = _graph(network, target, part, size, raw)
    write_about(part, about(network, graph))
    with check_images(network, images, COMPARED) as chosen:
        with still(f'comparing {len(chosen.files)} images'):
            found = compared(network, part, graph, chosen.files, raw)
        threads = sorted({1, len(os.sched_getaffinity(0))})
        notes, graphs = [_takes(graph)], [graph.file.name]
        if calibration:
            small = f'{graph.file.stem}_int8.onnx'
            graphs.append(small)
            with still(f'measuring the ranges of {len(calibration)} images'):
                quantise(part, graph.file.name, small, calibration)
            with still('comparing 8 bits with 32'):
                notes.append(f'{change(network, part, graph.file.name, small, chosen.files)} Its ranges are those of '
                             f'{len(calibration)} images; the first and the last layers stay float32.')
        with still('measuring the graph'):
            timings = [each for name in graphs for each in time_graph(part, name, chosen.files[0], threads)]
    text = card(network, target, graph, raw, library, chosen.told, found, notes, timings, sizes_of(part))
    (part / 'README.md').write_text(text, encoding='utf-8')
    return DeployReport(target, part, (), library, chosen.told, found, tuple(notes), tuple(timings),
                        usage(network, raw))


def _graph(network: FineTuned, target: str, part: Path, size: tuple[int, int] | None, raw: bool) -> tuple[Graph, str]:
    """Write the graph of a target; also what runs it, with its version."""
    file = part / WHOLE_TARGETS[target].graph
    if target == 'litert':
        from lgd_mm.deploy import litert  # here, as below: they are no requirements
        with still('converting the network'), quietly():
            return litert.write(network, file, size, raw)
    with still('tracing the network'):
        graph = write_graph(network, part / WHOLE_TARGETS['onnx'].graph, size, raw)
    if target == 'onnx':
        return graph, f'onnxruntime {onnxruntime.__version__}'
    from lgd_mm.deploy import openvino
    with still('converting the graph'), quietly():
        library = openvino.convert(graph.file, file)
    graph.file.unlink()
    return graph._replace(file=file), library


def compared(network: FineTuned, folder: Path, graph: Graph, files: Sequence[Path], raw: bool) -> Agreement:
    """See that a graph predicts what the network does, for images of every kind that it declares to take.

    Raises:
        UserError: If it does not.
    """
    with quietly(), drawn_images() as others:
        form = raw_agreement if raw else agreement
        found = form(network, folder, graph, files)
        _check(network, found, 'the images')
        if graph.size is None:  # of any size: the images may all have one
            try:
                _check(network, form(network, folder, graph, others), 'images of other sizes')
            except Exception as error:  # whatever a runtime raises for sizes that a graph does not take
                if isinstance(error, UserError):
                    raise
                raise UserError(f'{network.path} takes no images of any size as a graph: give --size HEIGHT WIDTH'
                                ) from error
        if not (graph.one_image or raw):
            _check(network, raw_agreement(network, folder, graph, others[:1], raw), 'several images at a time')
    return found


def _check(network: FineTuned, found: Agreement, what: str) -> None:
    if not found.close:
        raise UserError(f'the graph of {network.path} predicts something else than the network itself, on {what}: '
                        f'{found}: nothing was written; export its backbone alone (--backbone-only)')


def _calibration(network: FineTuned, given: Sequence[str | Path] | None) -> list[Path]:
    """Images that ranges are measured on."""
    if given is not None:
        files = spread(list(map(Path, given)), CALIBRATED)
        if not files:
            raise DataError(f'none of the images to calibrate on can be read, such as {given[0]}: give others')
        return files
    files = spread(own_images(network, 'train'), CALIBRATED)
    if not files:
        raise UserError(f'the training set of {network.path} is not where it was, and --int8 measures ranges on '
                        'images: give --calibrate FOLDER')
    return files


def _cropped(network: FineTuned) -> tuple[int, int] | None:
    """The one size that a classifier's test pipeline makes of all images."""
    steps: list[dict[str, Any]] = steps_of(network.pipeline, network.path)
    if network.cfg.default_scope != 'mmpretrain' or not steps or steps[-1]['do'] not in ('crop', 'stretch'):
        return None
    height, width = steps[-1]['size']
    return height, width


def _takes(graph: Graph) -> str:
    number = 'one image at a time' if graph.one_image else 'any number of images'
    sizes = f'of {graph.size[0]} x {graph.size[1]} pixels' if graph.size else 'of any height and width'
    return f'The graph takes {number}, {sizes}.'
