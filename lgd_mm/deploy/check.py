"""A graph against the network it was made of, on images as a user has them."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lgd_mm.deploy import predict
from lgd_mm.deploy.compare import Agreement
from lgd_mm.deploy.families import deployed
from lgd_mm.deploy.graph import INPUTS, Graph
from lgd_mm.deploy.pipeline import steps_of
from lgd_mm.deploy.reference import letterboxed_reference, reference
from lgd_mm.deploy.source import FineTuned


def about(network: FineTuned, graph: Graph) -> dict[str, Any]:
    """``network.json``: what ``predict.py`` has to know.

    Args:
        network (FineTuned): The network.
        graph (Graph): Its graph.

    Returns:
        dict[str, Any]: Plain JSON.

    Raises:
        UserError: If its images are prepared as ``predict.py`` cannot.
    """
    steps = steps_of(network.pipeline, network.path)
    if graph.size is not None and network.cfg.default_scope != 'mmpretrain':
        steps = [step for step in steps if step['do'] not in ('fit', 'stretch', 'pad')]
        steps.append({'do': 'within', 'size': list(graph.size), 'with': 'opencv', 'filter': 'bilinear'})
    roi_head = getattr(network.model, 'roi_head', None)
    return dict(graph=graph.file.name, inputs=list(INPUTS), outputs=list(graph.outputs), size=graph.size,
                one_image=graph.one_image, paste_masks=graph.pastes_masks, steps=steps, classes=list(network.classes),
                mask_threshold=roi_head.test_cfg.mask_thr_binary if graph.pastes_masks and roi_head else 0.5)


def agreement(network: FineTuned, folder: Path, graph: Graph, files: Sequence[Path]) -> Agreement:
    """Predict with the files of an export, as a user does, and with the network itself.

    Args:
        network (FineTuned): The network.
        folder (Path): Of the export, with ``network.json``.
        graph (Graph): In it, with post-processing.
        files (Sequence[Path]): Images.

    Returns:
        Agreement: Of all images.
    """
    outside = predict.Network(str(folder), graph.file.name)
    fixed = graph.size is not None and network.cfg.default_scope != 'mmpretrain'
    found = Agreement()
    for file in files:
        pixels = predict.upright(str(file))
        if fixed:
            assert graph.size is not None
            ready, _ = predict.prepared(pixels, outside.about['steps'])
            original = pixels.shape[0], pixels.shape[1]
            expected = letterboxed_reference(network, ready, graph.size, original)
        else:
            expected = reference(network, file)
        found.add(file.name, expected, outside(str(file)), max(pixels.shape[:2]), threshold(network), _most(network))
    return found


def threshold(network: FineTuned) -> float:
    """Scores from which on a detector tells of a box."""
    head = _head(network)
    return float(head.test_cfg.get('score_thr', 0)) if head is not None else 0.0


def _most(network: FineTuned) -> int | None:
    """Boxes of an image that a detector keeps at most."""
    head = _head(network)
    most = -1 if head is None else head.test_cfg.get('max_per_img', -1)
    return most if most > 0 else None


def _head(network: FineTuned) -> Any:
    """Of a detector, what tells of boxes."""
    return getattr(network.model, 'roi_head', None) or getattr(network.model, 'bbox_head', None)


@torch.no_grad()
def raw_agreement(network: FineTuned, folder: Path, graph: Graph, files: Sequence[Path], raw: bool = True) -> Agreement:
    """Compare the outputs of a graph with those of what it was traced of, also for several images at a time.

    Args:
        network (FineTuned): The network.
        folder (Path): Of the export, with ``network.json``.
        graph (Graph): In it.
        files (Sequence[Path]): Images.
        raw (bool): Whether the graph is without post-processing. Defaults to True.

    Returns:
        Agreement: Of all images, and of a batch of each with its mirror image.
    """
    outside, form = predict.Network(str(folder), graph.file.name), deployed(network, deepcopy(network.model), raw)
    found = Agreement(images=len(files), outputs=0.0)
    for file in files:
        inputs = outside.inputs(predict.upright(str(file)))
        if not graph.one_image:
            inputs['images'] = np.concatenate([inputs['images'], inputs['images'][..., ::-1]])
        expected = form(*(torch.from_numpy(inputs[name]) for name in INPUTS))
        for own, other in zip(expected, outside.run(inputs).values()):
            found.outputs = max(found.outputs or 0.0, _difference(own.numpy(), other))
    return found


def _difference(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """As a part of the largest value; infinite for other shapes and numbers that are none. Of labels, the part that
    differs."""
    if expected.shape != found.shape or not (np.isfinite(expected).all() and np.isfinite(found).all()):
        return float('inf')
    if not expected.size:
        return 0.0
    if expected.dtype.kind == 'i':
        return float((expected != found).mean())
    scale = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
    return float(np.abs(expected.astype(np.float64) - found).max()) / scale


def write_about(folder: Path, told: Mapping[str, Any]) -> None:
    """Write ``network.json`` and ``predict.py`` into a folder."""
    (folder / 'network.json').write_text(json.dumps(told, indent=1) + '\n', encoding='utf-8')
    (folder / 'predict.py').write_text(Path(predict.__file__).read_text(encoding='utf-8'), encoding='utf-8')
