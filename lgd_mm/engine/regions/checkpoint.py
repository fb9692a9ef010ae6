"""A detector's weights, and what they and its config say of its regions before any network is built."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import Tensor

from lgd_mm.console.words import some
from lgd_mm.engine.regions.pipeline import tested, unlabelled
from lgd_mm.errors import UserError
from lgd_mm.io.finite import check_finite
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.models.teachers.weights import state_digest

#: Weights of the layers that both tasks of a box head share; of a cascade, with the number of the stage.
SHARED = re.compile(r'roi_head\.bbox_head\.(?:(\d+)\.)?shared_(convs|fcs)\.(\d+)\.(?:conv\.)?weight')


class DetectorFile(NamedTuple):
    """What a checkpoint holds of a detector.

    Attributes:
        path (str): The file.
        state (dict[str, Tensor]): Its weights.
        detector (dict[str, str]): Digests of its ``config`` and its ``weights``.
        width (int): D, of the features of its regions.
        tags (list[str]): Names of its classes.
        with_map (bool): The mean of a region's map stands behind what the layers of the box head make of it.
    """

    path: str
    state: dict[str, Tensor]
    detector: dict[str, str]
    width: int
    tags: list[str]
    with_map: bool


def read_detector(cfg: Config, config: str, checkpoint: str, with_map: bool = False,
                  content: Mapping[str, Any] | None = None, said: Config | None = None) -> DetectorFile:
    """Read a detector's checkpoint.

    Args:
        cfg (Config): Of the detector.
        config (str): Its file, for messages.
        checkpoint (str): The checkpoint.
        with_map (bool): See :class:`DetectorFile`. Defaults to False.
        content (Mapping[str, Any], optional): What it holds. Defaults to None: it is read.
        said (Config, optional): The config of which the digest is taken, if ``cfg`` has been made of it. Defaults to
            None: ``cfg``.

    Returns:
        DetectorFile: With all its weights.

    Raises:
        UserError: If it is of no two-stage detector, of other classes than the config, its weights are broken, or the
            mean of the map is its feature without being asked for.
    """
    model = cfg.get('model') or {}
    if not model.get('roi_head'):
        raise UserError(f'{config} describes a {model.get("type", "model")}, which is no two-stage detector: give the '
                        'config of a Faster, Mask or Cascade R-CNN, or --grid G for cells of a backbone')
    content = content or load_checkpoint_file(checkpoint)
    state = find_network(content, checkpoint).state
    check_finite(state, checkpoint)
    return DetectorFile(checkpoint, state, dict(config=_digest(said or cfg, with_map), weights=state_digest(state)),
                        _width(state, model, checkpoint, with_map),
                        _tags(cfg, content.get('meta') or {}, config, checkpoint), with_map)


def _digest(cfg: Config, with_map: bool) -> str:
    """SHA-256 of all in a config that decides what its detector finds, wherever files lie."""
    model = {key: value for key, value in cfg.model.items() if key not in ('train_cfg', 'init_cfg')}
    model['backbone'] = {key: value for key, value in (model.get('backbone') or {}).items() if key != 'init_cfg'}
    deciding = dict(model=model, preprocessor=cfg.get('data_preprocessor'), pipeline=unlabelled(cfg),
                    **(dict(with_map=True) if with_map else {}))
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, default=str).encode()).hexdigest()


def _width(state: Mapping[str, Tensor], model: Mapping[str, Any], checkpoint: str, with_map: bool) -> int:
    """Of the features, by the last layer that the tasks of the (last) box head share."""
    if not any(key.startswith('roi_head.bbox_head.') for key in state):
        raise UserError(f'{checkpoint} is of no two-stage detector, as it has no keys below roi_head.bbox_head: give '
                        'a checkpoint of a Faster, Mask or Cascade R-CNN')
    layers = [(int(found[1] or 0), found[2] == 'fcs', int(found[3]), value.shape[0])
              for key, value in state.items() if (found := SHARED.fullmatch(key))]
    channels = int(_box_head(model).get('in_channels', 256))
    if with_map and not any(linear for _, linear, *_ in layers):
        raise UserError(f'the box head of {checkpoint} shares no linear layer, so that the mean of the map is the '
                        'feature already: leave --with-map out')
    return int(max(layers)[-1] if layers else channels) + channels * with_map


def _tags(cfg: Config, meta: Mapping[str, Any], config: str, checkpoint: str) -> list[str]:
    """Names of the classes: a detector's own, which are those of the config."""
    dataset, trained_on = tested(cfg), meta.get('dataset_meta')
    with DATASETS.switch_scope_and_registry(dataset.get('_scope_')) as registry:
        known = getattr(registry.get(dataset['type']), 'METAINFO', {})
    told = (dataset.get('metainfo') or {}).get('classes') or known.get('classes')
    trained = (trained_on.get('classes') if isinstance(trained_on, Mapping) else None) or meta.get('CLASSES')  # mmdet 2
    classes = [str(name) for name in trained or told or ()]
    if told and trained and [str(name) for name in told] != classes:
        raise UserError(f'{checkpoint} was trained with other classes ({some(classes)}) than {config} names '
                        f'({some([str(name) for name in told])}): give the config that it was trained with')
    number = _box_head(cfg.model).get('num_classes', 80)
    if len(classes) != number:
        raise UserError(f'{config} names {len(classes)} classes, and its detector has {number}: set '
                        'test_dataloader.dataset.metainfo.classes to the names, in their order')
    return classes


def _box_head(model: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config of the box head; of a cascade, the last."""
    head: Any = model['roi_head'].get('bbox_head') or {}
    return head[-1] if isinstance(head, (list, tuple)) else head
