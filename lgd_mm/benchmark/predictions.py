"""What the fine-tuned models see: ground truth and predictions side by side."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DATASETS
from PIL import Image

from lgd_mm.benchmark.chatter import without_chatter
from lgd_mm.benchmark.drawing import INK, Instances, add_legend, class_colours, draw_instances, draw_segments

#: Detections below this score are not drawn, as in mmdet's own visualizer.
SCORE = 0.3

#: Config file and checkpoint of a fine-tuned model.
Run = tuple[str | Path, str | Path]
#: Draws a data sample of ground truth (False) or prediction (True).
Draw = Callable[[Axes, Any, bool, Any, np.ndarray], None]


def draw_predictions(det_runs: Mapping[str, Run],
                     seg_runs: Mapping[str, Run],
                     out_dir: str | Path,
                     n: int = 4) -> list[Path]:
    """Predict a few validation pictures with every model and draw them beside the ground truth.

    The pictures are evenly spaced over the validation set, whatever the predictions look like.

    Args:
        det_runs (Mapping[str, Run]): Config and checkpoint of each row's detector, by the row's label. The config is
            best the one that training left in its work dir, with all overrides in it.
        seg_runs (Mapping[str, Run]): The same for the segmentors.
        out_dir (str | Path): Folder for ``detection_<i>.png`` and ``segmentation_<i>.png``; made if missing.
        n (int): Pictures for each task. Defaults to 4.

    Returns:
        list[Path]: The files, detection first.
    """
    from mmdet.apis import init_detector  # here: the two libraries take seconds to import
    from mmseg.apis import init_model

    return [
        *_draw_task('detection', det_runs, init_detector, _draw_detection, Path(out_dir), n),
        *_draw_task('segmentation', seg_runs, init_model, _draw_segmentation, Path(out_dir), n),
    ]


def _draw_task(task: str, runs: Mapping[str, Run], load: Callable, draw: Draw, out_dir: Path, n: int) -> list[Path]:
    """Files of one task: load each model once, predict with it, then draw picture by picture."""
    predictions: dict[str, list] = {}
    for label, (config, checkpoint) in runs.items():
        with without_chatter():
            model = load(str(config), str(checkpoint), device='cpu')
            # in the scope that loading the model has set
            dataset: BaseDataset = DATASETS.build(model.cfg.val_dataloader.dataset)
            chosen = np.unique(np.linspace(0, len(dataset) - 1, n).round().astype(int))
            predictions[label] = [model.test_step(pseudo_collate([dataset[index]]))[0] for index in chosen]

    files = []
    out_dir.mkdir(parents=True, exist_ok=True)
    for number, samples in enumerate(zip(*predictions.values()), start=1):
        panels = [('ground truth', samples[0], False)]
        panels += [(label, sample, True) for label, sample in zip(predictions, samples)]
        files.append(out_dir / f'{task}_{number}.png')
        _draw_panels(panels, draw, dataset.metainfo, files[-1])
    return files


def _draw_panels(panels: list[tuple[str, Any, bool]], draw: Draw, metainfo: Mapping[str, Any], file: Path) -> None:
    """One picture: a panel for the ground truth and for each model."""
    figure = Figure(figsize=(2.7 * len(panels), 3.1), layout='constrained')
    FigureCanvasAgg(figure)
    classes = metainfo['classes']
    colours = class_colours(classes)
    for axes, (title, sample, predicted) in zip(figure.subplots(1, len(panels)), panels):
        with Image.open(sample.img_path) as image:
            # grey below segments, so that their colours are those of the legend
            base = image.convert('L').convert('RGB') if draw is _draw_segmentation else image.convert('RGB')
        axes.imshow(base, interpolation='nearest')
        draw(axes, sample, predicted, classes, colours)
        axes.set_title(title, color=INK, fontsize=11)
        axes.set_axis_off()
    if draw is _draw_segmentation:  # boxes have their names beside them
        add_legend(figure, classes, colours)
    figure.savefig(file, dpi=110, transparent=True, bbox_inches='tight', pad_inches=0.04)


def _draw_detection(axes: Axes, sample: Any, predicted: bool, classes: Any, colours: np.ndarray) -> None:
    if predicted:
        found = sample.pred_instances[sample.pred_instances.scores >= SCORE].numpy()
        instances = Instances(found.bboxes, found.labels, found.masks, found.scores)
    else:
        truth = sample.gt_instances
        instances = Instances(truth.bboxes.numpy(), truth.labels.numpy(), truth.masks.to_ndarray() > 0, None)
    draw_instances(axes, instances, classes, colours)


def _draw_segmentation(axes: Axes, sample: Any, predicted: bool, classes: Any, colours: np.ndarray) -> None:
    segments = sample.pred_sem_seg if predicted else sample.gt_sem_seg
    draw_segments(axes, segments.data[0].numpy(), classes, colours)
