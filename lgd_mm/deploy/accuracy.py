"""The accuracy of an export on the test set of its network, by the evaluator of its config."""

from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData, PixelData

from lgd_mm.console.quiet import quietly
from lgd_mm.deploy.images import own_dataset
from lgd_mm.deploy.predict import Network
from lgd_mm.deploy.source import FineTuned


def accuracy(network: FineTuned, folder: Path, graph: str) -> dict[str, float] | None:
    """Predict the test set and evaluate it as ``tools/test.py`` does.

    Args:
        network (FineTuned): With its config.
        folder (Path): Of the export.
        graph (str): Name of the graph in it.

    Returns:
        dict[str, float], optional: The metrics; None if the test set is not where it was.
    """
    dataset = own_dataset(network, 'test')
    evaluators = network.cfg.get('test_evaluator')
    if dataset is None or not evaluators or not Path(dataset.get_data_info(0).get('img_path', '')).is_file():
        return None
    outside = Network(str(folder), graph)
    with DefaultScope.overwrite_default_scope(network.cfg.default_scope), quietly():
        evaluator = Evaluator(evaluators)
        evaluator.dataset_meta = dataset.metainfo
        for index in range(len(dataset)):
            ready = dataset[index]
            sample = ready['data_samples']
            found = outside(dataset.get_data_info(index)['img_path'])
            evaluator.process(data_samples=[_filled(sample, found)], data_batch=ready)
        return dict(evaluator.evaluate(len(dataset)))


def _filled(sample: Any, found: dict[str, Any]) -> Any:
    """A sample of the test set with a prediction, as the network itself would fill it."""
    tensors = {name: torch.from_numpy(value) for name, value in found.items()}
    if 'boxes' in tensors:
        tensors['bboxes'] = tensors.pop('boxes')
        sample.pred_instances = InstanceData(**tensors)
    elif 'labels' in tensors:
        sample.pred_sem_seg = PixelData(data=tensors['labels'][None])
    else:
        sample.set_pred_score(tensors['scores']).set_pred_label(tensors['scores'].argmax())
    return sample
