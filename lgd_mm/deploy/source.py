"""The fine-tuned network that is deployed, of its checkpoint alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from torch import Tensor

from lgd_mm.datasets.of_config import innermost
from lgd_mm.engine.trained_network import trained_network
from lgd_mm.errors import UserError
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.safety.config_text import parse_config
from lgd_mm.safety.saved_config import saved_run
from lgd_mm.students.left_out import left_out


class FineTuned(NamedTuple):
    """A network, and how it is tested.

    Attributes:
        path (Path): The checkpoint.
        model (nn.Module): Of mmdet, mmseg or mmpretrain, in eval mode, on the CPU.
        cfg (Config): Its config, checked: the model, and loaders and evaluators of all splits.
        classes (tuple[str, ...]): Names.
    """

    path: Path
    model: Any
    cfg: Config
    classes: tuple[str, ...]

    @property
    def pipeline(self) -> list[dict[str, Any]]:
        """Of the test data."""
        try:
            return list(innermost(self.cfg.test_dataloader.dataset)['pipeline'])
        except (AttributeError, KeyError, TypeError) as error:
            raise UserError(f'{self.path} does not say how its test images are read (test_dataloader.dataset.pipeline '
                            'in its config): give a checkpoint of a fine-tuning of lgd_mm or OpenMMLab') from error


def is_finetuned(path: str | Path) -> bool:
    """Whether a checkpoint holds more than a student: a detector, a segmentation network, a classifier.

    Args:
        path (str | Path): A ``.pth`` or ``.safetensors`` file.

    Raises:
        UserError: If it cannot be read.
    """
    checkpoint = load_checkpoint_file(path)
    meta = checkpoint.get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    if not isinstance(text, str) or not text:
        return False
    state = {key: value for key, value in find_network(checkpoint, path).state.items() if isinstance(value, Tensor)}
    return left_out(state, parse_config(text), path) is not None


def read_finetuned(path: str | Path) -> FineTuned:
    """Build what a checkpoint describes, and fill it.

    Args:
        path (str | Path): A checkpoint with its config, as training saves it.

    Returns:
        FineTuned: The network.

    Raises:
        UserError: If the file cannot be used, or names what no file may build.
    """
    checkpoint = load_checkpoint_file(path)
    meta = checkpoint.get('meta') or {}
    cfg = Config(saved_run(meta['cfg'], path))
    model = revert_sync_batchnorm(trained_network(checkpoint, cfg, path)).requires_grad_(False)
    return FineTuned(Path(path), model, cfg, _classes(meta, cfg, model))


def _classes(meta: Mapping[str, Any], cfg: Config, model: Any) -> tuple[str, ...]:
    """Names of the classes, or their numbers if no one wrote them down."""
    said = meta.get('dataset_meta')
    names = said.get('classes') if isinstance(said, Mapping) else None
    if not names:
        metainfo = innermost((cfg.get('test_dataloader') or {}).get('dataset') or {}).get('metainfo') or {}
        names = metainfo.get('classes')
    heads = [getattr(getattr(model, 'roi_head', None), 'bbox_head', None),
             *(getattr(model, name, None) for name in ('bbox_head', 'decode_head', 'head'))]
    # A network of another family, which is refused later, may have no such head.
    number = next((count for count in (getattr(head, 'num_classes', None) for head in heads)
                   if isinstance(count, int)), 0)
    if not isinstance(names, (list, tuple)) or len(names) != number:
        return tuple(f'class {index}' for index in range(number))
    return tuple(map(str, names))
