"""A trained network as its checkpoint describes it: read as data, built within bounds, ready to predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from numpy.typing import NDArray

from lgd_mm.compat.coco_api import init_as_pycocotools
from lgd_mm.datasets.of_config import innermost
from lgd_mm.engine.trained_network import trained_network
from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.models.vl.weights import holds_model
from lgd_mm.own_data.palette import class_colours
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.safety.saved_config import saved_network

init_as_pycocotools()  # as of lgd_mm.engine.launch: mmdet must not have been imported yet

#: What the networks of a library do.
TASKS = dict(mmpretrain='classification', mmdet='detection', mmseg='segmentation')
MASKS = 'instance-segmentation'


@dataclass(frozen=True)
class Network:
    """A network that is ready to predict.

    Attributes:
        path (Path): Its checkpoint.
        digest (str): SHA-256 of that file.
        scope (str): Its library.
        task (str): ``'classification'``, ``'detection'``, ``'instance-segmentation'`` or ``'segmentation'``.
        classes (list[str]): Their names.
        colours (np.ndarray): Their RGB colours (C, 3), uint8.
        pipeline (list[dict[str, Any]]): How an image is read for it.
        model (BaseModel): In eval mode.
    """

    path: Path
    digest: str
    scope: str
    task: str
    classes: list[str]
    colours: NDArray[np.uint8]
    pipeline: list[dict[str, Any]]
    model: BaseModel


def load_network(given: str | Path, task: str | None = None) -> Network:
    """Load a trained network.

    Args:
        given (str | Path): The folder of a run, or a checkpoint.
        task (str, optional): What it is to do. Defaults to None: whatever it does.

    Returns:
        Network: On the device that there is.

    Raises:
        UserError: If there is no such network, its file says too little or what no file may say, or it does something
            else.
    """
    path = find_checkpoint(given)
    checkpoint = load_checkpoint_file(path)
    if holds_model(checkpoint):
        raise UserError(f'{path} is of a model of vision and language: `lgd-mm caption` writes captions with it, or '
                        '`lgd-mm ask` asks it questions')
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    if not isinstance(meta.get('cfg'), str):
        raise UserError(f'{path} does not say of which network it is: give the folder of a run of lgd-mm finetune or '
                        'tools/train.py, or a checkpoint in it')
    cfg = Config(saved_network(meta['cfg'], path))
    scope = cfg.default_scope
    if scope not in TASKS:
        raise UserError(f'{path} is of default_scope {scope!r}: give a network of {", ".join(TASKS)}')
    model = trained_network(checkpoint, cfg, path)
    does = TASKS[scope]
    if scope == 'mmdet' and any(name.rpartition('.')[2] == 'mask_head' for name, _ in model.named_modules()):
        does = MASKS
    if task is not None and task != does:
        raise UserError(f'{path} does {does}, not {task}: give a network that was trained for {task}, or leave out '
                        'the task')
    classes, colours = _classes(meta.get('dataset_meta'), path)
    known = max((module.num_classes for name, module in model.named_modules()
                 if 'head' in name and isinstance(getattr(module, 'num_classes', None), int)), default=0)
    if known > len(classes):
        raise UserError(f'{path} names {len(classes)} classes (meta.dataset_meta.classes), and its network tells '
                        f'{known} apart: give a checkpoint of lgd-mm finetune or tools/train.py')
    return Network(path, file_digest(path), scope, does, classes, colours, _pipeline(cfg, path),
                   model.to(get_device()))


def find_checkpoint(given: str | Path) -> Path:
    """The checkpoint of a trained network.

    Args:
        given (str | Path): The folder of a run, or a checkpoint.

    Raises:
        UserError: If there is none.
    """
    path = Path(given)
    if not path.is_dir():
        return path
    found = latest_checkpoint(str(path))
    if found is None:
        raise UserError(f'{path} holds no trained network: give the folder of a run of lgd-mm finetune or '
                        'tools/train.py that has saved a checkpoint, or a checkpoint')
    return found


def scope_of(network: Network) -> Any:
    """A context in which types without a library's name are looked up in that of a network."""
    return DefaultScope.overwrite_default_scope(network.scope)


def _classes(meta: Any, path: Path) -> tuple[list[str], NDArray[np.uint8]]:
    """Names and colours of the classes."""
    classes = meta.get('classes') if isinstance(meta, Mapping) else None
    if not isinstance(classes, (list, tuple)) or not classes or not all(isinstance(name, str) for name in classes):
        raise UserError(f'{path} does not name its classes (meta.dataset_meta.classes): give a checkpoint of lgd-mm '
                        'finetune or tools/train.py')
    stated = meta.get('palette')
    fits = isinstance(stated, (list, tuple)) and len(stated) == len(classes) and all(map(_is_colour, stated))
    return list(classes), np.array(stated if fits else class_colours(len(classes)), np.uint8)


def _is_colour(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) == 3 and all(
        type(part) is int and 0 <= part < 256 for part in value)


def _pipeline(cfg: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    """The steps of the test pipeline but those that read annotations."""
    dataset = (cfg.get('test_dataloader') or {}).get('dataset')
    steps = innermost(dataset).get('pipeline') if dataset else None
    kept = [step for step in steps or () if 'Annotations' not in str(step.get('type'))]
    if not kept or not str(kept[0].get('type')).rpartition('.')[2].startswith('LoadImage'):
        raise UserError(f'{path} does not say how an image is read for it (test_dataloader.dataset.pipeline): give a '
                        'checkpoint of a config with a test set')
    return kept
