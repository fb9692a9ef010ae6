"""What is said at the end of a training: what came out, and where it lies; and what to type next."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from lgd_mm.io.safe_load import read_metadata
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.pseudo_labels import one_sided
from lgd_mm.runs.checkpoints import latest_checkpoint

#: Commands on new images, by the task of a model of vision and language.
WORDS = dict(VLCaptioning='caption {} IMAGES --detector DETECTOR',
             VLAnswering='ask {} IMAGE "what is it?" --detector DETECTOR')
#: What mmengine keeps beside the metrics of a validation.
NO_METRICS = ('time', 'data_time')


def summary(runner: Runner, curves: str | None = None) -> str:
    """A few lines to end with.

    Args:
        runner (Runner): After training.
        curves (str, optional): How to see the curves of a tracker. Defaults to None.

    Returns:
        str: Lines.
    """
    scalars = runner.message_hub.log_scalars
    told = []
    if 'train/loss' in scalars:
        told.append(f'loss {scalars["train/loss"].mean(runner.log_processor.window_size):.4g}')
    told += [f'{key.removeprefix("val/")} {value.current():.4g}' for key, value in scalars.items()
             if key.startswith('val/') and key.removeprefix('val/') not in NO_METRICS]
    report = Path(runner.work_dir) / 'report.html'
    lines = [
        f'{runner.iter:,} iterations: {", ".join(told)}' if told else None,
        f'report: {report}' if report.is_file() else None,
        curves,
        *(f'warning: {told}' for told in one_sided(bare_model(runner.model))),
    ]
    return '\n'.join(filter(None, lines))


def next_step(config: str, cfg: Config, given: Sequence[str] = ()) -> str:
    """The command a user is likely to type after training, as a shell takes it.

    Args:
        config (str): The config file that was trained.
        cfg (Config): Its content, with ``work_dir``.
        given (Sequence[str]): The options it was changed by, which a test needs too. Defaults to ().

    Returns:
        str: One line, or a second one with another command.
    """
    name, model = next(iter(cfg.model.get('students', {'': cfg.model}).items()))  # of several, the first
    student = Path(cfg.work_dir) / (f'student_{name}.safetensors' if name else 'student.safetensors')
    if student.is_file() and 'backbone' in model:
        downstream = _downstream_config(model.backbone)
        return (f'next: {join(["python", "tools/train.py", str(downstream), "--student", str(student)])}'
                if downstream else f'student: {student}')
    latest = latest_checkpoint(cfg.work_dir)
    if latest and cfg.get('test_dataloader'):
        line = f'next: {join(["python", "tools/test.py", config, str(latest), *given])}'
        return '\n'.join([line, *_on_images(cfg, student)])
    if student.is_file():  # of vision and language: it begins another task
        return f'student: {student}'
    return f'done: {cfg.work_dir}'


def _on_images(cfg: Config, student: Path) -> Iterator[str]:
    """What a student of vision and language is for, if one detector sees images for it."""
    model = cfg.model.get('student', cfg.model)
    command = WORDS.get(str((model.get('task') or {}).get('type')).rpartition('.')[2])
    if command is None or not student.is_file():
        return
    said = read_metadata(student) or {}
    if 'trained_on' in said and json.loads(said['trained_on'])['regions']['boxes'] is None:
        yield f'or: lgd-mm {command.format(join([cfg.work_dir]))}'


def _downstream_config(backbone: Mapping[str, Any]) -> Path | None:
    """The shipped detector with exactly this backbone, seen from the current folder."""
    kind = backbone['type'].split('.')[-1]
    name = f'r{backbone.get("depth")}' if kind == 'ResNet' else kind.lower()
    shipped = [Path(f'configs/coco/mask-rcnn_{name}_fpn_1x_coco.py'),
               Path(f'configs/shapes/mask-rcnn_{name}-slim_fpn_shapes.py')]
    return next((path for path in shipped if path.is_file() and _same(backbone, Config.fromfile(path))), None)


def _same(backbone: Mapping[str, Any], cfg: Config) -> bool:
    """Whether a student's weights fill a config's backbone."""
    theirs = cfg.model.backbone
    # What does not change the keys of the weights may differ.
    free = ('zero_init_residual', 'type', 'out_indices', 'frozen_stages', 'norm_cfg', 'norm_eval', 'init_cfg')
    same = [{key: value for key, value in one.items() if key not in free} for one in (backbone, theirs)]
    return same[0] == same[1] and str(theirs.type).split('.')[-1] == backbone['type'].split('.')[-1]
