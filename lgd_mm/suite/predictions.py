"""What the trained detectors and segmentors see: ground truth and predictions of the same images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DATASETS
from numpy.typing import NDArray
from PIL import Image

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.corruptions import CorruptedImages
from lgd_mm.datasets.loading import decode
from lgd_mm.engine.checks.preflight import check_data
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.report.overlays import Instances, draw_instances, draw_segments
from lgd_mm.report.tiles import tile, tile_size
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.config_text import parse_config
from lgd_mm.safety.saved_config import read_config_text, read_saved_run
from lgd_mm.suite.colours import class_colours
from lgd_mm.suite.schema import Results, TaskColumns

#: Detections below this score are not drawn, as in mmdet's own visualizer.
SCORE = 0.3

#: Config and checkpoint of a trained model.
Model = tuple[Config, Path]


class Picture(NamedTuple):
    """One image of a task.

    Attributes:
        tiles (list[tuple[str, bytes]]): Titles and WebP files: the ground truth, if the pipeline loads it,
            then each entry's prediction.
        legend (list[tuple[str, str]]): Names and CSS colours of the classes of segments; boxes have their names beside
            them.
    """

    tiles: list[tuple[str, bytes]]
    legend: list[tuple[str, str]]


def find_models(results: Results, task: TaskColumns) -> tuple[dict[str, Model], list[str]]:
    """Detectors or segmentors that the first seed's runs of a task left in their work dirs.

    Args:
        results (Results): The content of ``results.json``.
        task (TaskColumns): One of its tasks.

    Returns:
        tuple[dict[str, Model], list[str]]: The models by the label of their entry, without those whose work dir is
        gone; and the labels of those whose checkpoint is. Both are empty for a task of another kind.
    """
    models: dict[str, Model] = {}
    gone = []
    for cell in results.cells:
        if cell.task != task.name or not cell.work_dirs:
            continue
        config = Path(cell.work_dirs[0]) / Path(task.config).name
        if not config.is_file() or _scope_of(config) not in ('mmdet', 'mmseg'):
            continue
        try:
            checkpoint = latest_checkpoint(cell.work_dirs[0])
        except UserError:  # it names one that was deleted since
            checkpoint = None
        if checkpoint is None:
            gone.append(cell.entry)
            continue
        try:
            models[cell.entry] = read_saved_run(config), checkpoint
        except UserError as error:  # parts of a user's own: the figures are there
            print_rank0(f'no images of {cell.entry}, {task.name}: {error}')
    return models, gone


def _scope_of(config: Path) -> Any:
    return parse_config(read_config_text(config)).get('default_scope')


def draw_predictions(models: Mapping[str, Model], n: int = 3) -> list[Picture]:
    """Predict a few validation images with every model and draw them beside the ground truth.

    The images are evenly spaced over the validation set, whatever the predictions look like.

    Args:
        models (Mapping[str, Model]): Of one task, by the label of their entry.
        n (int): Images. Defaults to 3.

    Returns:
        list[Picture]: ``n`` or, from a smaller set, all; none without models.

    Raises:
        UserError: If the validation images are gone.
    """
    predictions: dict[str, list[Any]] = {}
    dataset: BaseDataset | None = None
    for label, (cfg, checkpoint) in models.items():
        check_data(cfg, 'val')
        check_network(cfg.model, cfg.default_scope, load_checkpoint_file(checkpoint).get('state_dict'), checkpoint)
        load = _loader(cfg)
        with quiet_loading(), torch.no_grad():
            model = load(cfg, str(checkpoint), device='cpu')
            if dataset is None:  # in the scope that loading the model has set
                dataset = DATASETS.build(cfg.val_dataloader.dataset)
                if isinstance(dataset, CorruptedImages):  # predictions lie on the images as they are
                    dataset = dataset.dataset
                chosen = np.unique(np.linspace(0, len(dataset) - 1, n).round().astype(int))
            predictions[label] = [model.test_step(pseudo_collate([dataset[index]]))[0] for index in chosen]
    if dataset is None:
        return []
    draw = _detection_image if cfg.default_scope == 'mmdet' else _segmentation_image
    classes = dataset.metainfo['classes']
    return [draw(dict(zip(predictions, samples)), classes) for samples in zip(*predictions.values())]


def _loader(cfg: Config) -> Callable[..., Any]:
    """The library's own function that builds a model from a config and a checkpoint."""
    if cfg.default_scope == 'mmdet':  # here: either library takes seconds to import
        from mmdet.apis import init_detector
        return init_detector
    from mmseg.apis import init_model
    return init_model


def _detection_image(samples: Mapping[str, Any], classes: tuple[str, ...]) -> Picture:
    colours = class_colours(classes)
    first = next(iter(samples.values()))
    panels = {'ground truth': _instances(first.gt_instances)} if 'bboxes' in first.gt_instances else {}
    panels |= {label: _instances(sample.pred_instances[sample.pred_instances.scores >= SCORE])
               for label, sample in samples.items()}
    image = np.asarray(_read(first.img_path))
    return Picture([(title, tile(draw_instances(image, instances, classes, colours, tile_size(image))))
                    for title, instances in panels.items()], legend=[])


def _read(path: str) -> Image.Image:
    """An image as the networks see it, turned upright."""
    return Image.fromarray(np.ascontiguousarray(decode(read_plain(path))[..., ::-1]))


def _instances(found: Any) -> Instances:
    """mmdet's instances, of ground truth or prediction, with or without masks."""
    masks = found.get('masks')
    if masks is not None:
        masks = (masks.to_ndarray() if hasattr(masks, 'to_ndarray') else masks.numpy()) > 0
    scores = found.scores.numpy() if 'scores' in found else None
    return Instances(found.bboxes.numpy(), found.labels.numpy(), masks, scores)


def _segmentation_image(samples: Mapping[str, Any], classes: tuple[str, ...]) -> Picture:
    colours = class_colours(classes)
    first = next(iter(samples.values()))
    panels = {'ground truth': first.gt_sem_seg} if 'gt_sem_seg' in first else {}
    panels |= {label: sample.pred_sem_seg for label, sample in samples.items()}
    segments = {title: data.data[0].numpy() for title, data in panels.items()}
    shown = np.unique(np.concatenate([np.unique(labels) for labels in segments.values()]))
    # grey below, so that the colours are those of the legend
    image = np.asarray(_read(first.img_path).convert('L').convert('RGB'))
    tiles = [(title, tile(draw_segments(image, labels, (), colours, tile_size(image))))
             for title, labels in segments.items()]
    return Picture(tiles, [(classes[label], _css(colours[label])) for label in shown if label < len(classes)])


def _css(colour: NDArray[Any]) -> str:
    return '#' + ''.join(f'{part:02x}' for part in colour)
